"""A space of settings and what a trial of them is worth in; the best of them, found in a study that goes on, out."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import MissingExtra, ModelError, SettingsError, ShopError
from mercer.shop import disk_errors

__all__ = ["ENCODER", "RANKER", "Knob", "Report", "SearchSettings", "Searched", "search"]

Report = Callable[[int, float], None]
"""Told step and figure while a trial runs; it does not come back where the trial is not worth going on."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting that is searched: between two numbers, or one of several values."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()


STOPPED = "stopped"
"""What is noted of a trial that a person stopped."""
ENCODER = (
    Knob("lr", 5e-6, 2e-4, log=True),
    Knob("temperature", 0.02, 0.1, log=True),
    Knob("catalogue_share", 0.0, 0.6),
    Knob("train", choices=("full", "frozen", "lora")),
)
"""Of ``[learn]``."""
RANKER = (
    Knob("leaves", 4, 31, log=True, whole=True),
    Knob("lr", 0.02, 0.15, log=True),
    Knob("least_leaf", 10, 200, log=True, whole=True),
    Knob("columns", 0.15, 1.0),
    Knob("penalty", 0.1, 30.0, log=True),
    Knob("deep", 10, 50, whole=True),
)
"""Of ``[learn.ranker]``."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Section ``[learn.search]``: how settings are searched."""

    started: int = 4
    """Trials that are drawn by chance before the search learns from them, those of earlier calls counted in."""
    prune: bool = True
    """Whether a trial stops that lies below the median of the others at the same step."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 1 <= self.started <= 10_000:
            raise SettingsError(f"[learn.search] started is {self.started}", cure="give a number from 1 to 10000")


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found."""

    best: Mapping[str, Any]
    """Settings by name."""
    figure: float
    trials: int
    """Finished, in this call and before."""
    pruned: int
    failed: int
    curve: tuple[float, ...]
    """The best figure after each finished trial."""


def search(
    space: Sequence[Knob],
    worth: Callable[[Mapping[str, Any], Report], float],
    *,
    number: int,
    path: Path,
    name: str,
    first: Sequence[Mapping[str, Any]],
    settings: SearchSettings | None = None,
    tick: Callable[[int, float], None] | None = None,
) -> Searched:
    """Try `number` more settings (TPE, Bergstra et al. 2011) and say which of all tried so far are best.

    Args:
        space: what is searched.
        worth: settings → a figure, the higher the better, of data that nothing is reported on.
        number: trials of this call.
        path: an SQLite file; a search of the same `name` goes on where the last ended, or was killed.
        name: of the study: a hash of all that makes figures comparable.
        first: tried first: the settings as they are, so that the search never ends below them, and what else is likely.
        settings: see there.
        tick: told trials done in this call, and the best figure.

    Raises:
        MissingExtra: Optuna is not installed.
        ShopError: the file is damaged.
    """
    settings = settings or SearchSettings()
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("optuna", extra="tune") from error
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _quiet(optuna), _study(optuna, path, name, settings) as study:
        _tidy(optuna, study)
        if not study.trials:
            for one in first:
                study.enqueue_trial({knob.name: _inside(knob, one[knob.name]) for knob in space if knob.name in one})

        def objective(trial: Any) -> float:
            chosen = {knob.name: _drawn(trial, knob) for knob in space}

            def report(step: int, figure: float) -> None:
                trial.report(figure, step)
                if trial.should_prune():
                    raise optuna.TrialPruned

            try:
                return worth(chosen, report)
            except ModelError as error:  # settings that break training are no answer, and no reason to stop
                raise optuna.TrialPruned(str(error)) from error
            except KeyboardInterrupt:
                trial.set_user_attr(STOPPED, True)
                raise

        for done in range(1, number + 1):
            study.optimize(objective, n_trials=1)
            if tick is not None:
                tick(done, _best(optuna, study))
        return _told(optuna, study)


def _inside(knob: Knob, value: Any) -> Any:
    """The nearest value that the search may draw."""
    if knob.choices:
        return value if value in knob.choices else knob.choices[0]
    return min(max(value, int(knob.low) if knob.whole else knob.low), int(knob.high) if knob.whole else knob.high)


def _drawn(trial: Any, knob: Knob) -> Any:
    if knob.choices:
        return trial.suggest_categorical(knob.name, list(knob.choices))
    if knob.whole:
        return trial.suggest_int(knob.name, int(knob.low), int(knob.high), log=knob.log)
    return trial.suggest_float(knob.name, knob.low, knob.high, log=knob.log)


@contextlib.contextmanager
def _study(optuna: Any, path: Path, name: str, settings: SearchSettings) -> Iterator[Any]:
    """The study of that name, with what was tried before; the seed moves on with it, so that no draw comes twice."""
    from sqlalchemy.exc import DatabaseError

    pruner = optuna.pruners.MedianPruner(n_startup_trials=settings.started) if settings.prune else None
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        told = optuna.study.get_all_study_names(storage=storage)
        tried = len(optuna.load_study(study_name=name, storage=storage).trials) if name in told else 0
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            load_if_exists=True,
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=settings.seed + tried, n_startup_trials=settings.started),
            pruner=pruner or optuna.pruners.NopPruner(),
        )
    except DatabaseError as error:
        raise ShopError(f"{path} is damaged: {error.orig}", cure="delete it: the search begins anew") from error
    try:
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _tidy(optuna: Any, study: Any) -> None:
    """Trials in which a process was killed or stopped count as failed; their settings are tried again, once each."""
    states = optuna.trial.TrialState
    every = study.get_trials(deepcopy=False)
    tried = [trial.params for trial in every if trial.state in (states.COMPLETE, states.PRUNED)]
    tried += [trial.system_attrs.get("fixed_params") for trial in every if trial.state == states.WAITING]
    for trial in every:
        if trial.state == states.RUNNING:
            study.tell(trial.number, state=states.FAIL)
        elif trial.state != states.FAIL or not trial.user_attrs.get(STOPPED):
            continue
        if trial.params and trial.params not in tried:
            study.enqueue_trial(trial.params)
            tried.append(trial.params)


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _best(optuna: Any, study: Any) -> float:
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return max((float(trial.value) for trial in done), default=float("nan"))


def _told(optuna: Any, study: Any) -> Searched:
    states = optuna.trial.TrialState
    every = study.get_trials(deepcopy=False)
    done = [trial for trial in every if trial.state == states.COMPLETE]
    if not done:
        raise ShopError("no trial ended", cure="search with more trials, or look at what fails without --search")
    best = max(done, key=lambda trial: float(trial.value))
    curve: list[float] = []
    for trial in done:
        curve.append(max(float(trial.value), *curve[-1:]) if curve else float(trial.value))
    counts = [sum(trial.state == state for trial in every) for state in (states.PRUNED, states.FAIL)]
    return Searched(dict(best.params), float(best.value), len(done), counts[0], counts[1], tuple(curve))
