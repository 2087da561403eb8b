"""Judgments, queries, products (and events) in; products judged irrelevant that are most likely wanted out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found
from mercer.quality.judged import Judged, judged
from mercer.quality.near import bag
from mercer.quality.relevance import features, neighbours, predicted, words

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Negative", "negative"]


@dataclass(frozen=True)
class Negative(CheckSettings):
    """When a negative is doubted."""

    warn_if: float = 0.05
    """Share of judgments with a doubted negative (0 to 1) above which the gate says warn."""

    alike: float = 0.85
    """Cosine of TF-IDF words of title, brand and category (0 to 1) from which two products are one to the query."""
    covered: float = 0.99
    """Share of the query's words (0 to 1) that the title, brand and category must hold."""
    teacher: float = 0.9
    """Chance of the highest grade, against the lowest (0 to 1), from which a model's word is passed on."""
    taught: int = 300
    """Pairs of the highest or lowest grade below which no model is made of them."""
    bought: int = 3
    """Shoppers who bought it together with a product that answers the query."""
    fewest: int = 100
    """Judgments below which positives and negatives cannot be told apart."""
    most: int = 200_000
    """Judgments that are read; of more, whole queries are drawn."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("alike", "covered", "teacher"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a number between 0 and 1")
        if self.bought < 1:
            raise SettingsError(f"bought is {self.bought}", cure="give at least 1 shopper")


@check(
    "L06",
    families=("judgments",),
    tier="global",
    severity="high",
    problems={
        "same_as_positive": Problem("says the same as a product that answers the query", "与相关商品内容相同", "warn"),
        "like_positive": Problem("nearly a product that answers the query", "与相关商品高度相似", "warn"),
        "fits_like_positive": Problem("a model takes it for an answer to the query", "模型判断其与查询相关", "warn"),
        "bought_with_positive": Problem(
            "has the query's words and is bought with its answers", "含查询词且常与相关商品同购", "warn"
        ),
    },
    settings=Negative,
    english="a product judged irrelevant is irrelevant",
    chinese="被判为不相关的商品确实不相关",
)
def negative(inputs: Inputs[Any], settings: Negative) -> Iterator[Found]:
    """False negatives: pairs of the lowest grade whose product is, or nearly is, one of the highest for this query.

    The same words in title and brand; a cosine of TF-IDF of at least `alike` together with every word of the query;
    a model of this shop's best and worst pairs that takes it for one of the best; or every word of the query and
    shoppers who bought it with the query's answers.
    """
    wanted = ("judgments", "queries", "products")
    if any(name not in inputs for name in wanted) or inputs["judgments"].num_rows < settings.fewest:
        return
    found = judged(inputs, most=settings.most)
    if len(np.unique(found.grades)) < 2 or find_spec("sklearn") is None:
        return
    lowest, highest = found.grades.min(), found.grades.max()
    together = _together(inputs["events"]) if "events" in inputs else {}
    yield Found(
        _table(list(_doubted(found, (float(lowest), float(highest)), together, settings))),
        "judgments",
        "grade",
        "like_positive",
    )


def _doubted(
    found: Judged, ends: tuple[float, float], together: dict[str, set[str]], settings: Negative
) -> Iterator[dict[str, Any]]:
    lowest, highest = ends
    asked, shown = (np.array(side, dtype=np.int64) for side in zip(*found.pairs, strict=True))
    matrix, teacher = _matrix(found), _teacher(found, lowest, highest, settings)
    bags = [bag(f"{row['title'] or ''} {row['brand'] or ''}") for row in found.products]
    held = [
        set(words(" ".join(str(row[name] or "") for name in ("title", "brand", "category")))) for row in found.products
    ]
    for query in np.unique(asked):
        rows = np.flatnonzero(asked == query)
        low, high = rows[found.grades[rows] == lowest], rows[found.grades[rows] == highest]
        if not len(low) or not len(high):
            continue
        like = (matrix[shown[low]] @ matrix[shown[high]].T).toarray()
        given = words(found.queries[int(query)])
        for place, row in enumerate(low.tolist()):
            best = high[int(like[place].argmax())]
            mine, other = int(shown[row]), int(shown[best])
            share = sum(word in held[mine] for word in given) / max(1, len(given))
            problem = None
            if bags[mine] and bags[mine] == bags[other]:
                problem = "same_as_positive"
            elif float(like[place].max()) >= settings.alike and share >= settings.covered:
                problem = "like_positive"
            elif teacher is not None and teacher[row] >= settings.teacher:
                problem = "fits_like_positive"
            buyers = _buyers(found, together, mine, shown[high]) if problem is None and share >= settings.covered else 0
            if problem is None and buyers >= settings.bought:
                problem = "bought_with_positive"
            if problem is not None:
                yield {
                    "row_id": int(found.row_ids[row]),
                    "problem": problem,
                    "score": min(1.0, float(like[place].max())) if not buyers else 0.6,
                    "query": found.queries[int(query)],
                    "title": found.products[mine]["title"],
                    "positive": found.products[other]["title"],
                    "buyers": buyers,
                    "suggestion": f"{highest:g}",
                }


def _teacher(found: Judged, lowest: float, highest: float, settings: Negative) -> NDArray[np.float64] | None:
    """Chance that a pair of the lowest grade is one of the highest, by a model that has not seen it; 0 for others."""
    ends = np.flatnonzero((found.grades == lowest) | (found.grades == highest))
    positive = (found.grades[ends] == highest).astype(np.int64)
    if len(ends) < settings.taught or min(positive.sum(), len(ends) - positive.sum()) < 50:
        return None
    pairs = [found.pairs[row] for row in ends.tolist()]
    texts = [" ".join(str(row[name] or "") for name in ("title", "brand", "category")) for row in found.products]
    like = neighbours(texts, pairs, positive.astype(np.float64))
    chance = np.zeros(len(found.grades))
    matrix = np.hstack([features(found.queries, found.products, pairs), like])
    chance[ends] = predicted(matrix, positive)[:, 1]
    return chance


def _matrix(found: Judged) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join(str(row[name] or "") for name in ("title", "brand", "category")) for row in found.products]
    return TfidfVectorizer(analyzer=words, sublinear_tf=True).fit_transform(texts)


def _together(events: pa.Table) -> dict[str, set[str]]:
    """Product → shoppers who bought it."""
    import pyarrow.compute as pc

    bought = events.filter(pc.equal(events["type"], "purchase")).select(["product", "shopper"]).drop_null()
    pairs = bought.group_by(["product", "shopper"]).aggregate([])
    found: dict[str, set[str]] = {}
    for product, shopper in zip(pairs["product"].to_pylist(), pairs["shopper"].to_pylist(), strict=True):
        found.setdefault(product, set()).add(shopper)
    return found


def _buyers(found: Judged, together: dict[str, set[str]], mine: int, positives: NDArray[np.int64]) -> int:
    own = together.get(found.products[mine]["id"], set())
    others = set().union(*(together.get(found.products[int(place)]["id"], set()) for place in positives))
    return len(own & others)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("problem", "query", "title", "positive", "suggestion")]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([("row_id", pa.int64()), ("score", pa.float64()), ("buyers", pa.int64()), *texts])
    )
