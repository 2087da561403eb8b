"""Nothing in; what marks a line of a bill or a stock-keeper's note that stands where a product should, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

__all__ = ["SERVICE_TITLE", "is_service", "service_ids"]

_FEES = (
    r"(dotcom |next day )?postage|carriage|(free )?shipping( (fee|cost|charge)s?)?|delivery( (fee|cost|charge)s?)?|"
    r"(amazon|paypal|handling|service|bank|credit card) (fee|charge)s?|surcharge|discount|manual( adjustment)?|"
    r"samples?|([a-z]+ )?commission|adjust(ed)? bad debt|refund|deposit|tips?|"
    r"邮费|运费|补邮费|补运费|补差价|差价|差价补拍|邮费差价|补差价专拍|邮费专拍|专拍链接|定金|手续费|服务费|打赏"
)
_NOTES = (
    r"check(ed)?|counted|damage[ds]?|broken|smashed|crushed|found|lost|missing|mixed up|wrong(ly)? (coded|marked).*|"
    r"(stock )?adjust(ment|ed)?|(stock )?check|thrown? away.*|found by .*|destroyed|unsaleable.*|"
    r"sold as .* on dotcom|incorrect(ly)? (credited|entered|made|marked|put).*|wet|rusty|mouldy|water damaged?|"
    r"test( product| item| sku)?|dummy|dotcom|amazon|ebay|"
    r"盘点|盘亏|盘盈|报损|测试(商品|产品)?"
)
SERVICE_TITLE = rf"(?i)^[\s\p{{P}}]*({_FEES}|{_NOTES})[\s\p{{P}}]*$"
"""Whole titles only, so that "Sample Pack of Teas" or "Postage Stamp Album" stay products. Written in the
intersection of RE2 and Java. Read from `online_retail` and from common listings of Chinese shops; a guess beyond."""


def is_service(title: str = "title") -> nw.Expr:
    """True where the whole title names a fee, a correction or a note."""
    import narwhals.stable.v2 as nw

    return nw.col(title).str.contains(SERVICE_TITLE)


def service_ids(products: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """``product`` and ``title`` of products that are none."""
    import narwhals.stable.v2 as nw

    return (
        products.filter(is_service())
        .group_by(nw.col("id").alias("product"))
        .agg(title=nw.col("title").min())
        .drop_nulls()
    )
