"""`mercer compress SHOP`: the shop's encoder in; a smaller, faster version of it among the shop's models out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercer.cli.terminal import JsonFlag, ShopArgument, answers, console, print_json, progress

if TYPE_CHECKING:
    from mercer.encode import Encoder, EncodeSettings
    from mercer.encode.compress import CompressSettings, Corpus, Heal, State, Step
    from mercer.encode.model import Model
    from mercer.shop import Shop

__all__ = ["register"]

HEALED_BY = 8000
"""Texts of each side that layers are healed with, at most."""
METRIC = "nDCG@10"
ASKED = 500
"""Queries made of titles where the shop has none of its own."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compress")(compress)


def compress(
    folder: ShopArgument,
    model: Annotated[
        str, typer.Option(help="A version among the shop's models; the live index's encoder if absent.")
    ] = "",
    trim: Annotated[bool, typer.Option("--trim", help="Leave out word pieces that the shop does not use.")] = False,
    layers: Annotated[int, typer.Option(help="Layers that stay; the others are dropped, and the loss healed.")] = 0,
    dimension: Annotated[int, typer.Option(help="Numbers in a vector.")] = 0,
    int8: Annotated[
        bool, typer.Option("--int8", help="Weights of 8 bits, in the fastest way within the limit.")
    ] = False,
    static: Annotated[
        bool, typer.Option("--static", help="Queries in microseconds, by a table of word pieces.")
    ] = False,
    limit: Annotated[float, typer.Option(help="Share of nDCG@10 that a step may lose.")] = 0.005,
    static_limit: Annotated[float, typer.Option(help="The same for --static.")] = 0.05,
    gains: Annotated[str, typer.Option(help="Gain of each grade: 3=1,2=.1,1=.01,0=0.")] = "",
    seed: Annotated[int, typer.Option(help="Of samples, invented queries and healing.")] = 7,
    json: JsonFlag = False,
) -> None:
    """Make the encoder smaller and faster, step by step, and refuse what loses more than the limit.

    The new version is kept among the shop's models. `mercer promote SHOP VERSION --kind models` makes it live if the
    judged queries do not show it to be worse than the full model at 95 %.
    """
    from mercer.encode.compress import CompressSettings
    from mercer.shop import Shop

    settings = CompressSettings(
        trim=trim,
        layers=layers,
        dimension=dimension,
        int8=int8,
        static=static,
        limit=limit,
        static_limit=static_limit,
        seed=seed,
    )
    shop, started = Shop(folder), time.monotonic()
    version, steps = _compressed(shop, model, settings, gains)
    seconds = round(time.monotonic() - started, 1)
    if json:
        print_json({"version": version, "seconds": seconds, "steps": [step.json() for step in steps]})
        return
    answers.print("\n".join(_lines(steps)), highlight=False, soft_wrap=True)
    console.print(f"[dim]{_told_by(steps)}; one thread, processor time; {seconds:.0f} s in all[/]", highlight=False)
    console.print(
        f"model [bold]{version}[/] is not live: mercer promote {folder} {version} --kind models --override WHY"
    )


def _compressed(shop: Shop, named: str, settings: CompressSettings, gains: str) -> tuple[str, list[Step]]:
    from tempfile import TemporaryDirectory

    from mercer.encode.cache import VectorCache
    from mercer.encode.compress import compress as run
    from mercer.encode.model import read
    from mercer.shop import content_hash, disk_errors

    corpus, checked = _corpus(shop, gains)
    base, source, encode = _base(shop, named, corpus)
    with disk_errors(shop.store), shop.writing("models") as folder, progress() as bars:
        task = bars.add_task("compress", total=None)
        with TemporaryDirectory(prefix=".compress-", dir=shop.store) as work:
            steps = run(
                base,
                corpus,
                settings,
                folder,
                work=Path(work),
                encode=encode,
                heal=_healing(corpus, settings, encode),
                cache=VectorCache(shop.cache),
                tick=lambda name: bars.update(task, description=name),
            )
        hash = read(folder).hash
        version = f"encoder/{content_hash(hash, checked)}"
        card = {
            "checked": checked,
            "compressed": True,
            "base": {"model": source, "label": base.label, "hash": base.hash},
            "dimension": steps[-1].after.dimension,
            "settings": dataclasses.asdict(settings),
            "steps": [step.json() for step in steps],
            "seed": settings.seed,
        }
        shop.keep("models", folder, card, version=version)
    _prove(shop, version, source, steps)
    return version, steps


def _prove(shop: Shop, version: str, source: str, steps: Sequence[Step]) -> None:
    """Keep a proof that the last model is not worse than the full one, query by query, for `mercer promote`.

    None where nothing is judged, or where the full model is one of the shop's that has no good proof itself.
    """
    from mercer.doors.prove import Proof, keep_proof, proof_refusal
    from mercer.measure.compare import compare as paired

    before, after = steps[0].before.quality, steps[-1].after.quality
    unproved = source in shop.versions("models") and proof_refusal(shop, source)
    if before.judged is None or after.judged is None or unproved:
        return
    found = {METRIC: paired(after.values, before.values, seed=7)}
    means = ({"dense": before.judged}, {"dense": after.judged})
    keep_proof(shop, version, Proof(METRIC, *means, found, (), worse=0.0, labelled=True))


