"""What a run found in; one self-contained page in English and Chinese out."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from mercer.quality.check import find
from mercer.quality.finding import FILE
from mercer.quality.plot import area, stack
from mercer.quality.trend import scores, trend

if TYPE_CHECKING:
    import pyarrow as pa
    from jinja2 import Template

    from mercer.quality.run import Checked

__all__ = ["problems", "render"]

SAMPLES = 6
"""Rows shown of one problem."""
ORDER = {
    action: rank for rank, action in enumerate(("block", "quarantine", "drop", "down", "warn", "fix", "suppressed"))
}
ACTION_NAMES = {
    "fix": ("repaired", "已修复"),
    "quarantine": ("quarantined", "已隔离"),
    "drop": ("dropped", "已去重"),
    "down": ("weighted down", "已降权"),
    "block": ("blocks", "阻断"),
    "warn": ("warning", "提醒"),
    "suppressed": ("let pass", "已豁免"),
}
FAMILY_NAMES = {
    "products": ("Products", "商品"),
    "events": ("Events", "行为事件"),
    "queries": ("Queries", "查询"),
    "judgments": ("Judgments", "相关性评判"),
    "reviews": ("Reviews", "评论"),
    "faq": ("Questions", "常见问题"),
    "policies": ("Policies", "政策条款"),
    "dialogues": ("Dialogues", "客服对话"),
}


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One problem of one check in one family, as the page shows it."""

    check: str
    family: str
    problem: str
    action: str
    english: str
    chinese: str
    severity: str
    rows: int
    """Distinct rows; 0 where it is about the whole file."""
    share: float
    samples: Sequence[Mapping[str, Any]]
    """row, field, evidence (name → text), suggestion."""


def problems(findings: pa.Table, rows: Mapping[str, Mapping[str, int]]) -> list[ProblemLine]:
    """Findings grouped by check, family, problem and action: what takes rows out first, then the most frequent.

    Args:
        findings: of `finding.schema`.
        rows: family → {"raw": rows that came in}, as ``manifest.json`` has them.
    """
    names = ("check_id", "family", "problem", "action", "row_id")
    groups: dict[tuple[str, ...], list[int]] = {}
    distinct: dict[tuple[str, ...], set[int]] = {}
    columns = (findings[name].to_pylist() for name in names)
    for index, (id, family, problem, action, row_id) in enumerate(zip(*columns, strict=True)):
        key = (id, family, problem, action)
        groups.setdefault(key, []).append(index)
        distinct.setdefault(key, set()).add(row_id)
    lines = [
        _line(findings, key, count=len(distinct[key] - {FILE}), total=rows[key[1]]["raw"], indices=indices)
        for key, indices in groups.items()
    ]
    return sorted(lines, key=lambda line: (ORDER[line.action], -line.rows, line.check, line.family, line.problem))


def _line(findings: pa.Table, key: tuple[str, ...], *, count: int, total: int, indices: list[int]) -> ProblemLine:
    id, family, problem, action = key
    declared = find(id)
    words = declared.problems[problem]
    step = max(1, len(indices) // SAMPLES)
    samples = [_sample(row) for row in findings.take(indices[::step][:SAMPLES]).to_pylist()]
    share = count / total if total else 0.0
    return ProblemLine(
        id, family, problem, action, words.english, words.chinese, declared.severity, count, share, samples
    )


def _sample(finding: Mapping[str, Any]) -> dict[str, Any]:
    evidence = {name: value for name, value in json.loads(finding["evidence"]).items() if value is not None}
    suggestion = finding["suggestion"] or ""
    if isinstance(evidence.get("was"), str):
        evidence["was"], suggestion = around(evidence["was"], suggestion)
    shown = {name: _short(value) for name, value in evidence.items()}
    return {"row": finding["row_id"], "field": finding["field"], "evidence": shown, "suggestion": _short(suggestion)}


def around(before: str, after: str, *, margin: int = 60) -> tuple[str, str]:
    """Both texts from a little before the first place where they differ.

    >>> around("x" * 90 + "&amp; more", "x" * 90 + "& more", margin=3)
    ('…xx&amp; more', '…xx& more')
    """
    same = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - margin)
    return tuple(("…" if start else "") + text[start:] for text in (before, after))  # type: ignore[return-value]  # two


def _short(value: Any, length: int = 160) -> str:
    text = f"{value:,.4g}" if isinstance(value, float) else str(value)
    visible = (
        "\N{OPEN BOX}" if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") else letter
        for letter in text.replace("\n", " ⏎ ")
    )
    text = "".join(visible)
    return text if len(text) <= length else text[: length - 1] + "…"


