"""What a cross-encoder thinks becomes a column that an encoder learns from; hard negatives without right answers."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mercer.encode.model import read  # noqa: E402
from mercer.errors import DataError, UsageError  # noqa: E402
from mercer.learn.distil import invented, taught  # noqa: E402
from mercer.learn.hard import first_stage, hard  # noqa: E402
from mercer.learn.objective import OBJECTIVES, Batch  # noqa: E402
from mercer.learn.pairs import schema  # noqa: E402
from mercer.learn.pairs.pair import to_pairs  # noqa: E402
from mercer.learn.settings import LearnSettings  # noqa: E402
from mercer.learn.step import Steps, Task  # noqa: E402
from mercer.learn.tune import tune  # noqa: E402
from mercer.records import Product  # noqa: E402
from mercer.retrieve.index import IndexSettings, open_index  # noqa: E402
from mercer.retrieve.text import passage  # noqa: E402

TEXTS = {f"p{at}": f"{word} {at}" for at, word in enumerate(("red", "dress", "cup", "tea", "phone", "cable"))}


class Teacher:
    """Likes texts that share a word with the query; half likes tea for cups."""

    name = "teacher"

    def __init__(self):
        self.asked = 0

    def __call__(self, query, passages, *, budget=math.inf):
        self.asked += len(passages)
        return np.array([self.chance(query, text) for text in passages], np.float32)

    @staticmethod
    def chance(query, text):
        if {"cup", "tea"} <= {query.split()[0], text.split()[0]}:
            return 0.7
        return 0.99 if query.split()[0] == text.split()[0] else 0.02


def pairs(rows=(("cup", "p2", 1.0), ("cup", "p0", 0.0), ("phone", "p4", 1.0))):
    return to_pairs((query, id, TEXTS[id], gain, 1.0, query, None, "judgments", "") for query, id, gain in rows)


RANKINGS = {"cup": ["p2", "p3", "p1", "p0", "gone", "p5"], "phone": ["p5", "p4"], "unasked": ["p1"]}


def test_hard_negatives_leave_out_what_is_or_may_be_right():
    found = hard(pairs(), RANKINGS, TEXTS, each=9)
    assert found.schema == schema()
    told = {(row["query"], row["product"]) for row in found.to_pylist()}
    assert told == {("cup", "p3"), ("cup", "p1"), ("cup", "p5"), ("phone", "p5")}
    assert set(found["gain"].to_pylist()) == {0.0}
    assert set(found["source"].to_pylist()) == {"mined"}
    careful = hard(pairs(), RANKINGS, TEXTS, each=9, teacher=Teacher())
    assert ("cup", "p3") not in {(row["query"], row["product"]) for row in careful.to_pylist()}
    assert len(hard(pairs(), RANKINGS, TEXTS, each=1)) == 2
    later = hard(pairs(), RANKINGS, TEXTS, each=9, places=(2, 4))
    assert later["product"].to_pylist() == ["p1"]
    copies = hard(pairs(), {"cup": ["copy", "p1"]}, TEXTS | {"copy": TEXTS["p2"]}, each=9)
    assert copies["product"].to_pylist() == ["p1"]


def test_negatives_depend_on_the_query_alone():
    table = pairs()
    alone = hard(table.slice(2), RANKINGS, TEXTS, each=1)
    both = hard(table, RANKINGS, TEXTS, each=1)
    assert alone.to_pylist()[0] in both.to_pylist()


def test_the_first_stage_fuses_both_arms(tmp_path):
    index = open_index(tmp_path / "index", dimension=2, settings=IndexSettings(engine="exact"))
    products = [Product(id, text) for id, text in TEXTS.items()]
    near = {"cup": (1.0, 0.0), "tea": (0.96, 0.28)}

    def meaning(texts, *, side="passage", tick=None):
        found = [near.get(text.split()[0], (0.0, 1.0)) for text in texts]
        return np.array(found, np.float32)

    index.upsert(products, meaning([passage(product) for product in products]))
    ranked = first_stage(index, meaning, ["cup", "cup", "phone"], k=3)
    index.close()
    assert list(ranked) == ["cup", "phone"]
    assert ranked["cup"][:2] == ["p2", "p3"]
    assert ranked["phone"][0] == "p4"


def test_a_teacher_is_asked_once_a_pair_and_says_log_odds():
    table = pairs((("cup", "p2", 1.0), ("cup", "p3", 0.0), ("cup", "p2", 1.0), ("phone", "p0", 0.0)))
    teacher, told = Teacher(), []
    found = taught(table, teacher, tick=told.append)
    assert teacher.asked == 3
    assert sum(told) == 4
    wanted = [math.log(0.99 / 0.01), math.log(0.7 / 0.3), math.log(0.99 / 0.01), math.log(0.02 / 0.98)]
    assert found["teacher"].to_pylist() == pytest.approx(wanted, rel=1e-3)
    assert taught(found, teacher).column_names == found.column_names
    assert found.drop_columns(["teacher"]).equals(table)


def test_a_teacher_reads_what_the_time_is_enough_for():
    table = pairs((("cup", "p2", 1.0), ("cup", "p3", 0.0), ("phone", "p0", 0.0), ("tea", "p3", 1.0)))
    read = [
        {row["query"] for row in taught(table, Teacher(), seed=seed, seconds=0).to_pylist() if row["teacher"] < 99}
        for seed in range(8)
    ]
    assert {len(queries) for queries in read} == {1}, "one is read always, NaN is no number"
    assert len(set.union(*read)) > 1, "which, says the seed"


def test_an_encoder_without_a_teacher_is_refused():
    from mercer.learn.encoder import _need

    gathered = SimpleNamespace(has_labels=False)
    with pytest.raises(UsageError, match="no teacher"):
        _need(None, gathered)
    with pytest.raises(DataError, match="no labelled query"):
        _need(Teacher(), gathered)


def test_certainty_stays_finite():
    def sure(query, passages, *, budget=math.inf):
        return np.array([1.0, 0.0], np.float32)

    found = taught(pairs().slice(0, 2), sure)
    assert np.isfinite(found["teacher"].to_numpy()).all()


def test_invented_queries_get_pseudo_labels():
    table = to_pairs([("cup", "p2", TEXTS["p2"], 1.0, 1.0, "cup", None, "catalogue:title", "")])
    found = invented(table, RANKINGS, TEXTS, Teacher(), each=9)
    gains = {row["product"]: row["gain"] for row in found.to_pylist()}
    assert gains == pytest.approx({"p2": 1.0, "p3": 0.7, "p1": 0.02, "p0": 0.02, "p5": 0.02}, abs=1e-3)
    assert not any(value is None for value in found["teacher"].to_pylist())


def loss(folder, table):
    """Margin-MSE of an encoder against the teacher over all pairs of each query."""
    from mercer.learn.tower import build

    tower = build(read(folder), length=16)
    values = []
    for query in sorted(set(table["query"].to_pylist())):
        rows = [row for row in table.to_pylist() if row["query"] == query]
        scores = tower.encode([query], "query") @ tower.encode([row["text"] for row in rows], "passage").T
        teacher = torch.tensor([[row["teacher"] for row in rows]])
        blank = torch.full_like(teacher, math.nan)
        batch = Batch(torch.from_numpy(scores), blank, torch.ones_like(teacher), teacher)
        values.append(float(OBJECTIVES["distil"](batch)))
    return float(np.mean(values))


def test_an_encoder_learns_from_the_teacher(tiny_bert, tmp_path):
    ranked = {text.split()[0]: list(TEXTS) for text in TEXTS.values()}
    own = to_pairs(
        (text.split()[0], id, text, 1.0, 1.0, text, None, "catalogue:title", "") for id, text in TEXTS.items()
    )
    table = invented(own, ranked, TEXTS, Teacher(), each=5)
    task = Task("taught", table, ("distil",), 1.0, 6)
    plan = Steps([task], steps=1, passages=12, seed=1)[0]
    assert np.isfinite(plan.teacher).sum() >= 12
    settings = dataclasses.replace(LearnSettings(batch=2, passages=6, steps=40, lr=2e-3, length=16), dropout=0.0)
    tune(read(tiny_bert), [task], settings, folder=tmp_path / "model", work=tmp_path / "work")
    assert loss(tmp_path / "model", table) < 0.6 * loss(tiny_bert, table)
