"""Products and checked queries in; what understanding learned of their words, as files of an index version, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.records import Filter, Product
from mercer.shop import Shop
from mercer.understand.intent import Intent
from mercer.understand.knowledge import Knowledge
from mercer.understand.recognise import Vocabulary
from mercer.understand.spelling import Spelling
from mercer.understand.suggest import Suggest
from mercer.understand.synonym import FILE, Synonyms
from mercer.understand.understand import Understand

if TYPE_CHECKING:
    from mercer.doors.settings import Settings
    from mercer.retrieve.columns import Columns

__all__ = ["learn_words", "sold_out", "understanding"]


BOUGHT = 3
"""Visits that a purchase counts as, for the popularity of a query. A guess."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query text of the log."""

    visits: int
    """In which it was asked, and `BOUGHT` for each time that something was bought after it."""
    products: frozenset[str]
    """That were clicked or bought after it."""


def learn_words(products: Sequence[Product], source: Path, folder: Path, *, settings: Settings) -> None:
    """Write completions, spelling and vocabulary into `folder`; `source` is a checked version, with its queries."""
    asked = _asked(source)
    once = dict.fromkeys(asked, 1)  # what many have typed may be a slip of many
    Suggest.build(
        products,
        {text: one.visits for text, one in asked.items()},
        settings=settings.suggest,
        wanted={text: one.products for text, one in asked.items()},
    ).save(folder / "suggest.json")
    Spelling.build(products, once, settings=settings.spelling).save(folder / "spelling.json")
    Vocabulary.build(products).save(folder / "vocabulary.json")
    Knowledge.build(products).save(folder / "knowledge.json")
    Intent.build(products, {text: one.products for text, one in asked.items()}).save(folder / "intent.json")


def understanding(shop: Shop, folder: Path, settings: Settings, spelling: Spelling) -> Understand:
    """What `learn_words` wrote into `folder`, and the shop's own synonyms, ready to read queries.

    Raises:
        FormatError: a file that is something else.
    """
    synonyms = Synonyms.read(shop.folder / FILE)
    spelling.know(words for rule in synonyms.rules for words in (*rule.words, *rule.instead))
    return Understand(
        Vocabulary.load(folder / "vocabulary.json"),
        settings=settings.understand,
        spelling=spelling,
        synonyms=synonyms,
        knowledge=Knowledge.load(folder / "knowledge.json"),
        intent=Intent.load(folder / "intent.json"),
    )


def sold_out(columns: Columns) -> Callable[[str], bool]:
    """Whether a product cannot be bought at this moment: it is gone, or out of stock."""
    there = cache(lambda: columns.mask((Filter("in_stock", values=("true",)),)))

    def gone(id: str) -> bool:
        row = columns.row.get(id)
        return row is None or (row < len(there()) and not there()[row])

    return gone


def _asked(source: Path) -> Mapping[str, _Asked]:
    """Texts of the checked queries with what came of them; each was asked once at least."""
    import duckdb

    queries, events = source / "queries.parquet", source / "events.parquet"
    if not queries.exists():
        return {}
    with duckdb.connect() as engine:
        if not events.exists():
            texts = engine.execute("SELECT DISTINCT text FROM read_parquet(?)", [str(queries)]).fetchall()
            return {str(text): _Asked(1, frozenset()) for (text,) in texts if text}
        rows = engine.execute(
            """
            SELECT text, count(DISTINCT coalesce(session, shopper)), count(*) FILTER (type = 'purchase'),
                   list(DISTINCT product) FILTER (type IN ('click', 'add_to_cart', 'purchase'))
            FROM read_parquet(?) LEFT JOIN read_parquet(?) USING (query_id) WHERE text IS NOT NULL GROUP BY text
            """,
            [str(queries), str(events)],
        ).fetchall()
    return {
        str(text): _Asked(max(1, visits + BOUGHT * bought), frozenset(map(str, wanted or ())))
        for text, visits, bought, wanted in rows
        if text
    }
