"""A request and how much may be done for it in; a page that took less time, and says so, out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from mercer.records import Page, Request

if TYPE_CHECKING:
    from mercer.search.door import Search

__all__ = ["EFFORTS", "Effort", "Less"]

Effort = Literal["full", "unranked", "words", "popular"]
EFFORTS: tuple[Effort, ...] = ("full", "unranked", "words", "popular")
"""The ladder: all of it; without the last stages of ranking; words alone; what is popular, whatever was asked."""
SAID: dict[Effort, str] = {
    "full": "",
    "unranked": "busy: without the last stages of ranking",
    "words": "busy: words only",
    "popular": "busy: what is popular",
}


class Less:
    """The search door on the lower steps of the ladder; filters, stock and `exclude` hold on each."""

    def __init__(self, search: Search) -> None:
        self._search = search.otherwise(reranker=None, learned=None)
        self._ranks = bool({"reranker", "learned"} & search.parts)

    def __call__(self, request: Request, effort: Effort) -> Page:
        """Answer on one step; `degraded` says which, where that step leaves something out."""
        asked = replace(request, query="") if effort == "popular" else request
        page = self._search(asked, system="lexical" if effort == "words" else "hybrid")
        if effort == "unranked" and not self._ranks:
            return page
        return replace(page, degraded="; ".join(filter(None, (SAID[effort], page.degraded))))
