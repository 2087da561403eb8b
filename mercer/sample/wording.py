"""Latent products in, what the shop's listings say about them in Chinese or English out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from string import Formatter
from typing import Any

from mercer.sample.catalogue import Goods
from mercer.sample.taxonomy import EN, LANGUAGES, ZH, Pair, Taxonomy, pair, vocabulary

__all__ = ["Wording"]

SMALL = {"in", "by", "of", "for", "and", "the", "with", "on", "a"}
FIRST_WORD = 0.72
"""Share of listings that use a thing's most common name; the rest use its second, no title its third."""
TWO_NAMES = 0.3
"""Share of Chinese titles that say both names, as shops there do to be found."""
OTHER_NAME = 0.25
"""Share of descriptions that mention the third name."""


class Wording:
    """Writes listings: ``Wording(goods, world, seed)(number)`` gives the text columns of one product."""

    def __init__(self, goods: Goods, world: Taxonomy, seed: int) -> None:
        self.goods, self.world = goods, world
        self.grammar = vocabulary("grammar.json")
        self.random = random.Random(f"wording {seed}")
        self.titles: set[str] = set()

    def __call__(self, number: int) -> dict[str, str]:
        """Columns title, description, bullets, brand, category and attributes of product `number`."""
        language = int(self.goods.language[number])
        grammar = self.grammar[LANGUAGES[language]]
        slots = self.slots(number, language)
        return {
            "title": self.title(grammar["title"], slots, language),
            "description": self.description(grammar, slots, language),
            "bullets": "\n".join(self.bullets(grammar["bullets"], slots)),
            "brand": slots["full_brand"],
            "category": " > ".join(self.world.leaves[self.goods.leaf[number]].path[language]),
            "attributes": json.dumps(self.attributes(number, language), ensure_ascii=False),
        }

    def slots(self, number: int, language: int) -> dict[str, str]:
        """The words that fill a template; "" where the product has no such property."""
        goods, world, choice = self.goods, self.world, self.random.choice
        leaf, kind = world.leaves[goods.leaf[number]], int(goods.kind[number])
        names = world.brands[goods.brand[number]].names
        points = self.random.sample(leaf.points[kind], 2)
        department = world.departments[leaf.department]
        options = option_words(goods, number, world, language)
        name, value, option = choice(options) if options else ("", "", "")
        return {
            "brand": names[EN] if language == EN else choice([names[ZH], names[ZH] + names[EN], names[EN] + names[ZH]]),
            "full_brand": names[EN] if language == EN else f"{names[ZH]} {names[EN]}",
            "noun": self.word(leaf.kinds[kind], language),
            "both": "".join(leaf.kinds[kind][language][:2]),
            "other": leaf.kinds[kind][language][-1],
            "model": goods.model[number],
            "style": self.word(_of(world.styles, world.styles, goods.style[number]), language),
            "material": self.word(_of(world.materials, leaf.materials[kind], goods.material[number]), language),
            "colour": self.word(_of(world.colours, leaf.colours, goods.colour[number]), language),
            "audience": self.word(_of(world.audiences, leaf.audience, goods.audience[number]), language),
            "point": points[0][language][0],
            "point2": points[1][language][0],
            "scene": pair(choice(world.words["scenes"][department]))[language][0],
            "extra": pair(choice(world.words["extras"]))[language][0],
            "option_name": name,
            "value": value,
            "option": option,
        }

    def word(self, names: Pair | None, language: int) -> str:
        if names is None:
            return ""
        words = names[language]
        return words[0] if len(words) == 1 or self.random.random() < FIRST_WORD else words[1]

    def title(self, templates: list[str], slots: dict[str, str], language: int) -> str:
        """A title that no other product of the shop has."""
        if said(slots["material"], slots["noun"], language):
            slots = slots | {"material": ""}
        if language == EN:
            slots = slots | {name: titled(slots[name]) for name in ("noun", "style", "material", "colour", "audience")}
        if language == ZH and self.random.random() < TWO_NAMES:
            slots = slots | {"noun": slots["both"]}
        segments = self.random.choice(templates).split("|")
        text = "".join(
            segment.format(**slots) for segment in segments if all(slots[name] for name in _named([segment]))
        )
        text = re.sub(r"\s+", " ", text).strip(" ,–")
        for name in ("colour", "model", "option"):
            if text not in self.titles:
                break
            text += f" {slots[name]}" if slots[name] and slots[name] not in text else ""
        self.titles.add(text)
        return text

    def description(self, grammar: dict[str, list[str]], slots: dict[str, str], language: int) -> str:
        parts = [part for part in ("material", "colour", "scene", "close") if self.random.random() < 0.6]
        named = ["other"] if self.random.random() < OTHER_NAME else []
        sentences = [self.sentence(grammar[part], slots) for part in ("open", *named, "point", *parts)]
        return (" " if language == EN else "").join(sentence for sentence in sentences if sentence)

    def sentence(self, templates: list[str], slots: dict[str, str]) -> str:
        """One template whose slots are all filled, or "" if there is none."""
        fitting = [template for template in templates if all(slots[name.lower()] for name in _named([template]))]
        return filled(self.random.choice(fitting), slots) if fitting else ""

    def bullets(self, templates: list[str], slots: dict[str, str]) -> list[str]:
        fitting = [template for template in templates if all(slots[name.lower()] for name in _named([template]))]
        kept = sorted(self.random.sample(range(len(fitting)), min(len(fitting), self.random.randint(2, 4))))
        return [filled(fitting[index], slots) for index in kept]

    def attributes(self, number: int, language: int) -> dict[str, str]:
        """What the shop's form holds, in the listing's language: the first word for each property."""
        goods, world = self.goods, self.world
        leaf, kind = world.leaves[goods.leaf[number]], int(goods.kind[number])
        found = {
            "colour": _of(world.colours, leaf.colours, goods.colour[number]),
            "material": _of(world.materials, leaf.materials[kind], goods.material[number]),
            "style": _of(world.styles, world.styles, goods.style[number]),
            "audience": _of(world.audiences, leaf.audience, goods.audience[number]),
        }
        values = {
            pair(world.words["labels"][name])[language][0]: names[language][0] for name, names in found.items() if names
        }
        for slot, chosen in enumerate((goods.option[number], goods.second[number])):
            if chosen >= 0:
                name, choices = leaf.options[kind][slot]
                values[pair(world.words["options"][name])[language][0]] = choices[chosen][language][0]
        return values | {pair(world.words["labels"]["model"])[language][0]: goods.model[number]}


