"""Products in; titles that are stuffed with words and brands that are not the product's out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.alike import plain
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Stuffing", "stuffing"]

_WORD = re.compile(r"[a-z][a-z]{2,}|[\u3400-\u9fff]+")
_COMMON_TEXT = """
and the for with from your our this that any all are not you per non
pack set size inch new one two pcs
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_FITS = re.compile(r"\b(?:compatible|replacement|for|fits?|works with)\b|适用|兼容|通用|适配|配件")
"""A title may say which brands its product goes with."""
SAID = 5
"""Titles that say a word, from which it can be known what goes with it."""
MOST_WORDS = 60
"""Known words of a title that are looked at."""
LEVELS = 2
"""Of a category's path, those whose titles are compared: deeper ones have too few."""


@dataclass(frozen=True)
class Stuffing(CheckSettings):
    """When a title is stuffed."""

    repeats: int = 5
    """Times that one word stands in a title, from which it is repeated for search alone."""
    foreign: int = 4
    """Words of a title that are common in the shop and never said in its category, from which they are stuffed."""
    foreign_share: float = 0.25
    """Share of a title's words (0 to 1) that must be foreign, too."""
    expected: float = 1.5
    """Times that chance would have given a title of the category those words, all together."""
    unrelated: int = 6
    """Words of a title that hardly ever stand with its other words elsewhere, from which they are stuffed."""
    unrelated_share: float = 0.4
    """Share of a title's known words (0 to 1) that must be unrelated, too."""
    lift: float = 2.0
    """Times what chance gives that a word stands with the title's others elsewhere, below which it is unrelated."""
    short: int = 8
    """Known words of the shop's middle title, above which titles are lists anyway, and unrelated words say nothing."""
    brands: int = 3
    """Brands of others in one title, from which they are there to be found by."""
    known: int = 20
    """Titles of a category below which nobody can say what is foreign to it."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("repeats", "foreign", "unrelated", "brands", "known"):
            if getattr(self, name) < 2:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 2 or more")
        for name in ("expected", "lift", "short"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 0 or more")
        for name in ("foreign_share", "unrelated_share"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share above 0, up to 1")


@check(
    "C08",
    families=("products",),
    tier="global",
    severity="medium",
    version=2,
    problems={
        "repeated_words": Problem("one word stands in the title again and again", "标题重复堆砌同一词语", "warn"),
        "foreign_words": Problem("words of other categories are stuffed into the title", "标题堆砌无关热词", "warn"),
        "unrelated_words": Problem("words that never go together stand in the title", "标题堆砌互不相干的词语", "warn"),
        "other_brands": Problem("the title names other brands to be found by", "标题蹭其他品牌", "warn"),
    },
    settings=Stuffing,
    english="titles say what the product is, and no more",
    chinese="标题只描述商品本身，不堆砌关键词",
)  # fmt: skip
def stuffing(inputs: Inputs[Any], settings: Stuffing) -> Iterator[Found]:
    """Repetition; words common in the shop that hardly another title of the category has, or that go with no others in
    titles anywhere; brands of others.

    Known limit: where titles are long lists of words (`esci150`: 10 known ones in the middle) unrelated words say
    nothing, and fewer than `foreign` words of other categories are not told from a rich title.
    """
    rows = inputs["products"].select(["row_id", "title", "brand", "category", "description", "bullets"]).to_pylist()
    titles = [plain(row["title"]) for row in rows]
    words = [_words(title) for title in titles]
    yield _found(_repeated(rows, titles, settings), "repeated_words")
    foreign = list(_foreign(rows, words, settings))
    yield _found(iter(foreign), "foreign_words")
    told = {row["row_id"] for row in foreign}
    unrelated = (row for row in _unrelated(rows, words, settings) if row["row_id"] not in told)
    yield _found(unrelated, "unrelated_words")
    yield _found(_brands(rows, titles, settings), "other_brands")


def _words(title: str) -> list[str]:
    """Latin words, and pairs of Chinese letters."""
    found: list[str] = []
    for word in _WORD.findall(title):
        if word[0] > "\u33ff":
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        elif word not in _COMMON:
            found.append(word)
    return found


def _repeated(rows: Sequence[dict[str, Any]], titles: Sequence[str], settings: Stuffing) -> Iterator[dict[str, Any]]:
    for row, title in zip(rows, titles, strict=True):
        counts = Counter(_words(title))
        word, times = counts.most_common(1)[0] if counts else ("", 0)
        if times >= settings.repeats:
            yield {**row, "words": word, "count": times, "score": min(1.0, 0.6 + 0.1 * (times - settings.repeats))}


def _foreign(
    rows: Sequence[dict[str, Any]], words: Sequence[list[str]], settings: Stuffing
) -> Iterator[dict[str, Any]]:
    paths = [" > ".join((row["category"] or "").split(" > ")[:LEVELS]) for row in rows]
    sizes = Counter(path for path in paths if path)
    total = sum(sizes.values())
    everywhere: Counter[str] = Counter()
    here: Counter[tuple[str, str]] = Counter()
    for path, said in zip(paths, words, strict=True):
        if path:
            once = set(said)
            everywhere.update(once)
            here.update((path, word) for word in once)
    for row, path, said in zip(rows, paths, words, strict=True):
        if sizes[path] < settings.known:
            continue
        distinct = list(dict.fromkeys(said))
        odds = (sizes[path] - 1) / max(1, total - 1)
        strange = {word for word in distinct if _strange(everywhere[word] - 1, here[path, word] - 1, odds)}
        if len(strange) < settings.foreign:
            continue
        body = _body(row)
        runs = _runs(distinct, {word for word in strange if word not in body})
        share = sum(map(len, runs)) / len(distinct)
        expected = sum((everywhere[run[0]] - 1) * odds for run in runs)
        if len(runs) >= settings.foreign and share >= settings.foreign_share and expected >= settings.expected:
            told = " ".join("".join(run) if run[0] > "\u33ff" else " ".join(run) for run in runs[:20])
            yield {**row, "words": told, "count": len(runs), "score": min(1.0, 0.5 + share)}


def _unrelated(
    rows: Sequence[dict[str, Any]], words: Sequence[list[str]], settings: Stuffing
) -> Iterator[dict[str, Any]]:
    """Titles most of whose words are together nowhere else."""
    import numpy as np

    titles = Counter(word for said in words for word in set(said))
    code = {word: number for number, word in enumerate(sorted(word for word, count in titles.items() if count >= SAID))}
    known = [[word for word in dict.fromkeys(said) if word in code][:MOST_WORDS] for said in words]
    sizes = np.array([len(said) for said in known], np.int64)
    if not len(sizes) or not 0 < np.median(sizes[sizes > 0] if sizes.any() else sizes) <= settings.short:
        return
    place = np.concatenate([[0], np.cumsum(sizes)])
    word = np.array([code[word] for said in known for word in said], np.int64)
    pairs = [np.triu_indices(size, 1) for size in range(MOST_WORDS + 1)]
    one, other = (np.concatenate([pairs[n][side] + at for n, at in zip(sizes, place, strict=False)]) for side in (0, 1))
    low, high = np.minimum(word[one], word[other]), np.maximum(word[one], word[other])
    _, which, times = np.unique(low * len(code) + high, return_inverse=True, return_counts=True)
    elsewhere = np.array([titles[name] - 1 for name in code], np.float64)
    chance = elsewhere[low] * elsewhere[high] / max(1, len(words))
    ends = np.concatenate([one, other])
    seen = np.bincount(ends, np.tile(times[which] - 1.0, 2), minlength=len(word))
    expected = np.bincount(ends, np.tile(chance, 2), minlength=len(word))
    alone = (expected >= 0.5) & (seen < settings.lift * expected)
    count = np.bincount(np.repeat(np.arange(len(known)), sizes), alone, minlength=len(known)).astype(np.int64)
    here, of_path = _by_category(rows, words)
    for number in np.flatnonzero(count >= settings.unrelated).tolist():
        mine = zip(known[number], alone[place[number] : place[number + 1]], strict=True)
        path, body = _path(rows[number]), _body(rows[number])
        odds = of_path[path] / len(words) if path and of_path[path] >= settings.known else 2.0
        strange = [name for name, is_alone in mine if is_alone and name not in body]
        strange = [name for name in strange if here[path, name] - 1 <= 0.5 * odds * (titles[name] - 1)]
        if len(strange) >= max(settings.unrelated, settings.unrelated_share * sizes[number]):
            yield {**rows[number], "words": " ".join(strange), "count": len(strange), "score": 0.7}


def _path(row: dict[str, Any]) -> str:
    return " > ".join((row["category"] or "").split(" > ")[:LEVELS])


def _body(row: dict[str, Any]) -> str:
    return plain(f"{row['description'] or ''} {row['bullets'] or ''}")


def _by_category(
    rows: Sequence[dict[str, Any]], words: Sequence[list[str]]
) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Titles by category and word, and by category."""
    here: Counter[tuple[str, str]] = Counter()
    for row, said in zip(rows, words, strict=True):
        here.update((_path(row), word) for word in set(said))
    return here, Counter(map(_path, rows))


