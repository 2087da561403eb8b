"""Both languages say everything, with the same blanks to fill."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from mercer.serve.storefront.words import LANGUAGES, PHRASES, Words, choose

TEMPLATES = Path(__file__).parents[3] / "mercer" / "serve" / "storefront" / "templates"


def blanks(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("phrase", PHRASES)
def test_languages_have_the_same_blanks(phrase: str) -> None:
    texts = PHRASES[phrase]
    assert len(texts) == len(LANGUAGES)
    assert all(texts)
    assert blanks(texts[0]) == blanks(texts[1])
    assert re.search(r"[\u4e00-\u9fff]", texts[1]) or not re.search(r"[a-z]{3}", re.sub(r"\{.*?\}", "", texts[1]))


def test_templates_use_known_phrases_and_hold_no_prose_of_their_own() -> None:
    used = set()
    for template in TEMPLATES.glob("*.html"):
        used |= set(re.findall(r"\bt\('(\w+)'", template.read_text("utf-8")))
    assert used <= set(PHRASES)


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "en"), ("", "zh-TW,zh;q=0.9", "zh"), ("", "en;q=0.5, zh;q=0.7", "zh"), ("en", "zh", "en"),
        ("klingon", "zh", "zh"), ("", "fr-FR, *", "en"), ("", "zh;q=nonsense, en;q=0.1", "en"),
        ("", ",;;=" * 1000, "en"),
    ],
)  # fmt: skip
def test_choice_of_language(cookie: str, accepted: str, language: str) -> None:
    assert choose(cookie, accepted) == language


def test_counts() -> None:
    assert [Words("en").counted(count) for count in (0, 1, 2, 1234)] == [
        "0 products", "1 product", "2 products", "1,234 products",
    ]  # fmt: skip
