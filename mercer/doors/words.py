"""Products and checked queries in; what understanding learned of their words, as files of an index version, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.records import Product
from mercer.understand.recognise import Vocabulary
from mercer.understand.spelling import Spelling
from mercer.understand.suggest import Suggest

if TYPE_CHECKING:
    from mercer.doors.settings import Settings

__all__ = ["learn_words"]


def learn_words(products: Sequence[Product], source: Path, folder: Path, *, settings: Settings) -> None:
    """Write completions, spelling and vocabulary into `folder`; `source` is a checked version, with its queries."""
    queries = _queries(source)
    Suggest.build(products, queries, settings=settings.suggest).save(folder / "suggest.json")
    Spelling.build(products, queries, settings=settings.spelling).save(folder / "spelling.json")
    Vocabulary.build(products).save(folder / "vocabulary.json")


def _queries(source: Path) -> Mapping[str, int]:
    """Query texts of the checked queries, each counted once."""
    import pyarrow.parquet as pq

    path = source / "queries.parquet"
    return {str(text): 1 for text in pq.read_table(path)["text"].to_pylist() if text} if path.exists() else {}
