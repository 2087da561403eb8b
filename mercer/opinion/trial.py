"""Labelled texts in; what a head is worth on texts it never saw, beside a plain baseline, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mercer.encode import Encoder
from mercer.errors import DataError, RequestError
from mercer.opinion.baseline import baseline
from mercer.opinion.distinct import Distinct, distinct
from mercer.opinion.figures import Chances, Figures, Paired, figures, paired
from mercer.opinion.fit import FitSettings, Seen, fit, look

__all__ = ["BASELINE", "Set", "Shot", "Trial", "few_shot", "prepare", "split", "trial"]

BASELINE = "TF-IDF + logistic regression"
FROZEN = "mercer without tuning"
Rows = NDArray[np.int64]
Tuned = Callable[[Sequence[str], Rows, Sequence[str]], Chances]
"""Texts to learn from, their classes, texts to ask → chances."""
Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Set:
    """Texts once each, with the place of their class, and the group that must stay on one side of a split."""

    texts: list[str]
    targets: Rows
    labels: tuple[str, ...]
    groups: Rows
    copies: int
    """Texts left out because an earlier one says the same."""
    contradicted: int
    """Texts left out because their copies have other labels."""
    near: int
    """Texts that nearly say what an earlier one says; they are kept, on its side of the split."""
    rare: int
    """Texts left out because their class has a single one."""
    looked_near: bool
    taken: Rows
    """Places of the texts among those given."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Every text's chances by a head that never saw it, system by system."""

    texts: Set
    tested: Rows
    chances: Mapping[str, Chances]
    figures: Mapping[str, Figures]
    against: Mapping[str, Paired]
    """System → the first system less this one."""
    folds: int


@dataclass(frozen=True, slots=True)
class Shot:
    """What so many texts a class are enough for: mean and spread over draws."""

    shots: int
    system: str
    macro_f1: tuple[float, float, float]
    """Mean, lowest, highest over the draws."""
    accuracy: tuple[float, float, float]


def prepare(texts: Sequence[str], labels: Sequence[str], *, near: bool = True) -> Set:
    """Take copies out, keep near copies together, leave out what has two labels or a class of its own.

    Raises:
        DataError: fewer than two classes are left.
    """
    found: Distinct = distinct(texts, near=near)
    said: dict[int, set[str]] = {}
    for place, label in zip(found.first.tolist(), labels, strict=True):
        said.setdefault(place, set()).add(label)
    firsts = [place for place in sorted(said) if len(said[place]) == 1]
    sizes: dict[str, int] = {}
    for place in firsts:
        sizes[labels[place]] = sizes.get(labels[place], 0) + 1
    kept = [place for place in firsts if sizes[labels[place]] > 1]
    names = tuple(sorted({labels[place] for place in kept}, key=_order))
    if len(names) < 2:
        raise DataError(
            f"{len(texts)} texts leave {len(names)} classes of two texts or more", cure="give more labelled texts"
        )
    at = {name: number for number, name in enumerate(names)}
    groups = found.group[kept]
    _, first = np.unique(groups, return_index=True)
    return Set(
        [texts[place] for place in kept], np.array([at[labels[place]] for place in kept], np.int64), names, groups,
        copies=found.copies, contradicted=len(said) - len(firsts), near=len(kept) - len(first),
        rare=len(firsts) - len(kept), looked_near=found.near, taken=np.array(kept, np.int64),
    )  # fmt: skip


