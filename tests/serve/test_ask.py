"""POST /v1/ask: one message, one answer; whole, or sentence by sentence; who asks is not for the message to say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mercer.assistant import Answer, Ask, Sentence
from mercer.assistant.memory import Turn
from mercer.errors import RequestError


class Told:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []

    def __call__(self, ask: Ask) -> Answer:
        if not ask.text and not ask.confirm:
            raise RequestError("the message has no words", cure="ask in words")
        self.asked.append(ask)
        return Answer("c1", "en", (Sentence("It costs ¥5.", ("p-1",)), Sentence("It is in stock.", ("p-1",))))

    def ready(self) -> bool:
        return True

    def history(self, conversation: str, shopper: str) -> list[Turn] | None:
        return [Turn("shopper", "hi", 1)] if (conversation, shopper) == ("c1", "ann") else None


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def client(double: Any, told: Told) -> Iterator[Any]:
    testing = pytest.importorskip("starlette.testclient")
    from mercer.serve import create_app

    with testing.TestClient(create_app(double, assistant=told), base_url="http://localhost") as client:
        yield client


def test_an_answer_has_its_sentences_and_sources(client: Any, told: Told) -> None:
    answer = client.post("/v1/ask", json={"text": "how much", "shopper": "ann", "conversation": "c1"})
    assert answer.status_code == 200
    assert answer.json()["answer"] == "It costs ¥5. It is in stock."
    assert answer.json()["sentences"][0]["sources"] == ["p-1"]
    assert told.asked == [Ask("how much", "ann", "c1")]


def test_a_stream_has_each_sentence_and_then_the_whole(client: Any) -> None:
    answer = client.post("/v1/ask", json={"text": "how much", "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\ndata: ") for block in answer.text.strip().split("\n\n")]
    assert [name for name, _ in events] == ["event: sentence", "event: sentence", "event: answer"]
    assert json.loads(events[-1][1])["conversation"] == "c1"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": 5}, 422),
        ({"text": ""}, 422),
        ({"text": "x" * 70_000}, 413),
        ({"text": "x", "tool": "y"}, 422),
    ],
)
def test_what_is_no_question_is_refused_with_a_cure(client: Any, body: Any, status: int) -> None:
    answer = client.post("/v1/ask", json=body)
    assert answer.status_code == status
    assert answer.json()["cure"]


def test_bytes_that_are_no_text_are_refused(client: Any) -> None:
    answer = client.post("/v1/ask", content=b"\xff\xfe\x00", headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_a_conversation_is_read_by_its_shopper_only(client: Any) -> None:
    asked = {"conversation": "c1", "shopper": "ann"}
    assert client.get("/v1/ask", params=asked).json()["turns"] == [{"role": "shopper", "text": "hi", "time": 1}]
    assert client.get("/v1/ask", params={**asked, "shopper": "bob"}).status_code == 404


def test_without_an_assistant_there_is_no_such_call(double_client: Any) -> None:
    assert double_client.post("/v1/ask", json={"text": "hi"}).status_code in (404, 405)
