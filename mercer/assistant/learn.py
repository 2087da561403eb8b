"""A shop in; a version of its assistant (intents, passages), with card and proof, under store/models/assistant out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.fit import examples, fit
from mercer.assistant.handover import read_approved
from mercer.assistant.knowledge import Entry, read_knowledge, taken
from mercer.doors.build import encoder_settings, gate_refusal, latest
from mercer.encode import Encoder, load
from mercer.encode.cache import VectorCache
from mercer.encode.choose import EncodeSettings
from mercer.errors import GateBlocked, NotFoundError
from mercer.shop import Kind, Shop, content_hash, write_json

__all__ = ["Learned", "learn", "live_encoder"]

LAYOUT = 2
KIND: Kind = "assistant"
WORSE = 0.01
"""Accuracy that a new version may lose against the live one before it is refused."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was made."""

    version: str
    figures: Mapping[str, Any]
    left_out: Mapping[str, int]
    refused: str
    """"" or why it does not go live."""


def learn(shop: Shop, encode: EncodeSettings, *, override: str = "", seed: int = 7) -> Learned:
    """Fit intents and answer matching on the shop's checked knowledge and dialogues; nothing goes live here.

    Raises:
        NotFoundError: nothing has been checked, or there is no index whose encoder could be used.
        GateBlocked: the data gate is closed and `override` is "".
    """
    checked = latest(shop)
    if (refusal := gate_refusal(shop, checked)) and not override:
        raise GateBlocked(f"the data gate is closed ({refusal})", cure='mend the data, or give --override "why"')
    folder = shop.path("checked", checked)
    entries, left_out = read_knowledge(folder)
    entries += approved(shop)
    encoder, cache = live_encoder(shop, encode), VectorCache(shop.cache)

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        return cache.encode(encoder, texts, side="query")

    labelled = examples(_asked(folder) + [(entry.title, "policy") for entry in entries if entry.kind == "faq"])
    fitted = fit(entries, labelled, vectors, seed=seed)
    told = json.dumps([entry.to_json() for entry in entries], sort_keys=True, ensure_ascii=False)
    version = content_hash(str(LAYOUT), checked, encoder.name, told, json.dumps(labelled.texts), str(seed))
    refused = _refused(shop, fitted.figures)
    with shop.writing(KIND) as work:
        fitted.model.save(work)
        write_json(work / "proof.json", {"passes": not refused, "refused": refused, "figures": fitted.figures})
        card = {"checked": checked, "encoder": encoder.name, "figures": fitted.figures, "left_out": left_out,
                "override": override, "seed": seed}  # fmt: skip
        shop.keep(KIND, work, card, version=version)
    return Learned(version, fitted.figures, left_out, refused)


def approved(shop: Shop) -> list[Entry]:
    """Answers of people that the owner let in."""
    rows = enumerate(read_approved(shop), start=1)
    return [taken(f"person-{number}", "dialogue", row["question"], row["answer"]) for number, row in rows]


def live_encoder(shop: Shop, encode: EncodeSettings) -> Encoder:
    """The encoder of the live index: one model of meaning for products and passages."""
    live = shop.live("index")
    if live is None:
        raise NotFoundError(f"{shop.folder} has no index", cure=f"run: mercer index {shop.folder}")
    return load(settings=encoder_settings(shop, encode, shop.card("index", live.version)["encoder"]))


def _asked(folder: Path) -> list[tuple[str, str]]:
    """What shoppers said in past dialogues, where somebody noted the intent."""
    path = folder / "dialogues.parquet"
    if not path.exists():
        return []
    import pyarrow.parquet as pq

    rows = pq.read_table(path, columns=["role", "text", "intent"]).to_pylist()
    return [(row["text"], row["intent"]) for row in rows if row["intent"] and row["role"] == "shopper"]


def _refused(shop: Shop, figures: Mapping[str, Any]) -> str:
    """Why held-out examples speak against this version; "" where they do not."""
    live = shop.live(KIND)
    if live is None or live.version not in shop.versions(KIND):
        return ""
    before = shop.card(KIND, live.version)["figures"]["intent accuracy"]
    after = figures["intent accuracy"]
    return f"intent accuracy {after:.3f}, the live version has {before:.3f}" if after < before - WORSE else ""
