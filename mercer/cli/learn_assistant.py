"""`mercer learn SHOP assistant`: checked knowledge and dialogues in; a proved version of the assistant out."""

from __future__ import annotations

from pathlib import Path

from mercer.cli.terminal import answers, console, print_json

__all__ = ["learn_assistant"]


def learn_assistant(folder: Path, *, promote: bool, override: str, seed: int | None, json: bool) -> None:
    """Fit, keep, and make live unless held-out examples or `promote` speak against it."""
    from rich.table import Table

    from mercer.assistant.learn import learn
    from mercer.cli.settings import read_settings
    from mercer.shop import Shop

    shop = Shop(folder)
    made = learn(shop, read_settings(folder).encode, override=override, seed=7 if seed is None else seed)
    live = promote and (not made.refused or bool(override))
    if live:
        shop.publish("assistant", made.version, override=override)
    told = {"version": made.version, "live": live, "figures": made.figures, "left_out": made.left_out}
    if json:
        print_json({**told, "refused": made.refused})
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("held out", ""):
        table.add_column(name, justify="left" if name else "right")
    for name, value in _flat(made.figures):
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    answers.print(table)
    for why, count in made.left_out.items():
        console.print(f"[dim]left out: {count} × {why}[/]", highlight=False)
    if live:
        console.print(f"assistant [bold]{made.version}[/] is live; mercer rollback {folder} --kind assistant undoes it")
    else:
        why = made.refused or "--no-promote was given"
        console.print(f"[yellow]assistant {made.version} is not live: {why}[/]", highlight=False)


def _flat(figures: object, before: str = "") -> list[tuple[str, object]]:
    if not isinstance(figures, dict):
        return [(before, figures)]
    return [pair for name, value in figures.items() for pair in _flat(value, f"{before} {name}".strip())]
