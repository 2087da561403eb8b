"""States of a run, or whole runs, in; the mean of those that rank the validation queries best together out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from mercer.learn.tower import Tower

__all__ = ["Soup", "greedy"]

State = Mapping[str, Tensor]
Judge = Callable[[Tower], float]


class Soup:
    """Keeps the best states that a run was evaluated at."""

    def __init__(self, judge: Judge, most: int) -> None:
        """Take what ranks the validation queries, and how many states are kept."""
        self._judge, self._most = judge, most
        self.states: list[tuple[float, State]] = []
        """Figure and weights, best first."""

    def __call__(self, tower: Tower) -> float:
        """Judge a state and keep it if it is among the best."""
        figure = self._judge(tower)
        if self._most > 1:
            state = {name: value.detach().to("cpu", copy=True) for name, value in tower.above.state_dict().items()}
            self.states = sorted([*self.states, (figure, state)], key=lambda one: -one[0])[: self._most]
        return figure

    def best(self, tower: Tower, *, reached: float) -> float:
        """Leave the mix of kept states in the tower where it ranks better than what is there; its figure."""
        end = {name: value.detach().to("cpu", copy=True) for name, value in tower.above.state_dict().items()}
        states = [state for _, state in self.states if state.keys() == end.keys()]
        if len(states) < 2:
            return reached
        figure, mixed = greedy(tower, [end, *states], self._judge, reached=reached)
        tower.above.load_state_dict(dict(mixed))
        return figure


def greedy(tower: Tower, states: Sequence[State], judge: Judge, *, reached: float) -> tuple[float, State]:
    """A greedy soup (Wortsman et al. 2022): the mean of the first state and of each that makes it no worse.

    Args:
        tower: whose upper layers the states are of; it holds the last one tried at the end.
        states: weights, the best first.
        judge: a figure, the higher the better.
        reached: of the first state.
    """
    kept, mixed, figure = [states[0]], states[0], reached
    for state in states[1:]:
        tried = _mean([*kept, state])
        tower.above.load_state_dict(dict(tried))
        found = judge(tower)
        if found >= figure:
            kept, mixed, figure = [*kept, state], tried, found
    return figure, mixed


def _mean(states: Sequence[State]) -> dict[str, Tensor]:
    first = states[0]
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in first.items()
    }
