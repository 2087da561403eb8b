"""`mercer measure classify`: labelled texts, and ways to learn from few of them, in; how often each is right out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, answers, console, print_json, progress
from mercer.errors import DataError, NotFoundError, RequestError

if TYPE_CHECKING:
    from mercer.learn.few_ways import Seen

__all__ = ["labelled_texts", "measure_ways", "register"]

VECTORS = ("frozen", "both", "self", "mixed")
"""Ways that look at frozen vectors."""
TRAINED = ("setfit", "pretrained", "prompt", "tuned", "mixed")
"""Ways that train the encoder, which takes minutes."""
ALL = 0
"""Shots: every text of the training file."""


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command("classify")(classify)


def classify(
    train: Annotated[Path, typer.Option(help="Labelled texts to learn from: CSV, TSV, JSON lines or Parquet.")],
    test: Annotated[Path, typer.Option(help="Labelled texts to be told apart, none of which is learned from.")],
    text: Annotated[str, typer.Option(help="Column with the text.")] = "text",
    label: Annotated[str, typer.Option(help="Column with the class.")] = "label",
    ways: Annotated[
        str, typer.Option(help="Of frozen, tfidf, both, self, setfit, pretrained, prompt, tuned, mixed.")
    ] = "frozen,tfidf,both",
    shots: Annotated[str, typer.Option(help="Texts of each class to learn from, by commas; all is every one.")] = "all",
    seeds: Annotated[int, typer.Option(help="Draws of those texts; of all there is one.", min=1)] = 5,
    encoder: Annotated[str, typer.Option(help="auto, minilm, e5 or a model folder.")] = "auto",
    shop: Annotated[Path | None, typer.Option(help="Shop whose [learn.head], [learn.self] … are taken.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that vectors are kept in for the next call.")] = None,
    unlabelled: Annotated[int, typer.Option(help="Other training texts, labels hidden, for self and prompt.")] = 3000,
    epochs: Annotated[float, typer.Option(help="Passes of tuned and mixed over all texts.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Of the first draw; the next ones count up.")] = 7,
    json: JsonFlag = False,
) -> None:
    """Measure text classifiers on a labelled file: accuracy and macro F1 with 95 % intervals, by texts a class."""
    named, counts = _ways(ways), _shots(shots)
    learned, tested = (labelled_texts(path, text, label) for path in (train, test))
    twice = set(learned[0]) & set(tested[0])
    said = measure_ways(
        learned,
        tested,
        ways=named,
        shots=counts,
        seeds=seeds,
        source=encoder,
        cache=cache,
        epochs=epochs,
        unlabelled=unlabelled,
        own=_own(shop),
        seed=seed,
    )
    told = {
        "train": len(learned[0]),
        "test": len(tested[0]),
        "classes": len(set(learned[1])),
        "test_texts_also_in_train": sum(one in twice for one in tested[0]),
        "rows": said,
    }
    if json:
        print_json(told)
        return
    answers.print(_table(said))
    if twice:
        count = told["test_texts_also_in_train"]
        console.print(f"[yellow]{count:,} test texts stand in the training file too[/]", highlight=False)


def measure_ways(
    learned: tuple[Sequence[str], Sequence[str]],
    tested: tuple[Sequence[str], Sequence[str]],
    *,
    ways: Sequence[str],
    shots: Sequence[int],
    seeds: int,
    source: str = "auto",
    cache: Path | None = None,
    epochs: float = 3.0,
    unlabelled: int = 3000,
    own: Mapping[str, Any] | None = None,
    seed: int = 7,
) -> list[dict[str, Any]]:
    """One row a way and number of shots: accuracy, interval, spread, F1, seconds, and the gain over the first way.

    The interval is that of the mean over test texts, each text's value being the mean over draws.

    Raises:
        RequestError: a way that is unknown. DataError: one class alone.
    """
    import numpy as np

    from mercer.learn.few_ways import WAYS, Case, drawn, right
    from mercer.measure.classify import f1
    from mercer.measure.compare import compare, interval

    seen, model = _seen(source, [*learned[0], *tested[0]], ways, cache)
    rows: list[dict[str, Any]] = []
    with progress() as bars:
        task = bars.add_task("classify", total=sum(seeds if count else 1 for count in shots) * len(ways))
        for count in shots:
            first: dict[str, float] = {}
            for way in ways:
                hits, scores, began = [], [], time.monotonic()
                for number in range(seeds if count else 1):
                    chosen = drawn(learned[1], count, seed=seed + number)
                    left = np.setdiff1d(np.arange(len(learned[0])), chosen)
                    shuffled = np.random.default_rng([seed + number, 42]).permutation(left)
                    rest = [learned[0][row] for row in shuffled[:unlabelled]]
                    texts, labels = ([column[row] for row in chosen] for column in learned)
                    case = Case(texts, labels, rest, seed + number, seen, model, epochs=epochs, own=own or {})
                    found, guesses = right(WAYS[way](case, tested[0]), tested[1])
                    hits.append(found)
                    scores.append(f1(tested[1], guesses))
                    bars.advance(task)
                each = dict(zip(map(str, range(len(tested[0]))), np.mean(hits, axis=0).tolist(), strict=True))
                spread = interval(list(each.values()), seed=seed)
                first = first or each
                gain = compare(each, first, seed=seed)
                rows.append(
                    {
                        "shots": count or "all",
                        "way": way,
                        "accuracy": spread.value,
                        "low": spread.low,
                        "high": spread.high,
                        "deviation": float(np.std([found.mean() for found in hits])),
                        "f1": float(np.mean(scores)),
                        "draws": len(hits),
                        "gain": gain.difference,
                        "gain_low": gain.low,
                        "gain_high": gain.high,
                        "seconds": round((time.monotonic() - began) / len(hits), 2),
                    }
                )
    return rows


def labelled_texts(path: Path, text: str, label: str) -> tuple[list[str], list[str]]:
    """Texts and classes of a file of any kind; rows that lack either are left out.

    Raises:
        NotFoundError: no file, or no such column. DataError: no labelled text.
    """
    from mercer.quality.rows import Bad
    from mercer.quality.table_file import TableFile

    file = TableFile(path, "reviews")
    if missing := [name for name in (text, label) if name not in file.columns]:
        known = ", ".join(list(file.columns)[:12])
        raise NotFoundError(f"{path} has no column {missing[0]!r}", cure=f"name one of {known} with --text, --label")
    texts: list[str] = []
    labels: list[str] = []
    for batch in file.batches([text, label], Bad()):
        for said, name in zip(*(batch.columns[column].to_pylist() for column in (text, label)), strict=True):
            if said is not None and name is not None and str(said).strip() and str(name).strip():
                texts.append(str(said).strip())
                labels.append(str(name).strip())
    if not texts:
        raise DataError(f"{path} has no row with {text!r} and {label!r}", cure="label some texts first")
    return texts, labels


def _seen(source: str, texts: Sequence[str], ways: Sequence[str], cache: Path | None) -> tuple[Seen | None, Any]:
    """Vectors where a way looks at them, and the files of the model where one trains it."""
    from mercer.encode import EncodeSettings, load
    from mercer.encode.cache import VectorCache
    from mercer.encode.language import chinese_share
    from mercer.encode.source import default_cache, resolve
    from mercer.learn.few_ways import Seen

    settings = EncodeSettings()
    name = source
    if source == "auto":
        name = "e5" if chinese_share(texts[:2000]) >= settings.chinese_share else "minilm"
    trained = any(way in TRAINED for way in ways)
    model = resolve(name, cache=default_cache(), timeout=settings.hub_timeout) if trained else None
    if not any(way in VECTORS for way in ways):
        return None, model
    encoder = load(name, engine="auto", texts=texts[:2000])
    with progress() as bars:
        task = bars.add_task("encode", total=len(set(texts)))

        def encode(held: Sequence[str]) -> Any:
            def tick(more: int) -> None:
                bars.advance(task, more)

            if cache is None:
                return encoder(held, side="query", tick=tick)
            return VectorCache(cache).encode(encoder, held, side="query", tick=tick)

        return Seen(encoder, texts, encode), model


def _own(shop: Path | None) -> dict[str, Any]:
    """Settings of the ways by section, as a shop's mercer.toml has them."""
    if shop is None:
        return {}
    from mercer.cli.settings import tables
    from mercer.config import section
    from mercer.learn.few_contrast import ContrastSettings
    from mercer.learn.few_pretrain import PretrainSettings
    from mercer.learn.head import HeadSettings
    from mercer.learn.prompt import PromptSettings
    from mercer.learn.self_train import SelfSettings

    found = tables(shop).get("learn", {})
    kinds = {
        "head": HeadSettings,
        "self": SelfSettings,
        "contrast": ContrastSettings,
        "pretrain": PretrainSettings,
        "prompt": PromptSettings,
    }
    return {name: section(found.get(name, {}), kind, name=f"learn.{name}") for name, kind in kinds.items()}


