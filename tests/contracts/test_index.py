"""The promise of `Index`, run on every member; `exact` is the truth for `zvec`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.errors import ModelError, RequestError, ShopError, ShopLocked
from mercer.records import Filter, Product
from mercer.retrieve.index import Index, IndexSettings, open_index

DIMENSION = 16
Opener = Callable[..., Index]


@pytest.fixture(params=["exact", "zvec"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    opened: list[Index] = []

    def open_(name: str = "index", **given_: object) -> Index:
        index = open_index(
            tmp_path / request.param / name,
            dimension=DIMENSION,
            settings=IndexSettings(engine=request.param),
            **given_,  # type: ignore[arg-type]
        )
        opened.append(index)
        return index

    yield open_
    for index in opened:
        index.close()


def unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def shelf(count: int = 60) -> list[Product]:
    colours, kinds = ("red", "blue", "green"), ("dress", "running shoes", "coffee mug", "desk lamp")
    return [
        Product(
            f"p{n}",
            f"{colours[n % 3]} {kinds[n % 4]} model{n}",
            brand=("Nord", 'Le "Vieux" d\'Or', "青山")[n % 3],
            category=("Shop", kinds[n % 4]),
            price=float(n) if n % 5 else None,
            stock=n % 4,
            attributes={"color": colours[n % 3]},
        )
        for n in range(count)
    ]


def filled(opener: Opener, products: list[Product] | None = None) -> Index:
    index = opener()
    products = products or shelf()
    index.upsert(products, unit(len(products)))
    return index


def ids(candidates: list) -> list[str]:
    return [candidate.id for candidate in candidates]


def test_what_is_put_in_is_found_at_once(opener: Opener) -> None:
    index = filled(opener)
    index.upsert([Product("new", "zebra umbrella")], unit(1, seed=9))
    assert ids(index.lexical("zebra", 5)) == ["new"]
    assert ids(index.dense(unit(1, seed=9)[0], 1)) == ["new"]
    assert index.products(["new", "missing"]) == [Product("new", "zebra umbrella")]
    assert index.count() == 61


def test_an_upsert_replaces(opener: Opener) -> None:
    index = filled(opener)
    index.upsert([Product("p1", "violet kettle", price=3.0)], unit(1, seed=5))
    assert "p1" not in ids(index.lexical("model1", 60))[:1]
    assert ids(index.lexical("violet kettle", 5)) == ["p1"]
    assert index.count() == 60
    assert index.count([Filter("price", low=3, high=3)]) == 2
    assert np.allclose(index.vectors(["p1"]), unit(1, seed=5))


def test_the_last_of_two_with_one_id_wins(opener: Opener) -> None:
    index = opener()
    index.upsert([Product("a", "first words"), Product("a", "second words")], unit(2))
    assert index.count() == 1
    assert index.products(["a"])[0].title == "second words"
    assert ids(index.lexical("first", 5)) == []


def test_what_is_deleted_is_gone_at_once(opener: Opener) -> None:
    index = filled(opener)
    assert index.delete(["p3", "p3", "never there"]) == 1
    assert "p3" not in ids(index.lexical("model3", 60))
    assert "p3" not in ids(index.dense(unit(60)[3], 60))
    assert index.products(["p3"]) == []
    assert index.count() == 59


@pytest.mark.parametrize("id", ["a\nb", "\x00", "\u2028x", "界" * 500, "a b/c'\"\\", "' or 1=1", "x" * 5000])
def test_any_id_can_be_a_products(opener: Opener, id: str) -> None:
    index = filled(opener)
    index.upsert([Product(id, "zebra umbrella")], unit(1, seed=9))
    index.merge()
    index.close()
    again = opener()
    assert ids(again.lexical("zebra", 5)) == [id]
    assert ids(again.dense(unit(1, seed=9)[0], 1)) == [id]
    assert again.delete([id]) == 1
    assert ids(again.lexical("zebra", 5)) == []
    assert id not in ids(again.dense(unit(1, seed=9)[0], 60))


def test_counts_of_words_are_right_after_any_call(opener: Opener) -> None:
    index = filled(opener)
    before = index.attainable("red dress model3 zebra")
    index.upsert([Product("new", "zebra")], unit(1, seed=9))
    assert index.delete(["new", "new", "never there", "new"]) == 1
    with pytest.raises(ModelError):
        index.upsert([Product("p3", "zebra")], np.zeros((1, DIMENSION + 1), dtype=np.float32))
    with pytest.raises(ModelError):
        index.upsert([Product("p3", "zebra"), Product("p4", "zebra")], unit(1))
    assert index.attainable("red dress model3 zebra") == pytest.approx(before)
    index.close()
    assert opener().attainable("red dress model3 zebra") == pytest.approx(before)


def test_dense_is_in_order_of_cosine(opener: Opener) -> None:
    index = filled(opener)
    vectors, query = unit(60), unit(1, seed=3)[0]
    found = index.dense(query, 10)
    truth = np.argsort(-(vectors @ query))[:10]
    assert ids(found) == [f"p{place}" for place in truth]
    assert [hit.score for hit in found] == pytest.approx((vectors @ query)[truth], abs=1e-5)


def test_lexical_never_exceeds_what_is_attainable(opener: Opener) -> None:
    index = filled(opener)
    for query in ("red dress", "running shoe model7", "青山", "unheard of"):
        top = index.lexical(query, 1)
        assert not top or 0 < top[0].score <= index.attainable(query)
    assert index.attainable("!?") == 0


@pytest.mark.parametrize("query", ["", "   ", "!?", "😀😀", "\x00\x01", "a" * 100_000, "' OR 1=1 --", '"', "-red +x^3"])
def test_odd_queries_are_answered(opener: Opener, query: str) -> None:
    assert isinstance(filled(opener).lexical(query, 5), list)


@pytest.mark.parametrize(
    "filters",
    [
        [Filter("brand", ("Nord",))],
        [Filter("brand", ('Le "Vieux" d\'Or', "青山"))],
        [Filter("category", ("Shop",)), Filter("price", low=10, high=20)],
        [Filter("category", ("dress",))],
        [Filter("category", ("Shop > dress",))],
        [Filter("in_stock", ("true",))],
        [Filter("stock", low=2)],
        [Filter("attributes.color", ("red",)), Filter("price", high=30)],
        [Filter("id", ("p1", "p9", "gone"))],
        [Filter("brand", ("nobody",))],
        [Filter("brand", (*map(str, range(300)), "Nord"))],
        [Filter("brand", ("\udcff", "Nord"))],
        [Filter("price", low=float("-inf"))],
        [Filter("price", low=float("inf"))],
        [Filter("price", low=-1e300, high=1e300)],
        [Filter("price", low=30, high=10)],
    ],
)
@pytest.mark.parametrize("merged", [0, 40, 60])
def test_filters_hold_everywhere(opener: Opener, filters: list[Filter], merged: int) -> None:
    index, products, vectors = opener(), shelf(), unit(60)
    index.upsert(products[:merged], vectors[:merged])
    index.merge()
    index.upsert(products[merged:], vectors[merged:])
    passing = {id for id, row in index.columns.row.items() if index.columns.mask(filters)[row]}
    assert set(ids(index.dense(unit(1)[0], 60, filters=filters))) == passing
    words = "red blue green dress shoes mug lamp"
    assert set(ids(index.lexical(words, 60, filters=filters))) == passing
    assert index.count(filters) == len(passing)


@pytest.mark.parametrize(
    "wrong", [Filter("colour", ("red",)), Filter("price"), Filter("brand"), Filter("price", low=float("nan"))]
)
def test_a_filter_that_cannot_be_is_refused(opener: Opener, wrong: Filter) -> None:
    index = filled(opener)
    with pytest.raises(RequestError):
        index.count([wrong])


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("简单", "安装简单"),
        ("处理", "待处理"),
        ("工程", "在建工程"),
        ("招商 公司", "招商局公司"),
        ("包", "小化妆包"),
        ("ＬＥＤ檯燈", "led台灯"),
        ("painted fences", "paints a fence"),
        ("hwy14186", "HWY14-186BKU1"),
    ],
)
def test_words_inside_words_are_found(opener: Opener, query: str, title: str) -> None:
    index = filled(opener)
    index.upsert([Product("target", title)], unit(1, seed=8))
    assert ids(index.lexical(query, 3))[:1] == ["target"]


def test_rows_and_scores_survive_closing(opener: Opener) -> None:
    index = filled(opener)
    index.upsert([Product("new", "zebra umbrella")], unit(1, seed=9))
    index.delete(["p0"])
    before = index.lexical("red zebra dress", 10)
    index.close()
    again = opener()
    assert again.count() == 60
    after = again.lexical("red zebra dress", 10)
    assert ids(after) == ids(before)
    assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], rel=1e-5)
    assert ids(again.dense(unit(1, seed=9)[0], 1)) == ["new"]


def test_wrong_vectors_are_refused(opener: Opener) -> None:
    index = filled(opener)
    with pytest.raises(ModelError, match="shape"):
        index.upsert([Product("x", "x")], np.zeros((1, DIMENSION + 1), dtype=np.float32))
    broken = unit(1)
    broken[0, 0] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        index.upsert([Product("x", "x")], broken)
    assert index.count() == 60


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "drop"]), st.integers(0, 12), st.integers(0, 50)), max_size=25
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, merge_at=st.integers(0, 25))
def test_zvec_agrees_with_exact_after_any_changes(
    operations: list[tuple[str, int, int]], merge_at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("agree")
    members = [
        open_index(folder / engine, dimension=DIMENSION, settings=IndexSettings(engine=engine))  # type: ignore[arg-type]
        for engine in ("exact", "zvec")
    ]
    titles = [product.title for product in shelf(51)]
    for place, (act, id, title) in enumerate(operations):
        for index in members:
            if act == "put":
                index.upsert([Product(f"p{id}", titles[title], brand="青山")], unit(1, seed=title))
            else:
                index.delete([f"p{id}"])
            if place == merge_at:
                index.merge()
    exact, zvec = members
    for query in ("red dress", "青山 mug", "running modl7"):
        truth, found = ({c.id: c.score for c in index.lexical(query, 20)} for index in members)
        assert found.keys() == truth.keys()
        assert exact.attainable(query) == pytest.approx(zvec.attainable(query))
    query_vector = unit(1, seed=77)[0]
    assert ids(zvec.dense(query_vector, 10)) == ids(exact.dense(query_vector, 10))
    assert zvec.count() == exact.count()
    for index in members:
        index.close()


def test_fresh_products_score_as_merged_ones(tmp_path: Path) -> None:
    index = open_index(tmp_path / "zvec", dimension=DIMENSION)
    index.upsert(shelf(), unit(60))
    before = {c.id: c.score for c in index.lexical("red dress model12", 60)}
    index.merge()
    after = {c.id: c.score for c in index.lexical("red dress model12", 60)}
    assert after == pytest.approx(before, rel=1e-5)
    index.close()


HOLD = """
import sys, numpy as np
from pathlib import Path
from mercer.retrieve.index import open_index
index = open_index(Path(sys.argv[1]), dimension=16)
print("held", flush=True)
sys.stdin.read()
"""

KILLED = """
import os, sys, signal, numpy as np
from pathlib import Path
from mercer.records import Product
from mercer.retrieve.index import open_index
index = open_index(Path(sys.argv[1]), dimension=16)
for n in range(20):
    index.upsert([Product(f"k{n}", f"killed word{n}")], np.eye(16, dtype=np.float32)[[n % 16]])
    index.delete(["p%d" % n])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_two_processes_cannot_write_one_index(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "i")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdin
    assert child.stdout.readline().strip() == "held"
    with pytest.raises(ShopLocked, match="another process"):
        open_index(tmp_path / "i", dimension=DIMENSION)
    child.communicate("")
    open_index(tmp_path / "i", dimension=DIMENSION).close()


