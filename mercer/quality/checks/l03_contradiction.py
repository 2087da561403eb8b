"""Judgments (and queries) in; pairs that were judged differently at different times out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found
from mercer.quality.schema import COLUMNS

__all__ = ["Contradiction", "contradiction"]


@dataclass(frozen=True)
class Contradiction(CheckSettings):
    """When two grades of one pair contradict each other."""

    apart: float = 0.0
    """Difference of grades, in units of the grade, up to which two judges may differ."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.apart < 0:
            raise SettingsError(f"apart is {self.apart}", cure="give a difference of grades of 0 or more")


@check(
    "L03",
    families=("judgments",),
    tier="relational",
    severity="high",
    problems={
        "outvoted": Problem("most judgments of this pair say another grade", "多数评判给出其他等级", "quarantine"),
        "undecided": Problem("as many judgments say one grade as another", "评判等级相持不下", "quarantine"),
        "upheld": Problem("kept, though another judgment disagrees", "已保留，但有不同评判", "warn"),
    },
    settings=Contradiction,
    english="a pair of query and product has one grade",
    chinese="同一查询与商品只有一个等级",
)
def contradiction(inputs: Inputs[Any], settings: Contradiction) -> Iterator[Found]:
    """Grades of one pair that differ, settled by vote: the grade that most judgments give stays.

    Queries whose words are the same, but for case and blanks, are one. Where no grade has more votes than every
    other, all judgments of the pair wait for a person.
    """
    import narwhals.stable.v2 as nw

    graded = _asked(inputs).filter(~nw.col("product").is_null() & nw.col("grade").is_finite())
    pair = ("asked", "product")
    votes = graded.group_by(*pair, "grade").agg(votes=nw.len().cast(nw.Int64))
    spread = votes.with_columns(
        most=nw.col("votes").max().over(*pair),
        low=nw.col("grade").min().over(*pair),
        high=nw.col("grade").max().over(*pair),
    ).filter(nw.col("high") - nw.col("low") > settings.apart)
    leading = spread.filter(nw.col("votes") == nw.col("most"))
    leaders = leading.with_columns(ahead=nw.len().over(*pair).cast(nw.Int64)).select(*pair, "grade", "ahead")
    judged = graded.join(spread, on=[*pair, "grade"], how="inner")
    led = leaders.group_by(*pair).agg(ahead=nw.col("ahead").min(), leader=nw.col("grade").min())
    told = judged.join(led, on=list(pair), how="inner").select(
        "row_id", "query_id", "product", "grade", "votes", "low", "high", "ahead", "leader"
    )
    evidence = ("row_id", "query_id", "product", "grade", "votes", "low", "high")
    tied = told.filter(nw.col("ahead") > 1)
    yield Found(tied.select(*evidence), "judgments", "grade", "undecided", 0.8)
    settled = told.filter(nw.col("ahead") == 1)
    lost = settled.filter(nw.col("grade") != nw.col("leader"))
    suggested = lost.with_columns(suggestion=nw.col("leader").cast(nw.String)).select(*evidence, "suggestion")
    yield Found(suggested, "judgments", "grade", "outvoted", 0.9)
    yield Found(
        settled.filter(nw.col("grade") == nw.col("leader")).select(*evidence), "judgments", "grade", "upheld", 0.5
    )


def _asked(inputs: Inputs[Any]) -> Any:
    """Judgments with `asked`: the first id of all queries with the same words."""
    import narwhals.stable.v2 as nw

    judgments = inputs["judgments"].filter(~nw.col("query_id").is_null()).select("row_id", *COLUMNS["judgments"])
    if "queries" not in inputs:
        return judgments.with_columns(asked=nw.col("query_id"))
    plain = nw.col("text").str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")
    texts = inputs["queries"].select("query_id", key=plain).drop_nulls()
    texts = texts.filter(nw.col("key") != "").group_by("query_id").agg(key=nw.col("key").min())
    first = texts.with_columns(asked=nw.col("query_id").min().over("key")).select("query_id", "asked")
    joined = judgments.join(first, on="query_id", how="left")
    return joined.with_columns(asked=nw.coalesce(nw.col("asked"), nw.col("query_id")))
