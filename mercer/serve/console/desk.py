"""An open shop and who may change it in; what every page of the console is given, and how it is drawn, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mercer import __version__
from mercer.errors import MercerError
from mercer.serve.console.form import SESSION
from mercer.serve.console.opened import Opened
from mercer.serve.console.section import GROUPS, Section
from mercer.serve.console.words import Words
from mercer.serve.doors import Doors
from mercer.serve.guard_access import CLOSED, Access, caller
from mercer.serve.settings import ServeSettings
from mercer.serve.slow import Slow
from mercer.serve.storefront.visitor import LANGUAGE
from mercer.serve.storefront.words import LANGUAGES, choose
from mercer.shop import Shop

__all__ = ["HERE", "Beside", "Desk"]

HERE = Path(__file__).parent
Beside = Callable[[str], Doors]
"""Opens an index version of the shop to be read, beside the live one."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page works with."""

    doors: Doors
    shop: Shop
    access: Access
    settings: ServeSettings
    sections: tuple[Section, ...]
    templates: Environment
    phrases: Mapping[str, tuple[str, str]]
    opened: Opened | None = None
    """Other index versions, to be read; None where none can be opened."""
    slow: Slow | None = None
    """The slowest searches of this server."""

    def words(self, request: Request) -> Words:
        """Phrases in the language that the browser wants, or was told to want."""
        cookie, wanted = request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", "")
        return Words(choose(cookie, wanted), self.phrases)

    def show(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page: `template` extends ``console.html``; `values` are what it shows beside `t`, its `Words`."""
        words, session = self.words(request), request.scope.get(SESSION)
        closed = bool(request.scope.get(CLOSED, True))
        inside = not closed or caller(request.scope).kind == "key" or bool(session and session.key)
        html = self.templates.get_template(template).render(
            **{"error": None, "done": "", **values},
            t=words,
            name=self.settings.name,
            here=_here(request),
            menu=self._menu(request, words) if inside else [],
            inside=inside,
            closed=closed,
            session=session,
            token=session.token if session else "",
            languages=LANGUAGES,
            release=__version__,
        )
        answer = HTMLResponse(html, status, headers={"cache-control": "private, no-store"})
        if session is not None:
            self.access.sessions.give(answer, session, secure=request.url.scheme == "https")
        return answer

    def error(self, request: Request, status: int, detail: str, cure: str) -> Response:
        """The page for an owner who met a problem."""
        return self.show(request, "problem.html", status=status, code=status, detail=detail, cure=cure)

    @staticmethod
    def go(address: str, **query: object) -> Response:
        """After a change: look at what it did, so that loading the page again does not do it twice."""
        given = {name: value for name, value in query.items() if value not in ("", None)}
        return RedirectResponse(address + (f"?{urlencode(given)}" if given else ""), 303)

    def _menu(self, request: Request, words: Words) -> list[tuple[str, list[dict[str, Any]]]]:
        """(heading, entries) of each group that has some."""
        found = []
        for group, heading in GROUPS.items():
            entries = [self._entry(one, request, words) for one in self.sections if one.group == group]
            if entries:
                found.append((words.pick(*heading), entries))
        return found

    def _entry(self, section: Section, request: Request, words: Words) -> dict[str, Any]:
        path, address = request.url.path.rstrip("/"), section.address
        here = path == address or (section.path != "" and path.startswith(address + "/"))
        return {"address": address, "title": words.pick(*section.title), "here": here, "badge": self.badge(section)}

    def badge(self, section: Section) -> int:
        """How many things in a section wait for the owner."""
        try:
            return section.badge(self) if section.badge else 0
        except MercerError:  # its own page says what is wrong with it; the others are still to be seen
            return 0


def environment() -> Environment:
    """Templates of every section: ``templates/`` here."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    made.filters["path"] = lambda text: quote(str(text), safe="")
    return made


def _here(request: Request) -> str:
    """The address to come back to after the language was changed."""
    if request.method != "GET":
        return request.url.path
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
