"""Nothing in; processor time that a server takes for one constant answer, by server, loop and parser, out.

    python benchmarks/serve_engines.py [--requests 4000]      # granian is measured where it is installed

One caller asks again and again over one kept connection, with the headers and the length of a refusal. Seconds of
processors are counted, not of the clock, so that a busy machine says much the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BODY = b'{"x":"' + b"a" * 140 + b'"}'
QUESTION = b'{"query":"oak","k":10}'
REQUEST = (
    b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(QUESTION) + QUESTION
)
UVICORN = ("-m", "uvicorn", "serve_engines:application", "--log-level", "error", "--no-access-log")
ENGINES = {
    "uvicorn, h11, asyncio": (*UVICORN, "--http", "h11", "--loop", "asyncio"),
    "uvicorn, httptools, asyncio": (*UVICORN, "--http", "httptools", "--loop", "asyncio"),
    "uvicorn, httptools, uvloop": (*UVICORN, "--http", "httptools", "--loop", "uvloop"),
    "granian": ("-m", "granian", "--interface", "asgi", "serve_engines:application", "--workers", "1"),
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The bare framework: the same answer to everything."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(BODY))]
    headers += [(b"x-%d" % number, b"y" * 40) for number in range(8)]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def spent(process: int) -> float:
    """Seconds of processors that a process and its children have used."""
    total = 0.0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if process in (int(place.name), int(told[1])):
            total += (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measure(command: tuple[str, ...], requests: int) -> float:
    """Milliseconds of processors a request."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    here = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, *command, "--port", str(port)], cwd=here, stdout=subprocess.DEVNULL
    ) as server:
        try:
            line = _connected(port)
            with line:
                _ask(line, requests // 10)
                before = spent(server.pid)
                _ask(line, requests)
                return (spent(server.pid) - before) / requests * 1000
        finally:
            server.terminate()


def _connected(port: int) -> socket.socket:
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _ask(line: socket.socket, times: int) -> None:
    for _ in range(times):
        line.sendall(REQUEST)
        answer = b""
        while not answer.endswith(BODY):
            answer += line.recv(65_536)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=4000)
    given = parser.parse_args()
    for name, command in ENGINES.items():
        if importlib.util.find_spec(command[1]):
            print(f"{name} | {measure(command, given.requests):.3f} ms", flush=True)


if __name__ == "__main__":
    main()
