"""The benchmark of intents by hand: what it counts, what it keeps from learning, what it skips."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")
ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = ("parcel", "refund", "invoice", "password", "colour", "please", "my", "now")
NAMES = ("parcel", "refund", "invoice", "password", "colour")


@pytest.fixture(autouse=True, scope="module")
def _root() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def seen(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of which words are there."""
    found = np.array([[float(word in text.split()) for word in WORDS] + [0.1] for text in texts], np.float32)
    made: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return made


def part(*intents: str, extra: Sequence[str] = ("", " please", " my", " now", " my please")) -> Any:
    """Each intent's word with each of some others."""
    from benchmarks.assistant_intent import Labelled

    pairs = [(intent + more, intent) for intent in intents for more in extra]
    return Labelled(tuple(text for text, _ in pairs), tuple(intent for _, intent in pairs))


def test_accuracy_counts_what_is_right_and_says_what_was_seen_before() -> None:
    from benchmarks.assistant_intent import Labelled, accuracy

    tested = Labelled(
        ("now my parcel", "refund my now", "invoice", "please now invoice"), ("parcel", "refund", "invoice", "refund")
    )
    found = accuracy(part("parcel", "refund", "invoice"), tested, seen)
    assert found["accuracy"]["value"] == 0.75
    assert found["accuracy"]["low"] < 0.75 < found["accuracy"]["high"]
    assert found["also in training"] == 1
    assert found["accuracy on the others"] == pytest.approx(2 / 3, abs=1e-4)


def test_intents_left_out_are_strange_and_the_others_are_not() -> None:
    from benchmarks.assistant_intent import scope_of

    held, tested = part(*NAMES, extra=(" please now", " now my")), part(*NAMES, extra=(" now please", " my now"))
    found = scope_of(part(*NAMES), held, tested, frozenset({"password", "colour"}), seen, refused=0.0)
    assert found["left out"] == ["colour", "password"]
    assert (found["recall"], found["false refusals"]) == (1.0, 0.0)
    assert found["tested"] == [4, 6]


def test_the_floor_comes_from_validation_in_scope_alone() -> None:
    from benchmarks.assistant_intent import scope_of

    out, tested = frozenset({"colour"}), part(*NAMES, extra=(" now please", " my now"))
    held = part(*NAMES, extra=(" please now", " now my"))
    usual = scope_of(part(*NAMES), held, tested, out, seen, refused=0.0)
    assert scope_of(part(*NAMES), held.split(out)[0], tested, out, seen, refused=0.0) == usual
    assert scope_of(part(*NAMES), part(*NAMES), tested, out, seen, refused=1.0)["false refusals"] == 1.0


def test_draws_are_different_and_the_same_again() -> None:
    from benchmarks.assistant_intent import drawn

    names = [f"intent {number}" for number in range(12)] * 3
    first = drawn(names, draws=4, k=5)
    assert first == drawn(list(reversed(names)), draws=4, k=5)
    assert len(set(first)) == 4
    assert {len(one) for one in first} == {5}


def test_a_set_that_is_not_there_is_skipped_with_the_reason(tmp_path: Path) -> None:
    from benchmarks.assistant_intent import intents, scope

    assert intents(tmp_path, tmp_path)["banking77"] == {"skipped": "no support/banking77/train.csv"}
    assert scope(tmp_path, tmp_path) == {"skipped": "no support/bitext/train.csv"}
