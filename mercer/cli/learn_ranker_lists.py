"""An open shop, what people judged or clicked in; lists with the features that serving would see, to grow trees on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.learn.clicked import Looked
    from mercer.learn.ranker import RankList
    from mercer.learn.ranker_settings import RankerSettings
    from mercer.search.features import Features

__all__ = ["clicked_lists", "judged_lists"]


def judged_lists(
    doors: Doors,
    features: Features,
    truth: Mapping[str, Mapping[str, float]],
    own: RankerSettings,
    groups: Mapping[str, str],
) -> list[RankList]:
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
    from mercer.rank.feature import NAMES
    from mercer.records import Request

    unknown = [NAMES.index(name) for name in ("hour", "weekday")]  # nobody knows when a judged query was asked
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
        matrix[:, unknown] = np.nan
        mine = np.array([gains.get(answer.ids[at], 0.0) for at in keep])
        found.append(RankList(groups.get(query, query), matrix, answer.scored.scores[keep], mine, own.judged))
    return found


def clicked_lists(
    doors: Doors,
    features: Features,
    pages: Sequence[Looked],
    own: RankerSettings,
    *,
    propensity: Sequence[float],
    groups: Mapping[str, str],
    seed: int,
) -> list[RankList]:
    """A list for each click: what was clicked above all else that the page showed, as heavy as it is rare to be seen.

    Args:
        doors, features, own, groups: as of `judged_lists`.
        pages: with what was done on them.
        propensity: chance of a look by position; empty takes clicks as they are.
        seed: of what is left out where there are more clicks than `own.clicks`.
    """
    import numpy as np

    from mercer.learn.clicked import click_weights
    from mercer.learn.ranker import RankList

    told = [page for page in pages if any(page.actions)]
    order = np.random.default_rng([seed, 3]).permutation(len(told))
    asked: dict[str, Any] = {}
    lists: list[RankList] = []
    for at in order.tolist():
        page = told[at]
        seen = studied_page(doors, features, page, asked)
        if seen is None:
            continue
        kept, matrix, hybrid = seen
        weights = dict(click_weights(page, propensity, own.actions, clip=own.clip))
        for row, place in enumerate(kept):
            if place in weights and len(kept) > 1:
                gains = np.zeros(len(kept))
                gains[row] = 1.0
                group = groups.get(page.query, page.query)
                lists.append(RankList(group, matrix, hybrid, gains, own.clicked * weights[place]))
        if len(lists) >= own.clicks:
            break
    return lists


def studied_page(doors: Doors, features: Features, page: Looked, asked: dict[str, Any]) -> Any:
    """Places on the page that the hybrid finds as well, their features as at that moment, their hybrid scores.

    Args:
        asked: query → its answer and features without a shopper; filled here.
    """
    from mercer.errors import RequestError
    from mercer.rank.feature import NAMES
    from mercer.records import Request

    request = Request(query=page.query, shopper=page.shopper, context={"device": page.device})
    if page.query not in asked:
        try:
            known, answer = doors.searching.candidates(Request(query=page.query))
            matrix = features(known, Request(query=page.query), answer, moment=page.time)
            asked[page.query] = known, answer, matrix, {id: at for at, id in enumerate(answer.ids)}
        except RequestError:
            asked[page.query] = None
    if asked[page.query] is None:
        return None
    known, answer, matrix, place_of = asked[page.query]
    kept = [place for place, id in enumerate(page.products) if id in place_of]
    if not kept:
        return None
    ids = [page.products[place] for place in kept]
    rows = [place_of[id] for id in ids]
    mine = matrix[rows].copy()
    vectors = doors.index.vectors(ids)
    whole = vectors if len(vectors) == len(ids) else None
    for name, values in features.personal(known, request, ids, whole, moment=page.time).items():
        mine[:, NAMES.index(name)] = values
    return kept, mine, answer.scored.scores[rows]
