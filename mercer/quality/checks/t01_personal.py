"""Batches of reviews and questions in; personal data in them, and the text with pseudonyms in its place, out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Problem, check
from mercer.quality.finding import found_batch
from mercer.quality.personal import KINDS, mask
from mercer.quality.personal.recognise import TRIGGER

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PROBLEMS", "Personal", "personal", "search"]

PROBLEMS = {
    "identity_number": Problem("an identity or bank card number stands in the text", "含有证件号或银行卡号", "fix"),
    "contact": Problem("a phone number, e-mail or messenger id stands in the "
          "text", "含有电话、邮箱或微信、QQ号", "fix"),
    "plate": Problem("a number plate stands in the text", "文字中含有车牌号", "fix"),
    "transaction": Problem("an order or tracking number stands in the text", "文字中含有订单号或运单号", "fix"),
    "address": Problem("somebody's address stands in the text", "文字中含有详细地址", "fix"),
    "name": Problem("somebody's name stands in the text", "文字中含有人名", "fix"),
}  # fmt: skip


@dataclass(frozen=True)
class Personal(CheckSettings):
    """What counts as personal, and how pseudonyms are made."""

    salt: str = ""
    """A secret: with it, a person has the same pseudonym in all texts. "" is the shop's own,
    `store/quality/salt`; outside a shop, pseudonyms then count from 1 inside each text."""
    score: float = 0.8
    """Recognisers' own certainty (0 to 1) below which nothing is done."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 <= self.score <= 1:
            raise SettingsError(f"score is {self.score}", cure="give a number between 0 and 1")


@check(
    "T01",
    families=("reviews", "faq", "dialogues"),
    tier="batch",
    severity="critical",
    repairs=True,
    problems=PROBLEMS,
    settings=Personal,
    english="texts of shoppers name nobody",
    chinese="评论与问答中不含个人信息",
)
def personal(batch: pa.RecordBatch, settings: Personal) -> pa.RecordBatch:
    """Everything in `mercer.quality.personal.KINDS` is masked; findings do not repeat what they found."""
    return found_batch(search(batch, ("text", "question", "answer"), settings, problems=PROBLEMS))


def search(
    batch: pa.RecordBatch,
    fields: Collection[str],
    settings: Personal,
    *,
    problems: Collection[str],
    roles: Collection[str] = (),
) -> list[tuple[int, str, str, float, dict[str, Any], str]]:
    """Rows for `found_batch`: one for each problem of a text, each with the whole text masked.

    Args:
        batch: rows of one family.
        fields: its text columns, where they are there.
        settings: thresholds, and problems whose action the owner changed: what is not to be fixed is not masked.
        problems: those looked for.
        roles: e-mail names (before the @) that belong to a firm and to nobody.
    """
    import pyarrow.compute as pc

    kinds = {name: kind.group for name, kind in KINDS.items() if kind.group in problems}
    masked = {name for name, group in kinds.items() if settings.actions.get(group, "fix") == "fix"}
    rows: list[tuple[int, str, str, float, dict[str, Any], str]] = []
    for field in fields:
        if field in batch.schema.names:
            index = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(batch[field], TRIGGER), False))
            texts = batch[field].take(index).to_pylist()
            for row_id, text in zip(batch["row_id"].take(index).to_pylist(), texts, strict=True):
                rows += [(row_id, field, *line) for line in _lines(text, settings, kinds, masked, roles)]
    return rows


def _lines(
    text: str, settings: Personal, kinds: dict[str, Any], masked: Collection[str], roles: Collection[str]
) -> list[tuple[str, float, dict[str, Any], str]]:
    spans = [span for span in mask(text, salt="", kinds=kinds)[1] if span.score >= settings.score]
    spans = [span for span in spans if span.kind != "email" or span.value.split("@")[0] not in roles]
    if not spans:
        return []
    after = mask(text, salt=settings.salt, spans=[span for span in spans if span.kind in masked])[0]
    groups: dict[str, list[Any]] = {}
    for span in spans:
        groups.setdefault(kinds[span.kind], []).append(span)
    hidden = mask(text, salt="", spans=spans)[0][:200]
    return [
        (
            problem,
            max(span.score for span in found),
            {"kinds": sorted({span.kind for span in found}), "count": len(found), "masked": hidden},
            after if problem in {kinds[name] for name in masked} else "",
        )
        for problem, found in groups.items()
    ]
