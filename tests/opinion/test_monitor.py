"""Documents come from anywhere, are read, kept once, and what rises raises an alarm that a person can answer."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from mercer.errors import FormatError, MercerError, NotFoundError, RequestError
from mercer.opinion.board import product_aspects
from mercer.opinion.cluster import discover
from mercer.opinion.document import document
from mercer.opinion.entity import Names
from mercer.opinion.learn import learn, sided
from mercer.opinion.lexicon import lexicon
from mercer.opinion.monitor import Monitor
from mercer.opinion.read import Reader
from mercer.opinion.settings import OpinionSettings
from mercer.opinion.source import feed, from_file, from_rows
from mercer.records import Product
from mercer.shop import Shop

HOUR, NOW = 3_600_000, 1_760_000_400_000
GOOD, BAD = "质量很好，物流很快，很满意", "物流太慢，包装破了，失望"


def rows(hours: int = 24 * 28, each: int = 4) -> list[dict[str, object]]:
    """Four documents an hour; in the last five hours thirty bad ones more about one product."""
    rng = random.Random(3)
    start = NOW - hours * HOUR
    found = [
        {
            "id": f"d{at}-{n}",
            "text": f"{rng.choice((GOOD, BAD))} 第{at}之{n}",
            "time": start + at * HOUR + n,
            "product": f"p{n}",
        }
        for at in range(hours)
        for n in range(each)
    ]
    late = range(hours - 5, hours)
    return found + [
        {
            "id": f"x{at}-{n}",
            "text": f"电池漏液，坏了 {at} {n} 号",
            "time": start + at * HOUR + 100 + n,
            "product": "p1",
        }
        for at in late
        for n in range(30)
    ]


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Monitor:
    shop = Shop.create(tmp_path_factory.mktemp("opinion") / "shop")
    made = Monitor(shop, products=lambda: [Product("p1", "Lamp", brand="Acme")], clock=lambda: NOW / 1000)
    kept, refused = made.accept_rows(rows(), source="reviews")
    assert (kept.new, sum(refused.values())) == (len(rows()), 0)
    return made


def test_word_lists_read_both_languages() -> None:
    said = [
        document({"text": text}, source="reviews", now=0)
        for text in (GOOD, BAD, "Great lamp but the box was broken", "It is a lamp")
    ]
    found = Reader()(said)
    assert [one.sentiment for one in found] == ["positive", "negative", "neutral", "neutral"]
    assert found[1].aspects == (("delivery", "negative"), ("packaging", "negative"))
    assert dict(found[2].aspects)["packaging"] == "negative"
    assert [one.language for one in found] == ["zh", "zh", "en", "en"]
    assert lexicon().score("not good") < 0 < lexicon().score("没毛病")


def test_names_of_products_brands_companies_and_tickers_are_found() -> None:
    names = Names.of([Product("p1", "Lamp", brand="Acme"), Product("p2", "杯子", brand="晨九")])
    found = names("$TSLA and 600519.SH: Nord Holdings buys acme；晨九 也涨，贵州茅台集团", "p1")
    assert {
        ("ticker", "TSLA"),
        ("ticker", "600519.SH"),
        ("brand", "Acme"),
        ("brand", "晨九"),
        ("product", "p1"),
    } <= set(found)
    assert ("company", "Nord Holdings") in found


@pytest.mark.parametrize(
    "row",
    [
        {"text": ""},
        {"text": None},
        {"text": "\x00\x01\x02\x03"},
        {"text": "ok", "time": "yesterday"},
        {"text": "ok", "source": "a\nb"},
    ],
)
def test_bad_documents_are_refused_with_a_cure(row: dict[str, object]) -> None:
    with pytest.raises(RequestError) as seen:
        document(row, source="posts", now=0)
    assert seen.value.cure


def test_a_text_of_a_megabyte_is_cut_and_read() -> None:
    one = document({"text": "很好 " * 400_000}, source="posts", now=0)
    assert (len(one.text), one.cut) == (20_000, True)
    assert Reader()([one])[0].sentiment == "positive"


def test_feeds_are_read_and_declarations_refused(tmp_path: Path) -> None:
    rss, atom, bomb = (tmp_path / name for name in ("a.rss", "b.atom", "c.xml"))
    rss.write_text(
        "<rss><channel><item><title>Acme recalls lamps</title><description>&lt;p&gt;Bad "
        "&lt;b&gt;heat&lt;/b&gt;&lt;/p&gt;"
        "</description><pubDate>Tue, 24 Nov 2026 08:00:00 GMT</pubDate><guid>g1</guid></item></channel></rss>",
        "utf-8",
    )
    atom.write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>好评</title><id>i1</id><link href="https://x/1"/><updated>2026-11-24T08:00:00Z</updated></entry></feed>',
        "utf-8",
    )
    bomb.write_text('<!DOCTYPE a [<!ENTITY b "c">]><rss><item><title>&b;</title></item></rss>', "utf-8")
    assert next(feed(rss))["text"] == "Acme recalls lamps\nBad heat"
    found, _ = from_file(atom, source="news", now=0)
    assert (found[0].id, found[0].url, found[0].time) == ("i1", "https://x/1", 1795507200000)
    with pytest.raises(FormatError, match="declarations"):
        next(feed(bomb))


def test_rows_of_any_column_names_become_documents_and_bad_ones_are_counted() -> None:
    found, refused = from_rows(
        [{"评论": "好", "评分": "5", "时间": "2026-11-24"}, {"评论": ""}], source="reviews", now=0
    )
    assert (found[0].rating, found[0].time) == (5.0, 1795478400000)
    assert sum(refused.values()) == 1


def test_a_document_counts_once_and_its_copies_are_counted(monitor: Monitor) -> None:
    again, _ = monitor.accept_rows(rows()[:50], source="reviews")
    assert (again.new, again.known) == (0, 50)
    copy, _ = monitor.accept_rows([{"id": "copy", "text": rows()[0]["text"]}], source="posts")
    assert (copy.new, copy.copies) == (0, 1)
    assert monitor.accept_rows([{"id": "copy", "text": rows()[0]["text"]}], source="posts")[0].known == 1
    assert monitor.store.rows("SELECT copies FROM documents WHERE id = 'd0-0'") == [(1,)]


def test_the_board_names_what_drives_the_negative(monitor: Monitor) -> None:
    board = monitor.board(days=1)
    assert board.sentiments["negative"] > board.before["negative"]
    assert "p1" in {one.name for one in board.drivers}
    assert sum(row["negative"] for row in monitor.series(days=1)) >= board.sentiments["negative"]
    json.dumps(board.json())
    assert {row["aspect"] for row in product_aspects(monitor.store, "p1")} >= {"delivery", "battery"}


def test_a_surge_raises_one_alarm_with_its_documents(monitor: Monitor) -> None:
    found = [row for row in monitor.alarms() if row["series"] == "*/p1/negative"]
    assert len(found) == 1
    row = found[0]
    assert row["stands"]
    assert row["ratio"] > 5
    assert any("漏液" in term or "电池" in term for term in row["terms"])
    assert all("漏液" in one["text"] for one in row["documents"])


def test_an_alarm_is_acknowledged_muted_and_told_once(monitor: Monitor) -> None:
    row = next(row for row in monitor.alarms() if row["stands"])
    assert monitor.acknowledge(row["id"], by="ann")["acknowledged"] == "ann"
    assert next(one for one in monitor.alarms() if one["id"] == row["id"])["acknowledged"] == "ann"
    assert monitor.mute(row["id"], hours=1)["muted"]
    told = monitor.tell()
    assert row["title"] not in told
    assert monitor.tell() == []
    assert (monitor.shop.store / "alarms" / "alarms.jsonl").exists()
    with pytest.raises(NotFoundError):
        monitor.acknowledge("nope", by="ann")
    with pytest.raises(RequestError):
        monitor.mute(row["id"], hours=-1)


def test_a_source_that_is_not_believed_raises_no_alarm(tmp_path: Path) -> None:
    settings = OpinionSettings(trust={"bots": 0.1})
    doubted = Monitor(Shop.create(tmp_path / "shop"), settings, clock=lambda: NOW / 1000)
    doubted.accept_rows(rows(24 * 16), source="bots")
    assert doubted.board(days=1).documents > 0
    assert doubted.alarms() == []


def test_a_replay_says_what_each_level_would_have_raised(monitor: Monitor) -> None:
    levels = monitor.replay(weeks=4)
    assert [row["alarms"] for row in levels] == sorted(row["alarms"] for row in levels)
    assert levels[-1]["alarms"] >= 1


def test_an_empty_shop_has_an_empty_board(tmp_path: Path) -> None:
    empty = Monitor(Shop.create(tmp_path / "shop"))
    assert empty.board().documents == 0
    assert (empty.alarms(), empty.replay(), empty.tell()) == ([], [], [])


def test_topics_are_discovered_with_names() -> None:
    texts = [f"物流{word}，快递{n}天" for n in range(12) for word in ("太慢", "延迟")] + [
        f"屏幕{word}，清晰{n}" for n in range(12) for word in ("很好", "漂亮")
    ]
    found = discover(texts, groups=2)
    assert len(found) == 2
    assert {
        one.name
        for one in found
        if "屏幕" in one.name or "清晰" in one.name or "物流" in one.name or "快递" in one.name
    }
    with pytest.raises(MercerError, match="3 texts"):
        discover(["a", "b", "c"])


def test_learning_publishes_a_version_that_reads(tmp_path: Path) -> None:
    shop = Shop.create(tmp_path / "shop")
    texts = [f"{word} 第{n}次" for n in range(10) for word in ("亮晶晶", "黑乎乎")]
    made = learn(shop, "sentiment", texts, ["positive", "negative"] * 10)
    assert not made.refused
    shop.publish("opinion", made.version)
    assert json.loads((shop.path("opinion", made.version) / "proof.json").read_text("utf-8"))["passes"]
    reader = Monitor(shop).reader()
    said = [document({"text": text}, source="posts", now=0) for text in ("亮晶晶", "黑乎乎")]
    assert [one.sentiment for one in reader(said)] == ["positive", "negative"]
    topics = learn(shop, "topic", texts, ["光", "暗"] * 10)
    shop.publish("opinion", topics.version)
    assert Monitor(shop).reader()(said)[0].topic == "光"
    assert Monitor(shop).reader()(said)[1].sentiment == "negative"


def test_labels_become_sides_or_are_asked_for() -> None:
    assert sided(["0", "1"], {}) == ["negative", "positive"]
    assert sided(["0", "1", "2"], {"0": "negative", "1": "positive", "2": "neutral"}) == [
        "negative",
        "positive",
        "neutral",
    ]
    with pytest.raises(RequestError, match="labels: 0, 1, 2"):
        sided(["0", "1", "2"], {})
