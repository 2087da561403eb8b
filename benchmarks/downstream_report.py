"""What downstream.py measured in; tables for RESULTS.md, downstream.json and the figure of the gate out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recovery import AFTER, FIRST, SYSTEMS, Cell, Recovery

__all__ = ["MEASURED", "keep", "plot", "report", "summary"]

MEASURED = {
    "search": "nDCG@10 of each query, the search door's ranking",
    "recommendation": "NDCG@10 of each shopper by item-knn, split by time, over the whole catalogue",
    "sentiment": "Macro-F1 of TF-IDF of characters and logistic regression on reviews that stand once",
}
SCENARIOS = (
    "`after a good batch`: yesterday's clean batch was accepted, today's feed is dirty; the last good row of a product "
    "whose row is taken out goes on serving. `first load`: there is no earlier batch; what cannot be shown is lost, "
    "and a blocked batch would leave the shop empty, so `gate on` is what an override lets through. In both, copies "
    "that C03 only warns of are left out of the index, as `mercer index` does."
)


def recovery_table(found: list[tuple[Cell, Recovery]]) -> list[str]:
    lines = [
        "| task | base | scenario | dirt | rate | untouched | dirty | checked | gate on | taken | blocked | recovery | "
        "95 % | p |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cell, of in found:
        ratio = f"{of.value:.0%}" if of.loss_is_real else "no loss"
        ends = f"{of.low:.0%} to {of.high:.0%}" if of.loss_is_real else ""
        worse = of.checked < of.dirty if not of.loss_is_real else of.value <= 0
        lines.append(
            f"| {cell.task} | {cell.base} | {cell.scenario} | {cell.dirt} | {cell.rate:.0%} | {of.oracle:.4f} | "
            f"{of.dirty:.4f} | {of.checked:.4f} | {of.gate:.4f} | {np.mean(cell.taken):.1%} | "
            f"{sum(cell.blocked)}/{cell.seeds} | {'**' if worse else ''}{ratio}{'**' if worse else ''} | {ends} | "
            f"{f'{of.p:.3f}' if of.p >= 0.0005 else '< .001'} |"
        )
    return lines


def attacks(found: list[tuple[Cell, Recovery]]) -> list[str]:
    """Of each attack, what its products gained and how much of that the checks took back."""
    lines = [
        "| attack | base | rate | of what | before | attacked | checked | gain removed, by seed | all | target 80 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cell, _ in found:
        for name, runs in cell.lift.items():
            before, under, after = np.mean(runs, axis=0)
            each = ", ".join(f"{(u - a) / (u - b):.0%}" if u > b else "no gain" for b, u, a in runs)
            gained = under > before
            share = (under - after) / (under - before) if gained else float("nan")
            met = ("pass" if share >= 0.8 else "**miss**") if gained else "no gain"
            all_ = f"{share:.0%}" if gained else ""
            lines.append(
                f"| {cell.dirt} | {cell.base} | {cell.rate:.0%} | {name} | {before:.4f} | {under:.4f} | {after:.4f} | "
                f"{each} | {all_} | {met} |"
            )
    return lines if len(lines) > 2 else []


def harm_table(harms: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| task | base | untouched | checked | harm | 95 % of the difference | taken | target -0.5 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in harms:
        lines.append(
            f"| {row['task']} | {row['base']} | {row['untouched']:.4f} | {row['checked']:.4f} | {row['harm']:+.2%} | "
            f"{row['low']:+.4f} to {row['high']:+.4f} | {row['taken']:.2%} | {'pass' if row['met'] else '**miss**'} |"
        )
    return lines


def lost(found: list[tuple[Cell, Recovery]]) -> list[str]:
    """Cells where the checks won nothing back, or made it worse: they are never left out."""
    said = []
    for cell, of in found:
        if (of.loss_is_real and of.value <= 0) or (not of.loss_is_real and of.checked < of.dirty):
            kind = "a real loss, nothing won back" if of.loss_is_real else "no real loss, and the checks cost something"
            said.append(
                f"- {cell.task}, {cell.base}, {cell.scenario}, {cell.dirt} {cell.rate:.0%}: "
                f"{of.dirty:.4f} → {of.checked:.4f}, {kind}"
            )
    return said or ["- none"]


def said_of(found: list[tuple[Cell, Recovery]]) -> str:
    """Which cells have fewer seeds."""
    most = max((cell.seeds for cell, _ in found), default=0)
    few = [f"{cell.base} {cell.dirt} {cell.rate:.0%}: {cell.seeds}" for cell, _ in found if cell.seeds < most]
    return f" (fewer seeds: {', '.join(dict.fromkeys(few))})" if few else ""


def report(
    found: list[tuple[Cell, Recovery]], harms: list[dict[str, Any]], given: argparse.Namespace, today: str
) -> str:
    """The section of RESULTS.md of one task."""
    name = harms[0]["task"]
    mixes = [(cell, of) for cell, of in found if cell.dirt == "mixed" and of.loss_is_real]
    told = []
    for scenario in dict.fromkeys(cell.scenario for cell, _ in found):
        met = [of.value >= 0.6 for cell, of in mixes if cell.scenario == scenario]
        told.append(f"{scenario or 'all'}: {sum(met)} of {len(met)} cells with a real loss")
    parts = [
        f"## downstream, {name}: what the checks win back",
        f"{today}, seeds {', '.join(map(str, given.seeds))}{said_of(found)}, "
        f"`python benchmarks/downstream.py {' '.join(sys.argv[1:])}`. {MEASURED[name]}; difficulty medium. Intervals "
        "resample units, paired; p is of checked against dirty. Bold: nothing won back. `taken` is the share of rows "
        "that were quarantined; `gate on` is what a shop serves: the data before, where the batch was blocked.",
        *([SCENARIOS] if name == "search" else []),
        f"Mixed dirt, recovery ≥ 60 %: {'; '.join(told)}. "
        f"Harm ≥ −.5 %: {sum(row['met'] for row in harms)} of {len(harms)} sets.",
        "\n".join(recovery_table(found)),
        "### Harm on untouched data",
        "\n".join(harm_table(harms)),
    ]
    if attacks(found):
        said = (
            "`popularity`: mean place of the attacked products by popularity (1 is the top). `exposure`: their share "
            "of everyone's best 20 by item-knn and popularity."
        )
        parts += ["### Attacks", said, "\n".join(attacks(found))]
    parts += ["### Cells with recovery ≤ 0", "\n".join(lost(found))]
    return "\n\n".join(parts)


def plot(told: Mapping[str, Any], path: Path) -> bool:
    """nDCG@10 against injected corruption, gate on and off, of the search base with most rates; False without any."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    all_mixed = [cell for cell in told["cells"] if (cell["task"], cell["dirt"]) == ("search", "mixed")]
    mixes, loads = ([cell for cell in all_mixed if cell.get("scenario") == name] for name in (AFTER, FIRST))
    labels = [cell["base"] for cell in mixes]
    if not labels:
        return False
    label = max(labels, key=lambda name: (labels.count(name), name.startswith("esci150")))
    cells = sorted((cell for cell in mixes if cell["base"] == label), key=lambda cell: cell["rate"])
    start = next(row for row in told["harm"] if row["base"] == label)
    rates = [0.0, *(cell["rate"] for cell in cells)]
    first = sorted((cell for cell in loads if cell["base"] == label), key=lambda cell: cell["rate"])
    lines = {
        "no checks, no gate": ("#b2432f", "-", "dirty", start["untouched"], cells),
        "checks on a first load, gate overridden": ("#8a8a8a", ":", "checked", start["checked"], first),
        "checks after a good batch, gate overridden": ("#8a8a8a", "--", "checked", start["checked"], cells),
        "checks after a good batch, gate on": ("#2a6f97", "-", "gate", start["checked"], cells),
    }
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer", "font.family": "sans-serif"}):
        figure = Figure(figsize=(6.8, 3.9), layout="constrained")
        axes = figure.subplots()
        for name, (colour, style, key, clean, of) in lines.items():
            values = [clean, *(cell[key] for cell in of)]
            axes.plot(
                [0.0, *(cell["rate"] for cell in of)],
                values,
                style,
                color=colour,
                marker="o",
                markersize=4,
                label=name,
                linewidth=1.8,
            )
            if style == "-":
                ends = [(min(cell["by_seed"][key]), max(cell["by_seed"][key])) for cell in cells]
                axes.fill_between(rates[1:], *zip(*ends, strict=True), color=colour, alpha=0.12, linewidth=0)
        blocked = [(cell["rate"], cell["gate"]) for cell in cells if cell["blocked"] * 2 > len(cell["by_seed"]["gate"])]
        if blocked:
            ring = {"color": "#2a6f97", "markersize": 9, "fillstyle": "none"}
            axes.plot(*zip(*blocked, strict=True), "s", label="batch blocked, the last good one serves", **ring)
        axes.set_xlabel("share of products hurt, all kinds of dirt at once")
        axes.set_ylabel("nDCG@10")
        axes.set_title(f"Search on {label}, band: lowest and highest seed", fontsize=10, loc="left")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
    return True


