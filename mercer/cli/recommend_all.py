"""`mercer recommend SHOP --all --out FILE`: everybody the shop knows in; one page each, in a file, out."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mercer.cli.terminal import console, print_json, progress
from mercer.errors import RequestError
from mercer.shop import disk_errors

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.records import Request

__all__ = ["recommend_all"]

KINDS = (".jsonl", ".parquet")
GROUP = 5000
"""Shoppers in one row group of Parquet."""
BATCH = 200
"""Shoppers between two commits to the disk: what a kill may cost."""


def recommend_all(doors: Doors, request: Request, out: Path, *, as_json: bool) -> None:
    """Ask the door for every shopper and write the pages; a run that was cut off goes on where it was.

    Until the last page is there they lie in ``OUT.part``, one JSON object a line after one that says what was asked.

    Args:
        doors: the open shop.
        request: what to ask, of nobody.
        out: ``.jsonl`` (a line a shopper) or ``.parquet`` (a row a product).
        as_json: print what was done as JSON.

    Raises:
        RequestError: another ending of the file's name, or a scene that is about an item or a basket.
        DiskFull: there is no room; what is written stays, to go on from.
    """
    if out.suffix not in KINDS:
        raise RequestError(f"{out.name} is no .jsonl and no .parquet", cure="name the file with one of these endings")
    if request.scene not in ("home", "next", "trending") or request.item:
        raise RequestError(f"scene {request.scene} is not for everybody", cure="give home, next or trending, no item")
    part = out.with_name(out.name + ".part")
    told = {"index": doors.version, "scene": request.scene, "k": request.k, "context": dict(request.context)}
    told |= {"filters": repr(request.filters), "exclude": list(request.exclude)}
    shoppers = doors.shoppers()
    with disk_errors(out):
        done = _resumed(part, told)
        with open(part, "a", encoding="utf-8") as file, progress() as bars:
            if not part.stat().st_size:
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
            task = bars.add_task("shoppers", total=len(shoppers), completed=len(done))
            for number, id in enumerate([id for id in shoppers if id not in done], start=1):
                file.write(json.dumps(_page(doors, request, id), ensure_ascii=False) + "\n")
                bars.advance(task)
                if number % BATCH == 0:
                    _commit(file)
            _commit(file)
        rows = _finished(part, out)
    facts = {"file": str(out), "shoppers": rows, "resumed": len(done), **told}
    if as_json:
        print_json(facts)
    else:
        console.print(f"{rows:,} shoppers, {len(done):,} of them from a run before, in {out}")


def _page(doors: Doors, request: Request, id: str) -> Mapping[str, Any]:
    import dataclasses

    page = doors.recommend(dataclasses.replace(request, shopper=doors.shopper(id)))
    hits = [{"product": hit.id, "score": round(hit.score, 6), "reason": hit.reason} for hit in page.hits]
    return {"shopper": id, "query_id": page.query_id, "hits": hits}


def _resumed(part: Path, told: Mapping[str, Any]) -> set[str]:
    """Shoppers that are done, by an earlier run that was asked the same; a half line at the end is cut off."""
    if not part.exists():
        return set()
    content = part.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    lines = whole.decode("utf-8", "replace").splitlines()
    if not lines or lines[0] != json.dumps(told, ensure_ascii=False):
        part.unlink()
        return set()
    with open(part, "r+b") as file:
        file.truncate(len(whole))
    return {json.loads(line)["shopper"] for line in lines[1:]}


def _commit(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _finished(part: Path, out: Path) -> int:
    """Give the whole file its name; how many shoppers are in it."""
    written = part.with_name(part.name + ".whole")
    with contextlib.ExitStack() as stack:
        stack.callback(written.unlink, missing_ok=True)
        if out.suffix == ".parquet":
            rows = _parquet(part, written)
        else:
            with open(written, "w", encoding="utf-8") as file:
                rows = sum(bool(file.write(json.dumps(line, ensure_ascii=False) + "\n")) for line in _lines(part))
                _commit(file)
        os.replace(written, out)
    part.unlink()
    return rows


def _parquet(part: Path, written: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.string()
    schema = pa.schema([("shopper", text), ("query_id", text), ("position", pa.int64()), ("product", text),
                        ("score", pa.float64()), ("reason", text)])  # fmt: skip
    shoppers = 0
    with parquet.ParquetWriter(written, schema, compression="zstd") as file:
        lines = _lines(part)
        while some := list(islice(lines, GROUP)):
            shoppers += len(some)
            rows = [
                {"shopper": line["shopper"], "query_id": line["query_id"], "position": place, **hit}
                for line in some
                for place, hit in enumerate(line["hits"], start=1)
            ]
            file.write_table(pa.Table.from_pylist(rows, schema=schema))
    return shoppers


def _lines(part: Path) -> Iterator[dict[str, Any]]:
    with open(part, encoding="utf-8") as file:
        next(file)
        yield from map(json.loads, file)
