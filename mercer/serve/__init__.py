"""A shop's open doors in; an HTTP application (JSON and storefront pages) out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mercer.errors import MissingExtra
from mercer.serve.doors import Doors
from mercer.serve.key_store import Keys
from mercer.serve.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from mercer.opinion.monitor import Monitor
    from mercer.serve.api.ask import Answering

__all__ = ["Doors", "Keys", "ServeSettings", "create_app"]


def create_app(
    doors: Doors,
    *,
    settings: ServeSettings | None = None,
    images: Path | None = None,
    keys: Keys | None = None,
    beside: Callable[[str], Doors] | None = None,
    assistant: Answering | None = None,
    monitor: Monitor | None = None,
) -> FastAPI:
    """The ASGI application over a shop's doors.

    Args:
        doors: open; they are not closed here.
        settings: limits; the defaults where none are given.
        images: folder that catalogue image paths start from.
        keys: of the shop; without them nobody is asked for one, unless `settings` ask always, and there
            is no console.
        beside: opens another index version of the shop to be read, for the console to compare it with the live one.
        assistant: answers /v1/ask; None: there is no such call.
        monitor: of what people say; None: one with usual settings, where there are keys.

    Raises:
        MissingExtra: fastapi, uvicorn or prometheus-client is not installed.
    """
    try:
        from mercer.serve.app import build
    except ModuleNotFoundError as error:
        if str(error.name).startswith("mercer"):
            raise
        raise MissingExtra(str(error.name), extra="serve") from error
    chosen = settings or ServeSettings()
    return build(doors, settings=chosen, images=images, keys=keys, beside=beside, assistant=assistant, monitor=monitor)
