"""Products in, products of which some have broken text out (C07)."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]

INVISIBLE = "\u200b"
KINDS = ("mojibake_latin1", "mojibake_gbk", "markup", "invisible", "entity")


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """UTF-8 read as Latin-1 or GBK (Chinese only), HTML tags, entities, zero-width characters, in one text field."""
    rng = np.random.default_rng(seed)
    ledger = Ledger("C07", "products")
    values: dict[str, dict[int, object]] = {"title": {}, "description": {}}
    for number, row in enumerate(victims(len(frame), rate, rng)):
        field = "title" if rng.random() < 0.5 else "description"
        text, kind = frame[field][row].as_py(), KINDS[number % len(KINDS)]
        if text.isascii() and kind.startswith("mojibake"):
            kind = KINDS[2 + number % 3]
        values[field][row] = broken(text, kind)
        ledger.add(row, field, kind, text)
    for field, changes in values.items():
        frame = replaced(frame, field, changes)
    return frame, ledger.table()


def broken(text: str, kind: str) -> str:
    """`text` with one kind of damage.

    >>> broken("杯", "mojibake_latin1")
    'æ\\x9d¯'
    """
    if kind == "mojibake_latin1":
        return text.encode().decode("latin-1")
    if kind == "mojibake_gbk":
        return text.encode().decode("gbk", "replace")
    if kind == "markup":
        return f"<p><b>{text}</b><br/></p>"
    if kind == "entity":
        return html.escape(f"{text} & more").replace(" ", "&nbsp;", 1)
    half = len(text) // 2
    return text[:half] + INVISIBLE + text[half:] + INVISIBLE
