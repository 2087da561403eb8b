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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import base as bases  # noqa: E402
from benchmarks.baseline import BASELINES  # noqa: E402
from benchmarks.dirt import Difficulty, injectors  # noqa: E402
from benchmarks.dirt import mixed as mixed_dirt  # noqa: E402
from benchmarks.score import Cell, judge, pairs_of, pool, verdict  # noqa: E402
from mercer.quality.check import registry  # noqa: E402
from mercer.quality.engine import DuckEngine  # noqa: E402
from mercer.quality.run import QualitySettings, inspect  # noqa: E402

DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "medium", "adversarial")
RATES = (0.001, 0.01, 0.05, 0.2)
SEEDS = (11, 12, 13, 14, 15)
HEADLINE = (0.01, "medium")


@dataclass(frozen=True)
class Key:
    """What one cell is of; `system` is "mercer" or a baseline's name."""

    check: str
    base: str
    rate: float
    difficulty: str
    seed: int
    system: str = "mercer"
    mixed: bool = False


Cells = dict[Key, Cell]
_CLEAN: dict[tuple[str, bool, str], pa.Table] = {}


def find(base: Mapping[str, Any], tables: Mapping[str, pa.Table], checks: Iterable[str]) -> pa.Table:
    """Findings of some checks on some tables."""
    wanted = set(checks)
    settings = QualitySettings(disable=tuple(id for id in registry() if id not in wanted))
    engine = DuckEngine()
    try:
        return inspect(bases.raws_of(base, tables), settings, now=bases.now_of(base), engine=engine)[1]
    finally:
        engine.close()


def untouched(name: str, check: str, *, quick: bool) -> pa.Table:
    """Findings of one check ("" for all) on a base as it is."""
    key = (name, quick, check)
    if key not in _CLEAN:
        base = bases.load(name, quick=quick)
        _CLEAN[key] = find(base, tables_of(base), [check] if check else registry())
    return _CLEAN[key]


def known_before(name: str, check: str, run: str, *, quick: bool) -> set[tuple[str, int]]:
    """Rows that a check flags on a base as it is; none of the invented shop, where they are plainly wrong."""
    return set() if name == "sample" else set(pairs_of(untouched(name, run, quick=quick), check))


def tables_of(base: Mapping[str, Any]) -> dict[str, pa.Table]:
    return {family: raw.table for family, raw in base.items()}


def rows_of(check: str, base: Mapping[str, Any]) -> int:
    """Rows that a check looks at in a base."""
    return sum(len(base[family].table) for family in registry()[check].families if family in base)


def single(key: Key, *, quick: bool, baselines: bool) -> Iterator[tuple[Key, Cell]]:
    """One injector alone: its check, and the baselines beside it."""
    base = bases.load(key.base, quick=quick)
    clean = tables_of(base)
    tables, truth = injectors()[key.check].inject(clean, key.rate, key.difficulty, key.seed)
    if not truth.num_rows:
        return
    lines, rows = truth.to_pylist(), rows_of(key.check, base)
    found = pairs_of(find(base, tables, [key.check]), key.check)
    before = known_before(key.base, key.check, key.check, quick=quick)
    cell = judge(found, lines, check=key.check, before=before, rows=rows)
    if not cell.injected:
        return
    yield key, cell
    for name, flag in (BASELINES.get(key.check, {}) if baselines else {}).items():
        flagged = {pair: [{"problem": name, "score": 1.0, "action": "warn"}] for pair in flag(tables)}
        cell = judge(flagged, lines, check=key.check, before=flag(clean), rows=rows)
        yield Key(key.check, key.base, key.rate, key.difficulty, key.seed, name), cell


def mixed(key: Key, *, quick: bool) -> Iterator[tuple[Key, Cell]]:
    """All injectors at once, all checks at once."""
    base = bases.load(key.base, quick=quick)
    tables, truth = mixed_dirt.inject(tables_of(base), key.rate, key.difficulty, key.seed)
    findings = find(base, tables, registry())
    lines = truth.to_pylist()
    for check in sorted({line["check"] for line in lines}):
        cell = judge(
            pairs_of(findings, check),
            lines,
            check=check,
            before=known_before(key.base, check, "", quick=quick),
            rows=rows_of(check, base),
        )
        if cell.injected:
            yield Key(check, key.base, key.rate, key.difficulty, key.seed, mixed=True), cell


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


def kept(path: Path | None) -> Cells:
    """What an earlier run wrote down, so that a long one may be stopped and go on."""
    cells: Cells = {}
    for line in path.read_text("utf-8").splitlines() if path and path.exists() else ():
        told = json.loads(line)
        for name in ("kinds", "problems"):
            told["cell"][name] = Counter({(kind, yes): count for kind, yes, count in told["cell"][name]})
        cells[Key(**told["key"])] = Cell(**told["cell"])
    return cells


