"""Articles and what readers read in; a feed for one reader, with reasons, and its honest hit rate, out.

python examples/content_feed.py [--readers 400 --seed 7]

The engine does not know that it sells anything: an article is a `Product` without a price, reading is a `view`, a like
is a `like`, topics are its category. What sells out never does, so `exclude_sold_out` finds nothing to leave out; pages
are spread over topics (`diversity`), and one place of each goes to articles that few have found (`explore`). Readers
here are invented: each has two topics. The last thing each one read is not learnt from, and is looked for among the
first ten of their feed, beside what is popular.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from mercer.rank.diverse import DiverseSettings
from mercer.recommend import Recommend, RecommendSettings
from mercer.records import Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.history import DAY
from mercer.retrieve.index import IndexSettings

TOPICS = ("Cycling", "Bread", "Chess", "Gardens", "Space", "Opera", "Cities", "Birds")
NOW = 1_760_000_000_000


def articles() -> list[Product]:
    """Thirty of each topic; the last three of each are new: nobody has read them."""
    return [
        Product(f"{topic.lower()}-{n}", f"{topic}: part {n}", category=("Articles", topic), brand=f"writer {n % 7}")
        for topic in TOPICS
        for n in range(30)
    ]


def reading(readers: int, rng: np.random.Generator) -> list[tuple[str, str, int]]:
    """(reader, article, time): readers go on in their two topics from where they were, and now and then elsewhere."""
    rows = []
    for reader in range(readers):
        own, part = rng.choice(len(TOPICS), 2, replace=False), rng.integers(0, 12, len(TOPICS))
        for step in range(int(rng.integers(4, 16))):
            topic = int(rng.choice(own) if rng.random() < 0.9 else rng.integers(len(TOPICS)))
            part[topic] += 1 + (rng.random() < 0.3)
            rows.append(
                (f"r{reader}", f"{TOPICS[topic].lower()}-{min(26, part[topic])}", NOW - 30 * DAY + step * DAY + reader)
            )
    return rows


def learnt(rows: list[tuple[str, str, int]]) -> Behaviour:
    """Everything that Mercer learns from events, from views alone."""
    readers, read, times = (list(column) for column in zip(*rows, strict=True))
    table = pa.table({"type": ["view"] * len(rows), "shopper": readers, "product": read, "time": times})
    return Behaviour.fit(table, products=articles())


def vectors(shelf: list[Product]) -> np.ndarray:
    """Of a text encoder in earnest (`mercer.encode.load`); here topics with noise, so that nothing is loaded."""
    rng = np.random.default_rng(1)
    known = {topic: rng.standard_normal(16) for topic in TOPICS}
    found = np.array([known[one.category[1]] + 0.5 * rng.standard_normal(16) for one in shelf], np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def main() -> None:
    """Show one feed, then measure all of them."""
    told = argparse.ArgumentParser()
    told.add_argument("--readers", type=int, default=400)
    told.add_argument("--seed", type=int, default=7)
    given = told.parse_args()
    rows = reading(given.readers, np.random.default_rng(given.seed))
    last = {reader: at for at, (reader, _, _) in enumerate(rows)}
    held = {reader: rows[at][1] for reader, at in last.items()}
    known = learnt([row for at, row in enumerate(rows) if last[row[0]] != at])
    spread = DiverseSettings("mmr", 0.05, by=("category",))
    settings = RecommendSettings(home={"popular": 0.1}, explore=0.1, diversity=spread)
    with tempfile.TemporaryDirectory() as folder:
        index = ExactIndex(Path(folder), dimension=16, settings=IndexSettings(engine="exact"))
        index.upsert(articles(), vectors(articles()))
        feed = Recommend(index, known, settings=settings, clock=lambda: NOW / 1000, seed=given.seed)
        print("feed of r0, who last read", ", ".join([article for reader, article, _ in rows if reader == "r0"][-4:-1]))
        for hit in feed(Request("home", shopper=Shopper("r0"), k=6)).hits:
            print(f"  {hit.product.title:18} {hit.reason}{'' if hit.propensity is None else ' *'}")
        popular = known.popular.products.take(np.argsort(-known.popular.value)[:10])
        found = [
            (held[reader] in {hit.id for hit in feed(Request("home", shopper=Shopper(reader), k=10)).hits},
             held[reader] in popular)
            for reader in held
        ]  # fmt: skip
        index.close()
    ours, theirs = np.mean(found, axis=0)
    print(f"the article read next is among the first ten of {ours:.0%} of the feeds; of what is popular, {theirs:.0%}")


if __name__ == "__main__":
    main()
