"""A name like ``nDCG@10`` in, a metric out; rankings and truth into the metric, one value a query out."""

from __future__ import annotations

import difflib
import functools
import importlib
import math
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError
from mercer.measure.judged import Judged, judge

__all__ = [
    "Formula",
    "Metric",
    "RankingMetric",
    "Runs",
    "Scores",
    "Truth",
    "formula",
    "known",
    "parse",
    "parse_all",
    "parse_gains",
]

Runs = Mapping[str, Sequence[str]]
"""Query id → product ids, best first."""
Truth = Mapping[str, Mapping[str, float]]
"""Query id → product id → grade."""
Formula = Callable[[Judged], NDArray[np.float64]]

SPELLING = re.compile(r"^\s*([A-Za-z0-9]+?)\s*(?:\(\s*rel\s*=\s*([^()]+)\))?\s*(?:@(.*))?$", re.DOTALL)


class Scores(dict[str, float]):
    """The value of one metric for each judged query, with their mean."""

    @property
    def mean(self) -> float:
        return math.fsum(self.values()) / len(self) if self else math.nan


class Metric(Protocol):
    """What every ranking metric promises.

    Values lie in 0..1, higher is better; the order of queries does not matter; a judged query without a ranking
    counts 0, so does a judged query with no relevant product (both as in trec_eval and ir-measures); queries that
    nobody judged are left out; products that nobody judged are not relevant. A ranking is a list, so there are no
    ties. A product that comes twice counts where it comes first, and wastes the place where it comes again.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, runs: Runs, truth: Truth) -> Scores: ...


@dataclass(frozen=True, slots=True)
class RankingMetric:
    """A formula with its cut-off, gains and threshold: a `Metric`."""

    label: str
    formula: Formula
    k: int | None = None
    """How many places of a ranking are looked at; None for all."""
    gains: Mapping[float, float] | None = None
    """Grade → gain of nDCG; None where the grade is the gain. Other metrics go by the grade and `relevant`."""
    relevant: float = 1.0
    """The lowest grade that counts as relevant."""

    @property
    def name(self) -> str:
        threshold = "" if self.relevant == 1.0 else f"(rel={self.relevant:g})"
        return f"{self.label}{threshold}{'' if self.k is None else f'@{self.k}'}"

    def __call__(self, runs: Runs, truth: Truth) -> Scores:
        """Measure each judged query.

        Raises:
            RequestError: nothing is judged, a grade is not finite, or a grade has no gain.
        """
        queries, judged = judge(runs, truth, k=self.k, gains=self.gains, relevant=self.relevant)
        values = np.clip(self.formula(judged), 0.0, 1.0)  # the last bit of a sum may pass 1
        return Scores(zip(queries, values.tolist(), strict=True))


_FORMULAS: dict[str, Formula] = {}
_SPELLINGS: dict[str, str] = {}


def formula(name: str, *aliases: str) -> Callable[[Formula], Formula]:
    """Register a formula under its name; a file in ``mercer/measure/metrics`` that uses this is a new metric."""

    def register(function: Formula) -> Formula:
        _FORMULAS[name] = function
        _SPELLINGS.update({spelling.lower(): name for spelling in (name, *aliases)})
        return function

    return register


@functools.cache
def known() -> tuple[str, ...]:
    """Names of all metrics, without their cut-offs."""
    package = importlib.import_module("mercer.measure.metrics")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted(_FORMULAS, key=str.lower))


def parse(text: str, *, gains: Mapping[float, float] | None = None, relevant: float = 1.0) -> RankingMetric:
    """Read ``NAME``, ``NAME@k`` or ``NAME(rel=2)@k``; upper and lower case, and the names of ir-measures, are equal.

    Raises:
        RequestError: an unknown name (the nearest right one is given) or a k below 1.

    >>> parse("ndcg@10").name
    'nDCG@10'
    >>> parse("nDCG@2", gains={3: 1, 2: .1, 1: .01, 0: 0})({"q": ["b", "a"]}, {"q": {"a": 3, "b": 0}}).mean
    0.63...
    >>> parse("nGCD@10")
    Traceback (most recent call last):
    mercer.errors.RequestError: metric 'nGCD@10' is unknown; did you mean nDCG?
    """
    names = known()
    match = SPELLING.match(text)
    name = _SPELLINGS.get(match[1].lower()) if match else None
    if match is None or name is None:
        near = difflib.get_close_matches((match[1] if match else text).lower(), list(_SPELLINGS), n=1)
        cure = f"did you mean {_SPELLINGS[near[0]]}?" if near else f"known: {', '.join(names)}, each with @k"
        raise RequestError(f"metric {text!r} is unknown", cure=cure)
    threshold = relevant if match[2] is None else _finite(match[2], f"the threshold of metric {text!r}")
    return RankingMetric(name, _FORMULAS[name], k=_cut(match[3], text), gains=gains, relevant=threshold)


def parse_gains(text: str) -> dict[float, float]:
    """Read ``grade=gain,…``, as ESCI's official gains.

    Raises:
        RequestError: no such list, a gain below 0, or a grade given twice.

    >>> parse_gains("3=1,2=.1,1=.01,0=0")
    {3.0: 1.0, 2.0: 0.1, 1.0: 0.01, 0.0: 0.0}
    """
    gains: dict[float, float] = {}
    for part in text.split(","):
        grade, sign, gain = part.partition("=")
        if not sign:
            raise RequestError(f"gains {text!r} have no '=' in {part!r}", cure="write them as 3=1,2=.1,1=.01,0=0")
        key, value = _finite(grade, f"a grade of gains {text!r}"), _finite(gain, f"a gain of {text!r}")
        if value < 0 or key in gains:
            fault = f"gives grade {key:g} twice" if key in gains else f"has gain {value:g} below 0"
            raise RequestError(f"gains {text!r} {fault}", cure="give each grade one gain of 0 or more")
        gains[key] = value
    return gains


def parse_all(names: Iterable[str], *, gains: Mapping[float, float] | None = None) -> list[RankingMetric]:
    """Read several names with the same gains."""
    return [parse(name, gains=gains) for name in names]


def _cut(text: str | None, whole: str) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise RequestError(f"metric {whole!r} is cut at {text!r}", cure="give a whole number of 1 or more, as nDCG@10")
    return int(text)


def _finite(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RequestError(f"{what} is {text!r}", cure="give a number")
    return value
