"""Progress of a run in; a stop when time is up, a line in a file, a bar on the screen out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import transformers

from mercer.learn.ranks import agreed, first

__all__ = ["Budget", "Lines", "Progress"]


class Budget(transformers.TrainerCallback):
    """Stops when the time is up by the first process's clock; the best figure so far is kept."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for an evaluation and the end."""
        del args, state
        if agreed(lambda: time.monotonic() >= self._end):
            control.should_training_stop = True
            control.should_evaluate = True
        return control


class Lines(transformers.TrainerCallback):
    """One JSON object a line: step, time and whatever is logged; a run that goes on appends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Write one line."""
        del args, control
        if not first():
            return
        line = {"step": state.global_step, "time": round(time.time(), 3), **(logs or {})}
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=float) + "\n")


class Progress(transformers.TrainerCallback):
    """Tells a function the step, of how many, and the last loss and figure."""

    def __init__(self, tick: Callable[[int, int, Mapping[str, float]], None]) -> None:
        self._tick = tick
        self._said: dict[str, float] = {}

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Remember what was said."""
        del args, state, control
        self._said |= {name: float(value) for name, value in (logs or {}).items() if isinstance(value, int | float)}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say it."""
        del args, control
        self._tick(state.global_step, state.max_steps, dict(self._said))
