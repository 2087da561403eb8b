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
    """(page, field, default) of every field of every settings class, of checks those that the page explains."""
    explained = set(
        re.findall(r"^## ([A-Z]\d\d)", (ROOT / "docs" / "en" / "checks.md").read_text("utf-8"), re.MULTILINE)
    )
    for path in sorted((ROOT / "mercer").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.decorator_list:
                threshold = any(getattr(base, "id", "") == "CheckSettings" for base in node.bases)
                if threshold and path.stem[:3].upper() not in explained:
                    continue
                if (
                    threshold
                    or node.name == "Resampling"
                    or (node.name.endswith("Settings") and node.name != "Settings")
                ):
                    kind = getattr(importlib.import_module(module), node.name)
                    values = kind()
                    for field in dataclasses.fields(kind):
                        if not threshold or field.name in kind.__annotations__:
                            page = "checks" if threshold else path.relative_to(ROOT / "mercer").parts[0]
                            page = "recommend" if node.name == "SimilarSettings" else page.removesuffix(".py")
                            yield page, field.name, as_toml(getattr(values, field.name))


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
        if page.stem in (*ROOMS, "checks")
        for name, default in re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ", page.read_text("utf-8"), re.MULTILINE)
    }
    rows = [f"{page}.md: | `{name}` | `{default}` |" for page, name, default in sorted(known - said)]
    assert not rows, "rows that are missing or have another default:\n" + "\n".join(rows)
    assert not said - known, f"settings that are not there: {sorted(said - known)}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_check_is_explained(language: str) -> None:
    from mercer.quality.check import registry

    parts = re.split(r"^## ", (ROOT / "docs" / language / "checks.md").read_text("utf-8"), flags=re.MULTILINE)
    told = {part[:3]: part for part in parts}
    for id, declared in registry().items():
        for problem in declared.problems if id in told else ():
            assert f"`{problem}`" in told[id], f"{id} finds {problem}, and the page does not say so"
    if missing := sorted(set(registry()) - set(told)):
        pytest.skip(f"not on the page yet: {', '.join(missing)}")
