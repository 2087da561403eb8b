"""A product id in; its photograph from the catalogue's folder, or a drawing, out. No path comes from a caller."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from mercer.errors import NotFoundError
from mercer.records import Product
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.storefront.drawing import draw

__all__ = ["photograph", "router"]

TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
HEADERS = {
    "cache-control": "public, max-age=300",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}
"""A script inside an SVG of the catalogue does not run, not even where the picture is opened on its own."""


def photograph(product: Product, folder: Path | None) -> Path | None:
    """The file that a catalogue names, if it is a picture within the catalogue's folder."""
    name = product.image
    if folder is None or not name or "\x00" in name or "://" in name or Path(name).suffix.lower() not in TYPES:
        return None
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except OSError:  # a name too long for the file system is no file
        return None


def router(doors: Doors, folder: Path | None) -> APIRouter:
    """Route /images/{product id}."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/images/{id:path}", openapi_extra=needs())
    def image(id: str) -> Response:
        product = doors.product(id) if len(id) <= 128 else None
        if product is None:
            raise NotFoundError(f"product {id[:128]!r} is not in the catalogue", cure="ask for one that is")
        path = photograph(product, folder)
        if path is None:
            return Response(draw(product), media_type="image/svg+xml", headers=HEADERS)
        return FileResponse(path, media_type=TYPES[path.suffix.lower()], headers=HEADERS)

    return routes
