"""/v1/opinion over HTTP: documents in, figures and alarms out, each behind its scope."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")

from mercer.opinion.monitor import Monitor  # noqa: E402
from mercer.serve import Keys, ServeSettings, create_app  # noqa: E402
from mercer.shop import Shop  # noqa: E402

START = 1_760_000_400_000
HOUR = 3_600_000


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def client(double: Any, shop: Shop) -> Iterator[Any]:
    monitor = Monitor(shop, clock=lambda: START / 1000)
    app = create_app(double, settings=ServeSettings(), keys=Keys(shop), monitor=monitor)
    with testclient.TestClient(app, raise_server_exceptions=False) as made:
        yield made


def sent(client: Any, rows: list[dict[str, Any]], source: str = "reviews") -> Any:
    return client.post("/v1/opinion/documents", json={"source": source, "documents": rows})


def test_documents_are_read_counted_and_found(client: Any) -> None:
    rows = [
        {"id": f"d{n}", "text": f"物流太慢，失望 {n} 号", "product": "p-1", "time": START - n * HOUR} for n in range(4)
    ]
    answer = sent(client, [*rows, {"id": "e", "text": ""}])
    assert answer.status_code == 202
    assert answer.json()["new"] == 4
    assert sum(answer.json()["refused"].values()) == 1
    board = client.get("/v1/opinion/topics").json()
    assert board["sentiments"]["negative"] == 4
    assert board["aspects"][0]["name"] == "delivery"
    assert (
        sum(day["negative"] for day in client.get("/v1/opinion/series", params={"aspect": "delivery"}).json()["days"])
        == 4
    )
    found = client.get("/v1/opinion/documents", params={"aspect": "delivery", "sentiment": "negative", "k": 2}).json()
    assert len(found["documents"]) == 2
    assert client.get("/v1/opinion/products/p-1").json()["aspects"][0]["negative"] == 4
    assert client.get("/v1/opinion/alarms").json() == {"alarms": []}


def test_an_alarm_is_answered_over_http(client: Any) -> None:
    rows = [{"text": f"{n} 号，物流太慢", "time": START - n * HOUR} for n in range(24 * 21)]
    rows += [{"text": f"电池坏了，失望 {n} 回", "time": START - 1000 - n} for n in range(60)]
    for at in range(0, len(rows), 400):
        assert sent(client, rows[at : at + 400]).status_code == 202
    alarm = client.get("/v1/opinion/alarms").json()["alarms"][0]
    assert alarm["stands"]
    path = f"/v1/opinion/alarms/{alarm['id']}"
    assert client.post(f"{path}/acknowledge", json={"by": "ann"}).json()["acknowledged"] == "ann"
    assert client.post(f"{path}/mute", json={"hours": 2}).json()["muted"]
    assert client.post("/v1/opinion/alarms/nope/mute", json={"hours": 2}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"documents": []}, {"documents": ["text"]}, {"documents": [{}] * 501}, {"documents": [{}], "source": ""}],
)
def test_bad_bodies_are_refused(client: Any, body: dict[str, Any]) -> None:
    answer = client.post("/v1/opinion/documents", json=body)
    assert answer.status_code == 422
    assert answer.json()["cure"]


def test_scopes_are_asked_for(client: Any, shop: Shop) -> None:
    keys = Keys(shop)
    secrets = {scope: keys.add(scope, [scope])[1] for scope in ("search", "events", "metrics", "admin")}

    def status(method: str, path: str, scope: str, **rest: Any) -> int:
        headers = {"Authorization": f"Bearer {secrets[scope]}"} if scope else {}
        return int(client.request(method, path, headers=headers, **rest).status_code)

    body = {"documents": [{"text": "很好"}]}
    posted = {scope: status("POST", "/v1/opinion/documents", scope, json=body) for scope in ("", *secrets)}
    assert posted == {"": 401, "search": 403, "events": 202, "metrics": 403, "admin": 202}
    assert {scope: status("GET", "/v1/opinion/topics", scope) for scope in ("", *secrets)} == {
        "": 401, "search": 403, "events": 403, "metrics": 200, "admin": 200,
    }  # fmt: skip
    assert status("POST", "/v1/opinion/alarms/x/mute", "metrics", json={"hours": 1}) == 403


def test_the_console_shows_the_board_and_answers_alarms(client: Any) -> None:
    assert "Nothing was read yet" in client.get("/console/opinion").text
    rows = [{"text": f"{n} 号，物流太慢 <b>", "time": START - n * HOUR} for n in range(24 * 21)]
    rows += [{"text": f"电池坏了，失望 {n} 回", "time": START - 1000 - n} for n in range(60)]
    for at in range(0, len(rows), 400):
        sent(client, rows[at : at + 400])
    page = client.get("/console/opinion", params={"days": 7, "aspect": "delivery"})
    assert page.status_code == 200
    assert "&lt;b&gt;" in page.text
    assert "documents in" in page.text
    assert client.get("/console/opinion", headers={"accept-language": "zh"}).text.count("舆情") > 1


def test_a_product_page_says_what_buyers_say(client: Any, double: Any) -> None:
    product = double.ids()[0]
    assert "What buyers say" not in client.get(f"/p/{product}").text
    sent(client, [{"text": f"包装很好，第 {n} 次买", "product": product, "time": START - n} for n in range(3)])
    page = client.get(f"/p/{product}").text
    assert "What buyers say" in page
    assert "3 good, 0 bad" in page
