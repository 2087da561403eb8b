"""Two public sets of labelled questions in; how often the assistant's intent head is right, and what it declines, out.

``python benchmarks/assistant.py intents scope --data ../shared/data --work FOLDER``: the head of `mercer learn SHOP
assistant` over vectors of `minilm`, which are kept in ``FOLDER/vectors``. The training parts are learned from; the
floor below which a message is out of scope comes from bitext's validation part alone; the test parts are only judged.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.fit import REFUSED
from mercer.assistant.head import fit_head, held_out_floor
from mercer.measure.compare import interval

__all__ = ["Labelled", "accuracy", "drawn", "intents", "read", "scope", "scope_of"]

SETS = {"bitext": ("utterance", "intent"), "banking77": ("text", "category")}
"""Columns of the text and of its intent."""
LEFT_OUT = 5
"""Intents that nothing is learned of, for out-of-scope recall."""
DRAWS = 20
SEED = 7
SOURCE = "minilm"
"""Both sets are English."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One part of a set."""

    texts: tuple[str, ...]
    intents: tuple[str, ...]

    def split(self, out: frozenset[str]) -> tuple[Labelled, Labelled]:
        """Those whose intent is not in `out`, and those whose is."""
        sides: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for text, intent in zip(self.texts, self.intents, strict=True):
            sides[intent in out].append((text, intent))
        first, second = (Labelled(tuple(text for text, _ in rows), tuple(name for _, name in rows)) for rows in sides)
        return first, second


def read(data: Path, name: str, part: str) -> Labelled:
    """Part ``train``, ``valid`` or ``test`` of a set; FileNotFoundError where it is not there."""
    text, intent = SETS[name]
    with open(data / "support" / name / f"{part}.csv", encoding="utf-8", newline="") as handle:
        rows = [(row[text], row[intent]) for row in csv.DictReader(handle)]
    return Labelled(tuple(text for text, _ in rows), tuple(intent for _, intent in rows))


def accuracy(learned: Labelled, tested: Labelled, encode: Encode, *, seed: int = SEED) -> dict[str, Any]:
    """Share of the tested that get their intent, with a 95 % bootstrap interval over texts.

    A text that is in both parts word for word is counted, and how many there are is said.
    """
    head = fit_head(encode(learned.texts), learned.intents)
    said = np.array(head.labels)[head(encode(tested.texts)).argmax(1)]
    hits = said == np.array(tested.intents)
    known = set(learned.texts)
    fresh = np.array([text not in known for text in tested.texts])
    found: dict[str, Any] = {"learned from": len(learned.texts), "tested": len(hits), "intents": len(head.labels)}
    found["accuracy"] = _rounded(asdict(interval(hits.astype(float), seed=seed)))
    found["also in training"] = int((~fresh).sum())
    found["accuracy on the others"] = round(float(hits[fresh].mean()), 4) if fresh.any() else None
    return found


def scope_of(
    learned: Labelled,
    held: Labelled,
    tested: Labelled,
    out: frozenset[str],
    encode: Encode,
    *,
    refused: float = REFUSED,
) -> dict[str, Any]:
    """Out-of-scope recall with the intents `out` kept from learning and from the choice of the floor.

    Args:
        learned: what the head is fitted on, but for `out`.
        held: validation part; its messages in scope set the floor that turns away `refused` of them.
        tested: what is judged with that floor.
        out: intents that count as no business of the shop.
        encode: texts to unit vectors.
        refused: share of messages in scope that may be turned away.
    """
    inside, _ = learned.split(out)
    head = fit_head(encode(inside.texts), inside.intents)
    floor = held_out_floor(head.familiarity(encode(held.split(out)[0].texts)), refused=refused)
    scoped, strange = (head.familiarity(encode(side.texts)) < floor for side in tested.split(out))
    return {
        "left out": sorted(out), "recall": round(float(strange.mean()), 4),
        "false refusals": round(float(scoped.mean()), 4), "tested": [len(strange), len(scoped)],
    }  # fmt: skip


def drawn(names: Sequence[str], *, draws: int = DRAWS, k: int = LEFT_OUT, seed: int = SEED) -> list[frozenset[str]]:
    """Intents to leave out, `k` a draw."""
    rng, pool = np.random.default_rng(seed), sorted(set(names))
    return [frozenset(rng.choice(pool, k, replace=False).tolist()) for _ in range(draws)]


def intents(data: Path, work: Path) -> dict[str, Any]:
    """Test accuracy of the head on both sets; a set that is not there is skipped with the reason."""
    found: dict[str, Any] = {}
    for name in SETS:
        try:
            learned, tested = read(data, name, "train"), read(data, name, "test")
        except FileNotFoundError as error:
            found[name] = {"skipped": f"no {Path(error.filename).relative_to(data)}"}
            continue
        found[name] = accuracy(learned, tested, _encode(work))
    return found


def scope(data: Path, work: Path) -> dict[str, Any]:
    """Out-of-scope recall and false refusals on bitext by draw of intents, and their means with 95 % intervals."""
    try:
        learned, held, tested = (read(data, "bitext", part) for part in ("train", "valid", "test"))
    except FileNotFoundError as error:
        return {"skipped": f"no {Path(error.filename).relative_to(data)}"}
    encode = _encode(work)
    draws = [scope_of(learned, held, tested, out, encode) for out in drawn(learned.intents)]
    means = {
        name: _rounded(asdict(interval([one[name] for one in draws], seed=SEED)))
        for name in ("recall", "false refusals")
    }
    return {"allowed on validation": REFUSED, "means over draws": means, "draws": draws}


def _encode(work: Path) -> Encode:
    """Vectors of `SOURCE` as the assistant asks for them, each text encoded once for all runs in this folder."""
    from mercer.encode import load
    from mercer.encode.cache import VectorCache

    encoder, cache = load(SOURCE, texts=["a"]), VectorCache(work / "vectors")
    return lambda texts: cache.encode(encoder, texts, side="query")


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
