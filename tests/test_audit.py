"""The audit log: every publish is in it, and no change to it goes unseen."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import DiskFull
from mercer.shop import Audit, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


@pytest.fixture
def log(shop: Shop) -> Audit:
    """Ten changes of two people."""
    ticking = iter(range(1_760_000_000, 1_770_000_000))
    audit = Audit(shop.store, clock=lambda: next(ticking))
    for number in range(10):
        audit.append("promote", {"kind": "index", "version": f"v{number}", "note": "先试试"}, who=f"user {number % 2}")
    return audit


def version(shop: Shop, name: str) -> str:
    with shop.writing("index") as folder:
        return shop.keep("index", folder, {}, version=name)


def test_publish_and_rollback_are_in_it(shop: Shop) -> None:
    for name in ("a", "b"):
        shop.publish("index", version(shop, name), override="the sale starts" if name == "b" else "")
    shop.publish("index", "b")  # live already: no change
    shop.rollback("index")
    told = [(entry.act, entry.about["version"], entry.about.get("override")) for entry in shop.audit.entries()]
    assert told == [("publish", "a", ""), ("publish", "b", "the sale starts"), ("rollback", "a", None)]
    assert shop.audit.verify() == []
    assert json.loads((shop.store / "live.json").read_text("utf-8"))["index"]["note"] == "rollback"


def test_what_could_not_be_done_is_said_not_to_have_been(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("no space", cure="free some")

    version(shop, "a")
    monkeypatch.setattr(Shop, "_swap", full)
    with pytest.raises(DiskFull):
        shop.publish("index", "a")
    assert [entry.act for entry in shop.audit.entries()] == ["publish", "publish failed"]


def test_a_shop_without_changes_is_whole(shop: Shop) -> None:
    assert shop.audit.verify() == []
    shop.audit.path.touch()
    assert shop.audit.verify() == []
    assert shop.audit.entries() == []


def test_only_the_owner_may_read_it(log: Audit) -> None:
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.head.stat().st_mode & 0o777 == 0o600


def test_whole_as_it_was_written(log: Audit) -> None:
    assert log.verify() == []
    assert log.verify(contains=log.entries()[3].hash) == []
    assert log.verify(contains="f" * 64) == [f"no entry has the hash {'f' * 64}"]
    assert [entry.seq for entry in log.entries()] == list(range(1, 11))


def test_any_changed_byte_is_seen(log: Audit) -> None:
    whole = log.path.read_bytes()
    random_ = random.Random(3)
    for place in random_.sample(range(len(whole)), 150):
        changed = bytearray(whole)
        changed[place] ^= 1 << random_.randrange(8)
        log.path.write_bytes(changed)
        assert log.verify(), f"byte {place} was changed unseen"
        log.path.write_bytes(whole)
    assert log.verify() == []


@pytest.mark.parametrize("gone", range(10))
def test_a_dropped_line_is_seen(log: Audit, gone: int) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    assert log.verify()
    log.append("promote", {"kind": "index"})
    assert log.verify(), "going on does not cover it up"


def test_another_order_a_copy_and_nothing_left_are_seen(log: Audit) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    for other in ([*lines[:4], lines[5], lines[4], *lines[6:]], [*lines[:5], lines[4], *lines[5:]], lines[::-1], []):
        log.path.write_bytes(b"".join(other))
        assert log.verify()


def test_a_log_forged_from_the_start_is_seen_by_the_second_file(log: Audit, tmp_path: Path) -> None:
    forged = Shop.create(tmp_path / "forged").audit
    for entry in log.entries():
        forged.append(entry.act, {**entry.about, "note": "another"}, who=entry.who)
    log.path.write_bytes(forged.path.read_bytes())
    assert log.verify() == ["entry 10, the last that was acknowledged, is not there"]
    noted = log.entries()[-1].hash
    log.head.write_bytes(forged.head.read_bytes())
    assert log.verify() == [], "who writes both files can forge both,"
    assert log.verify(contains="0" * 64), "but not a hash that was noted elsewhere"
    assert log.verify(contains=noted) == []


@pytest.mark.parametrize("left", [1, 20, 150])
def test_a_line_that_a_kill_cut_off_is_cut_and_told(log: Audit, left: int) -> None:
    half = Shop.create(log.path.parent / "other").audit.append("publish", {"kind": "index", "note": "x" * 200})
    with log.path.open("ab") as handle:
        handle.write(half.line()[:left])
    assert log.verify() == [], "it was never acknowledged"
    log.append("publish", {"kind": "index"})
    assert log.verify() == []
    assert [(entry.act, dict(entry.about)) for entry in log.entries()[-2:]] == [
        ("mend", {"bytes_cut": left}),
        ("publish", {"kind": "index"}),
    ]


def test_a_kill_between_the_two_files_loses_nothing(log: Audit) -> None:
    before = log.head.read_bytes()
    log.append("publish", {"kind": "index"})
    log.head.write_bytes(before)
    assert log.verify() == []
    log.append("publish", {"kind": "index"})
    assert log.verify() == []
    assert [entry.seq for entry in log.entries()] == list(range(1, 13))


def test_long_entries_are_read_from_the_end(log: Audit) -> None:
    log.append("rule", {"text": "长" * 100_000})
    log.append("rule", {"text": "short"})
    assert log.verify() == []
    assert log.entries()[-1].seq == 12


ADD = """
import sys
from mercer.shop import Shop
for number in range(8):
    Shop(sys.argv[1]).audit.append("rule", {"number": number})
"""


def test_processes_take_turns(shop: Shop) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", ADD, str(shop.folder)]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert [entry.seq for entry in shop.audit.entries()] == list(range(1, 25))
    assert shop.audit.verify() == []


def test_the_command_lists_and_verifies(log: Audit) -> None:
    folder = str(log.path.parent.parent)
    listed = CliRunner().invoke(app, ["audit", folder, "list", "--limit", "3", "--json"])
    assert [entry["seq"] for entry in json.loads(listed.stdout)["entries"]] == [8, 9, 10]
    assert "v9" in CliRunner().invoke(app, ["audit", folder]).stdout
    good = CliRunner().invoke(app, ["audit", folder, "verify"])
    assert good.exit_code == 0
    assert log.entries()[-1].hash in good.stdout
    log.path.write_bytes(log.path.read_bytes().replace(b"v4", b"v5"))
    bad = CliRunner().invoke(app, ["audit", folder, "verify", "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["faults"] == ["line 5 is not what was written"]


def test_rows_put_back_are_in_it(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title,price,currency\np-1,Cup,9,EUR\np-2,,5,EUR\n", "utf-8")
    folder = str(tmp_path / "shop")
    for arguments in (
        ["init", folder, "--products", str(tmp_path / "products.csv"), "--yes"],
        ["check", folder],
        ["quarantine", folder, "approve"],
    ):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    acts = [(entry.act, entry.about.get("count")) for entry in Shop(folder).audit.entries()]
    assert ("approve loss of rows", 1) in acts
    row = Shop(folder).audit.entries()[-1].about["rows"][0]
    CliRunner().invoke(app, ["quarantine", folder, "forget", row], catch_exceptions=False)
    assert Shop(folder).audit.entries()[-1].about == {"count": 1, "rows": [row]}
    assert Shop(folder).audit.verify() == []
