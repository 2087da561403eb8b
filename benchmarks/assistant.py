"""Judged questions, intents of two public sets, attacks and a clock in; what the assistant is worth out.

``python benchmarks/assistant.py judged intents scope attacks speed --data ../shared/data --work FOLDER [--half dev]``
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.assistant import Answer, Ask, Assistant, open_assistant
from mercer.assistant.evidence import unsupported
from mercer.cli.settings import read_settings
from mercer.doors import open_doors

HERE = Path(__file__).parent
RULE = ("faq", "policy", "dialogue")


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of ``assistant_judged.txt``."""

    shop: str
    language: str
    kind: str
    shopper: str
    turns: tuple[str, ...]
    says: tuple[str, ...]
    evidence: tuple[str, ...]
    half: str


def judged() -> list[Judged]:
    """Every question; lines in turn belong to dev and test."""
    lines = (HERE / "assistant_judged.txt").read_text("utf-8").splitlines()
    found = []
    for number, line in enumerate(line for line in lines if line and not line.startswith("#")):
        shop, language, kind, shopper, turns, says, evidence = line.split("|")
        parts = [tuple(filter(None, field.split(";"))) for field in (says, evidence)]
        asked = tuple(turn.strip() for turn in turns.split(" >> "))
        found.append(Judged(shop, language, kind, shopper, asked, *parts, "dev" if number % 2 == 0 else "test"))
    return found


def right(one: Judged, answer: Answer) -> bool:
    """Whether an answer says what it must, from the evidence marked."""
    if one.kind == "decline":
        return not answer.handover and not answer.sources and "other" in answer.intents
    if one.kind == "handover":
        return bool(answer.handover)
    plain = answer.text.replace(",", "").lower()
    said = all(any(way.replace(",", "").lower() in plain for way in word.split("~")) for word in one.says)
    if not said or answer.handover:
        return False
    if one.kind in ("offer", "refuse"):
        wanted = "offered" if one.kind == "offer" else "refused"
        return answer.action is not None and (answer.action.tool, answer.action.status) == (one.evidence[0], wanted)
    held = {source.id.removeprefix("order-") for source in answer.sources}
    ruled = any(source.kind in RULE for source in answer.sources)
    return all(id in held or (id == "rule" and ruled) for id in one.evidence)


def groundless(answer: Answer, question: str) -> list[str]:
    """Sentences with sources that say what these do not hold; numbers of a list ("1.") are the list's."""
    held = {source.id: f"{source.id}\n{source.title}\n{source.text}" for source in answer.sources}
    wrong = []
    for sentence in answer.sentences:
        mine = [held[id] for id in sentence.sources if id in held]
        if sentence.sources == ("shop",) or not mine:
            wrong += [] if sentence.sources == ("shop",) else [sentence.text]
            continue
        text = sentence.text.split(". ", 1)[-1] if sentence.text[:1].isdigit() else sentence.text
        why = unsupported(text, [*mine, question, *_gaps(answer)])
        if why.startswith(("number", "contact")):
            wrong.append(f"{sentence.text} ({why})")
    return wrong


def _gaps(answer: Answer) -> list[str]:
    """Differences of prices, which a comparison works out."""
    prices = [product.price for product in answer.products if product.price is not None]
    return [f"{abs(one - other):g}" for one in prices for other in prices]


@contextlib.contextmanager
def assistants(work: Path, data: Path) -> Iterator[dict[str, Assistant]]:
    """The assistant of each shop, open for reading."""
    from benchmarks.assistant_shops import shops

    with contextlib.ExitStack() as stack:
        found = {}
        for name, folder in shops(work, data).items():
            doors = stack.enter_context(contextlib.closing(open_doors(folder, read_settings(folder), writable=False)))
            found[name] = open_assistant(doors)
        yield found


def measure_judged(work: Path, data: Path, *, half: str, show: bool) -> dict[str, Any]:
    """Shares of right answers and hand-overs, and unsupported sentences, of one half or both."""
    counts: Counter[str] = Counter()
    with assistants(work, data) as open_ones:
        for one in judged():
            if half not in ("all", one.half):
                continue
            answer, id = None, ""
            for turn in one.turns:
                answer = open_ones[one.shop](Ask(turn, one.shopper, id))
                id = answer.conversation
            assert answer is not None
            good, wrong = right(one, answer), groundless(answer, " ".join(one.turns))
            handed = bool(answer.handover) == (one.kind == "handover")
            for name in ("all", one.language, one.kind):
                counts[f"{name} n"] += 1
                counts[f"{name} right"] += good
            counts["called rightly"] += handed
            counts["unsupported"] += len(wrong)
            if show and not (good and handed and not wrong):
                print(f"[{one.shop} {one.kind}] {' >> '.join(one.turns)} | {one.says} {one.evidence}\n    "
                      f"{answer.intents} {answer.handover!r} {answer.text[:300]} {wrong or ''}")  # fmt: skip
    kinds = [name.removesuffix(" n") for name in counts if name.endswith(" n")]
    share = {name: round(counts[f"{name} right"] / counts[f"{name} n"], 4) for name in sorted(kinds)}
    return {
        "half": half,
        "questions": counts["all n"],
        "correct": share,
        "handed over rightly": round(counts["called rightly"] / counts["all n"], 4),
        "unsupported statements": counts["unsupported"],
    }


def main() -> None:
    """Run the named parts and print JSON."""
    from benchmarks import assistant_attack, assistant_intent

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=["judged", "intents", "scope", "attacks", "speed"])
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--half", choices=["dev", "test", "all"], default="test")
    parser.add_argument("--show", action="store_true", help="Print what is wrong; never for the half that is reported.")
    given = parser.parse_args()
    parts = {
        "judged": lambda: measure_judged(given.work, given.data, half=given.half, show=given.show),
        "intents": lambda: assistant_intent.intents(given.data, given.work),
        "scope": lambda: assistant_intent.scope(given.data, given.work),
        "attacks": lambda: assistant_attack.attacks(given.work, given.data),
        "speed": lambda: assistant_attack.speed(given.work, given.data),
    }
    found: dict[str, Any] = {}
    for part in given.parts:
        started = time.process_time()
        found[part] = parts[part]()
        found[part]["processor seconds"] = round(time.process_time() - started, 1)
        print(json.dumps({part: found[part]}, ensure_ascii=False, indent=1), flush=True)


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(HERE.parent))
    main()
