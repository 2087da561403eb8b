"""The gate before `look` lets through whatever `look` finds, however it is hidden, and little else."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.bench.dirt.payload import payload
from mercer.quality.instruction import look, patterns
from mercer.quality.instruction_gate import may_say, wider

AROUND = ["A tent for two. {} Fits well.", "红色连衣裙 {}", "Crème brûlée set, é{}é", "{}"]


@pytest.mark.parametrize("difficulty", ["easy", "medium", "adversarial"])
@pytest.mark.parametrize("seed", [1, 2, 11, 12])
def test_no_order_is_kept_from_being_read(difficulty, seed):
    rng = np.random.default_rng(seed)
    said = [payload(difficulty, rng=rng, seed=seed)[1] for _ in range(80)]
    texts = [around.format(one) for one in said for around in AROUND]
    found = [text for text in texts if look(text) is not None]
    assert len(found) > 100
    assert all(may_say(found))


def test_people_are_not_read_twice():
    texts = ["A nice mug, 350 ml, for tea and coffee. Your friends will like it."] * 10 + [
        "红色 纯棉 连衣裙 夏季 新款"
    ] * 10
    assert not any(may_say(texts))
    assert may_say([]) == []


@pytest.mark.parametrize("bounds", [True, False])
def test_every_pattern_can_be_widened(bounds):
    for name, some in patterns().items():
        for one in some:
            expression = wider(one.expression.pattern, bounds=bounds and name == "english")
            assert not re.search(r"\(\?<?[=!]", expression)
            pc.match_substring_regex(pa.array(["x"]), expression)


LETTERS = st.text(st.sampled_from("aiActs pér\u00a0_1忽略指令所有，。\n-"), max_size=40)


@given(st.lists(LETTERS, min_size=1, max_size=8))
def test_a_wider_pattern_matches_wherever_the_pattern_does(texts):
    for pattern in (r"\bai\b(?=\s)", r"(?<![a-z])act\w*\s", "忽略(?:所有)?[^。\\n]{0,3}指令", r"\bai (?:\w+ ){0,2}ac"):
        hits = pc.match_substring_regex(pa.array(texts), wider(pattern, bounds=False)).to_pylist()
        for text, hit in zip(texts, hits, strict=True):
            assert hit or not re.search(pattern, text, re.MULTILINE)
