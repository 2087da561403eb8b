"""The vocabulary files in, departments, leaf categories, brands and words in both languages out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["EN", "ZH", "Brand", "Leaf", "Pair", "Taxonomy", "taxonomy", "vocabulary"]

ZH, EN = 0, 1
"""Index of a language in every pair and array."""
LANGUAGES = ("zh", "en")

Pair = tuple[tuple[str, ...], tuple[str, ...]]
"""Chinese words, English words for one thing; the first are what listings say most, the last what shoppers say."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One narrow category: what is in it, how it is spoken of, priced and drawn."""

    key: str
    department: int
    path: tuple[tuple[str, ...], tuple[str, ...]]
    """Names of the three levels in Chinese, in English."""
    kinds: tuple[Pair, ...]
    asks: tuple[Pair, ...]
    """For each kind, the need behind it in words that no listing uses."""
    points: tuple[tuple[Pair, ...], ...]
    """Selling points that are true of each kind."""
    materials: tuple[tuple[str, ...], ...]
    options: tuple[tuple[tuple[str, tuple[Pair, ...]], ...], ...]
    """For each kind: name of the option and its values."""
    colours: tuple[str, ...]
    audience: tuple[str, ...]
    price: float
    """Median, Chinese yuan."""
    spread: float
    """Standard deviation of log price."""
    scale: tuple[float, ...]
    """Price of each kind relative to the leaf's."""
    shape: tuple[str, ...]
    """What a picture of each kind shows."""
    season: int
    """Day of the year on which most is sold; 0 for none."""
    repeat: int
    """Days after which a shopper buys it again; 0 for never."""
    goes_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """An invented maker; Chinese listings carry both names."""

    names: tuple[str, str]
    departments: frozenset[str]
    band: int
    """-1 cheap, 0 middle, 1 dear."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Everything that products, queries and tastes are made of."""

    departments: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    brands: tuple[Brand, ...]
    colours: dict[str, Pair]
    materials: dict[str, Pair]
    styles: dict[str, Pair]
    audiences: dict[str, Pair]
    words: dict[str, Any]

    def complements(self) -> tuple[tuple[int, ...], ...]:
        """For each leaf, the numbers of those bought after it."""
        number = {leaf.key: index for index, leaf in enumerate(self.leaves)}
        return tuple(tuple(number[key] for key in leaf.goes_with) for leaf in self.leaves)


def vocabulary(name: str) -> Any:
    """One JSON file of words that ships with the package."""
    return json.loads(files("mercer.sample").joinpath("vocabulary", name).read_text("utf-8"))


@cache
def taxonomy() -> Taxonomy:
    """The invented shop's world; it does not depend on the seed.

    >>> world = taxonomy()
    >>> len(world.departments), len(world.leaves)
    (12, 72)
    """
    words = vocabulary("words.json")
    keys = sorted(path.name for path in files("mercer.sample").joinpath("vocabulary", "departments").iterdir())
    departments = [vocabulary(f"departments/{name}") for name in keys]
    brands = [Brand((zh, en), frozenset(rooms.split()), band) for en, zh, rooms, band in vocabulary("brands.json")]
    return Taxonomy(
        departments=tuple(department["key"] for department in departments),
        leaves=tuple(
            _leaf(leaf, number, department, words)
            for number, department in enumerate(departments)
            for leaf in department["leaves"]
        ),
        brands=tuple(brands),
        colours={key: pair(value["words"]) for key, value in words["colours"].items()},
        materials={key: pair(value) for key, value in words["materials"].items()},
        styles={key: pair(value) for key, value in words["styles"].items()},
        audiences={key: pair(value) for key, value in words["audiences"].items()},
        words=words,
    )


def pair(text: str) -> Pair:
    """Read ``"mug/cup|马克杯/杯子"``.

    >>> pair("mug/cup|马克杯")
    (('马克杯',), ('mug', 'cup'))
    """
    english, chinese = text.split("|")
    return tuple(chinese.split("/")), tuple(english.split("/"))


def _leaf(raw: dict[str, Any], number: int, department: dict[str, Any], words: dict[str, Any]) -> Leaf:
    levels = [pair(name) for name in (department["name"], raw["group"], raw["name"])]
    kinds = tuple(pair(kind) for kind in raw["kinds"])
    materials = raw.get("materials", "").split(";")
    colours = raw.get("colours", ",".join(words["colours"]))
    return Leaf(
        key=raw["key"],
        department=number,
        path=(tuple(level[ZH][0] for level in levels), tuple(level[EN][0] for level in levels)),
        kinds=kinds,
        asks=tuple(_whole(ask) for ask in raw["asks"]),
        points=tuple(
            _true_of(kind, raw["points"] + words["true_of_any"][department["key"]]) for kind in range(len(kinds))
        ),
        materials=tuple(_names(materials[kind % len(materials)]) for kind in range(len(kinds))),
        options=tuple(_options(kind, raw["options"]) for kind in range(len(kinds))),
        colours=_names(colours),
        audience=_names(raw.get("audience", "")),
        price=raw["price"],
        spread=raw.get("spread", 0.45),
        scale=tuple(raw["scale"]),
        shape=tuple((raw["shape"].split(";") * len(kinds))[: len(kinds)]),
        season=raw.get("season", 0),
        repeat=raw.get("repeat", 0),
        goes_with=tuple(raw["goes_with"]),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _whole(text: str) -> Pair:
    """A sentence pair, whose slashes are its own."""
    english, chinese = text.split("|")
    return (chinese,), (english,)


def _true_of(kind: int, points: list[str]) -> tuple[Pair, ...]:
    """Points without a mark hold for all kinds, ``01@`` only for kinds 0 and 1."""
    found = []
    for point in points:
        mark, _, text = point.rpartition("@")
        if not mark or str(kind) in mark:
            found.append(_whole(text))
    return tuple(found)


def _options(kind: int, options: dict[str, list[str]]) -> tuple[tuple[str, tuple[Pair, ...]], ...]:
    found = []
    for marked, values in options.items():
        name, _, mark = marked.partition("@")
        if not mark or str(kind) in mark:
            found.append((name, tuple(_value(value) for value in values)))
    return tuple(found)


def _value(text: str) -> Pair:
    """``"dark roast=深烘"``, or the same in both languages."""
    english, _, chinese = text.partition("=")
    return (chinese or english,), (english,)
