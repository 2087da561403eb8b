"""Two open index versions and held-out queries in; whether the new one is better, by how much and where, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mercer.doors.open import Doors
from mercer.encode import language_of
from mercer.errors import DataError, GateBlocked, RequestError
from mercer.measure.compare import Comparison, compare
from mercer.measure.metric import parse_all
from mercer.records import Request
from mercer.shop import Shop, write_json

__all__ = ["Proof", "Slice", "keep_proof", "proof_refusal", "prove", "read_proof", "require_proof"]

METRICS = ("nDCG@10", "Recall@100", "MRR@10")
"""The first decides."""
DEPTH = 100
FILE = "proof.json"
SLICES: tuple[str, ...] = ("zh", "other", "short", "long", "seen", "unseen")
SHORT = 2
"""Words up to which a query is short; of Chinese, four characters."""

Truth = Mapping[str, Mapping[str, float]]
Values = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Slice:
    """One kind of query."""

    name: str
    queries: int
    before: float
    after: float
    low: float
    high: float
    """Ends of the 95 % interval of the mean difference."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What held-out queries say of a new version beside the one before."""

    metric: str
    before: Mapping[str, float]
    """System → mean of `metric`."""
    after: Mapping[str, float]
    comparisons: Mapping[str, Comparison]
    """Metric → paired comparison, of the hybrid system."""
    slices: tuple[Slice, ...]
    worse: float
    """Loss in `metric` that is still allowed."""
    labelled: bool
    """False where the queries were invented from the catalogue."""
    refused: str = ""
    """Why it does not pass whatever the held-out queries say; "" where nothing stands against it."""

    @property
    def better(self) -> bool:
        """The mean is at least what it was, within what is allowed."""
        return not self.refused and self.comparisons[self.metric].difference >= -self.worse

    @property
    def passes(self) -> bool:
        """Not worse at 95 %: the interval of the difference does not lie below what is allowed."""
        return not self.refused and self.comparisons[self.metric].high >= -self.worse

    def to_json(self) -> dict[str, Any]:
        """As it is kept beside the model's card."""
        return {**asdict(self), "better": self.better, "passes": self.passes}


def prove(
    before: Doors,
    after: Doors,
    truth: Truth,
    *,
    systems: Sequence[str] = ("dense", "hybrid"),
    seen: frozenset[str] = frozenset(),
    labelled: bool = True,
    worse: float = 0.0,
    seed: int = 7,
    tick: Callable[[int], None] | None = None,
) -> Proof:
    """Ask both versions the same held-out queries, by vectors alone and as they serve, and compare them pairwise.

    What hybrid answers decides.

    Args:
        before, after: the two versions.
        truth: query text → product → gain.
        systems: hybrid, and what else is asked and reported.
        seen: products that training had a labelled pair of.
        labelled: whether people or shoppers said so.
        worse: loss in nDCG@10 that is allowed.
        seed: of the intervals.
        tick: told after each query.

    Raises:
        DataError: no query has a right answer.
    """
    asked = {query: gains for query, gains in truth.items() if any(gain > 0 for gain in gains.values())}
    if not asked:
        raise DataError("no held-out query has a right answer", cure="judge more queries")
    metrics = parse_all(METRICS)
    found: dict[str, dict[str, Values]] = {}
    for side, doors in (("before", before), ("after", after)):
        found[side] = {}
        for system in systems:
            runs = {}
            for query in asked:
                runs[query] = _ranked(doors, query, system)
                if tick is not None:
                    tick(1)
            found[side][system] = {metric.name: metric(runs, asked) for metric in metrics}
    old, new, first = found["before"]["hybrid"], found["after"]["hybrid"], METRICS[0]
    slices = [_slice(name, chosen, old[first], new[first], seed) for name, chosen in _slices(asked, seen).items()]
    return Proof(
        first,
        {system: _mean(values[first]) for system, values in found["before"].items()},
        {system: _mean(values[first]) for system, values in found["after"].items()},
        {name: compare(new[name], old[name], seed=seed) for name in METRICS},
        tuple(one for one in slices if one is not None),
        worse,
        labelled,
    )


def _ranked(doors: Doors, query: str, system: str) -> list[str]:
    try:
        page = doors.search(Request(query=query, k=DEPTH), system=system)  # type: ignore[arg-type]  # dense or hybrid
    except RequestError:
        return []  # a query that cannot be asked finds nothing
    return [hit.id for hit in page.hits]


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)


def _slices(asked: Truth, seen: frozenset[str]) -> dict[str, list[str]]:
    """Query texts by kind; `unseen` are those none of whose right answers was learned from."""
    kinds: dict[str, list[str]] = {name: [] for name in SLICES}
    for query, gains in asked.items():
        chinese = language_of(query) == "zh"
        kinds["zh" if chinese else "other"].append(query)
        length = len(query.replace(" ", "")) / 2 if chinese else len(query.split())
        kinds["short" if length <= SHORT else "long"].append(query)
        if seen:
            known = any(product in seen for product, gain in gains.items() if gain > 0)
            kinds["seen" if known else "unseen"].append(query)
    return {name: queries for name, queries in kinds.items() if queries}


def _slice(
    name: str, queries: Sequence[str], old: Mapping[str, float], new: Mapping[str, float], seed: int
) -> Slice | None:
    if len(queries) < 2:
        return None
    before, after = ({query: values[query] for query in queries} for values in (old, new))
    compared = compare(after, before, seed=seed)
    return Slice(name, len(queries), _mean(before), _mean(after), compared.low, compared.high)


def read_proof(folder: Path) -> dict[str, Any]:
    """The proof of a model's folder; {} where it was never proved."""
    path = folder / FILE
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def proof_refusal(shop: Shop, model: str) -> str:
    """ "" where held-out queries let this model of the shop through, else the number that does not."""
    proof = read_proof(shop.path("models", model))
    if not proof:
        return f"model {model} was never measured on held-out queries"
    if proof["passes"]:
        return ""
    if proof.get("refused"):
        return f"model {model} was refused: {proof['refused']}"
    compared, name = proof["comparisons"][proof["metric"]], proof["metric"]
    ends = f"{compared['low']:+.4f} to {compared['high']:+.4f}"
    return f"model {model} is worse: {name} {compared['difference']:+.4f} ({ends} at 95 %)"


def require_proof(shop: Shop, model: str, override: str) -> None:
    """Stand in the way of a model that is not proved.

    Raises:
        GateBlocked: it is worse or was never measured, and `override` is "".
    """
    refusal = proof_refusal(shop, model) if model else ""
    if refusal and not override:
        raise GateBlocked(refusal, cure='run: mercer learn SHOP, or give --override "why"')


def keep_proof(shop: Shop, model: str, proof: Proof) -> None:
    """Write the proof beside the model's card."""
    write_json(shop.path("models", model) / FILE, proof.to_json())
