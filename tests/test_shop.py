"""The shop folder: versions, what is live, and what a kill, a full disk or another process does to it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercer.errors import DiskFull, NotFoundError, ShopError, ShopLocked, ShopTooNew
from mercer.shop import Live, Shop, content_hash, disk_errors, write_json


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop.create(tmp_path / "shop")


def made(shop: Shop, version: str, text: str = "content") -> str:
    with shop.writing("index") as folder:
        (folder / "data").write_text(text, "utf-8")
        return shop.keep("index", folder, {"products": 1}, version=version)


def left(shop: Shop) -> list[str]:
    return [path.name for path in (shop.store / "index").glob(".*")]


def test_a_version_is_written_kept_and_made_live(shop: Shop) -> None:
    made(shop, "a")
    assert shop.live("index") is None, "keeping is not publishing"
    assert shop.publish("index", "a") == Live("a")
    made(shop, "b")
    assert shop.publish("index", "b") == Live("b", ("a",))
    assert Shop(shop.folder).live("index") == Live("b", ("a",))
    assert shop.card("index", "b")["products"] == 1
    assert sorted(shop.versions("index")) == ["a", "b"]
    assert left(shop) == []


def test_publishing_the_live_one_again_changes_nothing(shop: Shop) -> None:
    for version in ("a", "b"):
        made(shop, version)
        shop.publish("index", version)
    assert shop.publish("index", "b") == Live("b", ("a",))


def test_rollback_goes_back_step_by_step_and_then_says_so(shop: Shop) -> None:
    for version in ("a", "b", "c"):
        made(shop, version)
        shop.publish("index", version)
    assert shop.rollback("index") == Live("b", ("a",))
    assert shop.rollback("index") == Live("a")
    with pytest.raises(NotFoundError, match="no index version was live before"):
        shop.rollback("index")
    assert shop.live("index") == Live("a")


def test_rollback_to_a_version_that_is_gone_leaves_the_live_one(shop: Shop) -> None:
    for version in ("a", "b"):
        made(shop, version)
        shop.publish("index", version)
    (shop.path("index", "a") / "card.json").unlink()
    with pytest.raises(NotFoundError, match="no index version 'a'"):
        shop.rollback("index")
    assert shop.live("index") == Live("b", ("a",))


def test_a_version_that_is_there_is_left_as_it_is(shop: Shop) -> None:
    made(shop, "a", "first")
    made(shop, "a", "second")
    assert (shop.path("index", "a") / "data").read_text("utf-8") == "first"
    assert left(shop) == []


def test_what_fails_while_it_is_written_leaves_nothing(shop: Shop) -> None:
    def write() -> None:
        with shop.writing("index") as folder:
            (folder / "data").write_text("half", "utf-8")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert left(shop) == []
    assert shop.versions("index") == []


def test_a_folder_without_a_card_is_no_version(shop: Shop) -> None:
    shop.path("index", "half").mkdir(parents=True)
    assert shop.versions("index") == []
    with pytest.raises(NotFoundError, match="no index version 'half'"):
        shop.publish("index", "half")
    made(shop, "half")
    assert shop.versions("index") == ["half"]


KILLED = """
import os, signal, sys
from mercer.shop import Shop
shop = Shop(sys.argv[1])
with shop.writing("index") as folder:
    (folder / "data").write_text("half", "utf-8")
    if sys.argv[2] == "card":
        (folder / "card.json").write_text("{}", "utf-8")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["early", "card"])
def test_a_killed_writer_leaves_the_live_version_and_is_cleaned_up(shop: Shop, when: str) -> None:
    made(shop, "a")
    shop.publish("index", "a")
    before = (shop.store / "live.json").read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(shop.folder), when], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (shop.store / "live.json").read_bytes() == before
    assert len(left(shop)) == 1
    assert shop.versions("index") == ["a"], "what a kill left is no version"
    made(shop, "b")
    assert left(shop) == []


