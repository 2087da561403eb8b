"""One product over HTTP: its ETag, and changes of different fields at the same time."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

PRODUCT = "/v1/products/p-1"


def test_a_product_that_is_known_is_not_sent_again(client: Any) -> None:
    first = client.get(PRODUCT)
    tag = first.headers["etag"]
    assert (tag[0], tag[-1]) == ('"', '"')
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(PRODUCT, headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(PRODUCT, headers={"If-None-Match": '"other"'}).json() == first.json()
    client.patch("/v1/products", json={"products": [{"id": "p-1", "price": 1.25}]})
    changed = client.get(PRODUCT, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["price"]) == (200, 1.25)
    assert changed.headers["etag"] != tag
    assert client.get("/v1/products/nowhere", headers={"If-None-Match": "*"}).status_code == 404


def test_patches_of_different_fields_do_not_undo_each_other(client: Any, doors: Any, monkeypatch: Any) -> None:
    read, met = doors.index.products, threading.Barrier(2)

    def slowly(ids: Any) -> Any:
        found = read(ids)
        if threading.current_thread() is not threading.main_thread():
            with contextlib.suppress(threading.BrokenBarrierError):
                met.wait(0.5)  # where both may read before one writes, both do
        return found

    monkeypatch.setattr(doors.index, "products", slowly)
    changes = ({"id": "p-1", "stock": 77}, {"id": "p-1", "rating": 1.5})
    threads = [
        threading.Thread(target=client.patch, args=("/v1/products",), kwargs={"json": {"products": [one]}})
        for one in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.undo()
    after = client.get(PRODUCT).json()
    assert (after["stock"], after["rating"]) == (77, 1.5)
