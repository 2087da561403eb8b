"""Do the checks find what is wrong? Dirt of known place is injected into clean and real data, and findings held to it.

Every file of benchmarks/dirt with a CHECK is run: rates .1, 1, 5 and 20 %, three difficulties, alone and all at once,
on the invented shop without dirt, esci150, litemall, online_retail and online_shopping_10_cats; beside each check the
baselines of benchmarks/baseline.py on the same dirt. Seeds 11 to 15 are for reporting; develop on others.

    python benchmarks/dirty_shop.py --quick                      # two seeds, small bases, 1 % medium: minutes
    python benchmarks/dirty_shop.py --write                      # everything; RESULTS.md and mercer/quality/scores.json
    python benchmarks/dirty_shop.py --quick --checks C07 E02 --bases sample esci150 --kinds
    python benchmarks/dirty_shop.py --cost 200000                # seconds and MB per million rows
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import base as bases  # noqa: E402
from benchmarks.dirt import Difficulty, injectors  # noqa: E402
from benchmarks.dirty_cell import Cells, Key, kept, mixed, single, write_down  # noqa: E402
from benchmarks.dirty_report import HEADLINE, RATES, report, scores  # noqa: E402
from benchmarks.results import replace  # noqa: E402
from benchmarks.score import pool  # noqa: E402
from mercer.quality.check import registry  # noqa: E402

DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "adversarial")
SEEDS = (11, 12, 13, 14, 15)


def plan(given: argparse.Namespace) -> list[Key]:
    """Which cells: the headline on every base, other rates and difficulties on the first two bases."""
    checks = given.checks or [id for id in injectors() if id in registry()]
    seeds = given.seeds or (SEEDS[:2] if given.quick else SEEDS)
    keys = []
    for check in checks:
        for place, name in enumerate(given.bases):
            pairs = [HEADLINE]
            if not given.quick and place < 2:
                pairs += [(rate, "medium") for rate in RATES if rate != 0.01]
                pairs += [(0.01, difficulty) for difficulty in DIFFICULTIES if difficulty != "medium"]
            keys += [Key(check, name, *pair, seed) for pair in given.pairs or pairs for seed in seeds]
    mixes = [Key("", name, *HEADLINE, seed, mixed=True) for name in given.bases for seed in seeds]
    return keys + ([] if given.no_mixed or given.checks else mixes)


def measure(given: argparse.Namespace) -> Cells:
    """Run the plan; a line a check and base as they are done."""
    cells: Cells = kept(given.keep)
    done = {(key.base, key.seed) if key.mixed else key for key in cells}
    for key in plan(given):
        if ((key.base, key.seed) if key.mixed else key) in done:
            continue
        started = time.perf_counter()
        found = (
            mixed(key, quick=given.quick)
            if key.mixed
            else single(key, quick=given.quick, baselines=not given.no_baselines)
        )
        made = dict(found)
        cells.update(made)
        if given.keep:
            write_down(given.keep, made)
        if made:
            mine = pool(made.values()) if key.mixed else made[key]
            label = "mixed" if key.mixed else key.check
            print(
                f"{label:5} {key.base:15} {key.rate:5.1%} {key.difficulty:11} seed {key.seed} "
                f"P {mine.precision:.3f} R {mine.recall:.3f} n {mine.injected} {time.perf_counter() - started:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    return cells


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds, small bases, 1 %% medium only")
    parser.add_argument("--checks", nargs="*", default=[])
    parser.add_argument("--bases", nargs="*", default=list(bases.BASES))
    parser.add_argument("--seeds", nargs="*", type=int, default=[])
    parser.add_argument("--rates", nargs="*", type=float, default=[], help="with --difficulties, instead of the plan")
    parser.add_argument("--difficulties", nargs="*", default=[])
    parser.add_argument("--no-mixed", action="store_true")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--kinds", action="store_true", help="recall by kind of dirt too")
    parser.add_argument("--write", action="store_true", help="RESULTS.md and mercer/quality/scores.json")
    parser.add_argument("--keep", type=Path, help="write cells down here as they are done, and go on from there")
    parser.add_argument("--cost", type=int, default=0, help="rows of events to time the checks on; nothing else is run")
    given = parser.parse_args(argv)
    given.pairs = [
        (rate, difficulty) for rate in given.rates or [0.01] for difficulty in given.difficulties or ["medium"]
    ]
    given.pairs = given.pairs if given.rates or given.difficulties else []
    return given


def main() -> None:
    given = arguments()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    if given.cost:
        from benchmarks import cost

        text = cost.report(given.cost, given.checks, today)
        print(text)
        if given.write:
            replace("cost", text)
        return
    cells = measure(given)
    text = report(cells, given, today)
    print(text)
    if given.write:
        replace("dirty_shop", text)
        path = ROOT / "mercer" / "quality" / "scores.json"
        path.write_text(json.dumps(scores(cells, today), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
