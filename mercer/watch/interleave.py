"""Two rankings of one answer in; one list with the team of each product, and the team that won the clicks, out."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from typing import TypeVar

__all__ = ["TEAMS", "credit", "draft"]

Item = TypeVar("Item", bound=Hashable)
TEAMS = "ab"
"""Letters of the first and the second ranking."""


def draft(first: Sequence[Item], second: Sequence[Item], k: int, *, seed: int | str) -> tuple[list[Item], str]:
    """k products and their teams, one letter each: team draft (Radlinski, Kurup and Joachims, CIKM 2008).

    Each round a coin says which ranking picks first; each then picks its best that is not taken. The same seed and
    rankings give the same list, and a longer one begins with the shorter one.

    >>> draft(["x", "y", "z"], ["y", "x", "w"], 4, seed=1)
    (['x', 'y', 'w', 'z'], 'abba')
    """
    coin, taken, teams = random.Random(seed), list[Item](), ""
    left = [iter(first), iter(second)]
    known: set[Item] = set()
    while len(taken) < k:
        turns = (0, 1) if coin.random() < 0.5 else (1, 0)
        before = len(taken)
        for team in turns:
            pick = next((one for one in left[team] if one not in known), None)
            if pick is not None and len(taken) < k:
                taken.append(pick)
                known.add(pick)
                teams += TEAMS[team]
        if len(taken) == before:
            break
    return taken, teams


def credit(teams: str, clicked: Sequence[int]) -> int:
    """1 where the second team's products were clicked more, -1 where the first's, 0 where both alike.

    Args:
        teams: letter of each place, the first place first.
        clicked: places, from 1.

    >>> credit("abba", [2, 3, 1])
    1
    """
    got = [teams[place - 1] for place in clicked if 1 <= place <= len(teams)]
    more = got.count(TEAMS[1]) - got.count(TEAMS[0])
    return (more > 0) - (more < 0)
