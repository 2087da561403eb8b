"""A tuned encoder's folder and the pairs it learned from in; the same folder, steadier, with a report, out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.encode.model import Model, read
from mercer.learn.augment import Augment, instead_of
from mercer.learn.augment_rewrite import by_command
from mercer.learn.consistent import steady
from mercer.learn.perturb import perturbed
from mercer.learn.pool import Pool
from mercer.learn.precision import device, precision_of
from mercer.learn.run import Tick
from mercer.learn.settings import LearnSettings
from mercer.learn.tower import Tower, build

if TYPE_CHECKING:
    from mercer.learn.gather import Gathered
    from mercer.shop import Shop

__all__ = ["augment_of", "steadied"]

REWRITTEN = 5000
"""Queries that a rewriter is asked for at most."""


def augment_of(shop: Shop, gathered: Gathered, settings: LearnSettings) -> Augment:
    """What types this shop's queries otherwise: its own characters, its owner's synonyms, its owner's rewriter.

    Raises:
        FormatError: the synonyms cannot be read. SettingsError: the rewriter fails.
    """
    from mercer.understand.synonym import FILE, Synonyms

    path = shop.folder / FILE
    rules = Synonyms.read(path).rules if path.exists() else ()
    pairs = [pair for rule in rules for pair in rule.pairs()]
    queries = _queries(gathered, settings.consistent.longest)
    characters = frozenset(letter for text in queries for letter in text if "\u4e00" <= letter <= "\u9fff")
    how = settings.augment
    rewritten = by_command(queries[:REWRITTEN], how.rewriter) if how.rewriter else {}
    return Augment(how.ways, instead_of(pairs), rewritten, characters)


def steadied(
    folder: Path,
    work: Path,
    gathered: Gathered,
    settings: LearnSettings,
    *,
    augment: Augment,
    pool: Pool | None,
    seconds: float,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Put the last stage on the model in `folder`; what it did, with a perturbation report where there is a pool.

    Args:
        folder: of the tuned model; its files are replaced.
        work: a folder for what is half done.
        gathered: whose training queries, labelled and invented, are typed otherwise.
        settings: see there.
        augment: see `augment_of`.
        pool: held-out queries.
        seconds: most time it may take.
        tick: told step, steps in all and the loss.
    """
    from mercer.retrieve.text import passage

    model = read(folder)
    before, after = _tower(model, settings, 0.0), _tower(model, settings, 0.0)
    passages = [passage(product) for product in gathered.products.values()]
    queries = _queries(gathered, settings.consistent.longest)
    done = steady(
        after, queries, passages, augment, settings.consistent, seed=settings.seed, seconds=seconds, tick=tick
    )
    made = work / "steady"
    shutil.rmtree(made, ignore_errors=True)
    after.save(made)
    told: dict[str, Any] = {"steps": done.steps, "seconds": done.seconds, "losses": list(done.losses)}
    if pool is not None:
        told["report"] = [one.json() for one in perturbed(before, after, pool, augment, seed=settings.seed)]
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return told


def _queries(gathered: Gathered, longest: int) -> Sequence[str]:
    """Training queries, labelled ones first, each once."""
    both: tuple[Mapping[str, Any], ...] = (gathered.labelled, gathered.invented)
    texts = (text for parts in both for text in parts["train"]["query"].to_pylist())
    return [text for text in dict.fromkeys(texts) if len(text) < longest]


def _tower(model: Model, settings: LearnSettings, dropout: float) -> Tower:
    tower = build(model, length=settings.length, dropout=dropout)
    tower.to(device())
    tower.precision = precision_of(settings.precision)
    return tower
