"""Steps and another way of typing in; the same steps with some of their queries typed that way out."""

from __future__ import annotations

import dataclasses
import random

from torch.utils.data import Dataset

from mercer.learn.augment import Augment
from mercer.learn.step import Plan, Steps

__all__ = ["Augmented"]


class Augmented(Dataset[Plan]):
    """What is judged of a query stays true however it is typed. Which are changed depends on seed and step alone."""

    def __init__(self, steps: Steps, augment: Augment, *, share: float, seed: int) -> None:
        """Type a `share` of each step's queries otherwise."""
        self._steps, self._augment, self._share, self._seed = steps, augment, share, seed

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, step: int) -> Plan:
        plan, chance = self._steps[step], random.Random(f"{self._seed} augment {step}")
        typed = (self._augment(text, chance) if chance.random() < self._share else text for text in plan.queries)
        return dataclasses.replace(plan, queries=tuple(typed))
