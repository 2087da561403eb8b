"""Reviews in; reviews written from one template in a campaign out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.errors import MissingExtra, SettingsError
from mercer.quality.alike import clusters, jaccard, pairs, pieces, plain, stars
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Fake", "fake"]

DAY = 86_400_000
DEFAULT = re.compile(
    r"(?:系统|平台)?默认(?:好评|评价)|(?:此|该)?(?:用户|买家|顾客)(?:没有|未)(?:及时)?(?:填写|作出|做出)(?:任何)?(?:评价|评论)(?:内容)?|"
    r"评价方未及时做出评价 ?系统默认好评|(?:the )?(?:customer|user|buyer) (?:left|wrote) no (?:comment|review)"
)
"""What a platform writes for shoppers who wrote nothing."""


@dataclass(frozen=True)
class Fake(CheckSettings):
    """When reviews are one campaign."""

    alike: float = 0.6
    """Jaccard (0 to 1) of the pieces of two texts from which one is a copy of the other."""
    loose: float = 0.45
    """Jaccard (0 to 1) with a review of a campaign, from which another of the same product belongs to it."""
    least: int = 5
    """Reviews that say the same, from which they may be a campaign."""
    shortest: int = 10
    """Pieces below which many people say the same of their own accord ("很好，推荐")."""
    days: float = 7.0
    """Days into which half of a campaign falls."""
    per_product: float = 3.0
    """Reviews of a campaign to each of its products, from which it has targets."""
    deviation: float = 0.5
    """Stars between a campaign's rating and that of the other reviews of its products."""
    signs: int = 2
    """Of three (a burst, targets, ratings that deviate), those that make repeated texts a campaign."""
    many: int = 20
    """Reviews that say the same at length, from which they are told of without any sign; half of it, with a burst and
    ratings that deviate, is a campaign without targets."""
    long: int = 25
    """Pieces of a text that is told of without any sign, where most of its copies are word for word."""
    sudden: int = 8
    """Reviews that say the same in a burst, from which they are told of where no product of theirs is known."""
    sentence: int = 20
    """Pieces of a text that is told of for its burst alone: two clauses and more."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("alike", "loose"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share above 0, up to 1")
        for name, low in (
            ("least", 2),
            ("shortest", 1),
            ("days", 0.01),
            ("per_product", 1),
            ("signs", 1),
            ("many", 2),
            ("long", 1),
            ("sudden", 2),
            ("sentence", 1),
        ):
            if getattr(self, name) < low:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure=f"give {low} or more")


@check(
    "T02",
    families=("reviews",),
    tier="global",
    severity="high",
    problems={
        "campaign": Problem("one of many reviews from one template, in a campaign", "同一模板批量发布", "quarantine"),
        "repeated_text": Problem("many reviews say the same", "多条评论内容雷同", "warn"),
        "default_review": Problem("the platform wrote it, not a shopper", "系统默认评价，并非顾客所写", "warn"),
    },
    settings=Fake,
    english="reviews are what shoppers wrote of their own accord",
    chinese="评论由顾客真实撰写",
)  # fmt: skip
def fake(inputs: Inputs[Any], settings: Fake) -> Iterator[Found]:
    """Texts that share most pieces, in clusters; judged by burst, by targets and by how far their ratings deviate.

    Without the package rensa only equal texts count as copies.
    """
    rows = inputs["reviews"].select(["row_id", "product", "shopper", "text", "rating", "time"]).to_pylist()
    texts = [plain(row["text"]) for row in rows]
    defaults = [row for row, text in zip(rows, texts, strict=True) if DEFAULT.fullmatch(text.replace(" ", ""))]
    yield _found([{**row, "size": len(defaults), "signs": ""} for row in defaults], "default_review")
    judged = _Reviews(rows, texts, settings)
    for problem in ("campaign", "repeated_text"):
        yield _found([line for name, line in judged.lines() if name == problem], problem)


def _problem(
    members: Sequence[Mapping[str, Any]], signs: Sequence[str], length: int, texts: int, settings: Fake
) -> str | None:
    """Targets, or many texts, beside another sign; told of: long texts word for word, or in a burst of no product."""
    size = len(members)
    if len(signs) >= settings.signs and ("targets" in signs or size >= settings.many / 2):
        return "campaign"
    unknown = all(row["product"] is None for row in members)
    burst = unknown and "burst" in signs and size >= settings.sudden and length >= settings.sentence
    alone = size >= max(settings.many, 2 * texts) and length >= settings.long
    return "repeated_text" if "targets" in signs or burst or alone else None


class _Reviews:
    """Reviews with their distinct texts, and which of those say nearly the same."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], texts: Sequence[str], settings: Fake) -> None:
        self.rows, self.settings, self.ratings = rows, settings, _ratings(rows)
        self.first: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            if text:
                self.first.setdefault(text, []).append(place)
        self.distinct = list(self.first)
        sets = [pieces(text) for text in self.distinct]
        self.lengths = [len(found) for found in sets]
        self.sets = [found if len(found) >= settings.shortest else frozenset() for found in sets]
        try:
            self.joined = [(one, other) for one, other, _ in pairs(self.sets, settings.alike)]
        except MissingExtra:
            self.joined = []

    def lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(problem, row with evidence) of every review of a group that is one."""
        for group, signs, problem in self._judged():
            places = self._places(group)
            score = min(1.0, 0.5 + 0.15 * len(signs) + 0.002 * len(places))
            for place in places:
                yield problem, {**self.rows[place], "size": len(places), "signs": ", ".join(signs), "score": score}

    def _judged(self) -> Iterator[tuple[list[int], list[str], str]]:
        """Groups with a problem: whole chains of near copies where they are a campaign, else what they fall into."""
        together: set[int] = set()
        beside: dict[int, list[tuple[int, int]]] = {}
        for one, other in self.joined:
            beside.setdefault(one, []).append((one, other))
        for chain in clusters(len(self.distinct), self.joined):
            together.update(chain)
            whole = list(self._judge(chain))
            if whole and whole[0][2] == "campaign":
                wider = self._widened(chain, together)
                together.update(wider)
                yield (wider, *whole[0][1:])
                continue
            for part in self._parts(chain, [pair for at in chain for pair in beside.get(at, ())]):
                yield from self._judge(part)
        for at, length in enumerate(self.lengths):
            if at not in together and length >= self.settings.shortest:
                yield from self._judge([at])

    def _widened(self, chain: Sequence[int], taken: set[int]) -> list[int]:
        """A campaign and what looks like it, less closely, of the same products."""
        about = {self.rows[place]["product"] for place in self._places(chain)} - {None}
        found = list(chain)
        for at, text in enumerate(self.distinct):
            if at not in taken and any(self.rows[place]["product"] in about for place in self.first[text]):
                like = max(jaccard(self.sets[at], self.sets[other]) for other in chain)
                found += [at] if like >= self.settings.loose else []
        return sorted(found)

    def _parts(self, chain: Sequence[int], inside: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
        """Chains about one product, then stars of what is left."""
        about = {at: {self.rows[place]["product"] for place in self.first[self.distinct[at]]} - {None} for at in chain}
        order = sorted(chain)
        index = {at: number for number, at in enumerate(order)}
        same = [(index[one], index[other]) for one, other in inside if about[one] & about[other]]
        parts = [[order[number] for number in group] for group in clusters(len(order), same)]
        parts = [part for part in parts if len(self._places(part)) >= self.settings.least]
        together = {at for part in parts for at in part}
        yield from parts
        yield from stars([(one, other) for one, other in inside if one not in together and other not in together])

    def _places(self, group: Sequence[int]) -> list[int]:
        return sorted(place for at in group for place in self.first[self.distinct[at]])

    def _judge(self, group: list[int]) -> Iterator[tuple[list[int], list[str], str]]:
        members = [self.rows[place] for place in self._places(group)]
        if len(members) >= self.settings.least:
            signs = _signs(members, self.ratings, self.settings)
            shortest = min(self.lengths[at] for at in group)
            problem = _problem(members, signs, shortest, len(group), self.settings)
            if problem:
                yield group, signs, problem


def _ratings(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, int]]:
    """Product → sum and number of ratings."""
    found: dict[str, tuple[float, int]] = {}
    for row in rows:
        if row["rating"] is not None and row["product"] is not None:
            total, count = found.get(row["product"], (0.0, 0))
            found[row["product"]] = (total + row["rating"], count + 1)
    return found


def _signs(members: Sequence[Mapping[str, Any]], ratings: Mapping[str, tuple[float, int]], settings: Fake) -> list[str]:
    signs = []
    times = sorted(row["time"] for row in members if row["time"] is not None)
    half = max(2, (len(members) + 1) // 2)
    near = [later - first for first, later in zip(times, times[half - 1 :], strict=False)]
    if near and min(near) <= settings.days * DAY:
        signs.append("burst")
    products = {row["product"] for row in members if row["product"] is not None}
    if products and len(members) / len(products) >= settings.per_product:
        signs.append("targets")
    if _deviates(members, [ratings[product] for product in products if product in ratings], settings.deviation):
        signs.append("ratings")
    return signs


def _deviates(members: Sequence[Mapping[str, Any]], all_of: Sequence[tuple[float, int]], deviation: float) -> bool:
    """Whether the members' mean rating is far from that of the other reviews of their products."""
    given = [row["rating"] for row in members if row["rating"] is not None and row["product"] is not None]
    others = sum(count for _, count in all_of) - len(given)
    if not given or others < 3:
        return False
    mean = (sum(total for total, _ in all_of) - sum(given)) / others
    return bool(abs(sum(given) / len(given) - mean) >= deviation)


def _found(lines: Sequence[Mapping[str, Any]], problem: str) -> Found:
    import pyarrow as pa

    names = {"row_id": pa.int64(), "text": pa.string(), "size": pa.int64(), "signs": pa.string(), "score": pa.float64()}
    listed = [{"score": 0.9, **{name: line.get(name, 0.9) for name in names}} for line in lines]
    return Found(pa.Table.from_pylist(listed, schema=pa.schema(names)), "reviews", "text", problem)
