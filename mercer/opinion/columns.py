"""Rows of an unknown file in; which column holds the text and which the label out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mercer.errors import DataError, RequestError

__all__ = ["Columns", "of"]

NAMES: dict[str, list[str]] = json.loads(files("mercer.opinion").joinpath("columns.json").read_text("utf-8"))
"""What such columns are called in public data sets, the surest first."""
SAMPLE = 5000


@dataclass(frozen=True, slots=True)
class Columns:
    """What was chosen, and from what."""

    text: str
    label: str
    seen: tuple[str, ...]


def of(rows: Sequence[Mapping[str, str]], path: Path, *, text: str = "", label: str = "", only: str = "") -> Columns:
    """Choose by name, else by what stands in the columns: texts are long and different, labels few and short.

    Args:
        rows: at least one.
        path: for the message.
        text: a column's name; "" guesses.
        label: a column's name; "" guesses.
        only: ``text`` or ``label`` where the other is not looked for.

    Raises:
        RequestError: a column that is named and not there.
        DataError: none fits.
    """
    seen = tuple(dict.fromkeys(name for row in rows[:SAMPLE] for name in row))
    known = {_plain(name): name for name in reversed(seen)}
    for given in (text, label):
        if given and given not in seen:
            raise RequestError(
                f"{path.name} has no column {given!r}; it has {', '.join(seen)}", cure="name one of them"
            )
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    values = {name: [value for row in sample if (value := row.get(name, "").strip())] for name in seen}
    told = label if only != "text" else ""
    if only != "text" and not label:
        named = [known[name] for name in map(_plain, NAMES["label"]) if name in known]
        told = next((name for name in named if name != text and _few(values[name])), "")
        told = told or min(
            (name for name in seen if name != text and _few(values[name])), key=lambda n: _size(values[n]), default=""
        )
    said = text if only != "label" else ""
    if only != "label" and not text:
        free = [known[name] for name in map(_plain, NAMES["text"]) if name in known and known[name] != told]
        said = next((name for name in free if _wordy(values[name])), "")
        said = said or max(
            (name for name in seen if name != told and values[name]), key=lambda n: _mean(values[n]), default=""
        )
    for what, found in (("text", said), ("label", told)):
        if not found and only in ("", what):
            kinds = ", ".join(f"{name} ({len(set(values[name]))} values)" for name in seen)
            raise DataError(
                f"{path.name}: no column can be the {what}; it has {kinds}", cure=f"name it: --{what} COLUMN"
            )
    return Columns(said, told, seen)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _few(values: Sequence[str]) -> bool:
    """Whether these may be labels: more than one, far fewer than rows, short."""
    kinds = set(values)
    return 2 <= len(kinds) <= max(2, min(500, len(values) // 2)) and _mean(list(kinds)) <= 40


def _size(values: Sequence[str]) -> tuple[int, float]:
    return len(set(values)), _mean(values)


def _wordy(values: Sequence[str]) -> bool:
    return len(set(values)) > max(1, len(values) // 20)


def _mean(values: Sequence[str]) -> float:
    return sum(map(len, values)) / max(1, len(values))
