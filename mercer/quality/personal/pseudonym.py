"""A text and a secret in; the text with a pseudonym where it named a person out."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from mercer.quality.personal.recognise import find
from mercer.quality.personal.span import Span

__all__ = ["mask"]

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""Letters only, so that a pseudonym never looks like a number."""


def mask(
    text: str, *, salt: str, kinds: Collection[str] | None = None, spans: Sequence[Span] | None = None
) -> tuple[str, list[Span]]:
    """Replace what names a person, and say where it stood in the text that came.

    Args:
        text: any; masking twice changes nothing.
        salt: a secret. The same number gets the same pseudonym in every text; without the salt nobody can try out
            all numbers. "": pseudonyms count from 1 inside each text and say nothing across texts.
        kinds: of `kind.KINDS`, those wanted; None: all.
        spans: what was found before, in order of place; None: look for it.

    >>> mask("打13800138000，或 138-0013-8000", salt="")[0]
    '打[mobile-1]，或 [mobile-1]'
    """
    if spans is not None:
        return _put(text, spans, salt), list(spans)
    chosen = find(text, kinds=kinds)
    masked = _put(text, chosen, salt)
    while chosen and (more := find(masked, kinds=kinds)):  # what only the digits beside it hid
        chosen = sorted([*chosen, *_moved(more, chosen, salt)], key=lambda span: span.start)
        masked = _put(text, chosen, salt)
    return masked, chosen


def _put(text: str, spans: Sequence[Span], salt: str) -> str:
    pieces, done = [], 0
    for span, pseudonym in zip(spans, _pseudonyms(spans, salt), strict=True):
        pieces += [text[done : span.start], pseudonym]
        done = span.end
    return "".join([*pieces, text[done:]])


def _moved(more: Sequence[Span], before: Sequence[Span], salt: str) -> list[Span]:
    """Spans of a masked text where they stand in the text before it was masked."""
    moved = []
    for span in more:
        shift, longer = 0, 0
        for old, pseudonym in zip(before, _pseudonyms(before, salt), strict=True):
            if old.start + longer < span.start:
                longer += len(pseudonym) - (old.end - old.start)
                shift = longer
        moved.append(Span(span.start - shift, span.end - shift, span.kind, span.value, span.score))
    return moved


def _pseudonyms(spans: Sequence[Span], salt: str) -> list[str]:
    numbers: dict[tuple[str, str], int] = {}
    counted = [numbers.setdefault((span.kind, span.value), len(numbers) + 1) for span in spans]
    return [_pseudonym(span, salt, number) for span, number in zip(spans, counted, strict=True)]


def _pseudonym(span: Span, salt: str, number: int) -> str:
    if not salt:
        return f"[{span.kind}-{number}]"
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digest = hashlib.blake2b(f"{span.kind}\x00{span.value}".encode(), key=key, digest_size=6).hexdigest()
    return f"[{span.kind}-{digest.translate(_LETTERS)}]"
