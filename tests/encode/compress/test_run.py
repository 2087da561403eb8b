"""Steps one after another: each tells figures before and after, and refuses a loss above its limit."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.encode import EncodeSettings, load
from mercer.encode.cache import VectorCache
from mercer.encode.compress import CompressSettings, Corpus, Judge, compress
from mercer.encode.compress.distil import fit
from mercer.encode.compress.folder import rewritten
from mercer.encode.compress.invent import invent
from mercer.encode.compress.judge import Quality
from mercer.encode.compress.step import State, within
from mercer.encode.model import Model, read
from mercer.encode.static import StaticEncoder
from mercer.errors import DataError, ModelError, SettingsError, UsageError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def folders(path: Path) -> dict[str, Path]:
    found = {"folder": path / "made", "work": path / "work"}
    for folder in found.values():
        folder.mkdir()
    return found


def test_every_step_and_a_model_that_opens(tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path) -> None:
    wanted = CompressSettings(
        trim=True, layers=2, dimension=24, int8=True, static=True, limit=0.9, static_limit=0.9, invented=100
    )
    said: list[str] = []
    steps = compress(tiny, corpus, wanted, **folders(tmp_path), encode=encode, tick=said.append)
    assert [step.name for step in steps] == ["trim", "layers", "dimension", "int8", "static"] == said[1:]
    for before, after in itertools.pairwise(steps):
        assert before.after == after.before
    trimmed = steps[0]
    assert trimmed.loss == 0.0
    assert trimmed.after.quality == Quality(1.0, 1.0, None)
    assert trimmed.facts["pieces"] == trimmed.facts["pieces_before"]  # single characters all
    assert steps[-1].after.dimension == 24
    assert json.dumps([step.json() for step in steps], allow_nan=False)
    encoder = load(str(tmp_path / "made"))
    assert isinstance(encoder, StaticEncoder)
    assert encoder(["red cup"]).shape == encoder(["red cup"], side="query").shape == (1, 24)


def test_loss_above_the_limit_is_refused(tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path) -> None:
    given = folders(tmp_path)
    with pytest.raises(ModelError, match=r"dimension lost .* the limit is 0\.10%") as caught:
        compress(tiny, corpus, CompressSettings(dimension=1, limit=0.001), **given, encode=encode)
    assert "--limit" in caught.value.cure
    assert not list(given["folder"].iterdir())


def test_int8_that_is_never_good_enough_says_its_best(
    tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"int8 lost .* at best"):
        compress(
            tiny,
            replace(corpus, metric=lambda runs: {"q": 1.0 if runs["q0"][:5] == first(runs) else 0.5}),
            CompressSettings(int8=True, limit=0.0),
            **folders(tmp_path),
            encode=encode,
        )


SEEN: list[list[str]] = []


def first(runs: Any) -> list[str]:
    """The first five of whoever asked first; any later change of order counts as a loss."""
    SEEN.append(list(runs["q0"][:5]) if not SEEN else ["nothing like it"])
    return SEEN[-1]


def test_nothing_asked_is_refused(tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to do"):
        compress(tiny, corpus, CompressSettings(), **folders(tmp_path), encode=encode)


@pytest.mark.parametrize(
    "wrong",
    [{"extra": -1}, {"limit": float("nan")}, {"limit": 1.5}, {"static_limit": -0.1}, {"calibrate": 0}, {"shelf": 1}],
    ids=str,
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        CompressSettings(**wrong)


def test_judge_tells_a_good_encoder_from_a_bad_one(tiny: Model, corpus: Corpus) -> None:
    full = load(str(tiny.folder), engine="torch")
    judge = Judge(full, corpus.queries, corpus.products)
    noise = np.random.default_rng(2).normal(size=judge.products.shape).astype(np.float32)
    same, near, far = (judge.compare(judge.asked, judge.products + by * noise) for by in (0, 0.01, 10))
    assert same == Quality(1.0, 1.0, None)
    assert 1 > near.kept > far.kept
    assert near.overlap > far.overlap
    with pytest.raises(DataError, match="0 queries"):
        Judge(full, {}, corpus.products)


def test_judged_figure_counts_where_there_is_one() -> None:
    def of(judged: float) -> State:
        return State(1, 1.0, 1.0, 8, Quality(0.1, 0.1, judged))

    assert within("any", of(0.5), of(0.6), 0.0).loss == pytest.approx(-0.2)
    with pytest.raises(ModelError, match=r"lost 20\.00% of 0\.5000"):
        within("any", of(0.5), of(0.4), 0.1)


def test_table_learns_weights_of_pieces() -> None:
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(30, 8)).astype(np.float32)
    meaning[:3] *= 0.02  # pieces that say nothing
    texts = [rng.integers(0, 30, rng.integers(1, 6)).tolist() for _ in range(800)]
    wanted = np.stack([meaning[ids].sum(axis=0) for ids in texts])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    table = fit(texts, wanted, 30)
    found = np.stack([table[ids].sum(axis=0) for ids in texts])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert float((found * wanted).sum(axis=1).mean()) > 0.97
    lengths = np.linalg.norm(table, axis=1)
    assert lengths[:3].max() < lengths[3:].min()


def test_queries_are_invented_from_titles() -> None:
    made = invent(["Nord steel cup 350ml", "红色连衣裙夏季新款"], most=40, seed=7)
    assert made == invent(["Nord steel cup 350ml", "红色连衣裙夏季新款"], most=40, seed=7)
    assert len(set(made)) == len(made) > 10
    assert any("红色" in query for query in made)
    assert all(" 连" not in query for query in made if "Nord" not in query)
    assert invent([], most=5, seed=7) == invent(["--"], most=5, seed=7) == []


def test_product_vectors_are_kept_beside_a_new_table(
    tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path
) -> None:
    given = folders(tmp_path)
    compress(tiny, corpus, CompressSettings(static=True, static_limit=1.0, invented=50), **given, encode=encode)
    static = load(settings=replace(encode, source=str(given["folder"])))
    plain = load(settings=replace(encode, source=str(tiny.folder)))
    assert static.name != plain.name
    cache = VectorCache(tmp_path / "cache")
    cache.encode(plain, ["red cup"])
    np.testing.assert_allclose(cache.encode(static, ["red cup"]), plain(["red cup"]), atol=1e-5)
    assert (cache.encoded, cache.reused) == (1, 1)
    cache.encode(plain, ["red cup"], side="query")
    asked = cache.encode(static, ["red cup"], side="query")
    np.testing.assert_array_equal(asked, static(["red cup"], side="query"))
    assert cache.encoded == 3


def test_prefixes_and_label_stay(tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path) -> None:
    renamed = rewritten(replace(tiny, label="e5", prefixes={"query": "red ", "passage": ""}), tmp_path / "hub")
    wanted = CompressSettings(trim=True, int8=True, static=True, limit=1.0, static_limit=1.0, invented=50)
    given = folders(tmp_path)
    compress(renamed, corpus, wanted, **given, encode=encode)
    made = read(given["folder"])
    assert (made.label, made.prefixes) == ("e5", renamed.prefixes)


def test_a_table_that_does_not_fit_is_refused(
    tiny: Model, corpus: Corpus, encode: EncodeSettings, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    given = folders(tmp_path)
    compress(tiny, corpus, CompressSettings(static=True, static_limit=1.0, invented=50), **given, encode=encode)
    path = given["folder"] / "static.safetensors"
    for wrong, said in ((np.zeros((3, 32)), "shape"), (np.full((tiny.table.shape), np.nan), "NaN")):
        save_file({"table": wrong.astype(np.float16)}, path)
        with pytest.raises(ModelError, match=said):
            load(settings=replace(encode, source=str(given["folder"])))
