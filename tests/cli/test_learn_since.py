"""mercer learn --since last: new judgments alone teach, what was held out stays so, the matrix says what was lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")

from mercer.shop import Shop

QUICK = (
    "\n[learn]\nsteps = 4\nbatch = 6\npassages = 2\nlength = 24\nlr = 1e-4\nevaluations = 1\nvalid = 0.1\ntest = 0.3\n"
)
NEW = 24


def invoke(*words: str) -> Any:
    from typer.testing import CliRunner

    from mercer.cli import app

    return CliRunner().invoke(app, [words[0], *words[1:]])


def run(command: str, shop: Path, *words: str) -> str:
    ran = invoke(command, str(shop), *words)
    assert ran.exit_code == 0, (command, words, ran.output, ran.exception)
    return str(ran.stdout)


@pytest.fixture(scope="module")
def since(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A shop that learned, got judgments of new queries, and learned from those; and what the command said."""
    shop = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("since") / "shop"))
    told = (shop / "mercer.toml").read_text("utf-8").replace(str(tiny_shop), str(shop))
    (shop / "mercer.toml").write_text(told + QUICK, "utf-8")
    run("check", shop)
    run("learn", shop, "--override", "the weights are random")
    lines = (shop / "raw" / "products.jsonl").read_text("utf-8").splitlines()
    with (shop / "raw" / "queries.tsv").open("a", encoding="utf-8") as queries:
        queries.writelines(f"N{at:04d}\t{json.loads(lines[at])['title']}\n" for at in range(NEW))
    with (shop / "raw" / "judgments.qrels").open("a", encoding="utf-8") as judgments:
        for at in range(NEW):
            right, wrong = (json.loads(lines[row])["id"] for row in (at, at + 50))
            judgments.write(f"N{at:04d} 0 {right} 3\nN{at:04d} 0 {wrong} 0\n")
    run("check", shop)
    return shop, json.loads(run("learn", shop, "--since", "last", "--override", "random", "--json"))


def test_only_what_is_new_teaches(since: tuple[Path, dict[str, Any]]) -> None:
    _, said = since
    counted = {part: sum(sources.values()) for part, sources in said["pairs"].items()}
    assert sum(counted.values()) <= 2 * NEW
    assert counted["train"] > counted["test"] > 0
    assert set(said["pairs"]["train"]) == {"judgments"}
    assert said["live"]


def test_the_matrix_has_both_periods(since: tuple[Path, dict[str, Any]]) -> None:
    shop, said = since
    matrix = said["continual"]
    assert len(matrix["periods"]) == 2
    assert len(matrix["values"]) == 3
    assert all(0 <= value <= 1 for row in matrix["values"][1:] for value in row)
    assert matrix["backward"] == pytest.approx(matrix["values"][2][0] - matrix["values"][1][0])
    card = Shop(shop).card("models", said["model"])
    assert card["continual"] == matrix
    page = (Shop(shop).path("models", said["model"]) / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "backward transfer" in page


def test_what_was_held_out_is_carried_on_and_never_learned(since: tuple[Path, dict[str, Any]]) -> None:
    import pyarrow.parquet as pq

    shop, said = since
    folder = Shop(shop).path("models", said["model"])
    kept = json.loads((folder / "periods.json").read_text("utf-8"))
    assert kept["periods"] == said["continual"]["periods"]
    rehearsed = set(pq.read_table(folder / "rehearsed.parquet")["group"].to_pylist())
    assert rehearsed
    assert not rehearsed & set(kept["groups"])


def test_nothing_new_is_said(since: tuple[Path, dict[str, Any]], mercer: Any) -> None:
    again = mercer("learn", since[0], "--since", "last")
    assert (again.code, "nothing is new" in again.err) == (2, True)
    assert "--since is 'monday'" in mercer("learn", since[0], "--since", "monday").err


def test_a_shop_that_never_learned_is_told_to(tiny_shop: Path, mercer: Any) -> None:
    refused = mercer("learn", tiny_shop, "--since", "last")
    assert (refused.code, "run first" in refused.err) == (2, True)
