"""Word pieces and what the frozen layers say of them in; the same from disk the next time out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from mercer.shop import disk_errors

__all__ = ["Memory"]


class Memory:
    """States of texts, in float16 in one file, appended when a text is first seen. Holds `limit` bytes at most.

    Half precision costs less than dropout does: the largest rounding is 1/2048 of a number.
    """

    def __init__(self, folder: Path, *, limit: int = 8 << 30) -> None:
        """Make the file in `folder`; it vanishes with `close`, or with the process."""
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # without a name: a kill leaves nothing
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # `close` closes it
        self._folder = folder
        self._places: dict[tuple[int, ...], tuple[int, int]] = {}
        self._size = 0
        self._limit = limit

    def __call__(self, pieces: Sequence[Sequence[int]], lower: Callable[[], Tensor], device: torch.device) -> Tensor:
        """(n, longest, hidden): remembered states; `lower` is run where one of the texts is new."""
        keys = [tuple(row) for row in pieces]
        if not all(key in self._places for key in keys):
            states = lower()
            for key, row in zip(keys, states, strict=True):
                self._keep(key, row[: len(key)])
            return states
        rows = [self._read(key) for key in keys]
        padded = np.zeros((len(rows), max(map(len, rows)), rows[0].shape[1]), np.float32)
        for place, row in enumerate(rows):
            padded[place, : len(row)] = row
        return torch.from_numpy(padded).to(device)

    def _keep(self, key: tuple[int, ...], states: Tensor) -> None:
        data = states.to(torch.float16).cpu().numpy()
        if key in self._places or self._size + data.nbytes > self._limit:
            return
        with disk_errors(self._folder):
            self._file.seek(self._size)
            self._file.write(data.tobytes())
        self._places[key] = (self._size, data.shape[1])
        self._size += data.nbytes

    def _read(self, key: tuple[int, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float16]]:
        start, hidden = self._places[key]
        self._file.seek(start)
        data = self._file.read(len(key) * hidden * 2)
        return np.frombuffer(data, np.float16).reshape(len(key), hidden)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
