"""Judgments, queries and products in; grades that do not fit what query and product say out."""

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
from mercer.quality.relevance import chances, read_texts

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Grade", "grade", "scores"]

QUERIES = 10
"""Queries below which one of them cannot be judged by the others."""


@dataclass(frozen=True)
class Grade(CheckSettings):
    """When a grade is doubted."""

    warn_if: float = 0.1
    """Share of judgments with a doubted grade (0 to 1) above which the gate says warn: people dispute some anywhere."""

    unlikely: float = 0.05
    """Chance of the given grade, as a share of the model's mean error (0 to 1), below which it is most likely wrong."""
    doubtful: float = 0.25
    """Chance of the given grade, as a share of the model's mean error (0 to 1), below which a person should look."""
    review: float = 0.2
    """Share of the judgments (0 to 1) that a person is asked to look at, the least likely first."""
    fewest: int = 500
    """Judgments below which a model of them says nothing."""
    most: int = 60_000
    """Judgments that are read (about 10 seconds); of more, whole queries are drawn."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("unlikely", "doubtful", "review"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a number between 0 and 1")
        if self.fewest < 100:
            raise SettingsError(f"fewest is {self.fewest}", cure="give at least 100 judgments")


@check(
    "L04",
    families=("judgments",),
    tier="global",
    severity="high",
    problems={
        "grade_unlikely": Problem("the grade hardly fits query and product", "等级与查询和商品明显不符", "warn"),
        "grade_doubtful": Problem("the grade should be looked at again", "等级存疑，建议复核", "warn"),
    },
    settings=Grade,
    english="grades fit what query and product say",
    chinese="评判等级与查询和商品相符",
)
def grade(inputs: Inputs[Any], settings: Grade) -> Iterator[Found]:
    """Label errors: the chance of each given grade by a model that has not seen it (Northcutt et al. 2021).

    The model reads how query and product fit and what the query's other products were graded (`peers`); no query is
    in training and in test. How low a chance must be follows the model's mean error, so that a shop whose grades
    people dispute is not all doubt, and one full of wrong grades not all silence. The score is cleanlab's
    self-confidence; its filters were measured here and flag more that is right. Nothing is taken out.

    On `esci150` (100 queries) the model agrees with two thirds of the grades, as with an encoder's vectors, and an
    error cannot be told from people's own disputes: precision .65 at recall .85 is not to be had there.
    Too few judgments, queries or judgments of a grade, or no scikit-learn: nothing is said.
    """
    wanted = ("judgments", "queries", "products")
    if any(name not in inputs for name in wanted) or inputs["judgments"].num_rows < settings.fewest:
        return
    if find_spec("sklearn") is None:
        return
    found = judged(inputs, most=settings.most)
    levels, counts = np.unique(found.grades, return_counts=True)
    if len(found.grades) < settings.fewest or not 2 <= len(levels) <= 12 or counts.min() < 10:
        return
    if len(found.queries) < QUERIES:
        return
    chance, fitting = scores(found, vectors=found.vectors(inputs))
    error = 1 - float(chance.mean())
    doubted = np.argsort(chance, kind="stable")[: max(1, int(settings.review * len(chance)))]
    doubted = doubted[chance[doubted] < settings.doubtful * error]
    table = _table(found, doubted, chance, fitting, settings.unlikely * error)
    yield Found(table, "judgments", "grade", "grade_doubtful")


def scores(
    found: Judged, *, vectors: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chance of each given grade, out of fold, and the grade expected instead.

    Args:
        found: judgments.
        vectors: of an encoder, for queries and products, one a row of `found.queries` and `found.products`.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    levels, classes = np.unique(found.grades, return_inverse=True)
    classes = classes.astype(np.int64)
    every = chances(found, classes, read_texts(found.queries, found.products), vectors=vectors)
    nearest = levels[np.abs((every @ levels)[:, None] - levels[None, :]).argmin(1)]
    likest = levels[every.argmax(1)]
    # of two grades that could be meant, the likelier, unless it is the one that is doubted
    return every[np.arange(len(classes)), classes], np.where(likest == found.grades, nearest, likest)


def _table(
    found: Judged,
    rows: NDArray[np.int64],
    chance: NDArray[np.float64],
    fitting: NDArray[np.float64],
    least: float,
) -> pa.Table:
    import pyarrow as pa

    pairs = [found.pairs[row] for row in rows.tolist()]
    unlikely = chance[rows] < least
    return pa.table(
        {
            "row_id": pa.array(found.row_ids[rows], pa.int64()),
            "problem": pa.array(np.where(unlikely, "grade_unlikely", "grade_doubtful").tolist(), pa.string()),
            "score": pa.array(1 - chance[rows], pa.float64()),
            "query": pa.array([found.queries[query] for query, _ in pairs], pa.string()),
            "title": pa.array([found.products[product]["title"] for _, product in pairs], pa.string()),
            "grade": pa.array(found.grades[rows], pa.float64()),
            "chance": pa.array(chance[rows], pa.float64()),
            "suggestion": pa.array([f"{value:g}" for value in fitting[rows]], pa.string()),
        }
    )
