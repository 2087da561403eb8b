"""Settings in; past conversations of an invented shop's shoppers with its agents, in both languages, out."""

from __future__ import annotations

import random
from typing import Any

from mercer.sample.settings import DAY, SampleSettings
from mercer.sample.taxonomy import vocabulary

__all__ = ["draw"]

COUNT = 120
"""Conversations; few, as they repeat themselves: each is one question in several wordings, and what an agent said."""


def draw(settings: SampleSettings) -> list[dict[str, Any]]:
    """Rows in order of time: the shopper greets and asks, the agent answers, mostly the shopper thanks."""
    chance = random.Random(f"dialogue {settings.seed}")
    told = vocabulary("dialogues.json")
    rows: list[dict[str, Any]] = []
    for number in range(COUNT):
        topic = told["topics"][number % len(told["topics"])]
        said = told["manners"][topic["language"]]
        start = settings.first + int(chance.random() * settings.days * DAY)
        turns = [
            ("shopper", chance.choice(said["hello"]), ""),
            ("agent", chance.choice(said["welcome"]), ""),
            ("shopper", chance.choice(topic["asked"]), topic["intent"]),
            ("agent", chance.choice(topic["answered"]), ""),
            ("shopper", chance.choice(said["thanks"]), ""),
        ]
        turns = turns[2:] if chance.random() < 0.5 else turns
        rows += [
            {
                "conversation": f"C{number + 1:05d}",
                "role": role,
                "text": text,
                "time": start + place * 45_000,
                **({"intent": intent} if intent else {}),
            }
            for place, (role, text, intent) in enumerate(turns)
        ]
    return sorted(rows, key=lambda row: (row["time"], row["conversation"]))
