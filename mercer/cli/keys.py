"""`mercer keys SHOP`: who may ask a serving shop, and for what; a new key's secret is printed once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json
from mercer.errors import RequestError

if TYPE_CHECKING:
    from mercer.serve.key import Key
    from mercer.serve.key_store import Keys

__all__ = ["register"]


class Act(StrEnum):
    """What to do with keys."""

    list = "list"
    add = "add"
    rotate = "rotate"
    revoke = "revoke"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("keys")(keys)


def keys(
    folder: ShopArgument,
    act: Annotated[Act, typer.Argument(help="list, add NAME, rotate ID or revoke ID.")] = Act.list,
    what: Annotated[str, typer.Argument(metavar="NAME|ID", help="What a new key is for, or a key's id.")] = "",
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What a new key may do: search, events, catalogue, assistant, metrics, admin."),
    ] = None,
    days: Annotated[float | None, typer.Option(help="Days until a new key expires; never if not given.")] = None,
    overlap: Annotated[float, typer.Option(help="Hours that a rotated key goes on for.")] = 24.0,
    json: JsonFlag = False,
) -> None:
    """Let programs in: once a shop has a key, its API asks everybody for one."""
    from mercer.serve.key_store import Keys
    from mercer.shop import Shop

    store = Keys(Shop(folder))
    if act is Act.list:
        _list(store, as_json=json)
        return
    if not what:
        wanted = "NAME --scope search" if act is Act.add else "ID"
        raise RequestError(f"{act} names no key", cure=f"run: mercer keys {folder} {act} {wanted}")
    if act is Act.revoke:
        key = store.revoke(what)
        print_json(_told(store, key)) if json else console.print(f"{key.id} ({key.name}) opens nothing any more")
        return
    made = store.add(what, scope or [], days=days) if act is Act.add else store.rotate(what, overlap=overlap)
    _once(store, *made, as_json=json)


def _once(store: Keys, key: Key, secret: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_told(store, key), "secret": secret})
        return
    console.print(
        f"{key.id} ({key.name}) may {', '.join(key.scopes)}, until {_moment(key.expires) or 'it is revoked'}; "
        "its secret, shown this once:",
        markup=False, highlight=False,
    )  # fmt: skip
    answers.print(secret, markup=False, highlight=False, soft_wrap=True)


def _told(store: Keys, key: Key) -> dict[str, object]:
    return {
        "id": key.id, "name": key.name, "scopes": list(key.scopes), "state": key.state(store.now()), "made": key.made,
        "expires": key.expires, "revoked": key.revoked, "replaces": key.replaces,
    }  # fmt: skip


def _list(store: Keys, *, as_json: bool) -> None:
    from mercer.serve.key_used import Used

    used, found = Used(store.store).all(), store.all()
    if as_json:
        print_json({"keys": [{**_told(store, key), "used": used.get(key.id)} for key in found]})
        return
    if not found:
        console.print(
            f"no key yet: the API of this machine asks nobody. Make one: mercer keys {store.store.parent} add NAME"
        )
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "name", "scopes", "state", "expires", "last used"):
        table.add_column(name)
    for key in found:
        state = key.state(store.now())
        colour = "green" if state == "active" else "dim"
        table.add_row(
            key.id, escape(key.name), ", ".join(key.scopes), f"[{colour}]{state}[/]",
            _moment(key.expires), _moment(used.get(key.id)),
        )  # fmt: skip
    answers.print(table)


def _moment(time: int | None) -> str:
    """As a person reads it, in UTC; "" for none."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M") if time else ""
