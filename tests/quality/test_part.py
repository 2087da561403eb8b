"""Events in many files: a day more is a day's work, and the answer is the one of a check from scratch."""

from __future__ import annotations

import pytest

from mercer.quality import ask
from mercer.quality.check import registry
from mercer.quality.run import QualitySettings, check
from mercer.quality.source import read_all, sources

NOW = 1_760_000_000_000
DAY = 86_400_000
FIRST = 1_750_000_000_000 - 5 * DAY


def day(folder, number, *, rows=200, spoil=()):
    """One file of views; `spoil` has lines that stand after them."""
    lines = ["event_id,type,shopper,session,product,price,time"]
    for n in range(rows):
        moment = FIRST + number * DAY + n * 60_000
        lines.append(f"d{number}e{n},view,s{n % 17},v{number}-{n % 40},p{n % 40},5,{moment}")
    (folder / f"events-{number:03d}.csv").write_text("\n".join([*lines, *spoil]) + "\n")


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "days").mkdir()
    products = ["id,title,price", *(f"p{n},Mug {n},{5 + n % 3}" for n in range(40))]
    (tmp_path / "products.csv").write_text("\n".join(products) + "\n")
    for number in range(3):
        day(tmp_path / "days", number, spoil=[f"x{number},view,s1,v,gone,5,{FIRST + number * DAY}"])
    return tmp_path


@pytest.fixture
def run(shop, monkeypatch):
    """``run()``: the checked shop, and how often checks were asked about single files."""
    asked = []
    original = ask.Asked._ask

    def counted(self, declared, settings, frames, tables):
        asked.append((declared.id, frames._part.name if frames._part else ""))
        return original(self, declared, settings, frames, tables)

    monkeypatch.setattr(ask.Asked, "_ask", counted)

    def go(settings=None, *, parts="parts", now=NOW):
        asked.clear()
        found = sources(shop, {"products": "products.csv", "events": "days"}, {})
        raws = read_all(found, parts=shop / parts)
        checked = check(raws, settings, now=now, kept=shop / parts)
        checked.trusted["events"].table()
        return checked, list(asked)

    return go


TIMED = {"E03"}
"""Asked of reviews each time, as they ask what time it is."""
BY_PART = {declared.id for declared in registry().values() if declared.span == "part" and "events" in declared.families}


def test_there_are_checks_of_single_files():
    assert {"E01", "E03"} <= BY_PART


def test_a_second_run_asks_nothing_of_files_it_knows(run):
    first, asked = run()
    assert {name for _, name in asked} == {"", *(f"events-{n:03d}.csv" for n in range(3))}
    again, asked = run(now=NOW + DAY)
    assert {id for id, name in asked if name or id not in TIMED} == set()
    assert again.version == first.version
    assert again.findings.equals(first.findings)


def test_one_day_more_is_one_day_of_work_and_the_answer_of_a_check_from_scratch(run, shop):
    run()
    day(shop / "days", 3, spoil=[f"d0e5,view,s5,v0-5,p5,5,{FIRST + 5 * 60_000}"])
    more, asked = run()
    assert {name for _, name in asked} == {"", "events-003.csv"}
    assert {id for id, name in asked if name} == BY_PART
    assert not {id for id, name in asked if not name} & {"C01", "C03", "C07"}
    scratch, _ = run(parts="other")
    assert more.version == scratch.version
    assert more.manifest == scratch.manifest
    assert more.findings.equals(scratch.findings)


def test_a_changed_day_is_asked_again(run, shop):
    run()
    day(shop / "days", 1)
    changed, asked = run()
    assert "events-001.csv" in {name for _, name in asked}
    assert "events-000.csv" not in {name for _, name in asked}
    scratch, _ = run(parts="other")
    assert changed.version == scratch.version


def test_other_products_are_asked_about_again(run, shop):
    run()
    path = shop / "products.csv"
    path.write_text(path.read_text().replace("p7,", "q7,"))
    changed, asked = run()
    assert {id for id, _ in asked} >= {"E01"}
    assert "E03" not in {id for id, name in asked if name}
    assert 7 in {row["row_id"] for row in changed.findings.to_pylist() if row["check_id"] == "E01"}


