"""Judged catalogues and ways of learning robustly in; what each adds to `mercer learn`, clean and mistyped, out.

    OMP_NUM_THREADS=1 nice python benchmarks/robust_ablation.py --keep FOLDER [--sets esci150] [--arms labels,soup]
        [--folds 0,1] [--learn JSON] [--write]

Every arm is `mercer learn` on one fold of a set (`learn_fold.py` has the folds) with one more setting of `[learn]`, a
process for each fold and arm, whose answers stay in FOLDER. The fold's queries take no part in training; they are asked
by vectors alone without spelling correction, as they are and with one mistake each (`spoil.py`, seeds that no training
uses). Differences are paired by query, against `labels`, with 95 % intervals; what does not help is off by default.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from learn_fold import GAINS, SHUFFLED, _checked, fold_of, gains_by_query, opened, shop_of, tuned, without, zero
from learn_folds import LEARN
from results import put
from spoil import TYPOS

from mercer.cli.settings import read_settings
from mercer.config import section
from mercer.errors import RequestError
from mercer.learn.gather import gather
from mercer.learn.pairs import joined
from mercer.learn.settings import LearnSettings
from mercer.measure.compare import compare
from mercer.measure.metric import parse
from mercer.records import Request

SEEDS = (11, 12, 13)
ARMS: Mapping[str, Mapping[str, Any] | None] = {
    "zero": None,
    "labels": {},
    "augmented": {"augment": {"share": 0.5}},
    "adversarial": {"adversarial": {"epsilon": 0.02}},
    "soup of checkpoints": {"soup": {"checkpoints": 4}},
    "soup of runs": {"soup": {"runs": 3}},
    "distilled ensemble": {"soup": {"runs": 3, "together": "distil"}},
    "no blend": {"blend": False},
    "consistent": {"consistent": {"steps": 500}},
}


def asked(doors: Any, truth: Mapping[str, Mapping[str, float]], typed: Mapping[str, str]) -> dict[str, float]:
    """nDCG@10 by vectors alone of each query, typed so."""
    runs: dict[str, list[str]] = {}
    for query, text in typed.items():
        runs[query] = []
        with contextlib.suppress(RequestError):  # what cannot be asked finds nothing
            page = doors.search(Request(query=text, k=10, correct=False), system="dense")
            runs[query] = [hit.id for hit in page.hits]
    return dict(parse("nDCG@10")(runs, dict(truth)))


def one(name: str, arm: str, fold: int, folder: Path, more: Mapping[str, Any]) -> dict[str, Any]:
    """One arm on one fold."""
    shop, settings = shop_of(name, folder), read_settings(folder)
    told = {**LEARN, **more, **(ARMS[arm] or {})}
    learning = section({"gains": GAINS[name], **told}, LearnSettings, name="learn")
    whole = gather(shop, _checked(shop), learning)
    truth = gains_by_query(joined(*whole.labelled.values()))
    tested = {query: truth[query] for query in fold_of(list(truth), str(fold))}
    gathered = without(whole, list(tested), labels=True, seed=learning.seed)
    began = time.process_time()
    index, _ = zero(shop) if ARMS[arm] is None else tuned(shop, settings, gathered, learning)
    seconds = time.process_time() - began
    with opened(shop, settings, index) as doors:
        clean = asked(doors, tested, {query: query for query in tested})
        mistyped: dict[str, list[float]] = {query: [] for query in tested}
        for way, spoil in TYPOS[name].items():
            for seed in SEEDS:
                typed = {query: spoil(query, random.Random(f"{seed} {way} {query}")) for query in tested}
                for query, value in asked(doors, tested, typed).items():
                    mistyped[query].append(value)
    means = {query: float(np.mean(values)) for query, values in mistyped.items()}
    return {"clean": clean, "mistyped": means, "seconds": seconds}


def answer(options: argparse.Namespace, name: str, arm: str, fold: int) -> dict[str, Any]:
    """What a process said, now or in an earlier run."""
    path = options.keep / f"robust-{name}-{arm.replace(' ', '-')}-{fold}.json"
    if not path.exists():
        command = [sys.executable, __file__, "--keep", str(options.keep), "--worker", f"{name}:{arm}:{fold}"]
        command += ["--learn", options.learn]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        path.write_text(done.stdout.splitlines()[-1], "utf-8")
        print(f"{name} {arm} fold {fold}", file=sys.stderr, flush=True)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def lines(name: str, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The table of one set; arm → answers of its folds."""
    rows = [
        f"### {name}\n",
        "| arm | nDCG@10 clean | against labels, 95 % | mistyped | against labels, 95 % | lost by a mistake | cost |",
        "|---|---|---|---|---|---|---|",
    ]
    both = {arm: {kind: _joined(runs, kind) for kind in ("clean", "mistyped")} for arm, runs in found.items()}
    seconds = {arm: sum(run["seconds"] for run in runs) for arm, runs in found.items()}
    for arm, values in both.items():
        means = {kind: float(np.mean(list(known.values()))) for kind, known in values.items()}
        apart = []
        for kind in ("clean", "mistyped"):
            told = compare(values[kind], both["labels"][kind], seed=7) if arm != "labels" else None
            apart.append(f"{told.difference:+.4f} ({told.low:+.4f} to {told.high:+.4f})" if told else "")
        cost = seconds[arm] / max(seconds["labels"], 1e-9)
        rows.append(f"| {arm} | {means['clean']:.4f} | {apart[0]} | {means['mistyped']:.4f} | {apart[1]} | "
                    f"{means['clean'] - means['mistyped']:.4f} | {cost:.2f} |")  # fmt: skip
    return [*rows, ""]


def _joined(runs: Sequence[Mapping[str, Any]], kind: str) -> dict[str, float]:
    return {query: value for run in runs for query, value in run[kind].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--sets", default="esci150,taobao250")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--folds", default="0,1,2,3,4")
    parser.add_argument("--learn", default="{}", help="More of [learn] for every arm, as JSON.")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        name, arm, fold = options.worker.split(":")
        print(json.dumps(one(name, arm, int(fold), options.keep / name, json.loads(options.learn))))
        return
    options.keep.mkdir(parents=True, exist_ok=True)
    said = [
        f"`benchmarks/robust_ablation.py`, {datetime.now(UTC):%Y-%m-%d}, folds of seed {SHUFFLED}, by vectors alone.\n"
    ]
    for name in options.sets.split(","):
        arms = dict.fromkeys(["labels", *options.arms.split(",")])
        folds = [int(fold) for fold in options.folds.split(",")]
        said += lines(name, {arm: [answer(options, name, arm, fold) for fold in folds] for arm in arms})
        print("\n".join(said[-len(arms) - 4 :]), flush=True)
    if options.write:
        put("robust", "Learning robustly, way by way", said)


if __name__ == "__main__":
    main()
