"""`mercer demo`: the whole product on an invented shop, from raw files to a storefront, in one terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, console, print_json

if TYPE_CHECKING:
    from mercer.doors.settings import Settings
    from mercer.measure.board import Board
    from mercer.shop import Shop

__all__ = ["register"]

METRICS = ("nDCG@10", "Recall@100", "MRR@10")
GAINS = "3=1,2=.5,1=.1,0=0"
"""Of the sample's grades: exact, substitute, complement, irrelevant."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="SHOP", help="Where the invented shop goes.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed is another shop.")] = 7,
    products: Annotated[int, typer.Option(help="Listings, half Chinese and half English.", min=200)] = 3000,
    dirt: Annotated[float, typer.Option(help="Share of rows that get an error, 0 to 0.3.")] = 0.02,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the storefront.", min=0, max=65535)] = 8000,
    serve: Annotated[bool, typer.Option(help="Open the storefront at the end, until Ctrl-C.")] = True,
    json: JsonFlag = False,
) -> None:
    """Invent a shop, check it, encode it, index it, measure it and serve it."""
    from mercer.cli.check import check_shop
    from mercer.cli.index import build_with_progress
    from mercer.cli.init import write_sample
    from mercer.cli.serve import listen
    from mercer.cli.settings import read_settings
    from mercer.shop import Shop

    listening = listen(host, port) if serve else None
    spent: dict[str, float] = {}
    with _step("1 invent a shop: raw files as a shop would send them, with errors in them", spent, "generate"):
        made = write_sample(folder, seed=seed, products=products, dirt=dirt)
        console.print("  " + ", ".join(f"{count:,} {family}" for family, count in made.rows.items()), highlight=False)
    shop = Shop.create(folder)
    with _step("2 check: what cannot be trusted goes to quarantine, with its reason", spent, "check"):
        checked, _ = check_shop(shop)
        found = _found(shop, checked)
        console.print(f"  {_told(found)}\n  report: {shop.path('checked', checked) / 'report.html'}", highlight=False)
    settings = read_settings(folder)
    with _step("3 encode and index: what a product means, and its words", spent, "index"):
        built = build_with_progress(shop, settings)
        shop.publish("index", built.version)
        console.print(f"  {built.products:,} products with {built.encoder}, {built.reused:,} vectors known before")
    with _step("4 measure: judged queries in Chinese and English, three ways of searching", spent, "measure"):
        board = _measured(folder, seed)
        console.print(board.text(), highlight=False, soft_wrap=True)
    with _step("5 learn: an assistant that answers customers from what the shop knows", spent, "assistant"):
        assistant = _assistant(shop, settings, seed)
    if json:
        told = {"seconds": spent, "dirt": found, "version": built.version, "assistant": assistant}
        print_json({**told, **board.json()})
    if listening is None:
        console.print(f"try: mercer search {folder} 红色连衣裙    mercer recommend {folder}")
        console.print(f"     mercer ask {folder} 运费多少？    mercer serve {folder}")
        return
    _serve(folder, listening, host)


@contextlib.contextmanager
def _step(title: str, spent: dict[str, float], name: str) -> Iterator[None]:
    console.print(f"[bold]{title}[/]")
    started = time.monotonic()
    yield
    spent[name] = round(time.monotonic() - started, 1)
    console.print(f"  [dim]{spent[name]:.1f} s[/]")


def _found(shop: Shop, version: str) -> dict[str, Any]:
    """How many of the injected errors the checks found, by the sample's own truth."""
    import pyarrow.parquet as pq

    from mercer.sample import truth

    findings = pq.read_table(shop.path("checked", version) / "findings.parquet", columns=["family", "row_id"])
    rows = set(zip(findings["family"].to_pylist(), findings["row_id"].to_pylist(), strict=True))
    dirt = truth.load(shop.folder / "raw").dirt.to_pylist()
    wrong = {(error["family"], error["row_id"]) for error in dirt}
    return {"injected": len(wrong), "found": len(wrong & rows), "other_findings": len(rows - wrong)}


def _told(found: dict[str, Any]) -> str:
    share = found["found"] / found["injected"] if found["injected"] else 1.0
    return (
        f"{found['injected']:,} rows were spoilt on purpose, {found['found']:,} of them found ({share:.1%}); "
        f"{found['other_findings']:,} other rows have findings"
    )


def _measured(folder: Path, seed: int) -> Board:
    from mercer.cli.measure import judged, measure_search
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    texts, truth = judged(folder, None, None)
    doors = open_doors(folder, read_settings(folder), writable=False)
    with contextlib.closing(doors):
        board, _ = measure_search(doors, texts, truth, metrics=METRICS, gains=GAINS, seed=seed)
    return board


def _assistant(shop: Shop, settings: Settings, seed: int) -> str:
    """The version that is live now; "" where none could be, which is told and stops nothing."""
    from mercer.assistant.learn import learn
    from mercer.errors import MissingExtra

    try:
        made = learn(shop, settings.encode, seed=seed)
    except MissingExtra as missing:
        console.print(f"  [yellow]none: {missing.problem}[/]; cure: {missing.cure}", highlight=False)
        return ""
    if made.refused:
        console.print(f"  [yellow]none is live: {made.refused}[/]", highlight=False)
        return ""
    shop.publish("assistant", made.version)
    console.print(f"  intents right on held-out messages: {made.figures['intent accuracy']:.1%}", highlight=False)
    return made.version


def _serve(folder: Path, listening: Any, host: str) -> None:
    from mercer.cli.serve import image_folder, run
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.doors import LiveDoors
    from mercer.serve import ServeSettings

    settings = section(tables(folder).get("serve", {}), ServeSettings, name="serve")
    console.print("[bold]6 serve: the storefront, until Ctrl-C[/]")
    with contextlib.closing(listening), contextlib.closing(LiveDoors(folder, read_settings(folder))) as doors:
        run(doors, listening, host=host, settings=settings, images=image_folder(folder))
