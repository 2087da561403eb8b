"""`mercer ask SHOP "text"`: the shop's assistant on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, print_json

if TYPE_CHECKING:
    from mercer.assistant import Answer, Assistant
    from mercer.doors import Doors

__all__ = ["register", "show", "summoned"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ask")(ask)


def ask(
    folder: ShopArgument,
    text: Annotated[str, typer.Argument(help="What the customer says.")],
    shopper: Annotated[str, typer.Option(help="Who asks; their own orders and no others are told.")] = "",
    conversation: Annotated[str, typer.Option(help="Goes on with it: the second one, yes, it; begins it else.")] = "",
    json: JsonFlag = False,
) -> None:
    """Ask the shop's assistant."""
    from mercer.assistant import Ask
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        answer = summoned(folder, doors)(Ask(text, shopper, conversation))
    finally:
        doors.close()
    if json:
        print_json(answer.to_json())
    else:
        show(answer)


def summoned(folder: Path, doors: Doors) -> Assistant:
    """The live assistant with the settings of mercer.toml."""
    from mercer.assistant import AssistantSettings, open_assistant
    from mercer.cli.settings import tables
    from mercer.config import section

    return open_assistant(doors, section(tables(folder).get("assistant", {}), AssistantSettings, name="assistant"))


def show(answer: Answer) -> None:
    """Print sentences with the number of their source, and the sources below."""
    from rich.markup import escape

    numbers = {source.id: place for place, source in enumerate(answer.sources, start=1)}
    for sentence in answer.sentences:
        marks = "".join(f"\\[{numbers[id]}]" for id in sentence.sources if id in numbers)
        answers.print(f"{escape(sentence.text)} [dim]{marks}[/]", highlight=False)
    for source in answer.sources:
        answers.print(
            f"[dim]\\[{numbers[source.id]}] {source.kind} {escape(source.id)}: {escape(source.title[:80])}[/]"
        )
    if answer.action is not None:
        told = ", ".join(f"{name} {value}" for name, value in answer.action.arguments.items())
        answers.print(f"[bold]{answer.action.tool}[/] {escape(told)}: {answer.action.status}", highlight=False)
    said = [f"conversation {answer.conversation}", *answer.intents]
    said += [f"handed over: {answer.handover}"] if answer.handover else []
    said += [answer.degraded] if answer.degraded else []
    answers.print(f"[dim]{escape(' · '.join(said))}[/]", highlight=False)
