"""Weights before and after training in; the mix of both that ranks the validation queries best out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mercer.learn.tower import Tower

__all__ = ["SHARES", "Blend"]

SHARES = (0.25, 0.5, 0.75)
"""Shares of the trained weights that are tried beside all of them."""


class Blend:
    """The weights that a tower had before training.

    Weights between the start and the end of a training keep most of what the end gained where it was trained, and most
    of what the start knew elsewhere (WiSE-FT, Wortsman et al. 2022; LM-Cocktail, Xiao et al. 2023): less forgetting
    and less overfitting for the price of a few evaluations.
    """

    def __init__(self, tower: Tower) -> None:
        """Keep a copy; the tower must be as it will be when its adapters are folded."""
        self._start = {name: value.detach().clone() for name, value in tower.above.state_dict().items()}

    def best(self, tower: Tower, judge: Callable[[Tower], float], *, reached: float) -> tuple[float, float]:
        """Leave the best mix in the tower: the share of trained weights, and its figure. Of equals the smallest share.

        Args:
            tower: trained, adapters folded in. What it did not have before stays as trained, which leaves no mix of it.
            judge: a figure, the higher the better.
            reached: of the weights as trained.
        """
        end = {name: value.detach().clone() for name, value in tower.above.state_dict().items()}
        found = (1.0, reached)
        if end.keys() == self._start.keys():
            for share in sorted(SHARES, reverse=True):
                self._mix(tower, end, share)
                figure = judge(tower)
                if figure >= found[1]:
                    found = (share, figure)
        self._mix(tower, end, found[0])
        return found

    def _mix(self, tower: Tower, end: dict[str, Tensor], share: float) -> None:
        mixed = (
            end if share == 1 else {name: torch.lerp(self._start[name], value, share) for name, value in end.items()}
        )
        tower.above.load_state_dict(mixed)
