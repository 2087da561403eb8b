"""Pairs that share most of their pieces are found, and only those."""

import random

import pytest

from mercer.quality.alike import clusters, jaccard, pairs, pieces, plain


def test_pairs_are_found_whatever_their_place():
    pytest.importorskip("rensa")
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(400)]
    texts = [" ".join(rng.sample(words, 12)) for _ in range(200)]
    texts += [" ".join(reversed(text.split()[:-1])) for text in texts[:50]]
    sets = [pieces(text) for text in texts]
    found = {(one, other) for one, other, _ in pairs(sets, 0.7)}
    expected = {(place, 200 + place) for place in range(50) if jaccard(sets[place], sets[200 + place]) >= 0.7}
    assert len(found & expected) >= 0.97 * len(expected)
    assert all(jaccard(sets[one], sets[other]) >= 0.7 for one, other in found)


def test_a_crowd_hangs_together_without_all_pairs():
    pytest.importorskip("rensa")
    sets = [pieces("the same review again and again")] * 500
    found = [(one, other) for one, other, _ in pairs(sets, 0.9)]
    assert len(found) < 3000
    assert clusters(500, found) == [list(range(500))]


def test_nothing_has_no_pairs():
    assert list(pairs([], 0.5)) == []
    assert list(pairs([pieces(plain(None)), pieces(plain("。！"))], 0.5)) == []
