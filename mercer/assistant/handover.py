"""A conversation that a person should take in; a note for them, their answer, and candidates to learn from, out."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mercer.assistant.answer import Answer
from mercer.assistant.memory import Memory, Turn
from mercer.errors import NotFoundError, RequestError
from mercer.shop import Shop, write_json

__all__ = ["APPROVED", "Desk", "Handover"]

APPROVED = "assistant-approved.json"
"""In the store: questions with answers of people that the owner let in; the next `mercer learn` reads them."""
LONGEST = 4000
"""Characters of a person's answer."""
STATES = ("open", "answered", "approved", "declined")


@dataclass(frozen=True, slots=True)
class Handover:
    """One conversation that waits for a person, or was answered."""

    id: int
    talk: str
    why: str
    summary: str
    suggested: str
    """What the assistant would say; "" where it has nothing."""
    time: int
    state: str
    """open, answered (its answer waits for review), approved or declined."""
    answer: str
    who: str
    question: str


class Desk:
    """The people's side of conversations. Texts are masked as `Memory` keeps them."""

    def __init__(self, shop: Shop, memory: Memory) -> None:
        self._shop, self._memory = shop, memory

    def call(self, talk: str, why: str, question: str, answer: Answer, history: Sequence[Turn]) -> None:
        """Note that a person is wanted."""
        wishes = ", ".join(dict.fromkeys(answer.intents)) or "-"
        named = "; ".join(f"{name} {', '.join(values)}" for name, values in answer.entities.items())
        asked = sum(turn.role == "shopper" for turn in history)
        summary = f"{why}; {asked} messages; wants {wishes}; mood {answer.sentiment}; names {named or '-'}"
        evidence = [sentence.text for sentence in answer.sentences if sentence.sources != ("shop",)]
        row = (talk, why, self._memory.masked(summary), " ".join(evidence), int(time.time() * 1000),
               self._memory.masked(question))  # fmt: skip
        with self._memory.opened() as database:
            database.execute(
                "INSERT INTO handovers (talk, why, summary, suggested, time, question) VALUES (?, ?, ?, ?, ?, ?)", row
            )

    def waiting(self) -> int:
        """How many wait for a person."""
        with self._memory.opened() as database:
            (count,) = database.execute("SELECT COUNT(*) FROM handovers WHERE state = 'open'").fetchone()
        return int(count)

    def found(self, state: str = "open", k: int = 100) -> list[Handover]:
        """Those in a state, oldest first."""
        with self._memory.opened() as database:
            rows = database.execute(
                "SELECT id, talk, why, summary, suggested, time, state, answer, who, question FROM handovers "
                "WHERE state = ? ORDER BY time, id LIMIT ?", (state, k)
            ).fetchall()  # fmt: skip
        return [Handover(*row) for row in rows]

    def get(self, id: int) -> Handover:
        """One of them.

        Raises:
            NotFoundError: there is none.
        """
        with self._memory.opened() as database:
            row = database.execute(
                "SELECT id, talk, why, summary, suggested, time, state, answer, who, question FROM handovers "
                "WHERE id = ?",
                (id,),
            ).fetchone()
        if row is None:
            raise NotFoundError(f"there is no hand-over {id}", cure="open one of the list")
        return Handover(*row)

    def history(self, talk: str) -> list[Turn]:
        """What was said."""
        return self._memory.history(talk)

    def answer(self, id: int, text: str, *, who: str) -> None:
        """A person's answer: the customer sees it, and it waits for review before anything learns from it.

        Raises:
            RequestError: the answer is empty or too long.
        """
        plain = text.strip()
        if not plain or len(plain) > LONGEST:
            raise RequestError(f"the answer has {len(plain)} characters", cure=f"write 1 to {LONGEST}")
        one = self.get(id)
        self._memory.add(one.talk, "agent", plain)
        self._move(id, "answered", plain, who)
        self._shop.audit.append("answer customer", {"handover": id})

    def review(self, id: int, *, approve: bool, question: str = "", answer: str = "") -> None:
        """Let an answered one into what the assistant learns from, or keep it out."""
        one = self.get(id)
        if one.state != "answered":
            raise RequestError(f"hand-over {id} is {one.state}", cure="review one that a person has answered")
        if approve:
            rows = read_approved(self._shop)
            pair = {"question": self._memory.masked(question or one.question),
                    "answer": self._memory.masked(answer or one.answer)}  # fmt: skip
            write_json(self._shop.store / APPROVED, [*rows, pair], mode=0o600)
        self._move(id, "approved" if approve else "declined", one.answer, one.who)
        self._shop.audit.append("review answer", {"handover": id, "approved": approve})

    def _move(self, id: int, state: str, answer: str, who: str) -> None:
        with self._memory.opened() as database:
            database.execute(
                "UPDATE handovers SET state = ?, answer = ?, who = ? WHERE id = ?",
                (state, self._memory.masked(answer), who, id),
            )


def read_approved(shop: Shop) -> list[dict[str, Any]]:
    """Questions and answers of people that the owner let in."""
    path = shop.store / APPROVED
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return found
