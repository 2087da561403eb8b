"""After an erasure neither conversations nor orders speak of the shopper; everybody else's stay as they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from mercer.assistant import Ask
from mercer.assistant.memory import Memory
from mercer.assistant.order import DemoOrders
from mercer.doors.erase import erase
from mercer.quality.erased import pseudonym
from mercer.quality.secret import shop_salt
from mercer.shop import Shop

WHO = "shopper-ann"
SECRET = "marzipan"


@pytest.fixture
def orders(shop: Shop) -> DemoOrders:
    """Two of the shopper's, one of somebody whose id begins alike."""
    source = shop.folder / "orders.jsonl"
    rows = [
        {"order": f"M070000000{number}", "shopper": who, "items": [{"product": "P1", "quantity": 1, "price": 9.0}],
         "total": 9.0, "currency": "CNY", "status": "paid", "placed": number, "address": f"{number} Mill Lane"}
        for number, who in enumerate((WHO, WHO, "shopper-anna"), 1)
    ]  # fmt: skip
    source.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return DemoOrders(shop.store / "orders.db", source)


def said(shop: Shop) -> list[tuple[Any, ...]]:
    with sqlite3.connect(shop.store / "conversations.db") as database:
        found = database.execute("SELECT talk, role, text FROM turns ORDER BY talk, seq").fetchall()
    database.close()
    return found


def test_conversations_and_orders_go_with_the_shopper(assistant: Callable[..., Any], shop: Shop, orders: Any) -> None:
    helper = assistant()
    mine = helper(Ask(f"where is my {SECRET}? I want a person", WHO)).conversation
    helper(Ask("please cancel order M0700000001", WHO, mine))
    other = helper(Ask("What does shipping cost?", "shopper-anna")).conversation
    named = helper(Ask(f"my friend {WHO} bought the oak desk, what does shipping cost?", "bob")).conversation
    before = {talk for talk, _, _ in said(shop)}
    assert before == {mine, other, named}
    kept = [row for row in said(shop) if row[0] == other]
    subject = pseudonym(WHO, shop_salt(shop.store))

    proof = erase(shop, WHO)
    assert proof.found == []
    where = {one["where"]: one["rows"] for one in proof.removed}
    assert where["store/conversations.db: turns"] == 4
    assert where["store/conversations.db: talks"] == where["store/conversations.db: handovers"] == 1
    assert where["store/orders.db: orders"] == 2
    assert where["store/conversations.db: texts"] >= 1, "of somebody else's conversation, the name alone"
    for path in [*shop.store.glob("conversations.db*"), *shop.store.glob("orders.db*")]:
        held = path.read_bytes()
        for gone in (SECRET, subject, mine, "M0700000001", "1 Mill Lane"):
            assert gone.encode() not in held, (path, gone)
    assert [row for row in said(shop) if row[0] == other] == kept
    assert "[erased] bought the oak desk" in json.dumps(said(shop))
    assert orders.latest(WHO) == []
    assert [order.id for order in orders.latest("shopper-anna")] == ["M0700000003"]
    assert helper.memory.history(mine) == []
    assert helper(Ask("What does shipping cost?", "bob", named)).text, "a conversation of somebody else goes on"
    assert erase(shop, WHO).removed == []


def test_what_names_a_person_is_in_no_file_of_the_memory(assistant: Callable[..., Any], shop: Shop) -> None:
    helper = assistant()
    number, asked = "13800138000", "my phone is 13800138000, what does shipping cost?"
    id = helper(Ask(asked, WHO)).conversation
    assert number not in json.dumps([turn.text for turn in helper.memory.history(id)])
    for path in shop.store.glob("conversations.db*"):
        assert number.encode() not in path.read_bytes()
    answers = [helper(Ask(asked, WHO, id)) for _ in range(2)]
    assert answers[-1].handover == "loop", "that it comes again is seen all the same"


def test_an_offer_waits_without_the_id_of_whom_it_was_made_to(
    assistant: Callable[..., Any], shop: Shop, orders: DemoOrders
) -> None:
    helper = assistant()
    offered = helper(Ask("please cancel order M0700000001", WHO))
    assert offered.action.status == "offered"
    assert WHO.encode() not in b"".join(path.read_bytes() for path in shop.store.glob("conversations.db*"))
    assert helper(Ask("yes", WHO, offered.conversation)).action.status == "done"
    again = helper(Ask("please cancel order M0700000002", WHO))
    assert not helper(Ask("yes", "shopper-anna", again.conversation)).action
    assert orders.latest(WHO)[0].status == "paid"


def test_the_orders_file_does_not_bring_them_back(shop: Shop, orders: DemoOrders) -> None:
    erase(shop, WHO)
    (shop.store / "orders.db").unlink()
    again = DemoOrders(shop.store / "orders.db", shop.folder / "orders.jsonl")
    assert again.latest(WHO) == []
    assert len(again.latest("shopper-anna")) == 1


def test_what_an_erasure_missed_is_found(shop: Shop, orders: DemoOrders, monkeypatch: pytest.MonkeyPatch) -> None:
    from mercer.doors.talks import Talks

    memory = Memory(shop.store)
    id, state = memory.begin("", WHO)
    memory.keep(id, WHO, state, {"shopper": "hello"})
    monkeypatch.setattr(Talks, "erase", lambda self: ({}, []))
    assert set(erase(shop, WHO).found) >= {"store/conversations.db", "store/orders.db"}


def test_a_damaged_file_is_said(shop: Shop) -> None:
    from mercer.errors import ShopError

    (shop.store / "conversations.db").write_bytes(b"no database" * 100)
    with pytest.raises(ShopError, match=r"conversations\.db"):
        erase(shop, WHO)
