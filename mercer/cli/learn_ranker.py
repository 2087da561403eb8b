"""A call of `mercer learn --ranker` in; trees on top of the hybrid score, their index and their proof, out."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mercer.cli.terminal import answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.doors import Doors, Settings
    from mercer.doors.prove import Proof
    from mercer.learn.gather import Gathered
    from mercer.learn.ranker import Fitted, RankerSettings, RankList
    from mercer.learn.settings import LearnSettings
    from mercer.search.features import Features
    from mercer.shop import Shop

__all__ = ["Source", "learn_ranker", "lists_of"]

Source = Literal["auto", "judgments", "clicks", "both"]
Truth = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the command."""

    shop: Shop
    settings: Settings
    learning: LearnSettings
    own: RankerSettings
    checked: str
    override: str


def learn_ranker(
    folder: Path, source: Source, *, changes: Mapping[str, Any], promote: bool, override: str, json: bool
) -> None:
    """Grow trees on training queries, build an index with them, prove it on test queries, go live if it is no worse."""
    from mercer.cli.index import build_with_progress
    from mercer.doors.prove import keep_proof, prove
    from mercer.learn.gather import gather
    from mercer.learn.pairs import gains_of
    from mercer.learn.ranker import fit
    from mercer.learn.ranker_card import keep_ranker
    from mercer.rank.trees import lightgbm

    lightgbm()
    call, started = _start(folder, changes, override), time.monotonic()
    shop, learning = call.shop, call.learning
    with _waiting("making pairs"):
        gathered = gather(shop, call.checked, learning, override=override)
    before = _index_before(call)
    rank = dataclasses.replace(call.settings.rank, rerank=0)
    plain = dataclasses.replace(call.settings, rank=dataclasses.replace(rank, ranker="off"))
    with _opened(call, before, plain) as doors:
        lists, told = _lists(call, gathered, doors, source)
    with progress() as bars:
        task = bars.add_task("grow trees", total=call.own.folds + 1)
        fitted = fit(lists, call.own, seed=learning.seed, tick=lambda done, _: bars.update(task, completed=done))
    told = {**told, "checked": gathered.checked, "index": before, "notes": list(gathered.notes)}
    version, model = keep_ranker(shop, fitted, lists, call.own, seed=learning.seed, told=told)
    built = build_with_progress(shop, call.settings, checked=call.checked, ranker=version, override=override)
    truth = gains_of(gathered.parts["test"])
    live = dataclasses.replace(call.settings, rank=dataclasses.replace(call.settings.rank, rerank_budget=600_000.0))
    with _opened(call, before, live) as old, _opened(call, built.version, live) as new, progress() as bars:
        task = bars.add_task("prove", total=2 * len(truth))
        proof = prove(
            old,
            new,
            truth,
            systems=("hybrid",),
            labelled=gathered.has_labels,
            worse=learning.worse,
            seed=learning.seed,
            tick=lambda more: bars.advance(task, more),
        )
    proof = dataclasses.replace(proof, refused=_refusal(fitted))
    keep_proof(shop, version, proof)
    _page(shop, version, model, proof)
    promoted = promote and (proof.better or bool(override))
    if promoted:
        shop.publish("index", built.version, override=override)
    seconds = round(time.monotonic() - started, 1)
    if json:
        said = {"model": version, "index": built.version, "proof": proof.to_json(), "seconds": seconds, **told}
        gain = dict(fitted.importance)
        print_json(said | {"training": shop.card("models", version)["training"], "gain": gain, "live": promoted})
    else:
        _say(fitted, proof, version, built.version, promoted=promoted, shop=shop)


def lists_of(
    doors: Doors, features: Features, truth: Truth, own: RankerSettings, groups: Mapping[str, str]
) -> list[Any]:
    """One list a query: what the hybrid answers, with what serving would be told of it, and the gains.

    Args:
        doors: opened without a ranker.
        features: over the same index.
        truth: query text → product → gain.
        own: says how deep, and whether what nobody judged is wrong.
        groups: query → what keeps its spellings together.
    """
    import numpy as np

    from mercer.errors import RequestError
    from mercer.learn.ranker import RankList
    from mercer.records import Request

    found = []
    for query, gains in truth.items():
        request = Request(query=query)
        try:
            known, answer = doors.searching.candidates(request)
        except RequestError:
            continue  # a query that cannot be asked finds nothing
        deep = own.depth or len(answer.ids)
        keep = [at for at, id in enumerate(answer.ids) if id in gains or (own.wrong and at < deep)]
        if len(keep) < 2:
            continue
        matrix = features(known, request, answer)[keep]
        matrix[:, _moment_columns()] = np.nan  # nobody knows when a judged query was asked
        mine = np.array([gains.get(answer.ids[at], 0.0) for at in keep])
        found.append(RankList(groups[query], matrix, answer.scored.scores[keep], mine, own.judged))
    return found


