"""``mercer learn SHOP --search N``: pairs or lists, and settings, in; the best settings that N trials found out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import console, progress
from mercer.errors import DataError, RequestError

if TYPE_CHECKING:
    from mercer.cli.learn_run import Run
    from mercer.learn.gather import Gathered
    from mercer.learn.ranker import RankList
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.learn.search_study import Searched, SearchSettings
    from mercer.shop import Shop

__all__ = ["search_of", "searched_encoder", "searched_ranker"]

FILE = "search.db"
"""In the store: every trial of every study of a shop."""


def search_of(folder: Path) -> SearchSettings:
    """[learn.search] of a shop."""
    from mercer.cli.settings import tables
    from mercer.config import section
    from mercer.learn.search_study import SearchSettings

    return section(tables(folder).get("learn", {}).get("search", {}), SearchSettings, name="learn.search")


def searched_encoder(run: Run, gathered: Gathered, number: int) -> Run:
    """The run with the settings that rank the validation queries best; test queries take no part.

    Raises:
        RequestError: fewer than one trial. DataError: nothing to choose by.
    """
    from mercer.cli.learn_run import base_of, first_stage
    from mercer.encode import load
    from mercer.learn.search_encoder import Trials
    from mercer.learn.search_study import ENCODER, search
    from mercer.shop import content_hash

    encoder = load(texts=(product.title for product in gathered.products.values()), settings=run.settings.encode)
    base = base_of(run, first_stage(run))
    trials = Trials(run.shop, gathered, base, encoder, run.learning)
    first: list[dict[str, Any]] = [dataclasses.asdict(run.learning)]
    try:
        rate = trials.rate().suggested
        console.print(f"learning rate finder: {rate:.1e}", highlight=False)
        first.append({**first[0], "lr": rate})
    except DataError as error:
        console.print(f"[dim]learning rate finder: {error.problem}[/]", highlight=False)
    fixed = {name: value for name, value in first[0].items() if name not in {knob.name for knob in ENCODER}}
    name = "encoder-" + content_hash(gathered.hash, base.hash, json.dumps(fixed, sort_keys=True, default=str))
    seconds = run.left(0) / (number + 2)
    with progress() as bars:
        task = bars.add_task("search", total=number)
        found = search(
            ENCODER,
            lambda chosen, report: trials(chosen, report, seconds=seconds),
            number=_enough(number),
            path=run.shop.store / FILE,
            name=name,
            first=first,
            settings=search_of(run.shop.folder),
            tick=lambda done, best: bars.update(task, completed=done, description=f"search {best:.4f}"),
        )
    _say(found, "learn")
    return dataclasses.replace(run, learning=dataclasses.replace(run.learning, **found.best))


def searched_ranker(
    shop: Shop, lists: Sequence[RankList], own: RankerSettings, number: int, *, seed: int
) -> RankerSettings:
    """Settings whose trees rank training queries, left out in turn, best; test queries take no part.

    Raises:
        RequestError: fewer than one trial. DataError: too few queries.
    """
    import numpy as np

    from mercer.learn.ranker import fit
    from mercer.learn.search_study import RANKER, search
    from mercer.shop import content_hash

    searched = {knob.name for knob in RANKER}
    fixed = {name: value for name, value in dataclasses.asdict(own).items() if name not in searched}
    data = [np.ascontiguousarray(part).tobytes() for one in lists for part in (one.features, one.hybrid, one.gains)]
    name = "ranker-" + content_hash(*data, json.dumps([fixed, seed], sort_keys=True))
    with progress() as bars:
        task = bars.add_task("search", total=number)
        found = search(
            RANKER,
            lambda chosen, _: fit(lists, dataclasses.replace(own, **chosen), seed=seed).best,
            number=_enough(number),
            path=shop.store / FILE,
            name=name,
            first=[dataclasses.asdict(own)],
            settings=search_of(shop.folder),
            tick=lambda done, best: bars.update(task, completed=done, description=f"search {best:.4f}"),
        )
    _say(found, "learn.ranker")
    return dataclasses.replace(own, **found.best)


def _enough(number: int) -> int:
    if number < 1:
        raise RequestError(f"search is {number}", cure="give the number of trials, as --search 20")
    return number


def _say(found: Searched, section: str) -> None:
    began, ended = found.curve[0], found.figure
    counts = f"{found.trials} trials, {found.pruned} stopped early, {found.failed} broken off"
    console.print(f"search: nDCG@10 {began:.4f} as set, {ended:.4f} at best; {counts}", highlight=False)
    console.print(f"to keep it, write into mercer.toml:\n\\[{section}]", highlight=False)
    for name, value in sorted(found.best.items()):
        said = json.dumps(value) if isinstance(value, str) else f"{value:.4g}"
        console.print(f"{name} = {said}", highlight=False, markup=False)
