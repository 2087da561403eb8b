"""Several processes by torchrun: the same gradients as one, one version, one end for all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")

from mercer.shop import Shop

SCRIPT = Path(__file__).parent / "ranked.py"
ONE = {**os.environ, "OMP_NUM_THREADS": "1"}
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def ran(*words: Any, ranks: int) -> subprocess.CompletedProcess[str]:
    command = [*(TORCHRUN if ranks > 1 else (sys.executable,)), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=ONE, timeout=300, check=False)


@pytest.fixture(scope="module")
def both(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process and two say of gradients and of a short run."""
    folder = tmp_path_factory.mktemp("ranks")
    for ranks in (1, 2):
        (folder / str(ranks)).mkdir()
        done = ran(SCRIPT, tiny_bert, folder / str(ranks), "gradients", ranks=ranks)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("how", ["whole", "cached"])
def test_two_processes_make_the_gradients_of_one_that_adds_two_steps_up(both: Path, how: str) -> None:
    wanted, one, other = (np.load(both / folder / f"{how}-{folder}-{rank}.npz") for folder, rank in ("10", "20", "21"))
    assert sorted(wanted) == sorted(one)
    assert max(float(np.abs(wanted[name]).max()) for name in wanted) > 0.01
    for name in wanted:
        np.testing.assert_allclose(one[name], wanted[name], atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_two_processes_end_in_the_same_weights_and_have_learned(both: Path) -> None:
    alone, one, other = (
        json.loads((both / name).read_text()) for name in ("1/run-1-0.json", "2/run-2-0.json", "2/run-2-1.json")
    )
    assert one == other
    assert one["steps"] == alone["steps"] == 30
    assert np.mean(one["losses"][-3:]) < np.mean(one["losses"][:3]) / 2
    assert one["best"] == pytest.approx(alone["best"], abs=0.05)
    assert one["best"] > one["start"] + 0.05


def test_other_numbers_of_processes_begin_anew(tmp_path: Path) -> None:
    """A checkpoint counts changes of weights, of which as many processes as there are make fewer."""
    from mercer.learn.run import last_checkpoint, planned
    from mercer.learn.settings import LearnSettings

    def steps() -> int:
        wish = LearnSettings(steps=40)
        return planned(wish, work=tmp_path, wanted=lambda: 9, each=lambda: 1.0, seconds=float("inf"))

    assert steps() == 40
    (tmp_path / "checkpoint-7").mkdir()
    (tmp_path / "checkpoint-7" / "trainer_state.json").write_text("{}")
    assert steps() == 40
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-7")
    plan = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(plan | {"processes": 2, "steps": 3}))
    assert steps() == 40
    assert last_checkpoint(tmp_path) is None


QUICK = (
    "\n[learn]\nsteps = 24\nbatch = 6\npassages = 2\nlength = 24\nlr = 3e-3\nevaluations = 2\nprecision = 'float32'\n"
)


@pytest.fixture
def shop(own_shop: Path) -> Path:
    (own_shop / "mercer.toml").write_text((own_shop / "mercer.toml").read_text("utf-8") + QUICK, "utf-8")
    return own_shop


@pytest.mark.parametrize("what", ["", "--reranker"])
def test_the_command_learns_once_by_two_processes(shop: Path, what: str) -> None:
    before = Shop(shop).live("index")
    words = [word for word in (what, "--json", "--override", "a test") if word]
    done = ran("-m", "mercer", "learn", shop, *words, ranks=2)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Shop(shop).versions("models") == [told["model"]]
    live = Shop(shop).live("index")
    assert (live.version, live.before) == (told["index"], (before.version,))
    card = Shop(shop).card("models", told["model"])
    assert told["training"]["steps"] == card["training"]["steps"] == 12
    losses = [line["loss"] for line in card["training"]["curve"] if "loss" in line]
    assert len(losses) == 12
    if not what:  # a random cross-encoder learns too slowly for twelve steps
        assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert not list((shop / "store" / "work").glob("encoder/*"))
    assert not list((shop / "store" / "models").glob("**/.writing-*"))
    assert "judgments" in done.stderr
    assert done.stderr.count("held-out") == 0


def test_what_the_first_process_refuses_ends_all(shop: Path) -> None:
    began = time.monotonic()
    done = ran("-m", "mercer", "learn", shop, "--budget", "0.001", ranks=2)
    assert done.returncode == 1
    assert done.stderr.count("leaves no time to learn") == 1
    assert "exitcode  : 2" in done.stderr
    assert time.monotonic() - began < 60
    assert not Shop(shop).versions("models")


def test_another_process_that_dies_ends_all(shop: Path) -> None:
    """It is killed in the middle of training; the first must not wait for its gradients for ever."""
    (shop / "mercer.toml").write_text(
        (shop / "mercer.toml").read_text("utf-8").replace("steps = 24", "steps = 4000"), "utf-8"
    )
    before = (shop / "store" / "live.json").read_bytes()
    running = subprocess.Popen(
        [*TORCHRUN, "-m", "mercer", "learn", str(shop)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=ONE
    )
    wait_for(lambda: list((shop / "store" / "work").glob("encoder/*/log.jsonl")), running)
    os.kill(children(running.pid)[-1], signal.SIGKILL)
    said = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 1
    assert "SIGKILL" in said
    assert (shop / "store" / "live.json").read_bytes() == before
    assert not Shop(shop).versions("models")


def wait_for(what: Callable[[], Any], running: subprocess.Popen[bytes], seconds: float = 200) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def children(parent: int) -> list[int]:
    """Processes that it started, oldest first: torchrun starts the first rank first."""
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
    return sorted(map(int, told.split()))