def test_what_was_the_future_is_looked_at_again(run, shop):
    day(shop / "days", 3, spoil=[f"f,view,s1,v,p1,5,{NOW + 30 * DAY}"])
    first, _ = run()
    assert "future" in first.findings["problem"].to_pylist()
    later, asked = run(now=NOW + 40 * DAY)
    assert ("E03", "events-003.csv") in asked
    assert "future" not in later.findings["problem"].to_pylist()


def test_states_of_files_add_up_to_those_of_all(run):
    from mercer.quality.profile import states

    checked, _ = run()
    whole = states(checked.trusted["events"].table())
    for name, state in checked.manifest["states"]["events"].items():
        assert state == pytest.approx(whole[name])
    assert [part["trusted"] for part in checked.manifest["parts"]["events"]] == [200, 200, 200]


def test_one_file_on_disk_is_the_same_as_one_in_memory(shop):
    found = sources(shop, {"products": "products.csv", "events": "days/events-001.csv"}, {})
    kept = check(read_all(found, parts=shop / "parts"), now=NOW)
    loaded = check(read_all(found), now=NOW)
    assert kept.manifest["trusted_hash"] == loaded.manifest["trusted_hash"]
    assert kept.manifest["dataset_hash"] == loaded.manifest["dataset_hash"]
    assert kept.findings.drop(["run_id"]).equals(loaded.findings.drop(["run_id"]))
    assert kept.quarantine["events"].equals(loaded.quarantine["events"])
    assert kept.version == loaded.version


def test_a_file_in_seconds_is_mended_alone(run, shop):
    lines = ["event_id,type,shopper,session,product,price,time"]
    lines += [f"s{n},view,s{n % 17},v3-{n},p{n % 40},5,{FIRST // 1000 + 3 * 86_400 + n * 60}" for n in range(200)]
    (shop / "days" / "events-003.csv").write_text("\n".join(lines) + "\n")
    checked, _ = run()
    times = checked.trusted["events"]["time"].to_pylist()
    assert min(times) > FIRST - DAY
    assert max(times) < NOW


def test_a_limit_of_one_file(run, shop):
    from mercer.quality.check import CheckSettings
    from mercer.quality.checks.e01_event import EventRules

    strict = EventRules(actions={"unknown_product": "warn"}, warn_if=0.001)
    settings = QualitySettings(sources={"E01": {"events-001": strict}})
    checked, _ = run(settings)
    found = [row for row in checked.findings.to_pylist() if row["problem"] == "unknown_product"]
    assert [row["action"] for row in found] == ["quarantine", "warn", "quarantine"]
    named = [item for item in checked.gate.requirements if item.check == "E01"]
    assert sorted((item.qualified, item.unqualified, item.threshold) for item in named) == [
        (200, 1, 0.001),
        (601, 2, CheckSettings().warn_if),
    ]


def test_what_is_not_needed_is_swept(run, shop):
    run()
    before = {path.name for path in (shop / "parts").iterdir()}
    (shop / "days" / "events-002.csv").unlink()
    run()
    after = {path.name for path in (shop / "parts").iterdir()}
    assert len(before - after) == 1


def test_a_day_delivered_again_under_another_name_is_found(run, shop):
    first, _ = run()
    (shop / "days" / "events-009.csv").write_text((shop / "days" / "events-001.csv").read_text())
    again, _ = run()
    new = [row for row in again.findings.to_pylist() if row["check_id"] == "E02"]
    assert {row["problem"] for row in new} == {"same_event"}
    assert {row["row_id"] for row in new} >= set(range(603, 803))
    assert again.trusted["events"].num_rows == first.trusted["events"].num_rows


def test_an_id_of_another_day_is_found(run, shop):
    day(shop / "days", 3, spoil=[f"d0e5,view,s5,v3-5,p8,5,{FIRST + 3 * DAY}"])
    checked, _ = run()
    (row,) = [row for row in checked.findings.to_pylist() if row["problem"] == "id_reused"]
    assert row["row_id"] == 603 + 200
