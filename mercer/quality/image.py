"""The products' image column and the folder of its file in; which local images are there out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["image_table"]


def image_table(products: pa.Table, folder: Path) -> pa.Table:
    """row_id i64, image str, exists bool of every product whose image is a path; URLs are not looked up."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = products.select(["row_id", "image"]).filter(pc.is_valid(products["image"]))
    remote = pc.match_substring_regex(named["image"], r"^\s*([a-zA-Z][a-zA-Z0-9+.-]*:|//)|^\s*$")
    local = named.filter(pc.invert(remote))
    exists = [_is_file(folder, image) for image in local["image"].to_pylist()]
    return local.append_column("exists", pa.array(exists, pa.bool_()))


def _is_file(folder: Path, image: str) -> bool:
    try:
        return (folder / image).is_file()
    except (OSError, ValueError):  # a name that no file can have: too long, or with a null in it
        return False
