"""Experiments: the same arm for a shopper always, shares as set, intervals that hold at every look, teams and harm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.records import Event, Impression
from mercer.shop import Shop
from mercer.watch.experiment import Arm, Experiment, Guardrail, read
from mercer.watch.experiment_book import ExperimentBook
from mercer.watch.interleave import credit, draft
from mercer.watch.outcome import judge, outcome, sample_ratio
from mercer.watch.sequential import between, mean, radius, surprise
from mercer.watch.unit import Unit, tag, units

ROW = {"id": "trees", "arms": [{"name": "with"}, {"name": "without", "settings": {"rank.ranker": "off"}}]}
HOUR = 3_600_000
START = 1_790_000_000_000


def shoppers(experiment: Experiment, count: int = 8_000) -> Counter[str]:
    found = (experiment.assign(f"s{number}") for number in range(count))
    return Counter(arm.name if arm else "" for arm in found)


def test_shares_are_as_set_and_stay() -> None:
    three = Experiment("colours", (Arm("a", 2.0), Arm("b"), Arm("c")), share=0.5)
    counted = shoppers(three)
    assert sample_ratio([counted[""], *(counted[name] for name in "abc")], [4, 2, 1, 1]) > 0.01
    assert three.assign("ann") == three.assign("ann")
    wider = Experiment("colours", three.arms, share=1.0)
    for number in range(200):
        arm = three.assign(f"s{number}")
        assert arm is None or arm == wider.assign(f"s{number}"), "more shoppers take part, none changes the arm"


def test_two_experiments_share_out_independently() -> None:
    one, other = (Experiment(id, (Arm("a"), Arm("b"))) for id in ("one", "other"))
    both = Counter(str((one.assign(f"s{n}"), other.assign(f"s{n}"))) for n in range(8000))
    assert sample_ratio(list(both.values()), [1, 1, 1, 1]) > 0.01


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "id": "Trees!"},
        {**ROW, "arms": [{"name": "a"}]},
        {**ROW, "arms": [{"name": "a"}, {"name": "a"}]},
        {**ROW, "arms": [{"name": "a", "weight": 0}, {"name": "b"}]},
        {**ROW, "scenes": ["kitchen"]},
        {**ROW, "share": 1.5},
        {**ROW, "share": "all"},
        {**ROW, "metric": "joy"},
        {**ROW, "guardrails": [{"metric": "joy", "worse": 1}]},
        {**ROW, "kind": "interleave", "arms": [{"name": name} for name in "abc"]},
        {**ROW, "colour": "red"},
        {"id": "x"},
        {"id": "x", "arms": 5},
    ],
)
def test_what_cannot_be_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        read(row)


@pytest.fixture
def book(tmp_path: Path) -> ExperimentBook:
    return ExperimentBook(Shop.create(tmp_path / "shop"), clock=lambda: START / 1000)


def test_a_book_is_read_again_when_another_process_changes_it(book: ExperimentBook) -> None:
    other = ExperimentBook(book.shop)
    assert other.of("search", "ann") is None
    started = book.start(ROW)
    assert [each.id for each in other.all()] == ["trees"]
    assert other.of("search", "ann") == (started, started.assign("ann"))
    assert other.of("home", "ann") is None
    with pytest.raises(RequestError, match="runs in search"):
        book.start({**ROW, "id": "more"})
    with pytest.raises(RequestError, match="has been there"):
        book.start(ROW)
    assert other.stop("trees").state == "stopped"
    assert book.of("search", "ann") is None
    assert book.start({**ROW, "id": "more"}).id == book.all()[0].id
    assert [entry.act for entry in book.shop.audit.entries()] == [
        "start experiment",
        "stop experiment",
        "start experiment",
    ]
    with pytest.raises(NotFoundError, match="gone"):
        book.one("gone")


def test_an_arm_is_stopped_and_then_the_experiment(book: ExperimentBook) -> None:
    book.start({**ROW, "arms": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})
    with pytest.raises(RequestError, match="held against"):
        book.stop_arm("trees", "a", "no")
    assert book.stop_arm("trees", "b", "hurts").state == "running"
    assert book.one("trees").arm("b").stopped == "hurts"
    assert book.stop_arm("trees", "c", "hurts").state == "stopped"


def test_a_damaged_book_says_so(book: ExperimentBook) -> None:
    book.path.write_text('{"experiments": [{"id": 5}]}', "utf-8")
    with pytest.raises(ShopError, match="damaged"):
        book.all()
    book.path.unlink()
    book.path.mkdir()
    with pytest.raises(ShopError, match="cannot be read"):
        book.all()


def test_intervals_hold_at_every_look() -> None:
    """Looked at 60 times each, 400 experiments without a difference raise false alarms in at most 5 %, as promised."""
    rng = np.random.default_rng(5)
    looks = np.arange(100, 3100, 50)
    ours, theirs = (np.cumsum(rng.random((400, 3050)) < 0.2, axis=1)[:, looks - 1] for _ in range(2))
    a, b = ours / looks, theirs / looks
    spread = np.sqrt(2 * (a * (1 - a) + b * (1 - b)))
    alarmed = (np.abs(a - b) > spread * radius(2 * looks, alpha=0.05, plan=2000)).any(axis=1)
    naive = (np.abs(a - b) > 1.96 * spread / np.sqrt(2 * looks)).any(axis=1)
    assert alarmed.mean() <= 0.05
    assert naive.mean() > 0.2, "looking again and again with an interval for one look raises many"


def test_a_difference_is_found_and_its_p_agrees_with_its_interval() -> None:
    rng = np.random.default_rng(2)
    found = between(rng.random(2000) < 0.3, rng.random(2000) < 0.2)
    assert found.sure
    assert found.low < 0.1 < found.high
    assert found.p < 0.05
    edge = float(radius(500, alpha=0.05, plan=2000)) * np.sqrt(500)
    assert surprise(edge, 500, alpha=0.05, plan=2000) == pytest.approx(0.05)
    assert not between(rng.random(20) < 0.9, rng.random(20) < 0.1).sure, "too few for a bound that is asymptotic"
    assert not mean(np.zeros(500)).sure


def test_a_draft_is_fair_and_a_longer_one_goes_on() -> None:
    first, second = [f"p{n}" for n in range(20)], [f"p{n}" for n in range(19, -1, -1)]
    teams = [draft(first, second, 10, seed=seed)[1] for seed in range(300)]
    assert all(abs(one.count("a") - one.count("b")) <= 1 for one in teams)
    assert 0.4 < np.mean([one[0] == "a" for one in teams]) < 0.6
    ids, letters = draft(first, second, 12, seed="x")
    assert (ids[:5], letters[:5]) == draft(first, second, 5, seed="x")
    assert len(set(ids)) == 12
    assert draft(["a"], ["a", "b"], 9, seed=1)[0] in (["a", "b"], ["b", "a"])
    assert credit("abab", [1, 3]) == -1


def unit(arm: str, at: int, clicked: float) -> Unit:
    values = dict.fromkeys(("clicks", "bought", "revenue", "zero_results", "abandoned", "first_click"), float("nan"))
    return Unit(f"{arm}{at}", arm, at, {"clicked": clicked, **values})


def test_harm_is_seen_and_lost_shoppers_are_too() -> None:
    rng = np.random.default_rng(1)
    two = Experiment("two", (Arm("a"), Arm("b")), guardrails=(Guardrail("clicked", 0.05),))
    good = [unit("a", at, float(rng.random() < 0.5)) for at in range(1000)]
    bad = [unit("b", at, float(rng.random() < 0.3)) for at in range(1000)]
    found = judge(two, good + bad)
    assert list(found.harmed) == ["b"]
    assert found.trusted
    assert any("worse" in said for said in found.said)
    lost = judge(two, good + bad[:800])
    assert not lost.trusted
    assert "shared out" in lost.said[0]
    assert lost.row()["arms"][0]["metrics"]["revenue"] is None
    over = Experiment("two", (Arm("a"), Arm("b", stopped="hurts")), state="stopped", guardrails=two.guardrails)
    assert judge(over, good + bad).trusted, "who was given another arm meanwhile is not lost"
    assert judge(two, []).said == ("b: too little is known yet (0 shoppers; 50 of each arm are needed)",)


def test_shoppers_are_read_from_the_log(tmp_path: Path) -> None:
    two = Experiment("two", (Arm("a"), Arm("b")), started=START)
    with EventLog(tmp_path / "events.db") as log:
        for query, who, arm, at, total in (
            ("q1", "ann", "a", 0, 2), ("q2", "ann", "a", HOUR // 2, 0), ("q3", "ann", "a", 3 * HOUR, 2),
            ("q4", "bob", "b", 1000, 2), ("q5", "cy", "b", 9 * HOUR, 2),
        ):  # fmt: skip
            answer = Answer(query, START + at, "search", "cup", total, 0, who, arm=tag("two", arm))
            log.shown([Impression(query, f"p{n}", n, START + at) for n in (1, 2)] if total else [], answer)
        log.shown([], Answer("q6", START, "search", "cup", 0, 0, "dan", arm=tag("other", "a")))
        log.append([
            Event("e1", "click", "p2", START + 4000, shopper="ann", query_id="q1"),
            Event("e2", "click", "p1", START + 3 * HOUR, shopper="ann", query_id="q3"),
            Event("e3", "purchase", "p2", START + 5000, shopper="ann", price=3.0, quantity=2.0),
            Event("e4", "purchase", "p2", START + 9 * HOUR, shopper="ann", price=3.0),
        ])  # fmt: skip
        found = units(two, log, now=START + 9 * HOUR + 1)
        assert outcome(two, log, now=START + 9 * HOUR + 1).arms[0].units == 1
    assert [(one.who, one.arm) for one in found] == [("ann", "a"), ("bob", "b")], "cy's hour is not over"
    assert found[0].values == {
        "clicked": 1.0, "clicks": 0.5, "bought": 1.0, "revenue": 6.0, "zero_results": 0.5, "abandoned": 0.0,
        "first_click": 4.0,
    }  # fmt: skip


def test_interleaved_answers_give_credit_by_place(tmp_path: Path) -> None:
    two = Experiment("two", (Arm("a"), Arm("b")), kind="interleave", started=START, settle_hours=0.0)
    with EventLog(tmp_path / "events.db") as log:
        answer = Answer("q1", START, "search", "cup", 9, 4, "ann", arm=tag("two", "", "abba"))
        log.shown([Impression("q1", f"p{n}", 4 + n, START) for n in (1, 2, 3, 4)], answer)
        log.append([Event("e1", "click", "p2", START, shopper="ann", query_id="q1")])
        found = units(two, log, now=START + HOUR)
    assert found[0].values["won"] == 1.0
    assert judge(two, found * 60).comparisons[0].metric == "won"
