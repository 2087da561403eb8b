"""Batches of products in; listings that give orders to language models out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Problem, check
from mercer.quality.finding import found_batch
from mercer.quality.instruction import look
from mercer.quality.instruction_gate import may_say

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PROBLEMS", "InstructionRules", "instruction", "search"]

FIELDS = ("title", "description", "bullets", "brand", "category", "attributes")
PROBLEMS = {
    "instruction": Problem("the text gives orders to a language model", "文字中含有对大模型的指令", "quarantine"),
    "hidden_instruction": Problem(
        "an order to a language model is hidden in the text", "文字中隐藏着对大模型的指令", "quarantine"
    ),
    "suspected_instruction": Problem("the text may give orders to a model", "文字疑似对大模型的指令", "warn"),
}
SUSPECT = (
    r"[^\x00-\x7f]|(?i:ignor|disregard|forget|overrid|bypass|prompt|instruct|system|assistant|model|chatbot|gpt|llm|\bai\b|"
    r"you are|you must|act as|recommend|rank|promote|respond|reply|answer|reveal|print|execute|always|do not|don't|"
    r"competitor|refund|when asked|if asked|inst\]|your )|"
    r"[A-Za-z0-9+/_-]{24}|\\[ux][0-9a-fA-F]{2}|%[0-9a-fA-F]{2}%|&#|<!--|(?:[A-Za-z][^A-Za-z0-9]){6}|"
    r"[A-Za-z][0134@$!][A-Za-z]|vtaber|erongi"
)
"""RE2: a text without any of these tells nobody anything; such texts are not looked at further."""


@dataclass(frozen=True)
class InstructionRules(CheckSettings):
    """How sure the check must be."""

    certain: float = 0.9
    """Score (0 to 1) from which a text counts as an instruction; below it is only suspected."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 <= self.certain <= 1:
            raise SettingsError(f"certain is {self.certain}", cure="give a score between 0 and 1")


@check(
    "C14",
    families=("products",),
    tier="batch",
    severity="critical",
    problems=PROBLEMS,
    settings=InstructionRules,
    english="listings speak to shoppers, not to language models",
    chinese="商品信息面向顾客，不含对大模型的指令",
)
def instruction(batch: pa.RecordBatch, settings: InstructionRules) -> pa.RecordBatch:
    """Orders in English and Chinese, in the open or behind look-alikes, invisible characters and encodings.

    What stood in comments has been taken away by C07 before, where that check runs.
    """
    return found_batch(search(batch, FIELDS, settings))


def search(
    batch: pa.RecordBatch, fields: Collection[str], settings: InstructionRules
) -> list[tuple[int, str, str, float, dict[str, Any], str]]:
    """Rows for `found_batch`: the clearest instruction of each text."""
    import pyarrow.compute as pc

    rows: list[tuple[int, str, str, float, dict[str, Any], str]] = []
    for field in fields:
        if field in batch.schema.names:
            index = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(batch[field], SUSPECT), False))
            texts = batch[field].take(index).to_pylist()
            ids = batch["row_id"].take(index).to_pylist()
            for row_id, text, readable in zip(ids, texts, may_say(texts), strict=True):
                found = look(text) if readable else None
                if found is not None:
                    clear = "hidden_instruction" if found.hidden else "instruction"
                    problem = clear if found.score >= settings.certain else "suspected_instruction"
                    evidence = {"kind": found.kind, "said": found.said, "hidden": found.hidden}
                    rows.append((row_id, field, problem, found.score, evidence, ""))
    return rows
