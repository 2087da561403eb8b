"""A trial never tests on what was learned, and says what is known of the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mercer.errors import DataError, ModelError
from mercer.opinion.distinct import distinct
from mercer.opinion.figures import figures, paired
from mercer.opinion.fit import fit, look
from mercer.opinion.grams import pieces, plain, words
from mercer.opinion.head import open_head
from mercer.opinion.trial import few_shot, prepare, split, trial

GOOD, BAD = ["很好", "喜欢", "满意", "great", "love it"], ["很差", "失望", "退货", "terrible", "broken"]
THINGS = ["手机", "衣服", "书", "cup", "lamp", "蒙牛", "酒店", "水果", "tablet", "洗发水", "热水器", "chair"]


def texts() -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(3)
    found = [
        (f"{thing} {word} 第{rng.integers(10**6)}次", label)
        for label, said in (("正", GOOD), ("负", BAD))
        for word in said
        for thing in THINGS
    ]
    return [text for text, _ in found], [label for _, label in found]


def test_features_hold_words_tickers_and_han() -> None:
    assert words(plain("$TSLA up 5%"))[:4] == ["$t", "up", "5", "%"]
    assert {"很好", "好!"} <= set(pieces("很好!"))
    assert plain("5星 x100v 涨 12.5%") == "5星 x100v 涨 00%"
    assert len(plain("x" * 10**6)) == 20_000


def test_copies_are_found_and_near_copies_grouped() -> None:
    pytest.importorskip("rensa", reason="near copies need mercer[quality]")
    long = "这个手机的屏幕非常清晰，电池也很耐用，物流很快，客服态度也好，总体来说十分满意，推荐购买"
    found = distinct([long, long + "！", long + "哦", "物流慢", "物流快"])
    assert found.first.tolist() == [0, 0, 2, 3, 4]
    assert found.group.tolist() == [0, 0, 0, 3, 4]


def test_a_set_leaves_out_copies_and_contradictions() -> None:
    given = prepare(["好", "好！", "坏", "坏", "a b", "c d", "e"], ["1", "1", "0", "1", "0", "0", "1"], near=False)
    assert given.texts == ["好", "a b", "c d", "e"]
    assert (given.copies, given.contradicted) == (2, 1)
    with pytest.raises(DataError, match="1 classes"):
        prepare(["a", "b"], ["x", "x"], near=False)


def test_groups_stay_on_one_side_and_classes_are_spread() -> None:
    given = prepare(*texts(), near=False)
    fold = split(given, 5, seed=1)
    counts = [np.bincount(given.targets[fold == at], minlength=2) for at in range(5)]
    assert np.ptp(counts, axis=0).max() <= 1
    assert all(len(set(fold[given.groups == group])) == 1 for group in given.groups)


def test_a_trial_learns_what_words_mean_and_compares_fairly() -> None:
    made = trial(prepare(*texts(), near=False), folds=3)
    assert made.figures["mercer"].accuracy[0] > 0.95
    assert np.allclose(made.chances["mercer"].sum(1), 1, atol=1e-5)
    low, high = made.against["TF-IDF + logistic regression"].macro_f1[1:]
    assert low <= high


def test_labels_without_meaning_give_no_skill() -> None:
    said, labels = texts()
    shuffled = np.random.default_rng(5).permutation(labels).tolist()
    assert trial(prepare(said, shuffled, near=False), folds=3).figures["mercer"].accuracy[0] < 0.7


def test_few_shots_grow_better() -> None:
    shots = few_shot(prepare(*texts(), near=False), [1, 16], draws=2)
    ours = [shot.macro_f1[0] for shot in shots if shot.system == "mercer"]
    assert ours[1] > ours[0]


def test_a_head_is_kept_and_opened_again(tmp_path: Path) -> None:
    said, labels = texts()
    targets = np.array([int(label == "正") for label in labels])
    head = fit(look(said), targets, ["负", "正"])
    head.save(tmp_path / "head")
    again = open_head(tmp_path / "head")
    assert np.allclose(again(["质量很差", ""]), head(["质量很差", ""]), atol=1e-5)
    assert again(["很差"]).argmax() == 0
    (tmp_path / "head" / "head.npz").write_bytes(b"broken")
    with pytest.raises(ModelError, match="is not what"):
        open_head(tmp_path / "head")


def test_figures_of_a_known_case() -> None:
    truth = np.array([0, 0, 1, 1])
    chances = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
    found = figures(truth, chances, ["a", "b"], seed=1)
    assert found.accuracy[0] == 0.75
    assert found.auc == 1.0
    assert found.confusion == [[1, 1], [0, 2]]
    assert found.macro_f1[0] == pytest.approx((2 / 3 + 0.8) / 2)
    assert paired(truth, chances, chances, seed=1).macro_f1 == (0.0, 0.0, 0.0)


def test_the_command_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mercer.cli import app

    monkeypatch.chdir(tmp_path)
    said, labels = texts()
    rows = "".join(f'"{text}",{label}\n' for text, label in zip(said, labels, strict=True))
    Path("a.csv").write_text("评论,标签\n" + rows, "utf-8")
    arguments = [
        "measure",
        "opinion",
        "--documents",
        "a.csv",
        "--labels",
        "a.csv",
        "--folds",
        "2",
        "--encoder",
        "none",
        "--shots",
        "2,8",
        "--draws",
        "1",
        "--json",
    ]
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert ran.exit_code == 0
    assert '"macro_f1"' in ran.stdout
    page = Path("measure-opinion.html").read_text("utf-8")
    assert "<svg" in page
    assert "正" in page
