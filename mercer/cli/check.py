"""``mercer check SHOP``: the shop's raw files in; trusted data, quarantine, a gate and a report out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json, progress
from mercer.errors import GateBlocked
from mercer.shop import Shop

if TYPE_CHECKING:
    from mercer.quality.ledger import Ledger
    from mercer.quality.report import ProblemLine
    from mercer.quality.run import Checked, QualitySettings
    from mercer.quality.source import Source

__all__ = ["check_shop", "quality_settings", "register"]

TrainingOption = Annotated[
    Path | None, typer.Option("--training", help="Check this training table (Parquet, CSV, JSON lines) for leaks.")
]

COLOURS = {"pass": "green", "warn": "yellow", "block": "red"}
STYLES = {"quarantine": "red", "drop": "red", "block": "bold red", "warn": "yellow", "down": "yellow", "fix": "cyan"}


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
    ) -> None:
        """Check the shop's data: find, repair and quarantine what is wrong, and decide whether it may be used."""
        opened = Shop(shop)
        if training is not None:
            from mercer.cli.check_training import Told, check_table

            told_roles = Told(label, input_ or (), split, time, group or (), id_ or ())
            check_table(training, told_roles, _settings_of(opened), as_json=json_)
            return
        version, unchanged = check_shop(opened, again=again)
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


def _settings_of(shop: Shop) -> QualitySettings:
    from mercer.cli.settings import tables

    return quality_settings(tables(shop.folder).get("quality", {}))


def check_shop(shop: Shop, *, again: bool = False) -> tuple[str, bool]:
    """Check a shop as its mercer.toml says; its version, and whether nothing had changed since the last check.

    A blocked version is kept, and not made live.
    """
    from mercer.cli.settings import tables
    from mercer.quality.ledger import Ledger, fingerprint
    from mercer.quality.source import sources

    told = tables(shop.folder)
    data, maps = told.get("data", {}), told.get("map", {})
    settings = quality_settings(told.get("quality", {}))
    found = sources(shop.folder, data, maps)
    ledger = Ledger(shop.store)
    words = [json.dumps([data, maps], sort_keys=True), settings.to_text(), *sorted(ledger.restored())]
    print_of = fingerprint({family: source.path for family, source in found.items()}, told=words)
    last = ledger.last()
    if not again and last and last["fingerprint"] == print_of and _whole(shop, last):
        return str(last["version"]), True
    checked = _run(found, settings, ledger)
    _keep(shop, checked)
    ledger.remember(version=checked.version, fingerprint=print_of, blocked=checked.gate.blocked)
    return checked.version, False


def quality_settings(data: Mapping[str, Any]) -> QualitySettings:
    """[quality], where a table named for a check ([quality.C06]) holds that check's settings.

    Raises:
        SettingsError: an unknown check, key or value.
    """
    import dataclasses

    from mercer.config import section
    from mercer.quality.check import find
    from mercer.quality.run import QualitySettings

    named = {key: value for key, value in data.items() if re.fullmatch("[A-Z][0-9]{2}", key)}
    checks = {id: section(value, find(id).settings, name=f"quality.{id}") for id, value in named.items()}
    rest = {key: value for key, value in data.items() if key not in named}
    return dataclasses.replace(section(rest, QualitySettings, name="quality"), checks=checks)


def _whole(shop: Shop, last: Mapping[str, Any]) -> bool:
    """The last version is on disk, and live unless it was blocked."""
    live = shop.live("checked")
    there = last["version"] in shop.versions("checked")
    return there and (last["blocked"] or (live is not None and live.version == last["version"]))


def _run(found: Mapping[str, Source], settings: QualitySettings, ledger: Ledger) -> Checked:
    from mercer.quality.check import registry
    from mercer.quality.run import check
    from mercer.quality.source import read_all

    with progress() as bars:
        tasks = {family: bars.add_task(f"reading {family}", total=None) for family in found}
        raws = read_all(found, tick=lambda family, rows: bars.advance(tasks[family], rows))
        for family, raw in raws.items():
            bars.update(tasks[family], completed=raw.rows, total=raw.rows)
        active = [
            declared.id
            for declared in registry().values()
            if declared.id not in settings.disable and any(family in raws for family in declared.families)
        ]
        checking = bars.add_task("checking", total=len(active))
        return check(raws, settings, restored=ledger.restored(), tick=lambda _: bars.advance(checking))


def _keep(shop: Shop, checked: Checked) -> None:
    from mercer.quality.write import write

    with shop.writing("checked") as folder:
        write(checked, folder, shop=shop.folder.absolute().name)
        decided = checked.gate.decided_by
        card = {
            "gate": checked.gate.status,
            "decided_by": {"check": decided.check, "family": decided.family, "share": decided.share},
            "rows": checked.manifest["rows"],
            "trusted_hash": checked.manifest["trusted_hash"],
        }
        shop.keep("checked", folder, card, version=checked.version)
    if not checked.gate.blocked:
        shop.publish("checked", checked.version, note=f"gate {checked.gate.status}")


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
