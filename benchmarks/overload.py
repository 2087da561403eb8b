"""A shop in; goodput, latency of what is accepted and time to refuse at 1, 3 and 10 times its capacity, out.

    python benchmarks/overload.py SHOP [--seconds 10] [--times 1 3 10] [--threads 4]

SHOP (a copy: its log gets what is shown) is served by `mercer serve` in a process of its own and asked over HTTP.
Capacity is measured first: closed loop, as many callers as threads. Then calls are sent open loop, at moments drawn
from a Poisson process, whether or not earlier ones were answered; latency counts from the moment a call was due, so a
caller that is late itself cannot hide a wait (coordinated omission). Goodput is answers with 200 in time, a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

DEADLINE = 2.0
"""Seconds after which an answer is of no use to a shopper."""
WORDS = 400
"""Different queries asked: titles of the shop's own products, two words each."""


@dataclass
class Told:
    """What became of the calls of one stretch."""

    good: list[float] = field(default_factory=list)
    """Seconds of each answer with 200."""
    refused: list[float] = field(default_factory=list)
    """Seconds of each 503 or 429."""
    late: int = 0
    failed: int = 0
    degraded: int = 0


def share(values: list[float], part: float) -> float:
    """A quantile, in milliseconds."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] * 1000 if values else float("nan")


class Client:
    """HTTP/1.1 over kept connections: with a thousand calls at once the usual clients take longer than the server."""

    def __init__(self, port: int) -> None:
        self._port, self._idle = port, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def search(self, query: str) -> tuple[int, bytes]:
        """Status and body."""
        body = json.dumps({"query": query, "k": 10}).encode()
        head = "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        while self._idle and self._idle[-1][0].at_eof():  # the server closes what was idle for 5 s
            self._idle.pop()
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
        top = (await reader.readuntil(b"\r\n\r\n")).lower()
        answer = await reader.readexactly(int(re.findall(rb"content-length: (\d+)", top)[0]))
        self._idle.append((reader, writer))
        return int(top[9:12]), answer

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def ask(client: Client, query: str, told: Told, due: float) -> None:
    try:
        status, body = await client.search(query)
    except (OSError, asyncio.IncompleteReadError):
        told.failed += 1
        return
    took = time.perf_counter() - due
    if status == 200:
        told.good.append(took)
        told.late += took > DEADLINE
        told.degraded += b'"degraded":"busy' in body
    elif status in (429, 503):
        told.refused.append(took)
    else:
        told.failed += 1


async def closed(client: Client, queries: list[str], callers: int, seconds: float) -> tuple[Told, float]:
    told, stop = Told(), time.perf_counter() + seconds
    rng = random.Random(1)

    async def caller() -> None:
        while time.perf_counter() < stop:
            await ask(client, rng.choice(queries), told, time.perf_counter())

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return told, len(told.good) / (time.perf_counter() - start)


async def opened(client: Client, queries: list[str], rate: float, seconds: float, seed: int) -> Told:
    told, rng, calls = Told(), random.Random(seed), []
    start = due = time.perf_counter()
    while due < start + seconds:
        due += rng.expovariate(rate)
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        calls.append(asyncio.create_task(ask(client, rng.choice(queries), told, due)))
    await asyncio.gather(*calls)
    return told


def spent(process: int) -> float:
    """Seconds of processor time that a process has used."""
    times = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


async def measure(url: str, server: int, queries: list[str], given: argparse.Namespace) -> None:
    with contextlib.closing(Client(int(url.rsplit(":", 1)[1]))) as client:
        await closed(client, queries, given.threads, given.seconds / 2)  # warm up
        before = spent(server)
        usual, capacity = await closed(client, queries, given.threads, given.seconds)
        answer = (spent(server) - before) / len(usual.good)
        print(f"capacity {capacity:.1f}/s, {answer * 1000:.1f} ms of a processor each, "
              f"{given.threads} callers: p50 {share(usual.good, 0.5):.0f} ms, "
              f"p99 {share(usual.good, 0.99):.0f} ms")  # fmt: skip
        print(
            "load | sent/s | good/s | of capacity | p50 ms | p99 ms | degraded | refused | "
            "refusal p50, p99 ms | failed | processor ms a refusal"
        )
        for times in given.times:
            rate = capacity * times
            before = spent(server)
            told = await opened(client, queries, rate, given.seconds, seed=times)
            refusal = (spent(server) - before - answer * len(told.good)) / max(1, len(told.refused))
            sent = len(told.good) + len(told.refused) + told.failed
            good = (len(told.good) - told.late) / given.seconds
            print(
                f"{times}× | {sent / given.seconds:.0f} | {good:.1f} | {good / capacity:.2f} | "
                f"{share(told.good, 0.5):.0f} | {share(told.good, 0.99):.0f} | "
                f"{told.degraded / max(1, len(told.good)):.0%} | {len(told.refused) / max(1, sent):.0%} | "
                f"{share(told.refused, 0.5):.1f}, {share(told.refused, 0.99):.1f} | {told.failed} | "
                f"{refusal * 1000:.2f}",
                flush=True,
            )


def titles(shop: Path) -> list[str]:
    """Two words of each of some titles."""
    import pyarrow.parquet as pq

    from mercer.shop import Shop

    opened_ = Shop(shop)
    live = opened_.live("checked")
    assert live is not None, "run: mercer check SHOP"
    table = pq.read_table(opened_.path("checked", live.version) / "products.parquet", columns=["title"])
    rng = random.Random(0)
    found = [" ".join(title.split()[:2])[:60] for title in table["title"].to_pylist() if title]
    return rng.sample(found, min(WORDS, len(found)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shop", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--threads", type=int, default=4)
    given = parser.parse_args()
    settings = given.shop / "mercer.toml"
    assert f"threads = {given.threads}" in settings.read_text("utf-8"), (
        f"set [serve] threads = {given.threads} in {settings}"
    )
    command = [sys.executable, "-m", "mercer", "serve", str(given.shop), "--port", "0"]
    environment = {**os.environ, "COLUMNS": "300", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stderr is not None
        url = ""
        for line in server.stderr:
            url = url or "".join(re.findall(r"http://localhost:\d+", line)[:1])
            if "Ctrl-C" in line:
                break
        try:
            for _ in range(600):
                try:
                    if httpx.get(url + "/ready", timeout=5).status_code == 200:
                        break
                except httpx.HTTPError:
                    time.sleep(0.1)
            asyncio.run(measure(url, server.pid, titles(given.shop), given))
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
