"""mercer check --suggest and --diff, sources and suppressions in mercer.toml, and approval of what was taken out."""

import json
import tomllib

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import GateBlocked, MercerError
from mercer.shop import Shop

run = CliRunner()


def lines(bad=range(10, 12), extra=()):
    return ["id,title,price"] + [f"p{n},Mug {n},{0 if n in bad else 5 + n % 3}" for n in range(100)] + list(extra)


@pytest.fixture
def shop(tmp_path):
    """A hundred products, two of them at no price."""
    opened = Shop.create(tmp_path / "shop")
    (tmp_path / "products.csv").write_text("\n".join(lines()) + "\n")
    opened.settings.write_text('# ours\n[data]\nproducts = "../products.csv"\n')
    return opened


def call(*arguments):
    result = run.invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments):
    return json.loads(call(*arguments, "--json").stdout)


def test_limits_are_proposed_and_written_only_when_told(shop):
    first = told("check", shop.folder, "--suggest")
    assert first["runs"] == 1
    named = {(tuple(one["section"]), one["key"]): one for one in first["proposals"]}
    limit = named[("quality", "C06", "sources", "products"), "warn_if"]
    assert 0.02 < limit["proposed"] < 0.2
    assert limit["now"] == 0.01
    assert "warn_if" not in shop.settings.read_text()
    assert told("check", shop.folder, "--suggest", "--yes")["written"]
    text = shop.settings.read_text()
    assert text.startswith("# ours")
    assert tomllib.loads(text)["quality"]["C06"]["sources"]["products"]["warn_if"] == limit["proposed"]
    assert told("check", shop.folder)["gate"]["decision"] == "pass"
    assert told("check", shop.folder, "--suggest")["proposals"] == []


def test_the_difference_of_two_runs(shop):
    one = told("check", shop.folder)["version"]
    path = shop.folder.parent / "products.csv"
    path.write_text("\n".join(lines(bad=(11, 40), extra=["p7,Cup,3"])) + "\n")
    other = told("check", shop.folder)["version"]
    found = told("check", shop.folder, "--diff", one[:6], "last")
    assert found["runs"] == [one, other]
    changes = {change["problem"]: change for change in found["changes"]}
    price = changes["not_positive"]
    assert (price["before"], price["after"], price["new"], price["gone"]) == (2, 2, 1, 1)
    assert (price["new_rows"], price["gone_rows"]) == (["p40 price"], ["p10 price"])
    assert changes["conflicting_row"]["new"] == 1
    call("check", shop.folder, "--diff", one, other)
    assert told("check", shop.folder, "--diff", one, one)["changes"] == []
    with pytest.raises(MercerError, match="0 checked versions"):
        call("check", shop.folder, "--diff", one, "nothing")


def test_approval_opens_a_gate_that_the_ceiling_closed(shop):
    (shop.folder.parent / "products.csv").write_text("\n".join(lines(bad=range(10, 20))) + "\n")
    with pytest.raises(GateBlocked, match="10 of 100"):
        call("check", shop.folder)
    call("quarantine", shop.folder, "approve", "--check", "C06", "--as", "ann")
    found = told("check", shop.folder)
    assert found["gate"]["decision"] == "warn"
    assert found["manifest"]["rows"]["products"]["quarantine"] == 10
    kept = json.loads((shop.store / "quality" / "approved.json").read_text())
    assert len(kept) == 10
    for row in kept.values():
        assert row["who"] == "ann"
        assert row["time"] > 0
        assert row["reasons"] == ["C06 not_positive"]
    call("quarantine", shop.folder, "forget", *kept)
    with pytest.raises(GateBlocked):
        call("check", shop.folder)


def test_nobody_approves_a_family_away(shop):
    (shop.folder.parent / "products.csv").write_text("\n".join(lines(bad=range(100))) + "\n")
    with pytest.raises(GateBlocked):
        call("check", shop.folder)
    call("quarantine", shop.folder, "approve")
    with pytest.raises(GateBlocked, match="100 of 100"):
        call("check", shop.folder)


def test_a_source_has_its_own_limits_and_actions(shop):
    text = shop.settings.read_text()
    for name in ("products", "products.csv"):
        shop.settings.write_text(f'{text}[quality.C06.sources."{name}"]\nactions = {{ not_positive = "warn" }}\n')
        assert told("check", shop.folder)["manifest"]["rows"]["products"]["quarantine"] == 0
    shop.settings.write_text(f"{text}[quality.C06.sources.reviews]\nwarn_if = 1.0\n")
    assert told("check", shop.folder)["manifest"]["rows"]["products"]["quarantine"] == 2


def test_findings_are_let_pass_until_a_day(shop):
    text = shop.settings.read_text()
    entry = '[[quality.suppress]]\ncheck = "C06"\nrow = "p10"\nowner = "ann"\nuntil = "{day}"\n'
    shop.settings.write_text(text + entry.format(day="2999-01-01"))
    assert told("check", shop.folder)["manifest"]["rows"]["products"]["quarantine"] == 1
    shop.settings.write_text(text + entry.format(day="2020-01-01"))
    found = told("check", shop.folder)
    assert found["manifest"]["rows"]["products"]["quarantine"] == 2
    assert "expired" in {line["problem"] for line in found["problems"]}


@pytest.mark.parametrize("text", ['check = "C06"\nowner = "ann"\n', 'check = "C06"\nuntil = "2030-01-01"\n'])
def test_nothing_is_let_pass_for_ever_or_by_nobody(shop, text):
    shop.settings.write_text(shop.settings.read_text() + "[[quality.suppress]]\n" + text)
    with pytest.raises(MercerError, match=r"owner|until"):
        call("check", shop.folder)
