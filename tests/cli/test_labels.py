"""What teaches most is asked, answers come back with who and when, and nothing that was judged is lost."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.cli.labels import page, write_asks
from mercer.errors import MercerError
from mercer.quality.labelled import Labels
from mercer.shop import Shop

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WORDS = ["red dress", "blue dress", "red shoes", "phone case", "phone charger", "usb cable", "连衣裙", "手机充电器"]


def run(*given: object) -> Any:
    found = CliRunner().invoke(app, [str(one) for one in given])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A checked and indexed shop of eight products."""
    folder = tmp_path_factory.mktemp("labels") / "shop"
    Shop.create(folder)
    products = [f"p{at},{title},1{at}.5" for at, title in enumerate(WORDS)]
    (folder / "products.csv").write_text("\n".join(["id,title,price", *products]) + "\n", "utf-8")
    (folder / "queries.csv").write_text("query_id,text\nq1,red dress\nq2,phone charger\nq3,手机\n", "utf-8")
    (folder / "judgments.csv").write_text("query_id,product,grade\nq1,p0,3\nq1,p3,0\nq2,p4,3\n", "utf-8")
    data = "\n".join(f'{name} = "{name}.csv"' for name in ("products", "queries", "judgments"))
    (folder / "mercer.toml").write_text(f'[data]\n{data}\n\n[encode]\nsource = "{tiny_bert}"\n', "utf-8")
    run("check", folder)
    run("index", folder)
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "shop"))


def filled(path: Path, *rows: str, head: str = "query_id,product,grade,who") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return path


def judged(shop: Path) -> dict[tuple[str, str], float]:
    live = Shop(shop).live("checked")
    assert live is not None
    rows = pq.read_table(Shop(shop).path("checked", live.version) / "judgments.parquet").to_pylist()
    return {(row["query_id"], row["product"]): row["grade"] for row in rows}


@pytest.mark.parametrize("how", ["uncertainty", "diverse", "disagreement", "random"])
def test_what_is_suggested_is_not_judged_yet(shop: Path, tmp_path: Path, how: str) -> None:
    told = json.loads(run("labels", shop, "suggest", "--n", 6, "--how", how, "--out", tmp_path / "o", "--json").stdout)
    with open(told["csv"], encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    pairs = {(row["query_id"], row["product"]) for row in rows}
    assert len(pairs) == told["asked"] == 6
    assert not pairs & {("q1", "p0"), ("q1", "p3"), ("q2", "p4")}
    assert '"choices": [0, 3]' in Path(told["page"]).read_text("utf-8")


def test_answers_come_back_into_the_checked_judgments(shop: Path, tmp_path: Path) -> None:
    file = filled(tmp_path / "a.csv", "q1,p1,1,Ann", "q3,p7,3,Ann", "q1,p0,3,Ann", "q2,p4,0,Ann", "q2,p5,,")
    told = json.loads(run("labels", shop, "import", file, "--json").stdout)
    assert {name: told[name] for name in ("new", "same", "conflicts", "refused", "blank")} == {
        "new": 2, "same": 1, "conflicts": 1, "refused": 0, "blank": 1
    }  # fmt: skip
    assert told["conflicting"][0]["before"] == 3
    run("check", shop)
    found = judged(shop)
    assert (found["q1", "p1"], found["q3", "p7"], found["q2", "p4"]) == (1, 3, 3)
    lines = Labels(Shop(shop).store).lines
    assert {line["who"] for line in lines} == {"Ann"}
    assert all(line["taken_by"] and line["taken"] > 0 and line["file"] for line in lines)
    assert [entry.act for entry in Shop(shop).audit.entries()][-2:].count("labels") == 1
    again = json.loads(run("labels", shop, "import", file, "--json").stdout)
    assert (again["taken"], again["same"]) == (0, 3)


def test_a_conflict_wins_only_when_it_is_told_to(shop: Path, tmp_path: Path) -> None:
    file = filled(tmp_path / "a.csv", "q1,p0,0,Bob")
    assert "left out" in run("labels", shop, "import", file).stderr
    run("labels", shop, "import", file, "--replace")
    run("check", shop)
    assert judged(shop)["q1", "p0"] == 0
    assert Labels(Shop(shop).store).lines[-1]["before"] == 3


def test_what_cannot_be_is_refused_and_told(shop: Path, tmp_path: Path) -> None:
    rows = ("q9,p0,1,x", "q1,p99,1,x", "q1,p2,7,x", "q1,p4,good,x", "q1,p5,0,x", "q1,p5,3,x", "q1,p6,nan,x")
    told = json.loads(run("labels", shop, "import", filled(tmp_path / "a.csv", *rows), "--json").stdout)
    problems = [row["problem"] for row in told["refusals"]]
    assert problems == ["unknown_query", "unknown_product", "bad_grade", "bad_grade", "bad_grade", "said_twice"]
    assert told["taken"] == 0
    assert not Labels(Shop(shop).store).path.exists()


def test_texts_are_asked_and_taken_back(shop: Path, tmp_path: Path) -> None:
    rows = ["late,ship", "slow,ship", "broken,fault", "cracked,fault", "never came,", "dead on arrival,", "so slow,"]
    texts = filled(tmp_path / "t.csv", *rows, head="text,label")
    given = ("labels", shop, "suggest", "--texts", texts, "--n", 2, "--out", tmp_path / "o", "--json")
    assert json.loads(run(*given).stdout)["asked"] == 2
    answer = filled(tmp_path / "back.csv", "never came,ship,Ann", head="text,label,who")
    assert json.loads(run("labels", shop, "import", answer, "--json").stdout)["taken"] == 1
    assert json.loads(run("labels", shop, "--json").stdout)["texts"]["by"] == {"Ann": 1}
    assert json.loads(run(*given).stdout)["asked"] == 2  # two are left of three
    with pytest.raises(MercerError, match="every text"):
        run("labels", shop, "suggest", "--texts", filled(tmp_path / "u.csv", "a,x", "b,y", head="text,label"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("import",), "names no file"),
        (("import", "nowhere.csv"), "nowhere.csv"),
        (("list", "a.csv"), "takes no file"),
        (("suggest", "--how", "magic"), "magic"),
    ],
)
def test_nonsense_is_refused(made: Path, given: tuple[str, ...], told: str) -> None:
    with pytest.raises(MercerError, match=told):
        run("labels", made, *given)


