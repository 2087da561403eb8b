"""`mercer init SHOP --products F …`: files in; a shop folder whose mercer.toml says how to read them out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, console, print_json, progress
from mercer.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from mercer.quality.mapping import Choice, Guess
    from mercer.sample import Summary

__all__ = ["register", "write_sample"]

ORDER = ("judgments", "products", "queries", "events", "reviews", "faq", "policies", "dialogues")
"""Judgments first: they name products, which tells an asin from a row number."""


def _file(family: str, what: str) -> Any:
    return typer.Option(f"--{family}", metavar="FILE", help=f"{what}: CSV, JSON lines or Parquet, plain, .gz or .zst.")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("init")(init)


def init(
    shop: ShopArgument,
    *,
    products: Annotated[Path | None, _file("products", "The catalogue")] = None,
    events: Annotated[Path | None, _file("events", "What shoppers did")] = None,
    queries: Annotated[Path | None, _file("queries", "Queries with ids")] = None,
    judgments: Annotated[Path | None, _file("judgments", "TREC qrels or a table of grades")] = None,
    reviews: Annotated[Path | None, _file("reviews", "Reviews")] = None,
    faq: Annotated[Path | None, _file("faq", "Questions and answers")] = None,
    policies: Annotated[Path | None, _file("policies", "Policies, with the time for which each holds")] = None,
    dialogues: Annotated[Path | None, _file("dialogues", "Past conversations of shoppers with agents")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Generate an invented bilingual shop.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the invented shop.")] = 7,
    dirt: Annotated[
        float, typer.Option("--dirt", help="Share of the invented rows that get an error, 0 to 0.3.")
    ] = 0.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every guess; ask nothing.")] = False,
    timezone: Annotated[str, typer.Option("--timezone", help="IANA name that times without an offset are in.")] = "UTC",
    json: JsonFlag = False,
) -> None:
    """Make a folder a shop: guess how its files are to be read, show it, write it to mercer.toml."""
    given = {
        "products": products,
        "events": events,
        "queries": queries,
        "judgments": judgments,
        "reviews": reviews,
        "faq": faq,
        "policies": policies,
        "dialogues": dialogues,
    }
    files = {family: path for family, path in given.items() if path is not None}
    if sample:
        if files:
            raise UsageError("--sample was given together with files", cure="give one or the other")
        files = dict(_sample(shop, seed=seed, dirt=dirt).files)
    if not files:
        raise UsageError(
            "no file was given", cure=f"run: mercer init {shop} --products FILE --events FILE, or --sample"
        )
    ask = not yes and not json and _at_terminal()
    guesses = _guess(files, ask=ask, quiet=json)
    mappings = {family: guess.mapping for family, guess in guesses.items()}
    if "products" not in guesses and "events" in guesses:
        mappings["products"] = _catalogue(guesses["events"], quiet=json)
    path = _write(shop, files, mappings, timezone)
    if json:
        print_json({"shop": str(shop), "settings": str(path), "files": {f: _plain(g) for f, g in guesses.items()},
                    "map": mappings})  # fmt: skip
    else:
        console.print(f"[bold]{path}[/] is written. Next: [bold]mercer check {shop}[/]", highlight=False)


def write_sample(shop: Path, *, seed: int, products: int, dirt: float) -> Summary:
    """Make a folder an invented shop, ready to be checked."""
    made = _sample(shop, seed=seed, products=products, dirt=dirt)
    guesses = _guess(made.files, ask=False, quiet=True)
    _write(shop, made.files, {family: guess.mapping for family, guess in guesses.items()}, "UTC")
    return made


def _sample(shop: Path, **chosen: Any) -> Summary:
    """Write an invented shop's files under SHOP/raw."""
    from mercer import sample
    from mercer.shop import disk_errors

    folder = shop / "raw"
    settings = sample.SampleSettings(**chosen)
    with disk_errors(folder), progress() as bars:
        folder.mkdir(parents=True, exist_ok=True)
        task = bars.add_task("inventing a shop", total=len(sample.STEPS))
        return sample.generate(folder, settings, lambda steps: bars.advance(task, steps))


def _guess(files: Mapping[str, Path], *, ask: bool, quiet: bool) -> dict[str, Guess]:
    """Guess every file, each knowing the ids met in those before it."""
    from mercer.quality.mapping import guess

    known: dict[str, frozenset[str]] = {}
    guesses = {}
    for family in (family for family in ORDER if family in files):
        found = guess(family, files[family], known=known)
        if not quiet:
            _show(found)
        if ask:
            found = replace(found, choices=tuple(_ask(found)))
        known |= {name: known.get(name, frozenset()) | values for name, values in found.values.items()}
        guesses[family] = found
    return guesses


