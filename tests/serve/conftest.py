"""A small shop held in memory, with the shape of mercer.doors.Doors, and clients over it."""

from __future__ import annotations

import csv
import random
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mercer.errors import MissingExtra, ModelError
from mercer.events.answer import Answer
from mercer.records import Event, Filter, Hit, Impression, Page, Product, Request, Shopper
from mercer.understand.suggest import Suggest

SHELVES = {
    ("Kitchen", "Cups"): [("Stoneware cup, {}", "grey"), ("Enamel mug, {}", "blue"), ("茶杯 {}", "white")],
    ("Kitchen", "Serving"): [
        ("Oak serving board, {}", "oak"),
        ("榉木托盘 {}", "natural"),
        ("Brass spoon set, {}", "gold"),
    ],
    ("厨房", "咖啡器具"): [("手冲咖啡壶 {}", "black"), ("咖啡滤杯 {}", "white"), ("Coffee grinder, {}", "silver")],
    ("Home", "Textiles"): [("Linen apron, {}", "green"), ("Wool blanket, {}", "red"), ("棉麻围裙 {}", "beige")],
}
BRANDS = ("Nordwald", "山间", "Lumi")


def catalogue() -> list[Product]:
    products = []
    for category, things in SHELVES.items():
        for title, colour in things:
            for size in ("small", "medium", "large"):
                number = len(products)
                products.append(
                    Product(
                        id=f"p-{number}",
                        title=title.format(size),
                        description=f"A {size} piece, made to be used every day. 日常好用。",
                        bullets="Made to last\nEasy to clean",
                        brand=BRANDS[number % 3],
                        category=category,
                        price=8.0 + 3.5 * number,
                        list_price=10.0 + 4.0 * number if number % 4 == 0 else None,
                        currency="EUR",
                        stock=0 if number % 11 == 10 else number,
                        rating=3.5 + number % 4 * 0.4,
                        rating_count=10 * number,
                        attributes={"colour": colour, "size": size},
                    )
                )
    return products


@dataclass
class Double:
    """Doors over dictionaries. `fault`, where set, is raised by every door; to test what a server does then."""

    shelf: dict[str, Product] = field(default_factory=lambda: {product.id: product for product in catalogue()})
    logged: dict[str, Event] = field(default_factory=dict)
    fault: Exception | None = None
    degraded: str = ""
    version: str = "double"
    impressions: list[Impression] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.suggest = Suggest.build(self.shelf.values(), {"oak board": 5, "oat bowl": 2, "咖啡壶": 4, "咖啡豆": 1})

    # the index and the log are the same object, as far as the server sees
    @property
    def index(self) -> Double:
        return self

    @property
    def events(self) -> Double:
        return self

    def ids(self) -> list[str]:
        self._may_fail()
        return list(self.shelf)

    def count(self, filters: Sequence[Filter] = ()) -> int:
        self._may_fail()
        return sum(_meets(product, filters) for product in self.shelf.values())

    def products(self, ids: Sequence[str]) -> list[Product]:
        self._may_fail()
        return [self.shelf[id] for id in ids if id in self.shelf]

    def append(self, events: Sequence[Event]) -> int:
        self._may_fail()
        new = {event.id: event for event in events if event.id not in self.logged}
        self.logged.update(new)
        return len(new)

    def shown(self, impressions: Sequence[Impression], answer: Answer | None = None) -> None:
        self.impressions.extend(impressions)
        self.answers.extend([answer] if answer else [])

    def product(self, id: str) -> Product | None:
        self._may_fail()
        return self.shelf.get(id)

    def shopper(self, id: str, session: str = "") -> Shopper:
        self._may_fail()
        seen = [event for event in self.logged.values() if event.shopper == id and event.type != "impression"]
        return Shopper(id, tuple(event.product for event in seen), tuple(event.time for event in seen))

    def upsert(self, products: Sequence[Product]) -> None:
        self._may_fail()
        self.shelf.update({product.id: product for product in products})

    def delete(self, ids: Sequence[str]) -> int:
        self._may_fail()
        return sum(self.shelf.pop(id, None) is not None for id in ids)

    def close(self) -> None:
        pass

    def search(self, request: Request) -> Page:
        self._may_fail()
        words = request.query.lower().split()
        scored = [
            (product, float(sum(word in f"{product.title} {product.brand}".lower() for word in words)))
            for product in self.shelf.values()
            if _meets(product, request.filters) and product.id not in request.exclude
        ]
        found = [(product, score) for product, score in scored if score > 0 or not words]
        order: Any = {
            "relevance": lambda one: -one[1],
            "price_up": lambda one: one[0].price or 0,
            "price_down": lambda one: -(one[0].price or 0),
            "rating": lambda one: -(one[0].rating or 0),
        }[request.sort]
        return self._page(request, sorted(found, key=order), "matches your words")

    def recommend(self, request: Request) -> Page:
        self._may_fail()
        looked = set(request.shopper.products) | {request.item}
        liked = Counter(self.shelf[id].category for id in looked if id in self.shelf)
        found = [
            (product, float(liked[product.category]))
            for product in self.shelf.values()
            if product.id not in looked and product.id not in request.exclude and _meets(product, request.filters)
        ]
        return self._page(
            request, sorted(found, key=lambda one: -one[1]), "like what you looked at" if liked else "popular"
        )

    def _page(self, request: Request, found: list[tuple[Product, float]], reason: str) -> Page:
        products = [product for product, _ in found]
        facets = {name: dict(_count(name, products)) for name in request.facets}
        here = found[request.offset : request.offset + request.k]
        hits = tuple(Hit(product, score, reason) for product, score in here)
        return Page(secrets.token_hex(8), hits, len(found), facets, "", self.degraded, {"retrieve": 1.5, "rank": 0.2})

    def _may_fail(self) -> None:
        if self.fault is not None:
            raise self.fault


