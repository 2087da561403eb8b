"""A shop's checked FAQ, policies and dialogues in; passages with what they answer, and the one that fits, out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mercer.assistant.pair import pairs
from mercer.encode import language_of
from mercer.quality.instruction import look

__all__ = ["Entry", "holds", "read_knowledge", "taken"]

PERMILLE = 0.9
"""Sureness from which a text that speaks to a model is no knowledge, though a person put it back."""
ENDED = re.compile(r"[.!?。！？…;；)）”\"]\s*$")
SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？]+(?![0-9])[”\")）]*|$)|\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of knowledge."""

    id: str
    kind: Literal["faq", "policy", "dialogue"]
    title: str
    """The question that it answers, or the policy's title."""
    text: str
    language: str
    valid_from: int | None = None
    """UTC milliseconds; None is always."""
    valid_until: int | None = None
    asked: tuple[str, ...] = ()
    """Other wordings of the question, as shoppers wrote them."""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"asked": list(self.asked)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Entry:
        return cls(**{**row, "asked": tuple(row["asked"])})


def holds(entry: Entry, now: int) -> bool:
    """Whether it holds at a moment (UTC ms): the day it ends is the first on which it does not.

    >>> holds(Entry("r", "policy", "Returns", "30 days.", "en", valid_until=5), 5)
    False
    """
    begun = entry.valid_from is None or entry.valid_from <= now
    return begun and (entry.valid_until is None or now < entry.valid_until)


def read_knowledge(checked: Path) -> tuple[list[Entry], Mapping[str, int]]:
    """Entries of a checked version, and how many were left out for which reason.

    Args:
        checked: its folder.
    """
    left: Counter[str] = Counter()
    found: list[Entry] = []
    for row in _rows(checked / "faq.parquet"):
        found.append(taken(f"faq-{row['row_id']}", "faq", row["question"], row["answer"]))
    for row in _rows(checked / "policies.parquet"):
        made = taken(f"policy-{row['id'] or row['row_id']}", "policy", row["title"], row["text"])
        found.append(_dated(made, row["valid_from"], row["valid_until"]))
    made_of, dropped = pairs(_rows(checked / "dialogues.parquet"))
    left.update(dropped)
    for number, pair in enumerate(made_of):
        one = taken(f"dialogue-{number + 1}", "dialogue", pair.question, pair.answer)
        found.append(Entry(one.id, one.kind, one.title, one.text, one.language, asked=pair.asked))
    kept = []
    for entry in found:
        told = look(f"{entry.title}\n{entry.text}")
        if told is not None and told.score >= PERMILLE:
            left["speaks to a model"] += 1
        elif not entry.text:
            left["no whole sentence"] += 1
        else:
            kept.append(entry)
    return kept, dict(left)


def whole(text: str) -> str:
    """The text without a last sentence that was cut off; all of it where none is whole.

    >>> whole("满88元免邮费；不满88元，收10元运费。\\n(港澳台地区需满")
    '满88元免邮费；不满88元，收10元运费。'
    """
    pieces = [piece.strip() for piece in SENTENCE.findall(text) if piece.strip()]
    if not pieces or ENDED.search(pieces[-1]):
        return text.strip()
    ended = [piece for piece in pieces[:-1] if ENDED.search(piece)]
    return (
        "".join(ended) if ended else text.strip().rstrip("，,、；;(（") + ("。" if language_of(text) == "zh" else ".")
    )


def taken(id: str, kind: Literal["faq", "policy", "dialogue"], title: str, text: str) -> Entry:
    """An entry from what the shop has written; its language by its words."""
    return Entry(id, kind, title.strip(), whole(text), language_of(f"{title} {text}"))


def _dated(entry: Entry, begin: int | None, end: int | None) -> Entry:
    return Entry(entry.id, entry.kind, entry.title, entry.text, entry.language, begin, end)


def _rows(path: Path) -> Sequence[Mapping[str, Any]]:
    if not path.exists():
        return []
    import pyarrow.parquet as pq

    rows: Iterable[Mapping[str, Any]] = pq.read_table(path).to_pylist()
    return list(rows)
