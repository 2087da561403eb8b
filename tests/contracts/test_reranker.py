"""What every reranker promises, run on each engine and on heads of each kind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from mercer.encode import TOLERANCE, EncodeSettings
from mercer.encode.head import Head, open_judge
from mercer.errors import ModelError, UsageError
from mercer.rank.reranker import CrossEncoder, Reranker, open_reranker

QUERY = "red dress"
PASSAGES = ["red dress 1", "blue cup", "", "a longer text about a red dress 123 " * 9, "红色连衣裙", "x"] * 6
ODD = ["", "  \n\t", "\x00\x01", "😀👩\u200d👧", "\ud83d", "x" * 1_000_000, "a b " * 100_000]
GRADES = Head(kind="classes", labels=("no", "maybe", "yes"), gains=(0.0, 0.3, 1.0), length=48)
HEADS = {"grades": GRADES, "rating": Head(kind="rating", low=-2.0, high=2.0, pooling="cls", length=48)}


@cache
def opened(folder: Path, engine: str) -> CrossEncoder:
    return open_reranker(folder, settings=EncodeSettings(engine=engine, threads=1))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def folders(tiny_reranker: Path, with_head: Callable[..., Path], tmp_path_factory: Any) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("heads")
    return {"relevance": tiny_reranker, **{name: with_head(room / name, head) for name, head in HEADS.items()}}


MEMBERS = [("relevance", "onnx"), ("relevance", "torch"), ("grades", "torch"), ("rating", "torch")]


@pytest.fixture(params=MEMBERS, ids="-".join)
def reranker(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Reranker:
    kind, engine = request.param
    return opened(folders[kind], engine)


def test_numbers_are_probabilities(reranker: Reranker) -> None:
    said = reranker(QUERY, PASSAGES)
    assert said.shape == (len(PASSAGES),)
    assert said.dtype == np.float32
    assert ((said >= 0) & (said <= 1)).all()
    assert said.std() > 1e-3
    assert reranker(QUERY, []).shape == (0,)


def test_other_passages_change_nothing(reranker: Reranker) -> None:
    said = reranker(QUERY, PASSAGES)
    np.testing.assert_allclose([reranker(QUERY, [text])[0] for text in PASSAGES[:6]], said[:6], atol=TOLERANCE)
    order = np.random.default_rng(1).permutation(len(PASSAGES))
    np.testing.assert_allclose(reranker(QUERY, [PASSAGES[at] for at in order]), said[order], atol=TOLERANCE)


def test_a_budget_cuts_the_tail_and_nothing_else(reranker: Reranker) -> None:
    whole = reranker(QUERY, PASSAGES)
    assert len(reranker(QUERY, PASSAGES, budget=1e-6)) == 0
    np.testing.assert_allclose(reranker(QUERY, PASSAGES, budget=600_000), whole, atol=TOLERANCE)


def test_odd_texts_are_judged(reranker: Reranker) -> None:
    assert np.isfinite(reranker("😀\ud83d", ODD)).all()
    assert np.isfinite(reranker("", ODD[:2])).all()
    assert np.isfinite(reranker("x" * 100_000, ["cup"])).all()


def test_threads_give_the_same(reranker: Reranker) -> None:
    said = reranker(QUERY, PASSAGES)
    with ThreadPoolExecutor(4) as threads:
        for other in threads.map(lambda _: reranker(QUERY, PASSAGES), range(6)):
            np.testing.assert_allclose(other, said, atol=TOLERANCE)


def test_one_string_is_refused(reranker: Reranker) -> None:
    with pytest.raises(UsageError, match="one string"):
        reranker(QUERY, "red dress")


def test_engines_agree(folders: dict[str, Path]) -> None:
    one, other = (opened(folders["relevance"], engine) for engine in ("onnx", "torch"))
    assert one.name == other.name
    np.testing.assert_allclose(one(QUERY, PASSAGES), other(QUERY, PASSAGES), atol=TOLERANCE)


class Clock:
    """Stands still, but for each batch that an engine runs."""

    def __init__(self, inner: Any) -> None:
        self.now, self.pace, self.inner, self.name = 0.0, 1e-6, inner, inner.name

    def __call__(self, embedded: Any, mask: Any, side: Any) -> Any:
        self.now += self.pace * mask.size
        return self.inner(embedded, mask, side)


@pytest.fixture
def slow(folders: dict[str, Path]) -> tuple[CrossEncoder, Clock]:
    """A reranker that takes a microsecond a word piece, to the dot."""
    judge = open_judge(folders["relevance"], settings=EncodeSettings(engine="torch", threads=1))
    clock = Clock(judge._run)
    judge._run = clock
    return CrossEncoder(judge, clock=lambda: clock.now), clock


def test_a_budget_is_kept_to_and_used(slow: tuple[CrossEncoder, Clock]) -> None:
    reranker, clock = slow
    texts = ["a red dress"] * 100
    each = len(reranker._judge.tokens([QUERY], texts[:1])[0]) * clock.pace * 1000
    for fits in (3, 16, 50, 99):
        before = clock.now
        done = reranker(QUERY, texts, budget=each * (fits + 0.5))
        assert fits - 1 <= len(done) <= fits
        assert (clock.now - before) * 1000 <= each * (fits + 0.5)
    clock.pace *= 10  # another process takes the processor
    for _ in range(12):
        before = clock.now
        reranker(QUERY, texts, budget=each * 50)
    assert (clock.now - before) * 1000 <= each * 55
    assert len(reranker(QUERY, texts, budget=each * 50)) == pytest.approx(5, abs=1)
    clock.pace /= 1000
    reranker._pace *= 1000  # one batch took a second: what never runs would never be seen to be fast again
    for _ in range(30):
        reranker(QUERY, texts, budget=each * 50)
    assert len(reranker(QUERY, texts, budget=each * 50)) == 100


def test_classes_without_gains_are_no_reranker(with_head: Callable[..., Path], tmp_path: Path) -> None:
    folder = with_head(tmp_path / "moods", Head(kind="classes", labels=("glad", "sad"), length=48))
    with pytest.raises(ModelError, match="no relevance"):
        open_reranker(folder, settings=EncodeSettings(engine="torch"))
