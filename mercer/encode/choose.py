"""Settings and a sample of the shop's texts in; the encoder that fits them out."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from mercer.encode.encoder import Encoder, Engine, TextEncoder
from mercer.encode.language import shares
from mercer.encode.model import Model
from mercer.encode.source import default_cache, resolve
from mercer.encode.tokens import Tokens
from mercer.errors import ModelError, SettingsError
from mercer.shop import content_hash

__all__ = ["EncodeSettings", "choose", "load"]

SAMPLE = 2000
"""Texts whose language decides."""

OTHER_SHARE = 0.5
"""From this share of texts that are neither Chinese nor in Latin script, the multilingual model is taken. A guess."""


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """Section ``[encode]``: which model says what a text means, and how it runs."""

    source: str = "auto"
    """auto, minilm, e5, the folder of a model, or a hub name (owner/model); auto goes by the catalogue's language."""
    engine: Literal["auto", "onnx", "torch"] = "auto"
    """auto is onnx where onnxruntime is installed."""
    max_length: int = 128
    """Longest text in word pieces; the rest is cut off. A guess: time grows with it, and what names a
    product comes first; issue 4 settles it with tuned encoders."""
    batch_tokens: int = 512
    """Word pieces in one batch, padding included; small batches stay in the processor's cache."""
    threads: int = 0
    """Threads of the engine; 0 is all processors this process may use."""
    chinese_share: float = 0.05
    """auto takes e5 from this share of Chinese texts, 0 to 1."""
    cache: str = ""
    """Folder for exported and unpacked models; "" is $XDG_CACHE_HOME/mercer or ~/.cache/mercer."""
    hub_timeout: float = 5.0
    """Seconds a model hub has to answer."""

    def __post_init__(self) -> None:
        for name, low, high in (("max_length", 8, 8192), ("batch_tokens", 1, 1 << 20), ("threads", 0, 1024)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[encode] {name} is {value}", cure=f"give a number between {low} and {high}")
        if not 0 <= self.chinese_share <= 1:
            raise SettingsError(f"[encode] chinese_share is {self.chinese_share}", cure="give a share between 0 and 1")
        if not (math.isfinite(self.hub_timeout) and self.hub_timeout > 0):
            raise SettingsError(f"[encode] hub_timeout is {self.hub_timeout}", cure="give seconds above 0")
        if self.engine not in ("auto", "onnx", "torch"):
            raise SettingsError(f"[encode] engine is {self.engine!r}", cure="give 'auto', 'onnx' or 'torch'")
        if not self.source.strip():
            raise SettingsError("[encode] source is empty", cure="give auto, minilm, e5, a folder or a hub name")


DEFAULTS = EncodeSettings()


def choose(texts: Iterable[str], *, chinese_share: float = DEFAULTS.chinese_share) -> str:
    """``e5`` for a shop with Chinese texts (or mostly of another script than Latin), else ``minilm``.

    >>> choose(["red dress", "blue dress"]), choose(["red dress", "红色连衣裙"])
    ('minilm', 'e5')
    """
    chinese, other = shares(islice(texts, SAMPLE))
    return "e5" if (chinese and chinese >= chinese_share) or other >= OTHER_SHARE else "minilm"


def load(
    source: str = "",
    *,
    engine: Literal["", "auto", "onnx", "torch"] = "",
    texts: Iterable[str] = (),
    settings: EncodeSettings = DEFAULTS,
) -> Encoder:
    """The encoder that `source` names; `source` and `engine` win over `settings`, `texts` decide for ``auto``.

    The first load of a model on ONNX exports it with torch (10 s) and keeps it; later loads need no torch.

    Raises:
        ModelError: no such model, a damaged one, or one that does not fit.
        MissingExtra: a package is needed; the error says how to install it.
    """
    cache = Path(settings.cache).expanduser() if settings.cache else default_cache()
    named = source or settings.source
    if named == "auto":
        named = choose(texts, chinese_share=settings.chinese_share)
    model = resolve(named, cache=cache, timeout=settings.hub_timeout)
    if (model.config.get("mercer") or {}).get("head"):
        raise ModelError(
            f"{model.folder} reads two texts together and gives no vectors", cure="name an encoder's folder"
        )
    max_length = min(settings.max_length, model.positions)
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=max_length)
    if tokens.size > len(model.table):
        raise ModelError(
            f"{model.folder}: the tokenizer knows {tokens.size} pieces, the model {len(model.table)}",
            cure="give the tokenizer.json the model was trained with",
        )
    whole = TextEncoder(
        f"{model.label}-{content_hash(model.hash, str(max_length))}",
        tokens=tokens,
        table=model.table,
        engine=_engine(engine or settings.engine, model, cache, settings.threads),
        batch_tokens=settings.batch_tokens,
        dimension=model.dimension,
    )
    if model.static is None:
        return whole
    from mercer.encode.static import StaticEncoder, table_of

    said = content_hash(model.origin, str(max_length))
    return StaticEncoder(whole, tokens=tokens, table=table_of(model), passages=f"{model.label}-{said}")


def _engine(name: str, model: Model, cache: Path, threads: int) -> Engine:
    processors = threads or len(os.sched_getaffinity(0))
    if model.body is not None and name != "torch":
        from mercer.encode.engine_int8 import Int8Engine

        return Int8Engine(model.body, threads=processors)
    if name == "auto":
        name = "onnx" if importlib.util.find_spec("onnxruntime") else "torch"
    if name == "torch":
        from mercer.encode.engine_torch import TorchEngine

        return TorchEngine(model, threads=threads)
    from mercer.encode.engine_onnx import OnnxEngine, exported

    return OnnxEngine(exported(model, cache), threads=processors)
