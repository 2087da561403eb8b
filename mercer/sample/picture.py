"""A product's shape and colour in, a small picture of it out, drawn by code."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mercer.sample.catalogue import Goods
from mercer.sample.taxonomy import Taxonomy, vocabulary

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

__all__ = ["draw", "paint"]

Colour = tuple[int, int, int]

SHARPER = 3
"""Pictures are drawn this many times larger and reduced, which smooths their edges."""
FIXED: Mapping[str, Colour] = {
    "w": (250, 249, 245),
    "k": (54, 54, 60),
    "b": (178, 130, 86),
    "s": (170, 177, 184),
    "f": (242, 193, 78),
    "g": (98, 150, 92),
    "c": (240, 222, 196),
}
"""Tones that do not follow the product's colour: white, ink, wood, steel, gold, leaf, cream."""


def paint(goods: Goods, world: Taxonomy, number: int, size: int) -> bytes:
    """PNG bytes of product `number`, `size` pixels square: its category's shape in its own colour."""
    leaf = world.leaves[goods.leaf[number]]
    if goods.colour[number] >= 0:
        rgb = tuple(world.words["colours"][leaf.colours[goods.colour[number]]]["rgb"])
    else:
        hue = (0.08 + 0.618 * int(goods.brand[number]) + 0.21 * int(goods.kind[number])) % 1
        rgb = _rgb(hue, 0.5, 0.75)
    shade = number * 0.618 % 1  # no two listings share a picture
    ground = _rgb((goods.department[number] + shade / 2) / len(world.departments), 0.07 + 0.06 * shade, 0.95)
    picture = draw(shapes()[leaf.shape[goods.kind[number]]], rgb, ground, size=size, mirrored=number % 2 == 1)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=False)
    return stream.getvalue()


@cache
def shapes() -> dict[str, list[list[Any]]]:
    """Shape → primitives in a square of 100: rect, oval, poly, line, arc, each ending in its tone."""
    found: dict[str, list[list[Any]]] = vocabulary("shapes.json")
    return found


def draw(shape: list[list[Any]], colour: Colour, ground: Colour, *, size: int, mirrored: bool = False) -> Image.Image:
    """A shape with a soft shadow on a coloured ground."""
    from PIL import Image, ImageDraw, ImageOps

    side = size * SHARPER
    picture = Image.new("RGB", (side, side), ground)
    pencil = ImageDraw.Draw(picture)
    pencil.rectangle((0, side * 0.8, side, side), fill=_mix(ground, (0, 0, 0), 0.05))
    pencil.ellipse((side * 0.16, side * 0.85, side * 0.84, side * 0.93), fill=_mix(ground, (0, 0, 0), 0.13))
    tones = {"m": colour, "d": _mix(colour, (20, 20, 30), 0.3), "l": _mix(colour, (255, 255, 255), 0.42), **FIXED}
    for primitive in shape:
        _stroke(pencil, primitive, tones[primitive[-1]], side * 0.0084, side * 0.08)
    if mirrored:
        picture = ImageOps.mirror(picture)
    return picture.resize((size, size), Image.Resampling.BOX)


def _stroke(pencil: ImageDraw.ImageDraw, primitive: list[Any], tone: Colour, scale: float, edge: float) -> None:
    """Draw one primitive; `scale` pixels make one of its hundred units, `edge` pixels lie around."""
    form, *values, _ = primitive
    if form in ("poly", "line"):
        points = [(edge + x * scale, edge + y * scale) for x, y in zip(values[0][::2], values[0][1::2], strict=True)]
        if form == "poly":
            pencil.polygon(points, fill=tone)
        else:
            pencil.line(points, fill=tone, width=round(values[1] * scale), joint="curve")
        return
    box = tuple(edge + value * scale for value in values[:4])
    if form == "rect":
        pencil.rounded_rectangle(box, radius=values[4] * scale, fill=tone)
    elif form == "oval":
        pencil.ellipse(box, fill=tone)
    else:
        pencil.arc(box, values[4], values[5], fill=tone, width=round(values[6] * scale))


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue
