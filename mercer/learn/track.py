"""Names of trackers and a run's folder in; what writes the run down where TensorBoard and W&B read it, out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import transformers

from mercer.errors import SettingsError
from mercer.learn.ranks import first
from mercer.learn.settings import LearnSettings
from mercer.shop import disk_errors

__all__ = ["Board", "Wandb", "keep_tracks", "trackers"]

KEPT = ("log.jsonl", "tensorboard", "wandb")
"""What outlives the work folder, beside the card of what was learned."""
PROJECT = "mercer"
"""At Weights & Biases, unless WANDB_PROJECT names another."""


def trackers(settings: LearnSettings, work: Path) -> list[transformers.TrainerCallback]:
    """What `settings.track` names beside jsonl; nothing in processes that only help to train."""
    if not first():
        return []
    told = json.loads(json.dumps(dataclasses.asdict(settings)))
    made: dict[str, Any] = {"tensorboard": Board, "wandb": Wandb}
    return [made[name](work, told) for name in settings.track if name in made]


def keep_tracks(work: Path, folder: Path) -> None:
    """Copy what the trackers wrote from the work folder, which goes, into the folder of what was learned."""
    with disk_errors(folder):
        for name in KEPT:
            if (work / name).is_dir():
                shutil.copytree(work / name, folder / name, ignore=shutil.ignore_patterns("latest-run", "*.log"))
            elif (work / name).exists():
                shutil.copyfile(work / name, folder / name)


class Board(transformers.TrainerCallback):
    """Event files for TensorBoard in the run's folder; a run that goes on hides what it does again."""

    def __init__(self, work: Path, settings: Mapping[str, Any]) -> None:
        self._folder, self._settings = work / "tensorboard", settings

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the file and put the settings into it."""
        from torch.utils.tensorboard import SummaryWriter

        del args, control
        self._file: Any = SummaryWriter(str(self._folder), purge_step=state.global_step + 1)
        self._file.add_text("settings", "```\n" + json.dumps(self._settings, indent=1) + "\n```")

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Write every number that is told."""
        del args, control
        for name, value in _numbers(logs).items():
            self._file.add_scalar(name, value, state.global_step)
        self._file.flush()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the file."""
        del args, state, control
        self._file.close()


class Wandb(transformers.TrainerCallback):
    """A run of Weights & Biases in the run's folder, offline unless the owner is logged in or set WANDB_MODE."""

    def __init__(self, work: Path, settings: Mapping[str, Any]) -> None:
        self._work, self._settings = work, settings

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin a run.

        Raises:
            SettingsError: W&B is to be online and cannot be.
        """
        import wandb

        del args, state, control
        quiet = wandb.Settings(
            silent=True, console="off", save_code=False, disable_git=True, x_disable_stats=True, x_disable_meta=True,
            x_save_requirements=False,
        )  # fmt: skip
        with _own_cache(self._work / "wandb-cache"):
            try:
                chosen = os.environ.get("WANDB_MODE") or wandb.login(prompt=False)
                self._run: Any = wandb.init(
                    project=os.environ.get("WANDB_PROJECT", PROJECT),
                    name=os.environ.get("WANDB_NAME", self._work.name),
                    dir=str(self._work),
                    mode=None if chosen else "offline",
                    config=dict(self._settings),
                    settings=quiet,
                )
            except wandb.Error as error:
                cure = "set WANDB_MODE=offline, run: wandb login, or take wandb out of [learn] track"
                raise SettingsError(f"Weights & Biases: {error}", cure=cure) from error

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Send every number that is told."""
        del args, control
        self._run.log(_numbers(logs), step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the run, and the process that W&B keeps beside it."""
        import wandb

        del args, state, control
        self._run.finish()
        wandb.teardown()


def _numbers(logs: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (logs or {}).items() if isinstance(value, int | float)}


@contextlib.contextmanager
def _own_cache(folder: Path) -> Iterator[None]:
    """Keep what W&B writes into the home folder in the work folder, unless the owner chose a place."""
    if "WANDB_CACHE_DIR" in os.environ:
        yield
        return
    os.environ["WANDB_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["WANDB_CACHE_DIR"]
