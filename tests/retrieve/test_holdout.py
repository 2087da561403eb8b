"""Splits that never tell the answer, rankings of everything, and settings chosen on validation alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import EncodingError, FormatError, NotFoundError, RequestError
from mercer.retrieve.contest import choose_knn, measure, rank
from mercer.retrieve.history import DAY, History
from mercer.retrieve.holdout import after, leave_one_out
from mercer.retrieve.item_knn import ItemKnn, ItemKnnSettings
from mercer.retrieve.popular import Popular, PopularSettings
from mercer.retrieve.sequence_file import read_sequences


def written(folder: Path, text: str, name: str = "sequences.txt") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def walks(count: int = 200, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    lines = []
    for n in range(count):
        at = int(rng.integers(40))
        lines.append(f"u{n} " + " ".join(f"i{(at + step) % 40}" for step in range(6)))
    return "\n".join(lines)


def test_sequences_become_a_history(tmp_path: Path) -> None:
    history = read_sequences(
        written(tmp_path, "u1 a b c\n\nu2 c a\n"),
        items=written(tmp_path, '{"item": "z"}\n{"item": 7}\n', "items.jsonl"),
    )
    assert history.products.names.to_pylist() == ["7", "a", "b", "c", "z"]
    assert history.products.take(history.product) == ["a", "b", "c", "c", "a"]
    assert history.time.tolist() == [0, 1, 2, 0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "is empty"), ("u1\n", "line 1 .* no product"), ("u1 a b\nu1 c\n", "line 2 .* names 'u1' again")],
)
def test_bad_sequences_are_said(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read_sequences(written(tmp_path, text))


def test_bad_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_sequences(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"u1 \xff\xfe caf\xe9\n")
    with pytest.raises(EncodingError):
        read_sequences(tmp_path / "latin.txt")
    (tmp_path / "half.txt.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")
    with pytest.raises(FormatError, match="gz"):
        read_sequences(tmp_path / "half.txt.gz")
    for broken in ('{"item": 1', '{"item": {"a": 1}}', "[1, 2]", '{"name": "x"}', "3"):
        with pytest.raises(FormatError, match="line 1 of items"):
            read_sequences(written(tmp_path, "u a b"), items=written(tmp_path, broken, "items.jsonl"))


def test_leave_one_out_takes_the_last_and_then_the_one_before(tmp_path: Path) -> None:
    history = read_sequences(written(tmp_path, "u1 a b c d\nu2 e\nu3 f g\n"))
    test = leave_one_out(history)
    assert test.chosen == {"u1": ["d"], "u3": ["g"]}
    assert history.products.take(test.train.product) == ["a", "b", "c", "e", "f"]
    assert history.products.take(test.asked.product) == ["a", "b", "c", "f"]
    assert test.asked.step.tolist() == [2, 1, 0, 0]
    validation = leave_one_out(test.train)
    assert validation.chosen == {"u1": ["c"]}
    with pytest.raises(RequestError, match="two products at two moments"):
        leave_one_out(read_sequences(written(tmp_path, "u1 a\nu2 b\n")))


def shop() -> History:
    rows = [
        ("ann", "a", 1, "1"), ("ann", "b", 2, "2"), ("ann", "a", 9, "3"), ("ann", "c", 9, "3"), ("ann", "d", 10, "4"),
        ("bob", "a", 3, "5"), ("bob", "b", 3, "5"), ("new", "b", 10, "6"), (None, "a", 10, "7"),
    ]  # fmt: skip
    who, what, day, session = map(list, zip(*rows, strict=True))
    return History.of(
        pa.table(
            {"type": ["purchase"] * 9, "shopper": pa.array(who, pa.string()), "product": what, "session": session,
             "time": [one * DAY for one in day]}
        )
    )  # fmt: skip


def test_a_time_split_tests_on_what_came_later() -> None:
    trial = after(shop(), share=0.5)
    assert trial.moment == 9 * DAY
    assert trial.train.time.max() < trial.moment
    assert trial.chosen == {"ann": ["c", "d"], "new": ["b"]}
    assert np.diff(trial.asked.start).tolist() == [2, 0], "who is new has no past"
    assert after(shop(), share=0.5, new_only=False).chosen == {"ann": ["a", "c", "d"], "new": ["b"]}
    assert after(shop(), share=0.5, basket=True).chosen == {"ann": ["c"], "new": ["b"]}


def test_a_basket_does_not_tell_its_rest() -> None:
    trial = leave_one_out(shop())
    assert trial.chosen["ann"] == ["d"]
    assert "bob" not in trial.chosen, "his only basket is all he has"
    for shopper in trial.chosen:
        code = trial.train.shoppers.code(shopper)
        mine = trial.train.shopper == code
        assert not set(trial.train.products.take(trial.train.product[mine])) & set(trial.chosen[shopper])


def test_everything_is_ranked_but_what_was_had(tmp_path: Path) -> None:
    trial = leave_one_out(read_sequences(written(tmp_path, walks())))
    ranked = rank(Popular.fit(trial.train, PopularSettings(half_life=0)), trial, depth=1000)
    for place, shopper in enumerate(trial.shoppers):
        had = set(trial.train.products.take(trial.asked.rows(place, place + 1).product))
        assert not had & set(ranked.runs[shopper])
        assert len(had) + len(ranked.runs[shopper]) == 40
    assert rank(Popular.fit(trial.train), trial, depth=5, again=True).runs != ranked.runs


def test_sampled_shoppers_keep_their_own_past(tmp_path: Path) -> None:
    trial = leave_one_out(read_sequences(written(tmp_path, walks())))
    few = trial.sample(20, seed=3)
    assert len(few.shoppers) == 20
    fitted = ItemKnn.fit(trial.train)
    whole = rank(fitted, trial, depth=10).runs
    assert rank(fitted, few, depth=10).runs == {shopper: whole[shopper] for shopper in few.shoppers}
    assert few.chosen == {shopper: trial.chosen[shopper] for shopper in few.shoppers}


def test_knn_finds_walks_and_settings_come_from_validation(tmp_path: Path) -> None:
    test = leave_one_out(read_sequences(written(tmp_path, walks())))
    validation = leave_one_out(test.train)
    blind = ItemKnnSettings(backward=1.0, recency=1000.0)  # either end of a walk is as good
    picked = choose_knn(validation, start=blind, grid={"backward": (0.1, 1.0), "recency": (0.5, 1000.0)})
    assert picked.settings.backward == 0.1, "walks go one way"
    values = [one["nDCG@10"] for one in picked.tried]
    best = picked.tried[int(np.argmax(values))]
    assert {name: best[name] for name in ("backward", "recency")} == {
        "backward": picked.settings.backward, "recency": picked.settings.recency,
    }  # fmt: skip
    fitted = ItemKnn.fit(test.train, picked.settings)
    found = measure(rank(fitted, test, depth=10), test, ["HR@10", "nDCG@10"])
    assert found.metrics["HR@10"].mean > 0.95
    assert measure(rank(Popular.fit(test.train), test, depth=10), test, ["HR@10"]).metrics["HR@10"].mean < 0.6


def test_the_command_reports_boards_and_the_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    from mercer.cli.measure_recommend import register

    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # a group of one command would swallow its name
    path = written(tmp_path, walks(60))
    app(["recommend", "--sequences", str(path), "--json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    board = found["the last product"]
    assert board["queries"] == 60
    assert set(board["systems"]) == {"popular", "item-knn", "linear", "blend", "ranked", "live defaults"}
    assert board["systems"]["item-knn"]["HR@10"]["low"] > board["systems"]["popular"]["HR@10"]["high"]
    assert {c["baseline"] for c in board["comparisons"]} == {"popular"}
    assert len(found["choosing"]["item-knn"]["tried"]) > 10
    assert found["choosing"]["blend"]["settings"]["linear"] == 1
    assert found["best"] in ("linear", "blend", "ranked")
    assert found["choosing"]["validation"][found["best"]] == max(found["choosing"]["validation"].values())
    assert found["protocol"] == "leave-one-out"
    assert found["best_against"]["the last product"]["popular"]["HR@10"]["low"] > 0
    for wrong, problem in (
        (["recommend"], "neither"),
        (["recommend", "--sequences", str(path), "--protocol", "time"], "no times"),
        (["recommend", "--sequences", str(path), "--repeats"], "new products only"),
    ):
        with pytest.raises(RequestError, match=problem):
            app(wrong, standalone_mode=False)


def test_baselines_stand_beside(tmp_path: Path) -> None:
    pytest.importorskip("implicit", reason="the extra `benchmark` is not installed")
    pytest.importorskip("torch")
    from mercer.cli.measure_recommend import measure_recommend

    history = read_sequences(written(tmp_path, walks(80)))
    boards, facts = measure_recommend(history, "leave-one-out", seeds=2, minutes=0.01)
    board = boards["the last product"]
    assert {"EASE", "iALS seed 1", "iALS seed 2", "SASRec seed 1", "SASRec seed 2"} <= set(board.systems)
    assert board.facts["SASRec seed 1"]["epochs"] >= 1
    assert facts["best"] in board.systems
    assert set(facts["best_against"]["the last product"]) == set(board.systems) - {facts["best"]}
