"""Products in; ids that stand for more than one row out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found
from mercer.quality.schema import COLUMNS

__all__ = ["identity"]


@check(
    "C02",
    families=("products",),
    tier="relational",
    severity="critical",
    problems={
        "identical_row": Problem("the same row stands here twice", "该行完全重复", "drop"),
        "conflicting_row": Problem(
            "another row has this id with other values", "同一编号对应内容不同的行", "quarantine"
        ),
        "conflict_kept": Problem("kept, though another row has this id", "已保留，但另有一行使用此编号", "warn"),
        "id_variant": Problem("another id differs only in case or blanks", "与另一编号仅大小写或空格不同", "warn"),
    },
    english="an id stands for one product",
    chinese="一个编号只代表一个商品",
)
def identity(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Duplicate ids.

    A row equal to an earlier one in every column is dropped. Where rows of one id differ, the first stays, so that
    the shop keeps selling it, and the others wait in quarantine for a person: which one is right cannot be known
    from one file, so the first is named too. Ids that differ only in case or blanks are only said.
    """
    import narwhals.stable.v2 as nw

    products = inputs["products"].filter(~nw.col("id").is_null())
    marked = products.with_columns(
        first_row=nw.col("row_id").min().over("id"),
        first_same=nw.col("row_id").min().over(*COLUMNS["products"]),
        key=nw.col("id").str.strip_chars().str.to_lowercase(),
    )
    again = nw.col("row_id") > nw.col("first_same")
    yield Found(marked.filter(again).select("row_id", "id", "first_row"), "products", "id", "identical_row")

    first = products.select(first_row=nw.col("row_id"), first_title=nw.col("title"), first_price=nw.col("price"))
    other = marked.filter((nw.col("row_id") > nw.col("first_row")) & ~again)
    conflicting = other.join(first, on="first_row", how="left")
    evidence = ("id", "title", "price", "first_row", "first_title", "first_price")
    yield Found(conflicting.select("row_id", *evidence), "products", "id", "conflicting_row")

    kept = first.join(other.select("first_row").unique(), on="first_row", how="semi")
    told = kept.select(row_id=nw.col("first_row"), title=nw.col("first_title"), price=nw.col("first_price"))
    yield Found(told, "products", "id", "conflict_kept", 0.5)

    alone = marked.filter(nw.col("row_id") == nw.col("first_row"))
    variants = alone.with_columns(key_row=nw.col("row_id").min().over("key")).filter(
        nw.col("row_id") > nw.col("key_row")
    )
    named = products.select(key_row=nw.col("row_id"), other_id=nw.col("id"), other_title=nw.col("title"))
    joined = variants.join(named, on="key_row", how="left").select("row_id", "id", "title", "other_id", "other_title")
    yield Found(joined, "products", "id", "id_variant", 0.7)
