"""A text model of LightGBM in; its prediction for rows of features, and each feature's part in it, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import MissingExtra, ModelError
from mercer.rank.feature import NAMES
from mercer.shop import content_hash, disk_errors, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LAYOUT", "Trees", "lightgbm"]

LAYOUT = 1
"""Of the meaning of features and of `ranker.json`."""
MODEL, TOLD = "ranker.txt", "ranker.json"


def lightgbm() -> Any:
    """The package.

    Raises:
        MissingExtra: it is not installed, or the system's OpenMP (libgomp1) that it is linked with is not.
    """
    try:
        import lightgbm as package
    except (ImportError, OSError) as error:
        raise MissingExtra("lightgbm", extra="rank") from error
    return package


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted trees over `rank.feature.FEATURES`: what they add to the hybrid score, in its unit."""

    booster: Any
    scale: float
    """The trees' unit by that of the hybrid score: they were grown on top of `scale` times it."""
    base: float
    """Mean prediction over what they were trained on; it belongs to no feature, and is left out."""
    name: str
    """Identity of the numbers: a hash."""

    @classmethod
    def of(cls, text: str, scale: float) -> Trees:
        """From the text of a model.

        Raises:
            ModelError: it is no model of these features.
        """
        import numpy as np

        package = lightgbm()
        try:
            booster = package.Booster(model_str=text)
            names = tuple(booster.feature_name())
        except package.basic.LightGBMError as error:
            raise ModelError(f"{MODEL} is no model: {error}", cure="run: mercer learn SHOP --ranker") from error
        if names != NAMES:
            odd = sorted(set(names) ^ set(NAMES))[:3]
            raise ModelError(
                f"{MODEL} has other features ({', '.join(odd) or 'another order'})",
                cure="run: mercer learn SHOP --ranker",
            )
        nothing = np.full((1, len(NAMES)), np.nan)
        base = float(booster.predict(nothing, pred_contrib=True, num_threads=1)[0, -1])
        return cls(booster, scale, base, content_hash(text, str(scale)))

    @property
    def leaves(self) -> int:
        """Of all trees: the numbers that were trained."""
        found: str = self.booster.model_to_string()
        return sum(
            int(line.removeprefix("num_leaves=")) for line in found.splitlines() if line.startswith("num_leaves=")
        )

    def __call__(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, features) → what is added to each hybrid score, (n,)."""
        import numpy as np

        if not len(features):
            return np.zeros(0)
        said: NDArray[np.float64] = self.booster.predict(features, num_threads=1)
        return (said - self.base) / self.scale

    def parts(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, features) → what each feature made of that (Lundberg et al. 2020, exact for trees); rows sum to it."""
        import numpy as np

        if not len(features):
            return np.zeros(features.shape)
        said: NDArray[np.float64] = self.booster.predict(features, pred_contrib=True, num_threads=1)
        return said[:, :-1] / self.scale

    def save(self, folder: Path, told: Mapping[str, Any]) -> None:
        """Write the model as text, and beside it its hash and `told`."""
        text = self.booster.model_to_string(num_iteration=-1)
        with disk_errors(folder):
            (folder / MODEL).write_text(text, "utf-8")
            facts = {"layout": LAYOUT, "hash": content_hash(folder / MODEL), "scale": self.scale, "features": NAMES}
            write_json(folder / TOLD, {**told, **facts})

    @classmethod
    def load(cls, folder: Path) -> Trees:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged, or another Mercer wrote it.
        """
        cure = "run: mercer learn SHOP --ranker"
        try:
            told = json.loads((folder / TOLD).read_text("utf-8"))
            layout, wanted, scale = told["layout"], told["hash"], float(told["scale"])
            text = (folder / MODEL).read_text("utf-8")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder} has no ranker: {error}", cure=cure) from error
        if layout != LAYOUT:
            raise ModelError(f"{folder} has layout {layout}, this Mercer reads {LAYOUT}", cure=cure)
        if content_hash(folder / MODEL) != wanted:
            raise ModelError(f"{folder / MODEL} is not what was written (its hash differs)", cure=cure)
        return cls.of(text, scale)
