"""A customer's message in; the assistant's answer out, whole or sentence by sentence as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Protocol

import orjson
from fastapi import APIRouter, Body, Query, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response, StreamingResponse

from mercer.assistant.answer import Answer, Ask
from mercer.assistant.memory import Turn
from mercer.errors import NotFoundError
from mercer.serve.api.body import PROBLEMS, JsonRoute
from mercer.serve.guard_access import caller
from mercer.serve.key_scope import needs
from mercer.serve.shape import MaybeId, Shape

__all__ = ["Answering", "router"]

EXAMPLES: Any = {
    "question": {"summary": "A question", "value": {"text": "How much is the oak desk?"}},
    "chinese": {"summary": "中文，接着上一句", "value": {"text": "第二个有红色的吗", "conversation": "KD2f0Yw1"}},
    "yes": {"summary": "A button that confirms", "value": {"text": "", "conversation": "KD2f0Yw1", "confirm": "aB3"}},
    "stream": {"summary": "As server-sent events", "value": {"text": "运费多少", "stream": True}},
}


class Question(Shape):
    """One message."""

    text: Annotated[str, StringConstraints(max_length=20_000)] = Field(description="What the customer says")
    conversation: MaybeId = Field("", description='"" begins a new one')
    shopper: MaybeId = Field("", description="Whom your own server has signed in; a page's visitor is known by cookie")
    language: Literal["", "zh", "en"] = ""
    confirm: MaybeId = Field("", description="Token of the offered action")
    stream: bool = Field(False, description="Answer as text/event-stream")


class Answering(Protocol):
    """The assistant, as `mercer.assistant.LiveAssistant`."""

    def __call__(self, ask: Ask) -> Answer: ...

    def ready(self) -> bool:
        """Whether there is a version that answers."""
        ...

    def history(self, conversation: str, shopper: str) -> list[Turn] | None:
        """What was said; None where it is not this shopper's."""
        ...


def router(assistant: Answering) -> APIRouter:
    """Routes /v1/ask: ask, and see what a person has answered since."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["assistant"])
    opens = needs("assistant", page=True)

    @routes.post("/ask", responses={**PROBLEMS, 200: {}}, summary="Ask the shop's assistant", openapi_extra=opens)
    def ask(request: Request, body: Annotated[Question, Body(openapi_examples=EXAMPLES)]) -> Response:
        wish = Ask(body.text, _who(request, body.shopper), body.conversation, body.language, body.confirm)
        answer = assistant(wish)
        if body.stream:
            kept = {"cache-control": "no-store"}
            return StreamingResponse(_told(answer), media_type="text/event-stream", headers=kept)
        return Response(orjson.dumps(answer.to_json()), media_type="application/json")

    @routes.get("/ask", responses={404: PROBLEMS[422]}, summary="What was said in a conversation", openapi_extra=opens)
    def history(
        request: Request,
        conversation: Annotated[str, Query(min_length=1, max_length=128)],
        shopper: Annotated[str, Query(max_length=128)] = "",
    ) -> Response:
        turns = assistant.history(conversation, _who(request, shopper))
        if turns is None:
            raise NotFoundError("there is no such conversation of this shopper's", cure="begin one: POST /v1/ask")
        told = [{"role": turn.role, "text": turn.text, "time": turn.time} for turn in turns]
        return Response(orjson.dumps({"conversation": conversation, "turns": told}), media_type="application/json")

    return routes


def _who(request: Request, said: str) -> str:
    """Who asks: a page's visitor is whom its cookie says, nobody else; a key's holder has signed their shopper in."""
    found = caller(request.scope)
    return found.shopper if found.kind == "page" else said


def _told(answer: Answer) -> Iterator[bytes]:
    """Sentences as they may be shown, then all of it; every sentence was checked before the first is sent."""
    for sentence in answer.sentences:
        yield _event("sentence", {"text": sentence.text, "sources": list(sentence.sources)})
    yield _event("answer", answer.to_json())


def _event(name: str, value: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(value) + b"\n\n"
