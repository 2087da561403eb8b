"""What every event log promises, run on every member of the family."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mercer.errors import RequestError
from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.records import Event, Impression, Product

NOON = 1_760_000_000_000
OPENERS: dict[str, Callable[[Path], EventLog]] = {"sqlite": lambda folder: EventLog(folder / "events.db")}


@pytest.fixture(params=list(OPENERS))
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], EventLog]:
    return lambda: OPENERS[request.param](tmp_path)


@pytest.fixture
def log(opener: Callable[[], EventLog]) -> Iterator[EventLog]:
    with opener() as opened:
        yield opened


def event(number: int, *, shopper: str = "ann", product: str = "", time: int | None = None) -> Event:
    return Event(
        f"e{number}", "view", product or f"p{number}", NOON + number if time is None else time, shopper=shopper
    )


def test_every_field_comes_back(log: EventLog) -> None:
    full = Event("甲-1", "purchase", "茶杯", NOON, "张三", "s1", "q1", 3, 2.0, 19.9, "phone", "上海")
    bare = Event("2", "view", "cup", NOON)
    assert log.append([full, bare]) == 2
    assert [stored for _, stored in log.since(0)] == [full, bare]


def test_an_id_is_stored_once(log: EventLog) -> None:
    assert log.append([event(1), event(2), event(1)]) == 2
    assert log.append([event(2, product="other"), event(3)]) == 1
    assert log.count() == 3
    assert log.since(0)[1][1].product == "p2", "the first is kept"


def test_numbers_rise_and_are_bookmarks(log: EventLog) -> None:
    for number in range(10):
        log.append([event(number), event(number)])
    stored = log.since(0)
    numbers = [number for number, _ in stored]
    assert numbers == sorted(set(numbers))
    assert [e.id for _, e in stored] == [f"e{n}" for n in range(10)]
    assert log.since(numbers[6]) == stored[7:]
    assert log.since(0, limit=3) == stored[:3]
    assert log.since(numbers[-1]) == []
    assert list(log.all(batch=3)) == [e for _, e in stored]


def test_recent_goes_by_the_time_of_the_event(log: EventLog) -> None:
    log.append([event(3), event(1), event(2), event(9, shopper="bob"), event(8, shopper="")])
    assert [e.id for e in log.recent("ann", 2)] == ["e2", "e3"]
    assert [e.id for e in log.recent("ann", 10**30)] == ["e1", "e2", "e3"]
    assert log.recent("", 5) == []
    assert log.recent("nobody", 5) == []
    with pytest.raises(RequestError, match="k is 0"):
        log.recent("ann", 0)


def test_one_bad_event_stores_nothing(log: EventLog) -> None:
    with pytest.raises(RequestError):
        log.append([event(1), event(2, time=-1)])
    assert log.count() == 0
    assert log.append([]) == 0


def test_what_was_appended_is_there_after_reopening(opener: Callable[[], EventLog]) -> None:
    with opener() as log:
        log.append([event(1)])
        log.shown([Impression("q", "p", 1, NOON)])
        log.record_changes([Product("p", "Cup")])
    with opener() as log:
        assert log.append([event(1)]) == 0
        assert log.append([event(2)]) == 1
        assert len(log.impressions()) == len(log.changes()) == 1


def test_four_threads_lose_and_double_nothing(log: EventLog) -> None:
    new: list[int] = []

    def work(thread: int) -> None:
        for batch in range(25):
            first = (batch * 4 + thread) * 5
            own = [event(number) for number in range(first, first + 5)]
            new.append(log.append([*own, event(100_000 + batch)]))  # the last one is sent by all four

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.count() == 4 * 25 * 5 + 25 == sum(new)
    numbers = [number for number, _ in log.since(0)]
    assert len(set(numbers)) == log.count()


def test_a_reader_never_skips_what_is_being_written(log: EventLog) -> None:
    seen: list[str] = []
    done = threading.Event()

    def read() -> None:
        bookmark = 0
        while True:
            last_round = done.is_set()
            found = log.since(bookmark)
            seen.extend(stored.id for _, stored in found)
            bookmark = found[-1][0] if found else bookmark
            if last_round:
                return

    reader = threading.Thread(target=read)
    reader.start()
    writers = [
        threading.Thread(target=lambda part=part: [log.append([event(n)]) for n in range(part, 120, 3)])
        for part in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert sorted(seen) == sorted(f"e{n}" for n in range(120))


KILLED = """
import sys
from pathlib import Path
from mercer.events.log import EventLog
from mercer.records import Event
log = EventLog(Path(sys.argv[1]) / "events.db")
number = log.count()
while True:
    number += 2
    batch = [Event(f"{sys.argv[2]}-{number + n}", "view", "p", 1_760_000_000_000 + number) for n in range(2)]
    log.append(batch)
    print(batch[0].id, batch[1].id, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_killed_process_loses_nothing_it_acknowledged(
    opener: Callable[[], EventLog], tmp_path: Path, after: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), f"run{after}"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        acknowledged = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.readlines()  # what it still said before it died
    whole = [line.split() for line in acknowledged if line.endswith("\n")]
    with opener() as log:
        stored = {e.id for e in log.all()}
        assert {id for ids in whole for id in ids} <= stored
        assert len(stored) % 2 == 0, "half a batch was stored"
        assert log.append([event(1)]) == 1, "the log goes on after a crash"


def test_newest_change_of_each_product(log: EventLog) -> None:
    cup = Product("p1", "茶杯", category=("家居", "厨房"), price=9.5, attributes={"颜色": "白"})
    assert log.record_changes([cup, Product("p2", "Pot")]) == 2
    first = log.changes()
    assert [(c.id, c.product and c.product.title) for c in first] == [("p1", "茶杯"), ("p2", "Pot")]
    assert first[0].product == cup
    assert log.record_changes([Product("p1", "Cup")], ["p2"]) == 2
    newest = log.changes()
    assert [(c.id, c.product and c.product.title) for c in newest] == [("p1", "Cup"), ("p2", None)]
    assert log.changes(first[-1].seq) == newest
    assert log.changes(newest[-1].seq) == []
    assert log.record_changes() == 0


def test_products_that_cannot_be_stored_are_refused(log: EventLog) -> None:
    for wrong in (Product("", "x"), Product("a", "\ud800")):
        with pytest.raises(RequestError):
            log.record_changes([Product("fine", "y"), wrong])
    assert log.changes() == []


def test_impressions_are_kept_in_order(log: EventLog) -> None:
    shown = [Impression("q1", f"p{place}", place, NOON, 0.5, "v1") for place in range(1, 4)]
    log.shown(shown[:2])
    log.shown(shown[2:])
    assert [impression for _, impression in log.impressions()] == shown
    with pytest.raises(RequestError):
        log.shown([Impression("q", "", 1, NOON)])


def test_listeners_hear_what_is_new_before_append_returns(log: EventLog) -> None:
    heard: list[str] = []
    log.listen(lambda events: heard.extend(e.id for e in events))
    log.append([event(1), event(2)])
    log.append([event(2), event(3)])
    log.append([event(3)])
    assert heard == ["e1", "e2", "e3"]


def test_export_has_the_canonical_columns(log: EventLog, tmp_path: Path) -> None:
    from pyarrow import parquet

    log.append([Event("1", "view", "cup", NOON), Event("2", "click", "杯", NOON + 1, "张三", position=2, price=3)])
    target = tmp_path / "events.parquet"
    assert log.export(target) == 2
    rows = parquet.read_table(target).to_pylist()
    assert set(rows[0]) == {
        "event_id", "type", "shopper", "session", "product", "query_id", "position", "quantity", "price", "time",
        "device", "place", "row_id",
    }  # fmt: skip
    assert (rows[0]["shopper"], rows[0]["row_id"], rows[1]["shopper"], rows[1]["price"]) == (None, 0, "张三", 3.0)
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_answers_come_back_with_what_stood_on_them(log: EventLog) -> None:
    full = Answer(
        "q1",
        NOON,
        "search",
        "茶杯 [mobile-1]",
        7,
        10,
        "张三",
        "s1",
        "phone",
        "v1",
        {"encoder": "e"},
        "prices/b",
        "busy",
    )
    none = Answer("q2", NOON + 5, "search", "nothing like it")
    log.shown([Impression("q1", "茶杯", 11, NOON, 0.5, features=b"\x00told")], full)
    log.shown([], none)
    assert [one for _, one in log.answers()] == [full, none]
    assert [one for _, one in log.answers(between=(NOON + 1, NOON + 9))] == [none]
    assert log.impressions()[0][1].features == b"\x00told"
    assert log.impressions(between=(NOON + 1, NOON + 9)) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer("", NOON), Answer("q", 5), Answer("q", NOON, query="x" * 513), Answer("q", NOON, total=float("nan")),  # type: ignore[arg-type]
        Answer("q", NOON, arm="\ud800"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_refused_with_its_impressions(log: EventLog, answer: Answer) -> None:
    with pytest.raises(RequestError):
        log.shown([Impression("q", "p", 1, NOON)], answer)
    assert log.impressions() == log.answers() == []
