"""The right side of a line of [map.*] in; the raw columns or the constant it names out."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mercer.errors import SettingsError
from mercer.quality.schema import COLUMNS

__all__ = ["RETAIL", "Expression", "parse"]

RETAIL = "=purchase|refund"
"""Rule for `type` of invoice lines: a refund where the quantity is negative or the session (invoice) begins with C."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``"raw"``, ``"first | otherwise"`` (the first present), ``"a + b"`` (packed together) or ``"=constant"``."""

    columns: tuple[str, ...] = ()
    constant: str | None = None


def parse(family: str, mapping: Mapping[str, str], raw: Collection[str], *, closed: bool) -> dict[str, Expression]:
    """Understand every line of one family's mapping.

    Args:
        family: whose canonical columns the keys are.
        mapping: canonical column → expression.
        raw: columns the file is known to have.
        closed: whether the file can have no others (JSON lines may: a key can appear late).

    Raises:
        SettingsError: an unknown canonical or raw column; the nearest right name is given.

    >>> parse("products", {"price": "sale_price | price", "currency": "=CNY"}, ["price", "sale_price"], closed=True)
    {'price': Expression(columns=('sale_price', 'price'), constant=None),
     'currency': Expression(columns=(), constant='CNY')}
    """
    result = {}
    for column, text in mapping.items():
        if column not in COLUMNS[family]:
            raise _unknown(f"[map.{family}] {column}", column, COLUMNS[family])
        expression = _expression(str(text), raw)
        for name in expression.columns:
            if closed and name not in raw:
                raise _unknown(f"[map.{family}] {column} = {text!r}: column {name!r}", name, raw)
        result[column] = expression
    return result


def _expression(text: str, raw: Collection[str]) -> Expression:
    if text in raw:
        return Expression((text,))
    if text.startswith("="):
        return Expression(constant=text[1:])
    for sign in (" | ", " + "):
        if sign in text:
            return Expression(tuple(part.strip() for part in text.split(sign)))
    return Expression((text,))


def _unknown(what: str, name: str, known: Collection[str]) -> SettingsError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    cure = f"did you mean {near[0]!r}?" if near else f"the columns are: {', '.join(known)}"
    return SettingsError(f"{what} is not there", cure=cure)
