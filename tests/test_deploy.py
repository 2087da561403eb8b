"""The files for systemd and containers name commands, options and extras that there are."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def test_the_unit_starts_and_stops_the_server(mercer: Callable[..., Any]) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    unit.read(DEPLOY / "mercer.service", "utf-8")
    program, command, shop, *options = shlex.split(unit["Service"]["ExecStart"])
    said = mercer(command, "--help").out
    assert Path(program).name == "mercer"
    assert all(option in said for option in options if option.startswith("--"))
    assert unit["Service"]["KillSignal"] == "SIGTERM"
    assert int(unit["Service"]["TimeoutStopSec"]) > 10, "longer than uvicorn waits for calls that have begun"
    assert unit["Service"]["ReadWritePaths"] == shop


def test_the_container_has_what_it_copies_and_asks_for(mercer: Callable[..., Any]) -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    for line in re.findall(r"^COPY (.+)", text, re.MULTILINE):
        *names, _ = line.split()
        assert all((ROOT / name).exists() for name in names)
    extras = re.findall(r"/opt/source\[([a-z,]+)\]", text)[0].split(",")
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras) <= set(known["optional-dependencies"])
    command, _, *options = json.loads(re.findall(r"^CMD (\[.+\])", text, re.MULTILINE)[0])
    said = mercer(command, "--help").out
    assert all(option in said for option in options if option.startswith("--"))
    assert "USER mercer" in text
