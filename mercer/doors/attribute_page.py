"""Attributions of words in; a page that colours each word by what it adds out."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mercer.doors.attribute import Attribution
    from mercer.encode.attribute import Attributed

__all__ = ["coloured", "page"]

FOR, AGAINST = "27,127,77", "179,38,30"
"""Red, green and blue of what speaks for the product, and against it."""

STYLE = """
body{font:16px/1.7 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}p.sum{color:#555;font-size:.9rem;margin:.2rem 0}
.words{padding:.6rem .8rem;border:1px solid #ddd;border-radius:.4rem;overflow-wrap:anywhere}
.words span{border-radius:.2rem;padding:.1rem .05rem}
"""
SIDES = {"query": ("query", "查询"), "passage": ("product", "商品")}
UNITS = {"cosine": ("encoder: cosine", "编码器：余弦"), "reranker": ("reranker: log-odds", "重排器：对数几率")}


def page(found: Attribution) -> str:
    """The whole page as text, in English and Chinese; it loads nothing from anywhere."""
    parts = "".join(_section(one) for one in found.parts)
    title = f"{escape(found.query)} → {escape(found.title)} <small>{escape(found.product)}</small>"
    legend = (
        f'<p class="sum"><span style="background:rgba({FOR},.5)">speaks for it 有利</span> '
        f'<span style="background:rgba({AGAINST},.5)">speaks against it 不利</span></p>'
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(found.query)}</title><style>{STYLE}</style><h1>{title}</h1>{legend}{parts}</html>\n"
    )


def _section(one: Attributed) -> str:
    side, unit = SIDES[one.side], UNITS[one.by]
    total = sum(token.value for token in one.tokens)
    told = (
        f"{one.score:+.4f} = {one.base:+.4f} (blank 空白) {total:+.4f} (words 词语)"
        f" {-one.gap:+.4f} (not exact 误差), {one.steps} steps"
    )
    head = f"<h2>{unit[0]}, {side[0]} · {unit[1]}，{side[1]}</h2>"
    return f'{head}<p class="sum">{told}</p><p class="words">{coloured(one)}</p>'


def coloured(one: Attributed) -> str:
    """The text as HTML, each word with its colour and, for a pointer and a screen reader, its number."""
    most = max((abs(token.value) for token in one.tokens), default=0.0) or 1.0
    text, written, at = one.text.strip(), [], 0
    for token in one.tokens:
        written.append(escape(text[at : token.start]))
        strength = abs(token.value) / most
        colour = f"rgba({FOR if token.value >= 0 else AGAINST},{0.75 * strength:.2f})"
        word = escape(text[token.start : token.end])
        written.append(f'<span style="background:{colour}" title="{token.value:+.4f}">{word}</span>')
        at = token.end
    cut = f'<span style="color:#999" title="not read">{escape(text[at:])}</span>' if text[at:].strip() else ""
    return "".join(written) + cut