def render(checked: Checked, *, shop: str = "", history: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page, as text: no request leaves it, its plots are SVG, its colours follow the reader's system.

    Args:
        checked: the run.
        shop: its name.
        history: the runs so far, this one last.
    """
    lines = problems(checked.findings, checked.manifest["rows"])
    return _template().render(
        shop=shop,
        checked=checked,
        gate=checked.gate,
        manifest=checked.manifest,
        families=[_family(checked, family) for family in checked.trusted],
        lines=lines,
        checks=_checks(checked),
        actions=ACTION_NAMES,
        family_names=FAMILY_NAMES,
        timeline=_timeline(checked),
        last_good=sorted({version for version in checked.served["version"].to_pylist() if version}),
        trend=trend(history),
        scores=scores(),
        runs=[_run(run) for run in history[-RUNS:]],
    )


RUNS = 12
"""Latest runs that the page lists."""


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    """One earlier run: when it was, UTC, what the gate said, and how much of each family was taken out."""
    counted = ((name, rows["quarantine"], rows["raw"]) for name, rows in run["rows"].items())
    return {
        "when": datetime.fromtimestamp(run["time"] / 1000, UTC).strftime("%Y-%m-%d %H:%M"),
        "gate": run["gate"],
        "out": [(name, out, out / raw if raw else 0.0) for name, out, raw in counted],
    }


def _checks(checked: Checked) -> list[dict[str, Any]]:
    """Every requirement with its words in both languages."""
    listed = []
    for item in checked.gate.requirements:
        english, chinese = item.requirement, f"{FAMILY_NAMES[item.family][1]}最多可移出 {item.threshold:.1%}"
        if item.check:
            declared = find(item.check)
            english, chinese = declared.english, declared.chinese
        listed.append({"item": item, "english": english, "chinese": chinese})
    rank = {"block": 0, "warn": 1, "pass": 2}
    return sorted(listed, key=lambda line: (rank[line["item"].status], line["item"].check, line["item"].family))


def _family(checked: Checked, family: str) -> dict[str, Any]:
    """Counts, bar and completeness of one family."""
    import pyarrow.compute as pc

    rows = checked.manifest["rows"][family]
    findings = checked.findings.filter(pc.equal(checked.findings["family"], family))
    fixed = set(findings.filter(pc.equal(findings["action"], "fix"))["row_id"].to_pylist()) - {FILE}
    gone = set(checked.quarantine[family]["row_id"].to_pylist())
    repaired = len(fixed - gone)
    parts = [("trusted", rows["trusted"] - repaired), ("fix", repaired), ("quarantine", rows["quarantine"])]
    states = checked.manifest["states"][family]
    filled = [
        (name, 1 - state["nulls"] / state["count"])
        for name, state in states.items()
        if state["count"] and name != "derived"
    ]
    source = checked.manifest["sources"][family]
    limit = next(item.threshold for item in checked.gate.requirements if item.family == family and not item.check)
    return {
        "name": family,
        "rows": rows,
        "repaired": repaired,
        "out": rows["quarantine"] / rows["raw"] if rows["raw"] else 0.0,
        "limit": limit,
        "bar": stack(parts),
        "filled": filled,
        "source": source,
    }


def _timeline(checked: Checked) -> str:
    """Events over time, trusted and taken out, as SVG; "" where there are too few."""
    import numpy as np
    import pyarrow.compute as pc

    if "events" not in checked.trusted:
        return ""
    series = [pc.drop_null(table["events"]["time"]).to_numpy() for table in (checked.trusted, checked.quarantine)]
    low, high = (int(value) for value in np.quantile(series[0], (0.0, 1.0))) if len(series[0]) > 1 else (0, 0)
    if high <= low:
        return ""
    edges = np.linspace(low, high, 81)
    counts = [np.histogram(times, edges)[0].tolist() for times in series]
    return area(counts, start=low, end=high)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mercer.quality", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template("report.html")


def percent(share: float) -> str:
    """A share as people read it; small ones keep a digit that is not zero.

    >>> [percent(share).replace("\N{NO-BREAK SPACE}", " ") for share in (0.0, 0.00012, 0.02, 1.0)]
    ['0 %', '0.012 %', '2.0 %', '100 %']
    """
    number = 100 * share
    if number in (0.0, 100.0):
        return f"{number:.0f}\N{NO-BREAK SPACE}%"
    return f"{number:.2g}\N{NO-BREAK SPACE}%" if number < 1 else f"{number:.1f}\N{NO-BREAK SPACE}%"
