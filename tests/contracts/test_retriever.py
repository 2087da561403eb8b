"""The promise of a behavioural retriever, run on every member."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import ShopError
from mercer.records import Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour, BehaviourSettings
from mercer.retrieve.blend import Blend
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY, History
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.item_knn import ItemKnn
from mercer.retrieve.linear import Linear
from mercer.retrieve.popular import Popular
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.similar import Similar
from mercer.retrieve.together import Together, TogetherSettings
from mercer.retrieve.trending import Trending

PRODUCTS, SHOPPERS = 30, 60


def events(seed: int = 0) -> pa.Table:
    """Shoppers who walk along a ring of products, some buying neighbours in one basket."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for shopper in range(SHOPPERS):
        at = int(rng.integers(PRODUCTS))
        for visit in range(4):
            time = int((visit * 5 + rng.random() * 4) * DAY)
            for step in range(3):
                product = f"p{(at + visit * 2 + step) % PRODUCTS:02d}"
                rows.append((f"s{shopper}", f"s{shopper}-{visit}", product, time + step, "view"))
                rows.append((f"s{shopper}", f"s{shopper}-{visit}", product, time + 10 + step, "purchase"))
    names = ("shopper", "session", "product", "time", "type")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


@dataclass
class Member:
    fitted: Any
    load: Callable[[Path], Any] | None
    """None where nothing is saved: it is made of others."""


def content(folder: Path) -> ExactIndex:
    index = ExactIndex(folder, dimension=8, settings=IndexSettings(engine="exact"))
    vectors = np.random.default_rng(1).standard_normal((PRODUCTS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index.upsert([Product(f"p{n:02d}", f"thing {n}") for n in range(PRODUCTS)], vectors)
    return index


HISTORY = History.of(events())
SAVED = ("item-knn", "linear", "popular", "trending", "together")
NAMES = (*SAVED, "similar", "blend")


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Member]]:
    index = content(tmp_path_factory.mktemp("index"))
    knn, popular = ItemKnn.fit(HISTORY), Popular.fit(HISTORY)
    together = Together.fit(HISTORY, TogetherSettings(significance=0.5))
    yield {
        "item-knn": Member(knn, ItemKnn.load),
        "linear": Member(Linear.fit(HISTORY), Linear.load),
        "popular": Member(popular, Popular.load),
        "trending": Member(Trending.fit(HISTORY), Trending.load),
        "together": Member(together, Together.load),
        "similar": Member(Similar(index, knn), None),
        "blend": Member(Blend({"behaviour": (knn, 1.0), "popular": (popular, 0.1)}), None),
    }
    index.close()


@pytest.fixture(params=NAMES)
def member(request: pytest.FixtureRequest, members: dict[str, Member]) -> Member:
    return members[request.param]


REQUESTS = [
    Request("next", item="p03"),
    Request("home", shopper=Shopper("s1", ("p01", "p02", "p09"))),
    Request("home", shopper=Shopper("s1", ("p01", "p02", "p09"), (5, 5, 9))),
    Request("home", shopper=Shopper("s1", ("p01", "nobody knows this", "p09"))),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_descending_unique_positive(member: Member, request_: Request) -> None:
    found = member.fitted(request_, 12)
    assert len(found) >= 1
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    ids = [candidate.id for candidate in found]
    assert len(set(ids)) == len(ids)
    assert request_.item not in ids


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_smaller_k_is_the_beginning_of_a_larger(member: Member, data: st.DataObject) -> None:
    products = data.draw(st.lists(st.integers(0, PRODUCTS + 3).map(lambda n: f"p{n:02d}"), max_size=6, unique=True))
    few, many = sorted(data.draw(st.tuples(st.integers(1, 50), st.integers(1, 50))))
    request = Request("home", shopper=Shopper("s1", tuple(products)))
    assert member.fitted(request, few) == member.fitted(request, many)[:few]


def test_k_beyond_the_catalogue_gives_what_there_is(member: Member) -> None:
    found = member.fitted(REQUESTS[1], 10_000)
    assert 1 <= len(found) <= PRODUCTS
    assert member.fitted(REQUESTS[1], 0) == []


@pytest.mark.parametrize(
    "request_",
    [
        Request("next", item="no such product"),
        Request("home", shopper=Shopper("no such shopper", ("neither this", "nor this"))),
        Request("home", shopper=Shopper("")),
    ],
)
def test_the_unknown_is_no_error(member: Member, request_: Request) -> None:
    found = member.fitted(request_, 5)
    general = isinstance(member.fitted, Popular | Trending | Blend)
    assert bool(found) == general, "only what is the same for everybody answers for nobody"


def test_the_same_twice(members: dict[str, Member]) -> None:
    again = {"item-knn": ItemKnn, "linear": Linear, "popular": Popular, "trending": Trending}
    for name, kind in again.items():
        other = kind.fit(History.of(events()))
        for request in REQUESTS:
            assert other(request, 20) == members[name].fitted(request, 20), name


def test_order_of_rows_in_the_file_does_not_matter(members: dict[str, Member]) -> None:
    table = events()
    mixed = table.take(pa.array(np.random.default_rng(3).permutation(len(table))))
    other = ItemKnn.fit(History.of(mixed))
    for request in REQUESTS:
        ours, theirs = members["item-knn"].fitted(request, 10), other(request, 10)
        assert [c.score for c in ours] == pytest.approx([c.score for c in theirs])


@pytest.mark.parametrize("name", SAVED)
def test_saved_and_loaded_gives_equal_answers(members: dict[str, Member], name: str, tmp_path: Path) -> None:
    member = members[name]
    assert member.load
    member.fitted.save(tmp_path)
    loaded = member.load(tmp_path)
    for request in REQUESTS:
        assert loaded(request, 20) == member.fitted(request, 20)
    assert loaded.usual == member.fitted.usual
    for path in tmp_path.glob("*.npz"):  # numpy would have to be asked to unpickle: no member may be an object array
        with zipfile.ZipFile(path) as file:
            for name in file.namelist():
                with file.open(name) as part:
                    assert b"'|O'" not in part.read(128)


@pytest.mark.parametrize("name", SAVED)
def test_a_damaged_file_is_said(members: dict[str, Member], name: str, tmp_path: Path) -> None:
    member = members[name]
    assert member.load
    member.fitted.save(tmp_path)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ShopError, match="mercer index"):
        member.load(tmp_path)
    with pytest.raises(ShopError, match="mercer index"):
        member.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "similar"])
