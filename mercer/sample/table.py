"""The latent shop in, its tables as a shop would keep them out, in the columns that Mercer knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.records import ACTIONS
from mercer.sample.catalogue import Goods
from mercer.sample.event import SCENES
from mercer.sample.query import Query, grades
from mercer.sample.settings import SampleSettings
from mercer.sample.shopper import People
from mercer.sample.taxonomy import LANGUAGES, Taxonomy
from mercer.sample.wording import Wording

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["events", "impressions", "judgments", "kinds", "products", "queries", "query_id"]

STREAM = 5
ZEROS = 15
"""Judgments of grade 0 for each query: things of the same department or brand, which a careless system would show."""
PRICED = ("add_to_cart", "purchase", "refund")


def products(settings: SampleSettings, world: Taxonomy, goods: Goods) -> pa.Table:
    """The catalogue; the `settings.images` most popular products have a picture."""
    import pyarrow as pa

    rng = np.random.default_rng([settings.seed, STREAM])
    writer = Wording(goods, world, settings.seed)
    texts = [writer(number) for number in range(len(goods))]
    pictured = np.zeros(len(goods), bool)
    pictured[np.argsort(-goods.popularity, kind="stable")[: settings.images]] = True
    rating = np.clip(4.15 + 0.35 * goods.quality + rng.normal(0, 0.1, len(goods)), 1, 5).round(1)
    count = rng.poisson(goods.popularity * len(goods) * 40)
    return pa.table(
        {
            "id": goods.id,
            **{
                name: [text[name] for text in texts]
                for name in ("title", "description", "bullets", "brand", "category")
            },
            "price": goods.price,
            "list_price": goods.list_price,
            "currency": ["CNY"] * len(goods),
            "stock": goods.stock,
            "availability": np.where(goods.stock > 0, "in_stock", "out_of_stock").tolist(),
            "image": [f"images/{name}.png" if shown else None for name, shown in zip(goods.id, pictured, strict=True)],
            "url": [f"/item/{name}" for name in goods.id],
            "rating": pa.array(rating, mask=count == 0),
            "rating_count": count,
            "attributes": [text["attributes"] for text in texts],
        }
    )


def events(world: Taxonomy, goods: Goods, people: People, log: dict[str, NDArray[Any]]) -> pa.Table:
    """The event log as the shop's servers kept it."""
    import pyarrow as pa

    kind = np.array(ACTIONS)[log["type"]]
    _, session = np.unique(log["visit"], return_inverse=True)
    places = [*world.words["places"]["zh"], *world.words["places"]["en"]]
    devices = list(world.words["devices"])
    asked = np.array([*(query_id(number) for number in range(int(log["query"].max(initial=0)) + 1)), ""])
    who, count = log["who"], len(kind)
    return pa.table(
        {
            "event_id": [f"E{number + 1:07d}" for number in range(count)],
            "type": kind.tolist(),
            "shopper": np.array(people.id)[who].tolist(),
            "session": [f"S{number + 1:06d}" for number in session],
            "product": np.array(goods.id)[log["product"]].tolist(),
            "query_id": pa.array(asked[log["query"]].tolist(), mask=log["query"] < 0),
            "position": pa.array(log["position"], pa.int64(), mask=log["position"] < 0),
            "quantity": pa.array(log["quantity"], mask=np.isnan(log["quantity"])),
            "price": pa.array(goods.price[log["product"]], mask=~np.isin(kind, PRICED)),
            "time": log["time"],
            "device": np.array(devices)[people.device[who]].tolist(),
            "place": np.array(places)[people.place[who]].tolist(),
        }
    )


def impressions(log: dict[str, NDArray[Any]]) -> pa.Table:
    """For each impression the scene and the chance of a click once seen."""
    import pyarrow as pa

    rows = np.flatnonzero(log["type"] == ACTIONS.index("impression"))
    return pa.table(
        {
            "event_id": [f"E{number + 1:07d}" for number in rows],
            "scene": np.array(SCENES)[log["scene"][rows]].tolist(),
            "attraction": log["attraction"][rows],
        }
    )


def query_id(number: int) -> str:
    """The id of the query `number`.

    >>> query_id(0)
    'Q0001'
    """
    return f"Q{number + 1:04d}"


def queries(asked: Sequence[Query]) -> pa.Table:
    """Ids and texts."""
    import pyarrow as pa

    ids = [query_id(number) for number in range(len(asked))]
    return pa.table({"query_id": ids, "text": [query.text for query in asked]})


def kinds(asked: Sequence[Query], world: Taxonomy) -> pa.Table:
    """What each query is and what it means."""
    return (
        queries(asked)
        .append_column("kind", [[query.kind for query in asked]])
        .append_column("language", [[LANGUAGES[query.language] for query in asked]])
        .append_column("leaf", [[world.leaves[query.leaf].key for query in asked]])
        .append_column("product_kind", [[query.product_kind for query in asked]])
    )


def judgments(settings: SampleSettings, goods: Goods, asked: Sequence[Query]) -> pa.Table:
    """Every product of grade 1 and more, and some of grade 0 that a careless system would show."""
    import pyarrow as pa

    rng = np.random.default_rng([settings.seed, STREAM + 1])
    ids = np.array(goods.id)
    found: dict[str, list[Any]] = {"query_id": [], "product": [], "grade": []}
    for number, query in enumerate(asked):
        grade = grades(query, goods)
        relevant = np.flatnonzero(grade > 0)
        best = int(np.argmax(grade))
        near = (goods.department == goods.department[best]) | (goods.brand == goods.brand[best])
        others = rng.permutation(np.flatnonzero((grade == 0) & near))[:ZEROS]
        judged = np.sort(np.concatenate([relevant, others]))
        found["query_id"] += [query_id(number)] * len(judged)
        found["product"] += ids[judged].tolist()
        found["grade"] += grade[judged].astype(float).tolist()
    return pa.table(found)
