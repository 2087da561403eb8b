"""What is written is true: examples run, commands exist, settings are all named, links lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import runpy
import shlex
import shutil
import sys
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NAMES = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "LOG.md")
PAGES = [*(ROOT / name for name in NAMES if (ROOT / name).exists()), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""What a block is, and what is in it; "python no-run" is compiled and its imports are tried."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, *kinds: str) -> list[str]:
    return [body for kind, body in FENCE.findall(page.read_text("utf-8")) if kind in kinds]


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of a page as words; in a block with prompts, lines without one are answers."""
    for body in blocks(page, "bash", "console", "sh"):
        prompted, held = "$ " in body, ""
        for line in body.splitlines():
            start = line.removeprefix("$ ")
            if not held and prompted and start == line:
                continue
            held += (start if not held else line) + "\n"
            if line.endswith("\\"):
                held = held[:-2] + " "
                continue
            try:
                words = shlex.shlex(held, posix=True, punctuation_chars="|&;>")
                words.whitespace_split = True
                found = list(words)
            except ValueError:  # a quotation that goes on
                continue
            held = ""
            yield from split(found)
        assert not held, f"{named(page)}: a command does not end: {held[:80]}"


def split(words: list[str]) -> Iterator[list[str]]:
    """Words of each command between operators; what an arrow points to is none."""
    command: list[str] = []
    for word in [*words, ";"]:
        if word and set(word) <= set("|&;>"):
            if command:
                yield command
            command = ["to"] if ">" in word else []
        else:
            command.append(word)


def understood(words: list[str]) -> None:
    """Fail unless `mercer` knows the command, its arguments and its options; nothing is run."""
    import typer

    from mercer.cli import app

    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0] == "--help":
            return
        assert rest[0] in command.commands, f"there is no command {' '.join(words)!r}"
        command = command.commands[rest.pop(0)]
    try:
        command.make_context("mercer", [word for word in rest if word != "--help"])
    except Exception as error:
        pytest.fail(f"mercer {' '.join(words)}: {getattr(error, 'message', '') or error}")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """Folder that holds `shop`: invented, checked and indexed with a random encoder, by the commands themselves."""
    pytest.importorskip("torch", reason="an encoder runs on torch or onnxruntime: pip install 'mercer[models]'")
    from typer.testing import CliRunner

    from mercer import sample
    from mercer.cli import app

    home = tmp_path_factory.mktemp("docs")
    settings = sample.SampleSettings(products=200, shoppers=60, events=1500, queries=20, images=0)
    made = sample.generate(home / "shop" / "raw", settings)
    given = [word for family, path in made.files.items() for word in (f"--{family}", str(path))]
    with pytest.MonkeyPatch.context() as patch:
        lighten(patch, home)
        for arguments in (["init", "SHOP", "--yes", *given], ["check", "SHOP"], ["index", "SHOP"]):
            words = [str(home / "shop") if word == "SHOP" else word for word in arguments]
            CliRunner().invoke(app, words, catch_exceptions=False)
            if arguments[0] == "init":
                with open(home / "shop" / "mercer.toml", "a", encoding="utf-8") as file:
                    file.write(f'\n[encode]\nsource = "{tiny_bert}"\n')
    return home


def lighten(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Models run on torch, as where onnxruntime is missing: nothing is exported or kept in the home folder."""
    find = importlib.util.find_spec
    patch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "onnxruntime" else find(name, *rest))
    patch.setenv("XDG_CACHE_HOME", str(home / "cache"))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with `shop` in it where the test's page or script names one."""
    from mercer.measure import metric
    from mercer.quality import check

    check.registry(), metric.known()
    for module, name in ((check, "_REGISTRY"), (metric, "_FORMULAS"), (metric, "_SPELLINGS")):
        monkeypatch.setattr(module, name, dict(getattr(module, name)))  # what an example registers ends with it
    page: Path = request.getfixturevalue("page")
    code = "".join(blocks(page, "python", "console")) if page.suffix == ".md" else page.read_text("utf-8")
    if '"shop"' in code or "curl" in code or "open_doors" in code:
        home: Path = request.getfixturevalue("built")
        shutil.copytree(home / "shop", tmp_path / "shop")
        lighten(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_examples_run(page: Path, place: Path) -> None:
    if "fastapi" in page.read_text("utf-8"):
        pytest.importorskip("fastapi", reason="mercer[serve] is not installed")
    names: dict[str, Any] = {"__name__": "example"}
    for number, body in enumerate(blocks(page, "python"), start=1):
        exec(compile(body, f"{named(page)}, example {number}", "exec"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python no-run")], ids=named)
def test_what_python_examples_import_is_there(page: Path) -> None:
    for body in blocks(page, "python no-run"):
        tree = ast.parse(body)
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(tree, named(page), "exec"), {})


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(words[0] == "curl" for words in commands(page))], ids=named
)
def test_http_examples_are_answered(page: Path, place: Path) -> None:
    testclient = pytest.importorskip("fastapi.testclient", reason="mercer[serve] is not installed")
    from mercer.doors import open_doors
    from mercer.serve import create_app

    doors = open_doors("shop")
    try:
        with testclient.TestClient(create_app(doors)) as client:
            for words in commands(page):
                if words[0] == "curl":
                    answer = client.request(**asked(words))
                    assert answer.status_code < 300, f"{' '.join(words)}\n{answer.text}"
    finally:
        doors.close()


def asked(words: list[str]) -> dict[str, Any]:
    """What a curl command asks, as arguments of an HTTP client."""
    method, body, query, headers, address, rest = "", "", {}, {}, "", iter(words[1:])
    for word in rest:
        if word in ("-X", "--request"):
            method = next(rest)
        elif word in ("-H", "--header"):
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data", "--data-urlencode"):
            body = next(rest)
            if "=" in body[:20] and body[0] not in "{[":
                query |= dict([body.split("=", 1)])
        elif not word.startswith("-"):
            address = re.sub(r"^(https?://)?[^/]+", "", word)
    if query:
        return {"method": "GET", "url": address, "params": query}
    return {"method": method or ("POST" if body else "GET"), "url": address, "content": body, "headers": headers}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "bash", "console", "sh")], ids=named)
