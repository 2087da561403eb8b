"""A checked shop in; limits proposed from its runs, or what changed between two of them, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mercer.cli.terminal import console, print_json
from mercer.errors import NotFoundError
from mercer.shop import Shop

if TYPE_CHECKING:
    from mercer.quality.diff import Change
    from mercer.quality.suggest import Proposal

__all__ = ["show_difference", "show_suggestions"]


def show_suggestions(shop: Shop, *, write: bool, as_json: bool) -> None:
    """Print limits from the history of runs; with `write`, put them into mercer.toml."""
    from mercer.cli.check_shop import check_shop, settings_of
    from mercer.quality.ledger import Ledger
    from mercer.quality.suggest import suggest

    ledger = Ledger(shop.store)
    if not ledger.history():
        check_shop(shop)
    history = ledger.history()
    proposals = suggest(history, settings_of(shop))
    if write and proposals:
        _write(shop, proposals)
    if as_json:
        print_json({"runs": len(history), "written": write, "proposals": [asdict(one) for one in proposals]})
        return
    _print(proposals, runs=len(history), written=write)


def _print(proposals: Sequence[Proposal], *, runs: int, written: bool) -> None:
    from rich.table import Table

    if not proposals:
        console.print(f"{runs} runs: the limits in force fit this data")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("section", "key", "now", "proposed", "why"):
        table.add_column(name)
    for one in proposals:
        table.add_row(rf"\[{'.'.join(one.section)}]", one.key, f"{one.now:g}", f"{one.proposed:g}", one.why)
    console.print(table)
    if runs < 5:
        console.print(f"{runs} runs are few: these limits take a day of chance for granted, no more")
    console.print(
        "written to mercer.toml" if written else "nothing is written; give --yes to write them to mercer.toml"
    )


def _write(shop: Shop, proposals: Sequence[Proposal]) -> None:
    import tomlkit

    from mercer.shop import disk_errors

    path = shop.settings
    document = tomlkit.parse(path.read_text("utf-8") if path.exists() else "")
    for one in proposals:
        table: Any = document
        for name in one.section:
            if name not in table:
                table[name] = tomlkit.table(is_super_table=name != one.section[-1])
            table = table[name]
        table[one.key] = one.proposed
    with disk_errors(path):
        path.write_text(tomlkit.dumps(document), "utf-8")


def show_difference(shop: Shop, names: Sequence[str], *, as_json: bool) -> None:
    """Print what is new, gone and changed from one checked version to another."""
    from mercer.quality.diff import diff, gates

    one, other = (_version(shop, name) for name in names)
    folders = shop.path("checked", one), shop.path("checked", other)
    changes, verdicts = [_concealed(shop, change) for change in diff(*folders)], gates(*folders)
    decisions = [verdict["decision"] for verdict in verdicts]
    if as_json:
        print_json({"runs": [one, other], "gates": decisions, "changes": [asdict(change) for change in changes]})
        return
    from rich.table import Table

    console.print(f"{one} ({decisions[0]}) → {other} ({decisions[1]})", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("check", "family", "problem"):
        table.add_column(name)
    for name in ("before", "after", "new", "gone", "acted on otherwise"):
        table.add_column(name, justify="right")
    table.add_column("such as", no_wrap=True)
    for change in changes:
        counts = (change.before, change.after, change.new, change.gone, change.acted)
        such = [f"+ {name}" for name in change.new_rows[:1]] + [f"- {name}" for name in change.gone_rows[:1]]
        table.add_row(change.check, change.family, change.problem, *(f"{n:,}" for n in counts), ", ".join(such))
    console.print(table if changes else "the same findings")


def _concealed(shop: Shop, change: Change) -> Change:
    """A change whose rows are named without naming a person: questions are known by their text."""
    from mercer.cli.check_shop import settings_of
    from mercer.quality.conceal import masker
    from mercer.quality.secret import salt_of

    hide = masker(change.family, salt=salt_of(settings_of(shop)))
    new, gone = (tuple(map(hide, rows)) for rows in (change.new_rows, change.gone_rows))
    return dataclasses.replace(change, new_rows=new, gone_rows=gone)


def _version(shop: Shop, name: str) -> str:
    """A checked version by its name, by the beginning of it, or as last or live."""
    from mercer.quality.ledger import Ledger

    known = shop.versions("checked")
    if name == "last":
        last = Ledger(shop.store).last()
        name = str(last["version"]) if last else name
    elif name == "live":
        live = shop.live("checked")
        name = live.version if live else name
    found = [version for version in known if version.startswith(name)]
    if len(found) != 1:
        raise NotFoundError(
            f"{len(found)} checked versions begin with {name!r}", cure=f"give one of {', '.join(known) or 'none yet'}"
        )
    return found[0]
