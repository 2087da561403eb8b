"""Of copies one is indexed: never the last of a group, never what the shop lets pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mercer.doors.copies import copies, left_out
from mercer.records import Product


def products(*ids: str, sold_out: tuple[str, ...] = ()) -> dict[str, Product]:
    return {id: Product(id, f"Mug {id}", brand="Nord", stock=0 if id in sold_out else None) for id in ids}


def rows(*ids: str) -> pa.Table:
    return pa.table({"row_id": range(len(ids)), "id": list(ids)})


def findings(*lines: tuple[int, str], check: str = "C03", action: str = "warn") -> pa.Table:
    said = [{"check_id": check, "row_id": row, "action": action, "suggestion": f"canonical: {id}"} for row, id in lines]
    return pa.Table.from_pylist(said)


def test_a_copy_is_left_out_and_its_original_stays() -> None:
    assert left_out(products("a", "b", "c"), rows("a", "b", "c"), findings((1, "a"))) == {"b"}


def test_a_title_alone_makes_no_copy_but_another_case_of_the_id_does() -> None:
    bare = {id: Product(id, "Mug") for id in ("a1", "A1", "b2")}
    assert left_out(bare, rows("a1", "A1", "b2"), findings((1, "a1"), (2, "a1"))) == {"A1"}


def test_of_a_group_without_its_original_the_first_stays() -> None:
    assert left_out(products("b", "c"), rows("x", "b", "c"), findings((1, "gone"), (2, "gone"))) == {"c"}


def test_a_chain_keeps_its_first() -> None:
    assert left_out(products("a", "b", "c"), rows("a", "b", "c"), findings((1, "a"), (2, "b"))) == {"b", "c"}


def test_a_copy_that_can_be_bought_stays_beside_one_that_cannot() -> None:
    shelf = products("a", "b", "c", sold_out=("a", "c"))
    assert left_out(shelf, rows("a", "b", "c"), findings((1, "a"), (2, "a"))) == {"c"}


@pytest.mark.parametrize(("check", "action"), [("C08", "warn"), ("C03", "suppressed"), ("C03", "quarantine")])
def test_nothing_else_counts(check: str, action: str) -> None:
    found = findings((1, "a"), check=check, action=action)
    assert not left_out(products("a", "b"), rows("a", "b"), found)


def test_an_earlier_row_is_not_judged_by_todays_findings() -> None:
    for kind, gone in (("last_good", set()), ("partly", {"b"})):
        served = pa.Table.from_pylist([{"row_id": 1, "kind": kind}])
        assert left_out(products("a", "b"), rows("a", "b"), findings((1, "a")), served) == gone


def test_what_a_check_wrote_is_read(raw_of: Any, tmp_path: Path) -> None:
    from mercer.quality.run import check
    from mercer.quality.write import write

    listed = [
        {"id": id, "title": title, "price": 5.0} for id, title in (("a", "Red Mug"), ("b", "red mug"), ("c", "Pot"))
    ]
    checked = check({"products": raw_of("products", listed)}, now=1_750_000_000_000)
    write(checked, tmp_path)
    assert copies(tmp_path, products("a", "b", "c")) == {"b"}
    assert copies(tmp_path, products("b", "c")) == frozenset()
    assert copies(tmp_path / "nothing", products("a")) == frozenset()
