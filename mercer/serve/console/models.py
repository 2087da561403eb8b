"""A shop's versions in; pages that list them, show card and proof of each, and make another one live, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.serve.api.models import serving
from mercer.serve.console import chart
from mercer.serve.console.desk import Desk
from mercer.serve.console.form import Form
from mercer.serve.console.models_words import PHRASES
from mercer.serve.console.section import ADMIN, Section, routes
from mercer.serve.console.words import Words
from mercer.shop import Kind

if TYPE_CHECKING:
    from mercer.doors.promote import Version

__all__ = ["SECTION"]

LONG = ("training", "gain", "features", "settings", "pairs", "made", "version")
"""Of a card: what is told elsewhere on its page, or not to be read at all."""
Plot = tuple[str, Any]
"""Heading and SVG."""


def pages(desk: Desk) -> APIRouter:
    """Routes below /console/models."""
    from mercer.doors import promote

    found = routes("models")
    shop = desk.shop

    def known(kind: str) -> Kind:
        if kind not in promote.KINDS:
            raise NotFoundError(f"there is no kind {kind[:40]!r}", cure=f"kinds: {', '.join(promote.KINDS)}")
        return kind

    def listed(request: Request, error: MercerError | None = None, done: str = "") -> Response:
        kinds = [(kind, promote.listed(shop, kind)) for kind in promote.KINDS]
        return desk.show(
            request, "models.html", status=error.status if error else 200, error=error, done=done,
            kinds=[(kind, versions) for kind, versions in kinds if versions or kind in ("checked", "index")],
            serves=serving(desk.doors), folder=shop.folder, about=_about, figure=_figure,
        )  # fmt: skip

    def one(request: Request, kind: Kind, name: str, error: MercerError | None = None) -> Response:
        words, version = desk.words(request), promote.version(shop, kind, name)
        return desk.show(
            request, "model.html", status=error.status if error else 200, error=error, one=version, kind=kind,
            plots=_plots(version, words), facts=flat(version.card, skip=LONG),
            details=flat({name: version.card.get(name) or {} for name in ("settings", "pairs")}),
            proof=flat(version.proof, skip=("comparisons", "slices")),
            comparisons=version.proof.get("comparisons", {}),
            on=promote.models_of(version.card) if kind == "index" else (),
            serves=serving(desk.doors), folder=shop.folder,
            stands=promote.standing_on(shop, name) if kind == "models" else name,
        )  # fmt: skip

    @found.get("", openapi_extra=ADMIN)
    def models(request: Request, live: str = "") -> Response:
        words = desk.words(request)
        later = "models_taken_up" if serving(desk.doors).swaps else "models_next_start"
        return listed(request, done=f"{words('models_live_now', version=live[:99])} {words(later)}" if live else "")

    @found.get("/{kind}/{name:path}", openapi_extra=ADMIN)
    def model(request: Request, kind: str, name: str) -> Response:
        return one(request, known(kind), name)

    @found.post("/{kind}/{name:path}", openapi_extra=ADMIN)
    def change(request: Request, kind: str, name: str, form: Form) -> Response:
        chosen = known(kind)
        try:
            live = _changed(desk, chosen, name, form["act"], form["override"])
        except MercerError as error:
            if name == "rollback" or isinstance(error, NotFoundError):
                return listed(request, error)
            return one(request, chosen, name, error)
        return desk.go("/console/models", live=live)

    return found


def _changed(desk: Desk, kind: Kind, name: str, act: str, override: str) -> str:
    """The version that is live after the change."""
    from mercer.doors.promote import promote

    if act == "promote":
        return promote(desk.shop, kind, name, override=override[:500]).version
    if act == "rollback":
        return desk.shop.rollback("index" if kind == "models" else kind).version
    raise RequestError(f"there is no act {act[:40]!r}", cure="choose promote or rollback")


def _about(version: Version) -> str:
    """A version in a few words: what it holds or stands on."""
    card = version.card
    if version.kind == "index":
        encoder = card.get("encoder", {})
        told = [encoder.get("model") or encoder.get("name", ""), card.get("reranker", ""), card.get("ranker", "")]
        return " · ".join(one for one in told if one)
    if version.kind == "checked":
        return f"gate {card.get('gate', '?')}"
    base = card.get("base", {})
    return str(base.get("name", "") if isinstance(base, Mapping) else base) or str(card.get("encoder", ""))


def _figure(version: Version) -> str:
    """What decided, before and after."""
    proof = version.proof
    if "before" not in proof or "after" not in proof:
        return "–"
    return f"{_hybrid(proof['before']):.4f} → {_hybrid(proof['after']):.4f}"


def _plots(version: Version, words: Words) -> list[Plot]:
    """What a proof and the training before it look like."""
    proof, found = version.proof, []
    if "before" in proof and "after" in proof:
        ends = proof.get("comparisons", {}).get(proof.get("metric"), {})
        first = (words("models_all"), proof["before"], proof["after"])
        rows = [(first[0], _hybrid(first[1]), _hybrid(first[2]), ends.get("low"), ends.get("high"))]
        rows += [
            (_kind(one, words), one["before"], one["after"], one["low"], one["high"]) for one in proof.get("slices", ())
        ]
        title = words("models_proof_plot", metric=proof.get("metric", ""))
        found.append((title, chart.compared(rows, about=title)))
    training = version.card.get("training")
    curve = training.get("curve", ()) if isinstance(training, Mapping) else ()
    for name in ("loss", "eval_nDCG@10", "valid"):
        points = [(line["step"], line[name]) for line in curve if isinstance(line, Mapping) and name in line]
        if len(points) > 1:
            title = words("models_loss" if name == "loss" else "models_valid")
            labels = [str(step) for step, _ in points]
            found.append((title, chart.course([value for _, value in points], labels=labels, about=title)))
    return found


def _kind(slice: Mapping[str, Any], words: Words) -> str:
    """A kind of query and how many there are."""
    name = f"slice_{slice['name']}"
    return f"{words(name) if name in PHRASES else slice['name']} ({slice['queries']})"


def _hybrid(means: Mapping[str, float] | float) -> float:
    return float(means.get("hybrid", next(iter(means.values()), 0.0)) if isinstance(means, Mapping) else means)


def flat(told: Mapping[str, Any], *, skip: tuple[str, ...] = (), prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Nested values as name → text, so that a card can be read; long ones are cut off.

    >>> flat({"a": 1, "b": {"c": [1, 2]}, "d": None})
    {'a': '1', 'b.c': '1, 2'}
    """
    found: dict[str, str] = {}
    for name, value in told.items():
        if name in skip or value is None or value in ("", {}, []):
            continue
        if isinstance(value, Mapping) and depth < 2:
            found |= flat(value, prefix=f"{prefix}{name}.", depth=depth + 1)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            found[prefix + name] = f"{value:.4g}" if isinstance(value, float) else text[:300]
    return found


SECTION = Section("models", ("Models", "模型与版本"), "data", pages, PHRASES)
