"""``mercer check SHOP``: the shop's raw files in; trusted data, quarantine, a gate and a report out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.check_shop import check_shop, quality_settings, settings_of
from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json
from mercer.errors import GateBlocked
from mercer.shop import Shop

if TYPE_CHECKING:
    from mercer.quality.report import ProblemLine

__all__ = ["check_shop", "quality_settings", "register"]

TrainingOption = Annotated[
    Path | None, typer.Option("--training", help="Check this training table (Parquet, CSV, JSON lines) for leaks.")
]

COLOURS = {"pass": "green", "warn": "yellow", "block": "red"}
STYLES = {
    "suppressed": "dim",
    "quarantine": "red",
    "drop": "red",
    "block": "bold red",
    "warn": "yellow",
    "down": "yellow",
    "fix": "cyan",
}


class Engine(StrEnum):
    """Where checks run."""

    duckdb = "duckdb"
    spark = "spark"
    ray = "ray"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def check(
        shop: ShopArgument,
        json_: JsonFlag = False,
        again: Annotated[bool, typer.Option("--again", help="Check although nothing has changed.")] = False,
        training: TrainingOption = None,
        label: Annotated[str | None, typer.Option(help="Column of --training to be learned.")] = None,
        input_: Annotated[list[str] | None, typer.Option("--input", help="Column the model is given (again).")] = None,
        split: Annotated[str | None, typer.Option(help="Column that says train or test.")] = None,
        time: Annotated[str | None, typer.Option(help="Column of moments.")] = None,
        group: Annotated[list[str] | None, typer.Option(help="Column kept on one side of the split (again).")] = None,
        id_: Annotated[list[str] | None, typer.Option("--id", help="Column that says who or which (again).")] = None,
        engine: Annotated[Engine, typer.Option(help="Where checks run.")] = Engine.duckdb,
        suggest: Annotated[bool, typer.Option("--suggest", help="Propose limits from the runs so far.")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="Write what --suggest proposes to mercer.toml.")] = False,
        diff: Annotated[
            tuple[str, str] | None,
            typer.Option(metavar="RUN RUN", help="What changed between two checked versions (or: live, last)."),
        ] = None,
    ) -> None:
        """Check the shop's data: find, repair and quarantine what is wrong, and decide whether it may be used."""
        opened = Shop(shop)
        if suggest or diff:
            from mercer.cli.check_more import show_difference, show_suggestions

            if diff:
                show_difference(opened, diff, as_json=json_)
            else:
                show_suggestions(opened, write=yes, as_json=json_)
            return
        if training is not None:
            from mercer.cli.check_training import Told, check_table

            told_roles = Told(label, input_ or (), split, time, group or (), id_ or ())
            check_table(training, told_roles, settings_of(opened), as_json=json_)
            return
        version, unchanged = check_shop(opened, again=again, engine=engine.value)
        folder = opened.path("checked", version)
        told = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("gate", "manifest")}
        lines = _problems(folder, told["manifest"])
        if json_:
            listed = [{**asdict(line), "samples": list(line.samples)} for line in lines]
            report = str(folder / "report.html")
            print_json({"version": version, "unchanged": unchanged, **told, "problems": listed, "report": report})
        else:
            _print(told["gate"], told["manifest"], lines, unchanged=unchanged)
            console.print(f"report  {folder / 'report.html'}", highlight=False, soft_wrap=True)
        if told["gate"]["decision"] == "block":
            raise _blocked(told["gate"], folder)


def _problems(folder: Path, manifest: Mapping[str, Any]) -> list[ProblemLine]:
    import pyarrow.parquet as pq

    from mercer.quality.report import problems

    return problems(pq.read_table(folder / "findings.parquet"), manifest["rows"])


def _blocked(gate: Mapping[str, Any], folder: Path) -> GateBlocked:
    decided = gate["decided_by"]
    total = decided["qualified"] + decided["unqualified"]
    return GateBlocked(
        f"the data gate is closed: {decided['requirement']}; {decided['unqualified']:,} of {total:,} rows "
        f"({decided['share']:.2%}) fail, the limit is {decided['threshold']:.2%}",
        cure=f"read {folder / 'report.html'}, mend the data or set the limit in [quality], and check again",
    )


def _print(gate: Mapping[str, Any], manifest: Mapping[str, Any], lines: list[ProblemLine], *, unchanged: bool) -> None:
    from rich.table import Table

    if unchanged:
        console.print("nothing has changed since the last check")
    families = Table(box=None, pad_edge=False, header_style="dim")
    families.add_column("family")
    for name in ("rows", "trusted", "quarantined", "share"):
        families.add_column(name, justify="right")
    for family, rows in manifest["rows"].items():
        share = rows["quarantine"] / rows["raw"] if rows["raw"] else 0.0
        counts = (rows["raw"], rows["trusted"], rows["quarantine"])
        families.add_row(family, *(f"{count:,}" for count in counts), f"{share:.2%}")
    console.print(families)
    served = manifest.get("served", {})
    if served.get("last_good"):
        console.print(f"{served['last_good']:,} products whose new row is bad go on with the row accepted last")
    if served.get("partly"):
        console.print(f"{served['partly']:,} products serve without a price or another fact that is wrong")
    if lines:
        console.print()
        console.print(_found(lines))
    decided = gate["decided_by"]
    colour = COLOURS[gate["decision"]]
    console.print()
    console.print(
        f"gate    [bold {colour}]{gate['decision']}[/]  {decided['family']}: {decided['requirement']} "
        f"({decided['share']:.2%}, limit {decided['threshold']:.2%})",
        highlight=False,
    )
    console.print(f"version {manifest['version']}", highlight=False)


def _found(lines: list[ProblemLine]) -> Any:
    from rich.table import Table

    chinese = next((os.environ[name] for name in ("LC_ALL", "LANG") if os.environ.get(name)), "").startswith("zh")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("check", "family", "found", "action"):
        table.add_column(name)
    table.add_column("rows", justify="right")
    for line in lines:
        count = f"{line.rows:,}" if line.rows else "file"
        action = f"[{STYLES[line.action]}]{line.action}[/]"
        table.add_row(line.check, line.family, line.chinese if chinese else line.english, action, count)
    return table
