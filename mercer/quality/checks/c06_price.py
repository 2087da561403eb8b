"""Products in; prices that cannot be, or that stand far outside their kind, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Price", "price"]

NORMAL = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation."""
FREE = (
    r"(?i)(^|[^0-9A-Za-z_])(free|trial|download|open source|sample|gift|freebie)($|[^0-9A-Za-z_])|"
    r"免费|试用|赠|下载|体验装"
)
"""Words of what may cost nothing: the three products at 0 in `esci150` are a freeware download, an open-source office
and a free trial. No word boundary: "买free" is one word in Java and two in RE2."""


@dataclass(frozen=True)
class Price(CheckSettings):
    """How far outside is too far."""

    group: int = 20
    """Products of one category (and brand) below which their prices say nothing of each other."""
    limit: float = 4.0
    """Robust standard deviations of log10(price) from the median of the group. On `retail_demo_store` 4 finds 79 % of
    prices times 100 and flags .6 % of true ones; 6 finds 46 % and flags .4 %."""
    least_spread: float = 0.08
    """Floor of that deviation in log10 (0.08 is 20 %), as shops of few price points have none."""
    list_ratio: float = 5.0
    """Price over list price above which the unit of one of the two is wrong."""
    deepest_cut: float = 0.02
    """Price over list price below which it is no reduction but a wrong unit."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("limit", "least_spread", "list_ratio", "deepest_cut"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a number above 0")
        if self.group < 3:
            raise SettingsError(f"group is {self.group}", cure="give at least 3 products")


@check(
    "C06",
    families=("products",),
    tier="relational",
    severity="high",
    problems={
        "not_positive": Problem("the price is zero or negative", "价格为零或负数", "quarantine"),
        "free": Problem("the price is zero, and the title says why", "价格为零，标题说明了原因", "warn"),
        "not_finite": Problem("the price is infinite or no number", "价格为无穷大或非数字", "quarantine"),
        "wrong_scale": Problem("price and list price are in different units", "售价与原价单位不符", "quarantine"),
        "outlier": Problem("the price is far outside its category", "价格远离同类商品", "warn"),
        "above_list": Problem("the price is above the list price", "售价高于原价", "warn"),
    },
    settings=Price,
    english="a price is positive, finite and of the order of its kind",
    chinese="价格为正、有限，且与同类商品同一数量级",
)
def price(inputs: Inputs[Any], settings: Price) -> Iterator[Found]:
    """Impossible prices, prices against list prices, and robust outliers within category, brand and currency.

    The z-score is of log10(price) with the exact median and MAD of the smallest group that is large enough. It only
    warns: of the 25 furthest prices of `esci150`, `litemall` and `retail_demo_store`, read by hand, none was wrong
    (a travel package among books, designer sunglasses, a sofa among cushions: it is the category that is).
    """
    import narwhals.stable.v2 as nw

    products = inputs["products"]
    amount, listed = nw.col("price"), nw.col("list_price")
    bad = ~amount.is_finite()
    named = ("row_id", "id", "title", "price")
    yield Found(products.filter(bad).select(*named), "products", "price", "not_finite")
    nothing = products.filter((amount <= 0) & ~bad)
    told = (amount == 0) & nw.col("title").str.contains(FREE).fill_null(value=False)
    yield Found(nothing.filter(~told).select(*named), "products", "price", "not_positive")
    yield Found(nothing.filter(told).select(*named), "products", "price", "free", 0.3)

    good = products.filter((amount > 0) & amount.is_finite())
    evidence = ("row_id", "id", "title", "price", "list_price")
    pairs = good.filter((listed > 0) & listed.is_finite())
    wrong = (amount > listed * settings.list_ratio) | (amount < listed * settings.deepest_cut)
    yield Found(pairs.filter(wrong).select(*evidence), "products", "price", "wrong_scale", 0.9)
    yield Found(pairs.filter((amount > listed) & ~wrong).select(*evidence), "products", "price", "above_list", 0.6)

    columns = (*named, "category", "brand", "typical", "z", "group")
    yield Found(_far(good, settings).select(*columns), "products", "price", "outlier", 0.5)


def _far(good: Any, settings: Price) -> Any:
    """Products beyond the limit, judged in category and brand where those are many, else in the category."""
    import narwhals.stable.v2 as nw

    base = good.filter(~nw.col("category").is_null()).select(
        "row_id",
        "id",
        "title",
        "price",
        "category",
        brand=nw.col("brand").fill_null(""),
        currency=nw.col("currency").fill_null(""),
        log=nw.col("price").log(10),
    )
    narrow = _scored(base, ("category", "brand", "currency"), settings)
    rest = base.join(narrow.select("row_id"), on="row_id", how="anti")
    wide = _scored(base, ("category", "currency"), settings).join(rest.select("row_id"), on="row_id", how="semi")
    far = nw.col("z").abs() > settings.limit
    return nw.concat([narrow.filter(far), wide.filter(far)], how="vertical")


def _scored(base: Any, keys: tuple[str, ...], settings: Price) -> Any:
    """Robust z-scores of every product in a large enough group of `keys`."""
    import narwhals.stable.v2 as nw

    middle = base.group_by(*keys).agg(middle=nw.col("log").median(), group=nw.len())
    apart = base.join(middle.filter(nw.col("group") >= settings.group), on=list(keys), how="inner")
    apart = apart.with_columns(distance=nw.col("log") - nw.col("middle"), size=(nw.col("log") - nw.col("middle")).abs())
    spread = apart.group_by(*keys).agg(spread=nw.col("size").median() * NORMAL)
    joined = apart.join(spread, on=list(keys), how="inner")
    floor = nw.max_horizontal(nw.col("spread"), nw.lit(settings.least_spread))
    return joined.select(
        "row_id",
        "id",
        "title",
        "price",
        "category",
        "brand",
        group=nw.col("group").cast(nw.Int64),
        typical=nw.lit(10.0) ** nw.col("middle"),
        z=nw.col("distance") / floor,
    )
