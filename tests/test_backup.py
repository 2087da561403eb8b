"""Backups: of one moment while others write, checked before anything is taken out, and back in one step."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import DataError, MissingExtra, ModelError, ShopError, ShopLocked, ShopTooNew, UsageError
from mercer.events.log import EventLog
from mercer.records import Event, Product
from mercer.shop import Shop
from mercer.shop.backup import backup
from mercer.shop.restore import restore


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two versions, an index's database, events, a private file, and what is no part of a backup."""
    shop = Shop.create(tmp_path / "shop")
    for name in ("a", "b"):
        with shop.writing("index") as folder:
            (folder / "behaviour").mkdir()
            (folder / "behaviour" / "x.npz").write_bytes(name.encode() * 5000)
            (folder / "products" / "zvec").mkdir(parents=True)
            (folder / "products" / "zvec" / "0").write_bytes(b"changes all the time")
            (folder / "products" / "words.json").write_text("{}", "utf-8")
            with contextlib.closing(sqlite3.connect(folder / "products" / "products.db")) as database:
                database.execute("CREATE TABLE products (id TEXT)")
            shop.keep("index", folder, {}, version=name)
        shop.publish("index", name)
    with EventLog(shop.events) as log:
        log.append([Event(f"e{number}", "view", "cup", 1_760_000_000_000) for number in range(50)])
    (shop.store / "keys.json").write_text('{"keys": []}', "utf-8")
    (shop.store / "keys.json").chmod(0o600)
    shop.settings.write_text("[serve]\n", "utf-8")
    shop.cache.mkdir()
    (shop.cache / "vectors.db").write_bytes(b"made again")
    (shop.folder / "raw").mkdir()
    (shop.folder / "raw" / "products.csv").write_text("id\n", "utf-8")
    return shop


def contents(folder: Path) -> dict[str, str]:
    """Path → hash of every file below a folder, save locks."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def test_there_and_back(shop: Shop, tmp_path: Path) -> None:
    members = backup(shop, tmp_path / "one.mercer")
    names = {member.path for member in members}
    assert {"mercer.toml", "store/live.json", "store/events.db", "store/keys.json", "store/audit.jsonl"} <= names
    assert not [name for name in names if "cache" in name or "zvec" in name or "lock" in name or "raw" in name]
    assert (tmp_path / "one.mercer").stat().st_mode & 0o777 == 0o600
    done = restore(tmp_path / "one.mercer", tmp_path / "new")
    assert (done.files, done.before, done.audit) == (len(members), None, [])
    new = Shop(tmp_path / "new")
    assert new.live("index") == shop.live("index")
    assert new.rollback("index").version == "a"
    assert (new.store / "keys.json").stat().st_mode & 0o777 == 0o600
    assert new.store.stat().st_mode & 0o077 == 0
    assert new.audit.verify() == []
    with EventLog(new.events) as log:
        assert log.count() == 50
    kept, mine = contents(new.path("index", "b")), contents(shop.path("index", "b"))
    assert kept["behaviour/x.npz"] == mine["behaviour/x.npz"]


def test_replacing_keeps_the_shop_before_and_what_lies_beside(shop: Shop, tmp_path: Path) -> None:
    backup(shop, tmp_path / "one.mercer")
    shop.rollback("index")
    with pytest.raises(UsageError, match="is not empty"):
        restore(tmp_path / "one.mercer", shop.folder)
    done = restore(tmp_path / "one.mercer", shop.folder, replace=True)
    live = Shop(shop.folder).live("index")
    assert live is not None
    assert live.version == "b"
    assert done.before is not None
    before = Shop(done.before).live("index")
    assert before is not None
    assert before.version == "a"
    for folder in (shop.folder, done.before):
        assert (folder / "raw" / "products.csv").read_text("utf-8") == "id\n"
    assert not list(tmp_path.glob(".*"))


def test_only_a_shop_that_nobody_has_open_is_replaced(shop: Shop, tmp_path: Path) -> None:
    import fcntl

    backup(shop, tmp_path / "one.mercer")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(UsageError, match="is no shop"):
        restore(tmp_path / "one.mercer", tmp_path / "other", replace=True)
    with (shop.path("index", "b") / "products" / "products.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ShopLocked, match="open in another process"):
            restore(tmp_path / "one.mercer", shop.folder, replace=True)


@pytest.mark.parametrize("where", ["store/x", "nowhere/x", "."])
def test_a_place_that_cannot_be(shop: Shop, where: str) -> None:
    with pytest.raises(UsageError):
        backup(shop, shop.folder / where)


def test_nothing_but_a_backup_is_written_over(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(UsageError, match="is no backup"):
        backup(shop, tmp_path / "thesis.txt")
    backup(shop, tmp_path / "one.mercer")
    backup(shop, tmp_path / "one.mercer")


# --- damage and malice


def test_models_that_live_by_themselves_are_in_it(shop: Shop, tmp_path: Path) -> None:
    """They lie below models/, not below a folder of their kind's name."""
    for kind in ("assistant", "opinion"):
        with shop.writing(kind) as folder:
            shop.keep(kind, folder, {}, version="a")
        shop.publish(kind, "a")
    backup(shop, tmp_path / "one.mercer")
    restore(tmp_path / "one.mercer", tmp_path / "new")
    for kind in ("assistant", "opinion"):
        live = Shop(tmp_path / "new").live(kind)
        assert live is not None
        assert Shop(tmp_path / "new").card(kind, live.version) == shop.card(kind, "a")