def summary(
    found: list[tuple[Cell, Recovery]], harms: list[dict[str, Any]], given: argparse.Namespace, today: str
) -> dict[str, Any]:
    """What downstream.json keeps of one task."""
    cells = [
        {
            "task": cell.task,
            "base": cell.base,
            "scenario": cell.scenario,
            "dirt": cell.dirt,
            "rate": cell.rate,
            "date": today,
            "seeds": list(given.seeds[: cell.seeds]),
            **{name: round(getattr(of, name), 5) for name in ("oracle", "dirty", "checked", "gate", "p")},
            "recovery": round(of.value, 4) if of.loss_is_real else None,
            "interval": [round(of.low, 4), round(of.high, 4)] if of.loss_is_real else None,
            "blocked": sum(cell.blocked),
            "by_seed": {name: [round(float(run.mean()), 5) for run in cell.values[name]] for name in SYSTEMS},
            "gain": {name: np.round(runs, 5).tolist() for name, runs in cell.lift.items()},
        }
        for cell, of in found
    ]
    return {"cells": cells, "harm": harms}


def keep(told: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """downstream.json with what was measured now in place of what it had of the same bases."""
    before = json.loads(path.read_text("utf-8")) if path.exists() else {"cells": [], "harm": []}
    now = {(row["task"], row["base"]) for row in told["harm"]}
    whole = {
        name: [row for row in before[name] if (row["task"], row["base"]) not in now] + list(told[name])
        for name in ("cells", "harm")
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    return whole
