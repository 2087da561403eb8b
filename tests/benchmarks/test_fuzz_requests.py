"""Requests that are spoilt in every way: no answer in the 500s, no stack trace, a server that lives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")
pytest.importorskip("schemathesis", reason="mercer[dev] is not installed")

from benchmarks.fuzz_requests import Told, by_schema, fuzz, judge, opened
from benchmarks.fuzz_spoil import Asked, seeds, spoilt, whole


@pytest.fixture(scope="module")
def served(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    import shutil

    server, key = opened(Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("fuzz") / "shop")))
    yield server, key
    server.kill()


def test_spoilt_requests(served: tuple[Any, str]) -> None:
    told = fuzz(*served, 200, 1, threads=2)
    assert told.good(), told.errors
    assert {"400", "404", "405", "422"} <= told.statuses.keys()


def test_what_schemathesis_makes_of_the_document(served: tuple[Any, str]) -> None:
    told = by_schema(*served, 1)
    assert told.good(), told.errors
    assert told.requests >= 20


def test_what_would_be_a_fault_is_one() -> None:
    told = Told()
    judge(b"GET /", b"HTTP/1.1 500 x\r\n\r\n", told)
    judge(b"GET /", b"HTTP/1.1 400 x\r\n\r\nTraceback (most recent call last):", told)
    judge(b"GET /", b"HTTP/1.1 200 OK\r\n\r\n", told)
    judge(b"\x16", b"", told)
    assert (told.requests, told.closed, len(told.errors)) == (4, 1, 2)


def test_every_spoilt_request_is_bytes_and_most_differ() -> None:
    rng = random.Random(1)
    asked = Asked("POST", "/v1/search", {"Host": "localhost"}, b'{"query": "cup", "filters": [{"field": "brand"}]}')
    made = [spoilt(asked, rng) for _ in range(500)]
    assert len(set(made)) > 300
    assert sum(map(whole, made)) > 300
    document = {"paths": {"/v1/a/{id}": {"get": {}}, "/v1/shoppers/{id}": {"delete": {}}}}
    assert [one.path for one in seeds(document, "k") if one.path.startswith("/v1")] == ["/v1/a/p-1"]


def test_whole_requests_are_told_from_halves() -> None:
    assert whole(b"GET / HTTP/1.1\r\n\r\n")
    assert not whole(b"GET / HTTP/1.1\r\n")
    assert not whole(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc")
    assert whole(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
