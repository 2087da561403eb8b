"""`mercer promote` and `mercer rollback`: which version is live, changed by one atomic rename."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json

if TYPE_CHECKING:
    from mercer.shop import Shop

__all__ = ["register"]

KindOption = Annotated[
    Literal["index", "checked", "models", "assistant", "opinion"], typer.Option(help="What to change.")
]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("promote")(promote)
    app.command("rollback")(rollback)


def promote(
    folder: ShopArgument,
    version: Annotated[str, typer.Argument(help="The version; the newest where none is named.")] = "",
    kind: KindOption = "index",
    override: Annotated[str, typer.Option(help="Go on although the data gate is closed, and why.")] = "",
    json: JsonFlag = False,
) -> None:
    """Make a version live; a running server takes it up within a second or so, without a failed request."""
    from mercer.cli.measure_fair import fair_settings
    from mercer.doors.fairness import require_fair
    from mercer.doors.promote import promote as make_live
    from mercer.doors.promote import refusal
    from mercer.errors import GateBlocked, NotFoundError
    from mercer.shop import Shop

    shop = Shop(folder)
    versions = shop.versions(kind)
    if not version and not versions:
        made = f"learn {folder} {kind}" if kind in ("assistant", "opinion") else f"index {folder}"
        raise NotFoundError(f"{folder} has no {kind} version", cure=f"run: mercer {made}")
    version = version or versions[-1]
    if kind == "models":
        if (against := refusal(shop, kind, version)) and not override:
            raise GateBlocked(against, cure='give --override "why"')
        kind, version = "index", _index_on(shop, version, override)
    if kind == "index":
        require_fair(shop, version, fair_settings(folder), override)
    live = make_live(shop, kind, version, override=override)
    _say(kind, live.version, live.before, json)


def _index_on(shop: Shop, model: str, override: str) -> str:
    """An index version that stands on a model of the shop: what serves is always an index."""
    from mercer.cli.index import build_with_progress
    from mercer.cli.settings import read_settings

    kind = model.partition("/")[0]
    named = {"reranker": "reranker", "ranker": "ranker"}.get(kind, "model")
    settings = read_settings(shop.folder)
    return build_with_progress(shop, settings, override=override, **{named: model}).version


def rollback(folder: ShopArgument, kind: KindOption = "index", json: JsonFlag = False) -> None:
    """Make the version before live again."""
    from mercer.shop import Shop

    live = Shop(folder).rollback("index" if kind == "models" else kind)
    _say(kind, live.version, live.before, json)


def _say(kind: str, version: str, before: tuple[str, ...], json: bool) -> None:
    if json:
        print_json({"kind": kind, "live": version, "before": list(before)})
    else:
        console.print(f"{kind} [bold]{version}[/] is live; before it: {', '.join(before) or 'nothing'}")