def test_no_damage_goes_unseen(shop: Shop, tmp_path: Path) -> None:
    backup(shop, tmp_path / "one.mercer")
    restore(tmp_path / "one.mercer", tmp_path / "good")
    good, whole = contents(tmp_path / "good"), (tmp_path / "one.mercer").read_bytes()
    random_, seen = random.Random(5), 0
    for number, place in enumerate(random_.sample(range(len(whole)), 30)):
        changed = bytearray(whole)
        changed[place] ^= 1 << random_.randrange(8)
        (tmp_path / "bad.mercer").write_bytes(changed)
        new = tmp_path / f"new{number}"
        try:
            restore(tmp_path / "bad.mercer", new)
        except DataError:
            seen += 1
            assert not new.exists(), "nothing is left behind"
        else:
            assert contents(new) == good, f"byte {place} changed a file unseen"
    assert seen > 15
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_half_an_archive(shop: Shop, tmp_path: Path, share: float) -> None:
    backup(shop, tmp_path / "one.mercer")
    whole = (tmp_path / "one.mercer").read_bytes()
    (tmp_path / "half.mercer").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="cannot be restored"):
        restore(tmp_path / "half.mercer", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def forged(path: Path, files: dict[str, bytes], *, listed: list[dict[str, Any]] | None = None, format: int = 1) -> Path:
    """An archive whose hashes are right, written by somebody else."""
    rows = listed or [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "mode": 0o644}
        for name, content in files.items()
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        archive.writestr("manifest.json", json.dumps({"format": format, "files": rows}))
    return path


FORMAT = {"store/format.json": b'{"format": 1}'}


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "store/../../evil", "store/./x", "store//x", "store\\..\\evil", "store/C:x", "evil",
     "store/a\nb", "store/" + "a" * 2000, "store"],
)  # fmt: skip
def test_no_path_leaves_the_shop(tmp_path: Path, name: str) -> None:
    (tmp_path / "home").mkdir()
    archive = forged(tmp_path / "x.mercer", {**FORMAT, name: b"owned"})
    with pytest.raises(DataError, match="cannot be restored"):
        restore(archive, tmp_path / "home" / "new")
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "home" / "new").exists()


