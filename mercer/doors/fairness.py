"""Open doors and judged queries in; whose products are seen, what evening it out costs, what stands against it, out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import GateBlocked, RequestError
from mercer.measure.compare import Comparison, compare
from mercer.measure.fairness import Exposure, FairSettings, Swap, exposure, price_bands, swapped, swaps, too_little
from mercer.measure.metric import parse_all
from mercer.rank.diverse import DiverseSettings
from mercer.records import Product, Request
from mercer.shop import Shop, disk_errors, write_json

if TYPE_CHECKING:
    from mercer.doors.open import Doors
    from mercer.search import Search

__all__ = ["Fair", "fair_refusal", "keep", "measure_fair", "require_fair"]

SWAPPED = 200
"""Queries with a word to swap that are asked again."""


@dataclass(frozen=True, slots=True)
class Fair:
    """What was seen of an index version."""

    version: str
    by: str
    exposures: tuple[Exposure, ...]
    below: tuple[str, ...]
    """Groups below the limit beyond doubt."""
    least: float
    metric: str
    mean: float
    """Of `metric`, as it serves."""
    evened: tuple[Exposure, ...]
    """With the penalty on; empty where it was not asked for."""
    cost: Comparison | None
    """Of `metric`, with the penalty on against as it serves."""
    swaps: tuple[Swap, ...]

    def json(self) -> dict[str, Any]:
        """Plain numbers; what does not exist is null."""
        told = dataclasses.asdict(self)
        told["exposures"] = [one.json() for one in self.exposures]
        told["evened"] = [one.json() for one in self.evened]
        for one in told["swaps"]:
            one["price"] = None if one["price"] != one["price"] else one["price"]
        return told


def measure_fair(
    doors: Doors,
    texts: Mapping[str, str],
    truth: Mapping[str, Mapping[str, float]],
    *,
    settings: FairSettings,
    penalty: float = 0.0,
    tick: Callable[[int], None] | None = None,
) -> Fair:
    """Ask every judged query as it serves and, with a `penalty`, with its field spread over the first places too.

    Args:
        doors: the version.
        texts: query id → text.
        truth: query id → product → gain.
        settings: see there.
        penalty: weight of being unlike what stands above (mmr), 0 to 1; 0 asks nothing more.
        tick: told after each query.

    Raises:
        RequestError: a penalty by price, or no query has a right answer.
    """
    if penalty and settings.by == "price":
        raise RequestError("a penalty by price band", cure="even out brands or attributes.NAME")
    asked = {id: text for id, text in texts.items() if id in truth}
    products = {product.id: product for product in doors.index.products(doors.index.ids())}
    groups = _groups(products, settings)
    runs = _runs(doors.searching, asked, settings.k, tick)
    (metric,) = parse_all([f"nDCG@{settings.k}"])
    values = metric(runs, dict(truth))
    found = exposure(runs, truth, groups, k=settings.k)
    evened: list[Exposure] = []
    cost = None
    if penalty:
        spread = DiverseSettings(how="mmr", weight=penalty, by=(settings.by,))
        other = doors.searching.otherwise(ranking=dataclasses.replace(doors.searching.ranking, diversity=spread))
        told = _runs(other, asked, settings.k, tick)
        evened, cost = exposure(told, truth, groups, k=settings.k), compare(metric(told, dict(truth)), values, seed=7)
    pairs = swaps(asked.values())[:SWAPPED]
    both = {text: text for pair in pairs for text in pair}
    prices = {id: product.price for id, product in products.items() if product.price is not None}
    changed = swapped(pairs, _runs(doors.searching, both, settings.k, tick), prices, k=settings.k)
    below = tuple(one.group for one in too_little(found, settings))
    return Fair(
        doors.version, settings.by, tuple(found), below, settings.least, metric.name,
        sum(values.values()) / max(1, len(values)), tuple(evened), cost, tuple(changed),
    )  # fmt: skip


def _groups(products: Mapping[str, Product], settings: FairSettings) -> dict[str, str]:
    if settings.by == "price":
        return price_bands({id: one.price for id, one in products.items() if one.price is not None}, settings.bands)
    name = settings.by.partition(".")[2]
    values = {id: one.attributes.get(name, "") if name else one.brand for id, one in products.items()}
    return {id: value for id, value in values.items() if value}


def _runs(
    search: Search, texts: Mapping[str, str], k: int, tick: Callable[[int], None] | None
) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for id, text in texts.items():
        try:
            found[id] = [hit.id for hit in search(Request(query=text, k=k)).hits]
        except RequestError:
            found[id] = []
        if tick is not None:
            tick(1)
    return found


def _file(version: str) -> str:
    return f"fair-{version}.json"


def keep(shop: Shop, found: Fair) -> None:
    """Write it where `require_fair` looks."""
    with disk_errors(shop.reports):
        shop.reports.mkdir(exist_ok=True)
    write_json(shop.reports / _file(found.version), found.json())


def fair_refusal(shop: Shop, version: str) -> str:
    """Why an index version shows a group too little to go live; "" where nobody measured it or set a limit."""
    path = shop.reports / _file(version)
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if not told.get("below"):
        return ""
    return f"version {version} shows {', '.join(told['below'][:3])} less than {told['least']:g} of what is due to them"


def require_fair(shop: Shop, version: str, settings: FairSettings, override: str) -> None:
    """Stand in the way of an index version that was not measured by the limit that is set.

    Raises:
        GateBlocked: so it is, and `override` is "".
    """
    if not settings.least or override:
        return
    path = shop.reports / _file(version)
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if (told.get("by"), told.get("least")) != (settings.by, settings.least):
        cure = f'run: mercer measure fair {shop.folder} --version {version}, or give --override "why"'
        said = f"[fair] least is {settings.least:g} by {settings.by}, and version {version} was not measured by that"
        raise GateBlocked(said, cure=cure)
