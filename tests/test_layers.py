"""Imports point one way: the table in ARCHITECTURE.md, enforced."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mercer"

LAYERS = (
    {"cli"},
    {"client"},
    {"serve"},
    {"assistant"},
    {"doors"},
    {"search", "recommend"},
    {"opinion"},
    {"learn"},
    {"understand", "retrieve", "rank", "watch", "bench"},
    {"encode", "measure", "quality", "events", "sample"},
    {"shop", "config"},
    {"records"},
    {"errors"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
HEAVY = {"torch": {"encode", "learn", "rank"}, "transformers": {"encode", "learn", "rank"}}
ROOT = {"__init__", "__main__"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Rooms and top-level packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = [f"mercer.{alias.name}" for alias in node.names] if module == "mercer" else [module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found.add("mercer." + parts[1] if parts[0] == "mercer" and len(parts) > 1 else parts[0])
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_has_a_layer() -> None:
    rooms = {room_of(path) for path in FILES} - ROOT
    assert rooms <= set(LEVEL), f"rooms without a layer: {rooms - set(LEVEL)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    if room in ROOT:
        return
    for name in imports(path):
        if name.startswith("mercer."):
            used = name.removeprefix("mercer.")
            assert used == room or used.startswith("__") or LEVEL[used] > LEVEL[room], f"{room} may not import {used}"
            assert used != "learn" or room in ("cli", "learn"), "only cli may import learn"
            assert used != "config" or room in ("cli", "serve"), "only cli and serve read config"
            assert (room, used) != ("measure", "quality")
        elif name in HEAVY:
            assert room in HEAVY[name], f"{name} may not be imported in {room}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300, f"{path.name} is two things"
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{path} has no module docstring"