def test_what_the_list_does_not_say_is_refused(tmp_path: Path) -> None:
    row = {"path": "store/format.json", "size": 13, "sha256": hashlib.sha256(FORMAT["store/format.json"]).hexdigest(),
           "mode": 0o644}  # fmt: skip
    for listed in (
        [row, row], [{**row, "size": 12}], [{**row, "size": 10**15}], [{**row, "mode": 0o4755}], [{**row, "more": 1}],
        [{**row, "sha256": "0" * 64}], [row, {**row, "path": "store/other"}], "none", [1], [{}],
    ):  # fmt: skip
        archive = forged(tmp_path / "x.mercer", FORMAT, listed=listed)  # type: ignore[arg-type]
        with pytest.raises(DataError, match="cannot be restored"):
            restore(archive, tmp_path / "new")
    with pytest.raises(DataError):
        restore(forged(tmp_path / "x.mercer", {**FORMAT, "store/more": b""}, listed=[row]), tmp_path / "new")
    with pytest.raises(ShopTooNew):
        restore(forged(tmp_path / "x.mercer", FORMAT, format=99), tmp_path / "new")
    with pytest.raises(DataError, match=r"bad\.db in it is damaged"):
        restore(forged(tmp_path / "x.mercer", {**FORMAT, "store/bad.db": b"SQLite format 3\x00" + b"x" * 99}),
                tmp_path / "new")  # fmt: skip
    assert not (tmp_path / "new").exists()


