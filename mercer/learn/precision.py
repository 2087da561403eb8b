"""A wish for a number format in; the format that this machine is fast in, and a context that computes in it, out."""

from __future__ import annotations

from typing import Literal

import torch

__all__ = ["Precision", "cast", "device", "precision_of"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def device() -> torch.device:
    """Where training runs: this process's GPU, else the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def precision_of(wish: Precision) -> Precision:
    """bfloat16 for auto where matrices are multiplied in it by hardware: GPUs since 2020, CPUs with AMX; else float32.

    On a CPU with AMX a step takes a quarter of float32's time. CPUs that only convert (AVX512-BF16) gain nothing.
    """
    if wish != "auto":
        return wish
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)  # torch has no public name for it
    return "bfloat16" if tiles is not None and tiles() else "float32"


def cast(precision: Precision, device: torch.device) -> torch.autocast:
    """Matrix products in `precision`, sums and weights in float32."""
    dtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision, torch.float32)
    return torch.autocast(device.type, dtype=dtype if dtype != torch.float32 else None, enabled=dtype != torch.float32)
