"""A command in; the same command, which the processes that torchrun starts beside the first help to train, out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import typer

__all__ = ["together"]


def together(command: Callable[..., None]) -> Callable[..., None]:
    """The first process runs the command; the others take steps of what it trains and end with its exit code."""

    @functools.wraps(command)
    def run(*given: Any, **named: Any) -> None:
        from mercer.learn import ranks

        if ranks.first():
            with ranks.leading():
                command(*given, **named)
            return
        raise typer.Exit(ranks.follow(_part))

    return run


def _part(job: Mapping[str, Any]) -> None:
    from mercer.config import section
    from mercer.learn.reranker import RerankerSettings
    from mercer.learn.settings import LearnSettings
    from mercer.learn.share import take_part

    own = section(job["own"], RerankerSettings, name="learn.reranker") if "own" in job else None
    take_part(job, section(job["settings"], LearnSettings, name="learn"), own)
