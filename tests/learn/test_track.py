"""What the trackers of a real run wrote, read by their own readers."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
sys.path.insert(0, str(Path(__file__).parent))

from test_tune import FAST, pairs, task

from mercer.encode.model import read
from mercer.learn.pool import Pool
from mercer.learn.tune import tune

TRACKED = dataclasses.replace(FAST, steps=12, evaluations=2, track=("jsonl", "tensorboard", "wandb"))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder in which nobody is logged in, and no way out to any network."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("NETRC", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    really = socket.getaddrinfo

    def local(host: Any, *rest: Any, **named: Any) -> Any:
        assert host in (None, "localhost", "127.0.0.1", "::1"), f"{host} was looked up"
        return really(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    return home


def run(tiny_bert: Path, folder: Path, **changes: Any) -> Path:
    table = pairs()
    ids = table["product"].to_pylist()
    texts, queries = (dict(zip(ids, table[name].to_pylist(), strict=True)) for name in ("text", "query"))
    pool = Pool(queries, {id: {id: 1.0} for id in queries}, {id: list(texts) for id in queries}, texts)
    settings = dataclasses.replace(TRACKED, **changes)
    tune(read(tiny_bert), [task()], settings, folder=folder / "model", work=folder / "work", pool=pool)
    return folder / "model"


def test_tensorboard_and_wandb_hold_the_run(tiny_bert: Path, tmp_path: Path, alone: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pytest.importorskip("wandb")
    model = run(tiny_bert, tmp_path)

    lines = [json.loads(line) for line in (model / "log.jsonl").read_text("utf-8").splitlines()]
    wanted = {name: {line["step"]: line[name] for line in lines if name in line} for name in ("loss", "eval_nDCG@10")}
    assert len(wanted["loss"]) == 12
    assert len(wanted["eval_nDCG@10"]) >= 2

    board = accumulators.EventAccumulator(str(model / "tensorboard"))
    board.Reload()
    for name, values in wanted.items():
        assert {one.step: one.value for one in board.Scalars(name)} == pytest.approx(values, rel=1e-5), name

    (file,) = (model / "wandb").glob("offline-run-*/run-*.wandb")
    told, config = read_wandb(file)
    for name, values in wanted.items():
        assert told[name] == pytest.approx(values, rel=1e-5), name
    assert config["lr"] == TRACKED.lr
    assert config["objective"] == ["contrastive"]
    assert not [path for path in alone.rglob("*") if path.is_file()]


def records(file: Path) -> Iterator[bytes]:
    """Of a log in LevelDB's format: blocks of 32 KiB, pieces with checksum, length and kind (whole, first, …, last)."""
    data, at, whole = file.read_bytes(), 7, b""
    assert data[:4] == b":W&B"
    while at + 7 <= len(data):
        if 32_768 - at % 32_768 < 7:
            at += 32_768 - at % 32_768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""


def read_wandb(file: Path) -> tuple[dict[str, dict[int, float]], dict[str, Any]]:
    from wandb.proto import wandb_internal_pb2 as proto

    told: dict[str, dict[int, float]] = {}
    config: dict[str, Any] = {}
    for data in records(file):
        record = proto.Record()
        record.ParseFromString(data)
        for item in record.run.config.update:
            config[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
        row = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for name, value in row.items():
            told.setdefault(name, {})[int(row["_step"])] = value
    return told, config


def test_what_a_run_that_goes_on_does_again_is_hidden(tiny_bert: Path, tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from mercer.learn.track import Board

    class State:
        global_step = 0

    state = State()
    for begin, value in ((0, 1.0), (2, 5.0)):
        state.global_step = begin
        board = Board(tmp_path, {})
        board.on_train_begin(None, state, None)
        for step in range(begin + 1, 5):
            state.global_step = step
            board.on_log(None, state, None, {"loss": value})
    read_back = accumulators.EventAccumulator(str(tmp_path / "tensorboard"))
    read_back.Reload()
    assert [(one.step, one.value) for one in read_back.Scalars("loss")] == [(1, 1.0), (2, 1.0), (3, 5.0), (4, 5.0)]


def test_what_the_owner_set_is_left_alone(
    tiny_bert: Path, tmp_path: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    model = run(tiny_bert, tmp_path, track=("jsonl", "wandb"), steps=4)
    assert (model / "log.jsonl").exists()
    assert not list(model.glob("wandb/*"))
