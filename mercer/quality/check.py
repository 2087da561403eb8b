"""A decorated function in; a registered check that declares what it looks for, how and what is done about it out."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, Literal, TypeVar, get_args

from mercer.errors import SettingsError
from mercer.records import Severity

__all__ = ["ACTIONS", "Act", "Check", "CheckSettings", "Inputs", "Problem", "Span", "Tier", "check", "find", "registry"]

Tier = Literal["relational", "batch", "global"]
"""relational: narwhals LazyFrames. batch: RecordBatch in, RecordBatch out. global: whole Arrow tables."""

Span = Literal["whole", "part"]
"""whole: sees all rows of a family. part: sees one file of it at a time, and the seven before it as
``FAMILY.before``; what it finds in a file holds until that file, or something else that it looked at, changes."""

Act = Literal["fix", "quarantine", "drop", "down", "block", "warn"]
ACTIONS: tuple[Act, ...] = get_args(Act)
TIERS: tuple[Tier, ...] = get_args(Tier)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

Frame = TypeVar("Frame")


@dataclass(frozen=True)
class CheckSettings:
    """What every check can be told; a check with thresholds of its own extends this."""

    warn_if: float = 0.01
    """Share of rows with a finding (0 to 1) above which the gate says warn."""
    error_if: float = 0.2
    """Share of rows taken out by this check (0 to 1) above which the gate blocks."""
    actions: Mapping[str, str] = field(default_factory=dict)
    """Problem → action, where the owner wants another than the check's own."""

    def __post_init__(self) -> None:
        for name in ("warn_if", "error_if"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingsError(f"{name} is {value}", cure="give a share of rows between 0 and 1")
        for problem, action in self.actions.items():
            if action not in ACTIONS:
                raise SettingsError(f"action of {problem} is {action!r}", cure=f"give one of {', '.join(ACTIONS)}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a check can say of a row."""

    english: str
    chinese: str
    action: Act
    restorable: bool = True
    """False where the row lacks what every reader of trusted data needs (an id, a parse)."""


@dataclass(frozen=True)
class Inputs(Mapping[str, Frame], Generic[Frame]):
    """The tables that one check may see, by family.

    Besides the families: ``FAMILY.malformed`` (row_id, line, text, problem) and ``FAMILY.uncast`` (row_id, field,
    text) as the reader gave them, and ``products.images`` (row_id, image, exists) for images that are local files.
    ``policy.suppressed`` are the owner's suppressions, ``policy.history`` the measures of earlier runs (see
    `measure_batch`); a check asks whether they are there. In a run they are a `watch.Watched`, which is asked the same
    way. A check of span ``part`` may find ``FAMILY.before``.
    Checks of the family ``training`` are given `roles.TrainingInputs`.
    """

    tables: Mapping[str, Frame]
    now: int
    """UTC milliseconds of this run: what is later is the future."""

    def hold(self, frame: Frame) -> Frame:
        """The same frame; in a run its rows are worked out once, however many questions are then asked of them."""
        return frame

    def __getitem__(self, name: str) -> Frame:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what it declares, and the function that does it.

    Called with `Inputs` and its settings. relational and global functions yield `finding.Found`; a batch function is
    called with one RecordBatch of one family and its settings and returns a RecordBatch of `finding.BATCH`.
    """

    id: str
    families: tuple[str, ...]
    """Families it looks at; it runs when one of them is there."""
    tier: Tier
    severity: Severity
    problems: Mapping[str, Problem]
    settings: type[CheckSettings]
    version: int
    english: str
    chinese: str
    repairs: bool
    """Its fixes are applied before the other checks look."""
    span: Span
    """How much of a family that comes in many files it sees at once; see `Span`."""
    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def action(self, problem: str, settings: CheckSettings) -> str:
        """What is done about a problem, the owner's word first."""
        return settings.actions.get(problem, self.problems[problem].action)


_REGISTRY: dict[str, Check] = {}


def check(
    id: str,
    *,
    families: tuple[str, ...],
    tier: Tier,
    severity: Severity,
    problems: Mapping[str, Problem],
    english: str,
    chinese: str,
    settings: type[CheckSettings] = CheckSettings,
    version: int = 1,
    repairs: bool = False,
    span: Span = "whole",
) -> Callable[[Callable[..., Any]], Check]:
    """Register the decorated function as a check.

    Raises:
        ValueError: a declaration that cannot be; the author of the check sees it when it is first imported.
    """
    if not re.fullmatch(r"[A-Z][0-9]{2}", id) or tier not in TIERS or severity not in SEVERITIES or not problems:
        raise ValueError(f"check {id!r}: id is a letter and two digits, tier {TIERS}, severity {SEVERITIES}")
    if not dataclasses.is_dataclass(settings) or not issubclass(settings, CheckSettings):
        raise ValueError(f"check {id}: settings is a dataclass that extends CheckSettings")

    def register(function: Callable[..., Any]) -> Check:
        known = _REGISTRY.get(id)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"check {id} is in {known.function.__module__} and in {function.__module__}")
        _REGISTRY[id] = Check(
            id, families, tier, severity, problems, settings, version, english, chinese, repairs, span, function
        )
        return _REGISTRY[id]

    return register


@cache
def _discover() -> None:
    from mercer.quality import checks

    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{module.name}")


def registry() -> dict[str, Check]:
    """Every check of `mercer.quality.checks`, by id, in order of id."""
    _discover()
    return dict(sorted(_REGISTRY.items()))


def find(id: str) -> Check:
    """One check by its id.

    Raises:
        SettingsError: nobody knows it.
    """
    known = registry()
    if id not in known:
        raise SettingsError(f"check {id!r} is unknown", cure=f"known: {', '.join(known)}")
    return known[id]
