"""T01 masks what names a person in reviews and questions, and its findings do not repeat it."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.check import find
from mercer.quality.checks.t01_personal import Personal
from mercer.quality.run import QualitySettings, check

TEXTS = [
    ("身份证11010519491231002X", "identity_number"),
    ("打我电话13800138000", "contact"),
    ("车牌沪A12345", "plate"),
    ("订单号：202301011234567", "transaction"),
    ("寄到上海市浦东新区张杨路500号3栋1单元502室", "address"),
    ("谢谢张先生", "name"),
]


@pytest.mark.parametrize(("text", "problem"), TEXTS)
def test_it_is_found_and_masked(raw_of, found_in, text, problem):
    assert found_in({"reviews": [{"text": text}]}, "T01") == [("reviews", 0, "text", problem)]
    faq = [{"question": "如何退货?", "answer": text}]
    assert found_in({"faq": faq}, "T01") == [("faq", 0, "answer", problem)]
    checked = check({"reviews": raw_of("reviews", [{"text": text}])}, now=0)
    kept = checked.trusted["reviews"]["text"][0].as_py()
    assert kept.endswith("-1]")
    secret = text[-8:]
    assert secret not in kept
    assert not any(secret in str(row) for row in checked.findings.to_pylist())


def test_clean_texts_are_left_alone(found_in, clean_rows):
    assert found_in({"reviews": clean_rows["reviews"], "faq": clean_rows["faq"]}, "T01") == []


def test_what_the_owner_only_wants_to_know_is_not_masked(raw_of):
    rows = [{"text": "张先生的电话13800138000"}]
    settings = QualitySettings(checks={"T01": Personal(actions={"name": "warn"}, salt="s")})
    checked = check({"reviews": raw_of("reviews", rows)}, settings, now=0)
    kept = checked.trusted["reviews"]["text"][0].as_py()
    assert kept.startswith("张先生的电话[mobile-")
    assert {row["action"] for row in checked.findings.to_pylist()} == {"fix", "warn"}


def test_a_text_that_was_broken_too_is_mended_and_masked(raw_of):
    rows = [{"text": "Caf\u00c3\u00a9 &amp; bar, 13800138000"}]
    checked = check({"reviews": raw_of("reviews", rows)}, now=0)
    assert checked.trusted["reviews"]["text"].to_pylist() == ["Café & bar, [mobile-1]"]


def test_nothing_is_left_after_masking(raw_of, found_in):
    rows = [{"text": "，".join(text for text, _ in TEXTS)}]
    checked = check({"reviews": raw_of("reviews", rows)}, now=0)
    assert found_in({"reviews": checked.trusted["reviews"].to_pylist()}, "T01") == []


def test_a_score_that_cannot_be_is_refused():
    with pytest.raises(SettingsError, match="between 0 and 1"):
        Personal(score=2)
    assert find("T01").repairs
