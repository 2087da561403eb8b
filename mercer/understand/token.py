"""A text in; its tokens, in the form in which names and synonyms are compared, out."""

from __future__ import annotations

import re

from mercer.understand.normalise import HAN, normalise, stem

__all__ = ["TOKEN", "key", "token"]

TOKEN = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*")
"""One Han character, or one word."""


def key(text: str) -> tuple[str, ...]:
    """Tokens of a text, normalised.

    >>> key("Red Dresses 保溫杯")
    ('red', 'dress', '保', '温', '杯')
    """
    return tuple(token(found) for found in TOKEN.findall(normalise(text)))


def token(found: str) -> str:
    """One token of normalised text: lower case, an English word as its stem."""
    found = found.lower()
    return stem(found) if found.isascii() else found
