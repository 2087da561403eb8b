"""Turns of past dialogues in; questions with the best answer an agent gave, and what was left out and why, out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.retrieve.analyze import grams, words

__all__ = ["Pair", "pairs"]

SHORTEST_QUESTION, SHORTEST_ANSWER = 3, 12
"""Characters; below, a question says nothing and an answer is one word (T06)."""
TEMPLATE = re.compile(
    r"how can i help|what can i do for you|one moment|let me (?:look|check)|please wait|请稍等|帮您查|有什么可以帮|"
    r"您好，?请问|亲，?请讲|麻烦提供|please (?:confirm|provide)|请确认",
    re.IGNORECASE,
)
"""What agents say whatever was asked (T05)."""
PROMISE = re.compile(r"\b(?:today only|until (?:tonight|midnight)|this week only)\b|仅限今天|今晚截止|本周截止", re.I)
"""Of a day that is over (T06)."""
ROLES = {
    "shopper": "shopper", "customer": "shopper", "user": "shopper", "buyer": "shopper", "顾客": "shopper",
    "用户": "shopper", "买家": "shopper", "agent": "agent", "assistant": "agent", "staff": "agent", "客服": "agent",
    "support": "agent",
}  # fmt: skip
LOOP = 3
"""Times one text may come from one side of a conversation before it is a loop (T05)."""
ALIKE = 0.6
"""Share of pieces that two questions have in common from which they are one."""
ORDER_WORK = frozenset(("order_status", "cancel_order", "return_order", "change_address", "refund_status"))
"""What an agent said about one order is no answer for the next shopper."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and the best answer to it."""

    question: str
    answer: str
    asked: tuple[str, ...]
    """Other wordings of the question."""
    times: int


def pairs(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Pair], Mapping[str, int]]:
    """Questions with the answer given most often, the most frequent first.

    Args:
        rows: of the family ``dialogues``, T01 behind them; any order.

    >>> turns = [{"conversation": "c", "role": "顾客", "text": "用什么快递发货？"},
    ...          {"conversation": "c", "role": "客服", "text": "国内默认发飞鹤快递，海外邮政。"}]
    >>> [(pair.question, pair.answer) for pair in pairs(turns)[0]]
    [('用什么快递发货？', '国内默认发飞鹤快递，海外邮政。')]
    """
    left: Counter[str] = Counter()
    talks: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        talks[str(row["conversation"])].append(row)
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for turns in talks.values():
        ordered = sorted(turns, key=lambda turn: (turn.get("time") or 0, turn.get("row_id") or 0))
        for question, answer in _exchanges(ordered, left):
            told[question][answer] += 1
    return _merged(told), dict(left)


def _exchanges(turns: Sequence[Mapping[str, Any]], left: Counter[str]) -> list[tuple[str, str]]:
    """What the shopper asked and what the agent answered next, of a conversation whose shape is sound."""
    said = [(ROLES.get(str(turn["role"]).strip().lower(), ""), " ".join(str(turn["text"]).split())) for turn in turns]
    if any(not role for role, _ in said):
        left["T05 unknown speaker"] += 1
        return []
    if {role for role, _ in said} != {"shopper", "agent"}:
        left["T05 one side is missing"] += 1
        return []
    if max(Counter(said).values()) >= LOOP:
        left["T05 loop"] += 1
        return []
    found = []
    for (role, question), (next_role, answer), turn in zip(said, said[1:], turns, strict=False):
        if (role, next_role) != ("shopper", "agent"):
            continue
        if TEMPLATE.search(question):
            left["T05 speakers are swapped"] += 1
        elif TEMPLATE.search(answer) or turn.get("intent") in ORDER_WORK:
            left["T05 the agent's template"] += 1
        elif len(question) < SHORTEST_QUESTION or len(answer) < SHORTEST_ANSWER:
            left["T06 too short"] += 1
        elif PROMISE.search(answer):
            left["T06 a promise that has expired"] += 1
        else:
            found.append((question, answer))
    return found


def _merged(told: Mapping[str, Counter[str]]) -> list[Pair]:
    """Questions with a like answer or like words are one; its answer is the one given most often."""
    groups: list[tuple[list[str], Counter[str]]] = []
    for question, answers in sorted(told.items(), key=lambda item: (-item[1].total(), item[0])):
        best = answers.most_common(1)[0][0]
        home = next((one for one in groups if best in one[1] or _alike(question, one[0][0])), None)
        if home is None:
            groups.append(([question], Counter(answers)))
        else:
            home[0].append(question)
            home[1].update(answers)
    return [
        Pair(asked[0], answers.most_common(1)[0][0], tuple(asked[1:]), answers.total()) for asked, answers in groups
    ]


def _alike(first: str, second: str) -> bool:
    one, other = ({*words(text), *grams(text)} for text in (first, second))
    return bool(one & other) and len(one & other) / min(len(one), len(other)) >= ALIKE
