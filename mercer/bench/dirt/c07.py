"""Texts of any family in, texts of which some are broken out (C07)."""

from __future__ import annotations

import html
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "C07"
FIELDS = {
    "products": ("title", "description", "bullets"),
    "queries": ("text",),
    "reviews": ("text",),
    "faq": ("question", "answer"),
}
KINDS = {
    "easy": ("latin1", "markup", "entity"),
    "medium": ("latin1", "gbk", "markup", "entity", "invisible", "lost", "placeholder"),
    "adversarial": ("half_latin1", "entity_twice", "bidi", "truncated", "placeholder_variant"),
}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """UTF-8 read as Latin-1 or GBK, tags, entities, invisible characters, lost letters, fillers; parts and variants."""
    rng, truth = np.random.default_rng(seed), Truth(CHECK)
    done = dict(tables)
    for family, fields in FIELDS.items():
        if family not in tables:
            continue
        values: dict[str, dict[int, object]] = {field: {} for field in fields}
        ids = tables[family]["row_id"].to_pylist()
        for number, row in enumerate(victims(tables[family], rate, rng, among=filled(tables[family], fields[0]))):
            field = fields[int(rng.integers(len(fields)))]
            kind = KINDS[difficulty][number % len(KINDS[difficulty])]
            text = tables[family][field][row].as_py() or ""
            if len(text) < 4 or "placeholder" in kind:
                field, text = fields[0], tables[family][fields[0]][row].as_py()
            hurt = broken(text, kind)
            if hurt == text or (kind.startswith("placeholder") and family in ("queries", "reviews")):
                kind = "markup"
                hurt = broken(text, kind)
            values[field][row] = hurt
            truth.add(family, ids[row], kind)
        for field, changes in values.items():
            done[family] = changed(done[family], field, changes)
    return done, truth.table()


def broken(text: str, kind: str) -> str:
    """`text` with one kind of damage; itself where it cannot have it."""
    half = len(text) // 2
    if kind == "half_latin1":
        return text[:half] + text[half:].encode().decode("latin-1")
    made: dict[str, Callable[[], str]] = {
        "latin1": lambda: text.encode().decode("latin-1"),
        "gbk": lambda: text.encode().decode("gbk", "replace"),
        "markup": lambda: f"<p><b>{text}</b><br/></p>",
        "entity": lambda: html.escape(f"{text} & more").replace(" ", "&nbsp;", 1),
        "entity_twice": lambda: html.escape(html.escape(html.escape(f"<b>{text}</b> & more"))),
        "invisible": lambda: text[:half] + "\u200b" + text[half:] + "\u200b",
        "bidi": lambda: "\u202e" + text[::-1] + "\u202c",
        "lost": lambda: "".join("\ufffd" if place % 3 == 0 else letter for place, letter in enumerate(text)),
        "truncated": lambda: text[: max(1, len(text) * 2 // 3)],
        "placeholder": lambda: ("N/A", "暂无", "lorem ipsum dolor sit amet", "test 1")[len(text) % 4],
        "placeholder_variant": lambda: ("n.a.", "（无标题）", "new product 12", "待定")[len(text) % 4],
    }
    return made[kind]()
