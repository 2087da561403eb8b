"""A model folder in; a smaller, faster one that ranks as well out, step by step, each with its figures."""

from __future__ import annotations

from mercer.encode.compress.judge import Judge, Quality
from mercer.encode.compress.run import Corpus, Heal, compress
from mercer.encode.compress.settings import CompressSettings
from mercer.encode.compress.step import State, Step

__all__ = ["CompressSettings", "Corpus", "Heal", "Judge", "Quality", "State", "Step", "compress"]
