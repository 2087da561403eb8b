"""``mercer learn --ranker --from log``: a shop's log in; lists of what serving told its trees, and a test, out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mercer.cli.learn_ranker_replay import Replayed
    from mercer.doors import Doors
    from mercer.learn.ranker import RankList
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.search.features import Features

__all__ = ["from_log"]


def from_log(
    doors: Doors,
    own: RankerSettings,
    *,
    propensity: Sequence[float],
    tested: Collection[str],
    seed: int,
    features: Callable[[], Features],
) -> tuple[list[RankList], Replayed]:
    """Lists of the logged clicks on queries that test nothing, and a replay of those on the others.

    Raises:
        DataError: no answer in the log has what trees were told.
    """
    from mercer.cli.learn_ranker_replay import Replayed, clicked_truth
    from mercer.errors import DataError
    from mercer.events.log import EventLog
    from mercer.learn.logged import logged_lists, logged_pages
    from mercer.learn.pairs import group_of

    with contextlib.closing(EventLog(doors.shop.events)) as log:
        pages = logged_pages(log)
    if not pages:
        raise DataError(
            "no answer in the log has what trees were told",
            cure="give --from judgments or clicks first; what its trees are told is then logged with every answer",
        )
    groups = {query: group_of(query) for query in {one.page.query for one in pages}}
    taught = [one for one in pages if groups[one.page.query] not in tested]
    asked = [one.page for one in pages if groups[one.page.query] in tested]
    lists = logged_lists(taught, own, propensity=propensity, groups=groups, seed=seed)
    return lists, Replayed(doors, features(), clicked_truth(asked, propensity, own.actions))
