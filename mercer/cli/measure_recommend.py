"""``mercer measure recommend``: events or sequences in; held-out choices found by each system, with intervals, out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mercer.cli.terminal import JsonFlag, answers, console, print_json, progress
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.cli.measure_systems import Picked
    from mercer.measure.board import Board
    from mercer.recommend import RecommendSettings
    from mercer.retrieve.blend import Scorer
    from mercer.retrieve.history import History
    from mercer.retrieve.holdout import Trial
    from mercer.retrieve.linear_features import Description

__all__ = ["measure_recommend", "register"]

METRICS = ("HR@10", "nDCG@10", "Recall@50", "MRR@50")
DEPTH = 50
SAMPLE = 3000
"""Shoppers on whom settings are chosen, to save time: the search compares settings on the same ones."""
Protocol = Literal["time", "leave-one-out"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("recommend")
    def recommend(
        shop: Annotated[Path | None, typer.Argument(metavar="[SHOP]", help="The shop's folder.")] = None,
        protocol: Annotated[Protocol | None, typer.Option(help="How to split; time where there are times.")] = None,
        sequences: Annotated[Path | None, typer.Option(help='Instead of a shop: "user item item …" lines.')] = None,
        items: Annotated[Path | None, typer.Option(help="JSON lines of the items beside --sequences.")] = None,
        share: Annotated[float, typer.Option(help="Of the events, at the end, that a time split tests on.")] = 0.1,
        repeats: Annotated[bool, typer.Option("--repeats", help="Count products bought before, too.")] = False,
        refit: Annotated[bool, typer.Option("--refit", help="Learn from the validation part as well.")] = False,
        baselines: Annotated[bool, typer.Option("--baselines", help="Fit published models beside.")] = False,
        seeds: Annotated[int, typer.Option(min=1, max=20, help="Of the baselines that draw at random.")] = 1,
        minutes: Annotated[float, typer.Option(min=0, help="SASRec may train for; 0 leaves it out.")] = 10,
        seed: Annotated[int, typer.Option(help="Of the resampling.")] = 7,
        json_: JsonFlag = False,
    ) -> None:
        """Measure recommendation on held-out choices: full ranking, 95 % intervals, settings chosen on validation."""
        history, known, settings = _history(shop, sequences, items)
        chosen = protocol or ("leave-one-out" if sequences else "time")
        if sequences and chosen == "time":
            raise RequestError("sequences have no times", cure="give --protocol leave-one-out")
        found = measure_recommend(
            history, chosen, settings=settings, known=known, share=share, repeats=repeats, refit=refit, seed=seed,
            seeds=seeds if baselines else 0, minutes=minutes,
        )  # fmt: skip
        if json_:
            print_json({name: board.json() for name, board in found[0].items()} | found[1])
            return
        for name, board in found[0].items():
            answers.print(f"[bold]{name}[/]", highlight=False)
            answers.print(board.text(), highlight=False, soft_wrap=True)
        console.print(f"[dim]{_said(found[1])}[/]", highlight=False)


def measure_recommend(
    history: History,
    protocol: Protocol,
    *,
    settings: RecommendSettings | None = None,
    known: Mapping[str, Description] | None = None,
    share: float = 0.1,
    repeats: bool = False,
    refit: bool = False,
    seed: int = 7,
    seeds: int = 0,
    minutes: float = 10,
) -> tuple[dict[str, Board], dict[str, Any]]:
    """Boards by what was to be found, and the facts behind them.

    Args:
        history: of a shop or a file of sequences.
        protocol: `time` learns before a moment and tests after it; `leave-one-out` tests each shopper's last product.
        settings: of the live door, whose weights of `home` its defaults have.
        known: what products are, by id.
        share: of the events that a time split tests on.
        repeats: whether products that a shopper has had count and are ranked (time split only).
        refit: for leave-one-out, learn from the validation part before the test; published tables mostly do not.
        seed: of the resampling and of the sample of shoppers that settings are chosen on.
        seeds: of the published models that are fitted beside; 0 is none of them.
        minutes: that SASRec may train for, each seed.
    """
    from dataclasses import asdict

    from mercer.cli.measure_systems import STAGES, pick, systems
    from mercer.cli.measure_systems import baselines as published
    from mercer.learn.sasrec import SasRec
    from mercer.measure.board import Board
    from mercer.measure.compare import Resampling, compare
    from mercer.recommend import RecommendSettings
    from mercer.retrieve import contest
    from mercer.retrieve.contest_spread import spread_of
    from mercer.retrieve.linear_features import Features

    if protocol == "leave-one-out" and repeats:
        raise RequestError("leave-one-out tests new products only", cure="leave --repeats out, or split by time")
    trials, validation = _trials(history, protocol, share=share, repeats=repeats)
    first = next(iter(trials.values()))
    learnt = validation.train if protocol == "leave-one-out" and not refit else first.train
    boards, paired, fit_seconds, how = {}, {}, {}, Resampling(samples=1000, swaps=2000)
    spreads: dict[str, dict[str, Any]] = {}
    features = Features.of(history.products, known or {})
    with progress() as bars:
        timed = protocol == "time"
        task = bars.add_task("choosing settings", total=STAGES)
        small = validation.sample(SAMPLE, seed=seed)
        picked = pick(
            validation, small, features, timed=timed, again=repeats, seed=seed, tick=lambda: bars.advance(task)
        )
        fits = systems(
            learnt, picked, settings or RecommendSettings(), features, timed=timed, chosen_on=validation.train
        )
        fitted: dict[str, Scorer] = {}
        for name, fit in {**fits, **(published(learnt, seeds=seeds, minutes=minutes) if seeds else {})}.items():
            started = time.perf_counter()
            fitted[name] = fit(fitted)
            fit_seconds[name] = time.perf_counter() - started
        if learnt is validation.train:
            fit_seconds["linear"] = picked.linear.seconds
        scoring = bars.add_task("ranking", total=len(fitted) * len(trials))
        for target, trial in trials.items():
            values, facts = {}, {}
            for name, scorer in fitted.items():
                ranked = contest.rank(scorer, trial, depth=DEPTH, again=repeats)
                result = contest.measure(ranked, trial, METRICS)
                values[name] = result.metrics
                spreads.setdefault(target, {})[name] = spread_of(ranked, trial, known).json()
                facts[name] = {
                    "coverage@50": result.coverage,
                    "fit_seconds": fit_seconds[name],
                    "milliseconds_a_shopper": ranked.milliseconds,
                    **({"epochs": scorer.epochs} if isinstance(scorer, SasRec) else {}),
                }
                bars.advance(scoring)
            boards[target] = Board.of("recommend", values, seed=seed, facts=facts, how=how)
            paired[target] = {
                other: {
                    name: asdict(compare(values[picked.best][name], values[other][name], seed=seed, how=how))
                    for name in METRICS
                }
                for other in values
                if other != picked.best
            }
    facts_ = _facts(protocol, trials, picked, validation=small, refit=refit, repeats=repeats)
    return boards, facts_ | {"best": picked.best, "best_against": paired, "spread": spreads}


def _history(
    shop: Path | None, sequences: Path | None, items: Path | None
) -> tuple[History, dict[str, Description], RecommendSettings | None]:
    """What was asked for as a history, what its products are, and the live door's settings where there is a shop."""
    from mercer.errors import DataError
    from mercer.retrieve.history import History
    from mercer.retrieve.sequence_file import read_items, read_sequences
    from mercer.shop import Shop

    if (shop is None) == (sequences is None):
        raise RequestError("neither a shop nor sequences were given" if shop is None else "both a shop and sequences "
                           "were given", cure="give either SHOP or --sequences FILE")  # fmt: skip
    if sequences is not None:
        known = read_items(items) if items else {}
        return read_sequences(sequences, items=known), known, None
    assert shop is not None
    opened = Shop(shop)
    live = opened.live("checked")
    events = opened.path("checked", live.version) / "events.parquet" if live else None
    if events is None or not events.exists():
        raise DataError(f"{shop} has no checked events", cure=f"give some and check: mercer check {shop}")
    from mercer.cli.settings import read_settings
    from mercer.retrieve.linear_features import read_descriptions

    known = read_descriptions(events.parent / "products.parquet")
    history = History.of(events).with_products(known)
    return history, known, getattr(read_settings(shop), "recommend", None)


