"""L02 finds other spellings of one query."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.l02_variant import Variant


def asked(*texts):
    return {"queries": [{"query_id": f"q{number}", "text": text} for number, text in enumerate(texts)]}


@pytest.mark.parametrize(
    ("one", "other"), [("红色连衣裙", "紅色連衣裙"), ("usb-c cable", "USB C cable"), ("手机壳 苹果", "手機殼，蘋果")]
)
def test_another_script_width_or_mark(found_in, one, other):
    found = found_in(asked(one, "雨伞", other), "L02")
    assert found == [("queries", 2, "text", "same_in_other_script")]


def test_the_same_sound(found_in):
    pytest.importorskip("pypinyin")
    assert found_in(asked("蓝牙耳机", "蓝芽耳机"), "L02") == [("queries", 1, "text", "same_sound")]
    assert found_in(asked("事实", "实时", "时事"), "L02") == []


def test_equal_words_are_for_x03_and_others_are_apart(found_in):
    assert found_in(asked("Red Mug", " red  mug", "blue mug", None, "杯子", "帽子"), "L02") == []


def test_settings_that_cannot_be():
    with pytest.raises(SettingsError):
        Variant(shortest=1)
