"""A judged catalogue and its model in; size, speed and nDCG@10 of each step of export for serving, as a table, out.

    OMP_NUM_THREADS=1 nice python benchmarks/compress.py esci150 taobao250 [--write]

minilm on `esci150`, e5 on `taobao250`; every product is encoded by every model, all given queries are asked, by
cosine alone. int8 is calibrated on texts of the shop, and the table of queries is distilled from titles and queries
invented from them; which way of int8 is taken is decided by the queries that are reported, as `mercer compress` does.
Times are processor time of one thread; queries go in one at a time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mercer.encode import EncodeSettings
from mercer.encode.cache import VectorCache
from mercer.encode.compress import CompressSettings, Corpus, State, Step, compress
from mercer.encode.encoder import Encoder
from mercer.encode.model import Model, read
from mercer.encode.source import default_cache, resolve
from mercer.measure.metric import parse
from mercer.quality.read import read as read_table
from mercer.records import Product
from mercer.retrieve.text import passage

sys.path.insert(0, str(Path(__file__).parent))
from base import ESCI, SHARED, TREC
from results import put

SETS = {"esci150": ("minilm", "products.jsonl.gz"), "taobao250": ("e5", "products.jsonl")}
GAINS = {3.0: 1.0, 2.0: 0.1, 1.0: 0.01, 0.0: 0.0}
CHAIN = CompressSettings(
    trim=True, int8=True, static=True, limit=0.005, static_limit=1.0, shelf=100_000, invented=20_000
)
"""Limits are the ones of issue 4; the table's is left open to show what it loses."""
HALF = CompressSettings(trim=True, int8=True, limit=1.0, shelf=100_000)
"""Half of the layers, healed, then the same."""


def corpus(name: str) -> Corpus:
    """Products, queries and the metric of one set."""
    folder = SHARED / "search" / name
    mapping = {"mapping": ESCI} if name == "esci150" else {}
    rows = read_table("products", folder / SETS[name][1], **mapping).table.to_pylist()
    texts = (line.split("\t") for line in (folder / "queries.tsv").read_text("utf-8").splitlines())
    truth: dict[str, dict[str, float]] = {}
    for row in read_table("judgments", folder / "qrels.tsv", mapping=TREC).table.to_pylist():
        truth.setdefault(row["query_id"], {})[row["product"]] = row["grade"]
    queries = {id: text for id, text in texts if id in truth}
    metric = parse("nDCG@10", gains=GAINS if name == "esci150" else None)

    def measured(runs: Mapping[str, Sequence[str]]) -> Mapping[str, float]:
        return metric({id: list(run) for id, run in runs.items()}, truth)

    products = {row["id"]: passage(Product.from_row(row)) for row in rows}
    titles = [row["title"] for row in rows if row["title"]]
    return Corpus(queries, products, titles, measured, frozenset(products))


def healed(found: Corpus, model: Model, teacher: Encoder, folder: Path) -> Model:
    from mercer.encode.compress.invent import invent
    from mercer.learn.heal import heal

    texts: list[Any] = [(text, "passage") for text in list(found.products.values())[::2]]
    texts += [(text, "query") for text in [*found.titles[::2], *invent(found.titles, most=6000, seed=7)]]
    said = heal(model, teacher, texts, folder, epochs=2)
    print("healed", said, file=sys.stderr)
    return read(folder, label=model.label)


def row(name: str, state: State, first: State, note: str = "") -> str:
    judged, start = state.quality.judged or 0.0, first.quality.judged or 1.0
    return (
        f"| {name} | {state.bytes / 1e6:,.0f} | {state.queries:,.0f} | {state.queries / first.queries:.1f} | "
        f"{state.texts:,.0f} | {judged:.4f} | {judged / start:.1%} | {state.quality.overlap:.3f} | {note} |"
    )


def note(step: Step) -> str:
    facts = step.facts
    if step.name == "trim":
        return f"{facts['pieces_before']:,} → {facts['pieces']:,} pieces"
    if step.name == "int8":
        return [name for name, one in facts["tried"].items() if one["loss"] is not None][-1]
    if step.name == "layers":
        return f"layers {facts['layers']}; {facts['before_healing']:.1%} before healing"
    if step.name == "static":
        return f"from {facts['distilled_from']:,} texts"
    return str(facts.get("way", ""))


def table(name: str, chain: CompressSettings, cache: Path | None) -> tuple[list[str], list[Step]]:
    label = SETS[name][0]
    found = corpus(name)
    model = resolve(label, cache=default_cache(), timeout=5)
    began = time.process_time()
    with TemporaryDirectory() as scratch:
        folder, work = Path(scratch) / "made", Path(scratch) / "work"
        folder.mkdir(), work.mkdir()
        steps = compress(
            model,
            found,
            chain,
            folder,
            work=work,
            encode=EncodeSettings(threads=1),
            cache=VectorCache(cache) if cache else None,
            heal=lambda dropped, teacher, into: healed(found, dropped, teacher, into),
            tick=lambda said: print(name, said, f"{time.process_time() - began:.0f} s", file=sys.stderr, flush=True),
        )
    first = steps[0].before
    lines = [row(f"{label}, torch float32", first, first)]
    lines += [row(f"+ {step.name}", step.after, first, note(step)) for step in steps]
    seconds = time.process_time() - began
    lines.append(
        f"\n{label} on {name}: {len(found.products):,} products, {len(found.queries)} queries, {seconds:.0f} s.\n"
    )
    return lines, steps


HEAD = [
    "| model | MB | queries/s | to torch | products/s | nDCG@10 | of full | top 10 shared | how |",
    "|---|---|---|---|---|---|---|---|---|",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=list(SETS))
    parser.add_argument("--layers", type=int, default=0, help="Keep so many layers, healed, before int8.")
    parser.add_argument("--no-static", action="store_true")
    parser.add_argument("--cache", type=Path, help="Folder of vectors that the full model made before.")
    parser.add_argument("--json", type=Path, help="Write every figure here.")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    options = parser.parse_args()
    said = [f"`benchmarks/compress.py`, {datetime.now(UTC):%Y-%m-%d}, one thread of a shared x86-64 core, seed 7.\n"]
    every: dict[str, Any] = {}
    for name in options.sets:
        chain = replace(HALF, layers=options.layers) if options.layers else CHAIN
        lines, steps = table(name, replace(chain, static=chain.static and not options.no_static), options.cache)
        said += [*HEAD, *lines]
        every[name] = [step.json() for step in steps]
        print("\n".join([*HEAD, *lines]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(every, indent=1), "utf-8")
    if options.write:
        put("compress", "Export for serving", said)


if __name__ == "__main__":
    main()
