"""``mercer quarantine SHOP list | explain | restore | approve``: rows taken out in; a look at them, or a way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json
from mercer.errors import NotFoundError, RequestError
from mercer.shop import Shop

__all__ = ["register"]

TOLD = 1000
"""Rows that one entry of the audit log names; it counts the others."""


class Act(StrEnum):
    """What to do with quarantine."""

    list = "list"
    explain = "explain"
    restore = "restore"
    forget = "forget"
    approve = "approve"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def quarantine(
        shop: ShopArgument,
        act: Annotated[
            Act, typer.Argument(help="list, explain ROW, restore ROW…, approve [ROW…], or forget either.")
        ] = Act.list,
        rows: Annotated[
            list[str] | None, typer.Argument(metavar="ROW…", help="A row's hash, or FAMILY:NUMBER.")
        ] = None,
        *,
        check: Annotated[str, typer.Option(help="Only rows that this check took out.")] = "",
        family: Annotated[str, typer.Option(help="Only rows of this family.")] = "",
        limit: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 20,
        who: Annotated[str, typer.Option("--as", help="Who approves; the user's name where it is not given.")] = "",
        json_: JsonFlag = False,
    ) -> None:
        """Look at what the last check took out, and put rows back."""
        opened = Shop(shop)
        if act is Act.list:
            _list(opened, check=check, family=family, limit=limit, as_json=json_)
            return
        if act is Act.approve:
            _approve(opened, rows or [], check=check, family=family, who=who)
            return
        if not rows:
            raise RequestError(f"{act} names no row", cure=f"list them: mercer quarantine {shop} list")
        if act is Act.forget:
            _forget(opened, rows)
        elif act is Act.explain:
            _explain(opened, rows, as_json=json_)
        else:
            _restore(opened, rows)


def _folder(shop: Shop) -> Path:
    """Of the last checked version, blocked or not."""
    from mercer.quality.ledger import Ledger

    last = Ledger(shop.store).last()
    if last is None:
        raise NotFoundError(f"{shop.folder} has not been checked", cure=f"run: mercer check {shop.folder}")
    shop.card("checked", last["version"])
    return shop.path("checked", last["version"])


def _rows(shop: Shop, *, check: str = "", family: str = "") -> Iterator[dict[str, Any]]:
    """Quarantined rows as dictionaries, with their family and parsed reasons."""
    import pyarrow.parquet as pq

    from mercer.quality.last_good import PRODUCTS, notes_of

    folder = _folder(shop)
    notes = notes_of(folder)
    for path in sorted((folder / "quarantine").glob("*.parquet")):
        if family and path.stem != family:
            continue
        for batch in pq.ParquetFile(path).iter_batches(1024):
            for row in batch.to_pylist():
                row["family"], row["reasons"] = path.stem, json.loads(row["reasons"])
                if path.stem == PRODUCTS and row["row_id"] in notes:
                    row["served"] = _served(notes[row["row_id"]])
                if not check or any(reason["check_id"] == check for reason in row["reasons"]):
                    yield row


def _served(note: dict[str, Any]) -> str:
    """What serves in the place of a row."""
    if note["kind"] == "last_good":
        return f"the row of run {note['version']} goes on serving"
    return f"it serves without {', '.join(json.loads(note['fields']))}"


def _list(shop: Shop, *, check: str, family: str, limit: int, as_json: bool) -> None:
    from rich.table import Table

    from mercer.quality.check import find

    if check:
        find(check)
    found: list[dict[str, Any]] = []
    count = 0
    for row in _rows(shop, check=check, family=family):
        count += 1
        if len(found) < limit:
            found.append(row)
    found = _concealed(shop, found)
    if as_json:
        print_json({"count": count, "rows": [_plain(row) for row in found]})
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("row", "hash", "reasons", "content"):
        table.add_column(name, no_wrap=name != "content")
    for row in found:
        reasons = ", ".join(sorted({f"{reason['check_id']} {reason['problem']}" for reason in row["reasons"]}))
        reasons += f"\n{row['served']}" if "served" in row else ""
        table.add_row(f"{row['family']}:{row['row_id']}", row["row_hash"], reasons, _content(row))
    console.print(table)
    console.print(f"{len(found):,} of {count:,} rows")


def _concealed(shop: Shop, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows for people to read: what names a person is masked, as in trusted data; the Parquet file has all of it."""
    from mercer.cli.check_shop import settings_of
    from mercer.quality.conceal import masker
    from mercer.quality.secret import salt_of

    salt = salt_of(settings_of(shop))
    hide = {family: masker(family, salt=salt) for family in {row["family"] for row in rows}}
    told = ("family", "row_id", "row_hash", "reasons", "served")
    return [{name: one if name in told else hide[row["family"]](one) for name, one in row.items()} for row in rows]


