"""Doors and settings in; one ASGI application out: API, storefront, health, and what guards them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi import Request as WebRequest
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from mercer import __version__
from mercer.opinion.monitor import Monitor
from mercer.serve import problem
from mercer.serve.api import alarms, events, experiments, find, health, products, rules, shoppers
from mercer.serve.api import ask as ask_api
from mercer.serve.api import keys as keys_api
from mercer.serve.api import models as models_api
from mercer.serve.api import opinion as opinion_api
from mercer.serve.console import desk as console
from mercer.serve.console import menu
from mercer.serve.console import route as owner
from mercer.serve.doors import Doors
from mercer.serve.guard import Guard
from mercer.serve.guard_access import Access
from mercer.serve.guard_load import Load
from mercer.serve.key_scope import Table, describe, needs
from mercer.serve.key_store import Keys
from mercer.serve.metrics import Metrics, Timed
from mercer.serve.settings import ServeSettings
from mercer.serve.storefront import chat, image, route
from mercer.serve.storefront.page import HERE, Pages
from mercer.serve.storefront.shelf import Shelves
from mercer.serve.swap import Held, Swapping
from mercer.watch.alarm_book import AlarmBook
from mercer.watch.experiment_book import ExperimentBook

__all__ = ["build"]

ABOUT = "Search and recommendation for one shop. Errors are RFC 9457 problems with the value seen and the cure."


SPARE = 4
"""Threads beside those of calls that queue: for /ready, /metrics and static files."""


def build(
    doors: Doors,
    *,
    settings: ServeSettings,
    images: Path | None,
    keys: Keys | None,
    beside: console.Beside | None = None,
    assistant: ask_api.Answering | None = None,
    monitor: Monitor | None = None,
) -> FastAPI:
    """Compose the application; it does not close the doors, their owner does."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        import anyio.to_thread

        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads + SPARE
        yield
        if access.used:
            access.used.save()
        if desk and desk.opened:
            desk.opened.close()

    app = FastAPI(
        title="Mercer", version=__version__, description=ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    metrics = Metrics()
    book = ExperimentBook(keys.shop) if keys else None
    ask = find.Asker(doors, metrics, book)
    access = Access(Table(app), keys, settings.keys)
    pages = Pages(settings, Shelves(doors), access.page, assistant.ready if assistant and settings.storefront else None)
    app.include_router(find.router(doors, ask))
    app.include_router(events.router(doors, metrics, settings=settings))
    app.include_router(products.router(doors, metrics))
    app.include_router(rules.router(doors))
    app.include_router(keys_api.router(access))
    if keys:
        app.include_router(models_api.router(doors, keys.shop))
        monitor = monitor or opinion_api.monitor_of(keys.shop)
        app.include_router(opinion_api.router(monitor))
    app.include_router(shoppers.router(doors))
    if keys and book:
        app.include_router(experiments.router(doors, book))
        app.include_router(alarms.router(AlarmBook(keys.shop)))
    if assistant:
        app.include_router(ask_api.router(assistant))
    app.include_router(health.router(doors, metrics, AlarmBook(keys.shop) if keys else None))
    if settings.storefront:
        _storefront(
            app,
            route.router(doors, ask, pages, settings=settings, said=monitor.said if monitor else None),
            chat.router(assistant, pages) if assistant else None,
        )
    app.include_router(image.router(doors, images))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    desk = None
    if keys and settings.console:
        desk = menu.furnish(doors, keys, access=access, settings=settings, beside=beside, slow=ask.slow)
        app.mount("/console/static", StaticFiles(directory=console.HERE / "static"), name="console")
        app.include_router(owner.router(desk))

    @app.get("/docs", include_in_schema=False, openapi_extra=needs())
    def docs(request: WebRequest) -> Response:
        return pages(request, "docs.html", api=app.openapi())

    describe(app)
    problem.install(app, page=owner.error_pages(desk, pages.error))
    if isinstance(doors, Swapping):
        app.add_middleware(Held, doors=doors)  # innermost: a call that waits its turn holds no version
    app.add_middleware(Load, settings=settings, metrics=metrics)
    app.add_middleware(Guard, settings=settings, access=access)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"], max_age=600,
        )  # fmt: skip
    app.add_middleware(Timed, metrics=metrics)
    return app


def _storefront(app: FastAPI, shop: APIRouter, talk: APIRouter | None) -> None:
    """The shop's pages, and that of its assistant where it has one."""
    app.include_router(shop)
    if talk:
        app.include_router(talk)
