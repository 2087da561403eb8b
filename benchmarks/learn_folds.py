"""Judged catalogues in; what tuning on them gains on queries that took no part, what it costs and forgets, out.

    OMP_NUM_THREADS=1 python benchmarks/learn_folds.py --keep FOLDER [--arms zero,labels] [--folds 0,1] [--write]

Five-fold cross-validation by query over `esci150` (minilm) and `taobao250` (e5): `learn_fold.py`, a process for each
fold and arm, whose answers stay in FOLDER and are not worked out again. Differences are paired by query, against the
encoder as it comes. Settings are the product's own defaults but for `LEARN`; nothing was chosen by these folds.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mercer.measure.compare import compare, interval

sys.path.insert(0, str(Path(__file__).parent))
from results import put

HERE = Path(__file__).parent
SETS = ("esci150", "taobao250")
FOLDS, SEED = 5, 7
LEARN: Mapping[str, Any] = {"train": "frozen", "epochs": 1.0}
WAYS = ("full", "frozen", "lora", "adalora", "prefix", "adapter")
ARMS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "zero": ("zero", {}),
    "catalogue": ("catalogue", LEARN),
    "labels": ("labels", LEARN),
    "reranker": ("reranker", LEARN),
    "plain": ("plain", {"train": "full", "epochs": 1.0}),
    **{way: ("labels", {"train": way, "epochs": 1.0}) for way in WAYS if way != LEARN["train"]},
}
LIVE = {"reranker": "reranked"}
"""What of an answer the arm is about, where it is not the hybrid search."""
UNLABELLED = ("zero", "catalogue")
"""They learn from no judgment: once for all folds."""
SAID = {
    "zero": "as it comes",
    "catalogue": "`mercer learn --no-labels`",
    "labels": "`mercer learn`",
    "reranker": "`mercer learn --reranker`, top 50",
    "plain": "sentence-transformers, same pairs",
}


def answer(keep: Path, name: str, arm: str, fold: int, more: Mapping[str, Any]) -> dict[str, Any]:
    """What one process said, now or in an earlier run."""
    kind, learn = ARMS[arm]
    part = "all" if kind in UNLABELLED else str(fold)
    path = keep / f"{name}-{arm}-{part}.json"
    if not path.exists():
        command = [sys.executable, str(HERE / "learn_fold.py"), name, kind, part]
        command += ["--shop", str(keep / name), "--learn", json.dumps({**learn, **more})]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        path.write_text(json.dumps({**json.loads(done.stdout.splitlines()[-1]), "commit": commit()}), "utf-8")
        print(f"{name} {arm} fold {part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if found["commit"] != commit():  # search itself may have changed since: such a comparison was once +16 %
        raise SystemExit(f"{path} was answered by commit {found['commit']}: remove it, or check that commit out")
    return found


@functools.cache
def commit() -> str:
    """The code that answers."""
    command = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def table(keep: Path, name: str, arms: Sequence[str], folds: Sequence[int], more: Mapping[str, Any]) -> list[str]:
    """One row an arm, over the queries of all folds asked for."""
    lines = [
        f"### {name}, folds {', '.join(map(str, folds))} of {FOLDS}\n",
        "| | queries | nDCG@10 dense | hybrid | to zero-shot | paired difference, 95 % | trained | steps | s | MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    every = {arm: [answer(keep, name, arm, fold, more) for fold in folds] for arm in arms}
    base = pooled(every["zero"], "hybrid", folds)
    for arm, found in every.items():
        hybrid, dense = pooled(found, LIVE.get(arm, "hybrid"), folds), pooled(found, "dense", folds)
        told = compare(hybrid, base, seed=SEED)
        mean = interval(list(hybrid.values()), seed=SEED)
        gain = "" if arm == "zero" else f"{told.difference:+.4f} [{told.low:+.4f}, {told.high:+.4f}]"
        times = f"{told.relative or 0:+.1%}" if arm != "zero" else "1"
        costs = [
            average(found, "trained"),
            average(found, "steps"),
            average(found, "seconds"),
            average(found, "memory"),
        ]
        lines.append(
            f"| {SAID.get(arm, arm)} | {len(hybrid)} | {average_of(dense)} | {mean.value:.4f} "
            f"[{mean.low:.3f}, {mean.high:.3f}] | {times} | {gain} | {' | '.join(costs)} |"
        )
    return [*lines, ""]


def pooled(found: Sequence[Mapping[str, Any]], system: str, folds: Sequence[int]) -> dict[str, float]:
    """Query → nDCG@10, of the queries of these folds."""
    values = {query: value for one in found for query, value in one["nDCG@10"][system].items()}
    dealt = {query: fold for one in found for query, fold in one["folds"].items()}
    return {query: value for query, value in values.items() if dealt[query] in folds}


def average_of(values: Mapping[str, float]) -> str:
    return f"{sum(values.values()) / len(values):.4f}" if values else ""


def average(found: Sequence[Mapping[str, Any]], key: str) -> str:
    known = [one[key] for one in found if key in one]
    return f"{sum(known) / len(known):,.0f}" if known else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, default=Path(".tmp/learn"), help="Shops and answers.")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--arms", default="zero,catalogue,labels,reranker,plain")
    parser.add_argument("--folds", default=",".join(map(str, range(FOLDS))))
    parser.add_argument("--learn", default="{}", help="More of [learn] for every arm, as JSON.")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    folds = [int(fold) for fold in given.folds.split(",")]
    lines: list[str] = []
    for name in given.sets.split(","):
        lines += table(given.keep, name, given.arms.split(","), folds, json.loads(given.learn))
        print("\n".join(lines), flush=True)
    if given.write:
        said = f"`benchmarks/learn_folds.py`, {datetime.now(UTC):%Y-%m-%d}, one thread.\n"
        put("learn", "Learning on own data", [said, *lines])


if __name__ == "__main__":
    main()
