"""What the owner may set about export for serving, checked and frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mercer.errors import SettingsError

__all__ = ["CompressSettings"]


@dataclass(frozen=True, slots=True)
class CompressSettings:
    """Which steps are taken, in this order, and how much each may lose."""

    trim: bool = False
    """Leave out word pieces that the shop does not use."""
    extra: int = 5000
    """Most frequent other word pieces of the shop's scripts that stay, for texts to come."""
    layers: int = 0
    """Layers that stay, spread over all; 0 leaves them."""
    dimension: int = 0
    """Numbers in a vector; 0 leaves them."""
    int8: bool = False
    """Weights of 8 bits, in the fastest way whose loss is within the limit."""
    static: bool = False
    """A table of one query vector a word piece: queries in microseconds."""
    limit: float = 0.005
    """Loss that a step may bring, as a share of the figure before it."""
    static_limit: float = 0.05
    """The same for the table of queries."""
    calibrate: int = 256
    """Texts that show the range of activations to int8."""
    invented: int = 20_000
    """Queries made of titles that the table is distilled from, beside the shop's own."""
    judged_by: int = 300
    """Queries that the quality of each step is told by."""
    shelf: int = 3000
    """Products that are ranked for them: judged ones, and others by chance."""
    seed: int = 7
    """Of samples and invented queries."""

    def __post_init__(self) -> None:
        for name, low, high in WHOLE:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}", cure=f"give a number between {low} and {high}")
        for name in ("limit", "static_limit"):
            share = getattr(self, name)
            if not (math.isfinite(share) and 0 <= share <= 1):
                raise SettingsError(f"{name} is {share}", cure="give a share between 0 and 1")


WHOLE = (
    ("extra", 0, 10_000_000),
    ("layers", 0, 1000),
    ("dimension", 0, 65_536),
    ("calibrate", 1, 100_000),
    ("invented", 0, 10_000_000),
    ("judged_by", 1, 1_000_000),
    ("shelf", 10, 10_000_000),
    ("seed", 0, 2**31),
)
