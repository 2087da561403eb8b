"""One fold of a judged catalogue and a way to learn in; how well queries that took no part are answered, as JSON, out.

    python benchmarks/learn_fold.py esci150 labels 0 --shop FOLDER
    python benchmarks/learn_fold.py esci150 catalogue all --shop FOLDER

A process of its own, so that time and memory are those of one training. `FOLDER` becomes a shop with the whole
catalogue and all judgments, checked and indexed once; those of the fold's queries are taken out of what is learned
from (and chosen by) here; `all` takes out every query and reports on each, for arms that learn from none. Arms:

    zero       the encoder as it comes
    catalogue  `mercer learn --no-labels`
    labels     `mercer learn`
    reranker   `mercer learn` and, over its index, `mercer learn --reranker`; both are answered
    plain      sentence-transformers on the same pairs as `labels` and for as many texts, as its documentation shows
    given      an encoder named by --model, a folder or a known name, nothing learned

Queries are asked of the open shop, as a shopper's are.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.cli.settings import read_settings
from mercer.config import section
from mercer.doors import Settings, open_doors
from mercer.doors.build import build
from mercer.encode import load
from mercer.encode.model import read as read_model
from mercer.encode.source import default_cache, resolve
from mercer.errors import RequestError
from mercer.learn.encoder import learn_encoder
from mercer.learn.gather import Gathered, gather
from mercer.learn.pairs import joined
from mercer.learn.settings import LearnSettings
from mercer.measure.metric import parse
from mercer.records import Request
from mercer.shop import Shop

sys.path.insert(0, str(Path(__file__).parent))
from base import SHARED

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.doors import Doors

GAINS = {"esci150": "3=1,2=.1,1=.01,0=0", "taobao250": ""}
FILES = {"esci150": "products.jsonl.gz", "taobao250": "products.jsonl"}
FOLDS, SHUFFLED, DEPTH, ALL = 5, 20261123, 100, "all"
"""Folds, the seed that deals queries out to them, and how many products are looked at for a query."""
VALID = 0.1
"""Share of the queries learned from that the best state and the reranker's weight are chosen by."""


def shop_of(name: str, folder: Path) -> Shop:
    """A shop with the set's files, checked and indexed by the commands, once."""
    from typer.testing import CliRunner

    from mercer.cli import app

    if not (folder / "store" / "live.json").exists():
        data = SHARED / "search" / name
        files = {"products": FILES[name], "queries": "queries.tsv", "judgments": "qrels.tsv"}
        named = [part for family, file in files.items() for part in (f"--{family}", str(data / file))]
        for command in (["init", str(folder), *named, "--yes"], ["check", str(folder)], ["index", str(folder)]):
            done = CliRunner().invoke(app, command)
            if done.exit_code:
                raise SystemExit(f"mercer {' '.join(command)}: {done.exception or done.output}")
    return Shop(folder)


def fold_of(queries: list[str], fold: str) -> list[str]:
    """The queries that are reported on."""
    if fold == ALL:
        return queries
    order = np.random.default_rng(SHUFFLED).permutation(len(queries))
    return [sorted(queries)[at] for at in order[int(fold) :: FOLDS]]


def without(gathered: Gathered, tested: list[str], *, labels: bool, seed: int) -> Gathered:
    """The pairs with every spelling of the tested queries taken out, the rest split into what is learned from and
    chosen by."""
    import pyarrow as pa
    import pyarrow.compute as pc

    every = joined(*gathered.labelled.values())
    out = set(every.filter(pc.is_in(every["query"], pa.array(tested)))["group"].to_pylist())
    kept = every.filter(pc.invert(pc.is_in(every["group"], pa.array(sorted(out), pa.string()))))
    groups = sorted(set(kept["group"].to_pylist()))
    rng = np.random.default_rng(seed)
    chosen = pa.array(rng.permutation(groups)[: round(VALID * len(groups))].tolist(), pa.string())
    mine = pc.is_in(kept["group"], chosen)
    parts = {"train": kept.filter(pc.invert(mine)), "valid": kept.filter(mine), "test": every.slice(0, 0)}
    if not labels:
        parts = {part: table.slice(0, 0) for part, table in parts.items()}
    return dataclasses.replace(gathered, labelled=parts)


def asked(doors: Doors, truth: Mapping[str, Mapping[str, float]], system: str) -> dict[str, float]:
    """nDCG@10 of each query."""
    runs = {}
    for query in truth:
        try:
            page = doors.search(Request(query=query, k=DEPTH), system=system)  # type: ignore[arg-type]  # by name
            runs[query] = [hit.id for hit in page.hits]
        except RequestError:
            runs[query] = []
    return dict(parse("nDCG@10")(runs, truth))


@contextlib.contextmanager
def opened(shop: Shop, settings: Settings, version: str) -> Iterator[Doors]:
    patient = dataclasses.replace(settings, rank=dataclasses.replace(settings.rank, rerank_budget=600_000.0))
    with contextlib.closing(open_doors(shop.folder, patient, version=version, writable=False)) as doors:
        yield doors


def memory() -> int:
    """Highest resident memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=GAINS)
    parser.add_argument("arm", choices=tuple(ARMS))
    parser.add_argument("fold", choices=(*map(str, range(FOLDS)), ALL))
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--learn", default="{}", help="[learn] as JSON")
    parser.add_argument("--model", default="", help="of the arm `given`")
    given = parser.parse_args()
    shop = shop_of(given.set, given.shop)
    settings = read_settings(given.shop)
    if given.model:
        settings = dataclasses.replace(settings, encode=dataclasses.replace(settings.encode, source=given.model))
    told = json.loads(given.learn)
    learning = section({"gains": GAINS[given.set], **told}, LearnSettings, name="learn")
    whole = gather(shop, _checked(shop), learning)
    truth = gains_by_query(joined(*whole.labelled.values()))
    if given.fold == ALL and given.arm not in UNLABELLED:
        parser.error(f"{given.arm} learns from judgments: name one of its {FOLDS} folds")
    tested = fold_of(list(truth), given.fold)
    asking = {query: truth[query] for query in tested}
    gathered = without(whole, tested, labels=given.arm not in UNLABELLED, seed=learning.seed)
    index, said = ARMS[given.arm](shop, settings, gathered, learning)
    found = answers(shop, settings, said.pop("first", index), asking, ("dense", "hybrid"))
    if given.arm == "reranker":
        found["reranked"] = answers(shop, settings, index, asking, ("hybrid",))["hybrid"]
    folds = {query: fold for fold in range(FOLDS) for query in fold_of(list(truth), str(fold)) if query in asking}
    told = {"set": given.set, "arm": given.arm, "fold": given.fold, "index": index, **said}
    print(json.dumps({**told, "folds": folds, "nDCG@10": found}))


def answers(
    shop: Shop, settings: Settings, index: str, truth: Mapping[str, Mapping[str, float]], systems: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """System → query → nDCG@10, of one index."""
    with opened(shop, settings, index) as doors:
        return {system: asked(doors, truth, system) for system in systems}


def gains_by_query(pairs: pa.Table) -> dict[str, dict[str, float]]:
    from mercer.learn.pairs import gains_of

    return {query: dict(gains) for query, gains in gains_of(pairs).items()}


def _checked(shop: Shop) -> str:
    live = shop.live("checked")
    assert live is not None, "the shop was checked"
    return live.version


def _live(shop: Shop) -> str:
    live = shop.live("index")
    assert live is not None, "the shop was indexed"
    return live.version


def zero(shop: Shop, *_: object) -> tuple[str, dict[str, Any]]:
    return _live(shop), {}


def named(shop: Shop, settings: Settings, gathered: Gathered, _: LearnSettings) -> tuple[str, dict[str, Any]]:
    return build(shop, settings, checked=gathered.checked, model="", reranker="").version, {}


def tuned(shop: Shop, settings: Settings, gathered: Gathered, learning: LearnSettings) -> tuple[str, dict[str, Any]]:
    """`mercer learn`, with or without labels."""
    encoder = load(texts=(product.title for product in gathered.products.values()), settings=settings.encode)
    base = resolve(encoder.name.partition("-")[0], cache=default_cache(), timeout=1)
    learned = learn_encoder(shop, gathered, base, encoder, learning)
    said = shop.card("models", learned.version)["training"]
    most = memory()
    index = build(shop, settings, checked=gathered.checked, model=learned.version, reranker="").version
    told = {name: said[name] for name in ("steps", "seconds", "trained", "start", "best")}
    return index, {**told, "memory": most, "model": learned.version}


def reranker(shop: Shop, settings: Settings, gathered: Gathered, learning: LearnSettings) -> tuple[str, dict[str, Any]]:
    """`mercer learn --reranker` over the tuned encoder of the same fold."""
    from mercer.doors.weigh import keep_weight, weigh
    from mercer.learn.reranker import RerankerSettings
    from mercer.learn.reread import learn_reranker
    from mercer.rank.reranker import open_reranker

    first, said = tuned(shop, settings, gathered, learning)
    with opened(shop, settings, first) as doors:
        base = read_model(shop.path("models", said["model"]))
        own = RerankerSettings()
        learned = learn_reranker(
            shop, gathered, base, index=doors.index, encoder=doors.encoder, settings=learning, own=own
        )
        most = memory()
        read = open_reranker(learned.folder, settings=settings.encode)
        weight = weigh(doors, read, gains_by_query(gathered.parts["valid"]))
    keep_weight(shop, learned.version, weight)
    built = build(shop, settings, checked=gathered.checked, model=said["model"], reranker=learned.version)
    training = shop.card("models", learned.version)["training"]
    told = {name: training[name] for name in ("steps", "seconds", "trained", "start", "best")} | {"first": first}
    chosen = {"weight": weight.rerank_weight, "alone": weight.alone, "refused": bool(weight.refusal)}
    return built.version, {**told, **chosen, "memory": most, "model": learned.version}


def plain(shop: Shop, settings: Settings, gathered: Gathered, learning: LearnSettings) -> tuple[str, dict[str, Any]]:
    """A sentence-transformers fine-tune of the same pairs: every right answer with a wrong one, in-batch negatives."""
    from plain_sentence_transformers import fine_tune

    encoder = load(texts=(product.title for product in gathered.products.values()), settings=settings.encode)
    base = resolve(encoder.name.partition("-")[0], cache=default_cache(), timeout=1)
    folder = shop.folder / "plain" / gathered.hash
    began = time.monotonic()
    steps = fine_tune(shop, gathered, base, encoder, learning, folder)
    seconds, most = time.monotonic() - began, memory()
    plainly = dataclasses.replace(settings, encode=dataclasses.replace(settings.encode, source=str(folder)))
    index = build(shop, plainly, checked=gathered.checked, model="", reranker="").version
    return index, {"steps": steps, "seconds": seconds, "memory": most}


UNLABELLED = ("zero", "catalogue", "given")
ARMS = {"zero": zero, "catalogue": tuned, "labels": tuned, "reranker": reranker, "plain": plain, "given": named}


if __name__ == "__main__":
    main()
