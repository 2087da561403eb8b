"""A question in words in; the shop's products that it is about, and how surely, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mercer.assistant.guard import quotable
from mercer.assistant.model import terms
from mercer.records import Filter, Page, Product, Request, Shopper
from mercer.understand.price import prices

__all__ = ["Catalogue", "Match", "Shelf", "asked_words"]

SURE = 0.5
"""Share of the words asked that a product has from which it is what was asked. A guess, settled by the judged set."""
CLEAR = 0.12
"""Share by which the best product must lead the second for one to be meant."""
POOL = 24
FRAME = re.compile(
    r"\b(?:do|does|did|can|could|would|will|is|are|was|have|has|had|i|you|we|it|its|me|my|your|a|an|the|this|that|these|"
    r"those|any|some|of|in|on|for|to|from|with|at|by|or|be|there|please|tell|show|find|give|get|need|want|like|looking|"
    r"look|search|buy|sell|sold|selling|offer|carry|stock|stocked|available|availability|left|still|now|right|currently|"
    r"how|much|many|what|which|who|when|where|whats|what's|price|prices|priced|cost|costs|expensive|about|more|details?|"
    r"information|info|recommend|suggest|something|anything|one|ones|kind|kinds|sort|product|products|item|items|shop|"
    r"store|compare|compared|versus|vs|between|difference|better|cheaper|cheapest|than|and|also|hello|hi|hey|thanks|"
    r"material|made|colour|color|colours|colors|size|sizes|dimensions?|weight|weigh|heavy|brand|rated|rating|long|big|large|"
    r"pay|paid|order|out|not|no|yes|other|another|similar|alternatives?|instead|first|second|third|last|both|two|them|they|"
    r"under|over|below|above|less|most|least|up|go|come|comes|am|i'm|i'd|if|so|too|all|were|should|us|our)\b|"
    r"请问|你们|我想要?|想要|想买|需要|有没有|有什么|有哪些|哪些|哪一?款|哪一?个|哪一?种|推荐一?下?|推荐|介绍一?下?|帮我|找一?[款个件下]?|"
    r"一[款个件条台张双套]|这[款个件]|那[款个件]|多少钱|价格|售价|什么价|多少|贵不贵|贵吗|怎么样|好不好|怎么卖|有货吗?|库存|现货|还剩|剩|几件|缺货|"
    r"卖完|卖不卖|卖吗|在卖|卖|是什么|什么|怎么|材质|面料|颜色|尺寸|大小|规格|重量|多重|多大|品牌|牌子|产地|评分|评价|"
    r"比较|对比|区别|哪个|更|便宜|最|的话|现在|还能|可以|能不能|能|吗|呢|吧|啊|么|了|的|是|有|和|与|跟|还|也|买|给|看看|看|店里|本店|这里|你好|您好|谢谢|"
    r"第[一二三四1234][个款件]?|它|没|会|要|我|你|请|来",
    re.IGNORECASE,
)
"""What frames a question and names no product."""


class Catalogue(Protocol):
    """What of the doors the assistant asks."""

    def search(self, request: Request) -> Page: ...

    def recommend(self, request: Request) -> Page: ...

    def product(self, id: str) -> Product | None: ...


@dataclass(frozen=True, slots=True)
class Match:
    """A product and the share of the words asked that it has, 0 to 1."""

    product: Product
    share: float
    score: float


def asked_words(text: str) -> str:
    """The words of a question that may name a product.

    >>> asked_words("how much is the oak desk"), asked_words("请问羊毛毯多少钱")
    ('oak desk', '羊毛毯')
    """
    without = "".join(" " if span else piece for piece, span in _cut(text))
    left = " ".join(FRAME.sub(" ", without).split())
    return left.strip(" ?？!！,，.。;；:：、\"'“”‘’()（）")


class Shelf:
    """Finds products by what a customer calls them."""

    def __init__(self, doors: Callable[[], Catalogue], *, most: int = 4) -> None:
        self._doors, self.most = doors, most

    def product(self, id: str) -> Product | None:
        """One product that may be spoken of."""
        found = self._doors().product(id)
        return found if found is not None and quotable(found.title) else None

    def products(self, ids: Sequence[str]) -> list[Product]:
        """Those that are there."""
        return [found for found in map(self.product, ids) if found is not None]

    def find(
        self, text: str, shopper: Shopper, *, filters: Sequence[Filter] = (), sort: Any = "relevance"
    ) -> list[Match]:
        """Products for a question, those with more of its words first, then as search ranks them."""
        words = asked_words(text)
        if not words:
            return []
        bounds = [Filter("price", low=price.low, high=price.high) for price in prices(text)]
        request = Request(
            query=words[:200], k=POOL, shopper=shopper, filters=(*filters, *bounds), sort=sort, correct=True
        )
        page = self._doors().search(request)
        wanted = terms(page.corrected or words)
        total = sum(wanted.values())
        found = [
            Match(hit.product, _share(wanted, hit.product) / total if total else 0.0, hit.score)
            for hit in page.hits
            if quotable(hit.product.title)
        ]
        return sorted(found, key=lambda match: (-round(match.share, 2), -match.score))

    def alike(self, product: Product, shopper: Shopper, *, cheaper: bool = False) -> list[Product]:
        """Products like one, of its own narrowest category first."""
        high = None if not cheaper or product.price is None else product.price - 0.01
        filters = (Filter("price", high=high),) if high is not None else ()
        page = self._doors().recommend(
            Request(scene="similar", item=product.id, k=POOL, shopper=shopper, filters=filters)
        )
        found = [hit.product for hit in page.hits if hit.product.id != product.id and quotable(hit.product.title)]
        near = [one for one in found if one.category[-1:] == product.category[-1:]]
        return (near or ([] if cheaper else found))[: self.most]


def meant(matches: Sequence[Match]) -> Product | None:
    """The one product that a question names, or None where it names none or several alike."""
    if not matches or matches[0].share < SURE:
        return None
    if len(matches) > 1 and matches[0].share - matches[1].share < CLEAR:
        return None
    return matches[0].product


def _share(wanted: Any, product: Product) -> float:
    title = terms(f"{product.title} {product.brand}")
    rest = terms(" ".join((*product.category, *product.attributes.values(), product.bullets)))
    return float(
        sum(times * (1.0 if term in title else 0.85 if term in rest else 0.0) for term, times in wanted.items())
    )


def _cut(text: str) -> list[tuple[str, bool]]:
    """Pieces of a text, those that say a price marked."""
    found, at = [], 0
    for price in prices(text):
        found += [(text[at : price.start], False), (text[price.start : price.end], True)]
        at = price.end
    return [*found, (text[at:], False)]