def _corpus(shop: Shop, gains: str) -> tuple[Corpus, str]:
    """Products and queries of the newest checked data, with the metric of those that are judged."""
    import pyarrow.parquet as pq

    from mercer.doors.build import latest
    from mercer.encode.compress import Corpus
    from mercer.encode.compress.invent import invent
    from mercer.records import Product
    from mercer.retrieve.text import passage

    version = latest(shop)
    source = shop.path("checked", version)

    def rows(family: str) -> list[dict[str, Any]]:
        path = source / f"{family}.parquet"
        return pq.read_table(path).to_pylist() if path.exists() else []

    products = {str(row["id"]): Product.from_row(row) for row in rows("products")}
    truth: dict[str, dict[str, float]] = {}
    for row in rows("judgments"):
        if row["grade"] is not None and str(row["product"]) in products:
            truth.setdefault(str(row["query_id"]), {})[str(row["product"])] = row["grade"]
    queries = {str(row["query_id"]): row["text"] for row in rows("queries") if row["text"]}
    judged = {id: text for id, text in queries.items() if id in truth}
    titles = [product.title for product in products.values() if product.title]
    asked = judged or queries or _numbered(invent(titles, most=ASKED, seed=7))
    metric = _metric({id: truth[id] for id in judged}, gains) if judged else None
    graded = frozenset(product for id in judged for product in truth[id])
    shown = {id: text for id, product in products.items() if (text := passage(product))}
    return Corpus(asked, shown, titles, metric, graded), version


def _numbered(texts: Sequence[str]) -> dict[str, str]:
    """Invented queries by ids."""
    return {f"invented {at}": text for at, text in enumerate(texts)}


def _metric(truth: Mapping[str, Mapping[str, float]], gains: str) -> Any:
    from mercer.measure.metric import parse_all, parse_gains

    (metric,) = parse_all([METRIC], gains=parse_gains(gains) if gains else None)

    def measured(runs: Mapping[str, Sequence[str]]) -> Mapping[str, float]:
        asked = {id: truth[id] for id in runs if id in truth}
        return metric({id: list(runs[id]) for id in asked}, asked)

    return measured


def _base(shop: Shop, named: str, corpus: Corpus) -> tuple[Model, str, EncodeSettings]:
    """The model to compress: the version named, else the live index's own, else what the settings say."""
    from mercer.cli.settings import read_settings
    from mercer.doors.build import encoder_settings
    from mercer.encode import choose
    from mercer.encode.source import default_cache, resolve

    encode = read_settings(shop.folder).encode
    live = shop.live("index")
    recipe = shop.card("index", live.version)["encoder"] if live else {}
    if named:
        recipe = {"model": named}
    encode = encoder_settings(shop, encode, recipe)
    source = choose(corpus.titles, chinese_share=encode.chinese_share) if encode.source == "auto" else encode.source
    cache = Path(encode.cache).expanduser() if encode.cache else default_cache()
    return resolve(source, cache=cache, timeout=encode.hub_timeout), recipe.get("model", "") or source, encode


def _healing(corpus: Corpus, settings: CompressSettings, encode: EncodeSettings) -> Heal | None:
    if not settings.layers:
        return None

    def healing(dropped: Model, teacher: Encoder, folder: Path) -> Model:
        from mercer.encode.compress.invent import invent
        from mercer.encode.model import read
        from mercer.learn.heal import heal

        every: list[Any] = [(text, "passage") for text in list(corpus.products.values())[:HEALED_BY]]
        asked = [*corpus.titles[:HEALED_BY], *invent(corpus.titles, most=HEALED_BY, seed=settings.seed)]
        every += [(text, "query") for text in asked]
        heal(dropped, teacher, every, folder, length=min(encode.max_length, dropped.positions), seed=settings.seed)
        return read(folder, label=dropped.label)

    return healing


def _lines(steps: Sequence[Step]) -> list[str]:
    """A table: the full model, then the model after each step."""
    first = steps[0].before
    head = f"{'':12}{'MB':>9}{'queries/s':>12}{'times':>8}{'products/s':>12}{'figure':>9}{'loss':>9}{'top 10':>9}"
    lines = [head, _line("full", first, first, None)]
    return lines + [_line(step.name, step.after, first, step.loss) for step in steps]


def _line(name: str, state: State, first: State, loss: float | None) -> str:
    said = "" if loss is None else f"{loss:.2%}"
    return (
        f"{name:12}{state.bytes / 1e6:>9,.1f}{state.queries:>12,.0f}{state.queries / first.queries:>8.1f}"
        f"{state.texts:>12,.0f}{state.quality.figure:>9.4f}{said:>9}{state.quality.overlap:>9.3f}"
    )


def _told_by(steps: Sequence[Step]) -> str:
    judged = steps[0].before.quality.judged is not None
    return "figure: nDCG@10 of judged queries" if judged else "figure: what the ten best keep of the full model's own"
