"""mercer.toml: what is accepted, and how what is not is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from mercer.config import read, section
from mercer.doors import Settings
from mercer.errors import SettingsError


@dataclass(frozen=True)
class Inner:
    title: int = 3


@dataclass(frozen=True)
class Outer:
    depth: int = 1
    share: float = 0.5
    name: str = ""
    on: bool = False
    engine: Literal["zvec", "exact"] = "zvec"
    disable: tuple[str, ...] = ()
    limit: int | None = None
    of: dict[str, float] = field(default_factory=dict)
    text: Inner = field(default_factory=Inner)


def given(tmp_path: Path, text: str) -> dict[str, Any]:
    (tmp_path / "mercer.toml").write_text(text, "utf-8")
    return read(tmp_path / "mercer.toml", known=("retrieve", "search", "data"))


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    assert read(tmp_path / "mercer.toml", known=()) == {}


def test_every_kind_of_value_arrives(tmp_path: Path) -> None:
    text = (
        '[search]\ndepth = 3\nshare = 1\nname = "红"\non = true\nengine = "exact"\ndisable = ["C06"]\nlimit = 4\n'
        "[search.of]\nevents = 1\n[search.text]\ntitle = 9\n"
    )
    found = section(given(tmp_path, text)["search"], Outer, name="search")
    assert found == Outer(3, 1.0, "红", True, "exact", ("C06",), 4, {"events": 1.0}, Inner(9))
    assert isinstance(found.share, float)


@pytest.mark.parametrize(
    ("text", "problem", "cure"),
    [
        ("[serach]\n", "section [serach]", "did you mean search?"),
        ("[zzz]\n", "section [zzz]", "known: data, retrieve, search"),
        ('search = "x"\n', "outside a section", "search"),
        ("[search\n", "no TOML", "mend that line"),
        ("[search]\na = 1\na = 2\n", "no TOML", "mend that line"),
    ],
)
def test_a_wrong_file_is_refused_with_the_nearest_name(tmp_path: Path, text: str, problem: str, cure: str) -> None:
    with pytest.raises(SettingsError) as raised:
        given(tmp_path, text)
    assert problem in raised.value.problem
    assert cure in raised.value.cure


def test_bytes_that_are_no_text_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mercer.toml").write_bytes(b"\xff\xfe\x00[search]")
    with pytest.raises(SettingsError, match="no TOML"):
        read(tmp_path / "mercer.toml", known=("search",))
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        read(tmp_path / "folder", known=("search",))


@pytest.mark.parametrize(
    ("values", "problem", "cure"),
    [
        ({"depht": 1}, "[search] depht is unknown", "did you mean depth?"),
        ({"qqqq": 1}, "[search] qqqq is unknown", "known: "),
        ({"depth": "three"}, "[search] depth is 'three'", "type int"),
        ({"depth": 1.5}, "[search] depth is 1.5", "type int"),
        ({"depth": True}, "[search] depth is True", "type int"),
        ({"share": True}, "[search] share is True", "type float"),
        ({"share": "half"}, "[search] share is 'half'", "type float"),
        ({"share": 10**400}, "[search] share has more than 300 digits", "smaller"),
        ({"on": 1}, "[search] on is 1", "type bool"),
        ({"name": 3}, "[search] name is 3", "type str"),
        ({"engine": "faiss"}, "[search] engine is 'faiss'", "'zvec', 'exact'"),
        ({"engine": ["zvec"]}, "[search] engine is ['zvec']", "'zvec', 'exact'"),
        ({"disable": "C06"}, "[search] disable is 'C06'", "['C06']"),
        ({"disable": [6]}, "[search] disable is 6", "type str"),
        ({"of": 3}, "[search] of is 3", "table"),
        ({"of": {"events": "x"}}, "[search] of.events is 'x'", "type float"),
        ({"text": 3}, "[search] text is 3", "table"),
        ({"text": {"titel": 3}}, "[search.text] titel is unknown", "did you mean title?"),
        ({"text": {"title": "x"}}, "[search.text] title is 'x'", "type int"),
        ({"limit": "x"}, "[search] limit is 'x'", "type int"),
    ],
)
def test_a_wrong_value_is_refused_with_the_value_and_the_cure(values: dict[str, Any], problem: str, cure: str) -> None:
    with pytest.raises(SettingsError) as raised:
        section(values, Outer, name="search")
    assert problem in raised.value.problem
    assert cure in raised.value.cure


NUMBERS = [
    (room.name, kind, one.name)
    for room in fields(Settings)
    for kind in [type(getattr(Settings(), room.name))]
    for one in fields(kind)
    if isinstance(getattr(getattr(Settings(), room.name), one.name), int | float)
    and not isinstance(getattr(getattr(Settings(), room.name), one.name), bool)
]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -1.0e9])
@pytest.mark.parametrize(("room", "kind", "name"), NUMBERS)
def test_no_number_of_any_section_takes_what_cannot_be(room: str, kind: type, name: str, value: float) -> None:
    whole = isinstance(getattr(kind(), name), int)
    with pytest.raises(SettingsError) as raised:
        section({name: int(value) if whole and value == -1.0e9 else value}, kind, name=room)
    assert name in raised.value.problem, "the setting is named"


def test_nested_tables_of_the_real_settings() -> None:
    from mercer.retrieve.index import IndexSettings

    assert section({"text": {"title": 5}}, IndexSettings, name="retrieve").text.title == 5
    with pytest.raises(SettingsError, match="title is 21"):
        section({"text": {"title": 21}}, IndexSettings, name="retrieve")
    assert all(is_dataclass(getattr(Settings(), room.name)) for room in fields(Settings))
