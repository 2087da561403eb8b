"""Only pictures that the catalogue names, only from its folder; a drawing for every other product."""

from __future__ import annotations

import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

from mercer.records import Product
from mercer.serve.storefront.drawing import draw

pytest.importorskip("fastapi", reason="mercer[serve] is not installed")

from mercer.serve.storefront.image import photograph

PIXEL = bytes.fromhex("89504e470d0a1a0a")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    catalogue = tmp_path / "catalogue"
    (catalogue / "images").mkdir(parents=True)
    (catalogue / "images" / "cup.png").write_bytes(PIXEL)
    (catalogue / "products.csv").write_text("secret prices", "utf-8")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (catalogue / "link.png").symlink_to(tmp_path / "secret.png")
    return catalogue


def test_a_named_picture_is_found(folder: Path) -> None:
    assert photograph(Product("1", "Cup", image="images/cup.png"), folder) == folder / "images" / "cup.png"


@pytest.mark.parametrize(
    "name",
    [
        "", "../secret.png", "images/../../secret.png", "/etc/passwd", "products.csv", "images", "none.png",
        "https://elsewhere.example/cup.png", "link.png", "a\x00.png", "x" * 5000 + ".png", "//host/cup.png",
    ],
)  # fmt: skip
def test_nothing_else_is(folder: Path, name: str) -> None:
    assert photograph(Product("1", "Cup", image=name), folder) is None
    assert photograph(Product("1", "Cup", image=str(folder.parent / "secret.png")), folder) is None


def test_no_folder_means_no_picture() -> None:
    assert photograph(Product("1", "Cup", image="cup.png"), None) is None


def test_the_route_serves_pictures_drawings_and_nothing_else(double: Any, folder: Path) -> None:
    from fastapi.testclient import TestClient

    from mercer.serve import create_app

    double.upsert([Product("photo", "Cup", image="images/cup.png"), Product("evil", "Cup", image="../secret.png")])
    with TestClient(create_app(double, images=folder)) as client:
        photo, evil = client.get("/images/photo"), client.get("/images/evil")
        assert (photo.content, photo.headers["content-type"]) == (PIXEL, "image/png")
        assert evil.headers["content-type"].startswith("image/svg+xml")
        assert "sandbox" in evil.headers["content-security-policy"]
        assert b"secret" not in evil.content
        for path in (
            "/images/../secret.png",
            "/images/%2e%2e%2fsecret.png",
            "/images/images/cup.png",
            "/static/../app.py",
        ):
            assert client.get(path).status_code == 404


def test_a_drawing_is_svg_the_same_each_time_and_in_the_products_colour() -> None:
    red, blue = (Product("1", "Cup", category=("Cups",), attributes={"颜色": colour}) for colour in ("红色", "Blue"))
    assert draw(red) == draw(red) != draw(blue)
    assert "hsl(4 52% 55%)" in draw(red)
    for number in range(40):
        product = Product(f'<script>{number}"', "x", category=(f"<b>{number}",), brand="&")
        root = xml.etree.ElementTree.fromstring(draw(product))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
