"""Texts in, vectors out: one promise (`Encoder`), loaded by name, run by ONNX Runtime or torch."""

from __future__ import annotations

from mercer.encode.choose import EncodeSettings, choose, load
from mercer.encode.encoder import TOLERANCE, Encoder
from mercer.encode.language import chinese_share, language_of

__all__ = ["TOLERANCE", "EncodeSettings", "Encoder", "chinese_share", "choose", "language_of", "load"]
