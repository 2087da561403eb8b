"""The page of conversations that wait for a person: read, answered, reviewed, and learned only once approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.assistant.answer import Answer, Sentence  # noqa: E402  # after the check for the extra
from mercer.assistant.handover import Desk, read_approved  # noqa: E402
from mercer.assistant.memory import Memory, State  # noqa: E402
from mercer.serve import Keys, create_app  # noqa: E402
from mercer.shop import Shop  # noqa: E402


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def desk(shop: Shop) -> Desk:
    memory = Memory(shop.store)
    id, state = memory.begin("", "ann")
    memory.keep(id, "ann", state, {"shopper": "Is <b>this</b> vegan? Call 13800138000", "assistant": "I do not know."})
    desk = Desk(shop, memory)
    answer = Answer(id, "en", (Sentence("I do not know.", ("shop",)),), intents=("product_detail",))
    desk.call(id, "unknown", "Is <b>this</b> vegan? Call 13800138000", answer, memory.history(id))
    return desk


@pytest.fixture
def owner(double: Any, shop: Shop) -> Iterator[Any]:
    keys = Keys(shop)
    _, secret = keys.add("owner", ["admin"])
    with testclient.TestClient(create_app(double, keys=keys), headers={"accept": "text/html"}) as client:
        client.post("/console/sign-in", data={"key": secret, "next": "/console/agent"})
        yield client


def send(owner: Any, **fields: str) -> Any:
    page = owner.get("/console/agent/1")
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return owner.post("/console/agent/1", data={"token": found[1], **fields})


def test_who_waits_is_listed_without_what_names_them(owner: Any, desk: Desk) -> None:
    page = owner.get("/console/agent")
    assert "vegan" in page.text
    assert "<b>this</b>" not in page.text
    one = owner.get("/console/agent/1")
    assert "I do not know." in one.text
    for text in (page.text, one.text):
        assert "13800138000" not in text


def test_an_answer_reaches_the_customer_and_is_learned_only_once_approved(owner: Any, desk: Desk, shop: Shop) -> None:
    assert "was sent" in send(owner, act="answer", answer="Yes, it is vegan.").text
    assert desk.history(desk.get(1).talk)[-1].text == "Yes, it is vegan."
    assert read_approved(shop) == []
    send(owner, act="approve", question="Is this vegan?", answer="Yes, it is vegan.")
    assert read_approved(shop) == [{"question": "Is this vegan?", "answer": "Yes, it is vegan."}]
    assert {entry.act for entry in shop.audit.entries()} >= {"answer customer", "review answer"}
    assert desk.waiting() == 0


@pytest.mark.parametrize("fields", [{"act": "answer", "answer": " "}, {"act": "approve"}, {"act": "burn"}])
def test_what_cannot_be_is_said_with_its_cure(owner: Any, desk: Desk, fields: dict[str, str]) -> None:
    answer = send(owner, **fields)
    assert answer.status_code == 422
    assert desk.get(1).state == "open"


@pytest.mark.parametrize("id", ["0", "99", "x", "%00", "9" * 30])
def test_another_number_is_not_there(owner: Any, desk: Desk, id: str) -> None:
    assert owner.get(f"/console/agent/{id}").status_code == 404


def test_a_shop_without_an_assistant_has_an_empty_page(owner: Any) -> None:
    assert "Nobody waits" in owner.get("/console/agent").text


def test_state_is_what_the_next_message_finds(shop: Shop) -> None:
    memory = Memory(shop.store)
    id, _ = memory.begin("", "ann")
    memory.keep(id, "ann", State(shown=["P1"], focus="P1"), {"shopper": "hi", "assistant": "hello"})
    assert memory.begin(id, "ann")[1].shown == ["P1"]
    assert memory.begin(id, "bob")[1].shown == []
