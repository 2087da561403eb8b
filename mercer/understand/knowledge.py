"""Products in, which devices they say they are for out; then found in queries: what fits, and what does not."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import FormatError
from mercer.records import Product
from mercer.shop import disk_errors, write_json
from mercer.understand.normalise import HAN, normalise

__all__ = ["Device", "Fitting", "Knowledge"]

FORMAT = 1
"""Layout of the JSON file."""
MODELS, PRODUCTS = 2, 3
"""A word before a number is a line of devices if so many of its models are named by so many products: "iPhone 13" is,
"Aged 5" is said by few."""
MOSTLY = 0.3
"""Share of the titles with its word in which a line is followed by a model: "iPhone" is, "case" is not."""

_FOR = re.compile(
    r"\b(?:compatible (?:with|for)|fits?(?: for)?|for|works? with)\b|适用于?|适配|兼容",
    re.I,
)
_UNIT = (
    r"(?!\s*(?:inch|inches|in|ft|feet|foot|cm|mm|m|v|w|ml|l|oz|lbs?|kg|g|pcs|pieces?|packs?|count|ct|x|%|\"|''|th|st|nd|rd|"
    r"years?|months?|people|persons?|cups?|gallons?|layers?|寸|米|升|克|岁|件|个|片|支|瓶|码|只|色|合|周)(?![a-z]))"
    r"(?!\s*(?:to|-|–|~)\s*\d)"
)
_MODEL = rf"(?:[a-z]{{1,2}}-?)?\d{{1,4}}[a-z]{{0,2}}(?![\w.%]){_UNIT}"
_SUFFIX = r"(?:\s*(?:promax|pro|plus|max|mini|ultra|se|xl|lite|fe)(?![a-z]))*"
_DEVICE = re.compile(
    rf"(?P<line>(?<![a-z])[a-z]{{3,}}|[{HAN}]{{2,4}})\s*(?P<first>{_MODEL}{_SUFFIX})"
    rf"(?P<more>(?:\s*(?:[/,&、|]|and(?![a-z])|or(?![a-z]))?\s*{_MODEL}{_SUFFIX})*)",
    re.I,
)
_ONE = re.compile(rf"{_MODEL}{_SUFFIX}", re.I)
_LEAD = r"\s*(?:(?:the|your)\s+)?(?:[a-z]+\s+){0,2}?"
_FIRST = re.compile(_LEAD + _DEVICE.pattern, re.I)
_NEXT = re.compile(r"\s*(?:[/,&、|(]|and(?![a-z])|or(?![a-z]))\s*" + _LEAD + _DEVICE.pattern, re.I)
_WORD = re.compile(rf"[a-z]{{3,}}|[{HAN}]{{2,4}}", re.I)
_NUMBER = re.compile(r"\d+")
_GLUED = re.compile(r"(?<=[\da-z])(pro|plus|max|mini|ultra|lite)")
_SAYS_FOR = re.compile(r"compatib|fits|适用|适配|兼容", re.I)
_PEOPLE = frozenset(["age", "aged", "adult", "kid", "child", "player", "person", "people", "family"])
"""For ages 8 and up: no device."""
_YEAR = re.compile(r"(?:19|20)\d\d$")
Device = tuple[str, str]
"""Line and model, as ("iphone", "13 pro")."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """A device that a query names, and what the shop has for it."""

    words: str
    device: Device
    fits: tuple[str, ...]
    """Ids of the products that say they are for it."""
    misfits: tuple[str, ...]
    """Ids of those that are for other models of its line only."""


class Knowledge:
    """What a shop's products say they are for.

    >>> shop = [Product(f"{n}{m}", f"Case for iPhone {m}") for n in "ab" for m in (12, 13)]
    >>> found = Knowledge.build(shop)("iphone 13 case")[0]
    >>> found.device, found.fits, found.misfits
    (('iphone', '13'), ('a13', 'b13'), ('a12', 'b12'))
    """

    def __init__(self, fits: Mapping[str, Iterable[Device]], numbers: Mapping[str, Iterable[str]]) -> None:
        """What each product says it is for, and every number of its title: a list may be longer than was read."""
        self.fits = {id: tuple(devices) for id, devices in fits.items()}
        self.numbers = {id: tuple(said) for id, said in numbers.items()}
        self._by_line: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
        for id, devices in self.fits.items():
            for line, model in devices:
                self._by_line[line].setdefault(id, set()).add(model)

    @classmethod
    def build(cls, products: Iterable[Product]) -> Knowledge:
        """Read titles and attributes; a line counts where several models of it are named by several products."""
        whole = list(products)
        said = {product.id: found for product in whole if (found := set(_stated(product)))}
        models: defaultdict[str, set[str]] = defaultdict(set)
        named: Counter[str] = Counter()
        for devices in said.values():
            named.update({line for line, _ in devices})
            for line, model in devices:
                models[line].add(model)
        lines = {line for line in named if named[line] >= PRODUCTS and len(models[line]) >= MODELS}
        lines &= _followed(whole, lines)
        kept = {id: sorted(device for device in devices if device[0] in lines) for id, devices in said.items()}
        kept = {id: devices for id, devices in kept.items() if devices}
        titles = {product.id: product.title for product in whole if product.id in kept}
        return cls(kept, {id: sorted(set(_NUMBER.findall(normalise(title)))) for id, title in titles.items()})

    def __call__(self, text: str) -> list[Fitting]:
        """Devices of the shop's lines that a normalised query names, at most one of each line."""
        found: dict[str, Fitting] = {}
        for match in _DEVICE.finditer(text):
            for line, model in _devices(match):
                if line in self._by_line and line not in found:
                    having, number = self._by_line[line], _NUMBER.findall(model)
                    fits = tuple(id for id, models in having.items() if model in models)
                    others = (id for id, models in having.items() if model not in models)
                    misfits = tuple(id for id in others if not {*number} & {*self.numbers.get(id, ())})
                    found[line] = Fitting(match.group(), (line, model), fits, misfits)
        return list(found.values())

    def add(self, products: Iterable[Product]) -> None:
        """Products put since the index was built: of the lines that the shop has, what they say they are for now."""
        for product in products:
            devices = sorted(device for device in set(_stated(product)) if device[0] in self._by_line)
            for line in {line for line, _ in (*self.fits.get(product.id, ()), *devices)}:
                models = {model for one, model in devices if one == line}
                others = {id: said for id, said in self._by_line[line].items() if id != product.id}
                self._by_line[line] = {**others, product.id: models} if models else others  # others may be reading
            self.fits[product.id] = tuple(devices)
            self.numbers[product.id] = tuple(sorted(set(_NUMBER.findall(normalise(product.title)))))

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        with disk_errors(path):
            write_json(path, {"format": FORMAT, "fits": self.fits, "numbers": self.numbers})

    @classmethod
    def load(cls, path: Path) -> Knowledge:
        """Read what `save` wrote; an index older than that knows nothing.

        Raises:
            FormatError: the file is something else.
        """
        if not path.exists():
            return cls({}, {})
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != FORMAT:
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            fits = {str(id): [(str(line), str(model)) for line, model in said] for id, said in data["fits"].items()}
            return cls(fits, {str(id): [*map(str, said)] for id, said in data["numbers"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error


def _stated(product: Product) -> Iterator[Device]:
    """Devices that a product says it is for: the first stands right behind "for", the others in one list with it."""
    title = normalise(product.title)
    for start in (match.end() for match in _FOR.finditer(title)):
        match = _FIRST.match(title, start)
        while match:
            yield from _devices(match)
            match = _NEXT.match(title, match.end())
    for name, value in product.attributes.items():
        if _SAYS_FOR.search(name):
            for found in _DEVICE.finditer(normalise(value)):
                yield from _devices(found)


def _devices(match: re.Match[str]) -> Iterator[Device]:
    """Every model of a mention, with the line that is named once."""
    line = _line(match["line"])
    for model in (match["first"], *_ONE.findall(match["more"])):
        said = " ".join(_GLUED.sub(r" \1", model.lower().replace("-", "")).split())
        if line not in _PEOPLE and not _YEAR.match(said):
            yield line, said


def _line(word: str) -> str:
    """AirPods and AirPod are one."""
    return word.lower() if word.lower().endswith("ss") else word.lower().removesuffix("s")


def _followed(products: Iterable[Product], lines: Collection[str]) -> set[str]:
    """Those of the lines whose word is mostly followed by a model, where titles have it."""
    words: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for product in products:
        title = normalise(product.title)
        words.update({_line(word) for word in _WORD.findall(title)} & {*lines})
        before.update({line for match in _DEVICE.finditer(title) for line, _ in _devices(match)} & {*lines})
    return {line for line in lines if before[line] >= MOSTLY * max(words[line], 1)}
