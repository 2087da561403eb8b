"""`mercer index SHOP`: checked data in, a new index version out, live at once unless told otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json, progress

if TYPE_CHECKING:
    from mercer.doors import Built, Settings
    from mercer.shop import Shop

__all__ = ["blocked", "build_with_progress", "register", "written"]

Override = Annotated[str, typer.Option(help="Go on although the data gate is closed, and why; kept in the card.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("index")(index)


def index(
    folder: ShopArgument,
    override: Override = "",
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="Build only; `mercer promote` makes it live.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Encode and index the checked products, and make the new version live."""
    from mercer.cli.settings import read_settings
    from mercer.shop import Shop

    shop = Shop(folder)
    built = build_with_progress(shop, read_settings(folder), checked=blocked(shop), override=override)
    if not no_promote:
        shop.publish("index", built.version, override=override)
    if json:
        print_json(
            {
                "version": built.version,
                "live": not no_promote,
                "products": built.products,
                "encoder": built.encoder,
                "encoded": built.encoded,
                "reused": built.reused,
                "seconds": round(built.seconds, 2),
                "new": built.new,
            }
        )
        return
    made = "built" if built.new else "was there already"
    console.print(
        f"index [bold]{built.version}[/] {made}: {built.products:,} products, {built.encoder}, "
        f"{built.encoded:,} texts encoded, {built.reused:,} known, {built.seconds:.1f} s"
    )
    console.print("it is not live: mercer promote SHOP" if no_promote else "it is live")


def blocked(shop: Shop) -> str:
    """The version of the last check where the gate blocked it: older live data must not pass for it. Else ""."""
    from mercer.quality.ledger import Ledger

    last = Ledger(shop.store).last()
    return str(last["version"]) if last and last["blocked"] and last["version"] in shop.versions("checked") else ""


def build_with_progress(
    shop: Shop,
    settings: Settings,
    *,
    checked: str = "",
    model: str | None = None,
    reranker: str | None = None,
    ranker: str | None = None,
    override: str = "",
) -> Built:
    """Build an index version under a progress bar for each stage."""
    from mercer.doors import build

    with progress() as bars:
        tasks: dict[str, Any] = {}

        def tick(stage: str, more: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.advance(tasks[stage], more)

        since = written(shop.folder)
        return build(
            shop,
            settings,
            checked=checked,
            model=model,
            reranker=reranker,
            ranker=ranker,
            since=since,
            override=override,
            tick=tick,
        )


def written(folder: Path) -> int:
    """When the file that the products come from was last written, UTC milliseconds; 0 where there is none."""
    from mercer.cli.settings import tables
    from mercer.quality.source import sources

    found = tables(folder)
    source = sources(folder, found.get("data", {}), found.get("map", {})).get("products")
    return int(source.path.stat().st_mtime * 1000) if source and source.path.exists() else 0