def option_words(goods: Goods, number: int, world: Taxonomy, language: int) -> list[tuple[str, str, str]]:
    """Label, value and phrase of each option a product has: ``("Size", "M", "size M")``."""
    leaf, kind = world.leaves[goods.leaf[number]], int(goods.kind[number])
    found = []
    for slot, chosen in enumerate((goods.option[number], goods.second[number])):
        if chosen >= 0:
            name, values = leaf.options[kind][slot]
            label, value = pair(world.words["options"][name])[language][0], values[chosen]
            found.append((label, value[language][0], phrase(world, name, value, language)))
    return found


def phrase(world: Taxonomy, name: str, value: Pair, language: int) -> str:
    """An option as it is said inside a sentence: 38 → "size 38", 38码."""
    words = value[language][0]
    plain = world.words["option_phrases"].get(name)
    if plain is None or (name == "count" and not words.isdigit()):
        return words
    return pair(plain)[language][0].format(words)


def said(material: str, noun: str, language: int) -> bool:
    """Whether a noun names its material already.

    >>> said("duck down", "down jacket", EN), said("白鸭绒", "羽绒服", ZH), said("304不锈钢", "不锈钢保冷壶", ZH)
    (True, False, True)
    """
    tail = material.rpartition(" ")[2] if language == EN else material[-2:]
    return bool(tail) and tail in (noun.split(" ") if language == EN else noun)


def filled(template: str, slots: dict[str, str]) -> str:
    """A template with its slots filled; a slot named with a capital is capitalised, and "a" agrees."""
    capital = {name[:1].upper() + name[1:]: value[:1].upper() + value[1:] for name, value in slots.items()}
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", template.format(**slots, **capital))


def titled(text: str) -> str:
    """English words with capitals, as on a label.

    >>> titled("chef's knife for the LED lamp")
    "Chef's Knife for the LED Lamp"
    """
    words = text.split(" ")
    return " ".join(
        word if word in SMALL and place else word[:1].upper() + word[1:] for place, word in enumerate(words)
    )


def _of(words: dict[str, Pair], names: Iterable[str], index: Any) -> Pair | None:
    return words[list(names)[index]] if index >= 0 else None


def _named(templates: Iterable[str]) -> list[str]:
    return [name for template in templates for _, name, _, _ in Formatter().parse(template) if name]
