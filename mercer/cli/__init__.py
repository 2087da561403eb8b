"""The command line: arguments in, one room's answer out; the shop folder is always the first argument."""

from __future__ import annotations

import importlib
import sys

import typer

from mercer.cli.terminal import guarded

__all__ = ["app", "main"]

app = typer.Typer(
    name="mercer",
    help="Mercer 掌柜: shop search and recommendation that learn from the shop's own data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

COMMANDS = (
    "init",
    "check",
    "quarantine",
    "labels",
    "learn",
    "compress",
    "index",
    "measure",
    "search",
    "explain",
    "synonyms",
    "recommend",
    "ask",
    "rules",
    "opinion",
    "serve",
    "watch",
    "experiment",
    "demo",
    "promote",
    "export",
    "prune",
    "erase",
    "keys",
    "backup",
    "restore",
    "audit",
    "doctor",
    "bench",
)
"""One file each, in the order of a shop's life; every file registers itself on `app` when imported."""

for _name in COMMANDS:
    importlib.import_module(f"mercer.cli.{_name}").register(app)


def main() -> None:
    """Entry point of ``mercer``."""
    sys.exit(guarded(app))
