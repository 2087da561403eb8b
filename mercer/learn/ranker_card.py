"""Fitted trees and what they were grown from in; a ranker among the shop's models, with its card, out."""

from __future__ import annotations

import dataclasses
import json
import resource
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.learn.ranker import Fitted, RankList
from mercer.learn.ranker_settings import RankerSettings
from mercer.rank.feature import FEATURES
from mercer.shop import Shop, content_hash, write_json
from mercer.watch.change import Histogram

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["REFERENCE", "hash_of", "keep_ranker", "reference"]

REFERENCE = "reference.json"
"""Beside the trees: what each feature was like in training, for `mercer watch` to hold the log against."""
SHOWN = 10


def hash_of(lists: Sequence[RankList]) -> str:
    """Of everything that trees are grown from: equal hash, equal training data."""
    parts = [
        content_hash(one.group, *(np.ascontiguousarray(column).tobytes() for column in (
            one.features, one.hybrid, one.gains)), str(one.weight))
        for one in lists
    ]  # fmt: skip
    return content_hash(*parts)


def reference(lists: Sequence[RankList], fitted: Fitted) -> dict[str, Any]:
    """Deciles of each feature, by name, as `watch.change.Histogram.row` has them.

    Of the ten products of each list that would be shown first, as the log knows of no others.
    """
    table = np.concatenate([one.features[_first(one, fitted)] for one in lists])
    return {feature.name: Histogram.of(table[:, place]).row() for place, feature in enumerate(FEATURES)}


def _first(one: RankList, fitted: Fitted) -> NDArray[np.int64]:
    added = fitted.trees(one.features) if fitted.rounds else 0.0
    return np.argsort(-(one.hybrid + added), kind="stable")[:SHOWN]


def keep_ranker(
    shop: Shop, fitted: Fitted, lists: Sequence[RankList], settings: RankerSettings, *, seed: int,
    told: Mapping[str, Any],
) -> tuple[str, Path]:  # fmt: skip
    """Write the model; version and folder come back. It is not live here: `doors.build` takes its version.

    Args:
        shop: keeps it as ``ranker/`` and the hash of data, settings and seed.
        fitted: trees with their curve.
        lists: what they were grown from.
        settings, seed: of growing.
        told: what else the card says: checked version, index, numbers of lists by source.
    """
    data = hash_of(lists)
    version = f"ranker/{content_hash(data, json.dumps(dataclasses.asdict(settings), sort_keys=True), str(seed))}"
    if version not in shop.versions("models"):
        training = {
            "steps": fitted.rounds,
            "trained": fitted.trees.leaves,
            "parameters": fitted.trees.leaves,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "scale": fitted.scale,
            "start": fitted.start,
            "best": fitted.best,
            "lists": fitted.lists,
            "seconds": round(fitted.seconds, 1),
            "curve": [{"step": step, "eval_nDCG@10": value} for step, value in enumerate(fitted.curve)],
        }
        card = {
            "data": data,
            "base": {"name": "hybrid score"},
            "settings": dataclasses.asdict(settings),
            "seed": seed,
            "features": {feature.name: feature.meaning for feature in FEATURES},
            "gain": dict(fitted.importance),
            "training": training,
            **told,
        }
        with shop.writing("models") as folder:
            fitted.trees.save(folder, {"rounds": fitted.rounds, "data": data})
            write_json(folder / REFERENCE, reference(lists, fitted))
            shop.keep("models", folder, card, version=version)
    return version, shop.path("models", version)
