"""A folder and settings in, the raw files of an invented bilingual shop and the truth about it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.records import ACTIONS
from mercer.sample import catalogue, dialogue, event, order, picture, query, review, shopper, table, truth, write
from mercer.sample.catalogue import Goods
from mercer.sample.dirt.spoil import LINES, spoil, spoil_lines
from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import Taxonomy, taxonomy, vocabulary

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FILES", "ORDERS", "STEPS", "Summary", "generate"]

FILES = {
    "products": "products.jsonl",
    "events": "events.csv.gz",
    "queries": "queries.tsv",
    "judgments": "judgments.qrels",
    "reviews": "reviews.jsonl",
    "faq": "faq.jsonl",
    "policies": "policies.jsonl",
    "dialogues": "dialogues.jsonl",
}
"""Family → file in the folder."""

ORDERS = "orders.jsonl"
"""What the demo order service begins with: no family, as orders are the shop's own system's to keep."""

STEPS = ("catalogue", "events", "reviews", *FILES, "images", "truth")
"""Stages, for a progress bar: `tick` is called with 1 after each."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written."""

    files: Mapping[str, Path]
    """Family → file."""
    rows: Mapping[str, int]
    """Family → data rows in the file, dirt included."""
    actions: Mapping[str, int]
    """Type of event → how many, before dirt."""
    images: int
    dirt: Mapping[str, int]
    """Check → rows that it should find."""


def generate(
    folder: Path, settings: SampleSettings | None = None, tick: Callable[[int], None] | None = None
) -> Summary:
    """Write an invented shop into `folder`: the raw FILES, images/ and truth/; the same settings give the same bytes.

    Nothing else in the folder is touched. ``truth.load(folder)`` reads the truth back.

    Raises:
        DiskFull: there is no room for a file.
        UsageError: the folder cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     summary = generate(Path(name), SampleSettings(products=200, shoppers=30, events=900, queries=20, images=2))
    >>> summary.rows["products"], summary.rows["events"], summary.images
    (200, 900, 2)
    """
    settings, tick = settings or SampleSettings(), tick or (lambda _steps: None)
    world = taxonomy()
    goods, people = catalogue.draw(settings, world), shopper.draw(settings, world)
    asked = query.draw(settings, goods, world)
    catalogue_table = table.products(settings, world, goods)
    tick(1)
    log = event.draw(settings, world, goods, people, asked)
    tick(1)
    tables = {
        "products": catalogue_table,
        "events": table.events(world, goods, people, log),
        "queries": table.queries(asked),
        "judgments": table.judgments(settings, goods, asked),
        "reviews": _table(review.draw(settings, world, goods, people, log)),
        "faq": _table(vocabulary("faq.json")),
        "policies": _table(vocabulary("policies.json")),
        "dialogues": _table(dialogue.draw(settings)),
    }
    tick(1)
    rows, dirt = {}, []
    for family, clean in tables.items():
        rows[family], hurt = _write(folder, family, clean, settings)
        dirt.append(hurt)
        tick(1)
    orders = order.draw(settings, world, goods, people, log)
    write.save(folder / ORDERS, [json.dumps(one, ensure_ascii=False) for one in orders])
    images = _images(folder, settings, world, goods)
    tick(1)
    errors = _together(dirt)
    known = {"queries": table.kinds(asked, world), "impressions": table.impressions(log), "dirt": errors}
    truth.save(folder, settings, goods, people, known)
    tick(1)
    kinds, counts = np.unique(log["type"], return_counts=True)
    return Summary(
        files={family: folder / name for family, name in FILES.items()},
        rows=rows,
        actions={ACTIONS[kind]: int(count) for kind, count in zip(kinds, counts, strict=True)},
        images=images,
        dirt={
            pair["check"]: pair["check_count"]
            for pair in errors.group_by("check").aggregate([("check", "count")]).sort_by("check").to_pylist()
        },
    )


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    names = dict.fromkeys(name for row in rows for name in row)  # pyarrow looks at the first row's alone
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _together(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables).sort_by([("family", "ascending"), ("row_id", "ascending")])


def _write(folder: Path, family: str, clean: pa.Table, settings: SampleSettings) -> tuple[int, pa.Table]:
    """Write one family's file, hurt as the settings ask; gives its data rows and the truth about its dirt."""
    spoilt = spoil(family, clean, settings.dirt, settings.seed)
    header, lines = _lines(family, spoilt.table)
    errors = [spoilt.truth]
    if family in LINES and settings.dirt:
        lines, hurt = spoil_lines(family, lines, settings.dirt, settings.seed, spare=spoilt.spare)
        errors.append(hurt)
    path = folder / FILES[family]
    write.save(path, write.zipped(header + lines) if path.suffix == ".gz" else header + lines)
    return len(lines), _together(errors)


def _lines(family: str, rows: pa.Table) -> tuple[list[str], list[str]]:
    """Header lines and data lines of a family's file."""
    suffix = FILES[family].partition(".")[2]
    if suffix == "jsonl":
        return [], write.json_lines(rows)
    if suffix == "qrels":
        return [], write.qrels(rows)
    lines = write.csv_lines(rows, separator="\t" if suffix == "tsv" else ",")
    return lines[:1], lines[1:]


def _images(folder: Path, settings: SampleSettings, world: Taxonomy, goods: Goods) -> int:
    """Draw a picture of each of the most popular products."""
    chosen = np.argsort(-goods.popularity, kind="stable")[: settings.images]
    for number in chosen.tolist():
        write.save(
            folder / "images" / f"{goods.id[number]}.png", picture.paint(goods, world, number, settings.image_size)
        )
    return len(chosen)
