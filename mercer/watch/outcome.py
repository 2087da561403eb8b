"""An experiment and the log in; its arms beside each other, whether they can be trusted, and what follows, out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.watch.experiment import METRICS, Experiment, Guardrail
from mercer.watch.sequential import LEAST, Difference, between, mean
from mercer.watch.unit import Unit, units

if TYPE_CHECKING:
    from mercer.events.log import EventLog

__all__ = ["RATIO_P", "ArmResult", "Comparison", "Outcome", "judge", "outcome", "sample_ratio"]

RATIO_P = 0.001
"""p below which shares of shoppers are not those that were set: Fabijan et al., KDD 2019, use as little."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm: its shoppers and their means."""

    name: str
    units: int
    metrics: Mapping[str, float]
    stopped: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against the first, by one metric."""

    arm: str
    metric: str
    difference: float
    low: float
    high: float
    """Ends of an interval that holds at every look at once; infinite until there is enough."""
    p: float
    n: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of an experiment by now."""

    experiment: str
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    ratio_p: float
    """Of the sample-ratio check (chi-squared); 1 where nobody was shown anything."""
    trusted: bool
    """Whether shoppers are shared out as was set: else something loses some, and no number here means much."""
    harmed: Mapping[str, str]
    """Arm → the guardrail that it surely breaks."""
    said: tuple[str, ...]
    """The same in sentences."""

    def row(self) -> dict[str, Any]:
        """For JSON, which has no infinity."""
        row = asdict(self)
        for one in row["comparisons"]:
            one.update({name: None for name in ("low", "high") if not math.isfinite(one[name])})
        for arm in row["arms"]:
            arm["metrics"] = {name: None if math.isnan(value) else value for name, value in arm["metrics"].items()}
        return row


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> float:
    """p of the counts of each arm, were shoppers shared out by `weights`; Pearson's chi-squared.

    >>> round(sample_ratio([500, 520], [1, 1]), 2), sample_ratio([500, 700], [1, 1]) < RATIO_P
    (0.53, True)
    """
    from scipy.stats import chisquare

    if sum(counts) == 0 or len(counts) < 2:  # of one arm that is left there is no ratio
        return 1.0
    expected = np.array(weights, np.float64) / sum(weights) * sum(counts)
    return float(chisquare(np.array(counts, np.float64), expected).pvalue)


def outcome(experiment: Experiment, log: EventLog, *, now: int | None = None) -> Outcome:
    """Judge an experiment by what the log has; `now` in UTC ms, None for the clock."""
    return judge(experiment, units(experiment, log, now=now))


def judge(experiment: Experiment, found: Iterable[Unit]) -> Outcome:
    """The same by its shoppers, in the order in which they were first shown an answer."""
    held = list(found)
    if experiment.kind == "interleave":
        return _interleaved(experiment, held)
    by_arm = {name: [unit for unit in held if unit.arm == name] for name in experiment.names}
    # an arm that was stopped takes no more shoppers: shares are judged among those that were never stopped
    going = [arm for arm in experiment.arms if not arm.stopped]
    ratio_p = sample_ratio([len(by_arm[arm.name]) for arm in going], [arm.weight for arm in going])
    arms = tuple(
        ArmResult(arm.name, len(by_arm[arm.name]), _means(by_arm[arm.name]), arm.stopped) for arm in experiment.arms
    )
    metrics = dict.fromkeys((experiment.metric, *(one.metric for one in experiment.guardrails), *METRICS))
    control = by_arm[experiment.names[0]]
    alpha = 0.05 / (len(experiment.arms) - 1)  # Bonferroni over arms; other metrics than the deciding one are shown
    comparisons = tuple(
        _compared(experiment, name, metric, by_arm[name], control, alpha=alpha)
        for name in experiment.names[1:]
        for metric in metrics
    )
    return _told(experiment, arms, comparisons, ratio_p)


def _compared(
    experiment: Experiment, arm: str, metric: str, ours: Sequence[Unit], theirs: Sequence[Unit], *, alpha: float
) -> Comparison:
    found = between(_values(ours, metric), _values(theirs, metric), alpha=alpha, plan=experiment.plan)
    return _comparison(arm, metric, found)


def _comparison(arm: str, metric: str, found: Difference) -> Comparison:
    return Comparison(arm, metric, found.difference, found.low, found.high, found.p, found.n)


def _interleaved(experiment: Experiment, held: Sequence[Unit]) -> Outcome:
    """Each shopper's answers have products of both: the score is which of them were clicked more, from -1 to 1."""
    second = experiment.names[1]
    found = mean([unit.values["won"] for unit in held], plan=experiment.plan)
    arms = tuple(ArmResult(name, len(held), _means(held), "") for name in experiment.names)
    return _told(experiment, arms, (_comparison(second, "won", found),), 1.0)


def _told(
    experiment: Experiment, arms: tuple[ArmResult, ...], comparisons: tuple[Comparison, ...], ratio_p: float
) -> Outcome:
    trusted = ratio_p >= RATIO_P
    harmed = {arm.name: why for arm in arms[1:] if (why := _harm(experiment, arm.name, comparisons))}
    said = [] if trusted else [
        f"the arms' shoppers are not shared out as was set (p = {ratio_p:.2g}): find out why before reading on"
    ]  # fmt: skip
    decided = "won" if experiment.kind == "interleave" else experiment.metric
    for one in comparisons:
        if one.metric == decided:
            said.append(_sentence(one, experiment.names[0]))
    said += [f"{arm} is stopped: {why}" if trusted else f"{arm} seems to break {why}" for arm, why in harmed.items()]
    return Outcome(experiment.id, arms, comparisons, ratio_p, trusted, harmed, tuple(said))


def _sentence(one: Comparison, control: str) -> str:
    if not math.isfinite(one.low):
        return f"{one.arm}: too little is known yet ({one.n} shoppers; {LEAST} of each arm are needed)"
    spread = f"{one.difference:+.4g} [{one.low:+.4g}, {one.high:+.4g}] {one.metric}, {one.n} shoppers"
    if one.low <= 0 <= one.high:
        return f"{one.arm} and {control} are not told apart yet: {spread}"
    better = (one.difference > 0) == (METRICS.get(one.metric, 1) > 0)  # type: ignore[call-overload]  # won is no metric
    return f"{one.arm} is {'better' if better else 'worse'} than {control}: {spread}"


def _harm(experiment: Experiment, arm: str, comparisons: Sequence[Comparison]) -> str:
    """ "" or the guardrail that an arm breaks: its whole interval is beyond what it may cost."""
    for rail in experiment.guardrails:
        for one in comparisons:
            if (one.arm, one.metric) == (arm, rail.metric) and _worst(one, rail) > rail.worse:
                spread = f"{one.difference:+.4g} [{one.low:+.4g}, {one.high:+.4g}]"
                return f"{rail.metric} {spread}, at most {rail.worse:g} worse"
    return ""


def _worst(one: Comparison, rail: Guardrail) -> float:
    """How much worse the arm is at the least."""
    return -one.high if METRICS[rail.metric] > 0 else one.low


def _values(held: Sequence[Unit], metric: str) -> NDArray[np.float64]:
    column = np.array([unit.values[metric] for unit in held], np.float64)
    return column[~np.isnan(column)]


def _means(held: Sequence[Unit]) -> dict[str, float]:
    names = held[0].values if held else dict.fromkeys(METRICS, math.nan)
    found = {name: _values(held, name) for name in names}
    return {name: float(column.mean()) if len(column) else math.nan for name, column in found.items()}