def _trials(history: History, protocol: Protocol, *, share: float, repeats: bool) -> tuple[dict[str, Trial], Trial]:
    """Tests by name, and the part that settings are chosen on, which lies before all of them."""
    from mercer.retrieve.holdout import after, leave_one_out

    if protocol == "leave-one-out":
        test = leave_one_out(history)
        return {"the last product": test}, leave_one_out(test.train)
    later = after(history, share=share, new_only=not repeats)
    basket = after(history, share=share, new_only=not repeats, basket=True)
    validation = after(later.train, share=share / (1 - share), new_only=not repeats)
    what = "products" if repeats else "new products"
    return {f"all {what} bought after": later, f"{what} of the next basket": basket}, validation


def _facts(
    protocol: Protocol,
    trials: Mapping[str, Trial],
    picked: Picked,
    *,
    validation: Trial,
    refit: bool,
    repeats: bool,
) -> dict[str, Any]:
    import resource

    import numpy as np

    first = next(iter(trials.values()))
    return {
        "protocol": protocol,
        "ranking": "all products, " + ("those had before included" if repeats else "but those the shopper had"),
        "products": len(first.train.products),
        "shoppers": {name: len(trial.shoppers) for name, trial in trials.items()},
        "shoppers_with_a_past": {name: int((np.diff(trial.asked.start) > 0).sum()) for name, trial in trials.items()},
        "moment": first.moment or None,
        "learnt_from_validation_part": refit or protocol == "time",
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "choosing": {"shoppers": len(validation.shoppers)} | picked.json(),
    }


def _said(facts: Mapping[str, Any]) -> str:
    choosing = facts["choosing"]
    chosen = [
        f"{system}: " + ", ".join(f"{name} {value:g}" for name, value in choosing[system]["settings"].items())
        for system in ("item-knn", "linear", "blend")
    ]
    return (
        f"ranked: {facts['ranking']}; {facts['products']:,} products\n"
        f"chosen on {choosing['shoppers']:,} shoppers of the validation part in {choosing['seconds']:.0f} s: "
        + "; ".join(chosen)
        + f"\nvalidation prefers: {facts['best']}; peak memory {facts['peak_megabytes']:,} MB"
    )