def _count(name: str, products: list[Product]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for product in products:
        if name == "category":
            counts.update(" > ".join(product.category[:depth]) for depth in range(1, len(product.category) + 1))
        elif name == "brand":
            counts[product.brand] += 1
        elif name == "in_stock":
            counts["true" if product.in_stock else "false"] += 1
        elif name == "price" and product.price is not None:
            counts["0-50" if product.price < 50 else "50-100" if product.price < 100 else "100-"] += 1
        elif name.startswith("attributes."):
            counts[product.attributes.get(name.removeprefix("attributes."), "")] += 1
    return counts


def _meets(product: Product, filters: Sequence[Filter]) -> bool:
    for one in filters:
        if one.field == "category":
            values = {" > ".join(product.category[:depth]) for depth in range(1, 9)} | set(product.category)
        elif one.field == "in_stock":
            values = {"true" if product.in_stock else "false"}
        elif one.field.startswith("attributes."):
            values = {product.attributes.get(one.field.removeprefix("attributes."), "")}
        else:
            values = {str(getattr(product, one.field))}
        number = getattr(product, one.field, None)
        if one.values and not values & set(one.values):
            return False
        if (one.low is not None or one.high is not None) and not isinstance(number, int | float):
            return False
        if (one.low is not None and number < one.low) or (one.high is not None and number > one.high):
            return False
    return True


@pytest.fixture
def double() -> Double:
    """For faults and oddities that a real shop cannot be brought to on demand."""
    return Double()


@pytest.fixture
def double_client(double: Double) -> Iterator[Any]:
    yield from _client(double)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real shop on disk: the catalogue above and sixty shoppers, through init, check and index."""
    typer_testing = pytest.importorskip("typer.testing")
    from mercer.cli import app

    raw = tmp_path_factory.mktemp("raw")
    _write(raw / "products.csv", [product.to_row() for product in catalogue()])
    _write(raw / "events.csv", history())
    shop = raw / "shop"
    files = ["--products", str(raw / "products.csv"), "--events", str(raw / "events.csv"), "--yes"]
    for arguments in (["init", str(shop), *files], ["check", str(shop)], ["index", str(shop)]):
        outcome = typer_testing.CliRunner().invoke(app, arguments)
        if isinstance(outcome.exception, MissingExtra | ModelError):
            pytest.skip(str(outcome.exception))
        assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    return shop


@pytest.fixture(scope="session")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a product without title and two reviews of what is not sold, one of which has a number in it."""
    typer_testing = pytest.importorskip("typer.testing")
    from mercer.cli import app

    raw = tmp_path_factory.mktemp("console")
    products = [
        {"id": f"p-{n}", "title": "" if n == 3 else f"Cup {n}", "price": 9.5 + n, "brand": "Nordwald"}
        for n in range(40)
    ]
    reviews = [
        {
            "id": f"r-{n}",
            "product": f"p-{n}" if n < 38 else "p-gone",
            "shopper": f"s{n}",
            "text": f"Nice cup {n}",
            "rating": 5,
        }
        for n in range(40)
    ]
    reviews[39]["text"] = "Ring me: 13800138000, <script>alert(1)</script>"
    _write(raw / "products.csv", products)
    _write(raw / "reviews.csv", reviews)
    shop = raw / "shop"
    files = ["--products", str(raw / "products.csv"), "--reviews", str(raw / "reviews.csv"), "--yes"]
    for words in (["init", str(shop), *files], ["check", str(shop)]):
        outcome = typer_testing.CliRunner().invoke(app, words)
        assert outcome.exit_code in (0, 1), (outcome.output, outcome.exception)
    return shop


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def history() -> list[dict[str, Any]]:
    """Sixty shoppers who each like one category."""
    rng, products, rows = random.Random(1), catalogue(), []
    for shopper in range(60):
        liked = rng.choice(products).category
        moment = 1_790_000_000_000 + rng.randrange(10**9)
        for product in rng.sample([one for one in products if one.category == liked], 4) + rng.sample(products, 2):
            for action in ("view", "click", "purchase"):
                moment += 60_000
                rows.append(
                    {"event_id": f"e{len(rows)}", "type": action, "shopper": f"s{shopper}", "session": f"s{shopper}-1",
                     "product": product.id, "time": moment, "quantity": 1 if action == "purchase" else None,
                     "price": product.price}
                )  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def opened(folder: Path) -> Iterator[Any]:
    from mercer.doors import open_doors

    doors = open_doors(folder)
    yield doors
    doors.close()


@pytest.fixture
def doors(opened: Any) -> Iterator[Any]:
    """The real doors; the catalogue is as it was once the test is over."""
    yield opened
    before = {product.id: product for product in catalogue()}
    now = {product.id: product for product in opened.index.products(opened.index.ids())}
    opened.delete([id for id in now if id not in before])
    opened.upsert([product for id, product in before.items() if now.get(id) != product])


@pytest.fixture
def client(doors: Any) -> Iterator[Any]:
    yield from _client(doors)


def _client(doors: Any) -> Iterator[Any]:
    testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")
    from mercer.serve import create_app

    with testclient.TestClient(create_app(doors), raise_server_exceptions=False) as client:
        yield client