def test_a_link_is_written_as_a_file(tmp_path: Path) -> None:
    archive = tmp_path / "x.mercer"
    target = b"/etc/passwd"
    rows = [{"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "mode": 0o600}
            for name, content in {**FORMAT, "store/link": target}.items()]  # fmt: skip
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("store/format.json", FORMAT["store/format.json"])
        link = zipfile.ZipInfo("store/link")
        link.external_attr = 0o120777 << 16
        made.writestr(link, target)
        made.writestr("manifest.json", json.dumps({"format": 1, "files": rows}))
    restore(archive, tmp_path / "new")
    assert not (tmp_path / "new" / "store" / "link").is_symlink()


# --- while others write


def test_nothing_acknowledged_before_is_missing(shop: Shop, tmp_path: Path) -> None:
    """One thread appends events and changes all the time; the backup has all that was acknowledged when it began."""
    stop, told = threading.Event(), []
    log = EventLog(shop.events)

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            log.append([Event(f"w{number}", "click", "cup", 1_760_000_000_000)])
            log.record_changes(upserts=[Product(id=f"p{number}", title="Cup")])
            told.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(3):
            while len(told) < 20 * (turn + 1):
                stop.wait(0.001)
            before = len(told)
            backup(shop, tmp_path / f"{turn}.mercer")
            restore(tmp_path / f"{turn}.mercer", tmp_path / f"new{turn}")
            with EventLog(tmp_path / f"new{turn}" / "store" / "events.db") as copy:
                there = {event.id for event in copy.all()}
                changed = {change.id for change in copy.changes()}
            assert {f"w{number}" for number in told[:before]} <= there
            assert {f"p{number}" for number in told[:before]} <= changed
    finally:
        stop.set()
        writer.join()
        log.close()


def test_an_erasure_meanwhile_asks_for_another_backup(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mercer.shop.backup as room

    add = room._add

    def erased(*arguments: Any) -> None:
        if not shop.audit.path.read_bytes().count(b"erase shopper"):
            shop.audit.append("erase shopper", {"subject": "x"})
        add(*arguments)

    monkeypatch.setattr(room, "_add", erased)
    with pytest.raises(ShopError, match="was erased while"):
        backup(shop, tmp_path / "one.mercer")
    assert not (tmp_path / "one.mercer").exists()


# --- kill -9


KILLED = """
import os, signal, sys
from pathlib import Path
import mercer.shop.archive as archive, mercer.shop.backup as backup, mercer.shop.restore as restore
from mercer.shop import Shop
what, at, shop, file = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
calls = 0
def dying(room, name):
    before = getattr(room, name)
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        done = before(*arguments, **named)
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(room, name, call)
dying(os, "fsync")
dying(os, "replace")
dying(os, "rename")
dying(os, "link")
dying(restore, "_exchange")
backup.backup(Shop(shop), file) if what == "backup" else restore.restore(file, shop, replace=True)
"""


def killed(what: str, at: int, shop: Path, file: Path) -> int:
    return subprocess.run([sys.executable, "-c", KILLED, what, str(at), str(shop), str(file)], check=False).returncode


def store_of(folder: Path) -> dict[str, str]:
    return {name: hash for name, hash in contents(folder).items() if name.startswith("store")}


def test_a_kill_leaves_the_old_shop_or_the_new(shop: Shop, tmp_path: Path) -> None:
    backup(shop, tmp_path / "one.mercer")
    restore(tmp_path / "one.mercer", tmp_path / "new")
    new = store_of(tmp_path / "new")
    shop.rollback("index")
    old, outcomes = store_of(shop.folder), []
    at = 1
    while (code := killed("restore", at, shop.folder, tmp_path / "one.mercer")) == -signal.SIGKILL:
        now = store_of(shop.folder)
        assert now in (old, new), f"neither the old nor the new after a kill at {at}"
        assert (shop.folder / "raw" / "products.csv").exists()
        outcomes.append(now == new)
        if now == new:
            break
        at += 4
    assert code in (0, -signal.SIGKILL)
    assert outcomes.count(False) >= 4
    restore(tmp_path / "one.mercer", shop.folder, replace=True)
    assert store_of(shop.folder) == new
    assert not [path for path in tmp_path.iterdir() if ".restoring-" in path.name], "the next one tidies up"


def test_a_kill_leaves_the_old_backup_or_the_new(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "one.mercer"
    backup(shop, file)
    for at in (1, 2, 3, 4):
        assert killed("backup", at, shop.folder, file) == -signal.SIGKILL
        assert restore(file, tmp_path / f"new{at}").audit == []
    backup(shop, file)
    assert not [path for path in tmp_path.iterdir() if ".writing-" in path.name]


# --- a whole shop


def test_a_served_shop_comes_back_with_what_was_changed(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(
        "id,title,category,price,currency\np-1,Oak serving board,Kitchen,24.5,EUR\np-2,Stoneware cup,Kitchen,9,EUR\n",
        "utf-8",
    )
    folder, file, new = tmp_path / "shop", tmp_path / "shop.mercer", tmp_path / "new"
    for arguments in (
        ["init", str(folder), "--products", str(tmp_path / "products.csv"), "--yes"], ["check", str(folder)],
        ["index", str(folder)],
    ):  # fmt: skip
        outcome = CliRunner().invoke(app, arguments)
        if isinstance(outcome.exception, MissingExtra | ModelError):
            pytest.skip(str(outcome.exception))
        assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    from mercer.doors import open_doors
    from mercer.records import Request

    with contextlib.closing(open_doors(folder)) as doors:
        doors.upsert([Product(id="p-9", title="Copper kettle", category=("Kitchen",), price=49.0, currency="EUR")])
        doors.delete(["p-2"])
        doors.events.append([Event("e1", "click", "p-9", 1_760_000_000_000, shopper="ann")])
        told = CliRunner().invoke(app, ["backup", str(folder), str(file), "--json"])
        assert json.loads(told.stdout)["files"] > 10
        doors.upsert([Product(id="late", title="Copper pan", price=1.0)])
    assert CliRunner().invoke(app, ["restore", str(file), str(new)], catch_exceptions=False).exit_code == 0
    with contextlib.closing(open_doors(new)) as doors:
        found = doors.search(Request(query="copper kettle", k=3))
        assert found.hits[0].id == "p-9"
        assert sorted(doors.index.ids()) == ["p-1", "p-9"]
        assert doors.search(Request(query="oak board", k=3)).hits[0].id == "p-1"
        assert doors.shopper("ann").products == ("p-9",)
    assert os.path.exists(new / "mercer.toml")
