"""Findings and rows as they came in; the same without the personal data in their texts, for people to read, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mercer.quality.personal import KINDS, mask

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["concealed", "masker"]

PLAIN = 10
"""Digits below which a word of ASCII letters without blanks, @ and + names nobody: ids are not looked through."""
SPEAKING = ("reviews", "faq", "dialogues", "training")
"""Families in whose texts people write of themselves; in others a name or an address is mostly a brand's or a maker's
(see C17), so that only numbers of people, their contacts and their orders are masked."""
NUMBERS = frozenset(name for name, kind in KINDS.items() if kind.group in ("identity_number", "contact", "transaction"))
TEXTS = frozenset(
    ("title", "description", "bullets", "brand", "category", "attributes", "text", "question", "answer", "shopper")
)
"""Fields whose suggestion is a text; in others it is an id, a number or a time."""


def masker(family: str, *, salt: str) -> Callable[[Any], Any]:
    """What masks every text in a value (text, list, mapping) about one family; numbers stay.

    >>> masker("reviews", salt="")({"was": ["call 13800138000", 7]})
    {'was': ['call [mobile-1]', 7]}
    """
    kinds = None if family in SPEAKING else NUMBERS

    @lru_cache(maxsize=65_536)
    def of_text(text: str) -> str:
        bare = text.isascii() and not any(sign in text for sign in " @+")
        if bare and sum(map(str.isdigit, text)) < PLAIN:
            return text
        return mask(text, salt=salt, kinds=kinds)[0]

    def of_value(value: Any) -> Any:
        if isinstance(value, str):
            return of_text(value)
        if isinstance(value, Mapping):
            return {name: of_value(one) for name, one in value.items()}
        return [of_value(one) for one in value] if isinstance(value, list) else value

    return of_value


def concealed(findings: pa.Table, *, salt: str) -> pa.Table:
    """Findings whose evidence and suggestions name nobody.

    Repairs are applied before: a suggestion of the table that comes back may be masked where the repaired text was not.

    Args:
        findings: `finding.schema`.
        salt: as for T01, so that one person has one pseudonym in trusted data and in what is said of it.
    """
    import pyarrow as pa

    from mercer.quality.finding import to_json

    maskers: dict[str, Callable[[Any], Any]] = {}
    said: list[str] = []
    suggested: list[str | None] = []
    names = ("family", "field", "evidence", "suggestion")
    for family, field, evidence, suggestion in zip(*(findings[name].to_pylist() for name in names), strict=True):
        hide = maskers.setdefault(family, masker(family, salt=salt))
        before = json.loads(evidence)
        after = hide(before)
        said.append(evidence if after == before else to_json(after))
        suggested.append(hide(suggestion) if suggestion and field in TEXTS else suggestion)
    for name, values in (("evidence", said), ("suggestion", suggested)):
        findings = findings.set_column(findings.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return findings
