"""`mercer learn SHOP`: checked data in; a tuned model, proved on held-out queries, and live only if better, out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from mercer.cli.learn_opinion import (
    DocumentsOption,
    HeadOption,
    LabelOption,
    LabelsOption,
    NamesOption,
    TaskOption,
    learn_opinion,
)
from mercer.cli.learn_ranks import together
from mercer.cli.terminal import JsonFlag, ShopArgument, print_json
from mercer.errors import RequestError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("learn")(together(learn))


def learn(
    folder: ShopArgument,
    what: Annotated[
        Literal["search", "assistant", "opinion"],
        typer.Argument(help="What learns: what finds products, the assistant, or what reads opinions."),
    ] = "search",
    reranker: Annotated[
        bool, typer.Option("--reranker", help="Train a cross-encoder that reads the best products once more.")
    ] = False,
    ranker: Annotated[
        bool, typer.Option("--ranker", help="Grow trees over all that is known, on top of the hybrid score.")
    ] = False,
    source: Annotated[
        Literal["auto", "judgments", "clicks", "both", "log"], typer.Option("--from", help="What a ranker learns from.")
    ] = "auto",
    budget: Annotated[
        float, typer.Option(help="Most minutes it may take, index and proof included; 0 is no limit.")
    ] = 0,
    train: Annotated[str, typer.Option(help="full, frozen, lora, adalora, prefix or adapter; else as set.")] = "",
    objective: Annotated[
        list[str] | None, typer.Option(help="contrastive, distil …; of a reranker relevance, listwise …; repeat.")
    ] = None,
    teacher: Annotated[str, typer.Option(help="Reranker that distil learns from; else the live one.")] = "",
    gains: Annotated[str, typer.Option(help="Gain of each grade: 3=1,2=.1,1=.01,0=0.")] = "",
    typos: Annotated[
        bool, typer.Option("--typos", help="A last stage that makes queries mean the same however they are typed.")
    ] = False,
    since: Annotated[
        str, typer.Option(help="last: only from what is new since the live encoder's data, without forgetting.")
    ] = "",
    search: Annotated[
        int, typer.Option("--search", help="Trials of other settings first; a search goes on where it ended.", min=0)
    ] = 0,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Learn from the catalogue alone.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Never go live; `mercer promote` does.")] = False,
    override: Annotated[str, typer.Option(help="Go on although a gate is closed, and why; kept in the cards.")] = "",
    seed: Annotated[int | None, typer.Option(help="Of splits, steps and weights.")] = None,
    task: TaskOption = "sentiment",
    documents: DocumentsOption = None,
    labels: LabelsOption = None,
    label: LabelOption = "",
    names: NamesOption = "",
    encoder: HeadOption = "none",
    json: JsonFlag = False,
) -> None:
    """Tune a model on the shop's own data, prove it on held-out queries, and make it live if it is no worse."""
    from mercer.cli.learn_answer import page_of, say, told
    from mercer.cli.learn_encoder import encoder_learned, steadying
    from mercer.cli.learn_ranker import learn_ranker
    from mercer.cli.learn_reranker import reranker_learned
    from mercer.cli.learn_run import gathered_of, start
    from mercer.cli.learn_search import searched_encoder
    from mercer.cli.learn_since import learn_since
    from mercer.cli.measure_fair import fair_settings

    if what == "assistant":
        from mercer.cli.learn_assistant import learn_assistant

        learn_assistant(folder, promote=not no_promote, override=override, seed=seed, json=json)
        return
    if what == "opinion":
        learn_opinion(
            folder, task=task, documents=documents, labels=labels, column=label, names=names, encoder=encoder,
            promote=not no_promote, override=override, seed=seed, json=json,
        )  # fmt: skip
        return
    if search and (reranker or since):
        raise RequestError("--search with --reranker or --since", cure="search for the encoder, or with --ranker")
    objectives = _named("objective", tuple(objective or ()))
    shared = _named("train", train) | _named("gains", gains) | _named("teacher", teacher)
    shared |= {} if seed is None else {"seed": seed}
    shared |= {"least": NOBODY} if no_labels else {}
    if ranker:
        learn_ranker(
            folder, source, changes=shared, promote=not no_promote, override=override, search=search, json=json
        )
        return
    own = objectives if reranker else {}
    run = start(folder, budget, override, shared if reranker else shared | objectives, own)
    run = steadying(run) if typos else run
    if since:
        limited = fair_settings(folder).least > 0
        learn_since(run, since, promote=not no_promote and not limited, json=json)
        return
    gathered = gathered_of(run)
    if search:
        run = searched_encoder(run, gathered, search)
    done = (reranker_learned if reranker else encoder_learned)(run, gathered)
    limited = fair_settings(folder).least > 0  # whom the new version hides is to be measured first
    promoted = not no_promote and ((done.proof.better and not limited) or bool(override))
    if promoted:
        run.shop.publish("index", done.index, override=override)
    page_of(run.shop, done)
    if json:
        print_json(told(run, gathered, done) | {"live": promoted})
    else:
        say(run, done, promoted=promoted)


NOBODY = 1_000_000
"""Fewest queries with labels, more than any shop has."""


def _named(name: str, value: str | Sequence[str]) -> dict[str, Any]:
    """A setting that the command line gives; nothing where it does not."""
    return {name: value} if value else {}
