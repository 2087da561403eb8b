"""A shop's live version in, its front doors out: search, recommend, suggest, and the writes that they see."""

from __future__ import annotations

from mercer.doors.build import Built, build
from mercer.doors.open import Doors, open_doors
from mercer.doors.settings import Settings

__all__ = ["Built", "Doors", "Settings", "build", "open_doors"]
