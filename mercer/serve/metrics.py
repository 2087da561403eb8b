"""Requests and answers in; Prometheus counters and histograms out."""

from __future__ import annotations

import time
from collections import Counter as Counting
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercer.records import Page, Severity

__all__ = ["Metrics", "Timed"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: around the 10 to 100 ms in which a shopper should have an answer."""


class Metrics:
    """One registry an application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mercer_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mercer_request_seconds", "Time to answer", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self.stages = Histogram(
            "mercer_stage_seconds", "Time in one stage of an answer", ["scene", "stage"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.answers = Counter("mercer_answers", "Pages of hits given", ["scene"], registry=self.registry)
        self.degraded = Counter(
            "mercer_degraded_answers", "Pages that had to leave something out", ["scene"], registry=self.registry
        )
        self.lacks = Counter("mercer_degraded_reasons", "What degraded pages left out", ["why"], registry=self.registry)
        self.empty = Counter("mercer_empty_answers", "Pages without a hit", ["scene"], registry=self.registry)
        self.trial_faults = Counter(
            "mercer_experiment_faults", "Answers without the arm that was due, as it cannot be served",
            registry=self.registry,
        )  # fmt: skip
        self.events = Counter("mercer_events", "Events by what became of them", ["outcome"], registry=self.registry)
        self.unwritten = Counter(
            "mercer_unwritten_answers", "Answers whose impressions wait in memory for the disk", registry=self.registry
        )
        self.refused = Counter("mercer_refused", "Calls refused under load", ["reason"], registry=self.registry)
        self.wait = Histogram(
            "mercer_wait_seconds", "Time a call waited for a worker", buckets=BUCKETS, registry=self.registry
        )
        self.efforts = Counter(
            "mercer_searches", "Searches by how much was done for them", ["effort"], registry=self.registry
        )
        self.waiting = Gauge("mercer_waiting", "Calls that wait for a worker", registry=self.registry)
        self.encoding = Gauge(
            "mercer_encode_queue", "Products whose vectors are being made or waited for", registry=self.registry
        )
        self.alarms = Gauge("mercer_alarms", "Alarms that stand", ["severity"], registry=self.registry)
        self.products = Gauge("mercer_products", "Products in the index", registry=self.registry)
        self.index = Gauge("mercer_index", "The index version that answers", ["version"], registry=self.registry)
        self.swaps = Gauge("mercer_index_swaps", "Versions taken up since the start", registry=self.registry)
        self.behind = Gauge(
            "mercer_index_behind", "1 where the live version could not be taken up", registry=self.registry
        )

    def page(self, scene: str, page: Page) -> None:
        """Count an answer and its stages."""
        self.answers.labels(scene).inc()
        if page.degraded:
            self.degraded.labels(scene).inc()
            for why in reasons(page.degraded):
                self.lacks.labels(why).inc()
        if not page.hits:
            self.empty.labels(scene).inc()
        for stage, milliseconds in page.stages.items():
            self.stages.labels(scene, stage if stage in STAGES else "other").observe(milliseconds / 1000)

    @contextmanager
    def queued(self, count: int) -> Iterator[None]:
        """So many products wait for their vectors until this ends."""
        self.encoding.inc(count)
        try:
            yield
        finally:
            self.encoding.dec(count)

    def alarmed(self, standing: Iterable[Severity]) -> None:
        """Severities of the alarms that stand."""
        found = Counting(standing)
        for severity in get_args(Severity):
            self.alarms.labels(severity).set(found[severity])

    def stands(self, version: str, *, swaps: int = 0, behind: bool = False) -> None:
        """Which index version answers."""
        self.index.clear()
        self.index.labels(version).set(1)
        self.swaps.set(swaps)
        self.behind.set(behind)

    def text(self) -> bytes:
        """Prometheus text format."""
        return generate_latest(self.registry)


def reasons(degraded: str) -> list[str]:
    """What a page left out, each as one of a few words.

    >>> reasons("busy: words only; no reranker: words and meaning only")
    ['busy', 'reranker']
    """
    parts = (part.strip() for part in degraded.split(";"))
    return [next((why for start, why in LACKS.items() if part.startswith(start)), "other") for part in parts]


class Timed:
    """ASGI middleware that counts and times every request by its route, never by its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - start)


STAGES = (
    "understand", "rules", "lexical", "encode", "dense", "browse", "rank", "ranker", "rerank", "page", "filter",
    "explain", "retrieve",
)  # fmt: skip
"""Stages that have a label of their own: a door that invents others must not make labels without end."""
LACKS = {
    "busy": "busy", "nothing has all of it": "filters", "no encoder": "encoder", "no reranker": "reranker",
    "no events yet": "events", "nothing is known": "events", "reranked": "reranker",
}  # fmt: skip
"""How a page begins to say what it left out → the label."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
