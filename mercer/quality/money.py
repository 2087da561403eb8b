"""A price as people write it in; the amount and its currency out."""

from __future__ import annotations

import re

__all__ = ["currency", "money"]

SYMBOLS = {
    "€": "EUR", "£": "GBP", "US$": "USD", "HK$": "HKD", "NT$": "TWD", "A$": "AUD", "C$": "CAD", "R$": "BRL",
    "S$": "SGD", "JP¥": "JPY", "CN¥": "CNY", "RMB": "CNY", "人民币": "CNY", "元": "CNY", "块": "CNY",
    "円": "JPY", "港币": "HKD",    "美元": "USD", "欧元": "EUR",
    "日元": "JPY", "英镑": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB",
    "₺": "TRY", "zł": "PLN", "￥": "CNY", "¥": "CNY", "$": "USD",
}  # fmt: skip
"""ISO 4217 of the signs in use, longer ones first; "$" and "¥" alone are a guess (a mapped currency column wins)."""

CODE = re.compile(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])")
AMOUNT = re.compile(r"[-+−]?\d[\d.,'’\u00a0\u202f\s]*|[-+−]?\.\d+")


def currency(text: str) -> str | None:
    """ISO 4217 code in `text`.

    >>> currency("15.00 USD"), currency("¥1,299.00"), currency("1.299,00 €"), currency("12")
    ('USD', 'CNY', 'EUR', None)
    """
    code = CODE.search(text)
    if code and code[1] != "RMB":
        return code[1]
    return next((known for sign, known in SYMBOLS.items() if sign in text), None)


def money(text: str) -> float | None:
    """The amount in `text`, None where there is not exactly one.

    >>> money("$1,299.00"), money("1.299,00 €"), money("99元"), money("12-15")
    (1299.0, 1299.0, 99.0, None)
    """
    found = AMOUNT.findall(text.strip())
    rest = AMOUNT.sub("", text)
    words = CODE.sub("", rest)
    for sign in SYMBOLS:
        words = words.replace(sign, "")
    minus = text.strip().startswith(("-", "−"))
    if len(found) != 1 or words.strip("() \t\u00a0\u202f") not in (("", "-", "−") if minus else ("",)):
        return None
    number = re.sub(r"[\s'’\u00a0\u202f]", "", found[0]).replace("−", "-")
    amount = _decimal(number, euro="€" in text or "EUR" in text)
    return -amount if amount and minus and amount > 0 else amount


def _decimal(number: str, *, euro: bool) -> float | None:
    """Read separators: the last of two kinds is the decimal one; a lone comma before three digits is not."""
    comma, point = number.rfind(","), number.rfind(".")
    if comma >= 0 and point >= 0:
        number = number.replace(".", "").replace(",", ".") if comma > point else number.replace(",", "")
    elif comma >= 0:
        thousands = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", number)
        number = number.replace(",", "" if thousands else ".")
    elif number.count(".") > 1 or (euro and re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+", number)):
        number = number.replace(".", "")
    try:
        return float(number)
    except ValueError:  # such as "1,2,3"
        return None
