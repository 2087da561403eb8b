"""An address and a key in; the doors of the shop that is served there, as they are in one process, out."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mercer.errors import DiskFull, MercerError, NotFoundError, RequestError, ShopError, UsageError
from mercer.records import Contribution, Event, Filter, Hit, Page, Product, Request

__all__ = ["Client"]

BUSY = (429, 503)
"""Answers after which the same call is tried again: the server said when."""
LONGEST = 5.0
"""Seconds waited before another try, whatever the server says."""
MISSING = {"list_price", "price", "stock", "rating", "rating_count"}
"""Fields of a product that are left out where they are None."""
AT_ONCE = 1000
"""Products or events in one call, as the API has it."""


class Client:
    """One shop over HTTP. Every call may be repeated without harm, so a busy server is asked again.

    >>> shop = Client("http://localhost:8000", key="...")
    >>> [hit.id for hit in shop.search(Request(query="oak board", k=3)).hits]  # doctest: +SKIP
    ['p-1', 'p-7', 'p-4']
    """

    def __init__(self, url: str, *, key: str = "", timeout: float = 10.0, tries: int = 3) -> None:
        """Remember where; nothing is asked yet.

        Args:
            url: such as ``https://shop.example``.
            key: sent as ``Authorization: Bearer``; "" where the server asks for none.
            timeout: seconds to wait for an answer.
            tries: times that a call is made in all, where the server is busy or cannot be reached.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{url!r:.99} is no address of a server", cure="give http://host:port")
        self.url, self._key, self._timeout, self._tries = url.rstrip("/"), key, timeout, max(1, tries)

    def search(self, request: Request, *, explain: bool = False) -> Page:
        """A page of hits, as `mercer.search.Search` gives it; `explain` adds the ledger."""
        body = {**_asked(request), "query": request.query, "facets": list(request.facets), "sort": request.sort,
                "correct": request.correct, "explain": explain}  # fmt: skip
        return _page(self._json("POST", "/v1/search", body))

    def recommend(self, request: Request, *, explain: bool = False) -> Page:
        """A page of hits, as `mercer.recommend.Recommend` gives it."""
        body = {**_asked(request), "scene": request.scene, "item": request.item, "basket": list(request.basket),
                "explain": explain}  # fmt: skip
        return _page(self._json("POST", "/v1/recommend", body))

    def suggest(self, prefix: str, k: int = 10) -> list[str]:
        """Completions of what has been typed so far, best first."""
        return list(self._json("GET", "/v1/suggest?" + urlencode({"q": prefix, "k": k}))["completions"])

    def product(self, id: str) -> Product | None:
        """One product, or None."""
        try:
            return _product(self._json("GET", f"/v1/products/{quote(id, safe='')}"))
        except NotFoundError:
            return None

    def upsert(self, products: Iterable[Product]) -> int:
        """Put products whole: durable, and found by the next search, when it returns; how many were stored."""
        rows = [_row(product) for product in products]
        return sum(int(self._json("PUT", "/v1/products", {"products": some})["stored"]) for some in _batches(rows))

    def delete(self, ids: Iterable[str]) -> int:
        """Take products out; how many were there."""
        return sum(int(self._json("DELETE", "/v1/products", {"ids": some})["stored"]) for some in _batches(list(ids)))

    def append(self, events: Iterable[Event]) -> int:
        """Tell what happened; on the server's disk when it returns. How many were new: an id is stored once."""
        rows = [{name: value for name, value in dataclasses.asdict(event).items() if value not in (None, "")}
                for event in events]  # fmt: skip
        return sum(int(self._json("POST", "/v1/events", {"events": some})["stored"]) for some in _batches(rows))

    def ready(self) -> Mapping[str, Any]:
        """What ``/ready`` says: products, and the index version that answers."""
        return dict(self._json("GET", "/ready"))

    def _json(self, method: str, path: str, body: object = None) -> Any:
        """The answer.

        Raises:
            RequestError, NotFoundError, DiskFull, UsageError: as the server says, with its cure.
            ShopError: it cannot be reached, or was busy each time.
        """
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {self._key}"} if self._key else {})}
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  # http or https
        for left in reversed(range(self._tries)):
            try:
                with urllib.request.urlopen(asked, timeout=self._timeout) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in BUSY or not left:
                        raise _problem(error) from None
                    wait = error.headers.get("retry-after", "1")
            except OSError as error:
                if not left:
                    cure = "check the address and whether mercer serve runs"
                    raise ShopError(f"{self.url} cannot be reached: {error}", cure=cure) from error
                wait = "0"
            time.sleep(min(LONGEST, float(wait) if wait.isdigit() else 1.0))
        raise AssertionError  # the last try has returned or raised


def _batches(rows: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE))


def _asked(request: Request) -> dict[str, Any]:
    """What both doors are asked."""
    context = dict(request.context)
    told: dict[str, Any] = {**context, **({"time": int(context["time"])} if "time" in context else {})}
    return {
        "shopper": request.shopper.id, "session": request.session, "filters": [_filter(one) for one in request.filters],
        "exclude": list(request.exclude), "k": request.k, "offset": request.offset, "context": told,
    }  # fmt: skip


def _filter(wanted: Filter) -> dict[str, Any]:
    found: dict[str, Any] = {"field": wanted.field}
    if wanted.values:
        found["values"] = list(wanted.values)
    return found | {name: value for name in ("low", "high") if (value := getattr(wanted, name)) is not None}


def _row(product: Product) -> dict[str, Any]:
    row = {field.name: getattr(product, field.name) for field in dataclasses.fields(product) if field.name != "derived"}
    row = {name: value for name, value in row.items() if value is not None or name not in MISSING}
    return row | {"category": list(product.category), "attributes": dict(product.attributes)}


def _product(row: Mapping[str, Any]) -> Product:
    return Product(**{**row, "category": tuple(row["category"])})


def _page(told: Mapping[str, Any]) -> Page:
    hits = tuple(
        Hit(_product(hit["product"]), hit["score"], hit["reason"],
            tuple(Contribution(**line) for line in hit.get("ledger") or ()))
        for hit in told["hits"]
    )  # fmt: skip
    named = {
        name: told[name] for name in ("total", "facets", "corrected", "suggestion", "degraded", "stages", "banner")
    }
    return Page(
        told["query_id"], hits, **named, rules=tuple(told["rules"]), redirect=told["redirect"],
        understood=told.get("understood") or {},
    )  # fmt: skip


def _problem(error: urllib.error.HTTPError) -> MercerError:
    """What the server refused, as one of the tree of errors."""
    try:
        told = json.load(error)
        problem, cure = str(told["detail"]), str(told["cure"])
    except (ValueError, KeyError, TypeError):
        problem, cure = f"the server answered {error.code} {error.reason}", "see the server's log"
    known: dict[int, type[MercerError]] = {404: NotFoundError, 507: DiskFull, 401: UsageError, 403: UsageError}
    kind = known.get(error.code, ShopError if error.code >= 500 or error.code == 429 else RequestError)
    return kind(problem, cure=cure)
