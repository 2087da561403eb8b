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
from mercer.quality.relevance import Texts, chances, read_texts

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
    """Share of the query's words (0 to 1) that the title, or title, brand and category, must hold."""
    teacher: float = 0.8
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
        "says_the_query": Problem(
            "its title has every word of the query, and products that have fewer were preferred",
            "标题包含全部查询词，而包含更少的商品却被判为更相关",
            "warn",
        ),
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

    The same words in title and brand; a cosine of rare words of at least `alike` together with every word of the query;
    the model of L04, which takes it for one of the best; every word of the query in the title, where products with
    fewer of them were graded higher; or every word of the query and shoppers who bought it with the query's answers.
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
    texts = read_texts(found.queries, found.products)
    known = texts.held(("title", "brand", "category"))
    matrix, teacher = texts.weighed(known), _teacher(found, texts, settings)
    share, titled = (_share(texts, rows, asked, shown) for rows in (known, texts.fields["title"]))
    said = (titled >= settings.covered) & (titled > _least(titled, asked, found.grades > lowest))
    bags = [bag(f"{row['title'] or ''} {row['brand'] or ''}") for row in found.products]
    for query in np.unique(asked[found.grades == lowest]):
        rows = np.flatnonzero(asked == query)
        low, high = rows[found.grades[rows] == lowest], rows[found.grades[rows] == highest]
        like = (matrix[shown[low]] @ matrix[shown[high]].T).toarray()
        for place, row in enumerate(low.tolist()):
            best = int(high[int(like[place].argmax())]) if len(high) else row
            nearness = float(like[place].max()) if len(high) else 0.0
            mine, other, buyers = int(shown[row]), int(shown[best]), 0
            problem = None
            if len(high) and bags[mine] and bags[mine] == bags[other]:
                problem = "same_as_positive"
            elif nearness >= settings.alike and share[row] >= settings.covered:
                problem = "like_positive"
            elif teacher is not None and teacher[row] >= settings.teacher:
                problem = "fits_like_positive"
            elif said[row]:
                problem = "says_the_query"
            elif share[row] >= settings.covered:
                buyers = _buyers(found, together, mine, shown[high])
                problem = "bought_with_positive" if buyers >= settings.bought else None
            if problem is not None:
                sure = teacher[row] if teacher is not None else 0.6
                yield {
                    "row_id": int(found.row_ids[row]),
                    "problem": problem,
                    "score": float(min(1.0, max(nearness, sure))),
                    "query": found.queries[int(query)],
                    "title": found.products[mine]["title"],
                    "positive": found.products[other]["title"] if len(high) else None,
                    "buyers": buyers,
                    "suggestion": f"{highest:g}",
                }


def _share(texts: Texts, rows: Any, asked: NDArray[np.int64], shown: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of the words of each pair's query, those that the product's row has (0 to 1)."""
    wanted = np.maximum(1, np.asarray(texts.queries.sum(1)).ravel())
    return np.asarray(np.asarray(texts.queries[asked].multiply(rows[shown]).sum(1)).ravel() / wanted[asked])


def _least(share: NDArray[np.float64], asked: NDArray[np.int64], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """For each pair the least share of the pairs of its query among some; 1 where there is none."""
    least = np.ones(int(asked.max()) + 1)
    np.minimum.at(least, asked[among], share[among])
    return np.asarray(least[asked])


def _teacher(found: Judged, texts: Texts, settings: Negative) -> NDArray[np.float64] | None:
    """Chance of the highest grade, against the lowest, of each pair by a model that has not seen its query."""
    levels, classes, counts = np.unique(found.grades, return_inverse=True, return_counts=True)
    if counts[0] + counts[-1] < settings.taught or min(counts[0], counts[-1]) < 50 or len(levels) > 12:
        return None
    every = chances(found, classes.astype(np.int64), texts)
    return np.asarray(every[:, -1] / np.maximum(1e-9, every[:, 0] + every[:, -1]))


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
