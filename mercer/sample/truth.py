"""The truth/ folder of an invented shop in, what is really so out: tastes, propensities, kinds of query, dirt."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mercer.errors import NotFoundError
from mercer.sample import shopper, write
from mercer.sample.catalogue import Goods
from mercer.sample.click import ETA, propensity
from mercer.sample.settings import SampleSettings
from mercer.sample.shopper import People
from mercer.sample.slate import WIDTH
from mercer.sample.taxonomy import Taxonomy, taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Truth", "load", "save"]

Columns = TypeVar("Columns", Goods, People)


@dataclass(frozen=True, slots=True)
class Truth:
    """What only the inventor of the shop knows."""

    settings: SampleSettings
    world: Taxonomy
    goods: Goods
    people: People
    propensity: NDArray[np.float64]
    """Chance that position 1, 2, … is looked at."""
    queries: pa.Table
    """query_id, text, kind, language, leaf, product_kind."""
    impressions: pa.Table
    """event_id, scene, attraction: the chance of a click once seen."""
    dirt: pa.Table
    """check, family, row_id, field, kind, original, twin."""

    def affinity(self, who: str) -> NDArray[np.float64]:
        """How much a shopper likes each product: taste for it plus interest in its category (any scale).

        Raises:
            NotFoundError: no shopper has this id.
        """
        if who not in self.people.id:
            raise NotFoundError(
                f"shopper {who!r} is not in truth", cure=f"give {self.people.id[0]} to {self.people.id[-1]}"
            )
        number = np.array(self.people.id.index(who))
        colours = shopper.colour_numbers(self.goods, self.world)
        taste = shopper.utility(self.people, self.goods, number, np.arange(len(self.goods)), colours=colours)
        result: NDArray[np.float64] = taste + np.log(self.people.interest[number, self.goods.leaf] + 1e-4)
        return result

    def best(self, who: str, k: int = 10) -> list[str]:
        """The `k` products in stock that a shopper would like most, best first."""
        score = np.where(self.goods.stock > 0, self.affinity(who), -np.inf)
        ids = self.goods.id
        return [ids[number] for number in np.argsort(-score, kind="stable")[:k]]

    def complements(self, leaf: str) -> Sequence[str]:
        """Keys of the leaf categories that are bought after `leaf`."""
        return next(item.goes_with for item in self.world.leaves if item.key == leaf)


def save(folder: Path, settings: SampleSettings, goods: Goods, people: People, tables: dict[str, pa.Table]) -> None:
    """Write truth/: settings and propensity as JSON, everything else as Parquet."""
    import pyarrow.parquet

    latent = {"products": _latent(goods), "shoppers": _latent(people)}
    for name, table in (tables | latent).items():
        stream = io.BytesIO()
        pyarrow.parquet.write_table(table, stream)
        write.save(folder / "truth" / f"{name}.parquet", stream.getvalue())
    curve = {"model": "position", "eta": ETA, "curve": propensity(WIDTH).tolist()}
    write.save(folder / "truth" / "propensity.json", [json.dumps(curve, indent=1)])
    write.save(folder / "truth" / "settings.json", [json.dumps(asdict(settings), indent=1)])


def load(folder: Path) -> Truth:
    """Read the truth of the shop in `folder`, as ``generate`` wrote it.

    Raises:
        NotFoundError: there is no truth/ in it.
    """
    path = folder / "truth" / "settings.json"
    if not path.exists():
        raise NotFoundError(f"{path} is not there", cure="generate a shop into that folder first")
    return Truth(
        settings=SampleSettings(**json.loads(path.read_text("utf-8"))),
        world=taxonomy(),
        goods=_read(folder, "products", Goods),
        people=_read(folder, "shoppers", People),
        propensity=np.array(json.loads((folder / "truth" / "propensity.json").read_text("utf-8"))["curve"]),
        **{name: _table(folder, name) for name in ("queries", "impressions", "dirt")},
    )


def _table(folder: Path, name: str) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(folder / "truth" / f"{name}.parquet")


def _latent(columns: Goods | People) -> pa.Table:
    import pyarrow as pa

    values: dict[str, Any] = {field.name: getattr(columns, field.name) for field in fields(columns)}
    listed = {name: list(value) if isinstance(value, tuple) else value.tolist() for name, value in values.items()}
    return pa.table({"id": columns.id, **listed})


def _read(folder: Path, name: str, kind: type[Columns]) -> Columns:
    """Latent columns as they were: arrays, matrices, and the model names as a tuple."""
    table = _table(folder, name)
    values: dict[str, Any] = {field.name: table[field.name].to_pylist() for field in fields(kind)}
    arrays: dict[str, Any] = {
        name: tuple(value) if name == "model" else np.array(value) for name, value in values.items()
    }
    return kind(**arrays)
