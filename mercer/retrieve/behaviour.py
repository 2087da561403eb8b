"""Checked events in; every retriever that learns from what shoppers do, fitted, saved and loaded as one, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mercer.errors import SettingsError
from mercer.records import Product
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.context import Context, ContextSettings
from mercer.retrieve.history import History, HistorySettings
from mercer.retrieve.item_knn import ItemKnn, ItemKnnSettings
from mercer.retrieve.linear import Linear, LinearSettings
from mercer.retrieve.linear_features import Description, Features
from mercer.retrieve.past import Pasts
from mercer.retrieve.popular import Popular, PopularSettings
from mercer.retrieve.repeat import Repeat, RepeatSettings
from mercer.retrieve.together import Together, TogetherSettings
from mercer.retrieve.trending import Trending, TrendingSettings
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Behaviour", "BehaviourSettings"]


@dataclass(frozen=True, slots=True)
class BehaviourSettings:
    """What is learnt from events."""

    kept: int = 500
    """Products remembered of each shopper: what was bought before, and where a home page starts from."""
    strength: HistorySettings = field(default_factory=HistorySettings)
    knn: ItemKnnSettings = field(default_factory=ItemKnnSettings)
    popular: PopularSettings = field(default_factory=PopularSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    together: TogetherSettings = field(default_factory=TogetherSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    linear: LinearSettings = field(default_factory=LinearSettings)
    repeat: RepeatSettings = field(default_factory=RepeatSettings)
    linear_most: int = 200_000
    """Products above which item-knn's neighbours stand in for the linear model, which takes a while to solve."""

    def __post_init__(self) -> None:
        if not 1 <= self.kept <= 100_000:
            raise SettingsError(f"kept is {self.kept}", cure="give a whole number from 1 to 100000")
        if not 0 <= self.linear_most <= 10_000_000:
            raise SettingsError(f"linear_most is {self.linear_most}", cure="give a whole number from 0 to 10000000")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Fitted retrievers over one vocabulary of products.

    >>> len(Behaviour.fit(None).products)
    0
    """

    products: Vocabulary
    knn: ItemKnn
    popular: Popular
    trending: Trending
    together: Together
    pasts: Pasts
    end: int
    """The last event's moment, UTC milliseconds; 0 where there was none."""
    events: int
    """How many events were learnt from."""
    context: Context
    linear: Linear
    repeat: Repeat
    settings: BehaviourSettings = field(default_factory=BehaviourSettings)
    """With which it was learnt."""

    @classmethod
    def fit(
        cls,
        events: Path | Any | None,
        settings: BehaviourSettings | None = None,
        *,
        products: Iterable[Product] = (),
    ) -> Behaviour:
        """Learn from a Parquet file or Arrow table of checked events; None, or a file that is not there, is no events.

        `products` are the catalogue's: by what they are, those nobody has wanted yet are reached, too.

        Raises:
            FormatError: the file is no Parquet, or lacks a column.
        """
        settings = settings or BehaviourSettings()
        there = None if isinstance(events, Path) and not events.exists() else events
        history = History.of(there, settings.strength)
        known = {product.id: Description.of(product) for product in products} if len(history) else {}
        history = history.with_products(known) if known else history
        context = Context.fit(there, history.products, settings.context)
        return cls.of(history, settings, context=context, known=known)

    @classmethod
    def of(
        cls,
        history: History,
        settings: BehaviourSettings | None = None,
        *,
        context: Context | None = None,
        known: Mapping[str, Description] | None = None,
    ) -> Behaviour:
        """Learn from a history, which knows nothing of devices and places; `context` does."""
        settings = settings or BehaviourSettings()
        knn = ItemKnn.fit(history, settings.knn)
        linear = _stand_in(knn)
        if len(history.products) <= settings.linear_most:
            linear = Linear.fit(history, Features.of(history.products, known or {}), settings.linear)
        return cls(
            products=history.products,
            knn=knn,
            popular=Popular.fit(history, settings.popular),
            trending=Trending.fit(history, settings.trending),
            together=Together.fit(history, settings.together),
            pasts=Pasts.fit(history, kept=settings.kept),
            end=history.end,
            events=len(history),
            context=context or Context.none(history.products),
            linear=linear,
            repeat=Repeat.fit(history, settings.repeat),
            settings=settings,
        )

    def save(self, folder: Path) -> None:
        """Write npz and Parquet files into a folder; ``behaviour.npz`` comes last and says that the rest is whole."""
        for part in (self.knn, self.popular, self.trending, self.together, self.pasts, self.context, self.linear):
            part.save(folder)
        self.repeat.save(folder)
        told = {"end": self.end, "events": self.events, "settings": asdict(self.settings)}
        save_arrays(folder / "behaviour.npz", {}, told)

    @classmethod
    def load(cls, folder: Path) -> Behaviour:
        """Read what `save` wrote; a folder without ``behaviour.npz`` is a shop without events.

        Raises:
            ShopError: a file is missing or damaged.
        """
        if not (folder / "behaviour.npz").exists():
            return cls.fit(None)
        _, facts = load_arrays(folder / "behaviour.npz")
        products = Vocabulary.load(folder / "products.parquet")
        knn = ItemKnn.load(folder, products)
        there = (folder / "linear.npz").exists()  # an index of before there was one has none
        return cls(
            products=products,
            knn=knn,
            popular=Popular.load(folder, products),
            trending=Trending.load(folder, products),
            together=Together.load(folder, products),
            pasts=Pasts.load(folder),
            end=facts["end"],
            events=facts["events"],
            context=Context.load(folder, products),
            linear=Linear.load(folder, products) if there else _stand_in(knn),
            repeat=Repeat.load(folder, products) if (folder / "repeat.npz").exists() else Repeat.none(products),
            settings=_settings(facts.get("settings", {})),
        )


def _settings(told: Mapping[str, Any]) -> BehaviourSettings:
    """What `save` wrote of them; the defaults of an index of before they were kept."""
    whole = BehaviourSettings()
    parts = {name: type(getattr(whole, name))(**of) for name, of in told.items() if isinstance(of, dict)}
    return replace(whole, **{**told, **parts})


def _stand_in(knn: ItemKnn) -> Linear:
    """Item-knn's neighbours in the linear model's place."""
    return Linear(knn.products, knn.neighbours, LinearSettings(recency=knn.settings.recency), knn.usual)
