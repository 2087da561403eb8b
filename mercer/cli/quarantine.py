"""``mercer quarantine SHOP list | explain | restore | approve``: rows taken out in; a look at them, or a way back."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json
from mercer.errors import RequestError
from mercer.shop import Shop

__all__ = ["register"]


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


def _list(shop: Shop, *, check: str, family: str, limit: int, as_json: bool) -> None:
    from rich.table import Table

    from mercer.quality.check import find
    from mercer.quality.held import rows

    if check:
        find(check)
    found: list[dict[str, Any]] = []
    count = 0
    for row in rows(shop, check=check, family=family):
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
    from mercer.cli.check_shop import settings_of
    from mercer.quality.held import concealed
    from mercer.quality.secret import salt_of

    return concealed(rows, salt=salt_of(settings_of(shop)))


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


def _explain(shop: Shop, names: list[str], *, as_json: bool) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from mercer.quality.check import find
    from mercer.quality.held import chosen, last_checked

    findings = pq.read_table(last_checked(shop) / "findings.parquet")
    told = []
    for row in _concealed(shop, chosen(shop, names)):
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
    from mercer.quality.held import restore

    console.print(f"{restore(shop, names)} put back; run: mercer check {shop.folder}", highlight=False)


def _approve(shop: Shop, names: list[str], *, check: str, family: str, who: str) -> None:
    """Agree to lose the rows named, or all that `check` and `family` select."""
    import getpass

    from mercer.quality.check import find
    from mercer.quality.held import approve, chosen, rows

    if check:
        find(check)
    found = chosen(shop, names) if names else list(rows(shop, check=check, family=family))
    count = approve(shop, found, who=who)
    console.print(f"{count:,} approved by {who or getpass.getuser()}; run: mercer check {shop.folder}", highlight=False)


def _forget(shop: Shop, hashes: list[str]) -> None:
    from mercer.quality.held import forget

    forget(shop, hashes)
    console.print(f"{len(hashes)} judged again; run: mercer check {shop.folder}", highlight=False)