def write_down(path: Path, made: Cells) -> None:
    """Add a line a cell."""
    with path.open("a", encoding="utf-8") as file:
        for key, cell in made.items():
            told = asdict(cell)
            for name in ("kinds", "problems"):
                told[name] = [[kind, yes, count] for (kind, yes), count in getattr(cell, name).items()]
            file.write(json.dumps({"key": asdict(key), "cell": told}) + "\n")


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


def pooled(cells: Cells, **wanted: Any) -> Cell:
    """All cells with these values of `Key`, added up."""
    return pool(
        cell for key, cell in cells.items() if all(getattr(key, name) == value for name, value in wanted.items())
    )


def headline(cells: Cells) -> list[str]:
    """A row a check at 1 % and medium: Mercer beside the baselines, base by base, and which targets are missed."""
    lines = [
        "| check | base | system | injected | precision | recall | F1 | PR-AUC | raw P | on untouched | new false |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups = sorted(
        {
            (key.check, key.base, key.system != "mercer", key.system)
            for key in cells
            if not key.mixed and (key.rate, key.difficulty) == HEADLINE
        }
    )
    for check, name, _, system in groups:
        cell = pooled(cells, check=check, base=name, system=system, rate=0.01, difficulty="medium", mixed=False)
        area = f"{sum(cell.precision_curve) / len(cell.precision_curve):.3f}" if cell.precision_curve else ""
        seeds = len({key.seed for key in cells if (key.check, key.base, key.system) == (check, name, system)})
        lines.append(
            f"| {check} | {name} | {system} | {cell.injected} | {number(cell.precision)} | {number(cell.recall)} | "
            f"{cell.f1:.3f} | {area} | {number(cell.precision_raw)} | {cell.before / max(1, seeds):.0f} | "
            f"{cell.false_share:.3%} |"
        )
    return lines


def number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def acceptance(cells: Cells) -> list[str]:
    """Every check against its targets: pass, or miss with the figure and the base."""
    lines = ["| check | severity | target | result | where |", "|---|---|---|---|---|"]
    for check in sorted({key.check for key in cells if not key.mixed}):
        severity = registry()[check].severity
        names = sorted({key.base for key in cells if key.check == check and not key.mixed})
        wanted: dict[str, list[tuple[str, bool, str]]] = {}
        for name in names:
            cell = pooled(cells, check=check, base=name, system="mercer", rate=0.01, difficulty="medium", mixed=False)
            for target, met, figures in verdict(check, severity, cell):
                wanted.setdefault(target, []).append((name, met, figures))
        for target, said in wanted.items():
            missed = [f"{name}: {figures}" for name, met, figures in said if not met]
            where = "; ".join(missed) or "; ".join(f"{name}: {figures}" for name, _, figures in said)
            lines.append(f"| {check} | {severity} | {target} | {'**miss**' if missed else 'pass'} | {where} |")
    return lines


def sweep(cells: Cells) -> list[str]:
    """Precision and recall by rate and by difficulty, where these were run."""
    columns = [(rate, "medium") for rate in RATES] + [(0.01, "easy"), (0.01, "adversarial")]
    title = [f"{rate:.1%} {difficulty}" for rate, difficulty in columns]
    lines = ["| check | base | " + " | ".join(title) + " |", "|---|---|" + "---|" * len(columns)]
    groups = sorted(
        {(key.check, key.base) for key in cells if not key.mixed and (key.rate, key.difficulty) != HEADLINE}
    )
    for check, name in groups:
        shown = []
        for rate, difficulty in columns:
            cell = pooled(cells, check=check, base=name, rate=rate, difficulty=difficulty, system="mercer", mixed=False)
            shown.append(f"{number(cell.precision)} / {number(cell.recall)}" if cell.injected else "")
        lines.append(f"| {check} | {name} | " + " | ".join(shown) + " |")
    return lines


def mixture(cells: Cells) -> list[str]:
    """Each check under mixed dirt, all bases together."""
    lines = [
        "| check | injected | precision | precision, other dirt forgiven | recall | recall alone |",
        "|---|---|---|---|---|---|",
    ]
    for check in sorted({key.check for key in cells if key.mixed}):
        cell = pooled(cells, check=check, mixed=True)
        alone = pooled(cells, check=check, rate=0.01, difficulty="medium", mixed=False, system="mercer")
        lines.append(
            f"| {check} | {cell.injected} | {number(cell.precision)} | {number(cell.precision_explained)} | "
            f"{number(cell.recall)} | {number(alone.recall)} |"
        )
    return lines