def test_bulk_scores_are_the_single_answers(members: dict[str, Member], name: str) -> None:
    fitted = members[name].fitted
    known = HISTORY.wanted()
    shoppers = np.unique(known.shopper)[:7]
    scores = fitted.scores(Sequences.of(known, shoppers))
    assert scores.shape == (7, len(HISTORY.products))
    for row, shopper in enumerate(shoppers):
        rows = known.shopper == shopper
        past = Shopper("x", tuple(HISTORY.products.take(known.product[rows])), tuple(known.time[rows].tolist()))
        for candidate in fitted(Request("home", shopper=past), PRODUCTS):
            assert scores[row, HISTORY.products.code(candidate.id)] == pytest.approx(candidate.score, rel=1e-4)


def test_no_events_is_a_working_bundle(tmp_path: Path) -> None:
    for bundle in (Behaviour.fit(None), Behaviour.fit(tmp_path / "missing.parquet"), Behaviour.load(tmp_path)):
        assert bundle.events == bundle.end == 0
        for part in (bundle.knn, bundle.popular, bundle.trending, bundle.together):
            assert part(REQUESTS[1], 5) == []
        assert len(bundle.pasts("s1").product) == 0
        bundle.save(tmp_path / "saved")
        assert len(Behaviour.load(tmp_path / "saved").products) == 0


def test_a_bundle_is_saved_whole(tmp_path: Path) -> None:
    bundle = Behaviour.fit(events())
    bundle.save(tmp_path)
    loaded = Behaviour.load(tmp_path)
    assert (loaded.end, loaded.events) == (bundle.end, bundle.events)
    for name in ("linear", "knn", "popular", "trending", "together"):
        assert getattr(loaded, name)(REQUESTS[1], 9) == getattr(bundle, name)(REQUESTS[1], 9)
    assert loaded.pasts("s3").product.tolist() == bundle.pasts("s3").product.tolist()


def test_a_bundle_reaches_what_nobody_wanted_yet(tmp_path: Path) -> None:
    catalogue = [Product(f"p{n:02d}", f"thing {n}", brand="a" if n == 4 else "") for n in range(PRODUCTS)]
    bundle = Behaviour.fit(events(), products=[*catalogue, Product("cold", "new thing", brand="a")])
    assert len(bundle.products) == PRODUCTS + 1
    assert "cold" in {candidate.id for candidate in bundle.linear(Request("next", item="p04"), 5)}
    assert bundle.popular(REQUESTS[0], 9) == Behaviour.fit(events()).popular(REQUESTS[0], 9)
    bundle.save(tmp_path)
    (tmp_path / "linear.npz").unlink()
    older = Behaviour.load(tmp_path)
    assert older.linear(REQUESTS[0], 9) == older.knn(REQUESTS[0], 9), "an index of before stands on item-knn"
    small = Behaviour.fit(events(), BehaviourSettings(linear_most=5))
    assert small.linear(REQUESTS[0], 9) == small.knn(REQUESTS[0], 9)
