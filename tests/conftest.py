"""Fixtures that every room's tests may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the repository."""
    if not SHARED.exists():
        pytest.skip("real data is not beside this repository (../shared/data is missing)")
    return SHARED
