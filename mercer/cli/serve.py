"""`mercer serve SHOP`: the shop's live index over HTTP, with a storefront, until it is stopped."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mercer.cli.opinion import monitor_of
from mercer.cli.terminal import ShopArgument, console
from mercer.errors import MercerError, MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mercer.assistant import LiveAssistant
    from mercer.doors import LiveDoors
    from mercer.serve import ServeSettings
    from mercer.shop import Shop

__all__ = ["image_folder", "listen", "register", "run"]

SWITCH = 0.0005
"""Seconds after which a working thread lets the one that speaks HTTP go on; with Python's own 0.005 a refusal waits for
every thread that works, again and again."""
RAILS = 5.0
"""Minutes between looks at the guardrails of running experiments."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    folder: ShopArgument,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port, 1 to 65535; 0 takes any free one.", min=0, max=65535)] = 8000,
    refresh: Annotated[float, typer.Option(help="Minutes between learning new events; 0 never.", min=0)] = 0.0,
) -> None:
    """Serve search, recommendation and a storefront over HTTP; Ctrl-C stops it."""
    _needed()
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.doors import LiveDoors
    from mercer.doors.beat import Beat
    from mercer.serve import ServeSettings
    from mercer.watch.run import guard

    settings = section(tables(folder).get("serve", {}), ServeSettings, name="serve")
    with contextlib.closing(listen(host, port)) as listening:
        with console.status(f"opening {folder}"):
            doors = LiveDoors(folder, read_settings(folder))
        rails = Beat(lambda: guard(doors.shop, doors.events), minutes=RAILS, tell=_stopped)
        with contextlib.closing(doors), Beat(doors.refresh, minutes=refresh, tell=_learnt), rails:
            run(doors, listening, host=host, settings=settings, images=image_folder(folder))


def run(
    doors: LiveDoors, listening: socket.socket, *, host: str, settings: ServeSettings, images: Path | None = None
) -> None:
    """Serve open doors on a listening socket until the process is told to stop."""
    import dataclasses

    import uvicorn

    from mercer.doors.beat import Beat
    from mercer.serve import Keys, create_app
    from mercer.serve.guard_log import mask_logs
    from mercer.serve.protocol import Bounded

    if host not in LOOPBACK and settings.keys == "auto":
        settings = dataclasses.replace(settings, keys="always")
    if host in LOOPBACK and not settings.hosts:
        settings = dataclasses.replace(settings, hosts=("localhost", "127.0.0.1", "[::1]"))
    keys = Keys(doors.shop)
    closed = settings.keys == "always" or (settings.keys == "auto" and bool(keys.all()))
    whole = cast(Any, doors)  # it has all that Doors have
    app = create_app(
        whole, settings=settings, images=images, keys=keys, assistant=_assistant(doors), beside=_beside(doors),
        monitor=monitor_of(doors.shop.folder),
    )  # fmt: skip
    _warn(doors.shop, host, settings, any(key.state(keys.now()) == "active" for key in keys.all()))
    _invite(doors, host, listening.getsockname()[1], key=" -H 'Authorization: Bearer KEY'" if closed else "")
    # measured (docs/en/serve.md): a quarter of h11's processor time a request, and no more than granian's
    server = uvicorn.Server(
        uvicorn.Config(
            app, http=Bounded, loop="uvloop", log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=10,
        )
    )  # fmt: skip
    mask_logs("uvicorn", "uvicorn.error")
    sys.setswitchinterval(SWITCH)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    follow = Beat(doors.take, minutes=settings.follow_seconds / 60, tell=Told())
    try:
        with follow, contextlib.suppress(KeyboardInterrupt):  # uvicorn raises a signal again once it has stopped
            server.run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)
    console.print("stopped; everything that was acknowledged is on the disk")


def _assistant(doors: LiveDoors) -> LiveAssistant | None:
    """The shop's assistant, where one was learned."""
    from mercer.assistant import AssistantSettings, LiveAssistant
    from mercer.cli.settings import tables
    from mercer.config import section

    chosen = section(tables(doors.shop.folder).get("assistant", {}), AssistantSettings, name="assistant")
    return LiveAssistant(doors, chosen) if doors.shop.versions("assistant") else None


