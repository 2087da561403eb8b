"""A sentence and its sources in; what it says that the sources do not out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mercer.assistant.model import terms

__all__ = ["unsupported"]

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
CONTACT = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+|(?<!\d)1[3-9]\d{9}(?!\d)", re.IGNORECASE)
PROMISE = re.compile(
    r"\b(?:refund\w*|guarantee\w*|promise\w*|free|discount\w*|compensat\w*|coupon\w*|half price|gift card|voucher)\b|"
    r"退款|保证|承诺|免费|折扣|打折|赔|优惠券|立减|返现|包邮|补偿|代金券",
    re.IGNORECASE,
)
KNOWN_SHARE = 0.6
"""Share of a sentence's terms that must be in the sources or the question."""


def unsupported(sentence: str, sources: Iterable[str], question: str = "") -> str:
    """ "" where the sources hold it, else what they do not: a number, a contact, a promise, or most of its words.

    >>> unsupported("It costs ¥99.", ["Mug\\n¥89"])
    'number 99'
    >>> unsupported("It costs ¥89 and shipping is free.", ["Mug\\n¥89"])
    'promise free'
    >>> unsupported("The mug costs ¥89.", ["Mug\\n¥89"], "what does the mug cost")
    ''
    """
    held = "\n".join(sources)
    numbers = {_plain(one) for one in NUMBER.findall(held)}
    for number in NUMBER.findall(sentence):
        if _plain(number) not in numbers:
            return f"number {number}"
    for pattern, name in ((CONTACT, "contact"), (PROMISE, "promise")):
        for match in pattern.finditer(sentence):
            if match.group().lower() not in held.lower():
                return f"{name} {match.group()[:40]}"
    said, known = set(terms(sentence)), set(terms(held)) | set(terms(question))
    share = len(said & known) / len(said) if said else 1.0
    return "" if share >= KNOWN_SHARE else f"words {', '.join(sorted(said - known)[:5])}"


def _plain(number: str) -> str:
    """12,000.00 and 12000 are one number."""
    bare = number.replace(",", "")
    return bare.rstrip("0").rstrip(".") if "." in bare else bare
