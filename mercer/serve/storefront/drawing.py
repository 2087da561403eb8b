"""A product without a photograph in; a quiet drawing in its colours, as SVG, out."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

from mercer.records import Product

__all__ = ["draw"]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (4, 52, 55), "红": (4, 52, 55), "orange": (24, 68, 58), "橙": (24, 68, 58), "yellow": (44, 72, 60),
    "黄": (44, 72, 60), "green": (135, 26, 46), "绿": (135, 26, 46), "blue": (214, 40, 50), "蓝": (214, 40, 50),
    "purple": (272, 26, 54), "violet": (272, 26, 54), "紫": (272, 26, 54), "pink": (344, 48, 72), "粉": (344, 48, 72),
    "brown": (24, 36, 40), "棕": (24, 36, 40), "咖": (24, 36, 40), "beige": (38, 34, 72), "米": (38, 34, 72),
    "black": (30, 6, 24), "黑": (30, 6, 24), "white": (40, 22, 88), "白": (40, 22, 88), "grey": (36, 5, 58),
    "gray": (36, 5, 58), "灰": (36, 5, 58), "gold": (42, 52, 52), "金": (42, 52, 52), "silver": (210, 8, 70),
    "银": (210, 8, 70), "teal": (180, 38, 40), "青": (180, 38, 40), "navy": (220, 40, 30), "natural": (34, 38, 62),
    "原木": (34, 38, 62), "oak": (34, 38, 58), "walnut": (22, 32, 34),
}  # fmt: skip
"""Hue in degrees, saturation and lightness in percent, of words found in colour attributes."""

COLOUR_NAMES = ("color", "colour", "颜色", "色", "材质", "material", "finish")

PALETTE = ((18, 42, 56), (36, 40, 58), (88, 22, 46), (152, 24, 42), (196, 30, 46), (222, 28, 52), (328, 24, 56))
"""For products that name no colour; one for each category."""


def draw(product: Product) -> str:
    """An SVG of 400 × 400: the same for the same product, alike within a category."""
    hue, saturation, lightness = _colour(product)
    category = " ".join(product.category) or product.brand
    motif = MOTIFS[_number(category) % len(MOTIFS)]
    ink = f"hsl({hue} {saturation}% {lightness}%)"
    soft = f"hsl({hue} {saturation}% {min(86, lightness + 20)}%)"
    deep = f"hsl({(hue + 16) % 360} {saturation}% {max(18, lightness - 16)}%)"
    paper = f"hsl({hue} {min(saturation, 26)}% 93%)"
    shapes = motif(random.Random(_number(product.id)), ink, soft, deep)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">'
        f'<rect width="400" height="400" fill="{paper}"/>{shapes}</svg>'
    )


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest(), "little")


def _colour(product: Product) -> tuple[int, int, int]:
    for name, value in product.attributes.items():
        if any(known in name.lower() for known in COLOUR_NAMES):
            for word, colour in COLOURS.items():
                if word in value.lower():
                    return colour
    return PALETTE[_number(product.category[0] if product.category else product.id) % len(PALETTE)]


def _vessel(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    width, height = rng.randint(120, 190), rng.randint(90, 170)
    left, top = 200 - width // 2, 290 - height
    return (
        f'<circle cx="{rng.randint(140, 260)}" cy="{rng.randint(120, 180)}" r="{rng.randint(60, 95)}" fill="{soft}"/>'
        f'<path d="M{left} {top}h{width}v{height // 2}a{width // 2} {height // 2} 0 0 1-{width} 0z" fill="{ink}"/>'
        f'<rect x="{left - 12}" y="{top - 10}" width="{width + 24}" height="14" rx="7" fill="{deep}"/>'
    )


def _arches(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    lift = rng.randint(0, 40)
    return "".join(
        f'<path d="M{200 - half} 310v-{90 + lift}a{half} {half} 0 0 1 {2 * half} 0v{90 + lift}z" fill="{colour}"/>'
        for half, colour in ((rng.randint(110, 124), soft), (rng.randint(70, 84), ink), (rng.randint(34, 44), deep))
    )


def _discs(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    lean = rng.randint(-36, 36)
    return (
        f'<circle cx="{200 - lean}" cy="232" r="{rng.randint(84, 100)}" fill="{soft}"/>'
        f'<circle cx="{200 + lean}" cy="176" r="{rng.randint(54, 72)}" fill="{ink}"/>'
        f'<circle cx="{200 + lean // 2}" cy="{rng.randint(240, 262)}" r="{rng.randint(22, 34)}" fill="{deep}"/>'
    )


def _stripes(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    colours = [ink, soft, deep, soft, ink]
    rng.shuffle(colours)
    return "".join(
        f'<rect x="{92 + 46 * place}" y="{rng.randint(84, 130)}" width="32" height="{rng.randint(150, 200)}" rx="16" '
        f'fill="{colour}"/>'
        for place, colour in enumerate(colours)
    )


def _leaf(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    turn = rng.randint(-24, 24)
    return (
        f'<circle cx="200" cy="200" r="{rng.randint(104, 124)}" fill="{soft}"/>'
        f'<g transform="rotate({turn} 200 200)">'
        f'<path d="M200 92c64 54 64 162 0 216c-64-54-64-162 0-216z" fill="{ink}"/>'
        f'<path d="M200 112v196" stroke="{deep}" stroke-width="6" stroke-linecap="round"/></g>'
    )


def _blocks(rng: random.Random, ink: str, soft: str, deep: str) -> str:
    split = rng.randint(170, 230)
    return (
        f'<rect x="96" y="96" width="{split - 102}" height="208" rx="14" fill="{ink}"/>'
        f'<rect x="{split + 6}" y="96" width="{298 - split}" height="{split - 102}" rx="14" fill="{soft}"/>'
        f'<rect x="{split + 6}" y="{split + 6}" width="{298 - split}" height="{298 - split}" rx="14" fill="{deep}"/>'
    )


MOTIFS: tuple[Callable[[random.Random, str, str, str], str], ...] = (
    _vessel,
    _arches,
    _discs,
    _stripes,
    _leaf,
    _blocks,
)
