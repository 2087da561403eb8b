"""The tables of the docs are whole: every setting with its default, every problem of every check, in both languages."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {path.stem for path in (ROOT / "mercer").iterdir()}


def settings() -> Iterator[tuple[str, str, str]]:
    """(page, field, default) of every field of every settings class that is no check's."""
    for path in sorted((ROOT / "mercer").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.decorator_list:
                named = node.name.endswith("Settings") and node.name != "Settings"
                if named or node.name == "Resampling":
                    kind = getattr(importlib.import_module(module), node.name)
                    values = kind()
                    for field in dataclasses.fields(kind):
                        page = path.relative_to(ROOT / "mercer").parts[0]
                        page = "recommend" if node.name == "SimilarSettings" else page.removesuffix(".py")
                        yield page, field.name, as_toml(getattr(values, field.name))


def thresholds() -> Iterator[tuple[str, str, str]]:
    """(check, field, default) of what each check can be told beyond what all can, and of defaults of its own."""
    from mercer.quality.check import CheckSettings, registry

    usual = CheckSettings()
    for id, declared in registry().items():
        values = declared.settings()
        for field in dataclasses.fields(values):
            value = getattr(values, field.name)
            if getattr(usual, field.name, None) != value or not hasattr(usual, field.name):
                yield id, field.name, as_toml(value)


def sections(language: str) -> dict[str, str]:
    """Check → its part of the pages checks-*.md."""
    found: dict[str, str] = {}
    for page in sorted((ROOT / "docs" / language).glob("checks-*.md")):
        for part in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            assert part[:3] not in found, f"{part[:3]} has two sections"
            found[part[:3]] = part
    return found


ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \| ", re.MULTILINE)
"""Of a table of settings: name and default."""


def as_toml(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return "{…}"
    if isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {as_toml(one)}" for name, one in value.items()) + "}"
    return "[" + ", ".join(map(as_toml, value)) + "]" if isinstance(value, tuple) else repr(value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_setting_is_named_with_its_default(language: str) -> None:
    known = set(settings())
    said = {
        (page.stem, name, default)
        for page in (ROOT / "docs" / language).glob("*.md")
        if page.stem in ROOMS
        for name, default in ROW.findall(page.read_text("utf-8"))
    }
    rows = [f"{page}.md: | `{name}` | `{default}` |" for page, name, default in sorted(known - said)]
    assert not rows, "rows that are missing or have another default:\n" + "\n".join(rows)
    assert not said - known, f"settings that are not there: {sorted(said - known)}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_check_is_explained(language: str) -> None:
    from mercer.quality.check import registry

    told = sections(language)
    assert set(told) == set(registry()), "checks without a section, or sections without a check"
    said = {(id, name, default) for id, part in told.items() for name, default in ROW.findall(part)}
    known = set(thresholds())
    rows = [f"{id}: | `{name}` | `{default}` |" for id, name, default in sorted(known - said)]
    assert not rows, "rows that are missing or have another default:\n" + "\n".join(rows)
    assert not said - known, f"settings that are not there: {sorted(said - known)}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_problem_is_told_with_its_action(language: str) -> None:
    from mercer.quality.check import registry

    missing = []
    for id, part in sections(language).items():
        told = {
            (problem, action)
            for names, action in re.findall(r"^\| (`\w+`(?:[,、] ?`\w+`)*) \| (\w+) \|", part, re.MULTILINE)
            for problem in re.findall(r"`(\w+)`", names)
        }
        known = {(problem, one.action) for problem, one in registry()[id].problems.items()}
        missing += [f"{id}: | `{problem}` | {action} |" for problem, action in sorted(known ^ told)]
    assert not missing, "rows that are missing, too many, or have another action:\n" + "\n".join(missing)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_of_checks_is_whole(language: str) -> None:
    from mercer.quality.check import registry

    page = (ROOT / "docs" / language / "checks.md").read_text("utf-8")
    words = {id: one.english if language == "en" else one.chinese for id, one in registry().items()}
    listed = re.findall(r"^\| \[(\w+)\]\(checks-\w+\.md#\S+\) \| \S+ \| (.+?) \|$", page, re.MULTILINE)
    assert dict(listed) == words
    assert str(len(words)) in page.splitlines()[2], "the number of checks"
