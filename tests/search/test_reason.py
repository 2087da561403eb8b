"""Whatever is asked of whatever shop, a reason names nothing that the product has not, in the language asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.records import Hit, Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.search import Search
from mercer.understand.normalise import simplified, stem

PIECES = (
    *("red", "Dresses", "dress", "dressing", "running-shoe", "shoes", "women's", "Café", "cafe", "12", "12cm", "dye"),
    *(
        "iPhone13",
        "iphone",
        "保溫杯",
        "保温杯",
        "杯",
        "紅色",
        "红色",
        "连衣裙",
        "無線耳機",
        "耳机",
        "dying",
        "½",
        "ＬＥＤ",
    ),
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=5).map(" ".join)
PRODUCTS = st.lists(
    st.builds(
        Product,
        st.sampled_from([f"p{n}" for n in range(9)]),
        TEXT,
        description=TEXT,
        brand=TEXT,
        category=st.lists(TEXT.filter(bool), max_size=2).map(tuple),
        attributes=st.dictionaries(st.just("color"), TEXT, max_size=1),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda product: product.id,
)
FRAMES = {"en": ("Has ", "Close in meaning"), "zh": ("含有", "意思相近")}


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    vectors = np.array([[1.0, len(text) % 3, 1.0] for text in texts], dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def has(product: Product, term: str) -> bool:
    """Whether a person would find the term, in some form of the word, in what the reason speaks of."""
    text = " ".join((product.title, product.brand, *product.category, *product.attributes.values()))
    plain, wanted = (simplified(one).lower().replace("é", "e").translate(WIDE) for one in (text, term))
    if re.search(r"[\u3400-\u9fff]", wanted):
        return wanted in plain
    stems = {stem(word) for word in re.findall(r"[^\W_\u3400-\u9fff]+", plain)}
    stems |= {stem(part) for word in re.findall(r"[^\W_]+", plain) for part in re.findall(r"\d+|[a-z]+", word)}
    return stem(wanted) in stems


WIDE = {0xFF2C: "l", 0xFF25: "e", 0xFF24: "d", 0xFF4C: "l", 0xFF45: "e", 0xFF44: "d", 0xBD: "1⁄2"}


def checked(hit: Hit, language: str) -> None:
    named, frame = re.findall("“(.+?)”", hit.reason), FRAMES[language]
    assert hit.reason.startswith(frame[0]) if named else hit.reason == frame[1]
    assert all(has(hit.product, term) for term in named), (hit.reason, hit.product)
    assert len(named) == len(set(named)) <= 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PRODUCTS, TEXT.filter(bool), st.sampled_from(["en", "zh", "zh-TW", "en-GB", ""]))
def test_reasons_are_true(tmp_path_factory: object, products: list[Product], query: str, language: str) -> None:
    folder: Path = tmp_path_factory.mktemp("reason")  # type: ignore[attr-defined]
    index = open_index(folder, dimension=3, settings=IndexSettings(engine="exact"))
    try:
        index.upsert(products, meaning([product.title for product in products]))
        context = {"language": language} if language else {}
        page = Search(index, meaning)(Request(query=query, k=20, context=context))
    finally:
        index.close()
    asked = language[:2] or ("zh" if re.search(r"[\u3400-\u9fff]", query) else "en")
    for hit in page.hits:
        checked(hit, asked)
