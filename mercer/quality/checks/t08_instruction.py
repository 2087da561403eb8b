"""Batches of reviews and questions in; texts that give orders to language models out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercer.quality.check import check
from mercer.quality.checks.c14_instruction import PROBLEMS, InstructionRules, search
from mercer.quality.finding import found_batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["injection"]


@check(
    "T08",
    families=("reviews", "faq", "policies", "dialogues"),
    tier="batch",
    severity="critical",
    problems=PROBLEMS,
    settings=InstructionRules,
    english="reviews and answers speak to people, not to language models",
    chinese="评论与问答面向人，不含对大模型的指令",
)
def injection(batch: pa.RecordBatch, settings: InstructionRules) -> pa.RecordBatch:
    """As C14, for whatever an assistant may retrieve and read."""
    return found_batch(search(batch, ("text", "question", "answer"), settings))
