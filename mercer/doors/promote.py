"""A shop's versions in; each with its card and proof, what stands against it, and another one made live, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from mercer.doors.build import gate_refusal
from mercer.doors.fairness import fair_refusal
from mercer.doors.prove import proof_refusal, read_proof
from mercer.errors import GateBlocked, NotFoundError, ShopError
from mercer.shop import Kind, Live, Shop

__all__ = ["KINDS", "Version", "listed", "models_of", "promote", "refusal", "standing_on", "version"]

KINDS: tuple[Kind, ...] = get_args(Kind)
ALONE = ("assistant", "opinion")
"""Kinds of models that are live by themselves; the others serve through an index that stands on them."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a shop."""

    kind: Kind
    name: str
    made: int
    """UTC milliseconds."""
    live: bool
    """Of a model: an index that stands on it is live."""
    was: bool
    """It was live before, and rollback may come to it."""
    card: Mapping[str, Any]
    proof: Mapping[str, Any]
    """{} where there is none."""
    refusal: str
    """Why it may not go live without an override; "" where nothing is against it."""


def models_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """The shop's own models that an index stands on, by its card."""
    named = (card.get("encoder", {}).get("model", ""), card.get("reranker", ""), card.get("ranker", ""))
    return tuple(name for name in named if name)


def refusal(shop: Shop, kind: Kind, name: str) -> str:
    """Why a version may not go live: its data's gate, a proof, or whom it hides; "" where nothing is against it."""
    card = shop.card(kind, name)
    checked = name if kind == "checked" else card.get("checked", "")
    closed = gate_refusal(shop, checked) if checked and checked in shop.versions("checked") else ""
    if closed:
        return f"version {name} stands on data that the gate blocked ({closed})"
    models = models_of(card) if kind == "index" else (name,) if kind == "models" else ()
    models = (f"{kind}/{name}",) if kind in ALONE else models
    against = next((said for model in models if (said := proof_refusal(shop, model))), "")
    return against or (fair_refusal(shop, name) if kind == "index" else "")


def listed(shop: Shop, kind: Kind) -> list[Version]:
    """Every whole version of a kind, the newest first."""
    names = [name for name in reversed(shop.versions(kind)) if kind != "models" or name.partition("/")[0] not in ALONE]
    return [version(shop, kind, name) for name in names]


def version(shop: Shop, kind: Kind, name: str) -> Version:
    """One version.

    Raises:
        NotFoundError: there is no such version.
        ShopError: its card or proof cannot be read.
    """
    card, live = shop.card(kind, name), shop.live("index" if kind == "models" else kind)
    was = live is not None and name in live.before
    serves = live is not None and name == live.version
    if kind == "models":
        serves = live is not None and name in models_of(shop.card("index", live.version))
        was = False
    try:
        proof = read_proof(shop.path(kind, name)) if kind not in ("index", "checked") else {}
        against = refusal(shop, kind, name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ShopError(
            f"{kind} version {name} is damaged: {error!r}", cure=f"remove {shop.path(kind, name)} and make it again"
        ) from error
    return Version(kind, name, int(card.get("made", 0)), serves, was, card, proof, against)


def standing_on(shop: Shop, model: str) -> str:
    """The newest index version that stands on a model; "" where none does."""
    for name in reversed(shop.versions("index")):
        if model in models_of(shop.card("index", name)):
            return name
    return ""


def promote(shop: Shop, kind: Kind, name: str, *, override: str = "") -> Live:
    """Make a version live, unless its data's gate or a model's proof is against it.

    Args:
        shop: whose version it is.
        kind: of the version; of a model, the newest index that stands on it is made live.
        name: of the version.
        override: why it goes live although something is against it; kept in the audit log.

    Raises:
        NotFoundError: there is no such version, or no index stands on the model.
        GateBlocked: something is against it and `override` is "".
    """
    if kind == "models":
        shop.card(kind, name)
        index = standing_on(shop, name)
        if not index:
            raise NotFoundError(
                f"no index stands on model {name}",
                cure=f"build one and make it live: mercer promote {shop.folder} {name} --kind models",
            )
        return promote(shop, "index", index, override=override)
    against = refusal(shop, kind, name)
    if against and not override:
        raise GateBlocked(against, cure='mend what it says, or give --override "why"')
    return shop.publish(kind, name, override=override)