def _beside(doors: LiveDoors) -> Callable[[str], Any]:
    """Opens another index version of the shop to be read, for the console to compare."""
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    return lambda version: open_doors(
        doors.shop.folder, read_settings(doors.shop.folder), version=version, writable=False
    )


class Told:
    """Says which version was taken up; and why one could not be, once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, outcome: str | MercerError) -> None:
        if isinstance(outcome, MercerError):
            if outcome.problem != self._last:
                said = f"[red]the live index cannot be taken up[/] {outcome.problem}; cure {outcome.cure}"
                console.print(said, highlight=False)
            self._last = outcome.problem
        elif outcome:
            self._last = ""
            console.print(f"index [bold]{outcome}[/] answers now", highlight=False)


def _learnt(count: int | MercerError) -> None:
    """Say what a refresh did, where it did anything."""
    if isinstance(count, MercerError):
        console.print(f"[red]new events could not be learnt[/] {count.problem}; cure {count.cure}", highlight=False)
    elif count:
        console.print(f"[dim]{count:,} new events learnt[/]", highlight=False)


def _stopped(arms: list[tuple[str, str, str]] | MercerError) -> None:
    """Say which arms of experiments were stopped, and why."""
    if isinstance(arms, MercerError):
        console.print(f"[red]experiments could not be judged[/] {arms.problem}; cure {arms.cure}", highlight=False)
        return
    for experiment, arm, why in arms:
        console.print(f"[yellow]arm {arm} of experiment {experiment} was stopped[/] {why}", highlight=False)


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything heavy is loaded.

    Raises:
        UsageError: the port is in use or not allowed, or the host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"host {host!r} is no address", cure="give 127.0.0.1, or 0.0.0.0 for all") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise UsageError(_refusal(error, host, port), cure=f"give another: --port {_free(host)}") from error
    return listening


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use by another program"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has"
    return f"{host}:{port} cannot be listened on ({error.strerror})"


def _free(host: str) -> int:
    """A port that is free now, to name in the cure."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind(("::1" if ":" in host else "127.0.0.1", 0))
        return int(probe.getsockname()[1])


def image_folder(folder: Path) -> Path | None:
    """Where the catalogue's image paths start: the folder of its file, as mercer.toml names it."""
    from mercer.cli.settings import tables

    products = tables(folder).get("data", {}).get("products")
    if not isinstance(products, str) or not products:
        return None
    return (folder / products).parent


def _needed() -> None:
    """Say at once what is not installed."""
    import importlib.util

    for package in ("fastapi", "uvicorn", "orjson", "prometheus_client"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, extra="serve")


def _invite(doors: LiveDoors, host: str, port: int, *, key: str) -> None:
    """Print where it is and what to try; `key` is what a call adds where keys are asked for."""
    name = "localhost" if host in (*LOOPBACK, "0.0.0.0", "::") else host  # noqa: S104  # compared, not bound
    url = f"http://{name}:{port}"
    words = _example(doors)
    console.print(f"[bold]{url}[/]  the storefront: search, filter, click, see the home page change", soft_wrap=True)
    console.print(f"{url}/console  the owner's pages: data, versions, queries, rules, keys", soft_wrap=True)
    console.print(f"{url}/docs  the API; try it:", soft_wrap=True)
    console.print(
        f"  curl -s {url}/v1/search{key} -H 'Content-Type: application/json' -d '{{\"query\": \"{words}\", \"k\": 3}}'",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    console.print(
        f"  curl -sG {url}/v1/suggest{key} --data-urlencode 'q={words[:2]}'",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    console.print("Ctrl-C stops it")


def _warn(shop: Shop, host: str, settings: ServeSettings, active: bool) -> None:
    """Say who is let in where that may surprise."""
    said = ""
    if settings.keys == "never" and host not in LOOPBACK:
        said = f"whoever reaches {host} can change products: keys is 'never' in section serve of mercer.toml"
    elif settings.keys == "always" and not active:
        cure = f"mercer keys {shop.folder} add NAME --scope search"
        said = f"only the storefront answers: the API asks for a key and the shop has none; run: {cure}"
    if said:
        console.print(said, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _example(doors: Any) -> str:
    """Words that this shop has an answer to."""
    completions = doors.suggest("", 5)
    plain = [words for words in completions if words.replace(" ", "").isalnum()]
    return plain[0] if plain else "cup"
