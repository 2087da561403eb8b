"""An OpenAPI document in; good requests, and of each a thousand that are not, out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Asked", "seeds", "spoilt", "whole"]

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 2**64, 10**400, -(10**30), 1e308, 5e-324, "", " ", "\x00", "\ud800", "a" * 100_000, [],
    {}, [[[[[]]]]], {"": {}}, "' OR 1=1 --", "${jndi:ldap://x}", "../../etc/passwd", "<script>", "%00", "\u202e",
    "🙂" * 50, [None] * 1001, {"a": {"b": {"c": {}}}}, "NaN", "1e999", "2026-13-45",
)  # fmt: skip
PAGES = (
    "/",
    "/search?q=cup",
    "/product/x",
    "/docs",
    "/static/shop.css",
    "/openapi.json",
    "/image/x",
    "/health",
    "/ready",
)


@dataclass
class Asked:
    """A request that can be spoilt."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def raw(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + self.body


def seeds(document: dict[str, Any], key: str) -> list[Asked]:
    """A good request for every operation and example, and the storefront's pages."""
    found = []
    common = {"Host": "localhost", "Authorization": f"Bearer {key}", "Connection": "close"}
    for path, acts in document["paths"].items():
        for method, operation in acts.items():
            place = re.sub(r"\{[^}]*\}", "p-1", path)
            given = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            bodies = [example["value"] for example in given.get("examples", {}).values()] or [{} if given else None]
            found += [
                Asked(method.upper(), place, {**common, "Content-Type": "application/json"}, _json(body))
                for body in bodies
            ]
    found += [Asked("GET", page, dict(common), b"") for page in PAGES]
    return [one for one in found if not (one.method == "DELETE" and "shopper" in one.path)]  # slow, and tested alone


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode("utf-8", "surrogatepass")


def spoilt(asked: Asked, rng: random.Random) -> bytes:
    """One way of many to send it wrong."""
    spoil: Callable[[Asked, random.Random], bytes] = rng.choice((_value, _value, _value, _bytes, _head, _path, _frame))
    return spoil(asked, rng)


def _value(asked: Asked, rng: random.Random) -> bytes:
    """Another value somewhere in the body."""
    try:
        body = json.loads(asked.body or b"{}")
    except ValueError:
        return _bytes(asked, rng)
    holder: Any = {"": body}
    place: Any = ""
    while isinstance(holder[place], dict | list) and len(holder[place]) and rng.random() < 0.8:
        holder = holder[place]
        place = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    if rng.random() < 0.2 and isinstance(holder, dict):
        holder[rng.choice(("extra", "__proto__", "id", "", "\x00"))] = rng.choice(HOSTILE)
    else:
        holder[place] = rng.choice(HOSTILE)
    try:
        told = _json(body if holder.get("") is body or "" not in holder else holder[""])  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        told = _json(body)
    return _sized(asked, told.replace(b'"NaN"', b"NaN") if rng.random() < 0.5 else told).raw()


def _bytes(asked: Asked, rng: random.Random) -> bytes:
    """Another byte, a cut or a repetition in the body."""
    body = bytearray(asked.body or b"{}")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body) + 1)
        part = rng.choice(
            (b"", bytes([rng.randrange(256)]), b"[" * 5000, b'{"a":' * 500, b"\xff\xfe", b"\x00", b"1e9999")
        )
        body[at : at + rng.randint(0, 3)] = part
    return _sized(asked, bytes(body)).raw()


def _head(asked: Asked, rng: random.Random) -> bytes:
    """A header that cannot be, or is too much."""
    name, value = rng.choice((
        ("Content-Type", rng.choice(("", "text/plain", "application/json; charset=utf-7", "multipart/x", "\xff"))),
        ("Authorization", rng.choice(("", "Bearer", "Bearer \xe9\xff", "Basic Og==", "Bearer " + "a" * 9000))),
        ("Host", rng.choice(("", "evil.example", "[::1", "localhost:99999999", "a" * 5000))),
        ("Cookie", rng.choice(("mercer_page=1", "=;=;=", "a=" + "b" * 9000, "mercer_session=\xff"))),
        ("X-Deadline-Ms", rng.choice(("-1", "0", "1e9", "\xb2", "9" * 400, "NaN"))),
        ("Accept-Language", rng.choice(("zh-" * 3000, "*;q=x", ";;;,,,", "\xff"))),
        ("If-None-Match", rng.choice(("*", 'W/"', '"' * 3000, "\xff"))),
        ("Range", "bytes=9-1,-,5-"), ("Accept", "\xff/*"), ("X-Forwarded-For", "x" * 3000), ("Origin", "null"),
        ("Expect", "100-continue"), ("Upgrade", "websocket"), ("Content-Encoding", "gzip"),
        ("Transfer-Encoding", "gzip"),
        ("Content-Length", rng.choice(("-1", "abc", "0", "99999999999999999999", "1, 2", "+5"))),
    ))  # fmt: skip
    return Asked(asked.method, asked.path, {**_sized(asked, asked.body).headers, name: value}, asked.body).raw()


def _path(asked: Asked, rng: random.Random) -> bytes:
    """A path or a query that nobody writes."""
    tail = rng.choice((
        "/../../etc/passwd", "/%2e%2e%2f", "/%00", "/%ff%fe", "/%", "?q=%ff", "?q=%00&k=-1", "?k=" + "9" * 5000,
        "?q=a&q=b",
        "//", "/" + "a" * 3000, "?" + "x=1&" * 1000, "/\xff", "#", "?q=%f0%9f%98%80&k=1e3", "/;a=b", "?page=-1",
        "?offset=x",
        "?lang=zz", "?cursor=%7b", "?f=price:a..b",
    ))  # fmt: skip
    method = rng.choice((asked.method, "GET", "POST", "PUT", "TRACE", "OPTIONS", "HEAD", "BREW", "x" * 300))
    return Asked(method, asked.path.rstrip("/") + tail, asked.headers, b"").raw()


def _frame(asked: Asked, rng: random.Random) -> bytes:
    """What is hardly HTTP."""
    raw = bytearray(_sized(asked, asked.body).raw())
    return rng.choice((
        bytes(raw[: rng.randrange(len(raw))]),
        bytes(raw).replace(b"\r\n", b"\n"),
        bytes(raw).replace(b"HTTP/1.1", rng.choice((b"HTTP/9.9", b"", b"HTTP/1.0", b"HTTP/1.1\x00"))),
        bytes(rng.randbytes(rng.randint(1, 300))) + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(60),
        bytes(raw[: raw.find(b"\r\n\r\n")]) + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        bytes(raw[: raw.find(b"\r\n\r\n")]) + b"\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        bytes(raw) * 3,
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
    ))  # fmt: skip


def _sized(asked: Asked, body: bytes) -> Asked:
    return Asked(asked.method, asked.path, {**asked.headers, "Content-Length": str(len(body))}, body)


def whole(raw: bytes) -> bool:
    """Whether a server has all that it was promised."""
    head, end, body = raw.partition(b"\r\n\r\n")
    said = re.findall(rb"(?i)\r\ncontent-length: (\d{1,15})\r\n", head + b"\r\n")
    return bool(end) and (not said or len(body) >= int(said[0]))
