"""A model's two files come back as they were, and whatever happened to one of them is told with the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mercer.encode.kept import keep_model, kept_model
from mercer.errors import ModelError


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    keep_model(tmp_path / "new", "head", {"labels": ["退货", "b"]}, {"weight": np.eye(3, dtype=np.float32)})
    told, arrays = kept_model(tmp_path / "new", "head", cure="")
    assert told == {"labels": ["退货", "b"]}
    np.testing.assert_array_equal(arrays["weight"], np.eye(3))
    assert arrays["weight"].dtype == np.float32


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("head.npz", None, "has no head.json with head.npz"),
        ("head.json", None, "has no head.json with head.npz"),
        ("head.npz", b"PK", "is not what head.json names"),
        ("head.json", b'{"labels', "is damaged"),
        ("head.json", b'{"labels": []}', "is damaged"),
        ("head.json", b"[]", "is damaged"),
        ("head.json", b"\xff\xfe\x00", "is damaged"),
    ],
)
def test_what_happened_to_a_file_is_told(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    keep_model(tmp_path, "head", {"labels": []}, {"weight": np.eye(3)})
    (tmp_path / name).unlink()
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=said) as caught:
        kept_model(tmp_path, "head", cure="learn it again")
    assert caught.value.cure == "learn it again"


def test_arrays_that_are_no_archive_are_told_even_where_the_hash_is_right(tmp_path: Path) -> None:
    from mercer.shop import content_hash, write_json

    (tmp_path / "head.npz").write_bytes(b"PK\x03\x04 cut off")
    write_json(tmp_path / "head.json", {"weights": content_hash(tmp_path / "head.npz")})
    with pytest.raises(ModelError, match="is damaged"):
        kept_model(tmp_path, "head", cure="")
