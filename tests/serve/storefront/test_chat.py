"""/ask as pages: whom it asks for, what it shows of an answer, what it refuses, and that a message stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mercer.assistant.answer import Action, Answer, Ask, Sentence, Source
from mercer.assistant.memory import Turn
from mercer.errors import ModelError, RequestError
from mercer.records import Product

EVIL = "<script>alert(1)</script>"
TALK = "conversation-one"
MUG = Product("p-4", "Enamel mug, medium", price=22.0, currency="EUR", stock=4)


class Told:
    """An assistant that answers by what the message has in it."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []
        self.turns: list[tuple[str, Turn]] = []
        self.is_ready = True

    def __call__(self, ask: Ask) -> Answer:
        if "broken" in ask.text:
            raise ModelError("the model is gone", cure="learn it again")
        if not ask.text and not ask.confirm:
            raise RequestError("the message has no words", cure="ask in words")
        self.asked.append(ask)
        answer = self._answer(ask)
        said = {"shopper": ask.text or "✓", "assistant": answer.text}
        self.turns += [(ask.shopper, Turn(role, text, len(self.turns))) for role, text in said.items()]
        return answer

    def _answer(self, ask: Ask) -> Answer:
        if ask.confirm:
            done = Action("cancel_order", {"order": "M1"}, "done")
            return Answer(TALK, "en", (Sentence("Order M1 is cancelled.", ("o",)),), action=done)
        if "cancel" in ask.text:
            offer = Action("cancel_order", {"order": "M1"}, "offered", "t-0-k-e-n")
            return Answer(TALK, "en", (Sentence("Shall I cancel M1?", ("o",)),), action=offer)
        if "person" in ask.text:
            return Answer(TALK, "en", (Sentence("I am passing you on.", ("shop",)),), handover="asked")
        mug = Source(MUG.id, "product", MUG.title, EVIL)
        lines = (
            Sentence("This is what I found:", ("shop",)),
            Sentence("1. Enamel mug, medium, €22, in stock.", ("p-4",)),
        )
        rule = Source("shipping", "policy", "Shipping", f"Three days. {EVIL}")
        return Answer(TALK, "en", lines, (mug, rule), products=(MUG,))

    def ready(self) -> bool:
        return self.is_ready

    def history(self, conversation: str, shopper: str) -> list[Turn] | None:
        mine = [turn for who, turn in self.turns if who == shopper]
        return mine if conversation == TALK and mine else None


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def client(double: Any, told: Told) -> Iterator[Any]:
    testing = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")
    from mercer.serve import create_app

    app = create_app(double, assistant=told)
    with testing.TestClient(app, raise_server_exceptions=False) as client:
        client.get("/ask")
        yield client


def test_the_shopper_is_whom_the_cookie_says(client: Any, told: Told) -> None:
    form = {"text": "a mug", "shopper": "victim-0000000", "conversation": "another-talk-00"}
    assert client.post("/ask", data=form).status_code == 200
    assert (told.asked[0].shopper, told.asked[0].conversation) == (client.cookies["mercer_shopper"], "")
    client.post("/ask", data={"text": "and in red"})
    assert told.asked[1].conversation == TALK


@pytest.mark.parametrize("query", ["", "?part=1"])
def test_what_is_no_form_of_ours_is_not_answered(client: Any, told: Told, query: str) -> None:
    other = client.post(f"/ask{query}", data={"text": "a mug"}, headers={"sec-fetch-site": "cross-site"})
    client.cookies.delete("mercer_page")
    bare = client.post(f"/ask{query}", data={"text": "a mug"})
    assert (other.status_code, bare.status_code) == (403, 403)
    assert "Load it again" in bare.text
    assert not told.asked


def test_an_answer_has_cards_and_sources_and_all_of_it_is_text(client: Any) -> None:
    page = client.post("/ask", data={"text": f"a mug {EVIL}"}).text
    assert "<script>alert" not in page
    assert re.search(r'href="/p/p-4">Enamel mug, medium</a><p><b>€22</b> <span class="soft">Only 4 left', page)
    assert 'src="/images/p-4"' in page
    assert "1. Enamel mug" not in page, "its card says the same"
    assert "<b>Shipping</b><blockquote>Three days." in page
    again = client.get("/ask").text
    assert "a mug" in again
    assert 'href="/p/p-4"' in again, "over page changes the cards stay"
    assert "<!doctype" not in client.get("/ask?part=1").text


def test_an_offer_is_confirmed_by_its_button_and_by_the_next_message_only(client: Any, told: Told) -> None:
    page = client.post("/ask", data={"text": "cancel M1"}).text
    assert 'name="confirm" value="t-0-k-e-n"' in page
    assert "Yes, cancel the order" in page
    done = client.post("/ask", data={"confirm": "t-0-k-e-n"}).text
    assert (told.asked[1].confirm, told.asked[1].language) == ("t-0-k-e-n", "en")
    assert "Order M1 is cancelled." in done
    assert "t-0-k-e-n" not in done


def test_an_offer_stays_over_a_page_change_though_memory_masks_its_number(client: Any, told: Told) -> None:
    client.post("/ask", data={"text": "cancel M1"})
    who, last = told.turns[-1]
    told.turns[-1] = (who, Turn(last.role, last.text.replace("M1", "[order-djhnkelglihi]"), last.time))
    page = client.get("/ask").text
    assert 'name="confirm" value="t-0-k-e-n"' in page
    assert "Shall I cancel M1?" in page


def test_a_person_is_said_to_be_called_and_their_answer_comes(client: Any, told: Told) -> None:
    assert "A person from the shop has been called" in client.post("/ask?part=1", data={"text": "a person"}).text
    told.turns.append((client.cookies["mercer_shopper"], Turn("agent", "Here I am.", 99)))
    assert "Here I am." in client.get("/ask?part=1&since=98").text
    assert client.get("/ask?part=1&since=99").text.strip().count("data-time") == 0


def test_starting_over_forgets_the_conversation(client: Any) -> None:
    client.post("/ask", data={"text": "a mug"})
    client.post("/ask", data={"new": "1"})
    assert "Enamel mug" not in client.get("/ask").text


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [(b"", 422, ""), (b"text=", 422, "in words"), (b"text=%ff%00", 200, ""), (b"text=broken", 503, "in a minute")],
)
def test_what_cannot_be_answered_says_what_to_do(client: Any, body: bytes, status: int, says: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/ask?part=1", content=body, headers=form)
    assert answer.status_code == status
    assert says in answer.text
    assert client.post("/ask", data={"text": "x" * 100_000}).status_code == 413


def test_the_panel_is_there_only_where_somebody_answers(client: Any, told: Told, double_client: Any) -> None:
    assert 'id="ask-panel"' in client.get("/").text
    assert 'id="ask-panel"' not in client.get("/ask").text, "the page is the conversation"
    told.is_ready = False
    assert 'id="ask-panel"' not in client.get("/").text
    assert client.get("/ask").status_code == 404
    assert 'id="ask-panel"' not in double_client.get("/").text
    assert double_client.get("/ask").status_code == 404


def test_the_panel_speaks_chinese(client: Any) -> None:
    page = client.get("/ask", headers={"accept-language": "zh-CN"}).text
    assert "咨询客服" in page
    assert "你的问题" in page