def test_several_may_read(tmp_path: Path) -> None:
    index = open_index(tmp_path / "i", dimension=DIMENSION)
    index.upsert(shelf(), unit(60))
    index.close()
    readers = [open_index(tmp_path / "i", dimension=DIMENSION, read_only=True) for _ in range(2)]
    assert len({tuple(ids(reader.lexical("red dress", 5))) for reader in readers}) == 1
    for reader in readers:
        reader.close()


def test_a_killed_writer_loses_nothing_acknowledged(tmp_path: Path) -> None:
    index = open_index(tmp_path / "i", dimension=DIMENSION)
    index.upsert(shelf(), unit(60))
    index.close()
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "i")], check=False)
    again = open_index(tmp_path / "i", dimension=DIMENSION)
    assert again.count() == 60
    assert ids(again.lexical("word7", 3))[:1] == ["k7"]
    assert "p5" not in ids(again.lexical("model5", 60))
    again.close()


def test_a_lost_engine_is_built_again_from_the_rows(tmp_path: Path) -> None:
    import shutil

    index = open_index(tmp_path / "i", dimension=DIMENSION)
    index.upsert(shelf(), unit(60))
    index.close()
    shutil.rmtree(tmp_path / "i" / "zvec")
    again = open_index(tmp_path / "i", dimension=DIMENSION)
    assert ids(again.lexical("model7", 1)) == ["p7"]
    assert again.attainable("model7") == pytest.approx(again.attainable("model9"))
    again.close()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    index = open_index(tmp_path / "i", dimension=DIMENSION)
    index.upsert(shelf(), unit(60))
    index.close()
    (tmp_path / "i" / "products.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ShopError, match="damaged"):
        open_index(tmp_path / "i", dimension=DIMENSION)
