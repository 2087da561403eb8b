"""C07 mends text without loss and leaves good text alone."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mercer.quality.checks.c07_text import mend
from mercer.quality.mojibake import unscramble
from mercer.quality.run import check

CHINESE = st.text("中文搜索引擎简单连衣裙红色大码新款包邮手机壳苹果充电器", min_size=3, max_size=20)
GOOD = [
    "AT&T, R&D & Co; 1 < 2 > 0, I <3 you, if a<b>c",
    "Ångström, naïve façade, Größe, ¿Qué? ¡Hola! £5 ½ ©",
    "ＡＢＣ１２３　全角，、。！",
    "👨‍👩‍👧 family 😀",
    "می‌خواهم",
    "联通 移动 中文，简单。",
    "C++ <= Java; what??? really?!",
    "5'10\" & 30° – “quoted” … ™",
]


@pytest.mark.parametrize("text", GOOD)
def test_good_text_is_left_alone(text, found_in):
    assert mend(text) == (text, [])
    assert found_in({"products": [{"id": "1", "title": text, "description": text}]}, "C07") == []


@pytest.mark.parametrize(
    ("broken", "mended", "problem"),
    [
        ("Caf\u00c3\u00a9 mug", "Café mug", "mojibake"),
        ("中文搜索".encode().decode("gb18030"), "中文搜索", "mojibake"),
        ("ÖÐÎÄËÑË÷", "中文搜索", "mojibake"),
        ("pet¡¯s bowl", "pet’s bowl", "mojibake"),
        ("Tom &amp; Jerry &#39;mug&#39; &amp;amp;", "Tom & Jerry 'mug' &", "entity"),
        ("<p>Red<br/>mug</p><script>x()</script>", "Red\nmug", "markup"),
        ("re\u200bd\u0007 \u202emug\ufeff", "red mug", "invisible"),
    ],
)
def test_broken_text_is_mended_and_the_original_kept(raw_of, broken, mended, problem):
    checked = check({"products": raw_of("products", [{"id": "1", "title": broken}])}, now=0)
    assert checked.trusted["products"]["title"].to_pylist() == [mended]
    found = [row for row in checked.findings.to_pylist() if row["check_id"] == "C07"]
    assert [(row["problem"], row["action"]) for row in found] == [(problem, "fix")]
    assert json.loads(found[0]["evidence"])["was"] == broken
    assert found[0]["suggestion"] == mended


def test_json_stays_json(raw_of):
    given_ = json.dumps({"a": "&quot;x&quot;", "n": 1})
    checked = check({"products": raw_of("products", [{"id": "1", "title": "mug", "attributes": given_}])}, now=0)
    assert json.loads(checked.trusted["products"]["attributes"][0].as_py()) == {"a": '"x"', "n": 1}


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        ("���", "lost"),
        ("锟斤拷锟斤拷", "lost"),
        ("???衣", "lost"),
        ("Women�s golf skirt with pockets in grey and white", "partly_lost"),
        ("Lorem ipsum dolor", "placeholder"),
        ("N/A", "placeholder"),
        ("暂无", "placeholder"),
        ("。。。", "placeholder"),
    ],
)
def test_what_cannot_be_mended_is_found(found_in, title, problem):
    assert found_in({"products": [{"id": "1", "title": title}]}, "C07") == [("products", 0, "title", problem)]


@given(CHINESE)
def test_every_proved_mix_up_comes_back(text):
    assert unscramble(text) == text
    assert unscramble(text.encode("utf-8").decode("latin-1")) == text
    spoilt = text.encode("gb18030")
    assume(not _is_utf8(spoilt))
    assert unscramble(spoilt.decode("latin-1")) == text


def _is_utf8(data):
    """Bytes that are sound in both encodings, as those of 联通 are, prove neither."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@given(st.text(st.characters(codec="ascii", exclude_characters="&<"), max_size=60))
def test_mending_mended_text_changes_nothing(text):
    once, _ = mend(text)
    assert mend(once)[0] == once
