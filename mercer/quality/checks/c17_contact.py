"""Batches of products in; personal data of sellers in their texts, and the text without it, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercer.quality.check import Problem, check
from mercer.quality.checks.t01_personal import PROBLEMS, Personal, search
from mercer.quality.finding import found_batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Contact", "contact"]

FIELDS = ("title", "description", "bullets", "brand", "attributes")
_ROLES_TEXT = """
admin care contact customercare customerservice customersupport enquiries feedback hello help info
mail office orders sales service services shop store support team warranty kefu
"""
ROLES = frozenset(_ROLES_TEXT.split())
"""Names before the @ behind which a firm answers, not a person."""


@dataclass(frozen=True)
class Contact(Personal):
    """As for reviews; what a listing rightly says (makers' addresses, trade names) is not looked for."""

    firm: tuple[str, ...] = tuple(sorted(ROLES))
    """E-mail names that belong to a firm."""


@check(
    "C17",
    families=("products",),
    tier="batch",
    severity="high",
    repairs=True,
    problems={
        "identity_number": PROBLEMS["identity_number"],
        "contact": Problem("a seller's number or messenger id stands in the listing", "商品含卖家联系方式", "fix"),
    },
    settings=Contact,
    english="listings name no person and no way round the shop",
    chinese="商品信息中不含个人信息与站外联系方式",
)  # fmt: skip
def contact(batch: pa.RecordBatch, settings: Contact) -> pa.RecordBatch:
    """Numbers of people and cards, phones, e-mail, WeChat and QQ are masked, as in T01."""
    return found_batch(search(batch, FIELDS, settings, problems=("identity_number", "contact"), roles=settings.firm))
