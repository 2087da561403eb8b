"""`mercer measure policy`: a log of choices with their chances in; what another policy would have earned, out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, answers, print_json
from mercer.errors import DataError, RequestError

if TYPE_CHECKING:
    from mercer.measure.off_policy import Estimate, Logged, OffPolicy

__all__ = ["register"]

COLUMNS = ("reward", "propensity", "target")
ACTED = ("view", "click", "add_to_cart", "purchase", "like")


def register(group: typer.Typer) -> None:
    """Add the command to `mercer measure`."""
    group.command("policy")(policy)


def policy(
    folder: Annotated[Path | None, typer.Argument(help="A shop that explores; its own impressions.")] = None,
    log: Annotated[Path | None, typer.Option(help="Or a table: reward, propensity, target, see the docs.")] = None,
    explore: Annotated[float, typer.Option(help="The chance that was set; [recommend] explore if absent.")] = 0.0,
    reward: Annotated[list[str] | None, typer.Option(help="Events that count: click, purchase …; repeat.")] = None,
    level: Annotated[float, typer.Option(help="Share of intervals that hold the truth.")] = 0.95,
    json: JsonFlag = False,
) -> None:
    """Estimate what a policy would have earned from what another one logged; refuse where the log cannot tell."""
    from mercer.measure.off_policy import OffPolicySettings, off_policy

    if (folder is None) == (log is None):
        raise RequestError("a shop and a log, or neither, were given", cure="give SHOP or --log FILE")
    settings = OffPolicySettings(level=level)
    if log is not None:
        judged = {"the target policy": _table(log)}
    else:
        assert folder is not None
        judged = _shop(folder, explore, tuple(reward or ACTED))
    found = {name: off_policy(rows, settings) for name, rows in judged.items()}
    if json:
        print_json({name: one.json() for name, one in found.items()} | {"level": level})
        return
    for name, one in found.items():
        _show(name, one, level)


def _table(path: Path) -> Logged:
    """CSV, JSON lines or Parquet with the columns of `Logged`."""
    import numpy as np

    from mercer.measure.off_policy import Logged

    table = _read(path)
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise DataError(f"{path.name} has no column {missing[0]}", cure=f"give {', '.join(COLUMNS)}, a row a choice")
    columns: dict[str, Any] = {}
    for name in (*COLUMNS, "predicted", "expected"):
        if name in table.column_names:
            try:
                columns[name] = np.array(table[name].to_pylist(), dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise DataError(f"{name} of {path.name} is no number: {error}", cure="give a number a row") from error
    if "group" in table.column_names:
        columns["group"] = np.unique([str(one) for one in table["group"].to_pylist()], return_inverse=True)[1]
    return Logged(**columns)


def _read(path: Path) -> Any:
    import pyarrow as pa

    if not path.exists():
        raise DataError(f"{path} is not there", cure="give a .csv, .jsonl or .parquet file")
    try:
        if path.suffix == ".parquet":
            from pyarrow import parquet

            return parquet.read_table(path)
        if path.suffix == ".jsonl":
            from pyarrow import json

            return json.read_json(path)
        from pyarrow import csv

        return csv.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path.name} cannot be read: {error}", cure="give a .csv, .jsonl or .parquet file") from error


def _shop(folder: Path, explore: float, kinds: tuple[str, ...]) -> dict[str, Logged]:
    """The place that a shop explores with: filled always by chance, and never."""
    import numpy as np

    from mercer.cli.settings import read_settings
    from mercer.events.log import EventLog
    from mercer.measure.off_policy import Logged
    from mercer.shop import Shop

    chance = explore or read_settings(folder).recommend.explore
    if not 0 < chance < 1:
        raise RequestError(
            f"the shop explores with chance {chance:g}", cure="set [recommend] explore, or give --explore as it was"
        )
    shop = Shop(folder)
    rows: list[tuple[float, float, str]] = []
    if shop.events.exists():
        with EventLog(shop.events) as log:
            acted = {(event.query_id, event.product) for event in log.all() if event.query_id and event.type in kinds}
            seq = 0
            while batch := log.impressions(seq):
                seq = batch[-1][0]
                rows += [
                    (float((one.query_id, one.product) in acted), one.propensity, one.shopper or one.query_id)
                    for _, one in batch
                    if one.propensity is not None
                ]
    if not rows:
        raise DataError(f"{folder} has shown nothing by chance", cure="set [recommend] explore and serve the shop")
    earned, propensity = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    group = np.unique([row[2] for row in rows], return_inverse=True)[1]
    own = np.isclose(propensity, 1 - chance, rtol=1e-9)
    if wrong := int((~own & (propensity > chance * (1 + 1e-9))).sum()):
        raise DataError(
            f"{wrong} of {len(rows)} chances fit no exploring with {chance:g}", cure="give --explore as it was then"
        )
    return {
        "never by chance": Logged(earned, propensity, np.where(own, 1.0, 0.0), group=group),
        "always by chance": Logged(earned, propensity, np.where(own, 0.0, propensity / chance), group=group),
    }


def _show(name: str, found: OffPolicy, level: float) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in (name, "reward a choice", f"{level:.0%} interval"):
        table.add_column(title, justify="left" if title == name else "right")
    table.add_row("as logged", f"{found.logged:.5f}", "")
    for title, one in (("IPS", found.ips), ("SNIPS", found.snips), ("doubly robust", found.doubly_robust)):
        if one is not None:
            table.add_row(title, f"{one.value:.5f}", _said(one))
    answers.print(table)
    answers.print(
        f"{found.rows:,} rows are worth {found.effective:,.0f} of its own; weights: mean {found.mean_weight:.3f}, "
        f"largest {found.largest_weight:.1f}, the heaviest hundredth has {found.top_share:.0%}",
        highlight=False,
        soft_wrap=True,
    )


def _said(one: Estimate) -> str:
    return f"{one.low:.5f} to {one.high:.5f}"