def _order(name: str) -> tuple[int, float, str]:
    """Numbers by size, then names."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


def split(given: Set, folds: int, *, seed: int) -> Rows:
    """(texts,) fold of each: classes are spread evenly, groups stay whole.

    Raises:
        RequestError: folds below 2 or more than texts.
    """
    if not 2 <= folds <= len(given.texts):
        raise RequestError(f"{folds} folds for {len(given.texts)} texts", cure="give 2 to 20")
    rng = np.random.default_rng(seed)
    names, first = np.unique(given.groups, return_index=True)
    found: dict[int, int] = {}
    for label in range(len(given.labels)):
        mine = names[given.targets[first] == label]
        start = int(rng.integers(folds))
        found |= {int(group): (start + at) % folds for at, group in enumerate(rng.permutation(mine))}
    return np.array([found[int(group)] for group in given.groups], np.int64)


def trial(
    given: Set, *, folds: int = 5, test: Rows | None = None, encoder: Encoder | None = None,
    vectors: NDArray[np.float32] | None = None, settings: FitSettings | None = None, seed: int = 7,
    tuned: Tuned | None = None, tick: Tick | None = None,
) -> Trial:  # fmt: skip
    """Fit and ask fold by fold; every system sees the same texts.

    Args:
        given: of `prepare`.
        folds: number of folds.
        test: rows to be tested on instead of folds.
        encoder: adds the view ``vectors``, and the system ``without vectors`` beside it.
        vectors: of the texts, where they are known.
        settings: of the head.
        seed: of the split and the intervals.
        tuned: chances by an encoder that is trained on each fold; the head's and its are multiplied, and the head
            alone and the encoder alone stand beside.
        tick: told what is done next.
    """
    tick = tick or (lambda _: None)
    tick("count words")
    seen = look(given.texts, encoder=encoder, vectors=vectors)
    fold = split(given, folds, seed=seed) if test is None else np.isin(np.arange(len(seen)), test).astype(np.int64)
    numbers = range(folds) if test is None else (1,)
    alone = [*([FROZEN] if tuned else []), *(["mercer without vectors"] if encoder is not None else []), BASELINE]
    systems = ["mercer", *(["tuned encoder alone"] if tuned else []), *alone]
    chances = {name: np.zeros((len(seen), len(given.labels))) for name in systems}
    for number in numbers:
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        for name in alone if tuned else systems:
            tick(f"fold {number + 1 if test is None else 1}/{len(numbers)}: {name}")
            chances[name][outside] = _asked(name, seen, given, (inside, outside), settings)
        if tuned:
            texts = given.texts
            said = tuned([texts[at] for at in inside], given.targets[inside], [texts[at] for at in outside])
            chances["tuned encoder alone"][outside] = said
            both = np.sqrt(np.maximum(said * chances[FROZEN][outside], 1e-12))
            chances["mercer"][outside] = both / both.sum(1, keepdims=True)
    tested = np.arange(len(seen)) if test is None else np.flatnonzero(fold == 1)
    tick("intervals")
    truth = given.targets[tested]
    asked = {name: found[tested] for name, found in chances.items()}
    return Trial(
        given, tested, asked, {name: figures(truth, found, given.labels, seed=seed) for name, found in asked.items()},
        {name: paired(truth, asked["mercer"], asked[name], seed=seed) for name in systems[1:]}, len(numbers),
    )  # fmt: skip


def _asked(name: str, seen: Seen, given: Set, sides: tuple[Rows, Rows], settings: FitSettings | None) -> Chances:
    """A system's chances of the `outside` texts, learned from the `inside` ones."""
    inside, outside = sides
    if name == BASELINE:
        texts = given.texts
        return baseline(
            [texts[at] for at in inside], given.targets[inside], [texts[at] for at in outside], len(given.labels)
        )
    visible = seen if name in ("mercer", FROZEN) else replace(seen, vectors=None, encoder=None)
    head = fit(visible, given.targets, given.labels, rows=inside, settings=settings)
    vectors = visible.vectors[outside] if visible.vectors is not None else None
    return head([given.texts[at] for at in outside], vectors=vectors).astype(np.float64)


def few_shot(
    given: Set, shots: Sequence[int], *, draws: int = 5, encoder: Encoder | None = None,
    vectors: NDArray[np.float32] | None = None, settings: FitSettings | None = None, seed: int = 7,
    most: int = 2000, tick: Tick | None = None,
) -> list[Shot]:  # fmt: skip
    """Learn from a few texts a class, drawn several times, and ask up to `most` texts that no draw learns from."""
    fold = split(given, 4, seed=seed)
    rng = np.random.default_rng(seed)
    pool, test = np.flatnonzero(fold > 0), np.flatnonzero(fold == 0)
    test = np.sort(rng.permutation(test)[:most])
    seen = look(given.texts, encoder=encoder, vectors=vectors)
    found = []
    for number in shots:
        values: dict[str, list[tuple[float, float]]] = {}
        for draw in range(draws):
            if tick:
                tick(f"{number} texts a class, draw {draw + 1}/{draws}")
            order = np.random.default_rng([seed, draw, number]).permutation(pool)
            rows = np.sort(
                np.concatenate([order[given.targets[order] == at][:number] for at in range(len(given.labels))])
            )
            for name in ("mercer", BASELINE):
                said = figures(
                    given.targets[test], _asked(name, seen, given, (rows, test), settings), given.labels, seed=seed
                )
                values.setdefault(name, []).append((said.macro_f1[0], said.accuracy[0]))
        for name, several in values.items():
            both = [(float(np.mean(one)), float(min(one)), float(max(one))) for one in zip(*several, strict=True)]
            found.append(Shot(number, name, both[0], both[1]))
    return found
