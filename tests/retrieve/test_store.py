"""Rows that survive, in step with the columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mercer.errors import ModelError, ShopError, ShopLocked
from mercer.records import Product
from mercer.retrieve import store as module
from mercer.retrieve.store import Store

FULL = Product(
    "p 1/红", "Cup", "d", "b\nc", "Nord", ("Home", "Cups"), 9.5, 12.0, "CNY", 0, "in_stock", "i.png", "/u", 4.5, 3,
    {"color": "red & 红"}, ("title",),
)  # fmt: skip


def unit(count: int) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[[n % 4 for n in range(count)]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "products.db", dimension=4)
    yield opened
    opened.close()


def test_a_product_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    store.put([FULL], unit(1))
    store.close()
    again = Store(tmp_path / "products.db", dimension=4)
    assert again.products([FULL.id, "none"]) == [FULL]
    assert list(again) == [FULL]
    assert again.vectors(again.rows([FULL.id])).tolist() == [[1, 0, 0, 0]]
    again.close()


def test_more_products_than_the_first_arrays_hold(store: Store) -> None:
    many = [Product(f"p{n}", "x") for n in range(2500)]
    store.put(many, unit(2500))
    assert len(store) == 2500
    assert (store.vectors(store.rows(["p2049"])) == unit(2050)[-1]).all()


def test_more_products_than_memory_keeps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PRODUCTS", 3)
    store.put([Product(f"p{n}", f"title {n}") for n in range(10)], unit(10))
    assert [one.title for one in store.products([f"p{n}" for n in range(10)])] == [f"title {n}" for n in range(10)]
    store.drop(["p0"])
    assert store.products(["p0"]) == []


def test_texts_are_those_of_the_products_read_or_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PRODUCTS", 3)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    many = [Product(f"p{n}", f"title {n}", f"description {n}", f"bullet {n}") for n in range(9)]
    store.put([*many, FULL], unit(10))
    asked = ["p8", "p0", FULL.id, "none", "p4", "p0"]
    assert [product.id for product in store.products(asked)] == ["p8", "p0", FULL.id, "p4", "p0"]
    assert store.texts(asked) == {one.id: (one.title, one.bullets, one.description) for one in store.products(asked)}
    store.put([Product("p0", "new")], unit(1))
    store.drop(["p4"])
    assert store.texts(["p0", "p4"]) == {"p0": ("new", "", "")}


def test_changes_are_numbered_and_each_id_told_once(store: Store) -> None:
    store.put([Product("a", "x"), Product("b", "x")], unit(2))
    seen = store.newest()
    store.put([Product("a", "y")], unit(1))
    assert store.drop(["b", "b", "none"]) == ["b"]
    assert store.changed_since(seen) == ["a", "b"]
    assert store.changed_since(store.newest()) == []


def test_what_is_refused_changes_nothing(store: Store) -> None:
    store.put([Product("a", "x")], unit(1))
    for wrong in (np.zeros((1, 5)), np.zeros((2, 4)), np.full((1, 4), np.nan), np.zeros(4)):
        with pytest.raises(ModelError):
            store.put([Product("a", "y")], wrong)
    assert store.products(["a"])[0].title == "x"
    assert store.changed_since(1) == []


def test_another_dimension_is_refused_when_it_opens(store: Store, tmp_path: Path) -> None:
    store.put([Product("a", "x")], unit(1))
    store.close()
    with pytest.raises(ModelError, match="vectors of 4 numbers, the encoder gives 8"):
        Store(tmp_path / "products.db", dimension=8)


@pytest.mark.parametrize("body", ["{", "3", "{}", "null"])
def test_a_damaged_row_is_named(store: Store, tmp_path: Path, body: str) -> None:
    import sqlite3

    store.put([Product("a", "x")], unit(1))
    store.close()
    database = sqlite3.connect(tmp_path / "products.db")
    database.execute("UPDATE products SET body = ?", (body,))
    database.commit()
    database.close()
    with pytest.raises(ShopError, match=r"products.db is damaged.*mercer index"):
        Store(tmp_path / "products.db", dimension=4)


def test_notes(store: Store) -> None:
    assert store.note("applied") == ""
    assert store.note("applied", "7") == "7"
    assert store.note("applied") == "7"


def test_one_may_write_or_several_may_read(tmp_path: Path) -> None:
    Store(tmp_path / "products.db", dimension=4).close()
    readers = [Store(tmp_path / "products.db", dimension=4, read_only=True) for _ in range(2)]
    with pytest.raises(ShopLocked, match="held by another process"):
        Store(tmp_path / "products.db", dimension=4)
    for reader in readers:
        reader.close()
    writer = Store(tmp_path / "products.db", dimension=4)
    with pytest.raises(ShopLocked, match="held by another process"):
        Store(tmp_path / "products.db", dimension=4, read_only=True)
    writer.close()
