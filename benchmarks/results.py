"""A benchmark's name and table in; its section of RESULTS.md, new or in the place of the one before, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["put"]

RESULTS = Path(__file__).parent / "RESULTS.md"


def put(name: str, title: str, lines: Sequence[str], *, path: Path = RESULTS) -> None:
    """Write `lines` under `title` between the marks of `name`; what stands outside them stays as it is."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    text = path.read_text("utf-8")
    body = "\n".join([start, f"## {title}\n", *lines, end])
    if start in text:
        before, rest = text.split(start, 1)
        text = before + body + rest.split(end, 1)[1]
    else:
        text = f"{text.rstrip()}\n\n{body}\n"
    path.write_text(text, "utf-8")
