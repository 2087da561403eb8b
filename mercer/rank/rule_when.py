"""Conditions of a rule in; whether they hold for what is asked, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mercer.errors import RequestError
from mercer.rank.rule import Rule
from mercer.records import CATEGORY_SEPARATOR, Filter, Scene

__all__ = ["Asked", "Reading", "When"]

LONGEST_PATTERN = 256
"""Characters of a regular expression."""
MEMORY = 1 << 20
"""Bytes that one compiled expression may take."""
_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How words are made comparable; the room that composes this one gives what `understand` does."""

    fold: Callable[[str], str]
    """A query in the one form in which it is compared: half-width, simplified, small letters."""
    stem: Callable[[str], str]
    """An English word's stem."""
    check: Callable[[Iterable[Filter]], None] = lambda _: None
    """Raises RequestError for a filter that no product could be tested against."""

    def stems(self, folded: str) -> frozenset[str]:
        """Of the words that are not Han."""
        return _stems(self, folded)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a condition can look at."""

    scene: Scene
    queries: tuple[str, ...] = ()
    """The query as it was typed and as it was corrected, each folded by `Reading.fold`."""
    categories: tuple[tuple[str, ...], ...] = ()
    """Paths that the shopper looks at."""
    context: Mapping[str, str] | None = None


class When:
    """One rule's conditions, made ready; `Asked` in, yes or no out; takes time linear in the query, whatever it says.

    Raises:
        RequestError: a regular expression that RE2 has not, or that is too large, or a filter on an unknown field.
    """

    def __init__(self, rule: Rule, reading: Reading) -> None:
        try:
            reading.check(rule.filters)
        except RequestError as error:
            raise RequestError(f"rule {rule.id!r}: {error.problem}", cure=error.cure) from error
        self.scenes, self._reading = frozenset(rule.scenes), reading
        self.exact = frozenset(reading.fold(text) for text in rule.query)
        self.words = tuple(_words(reading, text) for text in rule.words)
        self.patterns = tuple(_compiled(rule.id, text, reading) for text in rule.pattern)
        self.categories = tuple(_path(reading, text) for text in rule.category)
        self.context = {
            name: frozenset(reading.fold(text) for text in getattr(rule, name))
            for name in ("device", "place", "segment")
            if getattr(rule, name)
        }

    def __call__(self, asked: Asked) -> bool:
        if asked.scene not in self.scenes:
            return False
        context = asked.context or {}
        for name, wanted in self.context.items():
            if self._reading.fold(context.get(name, "")) not in wanted:
                return False
        if self.categories and not any(self._below(path) for path in asked.categories):
            return False
        asks = self.exact or self.words or self.patterns
        return not asks or any(self.meets(query) for query in asked.queries)

    def meets(self, query: str) -> bool:
        """Whether a folded query meets the conditions on it: each kind that is given, by one of its values."""
        if not query or (self.exact and query not in self.exact):
            return False
        if self.words:
            stems, joined = self._reading.stems(query), query.replace(" ", "")
            if not any(latin <= stems and all(run in joined for run in han) for latin, han in self.words):
                return False
        return not self.patterns or any(pattern.search(query) for pattern in self.patterns)

    def _below(self, path: tuple[str, ...]) -> bool:
        """Whether a path is one of the rule's, below it, or its last level said alone."""
        levels = tuple(self._reading.fold(level) for level in path)
        return any(
            levels[: len(wanted)] == wanted or levels == wanted[-1:] or (len(wanted) == 1 and wanted[0] in levels)
            for wanted in self.categories
        )


@lru_cache(maxsize=1024)  # a thousand rules look at one query
def _stems(reading: Reading, folded: str) -> frozenset[str]:
    return frozenset(reading.stem(run) for run in _RUN.findall(folded) if not _han(run))


def _words(reading: Reading, text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Stems of the English words, and runs of Han characters, that a query has to have."""
    folded = reading.fold(text)
    return reading.stems(folded), tuple(run for run in _RUN.findall(folded) if _han(run))


def _path(reading: Reading, text: str) -> tuple[str, ...]:
    return tuple(reading.fold(level) for level in text.split(CATEGORY_SEPARATOR.strip()))


def _han(run: str) -> bool:
    return run[0] >= "\u3400" and (run[0] <= "\u9fff" or "\uf900" <= run[0] <= "\ufaff")


def _compiled(id: str, text: str, reading: Reading) -> Any:
    """An RE2 expression: no backtracking, so no query can make it slow; Han characters of it as in folded queries."""
    import re2

    if len(text) > LONGEST_PATTERN:
        cure = f"give at most {LONGEST_PATTERN}; several patterns may be listed"
        raise RequestError(f"rule {id!r}: a pattern has {len(text)} characters", cure=cure)
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.max_mem = False, False, MEMORY
    folded = "".join(reading.fold(character) if _han(character) else character for character in text)
    try:
        return re2.compile(folded, options)
    except re2.error as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        cure = "mend it; there is no look-around and no back-reference (syntax: RE2)"
        raise RequestError(f"rule {id!r}: pattern {text[:80]!r} cannot be read: {said}", cure=cure) from error
