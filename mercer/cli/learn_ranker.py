"""A call of `mercer learn --ranker` in; trees on top of the hybrid score, their index and their proof, out."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mercer.cli.learn_ranker_replay import Replayed, clicked_truth
from mercer.cli.learn_run import APART, PATIENT
from mercer.cli.terminal import answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.doors import Doors, Settings
    from mercer.doors.prove import Proof
    from mercer.learn.gather import Gathered
    from mercer.learn.ranker import Fitted, RankList
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.learn.settings import LearnSettings
    from mercer.retrieve.behaviour import Behaviour
    from mercer.shop import Shop

__all__ = ["Source", "learn_ranker"]

Source = Literal["auto", "judgments", "clicks", "both", "log"]


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
    folder: Path, source: Source, *, changes: Mapping[str, Any], promote: bool, override: str, json: bool,
    search: int = 0,
) -> None:  # fmt: skip
    """Grow trees on training queries, build an index with them, prove it on test queries, go live if it is no worse."""
    from mercer.cli.index import build_with_progress
    from mercer.cli.learn_search import searched_ranker
    from mercer.doors.prove import keep_proof
    from mercer.learn.gather import gather
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
    with contextlib.ExitStack() as open_while, progress() as bars:
        doors = open_while.enter_context(_opened(call, before, plain))
        lists, told, replayed = _lists(call, gathered, doors, source)
        if search:
            call = dataclasses.replace(call, own=searched_ranker(shop, lists, call.own, search, seed=learning.seed))
        task = bars.add_task("grow trees", total=call.own.folds + 1)
        fitted = fit(lists, call.own, seed=learning.seed, tick=lambda done, _: bars.update(task, completed=done))
        proof = replayed.prove(fitted.trees, learning) if replayed else None
    told = {**told, "checked": gathered.checked, "first_stage": before, "notes": list(gathered.notes)}
    version, model = keep_ranker(shop, fitted, lists, call.own, seed=learning.seed, told=told)
    built = build_with_progress(shop, call.settings, checked=call.checked, ranker=version, override=override)
    proof = proof or _proved(call, gathered, before, built.version)
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


def _proved(call: _Call, gathered: Gathered, before: str, after: str) -> Proof:
    """Judged test queries, asked of both versions as they serve."""
    import pyarrow.compute as pc

    from mercer.doors.prove import prove
    from mercer.learn.pairs import gains_of

    test = gathered.parts["test"]
    judged = test.filter(pc.equal(test["source"], "judgments"))
    truth = gains_of(judged if len(judged) else test)
    rank = dataclasses.replace(call.settings.rank, rerank_budget=PATIENT)
    live = dataclasses.replace(call.settings, rank=rank)
    with _opened(call, before, live) as old, _opened(call, after, live) as new, progress() as bars:
        task = bars.add_task("prove", total=2 * len(truth))
        return prove(
            old,
            new,
            truth,
            systems=("hybrid",),
            labelled=gathered.has_labels,
            worse=call.learning.worse,
            seed=call.learning.seed,
            tick=lambda more: bars.advance(task, more),
        )


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
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.learn.settings import LearnSettings
    from mercer.shop import Shop

    shop, settings = Shop(folder), read_settings(folder)
    found = dict(tables(folder).get("learn", {}))
    apart = [found.pop(name, {}) for name in ("reranker", "ranker", *APART)][1]
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


def _lists(
    call: _Call, gathered: Gathered, doors: Doors, source: Source
) -> tuple[list[RankList], dict[str, Any], Replayed | None]:
    """What trees are grown from, how much there is of it from where, and what stands in for a judged test, if need be.

    Test queries take no part. Where people judged test queries, those prove; else later clicks on test queries do,
    over rates of earlier ones, as no click may be explained by itself.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from mercer.cli.learn_ranker_lists import clicked_lists, judged_lists
    from mercer.cli.learn_ranker_logged import from_log
    from mercer.doors.ranked import studied
    from mercer.learn.clicked import Pages, middle
    from mercer.learn.pairs import gains_of, group_of
    from mercer.retrieve.behaviour import Behaviour

    shop, own, folder = call.shop, call.own, call.shop.path("checked", call.checked)
    card, lists = shop.card("index", doors.version), []
    pairs = pa.concat_tables([gathered.labelled["train"], gathered.labelled["valid"]])
    judged = pairs.filter(pc.equal(pairs["source"], "judgments"))
    chosen = source if source != "auto" else ("judgments" if len(judged) else "clicks")
    told: dict[str, int] = {}
    if chosen in ("judgments", "both"):
        groups = dict(zip(judged["query"].to_pylist(), judged["group"].to_pylist(), strict=True))
        with _waiting("features of judged queries"):
            behaviour = Behaviour.load(shop.path("index", doors.version) / "behaviour")
            features = studied(shop, card, doors.index, behaviour)
            lists += judged_lists(doors, features, gains_of(judged), own, groups)
        told["judged queries"] = len(lists)
    replayed = None
    tested = set(gathered.parts["test"]["group"].to_pylist())
    proven = "judgments" in gathered.parts["test"]["source"].to_pylist()
    if chosen == "log":
        with _waiting("features as they were logged"):
            index = Behaviour.load(shop.path("index", doors.version) / "behaviour")
            lists, replayed = from_log(
                doors, own, propensity=_propensity(folder), tested=tested, seed=call.learning.seed,
                features=lambda: studied(shop, card, doors.index, index),
            )  # fmt: skip
        told["logged clicks"] = len(lists)
        return lists, {"source": chosen, "pairs": {"train": told}}, None if proven else replayed
    if chosen in ("clicks", "both"):
        with _waiting("features of clicks"):
            pages = Pages(folder / "events.parquet", folder / "queries.parquet")()
            moment = middle(pages, own.earlier)
            features = studied(shop, card, doors.index, _behaviour_until(folder, moment), until=moment)
            later = [page for page in pages if page.time >= moment]
            groups = {query: group_of(query) for query in {page.query for page in later}}
            curve = _propensity(folder)
            taught = [page for page in later if groups[page.query] not in tested]
            clicked = clicked_lists(
                doors, features, taught, own, propensity=curve, groups=groups, seed=call.learning.seed
            )
            lists += clicked
        told["clicks"] = len(clicked)
        if not proven:
            asked = [page for page in later if groups[page.query] in tested]
            replayed = Replayed(doors, features, clicked_truth(asked, curve, own.actions))
    return lists, {"source": chosen, "pairs": {"train": told}}, replayed


def _behaviour_until(folder: Path, moment: int) -> Behaviour:
    import pyarrow.parquet as pq

    from mercer.retrieve.behaviour import Behaviour

    path = folder / "events.parquet"
    return Behaviour.fit(pq.read_table(path, filters=[("time", "<", moment)]) if path.exists() else None)


def _propensity(folder: Path) -> tuple[float, ...]:
    import json

    from mercer.quality.exposure import propensity

    path = folder / "manifest.json"
    return propensity(json.loads(path.read_text("utf-8")) if path.exists() else {})


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
