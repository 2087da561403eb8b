"""The client asks a real server, and gets what the doors of one process give."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")

from mercer.client import Client
from mercer.errors import NotFoundError, RequestError, ShopError, UsageError
from mercer.records import Event, Filter, Product, Request, Shopper
from mercer.serve.key_store import Keys
from mercer.shop import Shop

NEW = Product(
    "new/1 红", "zebra umbrella 斑马雨伞", brand="Quokka", category=("Rain",), price=12.5, attributes={"a": "b"}
)


@pytest.fixture(scope="module")
def shop(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server on a port of this process, which asks for a key."""
    import shutil
    import time

    import uvicorn

    from mercer.cli.serve import listen
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.serve import create_app

    folder = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("client") / "shop"))
    secret = Keys(Shop(folder)).add("client", ("search", "events", "catalogue"))[1]
    doors, listening = open_doors(folder, read_settings(folder)), listen("127.0.0.1", 0)
    app = create_app(doors, keys=Keys(doors.shop))
    server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Client(f"http://127.0.0.1:{listening.getsockname()[1]}/", key=secret, timeout=60)
    server.should_exit = True
    thread.join()
    listening.close()
    doors.close()


def test_what_is_put_is_found_and_what_is_deleted_not(shop: Client) -> None:
    assert shop.upsert([NEW]) == 1
    page = shop.search(Request(query="zebra umbrella", k=2, facets=("brand",)), explain=True)
    assert page.hits[0].product == NEW
    assert abs(sum(line.part for line in page.hits[0].ledger) - page.hits[0].score) < 1e-6
    assert page.facets["brand"]["Quokka"] == 1
    assert page.understood["raw"] == "zebra umbrella"
    only = Request(query="", filters=(Filter("brand", ("Quokka",)), Filter("price", low=1, high=20)))
    assert [hit.id for hit in shop.search(only).hits] == [NEW.id]
    assert shop.product(NEW.id) == NEW
    assert shop.append([Event("c1", "view", NEW.id, 1_790_000_000_000, "ann", price=2.0)]) == 1
    assert shop.append([Event("c1", "view", NEW.id, 1_790_000_000_000, "ann")]) == 0
    assert len(shop.recommend(Request("home", shopper=Shopper("ann"), k=4, context={"device": "phone"})).hits) == 4
    assert shop.suggest("", 3)
    assert shop.delete([NEW.id, "never"]) == 1
    assert shop.product(NEW.id) is None
    assert shop.ready()["products"] == 200


def test_refusals_are_errors_of_the_tree(shop: Client) -> None:
    with pytest.raises(RequestError, match="k"):
        shop.search(Request(query="cup", k=10_000))
    with pytest.raises(NotFoundError):
        shop._json("GET", "/v1/nothing")
    with pytest.raises(UsageError, match="key"):
        Client(shop.url).search(Request(query="cup"))
    with pytest.raises(ShopError, match="cannot be reached"):
        Client("http://127.0.0.1:9", tries=1).ready()
    with pytest.raises(UsageError, match="no address"):
        Client("ftp://shop")


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"detail": "full", "cure": "wait"} if len(asked) < 3 else {"products": 1}).encode()
            self.send_response(503 if len(asked) < 3 else 200)
            self.send_header("Retry-After", "7")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    waited: list[float] = []
    monkeypatch.setattr("mercer.client.time.sleep", waited.append)
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert Client(url).ready() == {"products": 1}
        assert waited == [5.0, 5.0]
        asked.clear()
        with pytest.raises(ShopError, match="full"):
            Client(url, tries=2).ready()
        server.shutdown()
