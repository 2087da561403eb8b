"""A benchmark's name and table in; its section of RESULTS.md, new or in the place of the one before, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["put", "replace"]

RESULTS = Path(__file__).parent / "RESULTS.md"


def put(name: str, title: str, lines: Sequence[str], *, path: Path = RESULTS) -> None:
    """Write `lines` under `title` into the section `name`."""
    replace(name, "\n".join([f"## {title}\n", *lines]), path=path)


def replace(name: str, text: str, *, path: Path = RESULTS) -> None:
    """Put `text` between the marks of `name`, at the end where it is new; what stands outside them stays as it is."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    before = path.read_text("utf-8") if path.exists() else "# Results\n"
    section = f"{start}\n{text.strip()}\n{end}"
    if start in before:
        head, rest = before.split(start, 1)
        after = f"{head}{section}{rest.split(end, 1)[1]}"
    else:
        after = f"{before.rstrip()}\n\n{section}\n"
    path.write_text(after, "utf-8")
