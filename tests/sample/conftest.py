"""One small invented shop, clean and dirty, for all tests of the room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mercer.sample import SampleSettings, Summary, generate

SMALL = SampleSettings(products=600, shoppers=200, events=12_000, queries=80, images=12, image_size=64)


@pytest.fixture(scope="session")
def small() -> SampleSettings:
    return SMALL


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    folder = tmp_path_factory.mktemp("clean")
    return folder, generate(folder, SMALL)


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    folder = tmp_path_factory.mktemp("dirty")
    return folder, generate(folder, replace(SMALL, dirt=0.06))