HOLDING = """
import sys
from mercer.shop import Shop
with Shop(sys.argv[1]).writing("index"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_cannot_write_one_kind(shop: Shop) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(shop.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline().strip() == "held"
    with pytest.raises(ShopLocked) as raised, shop.writing("index"):
        pass
    assert str(child.pid) in raised.value.problem
    assert "stop that process" in raised.value.cure
    with shop.writing("checked"):
        pass
    child.communicate("")
    made(shop, "a")


def test_a_lock_dies_with_its_process(shop: Shop) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(shop.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    child.stdout.readline()
    child.kill()
    child.communicate()
    made(shop, "a")


def test_a_reader_never_sees_a_broken_state(shop: Shop) -> None:
    for version in ("a", "b", "c"):
        made(shop, version)
    shop.publish("index", "a")
    stop, seen, wrong = threading.Event(), set(), []

    def look() -> None:
        while not stop.is_set():
            try:
                live = Shop(shop.folder).live("index")
                seen.add(live.version if live else "")
            except ShopError as error:
                wrong.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    deadline = time.monotonic() + 0.8
    while time.monotonic() < deadline:
        for version in ("b", "c", "a"):
            shop.publish("index", version)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert seen == {"a", "b", "c"}
    assert not list(shop.store.glob(".live.json*"))


def test_a_newer_format_is_refused(shop: Shop) -> None:
    (shop.store / "format.json").write_text('{"format": 99}', "utf-8")
    for opening in (Shop, Shop.create):
        with pytest.raises(ShopTooNew, match=r"format 99.*upgrade mercer"):
            opening(shop.folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": "x"}', '{"format": null}', '{"format": 1e999}', "\xff"]
)
def test_a_damaged_format_is_named(shop: Shop, text: str) -> None:
    (shop.store / "format.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ShopError, match=r"format.json is damaged"):
        Shop(shop.folder)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"index": 3}', '{"index": {}}', '{"index": {"version": 3, "before": []}}', "\xff",
     '{"index": {"version": "a", "before": "b"}}'],
)  # fmt: skip
def test_a_damaged_live_is_named_and_its_cure_works(shop: Shop, text: str) -> None:
    made(shop, "a")
    (shop.store / "live.json").write_bytes(text.encode("latin-1"))
    for act in (lambda: shop.live("index"), lambda: shop.publish("index", "a"), lambda: shop.rollback("index")):
        with pytest.raises(ShopError, match=r"live.json is damaged") as raised:
            act()
        assert "remove it" in raised.value.cure
    (shop.store / "live.json").unlink()
    assert shop.publish("index", "a") == Live("a")


def test_a_damaged_card_is_named(shop: Shop) -> None:
    made(shop, "a")
    (shop.path("index", "a") / "card.json").write_text("{", "utf-8")
    with pytest.raises(ShopError, match=r"card.json is damaged"):
        shop.publish("index", "a")


@pytest.mark.parametrize("version", ["", ".", "..", "../../x", "/etc", "a/../b", "a//b", "a/", "x" * 5000, "界" * 100])
def test_a_version_cannot_leave_its_folder(shop: Shop, version: str) -> None:
    for act in (shop.path, shop.card, shop.publish):
        with pytest.raises(NotFoundError, match="cannot be"):
            act("index", version)


@pytest.mark.parametrize("version", ["e5/3", "名称", "a b", "a\x00b", "\udcff"])
def test_an_odd_version_is_merely_not_there(shop: Shop, version: str) -> None:
    with pytest.raises(NotFoundError, match="there is no models version"):
        shop.card("models", version)


def test_a_folder_that_is_no_shop_or_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is no shop"):
        Shop(tmp_path)
    (tmp_path / "file").write_text("x", "utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ShopError, match="cannot be made"):
            Shop.create(place)
    with pytest.raises(ShopError, match="cannot be made"):
        Shop.create(tmp_path / ("x" * 300))
    assert (tmp_path / "file").read_text("utf-8") == "x"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def filled(place: Path, keep: int = 0) -> None:
    """Leave at most `keep` bytes free."""
    with (place / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while os.statvfs(place).f_bavail * os.statvfs(place).f_bsize > keep:
            file.write(b"x" * 4096)


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk: Path) -> None:
    shop = Shop.create(small_disk / "shop")
    for version in ("a", "b"):
        made(shop, version)
        shop.publish("index", version)
    before = (shop.store / "live.json").read_bytes()
    filled(small_disk)
    for act in (
        lambda: made(shop, "c", "x" * 10_000),
        lambda: shop.publish("index", "a"),
        lambda: shop.rollback("index"),
    ):
        with pytest.raises(DiskFull) as raised:
            act()
        assert str(small_disk) in raised.value.problem
        assert "free some space" in raised.value.cure
    assert (shop.store / "live.json").read_bytes() == before
    assert sorted(shop.versions("index")) == ["a", "b"]
    (small_disk / "ballast").unlink()
    made(shop, "c")
    assert shop.publish("index", "c").version == "c"


def test_a_full_disk_keeps_what_an_index_had(small_disk: Path) -> None:
    import numpy as np

    from mercer.records import Product
    from mercer.retrieve.store import Store

    store = Store(small_disk / "products.db", dimension=4)
    vector = np.eye(4, dtype=np.float32)[:1]
    store.put([Product("a", "kept")], vector)
    filled(small_disk)
    with pytest.raises(DiskFull):
        [store.put([Product(f"b{number}", "x" * 3000)], vector) for number in range(2000)]
    acknowledged = len(store)
    with pytest.raises(DiskFull):
        [store.put([Product("a", "y" * 3000 * number)], vector) for number in range(2000)]
    with contextlib.suppress(DiskFull):
        store.drop(["b0"])
    kept = {product.id for product in store}
    assert kept == set(store.columns.row), "memory and disk agree after a failure"
    assert acknowledged >= 1
    (small_disk / "ballast").unlink()
    store.put([Product("c", "room again")], vector)
    store.close()
    again = Store(small_disk / "products.db", dimension=4)
    assert {"a", "c"} <= set(again.columns.row)
    again.close()


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"cannot be written.*check its permissions"), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_json_is_whole_or_not_at_all(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"红": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"bad": object()})
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"红": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_the_hash_of_content_tells_parts_apart(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"ab")
    hashes = [content_hash("ab"), content_hash("a", "b"), content_hash("", "ab"), content_hash(tmp_path / "f")]
    assert len(set(hashes)) == 4
    assert content_hash(b"ab") == content_hash("ab")
    (tmp_path / "g").write_bytes(b"ab")
    assert content_hash(tmp_path / "g") == content_hash(tmp_path / "f")
