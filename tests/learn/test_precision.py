from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="mercer[learn] is not installed")

from mercer.encode.model import read  # noqa: E402  # torch first
from mercer.learn.precision import precision_of  # noqa: E402
from mercer.learn.tower import build  # noqa: E402
from mercer.learn.tuner import vectors  # noqa: E402

TEXTS = ["red cotton shirt", "a steel bottle for tea", "红色连衣裙", "small oak board"]


def test_auto_is_what_the_machine_multiplies_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for tiles, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda tiles=tiles: tiles, raising=False)
        assert precision_of("auto") == expected
    assert precision_of("float16") == "float16"


def test_half_precision_keeps_weights_and_directions(tiny_bert) -> None:
    tower = build(read(tiny_bert), length=16, dropout=0.0)
    whole = tower.encode(TEXTS, "passage")
    gradients = []
    for precision in ("float32", "bfloat16"):
        tower.precision = precision
        with tower.cast():
            loss = vectors(tower, tower, TEXTS, "passage", 4096).float()[:, :8].sum()
        loss.backward()
        gradients.append(torch.cat([value.grad.flatten() for value in tower.parameters() if value.grad is not None]))
        tower.zero_grad(set_to_none=True)
    assert {value.dtype for value in tower.parameters()} == {torch.float32}
    half = tower.encode(TEXTS, "passage")
    assert half.dtype == np.float32
    assert not np.array_equal(half, whole)
    assert (half * whole).sum(1).min() > 0.999
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.99
