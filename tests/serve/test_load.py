"""Under load: rates, a bounded wait, deadlines, and answers that do with less and say so. Every clock is by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mercer.records import Filter, Page, Request
from mercer.shop import Shop

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.serve import Keys, ServeSettings, create_app  # noqa: E402
from mercer.serve.api.find import Asker  # noqa: E402
from mercer.serve.guard_access import CALLER, CLOSED, ROUTE, Caller  # noqa: E402
from mercer.serve.guard_load import Load  # noqa: E402
from mercer.serve.limit import MOST, Rates, retry_after  # noqa: E402
from mercer.serve.limit_queue import EFFORT, Queue, Ticket  # noqa: E402
from mercer.serve.metrics import Metrics  # noqa: E402


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- rates


def test_a_bucket_lets_through_its_rate_and_no_more(clock: Clock) -> None:
    rates = Rates(10.0, burst=20.0, clock=clock)
    passed = 0
    for _ in range(1000):  # ten seconds of a hundred calls each
        passed += rates("ann") == 0
        clock.now += 0.01
    assert passed == 20 + 100 - 1, "what the bucket held, and what flowed in before the last call"
    assert rates("bob") == 0, "one caller's haste is not another's"


def test_the_wait_it_names_is_enough(clock: Clock) -> None:
    rates = Rates(4.0, burst=1.0, clock=clock)
    assert rates("ann") == 0
    wait = rates("ann")
    assert wait == pytest.approx(0.25)
    clock.now += wait
    assert rates("ann") == 0


def test_no_rate_is_no_limit_and_memory_is_bounded(clock: Clock) -> None:
    assert all(Rates(0.0, burst=0.0, clock=clock)("ann") == 0 for _ in range(100))
    rates = Rates(1.0, burst=1.0, clock=clock)
    for number in range(MOST + 100):
        rates(str(number))
    assert len(rates._held) == MOST


@pytest.mark.parametrize(("seconds", "said"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2")])
def test_retry_after_is_never_too_soon(seconds: float, said: str) -> None:
    assert retry_after(seconds) == said


# --- the queue


def run(work: Callable[[], Any]) -> Any:
    return asyncio.run(work())


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


def learn(queue: Queue, route: str, seconds: float, clock: Clock) -> None:
    """Let the queue have seen a call that took so long."""
    queue._working.append(route)
    ticket = Ticket(route, 0.0, clock.now)
    clock.now += seconds
    queue.leave(ticket)


def test_first_come_first_served(clock: Clock) -> None:
    async def work() -> None:
        queue, order = Queue(2, longest=10.0, clock=clock), []

        async def call(name: str) -> Ticket:
            ticket = await queue.enter("/v1/search")
            assert isinstance(ticket, Ticket)
            order.append(name)
            return ticket

        first, second = await call("1"), await call("2")
        later = [asyncio.ensure_future(call(name)) for name in "345"]
        await turns()
        assert (order, len(queue)) == (["1", "2"], 3)
        clock.now += 1.0
        queue.leave(second)
        await turns()
        assert order == ["1", "2", "3"]
        assert (await later[0]).waited == pytest.approx(1.0)
        queue.leave(first)
        queue.leave(await later[0])
        await turns()
        assert order == ["1", "2", "3", "4", "5"]
        assert len(queue) == 0

    run(work)


def test_the_wait_is_foretold_and_too_long_a_one_refused_at_once(clock: Clock) -> None:
    async def work() -> None:
        queue = Queue(2, longest=0.55, clock=clock)
        learn(queue, "/v1/search", 0.2, clock)
        assert queue.expected() == 0
        held = [await queue.enter("/v1/search") for _ in range(2)]
        waiting = []
        for ahead in range(4):
            assert queue.expected() == pytest.approx(0.1 + 0.1 * ahead)
            waiting.append(asyncio.ensure_future(queue.enter("/v1/search")))
            await turns()
        waiting.append(asyncio.ensure_future(queue.enter("/v1/search")))
        await turns()
        assert queue.expected() > 0.55
        refused = await queue.enter("/v1/search")
        assert refused == pytest.approx(0.6), "told how long, without having waited"
        assert len(queue) == 5
        for ticket in held:
            queue.leave(ticket)
        for one in waiting:
            queue.leave(await one)
        assert await queue.enter("/v1/search")

    run(work)


def test_who_goes_away_leaves_no_gap(clock: Clock) -> None:
    async def work() -> None:
        queue = Queue(1, longest=9.0, clock=clock)
        first = await queue.enter("/a")
        gone, next_ = (asyncio.ensure_future(queue.enter("/a")) for _ in range(2))
        await turns()
        gone.cancel()
        await turns()
        assert len(queue) == 1
        assert isinstance(first, Ticket)
        queue.leave(first)
        late = asyncio.ensure_future(queue.enter("/a"))
        next_.cancel()  # it has its turn, and does not know yet
        await turns()
        ticket = await late
        assert isinstance(ticket, Ticket)
        queue.leave(ticket)
        assert queue._working == []

    run(work)


def test_the_ladder_is_chosen_by_what_is_left(clock: Clock) -> None:
    queue = Queue(1, longest=9.0, clock=clock)
    for effort, cost in (("full", 0.4), ("unranked", 0.1), ("words", 0.02), ("popular", 0.01)):
        queue._cost["/s", effort] = cost  # type: ignore[index]
    chosen = [queue.choose(Ticket("/s", 0.0, 0.0), left) for left in (1.0, 0.2, 0.05, 0.015, 0.001)]
    assert chosen == ["full", "unranked", "words", "popular", "popular"]


def test_a_step_that_was_slow_once_is_tried_again(clock: Clock) -> None:
    queue = Queue(1, longest=9.0, clock=clock)
    queue._cost["/s", "full"] = 2.0
    tries = 0
    while queue.choose(Ticket("/s", 0.0, 0.0), 1.0) != "full":
        tries += 1
    assert 50 < tries < 90


def test_an_unknown_cost_is_no_reason_to_do_less(clock: Clock) -> None:
    assert Queue(1, longest=9.0, clock=clock).choose(Ticket("/new", 0.0, 0.0), 0.001) == "full"


# --- the middleware


def scope(route: str = "/v1/search", *, who: Caller | None = None, **headers: str) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": route, "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
        "client": ("192.0.2.1", 5), ROUTE: route, CLOSED: True, CALLER: who or Caller(),
    }  # fmt: skip


class Server:
    """The middleware over an application whose calls end when they are told to."""

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self.metrics, self.efforts, self.let = Metrics(), [], asyncio.Event()
        self.load = Load(self.app, ServeSettings(**settings), self.metrics, clock)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.efforts.append(EFFORT.get())
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, asked: dict[str, Any]) -> tuple[int, dict[str, str]]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.load(asked, None, send)  # type: ignore[arg-type]
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers


def test_health_is_answered_whoever_waits(clock: Clock) -> None:
    async def work() -> None:
        server = Server(clock, threads=1, wait_ms=1.0)
        learn(server.load.queue, "/v1/search", 1.0, clock)
        held = asyncio.ensure_future(server.ask(scope()))
        await turns()
        status, headers = await server.ask(scope())
        assert (status, headers["retry-after"]) == (503, "1")
        health = asyncio.ensure_future(server.ask(scope("/health")))
        await turns()
        server.let.set()
        assert (await health)[0] == (await held)[0] == 200
        assert b'mercer_refused_total{reason="queue"} 1.0' in server.metrics.text()

    run(work)


def test_a_deadline_that_is_over_costs_no_work(clock: Clock) -> None:
    async def work() -> None:
        server = Server(clock, threads=1, wait_ms=10_000.0)
        held = asyncio.ensure_future(server.ask(scope()))
        late = asyncio.ensure_future(server.ask(scope(x_deadline_ms="300")))
        patient = asyncio.ensure_future(server.ask(scope(x_deadline_ms="nonsense")))
        await turns()
        clock.now += 0.31
        server.let.set()
        assert (await held)[0] == 200
        assert (await late)[0] == 503
        assert (await patient)[0] == 200
        assert server.efforts == ["full", "full"]
        assert b'mercer_refused_total{reason="deadline"} 1.0' in server.metrics.text()

    run(work)


def test_less_is_done_where_little_time_is_left(clock: Clock) -> None:
    async def work() -> None:
        server = Server(clock, threads=4)
        server.let.set()
        server.load.queue._cost["/v1/search", "full"] = 0.4
        server.load.queue._cost["/v1/recommend", "full"] = 0.4
        await server.ask(scope(x_deadline_ms="100"))
        await server.ask(scope("/v1/recommend", x_deadline_ms="100"))
        await server.ask(scope())
        assert server.efforts == ["unranked", "full", "full"]
        assert EFFORT.get() == "full"

    run(work)


def test_a_key_and_an_address_have_their_own_rates(clock: Clock) -> None:
    async def work() -> None:
        server = Server(clock, key_rate=3.0, address_rate=1.0)
        server.let.set()
        ann, bob = Caller("key", "ann"), Caller("key", "bob")
        assert [(await server.ask(scope(who=ann)))[0] for _ in range(7)] == [200] * 6 + [429]
        assert (await server.ask(scope(who=bob)))[0] == 200
        assert [(await server.ask(scope()))[0] for _ in range(5)] == [200] * 4 + [429]
        assert [(await server.ask({**scope(), CLOSED: False}))[0] for _ in range(9)] == [200] * 9
        clock.now += 1.0
        assert (await server.ask(scope()))[0] == 200
        status, headers = await server.ask(scope())
        assert (status, headers["retry-after"]) == (429, "1")

    run(work)


def test_over_http(double: Any, tmp_path: Any) -> None:
    keys = Keys(Shop.create(tmp_path / "shop"))
    _, secret = keys.add("web", ["search"])
    settings = ServeSettings(key_rate=0.001, address_rate=0.001)  # twice 0.001 tokens fit in: not one call
    with testclient.TestClient(create_app(double, settings=settings, keys=keys)) as client:
        answer = client.post("/v1/search", json={"query": "cup"}, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 100
        assert answer.headers["content-type"] == "application/problem+json"
        assert "content-security-policy" in answer.headers
        assert client.get("/health").status_code == 200
        assert client.get("/").status_code == 429


# --- the ladder


def test_what_is_asked_through_both_api_and_storefront_heeds_it(double: Any) -> None:
    asked = []

    def search(request: Request, *, effort: str = "full") -> Page:
        asked.append(effort)
        return type(double).search(double, request)

    double.search, metrics = search, Metrics()
    ask = Asker(double, metrics)
    ask(Request(query="cup"))
    token = EFFORT.set("words")
    try:
        ask(Request(query="cup"))
        ask(Request(scene="trending"))
    finally:
        EFFORT.reset(token)
    assert asked == ["full", "words"]
    assert b'mercer_searches_total{effort="words"} 1.0' in metrics.text()


def test_each_step_of_the_ladder(doors: Any) -> None:
    request = Request(query="oak board", k=5, filters=(Filter("in_stock", ("true",)),), exclude=("p-9",))
    full = doors.search(request)
    unranked = doors.search(request, effort="unranked")
    assert [hit.id for hit in unranked.hits] == [hit.id for hit in full.hits], "this shop has no last stage"
    assert unranked.degraded == full.degraded
    words = doors.search(request, effort="words")
    assert words.degraded.startswith("busy: words only")
    assert "encode" not in words.stages
    assert words.hits[0].id == full.hits[0].id
    popular = doors.search(request, effort="popular")
    assert popular.degraded.startswith("busy: what is popular")
    assert len(popular.hits) == 5
    for page in (words, popular):
        assert all(hit.product.in_stock and hit.id != "p-9" for hit in page.hits)
