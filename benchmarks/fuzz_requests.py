"""A shop in; how many of so many malformed requests were answered with a 500, a stack trace or a dead server, out.

    python benchmarks/fuzz_requests.py SHOP [--requests 100000] [--examples 50] [--seed 1]

SHOP (a copy: it is written to) is served by `mercer serve`, with a key for every scope. First schemathesis makes
requests from the whole OpenAPI document, `--examples` for every operation. Then good requests are spoilt, a byte, a
header or a value of each, and sent as they are over sockets. A connection that is closed without an answer is counted
by itself: HTTP allows it where no request can be read, as where the sender stops in the middle of one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fuzz_spoil import seeds, spoilt, whole
from benchmarks.served import Server

SCOPES = ("search", "events", "catalogue", "metrics", "admin")
TRACE = (b"Traceback (most recent", b'File "/', b"site-packages")


@dataclass
class Told:
    """What was seen."""

    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    """Connections that ended without an answer."""
    errors: list[str] = field(default_factory=list)
    """Answers in the 500s, traces, and what the server's own log said of errors."""

    def good(self) -> bool:
        return self.requests > 0 and not self.errors


def send(port: int, raw: bytes) -> bytes:
    """What came back until the server closed; b"" where nothing did."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line, contextlib.suppress(ConnectionError):
        line.sendall(raw)
        if not whole(raw):  # else the server waits for the rest
            line.shutdown(socket.SHUT_WR)
        while part := line.recv(65536):
            answer += part
    return bytes(answer)


def judge(raw: bytes, answer: bytes, told: Told) -> None:
    """Count an answer."""
    told.requests += 1
    if not answer:
        told.closed += 1
        return
    status = answer[9:12].decode("latin-1")
    told.statuses[status] += 1
    if status.startswith("5") or any(one in answer for one in TRACE):
        told.errors.append(f"{status}: {raw[:300]!r} → {answer[:600]!r}")


def fuzz(server: Server, key: str, requests: int, seed: int, *, threads: int = 4, minutes: float = 60.0) -> Told:
    """Spoilt requests, by several senders at once; fewer where the minutes are over before."""
    until = time.monotonic() + minutes * 60
    told, port = Told(), int(server.url.rsplit(":", 1)[1])
    found = seeds(server("GET", "/openapi.json")[1], key)

    def work(number: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        for _ in range(requests // threads):
            if time.monotonic() > until:
                return
            raw = spoilt(rng.choice(found), rng)
            try:
                answer = send(port, raw)
            except OSError as error:
                told.errors.append(f"{error!r}: {raw[:300]!r}")
                return
            judge(raw, answer, told)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told.errors += list(_said(server))
    return told


def by_schema(server: Server, key: str, examples: int) -> Told:
    """What schemathesis makes of the OpenAPI document."""
    import hypothesis
    import schemathesis

    told, document = Told(), server("GET", "/openapi.json")[1]
    for operation in schemathesis.openapi.from_dict(document).get_all_operations():
        case_of = operation.ok()
        if case_of.method.upper() == "DELETE" and "shopper" in case_of.path:
            continue

        @hypothesis.settings(max_examples=examples, deadline=None, suppress_health_check=list(hypothesis.HealthCheck),
                             derandomize=True, database=None)  # fmt: skip
        @hypothesis.given(case_of.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=120)
            raw = f"{case.method} {case.formatted_path} {case.query} {case.body}".encode("utf-8", "replace")
            judge(raw, f"HTTP/1.1 {answer.status_code}\n".encode() + answer.content, told)

        ask()
    told.errors += list(_said(server))
    return told


def _said(server: Server) -> Iterator[str]:
    """What the server's own log has of errors, and whether it lives."""
    time.sleep(1)  # it writes and is read in threads of their own
    log = server.said()
    if "Traceback" in log:
        yield f"the server's log: …{log[log.index('Traceback') :][:3000]}"
    if server.process.poll() is not None or server("GET", "/health")[0] != 200:
        yield "the server is dead"


def opened(shop: Path) -> tuple[Server, str]:
    """The shop served without limits of rate, and a key that opens everything."""
    settings = shop / "mercer.toml"
    limits = "key_rate = 0\naddress_rate = 0\nwait_ms = 60000\ndeadline_ms = 60000\n"
    text = settings.read_text("utf-8")
    if limits not in text:
        settings.write_text(text + f"\n[serve]\n{limits}", "utf-8")
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    command = [sys.executable, "-m", "mercer", "keys", str(shop), "add", "fuzz", *scopes, "--json"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return Server(shop), str(json.loads(made.stdout)["secret"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shop", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no other request is made")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    server, key = opened(given.shop)
    try:
        for name, told in (
            ("by schema", by_schema(server, key, given.examples)),
            ("spoilt", fuzz(server, key, given.requests, given.seed, minutes=given.minutes)),
        ):
            seen = {**vars(told), "errors": len(told.errors), "seen": told.errors[:10], "good": told.good()}
            print(json.dumps({name: seen}, indent=1, ensure_ascii=False), flush=True)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
