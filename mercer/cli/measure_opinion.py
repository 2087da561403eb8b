"""`mercer measure opinion`: labelled texts in; how well a head tells them apart, beside a plain baseline, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, answers, console, print_json, progress
from mercer.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.encode import Encoder
    from mercer.opinion.labelled import Labelled
    from mercer.opinion.trial import Set, Trial, Tuned

__all__ = ["encoder_for", "register"]

PROBE = 32
"""Texts encoded to see how long all will take."""
HeadOption = Annotated[
    str, typer.Option(help="What vectors come from: auto, none, minilm, e5 or a model's folder; none is fastest.")
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("opinion")(opinion)


def opinion(
    documents: Annotated[Path, typer.Option(help="CSV, TSV, JSON lines, JSON or Parquet with texts; .gz, .zst.")],
    labels: Annotated[Path | None, typer.Option(help="Their labels, where they are in a second file.")] = None,
    text: Annotated[str, typer.Option(help="Column of texts; guessed where not named.")] = "",
    label: Annotated[str, typer.Option(help="Column of labels; guessed where not named.")] = "",
    id: Annotated[str, typer.Option(help="Column by which both files belong together.")] = "",
    folds: Annotated[int, typer.Option(help="Folds; each text is tested once.", min=2, max=20)] = 5,
    test: Annotated[Path | None, typer.Option(help="Labelled texts to test on instead of folds.")] = None,
    test_labels: Annotated[Path | None, typer.Option(help="Labels of --test, where in a second file.")] = None,
    encoder: HeadOption = "auto",
    minutes: Annotated[
        float, typer.Option(help="Most minutes for vectors; with auto, none where it takes longer.")
    ] = 10,
    tune: Annotated[
        float, typer.Option(help="Passes in which the encoder itself is trained in each fold; 0 trains none.", min=0)
    ] = 0,
    shots: Annotated[str, typer.Option(help="Few-shot curve: texts a class, as 2,4,8,16,32,64.")] = "",
    draws: Annotated[int, typer.Option(help="Draws of each point of the curve.", min=1, max=50)] = 5,
    report: Annotated[Path, typer.Option(help="Page with plots.")] = Path("measure-opinion.html"),
    cache: Annotated[Path | None, typer.Option(help="Folder where vectors are kept; else Mercer's own cache.")] = None,
    seed: Annotated[int, typer.Option(help="Of splits and intervals.")] = 7,
    json: JsonFlag = False,
) -> None:
    """Measure sentiment, topics or any labels on any labelled file: k folds without copies, beside TF-IDF."""
    from mercer.opinion.labelled import read_labelled
    from mercer.opinion.trial import few_shot, prepare, trial
    from mercer.opinion.trial_page import trial_json, trial_page
    from mercer.shop import disk_errors

    started, numbers = time.monotonic(), _shots(shots)
    with progress() as bars:
        task = bars.add_task("read", total=None)

        def tick(what: str) -> None:
            bars.update(task, description=what)

        given = read_labelled(documents, labels, text=text, label=label, id=id)
        console.print(f"text: {given.columns.text!r}, label: {given.columns.label!r}", highlight=False, markup=False)
        texts, said, notes = given.texts, given.labels, [_said(given)]
        if test is not None:
            other = read_labelled(test, test_labels, text=text, label=label, id=id)
            texts, said = texts + other.texts, said + other.labels
        tick("look for copies")
        prepared = prepare(texts, said)
        rows = _tested(prepared, len(given.texts)) if test is not None else None
        if rows is not None:
            prepared, rows = _apart(prepared, rows)
        model, vectors, note = encoder_for(prepared.texts, encoder, minutes=minutes, cache=cache, tick=tick)
        notes.append(note)
        tuned = _tuned(prepared, encoder, tune, tick) if tune else None
        made = trial(
            prepared, folds=folds, test=rows, encoder=model, vectors=vectors, seed=seed, tuned=tuned, tick=tick
        )  # fmt: skip
        few = (
            few_shot(prepared, numbers, draws=draws, encoder=model, vectors=vectors, seed=seed, tick=tick)
            if numbers
            else []
        )
    with disk_errors(report):
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(trial_page(made, name=documents.name, notes=notes, shots=few), "utf-8")
    found = {
        "documents": str(documents), "columns": {"text": given.columns.text, "label": given.columns.label},
        "unread": dict(given.left_out), "notes": [one for one in notes if one], "encoder": model.name if model else "",
        **trial_json(made, few), "seconds": round(time.monotonic() - started, 1), "report": str(report), "seed": seed,
    }  # fmt: skip
    if json:
        print_json(found)
    else:
        _show(made, found)


def encoder_for(
    texts: Sequence[str], source: str, *, minutes: float, cache: Path | None, tick: Callable[[str], None]
) -> tuple[Encoder | None, NDArray[np.float32] | None, str]:
    """The encoder, vectors of all texts, and what to say about it; none where it would take too long."""
    if source == "none":
        return None, None, "no vectors: --encoder none"
    from mercer.encode import EncodeSettings, load
    from mercer.encode.cache import VectorCache
    from mercer.encode.source import default_cache
    from mercer.errors import MissingExtra, ModelError

    tick("load the encoder")
    try:
        model = load(source, texts=texts[:2000], settings=EncodeSettings())
    except (MissingExtra, ModelError) as error:
        if source != "auto":
            raise
        return None, None, f"no vectors: {error.problem} ({error.cure})"
    kept = VectorCache(cache or default_cache() / "opinion")
    step = max(1, len(texts) // PROBE)
    kept.encode(model, texts[:2])  # the first run is slower than all others
    before, began = kept.encoded, time.monotonic()
    kept.encode(model, texts[step // 2 :: step][:PROBE])
    fresh = kept.encoded - before
    each = (time.monotonic() - began) / max(1, fresh) if fresh else 0.0
    if source == "auto" and each * len(texts) > 60 * minutes:
        needed = each * len(texts) / 60
        return (
            None,
            None,
            f"no vectors: they take {needed:.0f} minutes; --encoder {source} --minutes {needed + 5:.0f} waits",
        )
    done = 0

    def encoded(more: int) -> None:
        nonlocal done
        done += more
        tick(f"encode {done:,}/{len(texts):,}")

    return model, kept.encode(model, texts, tick=encoded), f"vectors of {model.name}"


def _tuned(prepared: Set, source: str, epochs: float, tick: Callable[[str], None]) -> Tuned:
    """What trains the encoder fold by fold."""
    from mercer.encode.choose import choose
    from mercer.encode.source import default_cache, resolve
    from mercer.learn.opinion import tuned_chances
    from mercer.learn.settings import LearnSettings, need_packages

    need_packages(LearnSettings())
    named = choose(prepared.texts[:2000]) if source in ("auto", "none") else source
    return tuned_chances(resolve(named, cache=default_cache(), timeout=5.0), prepared.labels, epochs=epochs, tick=tick)


def _shots(given: str) -> list[int]:
    try:
        found = sorted({int(one) for one in given.split(",") if one.strip()})
    except ValueError as error:
        raise RequestError(f"shots is {given!r}", cure="give numbers with commas: 2,4,8,16") from error
    if found and not 1 <= found[0] <= found[-1] <= 100_000:
        raise RequestError(f"shots is {given!r}", cure="give numbers from 1 to 100000")
    return found


def _tested(prepared: Set, trained: int) -> NDArray[np.int64]:
    """Texts that come from the file to test on."""
    import numpy as np

    return np.flatnonzero(prepared.taken >= trained)


def _apart(prepared: Set, rows: NDArray[np.int64]) -> tuple[Set, NDArray[np.int64]]:
    """Leave out texts to test on of which a near copy is learned from; a copy was left out before."""
    import dataclasses

    import numpy as np

    inside = np.setdiff1d(np.arange(len(prepared.texts)), rows)
    seen = np.isin(prepared.groups, np.unique(prepared.groups[inside]))
    kept = np.sort(np.concatenate([inside, rows[~seen[rows]]]))
    if len(kept) == len(inside) or not len(inside):
        raise RequestError(f"{len(rows)} texts to test on, none new", cure="give --test a file with other texts")
    left = dataclasses.replace(
        prepared, texts=[prepared.texts[at] for at in kept], targets=prepared.targets[kept],
        groups=prepared.groups[kept], taken=prepared.taken[kept],
    )  # fmt: skip
    return left, np.flatnonzero(np.isin(kept, rows))


def _said(given: Labelled) -> str:
    """What was left out while reading."""
    parts = [f"{number:,} rows with {why}" for why, number in given.left_out.items()]
    return "; ".join([*given.notes, *(["left out: " + ", ".join(parts)] if parts else [])])


def _show(made: Trial, found: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("system", "accuracy", "95 %", "macro-F1", "95 %", "AUC", "ECE"):
        table.add_column(name)
    for name, one in made.figures.items():
        area = f"{one.auc:.4f}" if one.auc is not None else "–"
        ends = [f"{low:.4f} to {high:.4f}" for _, low, high in (one.accuracy, one.macro_f1)]
        table.add_row(
            name, f"{one.accuracy[0]:.4f}", ends[0], f"{one.macro_f1[0]:.4f}", ends[1], area, f"{one.ece:.4f}"
        )
    answers.print(table)
    for name, pair in made.against.items():
        low, high = pair.macro_f1[1:]
        answers.print(
            f"mercer less {name}: macro-F1 {pair.macro_f1[0]:+.4f} ({low:+.4f} to {high:+.4f})", highlight=False
        )
    for shot in found["shots"]:
        answers.print(
            f"{shot['shots']:5} texts a class  {shot['system']:30} macro-F1 {shot['macro_f1'][0]:.4f}", highlight=False
        )
    classes = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("class", "texts", "precision", "recall", "F1"):
        classes.add_column(name)
    for label, values in made.figures["mercer"].classes.items():
        row = [f"{values[name]:.4f}" for name in ("precision", "recall", "f1")]
        classes.add_row(escape(label[:40]), f"{values['texts']:,.0f}", *row)
    answers.print(classes)
    left = found["left_out"]
    console.print(
        f"{found['texts']:,} texts; {left['copies']:,} copies left out, "
        f"{found['near_copies_kept_together'] or 0:,} near copies kept on one side; plots: {found['report']}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    for note in found["notes"]:
        console.print(note, style="dim", highlight=False, markup=False, soft_wrap=True)