def test_commands_exist(page: Path) -> None:
    for words in commands(page):
        if words[0].rsplit("/", 1)[-1] == "mercer":
            understood(words[1:])


def test_small_run_is_made_of_commands_that_exist() -> None:
    text = (ROOT / "runs" / "small.sh").read_text("utf-8")
    found = re.findall(r"^(?:\w+=\"\$\()?mercer (.+?)(?: \| python.*| > .*)?$", text, re.MULTILINE)
    assert len(found) > 15
    for words in found:
        understood(shlex.split(words, comments=True))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml", "json")], ids=named)
def test_settings_examples_are_accepted(page: Path, tmp_path: Path) -> None:
    from mercer.cli.check import quality_settings
    from mercer.cli.settings import read_settings, tables
    from mercer.config import section
    from mercer.quality.source import sources
    from mercer.serve.settings import ServeSettings
    from mercer.shop import Shop
    from mercer.watch.settings import WatchSettings

    Shop.create(tmp_path)
    for body in blocks(page, "json"):
        json.loads(body)
    for body in blocks(page, "toml"):
        tomllib.loads(body)
        (tmp_path / "mercer.toml").write_text(body, "utf-8")
        read_settings(tmp_path)
        found = tables(tmp_path)
        quality_settings(found.get("quality", {}))
        section(found.get("serve", {}), ServeSettings, name="serve")
        section(found.get("watch", {}), WatchSettings, name="watch")
        sources(tmp_path, {"products": "any.csv", **found.get("data", {})}, found.get("map", {}))


FILES = {
    "products.jsonl": '{"id": "1", "title": "Nord", "brand": "NORD"}\n{"id": "2", "title": "Cup", "brand": "Nord"}\n',
    "judgments.qrels": "q1 0 a 3\nq1 0 b 1\nq2 0 c 2\n",
    "before.tsv": "q1\tb\nq1\ta\nq2\tb\n",
    "after.tsv": "q1\ta\nq1\tb\nq2\tc\n",
}
ARGUMENTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "search_a_shop.py": (("shop", "cup", "0..1000"), " in all; brands: {"),
    "write_your_own_check.py": (("products.jsonl",), "row 0: C91 brand_only -> quarantine"),
    "measure_your_ranking.py": (("judgments.qrels", "before.tsv", "after.tsv"), "after"),
}
"""What each script is called with, and what it then prints."""


LONGER = {"rating_regression.py", "content_feed.py", "ads_with_bids.py"}
"""Scripts that tests/test_examples.py runs, as they train a model or are a story of their own."""
SCRIPTS = [page for page in sorted((ROOT / "examples").glob("*.py")) if page.name not in LONGER]


@pytest.mark.parametrize("page", SCRIPTS, ids=named)
def test_scripts_run(
    page: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, said = ARGUMENTS[page.name]
    for name, content in FILES.items():
        (place / name).write_text(content, "utf-8")
    monkeypatch.setattr(sys, "argv", [page.name, *arguments])
    runpy.run_path(str(page), run_name="__main__")
    assert said in capsys.readouterr().out
    assert len(page.read_text("utf-8").splitlines()) <= 40


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_room_has_a_page(language: str) -> None:
    pages = {page.stem for page in (ROOT / "docs" / language).glob("*.md")}
    rooms = {
        path.stem for path in (ROOT / "mercer").iterdir() if path.suffix in ("", ".py") and path.stem[0] not in "_."
    }
    assert rooms <= pages, f"rooms without a page: {rooms - pages}"
    index = (ROOT / "docs" / language / "index.md").read_text("utf-8")
    assert {page for page in pages - {"index"} if f"]({page}.md)" not in index} == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "en").glob("*.md")), ids=named)
def test_both_languages_have_the_same_parts(page: Path) -> None:
    other = ROOT / "docs" / "zh" / page.name
    assert [len(mark) for mark, _ in headings(page)] == [len(mark) for mark, _ in headings(other)]
    kinds = [[kind for kind, _ in FENCE.findall(one.read_text("utf-8"))] for one in (page, other)]
    assert kinds[0] == kinds[1]


def headings(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(#+) (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, part = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{target} is not there"
        assert not part or part in {anchor(title) for _, title in headings(there)}, f"{target} has no such part"
    for path in re.findall(r"`((?:mercer|tests|runs|examples|benchmarks)/[\w/.]+\.\w+)`", text):
        assert (ROOT / path).exists(), f"{path} is not there"


def anchor(title: str) -> str:
    """The name that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    return "".join(c for c in plain if c in " -_" or unicodedata.category(c)[0] in "LNM").replace(" ", "-")