def _show(found: Guess) -> None:
    from rich.markup import escape
    from rich.table import Table

    said = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}.get(found.delimiter, "")
    kind = ", ".join(part for part in (found.format, said, found.encoding) if part)
    table = Table(title=f"{found.family}: {escape(str(found.path))} ({kind})", title_justify="left")
    for heading in ("column", "read from", "why", "sure", "values"):
        table.add_column(heading, overflow="fold")
    for choice in found.choices:
        colour = "green" if choice.sure else "yellow"
        values = " · ".join(" ".join(value.split())[:28] for value in choice.preview)
        table.add_row(
            choice.column, escape(choice.raw), choice.why, f"[{colour}]{choice.confidence:.0%}[/]", escape(values)
        )
    console.print(table)
    if found.unmapped:
        console.print(f"not used: {escape(', '.join(found.unmapped))}", highlight=False)
    for column in found.missing:
        console.print(f"[yellow]nothing was found for {column}[/]: set it in \\[map.{found.family}] of mercer.toml")


def _at_terminal() -> bool:
    return sys.stdin.isatty() and console.is_terminal


def _ask(found: Guess) -> Iterator[Choice]:
    """Let the owner settle what is unsure or was not found; Enter takes the guess, - leaves the column out."""
    from mercer.quality.mapping import Choice

    for choice in found.choices:
        raw = choice.raw if choice.sure else _answer(found, choice.column, choice.raw, choice.alternatives)
        if raw == choice.raw:
            yield choice
        elif raw != "-":
            yield replace(choice, raw=raw, why="the owner", confidence=1.0)
    for column in found.missing:
        raw = _answer(found, column, "-", found.unmapped)
        if raw != "-":
            yield Choice(column, raw, "the owner", 1.0)


def _answer(found: Guess, column: str, default: str, others: Sequence[str]) -> str:
    from mercer.quality.expression import parse

    hint = f" (or {', '.join(others[:5])}; - for none)" if others else " (- for none)"
    while True:
        answer = str(typer.prompt(f"{found.family}.{column} is read from{hint}", default=default, err=True)).strip()
        try:
            if answer != "-":
                parse(found.family, {column: answer}, found.columns, closed=True)
        except SettingsError as wrong:
            console.print(f"{wrong.problem}; {wrong.cure}", markup=False)
        else:
            return answer


def _catalogue(events: Guess, *, quiet: bool) -> dict[str, str]:
    from mercer.quality.derive import catalogue_mapping

    mapping = catalogue_mapping(events.path, events.mapping)
    if not quiet:
        read_from = ", ".join(f"{column} from {raw}" for column, raw in mapping.items())
        console.print(f"no product file: the catalogue is derived from the events ({read_from})", markup=False)
    return mapping


def _write(shop: Path, files: Mapping[str, Path], mappings: Mapping[str, Mapping[str, str]], timezone: str) -> Path:
    """Put [data] and [map.*] into mercer.toml; what else is there stays as it is."""
    import tomlkit
    import tomlkit.exceptions

    from mercer.quality.source import FROM_EVENTS
    from mercer.quality.time import Clock
    from mercer.shop import Shop, disk_errors

    Clock(timezone)
    opened = Shop.create(shop)
    path = opened.settings
    try:
        document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML: {error}", cure="mend that line, or move the file away") from error
    data, maps = _section(document, "data"), _section(document, "map")
    if not data:
        data.add(tomlkit.comment("Where each file is (absolute, or relative to this folder)."))
        maps.add(tomlkit.comment('Mercer\'s column = "your column", "first | otherwise", "a + b" or "=constant".'))
    for family, file in files.items():
        data[family] = _relative(shop, file)
    data["timezone"] = timezone
    if "products" in mappings and "products" not in files:
        data["products"] = FROM_EVENTS
    for family, mapping in mappings.items():
        maps[family] = tomlkit.item(dict(mapping))
    with disk_errors(path):
        whole = path.with_name(f".{path.name}.new")
        whole.write_text(tomlkit.dumps(document), "utf-8")
        whole.replace(path)
    return path


def _section(document: Any, name: str) -> Any:
    import tomlkit

    if name not in document:
        document[name] = tomlkit.table()
    return document[name]


def _relative(shop: Path, file: Path) -> str:
    whole, home = file.resolve(), shop.resolve()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)


def _plain(found: Guess) -> dict[str, Any]:
    """What --json says of one file."""
    return {
        "path": str(found.path),
        "format": found.format,
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "missing": list(found.missing),
        "unmapped": list(found.unmapped),
        "columns": [
            {
                "column": choice.column,
                "raw": choice.raw,
                "why": choice.why,
                "confidence": choice.confidence,
                "alternatives": list(choice.alternatives),
                "preview": list(choice.preview),
            }
            for choice in found.choices
        ],
    }
