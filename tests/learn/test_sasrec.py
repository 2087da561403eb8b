"""SASRec learns an order that can be learnt, the same twice, and stops in time."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import SettingsError
from mercer.learn.sasrec import SasRec, SasRecSettings
from mercer.retrieve.contest import measure, rank
from mercer.retrieve.holdout import Trial, leave_one_out
from mercer.retrieve.sequence_file import read_sequences

torch = pytest.importorskip("torch")
SMALL = SasRecSettings(width=16, dropout=0.1, batch=32, epochs=25, rate=5e-3)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    rng = np.random.default_rng(0)
    lines = [
        f"u{n} " + " ".join(f"i{(at + step) % 30}" for step in range(6))
        for n, at in enumerate(rng.integers(30, size=150))
    ]
    path = tmp_path_factory.mktemp("files") / "sequences.txt"
    path.write_text("\n".join(lines), "utf-8")
    return leave_one_out(read_sequences(path))


def test_it_learns_walks_and_the_same_twice(trial: Trial) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        losses: list[float] = []
        fitted = SasRec.fit(trial.train, SMALL, seed=1, tick=lambda _, loss: losses.append(loss))
        assert losses[-1] < losses[0] / 2
        assert fitted.epochs == len(losses) == 25
        found = measure(rank(fitted, trial, depth=10), trial, ["HR@10"])
        assert found.metrics["HR@10"].mean > 0.9
        again = SasRec.fit(trial.train, SasRecSettings(width=16, epochs=1), seed=1)
        same = SasRec.fit(trial.train, SasRecSettings(width=16, epochs=1), seed=1)
        few = trial.asked.rows(0, 3)
        np.testing.assert_allclose(again.scores(few), same.scores(few), atol=1e-6)
        few.product[:] = -1
        assert not fitted.scores(few).any(), "nothing is known of who has no past"
    finally:
        torch.set_num_threads(threads)


def test_time_ends_the_training(trial: Trial) -> None:
    fitted = SasRec.fit(trial.train, SasRecSettings(width=16, epochs=100_000, minutes=0.002))
    assert fitted.epochs < 1000


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"width": 1}, {"dropout": 1}, {"minutes": 0}, {"width": 10, "heads": 3}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            SasRecSettings(**wrong)  # type: ignore[arg-type]
