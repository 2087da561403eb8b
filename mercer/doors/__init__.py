"""A shop's live version in, its front doors out: search, recommend, suggest, and the writes that they see."""

from __future__ import annotations

from mercer.doors.build import Built, build
from mercer.doors.open import Doors, open_doors
from mercer.doors.settings import Settings
from mercer.doors.swap import LiveDoors

__all__ = ["Built", "Doors", "LiveDoors", "Settings", "build", "open_doors"]
