"""What every command shares: the console, progress bars, JSON for machines, errors as one line and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mercer.errors import MercerError, ShopError

__all__ = ["JsonFlag", "ShopArgument", "answers", "console", "fail", "guarded", "print_json", "progress"]

console = Console(stderr=True)
"""What is said on the way: progress, notes, errors; on standard error."""

answers = Console()
"""What was asked for: tables and pages; on standard output, where --json goes too."""

ShopArgument = Annotated[Path, typer.Argument(metavar="SHOP", help="The shop's folder.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines on standard output.")]


def progress() -> Progress:
    """A progress display with counts and time left; silent where standard error is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write one JSON document to standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


def fail(error: MercerError) -> int:
    """Print an error as its problem and its cure; its exit code comes back."""
    console.print(f"[bold red]error[/] {_plain(error.problem)}", highlight=False, soft_wrap=True)
    console.print(f"[bold]cure [/] {_plain(error.cure)}", highlight=False, soft_wrap=True)
    return error.exit_code


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def guarded(run: Callable[[], Any]) -> int:
    """Run the command line; a MercerError becomes two lines and its exit code."""
    try:
        run()
    except MercerError as error:
        return fail(error)
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return fail(ShopError(what, cure="check that path, its permissions and the disk"))
    return 0
