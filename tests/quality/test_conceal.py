"""What people read of a run names nobody; trusted data and quarantine are what they were, and the secret is private."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import ShopError
from mercer.quality.check import find
from mercer.quality.conceal import masker
from mercer.quality.secret import salted, shop_salt
from mercer.quality.settings import QualitySettings
from mercer.shop import Shop

run = CliRunner()
PHONE, CARD, MAIL = "13800138000", "11010519491231002X", "lily.wang@example.com"
SECRETS = (PHONE, CARD, MAIL)
REVIEWS = [
    {"id": "r1", "text": f"<b>Lovely</b> cup, call me on {PHONE} or write to {MAIL}"},
    {"id": "r2", "text": f"很好&amp;实用，身份证{CARD}，微信同手机{PHONE}"},
    {"id": "r3", "text": f"???? ???? ???? call {PHONE} ????ab"},
    {"id": "r4", "text": f"fine cup\u200b {MAIL}"},
]
PRODUCTS = [
    {"id": "p1", "title": f"Cup <b>blue</b>, order from {PHONE}", "price": 5, "brand": "Mr. Coffee"},
    {"id": "p2", "title": f"Mug green ask {MAIL}", "price": -3, "brand": "Mr. Coffee"},
    *({"id": f"q{row}", "title": f"Plate number {row}", "price": 4} for row in range(60)),
]
FAQ = [{"question": f"lorem ipsum {PHONE}", "answer": f"<p>ask {MAIL}</p>"}, {"question": "Is it blue?", "answer": "y"}]


def call(*words: object) -> str:
    return run.invoke(app, [str(word) for word in words], catch_exceptions=False).output


def told(folder: Path) -> str:
    """Everything under a folder that a person may read, quarantine's own Parquet left out."""
    import pyarrow as pa

    said = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet" and path.parent.name != "quarantine":
            table: pa.Table = pq.read_table(path)
            said.append(json.dumps(table.to_pylist(), ensure_ascii=False, default=str))
        elif path.suffix in (".json", ".html"):
            said.append(path.read_text("utf-8"))
    return "\n".join(said)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    opened = Shop.create(tmp_path / "shop")
    given = {"products": PRODUCTS, "reviews": REVIEWS, "faq": FAQ}
    for family, rows in given.items():
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (tmp_path / f"{family}.jsonl").write_text(lines + "\n", "utf-8")
    data = "".join(f'{family} = "../{family}.jsonl"\n' for family in given)
    opened.settings.write_text(f"[data]\n{data}[quality]\nmax_quarantine = 1.0\n", "utf-8")
    return opened


def checked(shop: Shop) -> tuple[Path, str]:
    said = call("check", shop.folder, "--json")
    last = json.loads((shop.store / "quality" / "last.json").read_text("utf-8"))
    return shop.path("checked", last["version"]), said


def test_nothing_that_people_read_names_a_person(shop: Shop) -> None:
    folder, said = checked(shop)
    findings = pq.read_table(folder / "findings.parquet").to_pylist()
    assert {"markup", "lost", "contact", "placeholder"} <= {row["problem"] for row in findings}
    read = [said, told(folder), call("quarantine", shop.folder, "list"), call("quarantine", shop.folder, "--json")]
    taken = [(path.stem, row["row_id"]) for path in (folder / "quarantine").iterdir() for row in rows(path)]
    assert ("faq", 0) in taken
    assert ("products", 1) in taken
    for family, row_id in taken:
        read += [call("quarantine", shop.folder, "explain", f"{family}:{row_id}", *more) for more in ((), ("--json",))]
    read.append(call("check", shop.folder))
    for secret in SECRETS:
        assert all(secret not in text for text in read), secret
    assert all("[mobile-" in text for text in read[:2])
    assert "Mr. Coffee" in told(folder)  # a brand is nobody


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_trusted_data_and_what_is_said_of_it_have_one_pseudonym_for_one_person(shop: Shop) -> None:
    folder, _ = checked(shop)
    trusted = json.dumps(rows(folder / "reviews.parquet"), ensure_ascii=False)
    of_phone = masker("reviews", salt=shop_salt(shop.store))(PHONE)
    assert of_phone in trusted
    assert of_phone in told(folder)
    other = Shop.create(shop.folder.parent / "other")
    assert masker("reviews", salt=shop_salt(other.store))(PHONE) != of_phone


def test_quarantine_keeps_what_came_for_its_owner_alone(shop: Shop) -> None:
    folder, _ = checked(shop)
    assert stat.S_IMODE((folder / "quarantine").stat().st_mode) == 0o700
    paths = list((folder / "quarantine").iterdir())
    assert paths
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert PHONE in json.dumps(rows(folder / "quarantine" / "faq.parquet"))
    call("quarantine", shop.folder, "restore", "faq:0")
    folder, _ = checked(shop)
    assert pq.read_metadata(folder / "faq.parquet").num_rows == 2


def test_files_of_earlier_runs_are_private(shop: Shop, tmp_path: Path) -> None:
    checked(shop)
    assert stat.S_IMODE((shop.cache / "parts").stat().st_mode) == 0o700


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    salt, path = shop_salt(tmp_path), tmp_path / "quality" / "salt"
    assert len(salt) == 64
    assert shop_salt(tmp_path) == salt
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert shop_salt(tmp_path) == salt
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("")
    with pytest.raises(ShopError, match="empty"):
        shop_salt(tmp_path)


def test_the_owners_own_salt_stays() -> None:
    personal = find("T01").settings(salt="mine")  # type: ignore[call-arg]
    after = salted(QualitySettings(checks={"T01": personal}), "made")
    assert after.of(find("T01")).salt == "mine"  # type: ignore[attr-defined]
    assert after.of(find("C17")).salt == "made"  # type: ignore[attr-defined]


def test_a_training_tables_findings_name_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    from mercer.quality import training
    from mercer.quality.finding import Found, to_rows, to_table

    def find_phone(*_: Any) -> pa.Table:
        rows = pa.table({"row_id": [0], "how": [f"the word {PHONE} alone tells the label"]})
        leak = find("X01")
        found = Found(rows, "training", "text", "label_in_text")
        return to_table([to_rows(leak, found, rows, settings=leak.settings())])

    monkeypatch.setattr(training, "_find", find_phone)
    table = pa.table({"text": ["a", "b"], "label": [0, 1]})
    (said,) = training.check_training(table, label="label", inputs=["text"]).findings["evidence"].to_pylist()
    assert "[mobile-1]" in said
    assert PHONE not in said


@pytest.mark.parametrize("text", ["S000123", "red dress 12 cm", "cup-2024"])
def test_ids_and_sizes_stay(text: str) -> None:
    assert masker("events", salt="x")(text) == text


def test_an_error_about_a_file_names_nobody(tmp_path: Path) -> None:
    from mercer.errors import FormatError
    from mercer.quality.read import read

    (tmp_path / "reviews.jsonl").write_text(f'{{"id": "r1", "text": "call {PHONE}"\n', "utf-8")
    with pytest.raises(FormatError, match=r"\[mobile-1\]") as told:
        read("reviews", tmp_path / "reviews.jsonl", mapping={"id": "id", "text": "text"})
    assert PHONE not in str(told.value)