def test_a_file_of_other_columns_and_a_damaged_ledger_are_told(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(MercerError, match="has columns"):
        run("labels", shop, "import", filled(tmp_path / "a.csv", "1,2", head="colour,size"))
    ledger = Labels(Shop(shop).store).path
    ledger.parent.mkdir()
    ledger.write_text('{"query_id": "q1"\n', "utf-8")
    with pytest.raises(MercerError, match="is damaged"):
        run("labels", shop)


ASKS = [
    {"id": f"i{at}", "query_id": "q", "product": f"p{at}", "query": "红 <b>dress</b>", "title": "=x", "lines": [line]}
    for at, line in enumerate(["</script><script>alert(1)</script>", "two", "three"])
]


def test_a_page_cannot_be_broken_out_of_and_a_spreadsheet_runs_nothing(tmp_path: Path) -> None:
    assert "</script><script>alert" not in page("judgments", ASKS, [0, 1, 2, 3], "random")
    paths = write_asks(tmp_path, "judgments", ASKS, [0, 1, 2, 3], "random")
    assert "'=x" in paths["csv"].read_text("utf-8-sig")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (mercer[dev])")
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def test_a_person_judges_with_keys_and_loses_nothing_on_reload(browser: Any, tmp_path: Path) -> None:
    path = write_asks(tmp_path, "judgments", ASKS, [0, 1, 2, 3], "random")["page"]
    opened = browser.new_page(locale="zh-CN")
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(path.as_uri())
    assert "保存" in opened.locator("#save").inner_text()
    assert opened.locator("#query").inner_text() == "红 <b>dress</b>"
    opened.fill("#who", "Ann, 安")
    opened.locator("#card").focus()
    opened.keyboard.press("3")
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("0")
    opened.reload()
    assert opened.locator("#bar").evaluate("one => one.value") == 2
    opened.click("#language")
    assert opened.locator("#save").inner_text() == "Save CSV"
    with opened.expect_download() as caught:
        opened.click("#save")
    with open(caught.value.path(), encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["product"], row["grade"], row["who"]) for row in rows] == [
        ("p0", "3", "Ann, 安"),
        ("p2", "0", "Ann, 安"),
    ]
    opened.keyboard.press("ArrowLeft")
    opened.locator("#grades button").nth(1).click()
    assert not errors
    opened.close()
