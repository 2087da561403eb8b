"""Heads of requests are bounded, whole or without an end; what is short passes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="mercer[serve] is not installed")
pytest.importorskip("httptools", reason="mercer[serve] is not installed")

import uvicorn

from mercer.serve.protocol import HEAD, Bounded


async def application(scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % size})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(application, http=Bounded, loop="uvloop", lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def ask(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        try:
            for part in parts:
                line.sendall(part)
            while more := line.recv(65_536):
                answer += more
        except ConnectionError:  # it need not read what it has refused
            pass
    return answer


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((b"POST /x HTTP/1.1", b"Host: a", b"Connection: close", *lines, b"", b""))


def test_short_heads_and_long_bodies_pass(port: int) -> None:
    body = b"x" * (5 * HEAD)
    sent = head(b"Content-Length: %d" % len(body), b"Cookie: " + b"c" * (HEAD // 2)) + body
    for parts in ((sent,), (sent[:30], sent[30:])):
        assert b"\r\n%d\r\n" % len(body) in ask(port, *parts)


def test_two_requests_on_one_connection_pass(port: int) -> None:
    first = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * HEAD) + b"y" * (2 * HEAD)
    answer = ask(port, first * 2, head(b"Content-Length: 0"))
    assert answer.count(b"200 OK") == 3


@pytest.mark.parametrize(
    "parts",
    [
        (head(b"A: " + b"b" * HEAD),),
        (head(*[b"A: bcdefgh"] * 9000),),
        (b"GET /" + b"a" * (2 * HEAD) + b" HTTP/1.1\r\nHost: a\r\n\r\n",),
        (b"POST /x HTTP/1.1\r\nA: ", *[b"b" * 30_000] * 12),
        (b"GET /", *[b"b" * 30_000] * 12),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b"GET /", *[b"b" * 30_000] * 12),
    ],
)
def test_long_heads_are_refused(port: int, parts: tuple[bytes, ...]) -> None:
    answer = ask(port, *parts)
    assert answer == b"" or b"400 Bad Request" in answer, "closed at once, or told why"
    assert answer.count(b"200 OK") <= (len(parts) == 14), "what came before a long head may have its answer"
