"""An index version and the log's changes of products in; the index with those that it lacks out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mercer.encode import Encoder
from mercer.errors import ShopLocked
from mercer.events.log import Change
from mercer.retrieve.index import Index
from mercer.retrieve.text import passage

__all__ = ["apply_changes", "caught_up", "missed_changes"]


def missed_changes(index: Index, changes: Iterable[Change]) -> list[Change]:
    """Changes of products that this version has not: made while it was built, or while another one was live."""
    return [change for change in changes if index.products([change.id]) != ([change.product] if change.product else [])]


def caught_up(
    index: Index, missed: Sequence[Change], encoder: Encoder, opened: Callable[..., Index], writable: bool
) -> Index:
    """The index with those changes; as it is where others read it, since nobody can write then."""
    if not writable:
        index.close()
        try:
            index = opened(read_only=False)
        except ShopLocked:
            return opened(read_only=True)
    apply_changes(index, missed, encoder)
    if not writable:
        index.close()
        index = opened(read_only=True)
    return index


def apply_changes(index: Index, missed: Sequence[Change], encoder: Encoder) -> None:
    """Put and delete in an open index what the log says became of products."""
    products = [change.product for change in missed if change.product]
    index.delete([change.id for change in missed if not change.product])
    if products:
        index.upsert(products, encoder([passage(product) for product in products], side="passage"))
