"""Queries and a command (a translation there and back, a language model) in; each query said otherwise out."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence

from mercer.errors import DataError, SettingsError

__all__ = ["by_call", "by_command"]

SECONDS = 600.0
"""That a command may take for all queries."""


def by_call(texts: Sequence[str], rewrite: Callable[[Sequence[str]], Sequence[str]]) -> dict[str, str]:
    """Query → what `rewrite` makes of it; those it leaves empty or as they were are left out.

    Raises:
        DataError: it gives another number of texts than it got.
    """
    said = list(rewrite(texts)) if texts else []
    if len(said) != len(texts):
        raise DataError(
            f"the rewriter made {len(said)} lines of {len(texts)} queries", cure="let it write one line a query"
        )
    changed = ((text, other.strip()) for text, other in zip(texts, said, strict=True))
    return {text: other for text, other in changed if other and other != text}


def by_command(texts: Sequence[str], command: str, *, seconds: float = SECONDS) -> dict[str, str]:
    """The same by a command that reads a query a line and writes one otherwise a line, such as a back-translation.

    Raises:
        SettingsError: the command cannot be run, fails or takes too long. DataError: another number of lines.
    """

    def run(given: Sequence[str]) -> list[str]:
        lines = "".join(" ".join(text.split()) + "\n" for text in given)
        try:
            done = subprocess.run(  # the owner's own command, without a shell
                shlex.split(command), input=lines, capture_output=True, text=True, timeout=seconds, check=True
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise SettingsError(f"[learn.augment] rewriter {command!r}: {error}", cure="try it in a shell") from error
        return done.stdout.splitlines()

    return by_call(texts, run)
