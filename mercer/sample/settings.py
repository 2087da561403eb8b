"""What the invented shop is to be like: one frozen settings class, checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from mercer.errors import SettingsError

__all__ = ["DAY", "SampleSettings"]

DAY = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """Size, time and dirt of the invented shop; the same settings give the same bytes.

    Raises:
        SettingsError: a value is out of its range.

    >>> SampleSettings(products=3)
    Traceback (most recent call last):
    mercer.errors.SettingsError: products is 3; give between 200 and 1000000
    """

    seed: int = 7
    """Any whole number from 0; another seed is another shop."""
    products: int = 3000
    """Listings, half Chinese and half English."""
    shoppers: int = 2000
    """People with tastes; those who never come are in truth/ but not in events."""
    events: int = 100_000
    """Rows of events.csv.gz before dirt."""
    queries: int = 300
    """Judged queries, half Chinese and half English."""
    images: int = 600
    """Products with a picture, the most popular first."""
    image_size: int = 240
    """Width and height of a picture in pixels."""
    dirt: float = 0.0
    """Share of the rows of each family that get an error (0 to 0.3)."""
    start: str = "2025-03-03"
    """First day (UTC, YYYY-MM-DD)."""
    days: int = 120
    """Length of the event log."""

    def __post_init__(self) -> None:
        limits = {
            "seed": (0, 2**32 - 1),
            "products": (200, 1_000_000),
            "shoppers": (10, 10_000_000),
            "events": (500, 100_000_000),
            "queries": (10, 5000),
            "images": (0, 100_000),
            "image_size": (32, 1024),
            "dirt": (0, 0.3),
            "days": (14, 1500),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}", cure=f"give between {low} and {high}")
        try:
            datetime.fromisoformat(self.start)
        except ValueError as error:
            raise SettingsError(f"start is {self.start!r}", cure="give a day as YYYY-MM-DD") from error

    @property
    def first(self) -> int:
        """UTC milliseconds of the first moment."""
        return int(datetime.fromisoformat(self.start).replace(tzinfo=UTC).timestamp() * 1000)

    @property
    def last(self) -> int:
        """UTC milliseconds just after the last moment."""
        return self.first + self.days * DAY