def _runs(words: Sequence[str], strange: set[str]) -> list[list[str]]:
    """Strange words; pairs of Chinese letters that overlap are one."""
    runs: list[list[str]] = []
    last = ""
    for word in words:
        if word in strange:
            if last and word[0] > "\u33ff" and last[-1] == word[0]:
                runs[-1].append(word[1:])
            else:
                runs.append([word])
        last = word if word in strange else ""
    return runs


def _strange(elsewhere: int, here: int, odds: float) -> bool:
    """Common in the shop, while in titles of the category nearly nobody says it."""
    return elsewhere >= 5 and here <= 0.1 * elsewhere * odds


def _brands(rows: Sequence[dict[str, Any]], titles: Sequence[str], settings: Stuffing) -> Iterator[dict[str, Any]]:
    brands = [plain(row["brand"]) for row in rows]
    known = Counter(brand for brand in brands if len(brand) > 3 or (brand > "\u33ff" and len(brand) > 1))
    parts = {brand for brand in known if " " not in brand or brand.count(" ") < 3}
    said = Counter(word for title in titles for word in set(_phrases(title)) & parts)
    # a name that titles of others say as often as its own is a word like any other
    own = Counter(brand for brand, title in zip(brands, titles, strict=True) if brand in title)
    names = {brand for brand in parts if said[brand] <= 2 * max(own[brand], known[brand])}
    for row, title, brand in zip(rows, titles, brands, strict=True):
        mine = set(_phrases(brand)) | {brand}
        others = sorted(set(_phrases(title)) & names - mine)
        others = [name for name in others if name not in brand and brand not in name] if brand else others
        if len(others) >= settings.brands and not _FITS.search(title):
            yield {**row, "words": ", ".join(others[:20]), "count": len(others), "score": 0.8}


def _phrases(text: str) -> list[str]:
    """Runs of one to three words."""
    words = text.split()
    return [" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1)]


def _found(lines: Iterator[dict[str, Any]], problem: str) -> Found:
    import pyarrow as pa

    kinds = {
        "row_id": pa.int64(),
        "title": pa.string(),
        "words": pa.string(),
        "count": pa.int64(),
        "score": pa.float64(),
    }
    table = pa.Table.from_pylist([{name: line[name] for name in kinds} for line in lines], schema=pa.schema(kinds))
    return Found(table, "products", "title", problem)
