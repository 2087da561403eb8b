"""Words that mean the same, as a shop's owner wrote them down, in; what may stand instead of a query's words out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import FormatError
from mercer.shop import disk_errors
from mercer.understand.normalise import HAN
from mercer.understand.query import Alternative
from mercer.understand.token import TOKEN, key, token

__all__ = ["FILE", "Rule", "Synonyms", "append"]

FILE = "synonyms.txt"
"""In the folder of a shop."""
WEIGHT = 0.9
"""Share of its words' score that a product keeps which only has the other words. A guess: no set says."""
MOST = 5
"""Alternatives of one place of a query."""
_ONE_HAN = re.compile(f"[{HAN}]")
_COMMA = re.compile(r"\s*[,，、]\s*")
_HEAD = """\
# Words that mean the same to shoppers of this shop. A line is one of
#   notebook, laptop, 笔记本电脑      each stands for each other
#   tee => t-shirt, shirt             who types the left means the right too, not the other way round
#   ! cup, mug                        never suggest these again
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file."""

    words: tuple[str, ...]
    """What is typed; in a group, every member of it."""
    instead: tuple[str, ...] = ()
    """What is meant too; empty in a group."""
    refused: bool = False
    """Whether a person has said that these are not the same."""

    def __str__(self) -> str:
        left = ", ".join(self.words)
        return f"! {left}" if self.refused else f"{left} => {', '.join(self.instead)}" if self.instead else left

    def pairs(self) -> Iterable[tuple[str, str]]:
        """(typed, meant too)."""
        if self.refused:
            return
        for one in self.words:
            yield from ((one, other) for other in self.instead or self.words if key(other) != key(one))


class Synonyms:
    """Call it with a query.

    >>> same = Synonyms([Rule(("notebook", "laptop")), Rule(("tee",), ("t-shirt",))])
    >>> [(one.words, one.instead) for one in same("laptops and tees")]
    [('laptops', ('notebook',)), ('tees', ('t-shirt',))]
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._instead: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self._longest = 0
        self._take(((one, other, f"{FILE}: {rule}") for rule in self.rules for one, other in rule.pairs()))

    def also(self, pairs: Iterable[tuple[str, str]], *, evidence: str = "a rule of the shop") -> Synonyms:
        """These and pairs of (typed, meant too) from elsewhere; itself where there are none."""
        given = tuple(pairs)
        if not given:
            return self
        more = Synonyms(self.rules)
        more._take((one, other, evidence) for one, other in given)
        return more

    def __call__(self, text: str) -> list[Alternative]:
        """What may stand instead of words of a normalised text; the longest words first, none inside another.

        A single Han character counts only where it stands alone: 包 is no word of 面包.
        """
        if not self._instead:
            return []
        tokens = list(TOKEN.finditer(text))
        keys = tuple(token(one.group()) for one in tokens)
        found: list[Alternative] = []
        at = 0
        while at < len(keys):
            for size in range(min(self._longest, len(keys) - at), 0, -1):
                start, end = tokens[at].start(), tokens[at + size - 1].end()
                known = self._instead.get(keys[at : at + size])
                if known and not (size == 1 and _inside(text, start, end)):
                    instead = tuple(dict.fromkeys(words for words, _ in known))[:MOST]
                    found.append(Alternative(text[start:end], start, end, instead, WEIGHT, known[0][1]))
                    at += size - 1
                    break
            at += 1
        return found

    def same(self, one: str, other: str) -> bool:
        """Whether the file has these two together already, refused or not."""
        both = {key(one), key(other)}
        return any(both <= {key(words) for words in (*rule.words, *rule.instead)} for rule in self.rules)

    def _take(self, pairs: Iterable[tuple[str, str, str]]) -> None:
        for typed, meant, evidence in pairs:
            if (said := key(typed)) and key(meant):
                self._instead.setdefault(said, []).append((meant, evidence))
                self._longest = max(self._longest, len(said))

    @classmethod
    def read(cls, path: Path) -> Synonyms:
        """The shop's file; a shop without one has no synonyms.

        Raises:
            FormatError: a line that is no rule, with its number.
        """
        if not path.exists():
            return cls()
        with disk_errors(path):
            try:
                lines = path.read_text("utf-8-sig").splitlines()
            except UnicodeDecodeError as error:
                raise FormatError(f"{path.name} is no UTF-8 text", cure="save it as UTF-8") from error
        numbered = ((number, line.strip()) for number, line in enumerate(lines, start=1))
        return cls(_rule(line, number) for number, line in numbered if line and not line.startswith("#"))


def append(path: Path, rules: Sequence[Rule]) -> None:
    """Add lines to the shop's file; what stands in it stays as it is."""
    with disk_errors(path):
        before = path.read_text("utf-8-sig") if path.exists() else _HEAD
        end = "" if not before or before.endswith("\n") else "\n"
        path.write_text(before + end + "".join(f"{rule}\n" for rule in rules), "utf-8")


def _rule(line: str, number: int) -> Rule:
    refused, line = line.startswith("!"), line.removeprefix("!").strip()
    left, arrow, right = line.partition("=>")
    words, instead = (tuple(filter(key, _COMMA.split(side.strip()))) for side in (left, right))
    if not words or (arrow and (not instead or refused)) or (not arrow and len(words) < 2):
        raise FormatError(
            f"{FILE}, line {number}: {line[:80]!r} names nothing to stand for something",
            cure="write: notebook, laptop   or: tee => t-shirt   or: ! cup, mug",
        )
    return Rule(words, instead, refused)


def _inside(text: str, start: int, end: int) -> bool:
    """Whether a single Han character touches others."""
    if not _ONE_HAN.match(text[start:end]):
        return False
    return bool(_ONE_HAN.match(text[start - 1 : start] or " ") or _ONE_HAN.match(text[end : end + 1] or " "))