def _content(row: dict[str, Any]) -> str:
    from rich.markup import escape

    hidden = ("family", "row_id", "row_hash", "reasons", "served")
    return escape(
        " · ".join(str(value)[:40] for name, value in row.items() if value is not None and name not in hidden)[:120]
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, and with NaN and infinities as text, which JSON lacks."""
    kept = {name: value for name, value in row.items() if value is not None}
    return {
        name: str(value) if isinstance(value, float) and value - value != 0 else value for name, value in kept.items()
    }


def _chosen(shop: Shop, names: list[str]) -> list[dict[str, Any]]:
    wanted = dict.fromkeys(names)
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(shop):
        for name in (row["row_hash"], f"{row['family']}:{row['row_id']}"):
            if name in wanted:
                found.setdefault(name, row)
    for name in wanted:
        if name not in found:
            raise NotFoundError(
                f"no row {name!r} is in quarantine", cure=f"list them: mercer quarantine {shop.folder} list"
            )
    return list(found.values())


def _explain(shop: Shop, names: list[str], *, as_json: bool) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from mercer.quality.check import find

    findings = pq.read_table(_folder(shop) / "findings.parquet")
    told = []
    for row in _concealed(shop, _chosen(shop, names)):
        mine = pc.and_(pc.equal(findings["family"], row["family"]), pc.equal(findings["row_id"], row["row_id"]))
        told.append({"row": _plain(row), "findings": findings.filter(mine).to_pylist()})
    if as_json:
        print_json(told)
        return
    for item in told:
        console.print(
            f"[bold]{item['row']['family']}:{item['row']['row_id']}[/]  {item['row']['row_hash']}", highlight=False
        )
        if "served" in item["row"]:
            console.print(f"  {item['row']['served']}", style="green", markup=False, highlight=False)
        for name, value in item["row"].items():
            if name not in ("family", "row_id", "row_hash", "reasons", "served"):
                console.print(f"  {name}: {value}", markup=False, highlight=False)
        for finding in item["findings"]:
            words = find(finding["check_id"]).problems[finding["problem"]]
            head = f"  {finding['check_id']} {finding['action']} {finding['field']}: {words.english} {words.chinese}"
            console.print(head, style="red", markup=False, highlight=False)
            console.print(f"    {finding['evidence']} {finding['suggestion']}", markup=False, highlight=False)


def _restore(shop: Shop, names: list[str]) -> None:
    from mercer.quality.check import find
    from mercer.quality.ledger import Ledger

    chosen = _chosen(shop, names)
    for row in chosen:
        for reason in row["reasons"]:
            words = find(reason["check_id"]).problems[reason["problem"]]
            if not words.restorable:
                raise RequestError(
                    f"{row['family']}:{row['row_id']} cannot be used: {words.english} ({reason['field'] or 'row'})",
                    cure="mend it in the raw file and run mercer check",
                )
    ledger = Ledger(shop.store)
    shop.audit.append("restore rows", {"rows": [row["row_hash"] for row in chosen]})
    ledger.restore({row["row_hash"]: {"family": row["family"], "row_id": row["row_id"]} for row in chosen})
    console.print(f"{len(chosen)} put back; run: mercer check {shop.folder}", highlight=False)


def _approve(shop: Shop, names: list[str], *, check: str, family: str, who: str) -> None:
    """Agree to lose the rows named, or all that `check` and `family` select."""
    import getpass

    from mercer.quality.check import find
    from mercer.quality.ledger import Ledger

    if check:
        find(check)
    chosen = _chosen(shop, names) if names else list(_rows(shop, check=check, family=family))
    if not chosen:
        raise NotFoundError(
            "nothing is in quarantine to approve", cure=f"list it: mercer quarantine {shop.folder} list"
        )
    about = {
        row["row_hash"]: {
            "family": row["family"],
            "row_id": row["row_id"],
            "reasons": sorted({f"{reason['check_id']} {reason['problem']}" for reason in row["reasons"]}),
        }
        for row in chosen
    }
    shop.audit.append("approve loss of rows", {"as": who, "rows": list(about)[:TOLD], "count": len(about)})
    Ledger(shop.store).approve(about, who=who or getpass.getuser())
    console.print(
        f"{len(chosen):,} approved by {who or getpass.getuser()}; run: mercer check {shop.folder}", highlight=False
    )


def _forget(shop: Shop, hashes: list[str]) -> None:
    from mercer.quality.ledger import Ledger

    ledger = Ledger(shop.store)
    restored, approved = ledger.restored(), ledger.approved()
    for name in hashes:
        if name not in restored and name not in approved:
            known = ", ".join([*restored, *approved]) or "none"
            raise NotFoundError(f"row {name!r} was neither put back nor approved", cure=f"known hashes: {known}")
    shop.audit.append("forget restored or approved rows", {"rows": hashes})
    ledger.forget(hashes)
    ledger.disapprove(hashes)
    console.print(f"{len(hashes)} judged again; run: mercer check {shop.folder}", highlight=False)