def clean_table(given: argparse.Namespace) -> list[str]:
    """What each check says of untouched data: false alarms on the invented shop, elsewhere perhaps real dirt."""
    lines = ["| check | " + " | ".join(given.bases) + " |", "|---|" + "---|" * len(given.bases)]
    for check in registry():
        if given.checks and check not in given.checks:
            continue
        shown = []
        for name in given.bases:
            base = bases.load(name, quick=given.quick)
            rows = rows_of(check, base)
            lines_of = pairs_of(untouched(name, check, quick=given.quick), check) if rows else {}
            acting = sum(any(line["action"] != "warn" for line in found) for found in lines_of.values())
            shown.append(f"{len(lines_of)} ({acting} act) of {rows:,}" if rows else "")
        lines.append(f"| {check} | " + " | ".join(shown) + " |")
    return lines


def kinds(cells: Cells) -> list[str]:
    """Recall of each kind of dirt and precision of each problem, all bases together."""
    lines = []
    for check, difficulty in sorted({(key.check, key.difficulty) for key in cells if not key.mixed}):
        cell = pooled(cells, check=check, system="mercer", mixed=False, difficulty=difficulty)
        names = sorted({kind for kind, _ in cell.kinds})
        by_kind = ", ".join(
            f"{kind} {cell.kinds[kind, True]}/{cell.kinds[kind, True] + cell.kinds[kind, False]}" for kind in names
        )
        problems = sorted({problem for problem, _ in cell.problems})
        by_problem = ", ".join(
            f"{name} {cell.problems[name, True]}/{cell.problems[name, True] + cell.problems[name, False]}"
            for name in problems
        )
        lines.append(f"- {check} {difficulty}: found {by_kind or '–'}; right {by_problem or '–'}")
    return lines


def scores(cells: Cells, today: str) -> dict[str, Any]:
    """Check → what the report shows of it."""
    said = {}
    for check in sorted({key.check for key in cells if not key.mixed}):
        cell = pooled(cells, check=check, rate=0.01, difficulty="medium", system="mercer", mixed=False)
        mine = [key for key in cells if key.check == check and not key.mixed and (key.rate, key.difficulty) == HEADLINE]
        said[check] = {
            "precision": None if cell.precision != cell.precision else round(cell.precision, 4),
            "recall": round(cell.recall, 4),
            "f1": round(cell.f1, 4),
            "injected": cell.injected,
            "rate": 0.01,
            "difficulty": "medium",
            "seeds": sorted({key.seed for key in mine}),
            "bases": sorted({key.base for key in mine}),
            "version": registry()[check].version,
            "date": today,
        }
    return said


def replace_section(path: Path, name: str, text: str) -> None:
    """Put `text` between the marks of a section of RESULTS.md, at the end where it is new; the rest is others'."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    before = path.read_text("utf-8") if path.exists() else "# Results\n"
    section = f"{start}\n{text.strip()}\n{end}"
    if start in before:
        head, _, rest = before.partition(start)
        after = f"{head}{section}{rest.partition(end)[2]}"
    else:
        after = f"{before.rstrip()}\n\n{section}\n"
    path.write_text(after, "utf-8")


def report(cells: Cells, given: argparse.Namespace, today: str) -> str:
    """The section of RESULTS.md."""
    seeds = sorted({key.seed for key in cells})
    parts = [
        "## dirty_shop: what each check finds of injected dirt",
        f"{today}, seeds {', '.join(map(str, seeds))}, `python benchmarks/dirty_shop.py {' '.join(sys.argv[1:])}`. "
        "Precision is of findings that the untouched data did not have; raw P counts those too (real data has dirt "
        "of its own). The invented shop has none, so whatever is found there untouched counts as wrong.",
        "### Targets at 1 %, medium",
        "\n".join(acceptance(cells)),
        "### 1 %, medium, beside baselines on the same dirt",
        "\n".join(headline(cells)),
    ]
    if len({(key.rate, key.difficulty) for key in cells}) > 1:
        parts += ["### Precision / recall by rate and difficulty", "\n".join(sweep(cells))]
    if any(key.mixed for key in cells):
        parts += ["### All dirt at once (1 % of rows over all kinds)", "\n".join(mixture(cells))]
    parts += ["### Untouched data: rows flagged", "\n".join(clean_table(given))]
    if given.kinds or given.write:
        parts += ["### By kind of dirt, and by problem", "\n".join(kinds(cells))]
    return "\n\n".join(parts)


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
            replace_section(ROOT / "benchmarks" / "RESULTS.md", "cost", text)
        return
    cells = measure(given)
    text = report(cells, given, today)
    print(text)
    if given.write:
        replace_section(ROOT / "benchmarks" / "RESULTS.md", "dirty_shop", text)
        path = ROOT / "mercer" / "quality" / "scores.json"
        path.write_text(json.dumps(scores(cells, today), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
