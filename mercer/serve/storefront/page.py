"""A template's name and what it shows in; HTML for one visitor, cookies set, out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mercer import __version__
from mercer.errors import MercerError
from mercer.serve.key_page import PagePass
from mercer.serve.settings import ServeSettings
from mercer.serve.storefront.shelf import Shelves
from mercer.serve.storefront.visitor import Visitor, visitor
from mercer.serve.storefront.words import LANGUAGES

__all__ = ["Pages"]

HERE = Path(__file__).parent


class Pages:
    """Renders templates with what every page needs: words, visitor, shelves."""

    def __init__(
        self,
        settings: ServeSettings,
        shelves: Shelves,
        page: PagePass | None = None,
        answers: Callable[[], bool] | None = None,
    ) -> None:
        """`answers` says whether there is an assistant to ask; without one no page shows the panel."""
        self.settings = settings
        self._answers = answers
        self.page = page or PagePass(secrets.token_bytes(32))
        self.shelves = shelves
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
        self.templates.filters["path"] = lambda text: quote(str(text), safe="")

    def __call__(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        who = values.pop("who", None) or visitor(request)
        panel = values.pop("panel", True) and status < 500
        html = self.templates.get_template(template).render(
            **{"q": "", "shelf": "", **values},
            t=who.words,
            who=who,
            name=self.settings.name,
            here=_here(request),
            languages=LANGUAGES,
            shelves=self.shelves(who.words.language) if status < 500 else [],
            version=__version__,
            asks=panel and self._asks(),
        )
        answer = who.remember(HTMLResponse(html, status, headers={"cache-control": "private, no-store"}))
        return self.page.give(answer, who.shopper, who.session)

    def piece(self, template: str, who: Visitor, **values: Any) -> str:
        """A part of a page, for a script that puts it into one."""
        return self.templates.get_template(template).render(**values, t=who.words)

    def _asks(self) -> bool:
        try:
            return self._answers is not None and self._answers()
        except MercerError:  # a page without its panel is better than no page; /ask itself says what is wrong
            return False

    def error(self, request: Request, status: int, detail: str, cure: str) -> Response:
        """The page for a person who met a problem."""
        return self(request, "problem.html", status=status, code=status, detail=detail, cure=cure)

    @staticmethod
    def visitor(request: Request) -> Visitor:
        return visitor(request)


def _here(request: Request) -> str:
    """The address to come back to after the language was changed."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
