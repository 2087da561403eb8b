"""Pictures are valid, small, and in the colour of the product."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from mercer.sample import SampleSettings, Summary, catalogue
from mercer.sample.picture import paint, shapes
from mercer.sample.taxonomy import taxonomy


def test_images_are_valid_and_differ(clean: tuple[Path, Summary]) -> None:
    from PIL import Image

    pictures = []
    for path in sorted((clean[0] / "images").iterdir()):
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.size == (64, 64)
            pictures.append(picture.convert("RGB").tobytes())
    assert len(set(pictures)) == len(pictures) == 12


def test_the_products_colour_is_in_its_picture() -> None:
    from PIL import Image

    world = taxonomy()
    goods = catalogue.draw(SampleSettings(products=300), world)
    checked = 0
    for number in np.flatnonzero(goods.colour >= 0)[:40].tolist():
        leaf = world.leaves[goods.leaf[number]]
        shape = shapes()[leaf.shape[goods.kind[number]]]
        if not any(primitive[-1] == "m" for primitive in shape):
            continue
        colour = world.words["colours"][leaf.colours[goods.colour[number]]]["rgb"]
        with Image.open(io.BytesIO(paint(goods, world, number, 60))) as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(int).reshape(-1, 3)
        assert (np.abs(pixels - colour).sum(1) < 6).mean() > 0.004
        checked += 1
    assert checked > 20


def test_every_leaf_has_a_shape() -> None:
    for leaf in taxonomy().leaves:
        assert len(leaf.shape) == 3
        assert set(leaf.shape) <= set(shapes())