def _moment_columns() -> list[int]:
    from mercer.rank.feature import NAMES

    return [NAMES.index(name) for name in ("hour", "weekday")]


def _start(folder: Path, changes: Mapping[str, Any], override: str) -> _Call:
    """Read the settings and ask the data gate.

    Raises:
        SettingsError: a setting that cannot be. GateBlocked: the gate is closed and `override` is "".
    """
    from mercer.cli.index import blocked
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.doors.build import gate_refusal, latest
    from mercer.errors import GateBlocked
    from mercer.learn.ranker import RankerSettings
    from mercer.learn.settings import LearnSettings
    from mercer.shop import Shop

    shop, settings = Shop(folder), read_settings(folder)
    found = dict(tables(folder).get("learn", {}))
    apart = [found.pop(name, {}) for name in ("reranker", "ranker")][1]
    learning = dataclasses.replace(section(found, LearnSettings, name="learn"), **changes)
    own = section(apart, RankerSettings, name="learn.ranker")
    checked = blocked(shop) or latest(shop)
    refusal = gate_refusal(shop, checked)
    if refusal and not override:
        raise GateBlocked(f"the data gate is closed ({refusal})", cure='mend the data, or give --override "why"')
    return _Call(shop, settings, learning, own, checked, override)


def _index_before(call: _Call) -> str:
    """The index version that the new one must not be worse than: the live one, if it stands on the same data."""
    from mercer.cli.index import build_with_progress

    live = call.shop.live("index")
    if live is not None and call.shop.card("index", live.version)["checked"] == call.checked:
        return live.version
    return build_with_progress(call.shop, call.settings, checked=call.checked, override=call.override).version


@contextlib.contextmanager
def _opened(call: _Call, version: str, settings: Settings) -> Iterator[Doors]:
    from mercer.doors import open_doors

    with contextlib.closing(open_doors(call.shop.folder, settings, version=version, writable=False)) as doors:
        yield doors


def _lists(call: _Call, gathered: Gathered, doors: Doors, source: Source) -> tuple[list[RankList], dict[str, Any]]:
    """What trees are grown from, and how much there is of it from where; test queries take no part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from mercer.doors.ranked import studied
    from mercer.learn.pairs import gains_of
    from mercer.retrieve.behaviour import Behaviour

    card = call.shop.card("index", doors.version)
    lists: list[RankList] = []
    told: dict[str, Any] = {"source": source}
    pairs = pa.concat_tables([gathered.labelled["train"], gathered.labelled["valid"]])
    judged = pairs.filter(pc.equal(pairs["source"], "judgments"))
    if source in ("auto", "judgments", "both"):
        groups = dict(zip(judged["query"].to_pylist(), judged["group"].to_pylist(), strict=True))
        with _waiting("features of judged queries"):
            behaviour = Behaviour.load(call.shop.path("index", doors.version) / "behaviour")
            features = studied(call.shop, card, doors.index, behaviour)
            lists += lists_of(doors, features, gains_of(judged), call.own, groups)
        told["pairs"] = {"train": {"judged queries": len(lists)}}
    return lists, told


def _refusal(fitted: Fitted) -> str:
    """ "" where trees gained something on queries that they were not grown on."""
    if fitted.rounds:
        return ""
    return f"no number of trees ranks unseen training queries better than the hybrid score, nDCG@10 {fitted.start:.4f}"


def _page(shop: Shop, version: str, folder: Path, proof: Proof) -> None:
    from mercer.learn.page import page
    from mercer.shop import disk_errors

    with disk_errors(folder):
        (folder / "report.html").write_text(page(version, shop.card("models", version), proof.to_json()), "utf-8")


def _say(fitted: Fitted, proof: Proof, model: str, index: str, *, promoted: bool, shop: Shop) -> None:
    from rich.markup import escape

    from mercer.cli.learn_answer import table

    answers.print(table(proof))
    console.print(
        f"{fitted.rounds} trees on {fitted.lists:,} lists: nDCG@10 {fitted.start:.4f} without, {fitted.best:.4f} with "
        "them, on training queries left out in turn",
        highlight=False,
    )
    most = ", ".join(f"{name} {share:.0%}" for name, share in list(fitted.importance.items())[:8])
    console.print(f"[dim]gained by: {most}[/]", highlight=False)
    console.print(f"model [bold]{model}[/], index {index}; plots: {shop.path('models', model) / 'report.html'}")
    if promoted:
        console.print("it is live; mercer rollback brings the one before back")
    elif proof.refused:
        console.print(f"[yellow]it is not live: {escape(proof.refused)}[/]", highlight=False)
    elif proof.passes:
        console.print(f"it is not live; mercer promote {shop.folder} {index} makes it so")
    else:
        console.print("[yellow]it is not live: held-out queries say it is worse[/]")


def _waiting(what: str) -> Any:
    return console.status(what) if console.is_terminal else contextlib.nullcontext()