def _ways(given: str) -> list[str]:
    from mercer.learn.few_ways import WAYS

    named = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not named or set(named) - set(WAYS):
        raise RequestError(f"ways {given!r}", cure=f"name some of {', '.join(WAYS)}, by commas")
    return named


def _shots(given: str) -> list[int]:
    counts = []
    for one in given.split(","):
        word = one.strip()
        if word != "all" and not (word.isdigit() and int(word) > 0):
            raise RequestError(f"shots {given!r}", cure="give numbers above 0, or all, by commas: 1,5,10,all")
        counts.append(ALL if word == "all" else int(word))
    return list(dict.fromkeys(counts))


def _table(rows: Sequence[Mapping[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("a class", "way"):
        table.add_column(name)
    for name in ("accuracy", "95 %", "±draws", "F1", "over the first", "seconds"):
        table.add_column(name, justify="right")
    for row in rows:
        over = f"{row['gain']:+.3f} [{row['gain_low']:+.3f}, {row['gain_high']:+.3f}]" if row["gain"] else ""
        table.add_row(
            str(row["shots"]),
            row["way"],
            f"{row['accuracy']:.4f}",
            f"[{row['low']:.3f}, {row['high']:.3f}]".replace("[", r"\["),
            f"{row['deviation']:.3f}",
            f"{row['f1']:.3f}",
            over.replace("[", r"\["),
            f"{row['seconds']:.1f}",
        )
    return table
