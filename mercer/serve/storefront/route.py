"""Addresses of the storefront in; home, results, product page, cart and language switch out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import APIRouter, Body, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from mercer import records
from mercer.errors import NotFoundError
from mercer.records import CATEGORY_SEPARATOR, Event, Page, Product
from mercer.serve.api.find import Asker
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.settings import ServeSettings
from mercer.serve.storefront import card
from mercer.serve.storefront.page import Pages
from mercer.serve.storefront.question import SORTS, Question
from mercer.serve.storefront.visitor import Visitor, remember_language, visitor
from mercer.serve.storefront.words import Words

__all__ = ["router"]

Said = Mapping[str, Any]
"""An aspect, and how many documents speak well or ill of it."""
SAID = 5
"""Aspects on a product's page."""
ROW = 6
"""Products in a row beside another product."""


def router(
    doors: Doors,
    ask: Asker,
    pages: Pages,
    *,
    settings: ServeSettings,
    said: Callable[[str], Sequence[Said]] | None = None,
) -> APIRouter:
    """Routes of the pages; none is part of the API. `said` knows what reviews of a product speak of."""
    routes = APIRouter(include_in_schema=False)

    def beside(scene: records.Scene, who: Visitor, k: int, item: str = "") -> Page:
        """A recommendation for a page; an item's missing neighbours are no reason to lose the page."""
        request = records.Request(
            scene=scene,
            item=item,
            shopper=doors.shopper(who.shopper, who.session),
            session=who.session,
            k=k,
            context={"language": who.words.language},
        )
        return ask(request)

    @routes.get("/", openapi_extra=needs())
    def home(request: Request) -> Response:
        who = visitor(request)
        shopper = doors.shopper(who.shopper, who.session)
        feed = beside("home", who, settings.page_size)
        trending = beside("trending", who, ROW)
        seen = doors.index.products(list(dict.fromkeys(reversed(shopper.products)))[:ROW]) if shopper.products else []
        return pages(
            request, "home.html", who=who, feed=feed, hits=card.cards(feed), trending=trending,
            popular=card.cards(trending), seen=[_plain(product) for product in seen], known=bool(shopper.products),
        )  # fmt: skip

    @routes.get("/search", openapi_extra=needs())
    def search(request: Request) -> Response:
        who = visitor(request)
        question = Question.read(request.query_params.multi_items(), page_size=settings.page_size)
        stay = request.query_params.get("stay") == "1"
        found = ask(
            question.request(
                doors.shopper(who.shopper, who.session),
                who.session,
                page_size=settings.page_size,
                language=who.words.language,
            ),
            stay=stay,
        )
        if found.redirect and not stay:
            return who.remember(RedirectResponse(_onward(found.redirect), 302))
        instead = beside("trending", who, ROW) if not found.hits else None
        return pages(
            request, "search.html", who=who, q=question.q, shelf=question.category.split(CATEGORY_SEPARATOR)[0],
            question=question, found=found,
            hits=card.cards(found, offset=(question.page - 1) * settings.page_size), sorts=SORTS,
            facets=_facets(question, found, who.words), last=max(1, -(-found.total // settings.page_size)),
            instead=instead, others=card.cards(instead) if instead else [],
        )  # fmt: skip

    @routes.get("/p/{id:path}", openapi_extra=needs())
    def product(request: Request, id: str) -> Response:
        who = visitor(request)
        thing = _product(doors, id)
        similar, together = beside("similar", who, ROW, thing.id), beside("together", who, 4, thing.id)
        return pages(
            request, "product.html", who=who, shelf=thing.category[0] if thing.category else "", product=thing,
            path=_path(thing), similar=similar, alike=card.cards(similar), together=together,
            bundle=card.cards(together),
            price=card.amount(thing.price, thing.currency), cut=card.reduction(thing),
            was=card.amount(thing.list_price, thing.currency), stock=card.stock_line(thing, who.words),
            query_id=request.query_params.get("from", "")[:64], position=_position(request),
            added=request.query_params.get("added") == "1",
            said=[_aspect(one, who.words) for one in said(thing.id)[:SAID]] if said else [],
        )  # fmt: skip

    @routes.post("/cart", openapi_extra=needs())
    def cart(
        request: Request, form: Annotated[bytes, Body(media_type="application/x-www-form-urlencoded")]
    ) -> Response:
        """The cart button where scripts do not run."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403, "another site sent this form")
        fields = {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
        who, thing = visitor(request), _product(doors, fields.get("product", ""))
        event = Event(
            id=secrets.token_urlsafe(15), type="add_to_cart", product=thing.id, time=int(time.time() * 1000),
            shopper=who.shopper, session=who.session, query_id=fields.get("query_id", "")[:64], quantity=1.0,
            price=thing.price,
        )  # fmt: skip
        doors.events.append([event])
        address = f"/p/{quote(thing.id, safe='')}?" + urlencode({"from": event.query_id, "added": "1"})
        return who.remember(RedirectResponse(address, 303))

    @routes.get("/language/{language}", openapi_extra=needs())
    def language(language: str, back: str = "/") -> Response:
        local = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
        return remember_language(RedirectResponse(quote(back, safe="/?&=%+") if local else "/", 303), language)

    return routes


def _aspect(one: Said, words: Words) -> tuple[str, int, int]:
    """An aspect's name, and how often it is praised and blamed."""
    return words(f"said_{one['aspect']}"), int(one["positive"]), int(one["negative"])


def _onward(address: str) -> str:
    """Where a redirect leads; another search here is told to stay, so that two rules cannot send a shopper round."""
    parts = urlsplit(address)
    if parts.netloc or parts.path != "/search":
        return address
    return parts._replace(query="&".join(filter(None, (parts.query, "stay=1")))).geturl()


def _product(doors: Doors, id: str) -> Product:
    found = doors.product(id) if 0 < len(id) <= 128 else None
    if found is None:
        raise NotFoundError(f"product {id[:128]!r} is not in the catalogue", cure="search for it by name")
    return found


def _path(product: Product) -> list[tuple[str, str]]:
    """Each level of a product's category with its whole path."""
    levels = product.category
    return [(level, CATEGORY_SEPARATOR.join(levels[: depth + 1])) for depth, level in enumerate(levels)]


def _plain(product: Product) -> card.Card:
    """A product on its own, from no answer."""
    return card.cards(Page("", (records.Hit(product, 0.0),), 1))[0]


def _position(request: Request) -> str:
    at = request.query_params.get("at", "")
    return at if at.isascii() and at.isdigit() and 0 < len(at) < 7 else ""


def _facets(question: Question, found: Page, words: Words) -> dict[str, Any]:
    """Each facet's choices, and the price filter in words."""
    currency = next((hit.product.currency for hit in found.hits if hit.product.currency), "")
    return {
        "category": card.shelves(question, found.facets.get("category", {})),
        "brand": card.choices(question, found.facets.get("brand", {})),
        "price": card.price_bins(question, found.facets.get("price", {}), words, currency),
        "in_stock": found.facets.get("in_stock", {}).get("true", 0),
        "range": card.price_range(question.low, question.high, words, currency),
    }
