"""A text in; the products, brands, companies and tickers that it names out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mercer.records import Product

__all__ = ["Names"]

TICKER = re.compile(r"\$([A-Za-z]{1,5}(?:\.[A-Za-z])?)\b|\b([036]\d{5})\.(SH|SZ|HK)\b", re.ASCII)
COMPANY = re.compile(
    r"\b((?:[A-Z][\w&'-]+ ){1,3}(?:Inc|Corp|Corporation|Group|Holdings|Ltd|Limited|plc|PLC|Bank|Co)\b)"
    r"|([\u4e00-\u9fff]{2,6}(?:公司|集团|银行|证券|基金|科技|股份))"
)
HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[a-z0-9][a-z0-9'&.-]*")
LONGEST_NAME = 4
"""Words of a brand's name."""
READ = 5000
"""Characters in which names are looked for."""


@dataclass(frozen=True)
class Names:
    """Brands and product titles of a catalogue, made ready to be found."""

    words: dict[str, str] = field(default_factory=dict)
    """Brand in small letters → as the shop writes it."""
    han: re.Pattern[str] | None = None
    titles: dict[str, str] = field(default_factory=dict)
    """Product id → its brand."""

    @classmethod
    def of(cls, products: Iterable[Product]) -> Names:
        """Brands of two letters and more; product ids lead to their brand."""
        brands: dict[str, str] = {}
        titles = {}
        for product in products:
            titles[product.id] = product.brand
            if len(product.brand) >= 2:
                brands.setdefault(product.brand.lower(), product.brand)
        han = sorted((name for name in brands.values() if HAN.search(name)), key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, han))) if han else None
        return cls({key: name for key, name in brands.items() if not HAN.search(name)}, pattern, titles)

    def __call__(self, text: str, product: str = "") -> tuple[tuple[str, str], ...]:
        """(kind, name), each once; `product` is what the document is about.

        >>> Names()("Buy $TSLA, says Acme Holdings")
        (('ticker', 'TSLA'), ('company', 'Acme Holdings'))
        """
        read = text[:READ]
        found: dict[tuple[str, str], None] = {}
        if product:
            found[("product", product)] = None
            if brand := self.titles.get(product):
                found[("brand", brand)] = None
        for match in TICKER.finditer(read):
            found[("ticker", (match[1] or f"{match[2]}.{match[3]}").upper())] = None
        for match in COMPANY.finditer(read):
            found[("company", (match[1] or match[2]).strip())] = None
        if self.words:
            said = WORD.findall(read.lower())
            for size in range(1, LONGEST_NAME + 1):
                for at in range(len(said) - size + 1):
                    if name := self.words.get(" ".join(said[at : at + size])):
                        found[("brand", name)] = None
        if self.han:
            found |= {("brand", match[0]): None for match in self.han.finditer(read)}
        return tuple(found)
