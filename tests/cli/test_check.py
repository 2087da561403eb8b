"""mercer check and mercer quarantine, as an owner uses them."""

import json

import pytest
from typer.testing import CliRunner

from mercer.cli import app
from mercer.errors import GateBlocked, MercerError
from mercer.shop import Shop

run = CliRunner()


@pytest.fixture
def shop(tmp_path):
    """Forty products, two of them at no price."""
    opened = Shop.create(tmp_path / "shop")
    lines = ["id,title,price"] + [f"p{index},Mug {index},{0 if index < 2 else 5 + index % 3}" for index in range(40)]
    (tmp_path / "products.csv").write_text("\n".join(lines) + "\n")
    opened.settings.write_text('[data]\nproducts = "../products.csv"\n')
    return opened


def call(*arguments):
    result = run.invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_check_makes_a_version_live(shop):
    told = json.loads(call("check", shop.folder, "--json").stdout)
    assert told["gate"]["decision"] == "warn"
    assert told["manifest"]["rows"]["products"] == {"raw": 40, "trusted": 38, "quarantine": 2}
    assert told["problems"][0]["problem"] == "not_positive"
    assert shop.live("checked").version == told["version"]
    assert (shop.path("checked", told["version"]) / "report.html").exists()


def test_unchanged_input_says_so_and_changed_settings_check_again(shop):
    first = json.loads(call("check", shop.folder, "--json").stdout)
    again = json.loads(call("check", shop.folder, "--json").stdout)
    assert (first["unchanged"], again["unchanged"]) == (False, True)
    assert again["version"] == first["version"]
    shop.settings.write_text(shop.settings.read_text() + '[quality]\ndisable = ["C06"]\n')
    changed = json.loads(call("check", shop.folder, "--json").stdout)
    assert not changed["unchanged"]
    assert changed["gate"]["decision"] == "pass"


def test_a_blocked_version_is_kept_and_not_live(shop):
    good = json.loads(call("check", shop.folder, "--json").stdout)["version"]
    shop.settings.write_text(shop.settings.read_text() + "[quality]\nmax_quarantine = 0.0\nalways_allowed = 0\n")
    for _ in range(2):
        with pytest.raises(GateBlocked, match=r"2 of 40 rows \(5.00%\)"):
            call("check", shop.folder)
    assert shop.live("checked").version == good
    assert len(shop.versions("checked")) == 2
    assert GateBlocked.exit_code == 1


def test_settings_of_one_check(shop):
    shop.settings.write_text(shop.settings.read_text() + '[quality.C06.actions]\nnot_positive = "warn"\n')
    told = json.loads(call("check", shop.folder, "--json").stdout)
    assert told["manifest"]["rows"]["products"]["quarantine"] == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[quality]\nmax_quarantin = 0.1\n", "max_quarantine"),
        ("[quality.C99]\nwarn_if = 0.1\n", "C99"),
        ("[quality.C06]\nlimits = 3\n", "limit"),
        ('[quality]\ndisable = ["C99"]\n', "C99"),
    ],
)
def test_wrong_settings_name_the_right_ones(shop, text, says):
    shop.settings.write_text(shop.settings.read_text() + text)
    with pytest.raises(MercerError, match=says) as caught:
        call("check", shop.folder)
    assert caught.value.exit_code == 2


def test_a_row_is_listed_explained_and_put_back(shop):
    with pytest.raises(MercerError, match="mercer check"):
        call("quarantine", shop.folder, "list")
    call("check", shop.folder)
    listed = json.loads(call("quarantine", shop.folder, "list", "--check", "C06", "--json").stdout)
    assert listed["count"] == 2
    hash_ = listed["rows"][0]["row_hash"]
    told = json.loads(call("quarantine", shop.folder, "explain", "products:0", "--json").stdout)
    assert told[0]["row"]["row_hash"] == hash_
    assert told[0]["findings"][0]["check_id"] == "C06"
    call("quarantine", shop.folder, "restore", hash_)
    after = json.loads(call("check", shop.folder, "--json").stdout)
    assert after["manifest"]["rows"]["products"]["trusted"] == 39
    call("quarantine", shop.folder, "forget", hash_)
    assert json.loads(call("check", shop.folder, "--json").stdout)["manifest"]["rows"]["products"]["trusted"] == 38


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "products:7"], ["restore", "nothing"], ["forget", "x"]])
def test_rows_that_are_not_there(shop, arguments):
    call("check", shop.folder)
    with pytest.raises(MercerError):
        call("quarantine", shop.folder, *arguments)


def test_a_row_that_cannot_be_used_is_not_put_back(shop):
    path = shop.folder.parent / "products.csv"
    path.write_text(path.read_text() + ",no id,5\n")
    call("check", shop.folder)
    with pytest.raises(MercerError, match="mend it in the raw file"):
        call("quarantine", shop.folder, "restore", "products:40")


def test_a_bad_update_is_told_and_the_product_goes_on(shop):
    file = shop.folder.parent / "products.csv"
    first = json.loads(call("check", shop.folder, "--json").stdout)["version"]
    file.write_text(file.read_text().replace("p7,Mug 7,", "p7,,"))
    told = json.loads(call("check", shop.folder, "--json").stdout)
    assert {name: told["manifest"]["served"][name] for name in ("last_good", "partly")} == {"last_good": 1, "partly": 2}
    rows = json.loads(call("quarantine", shop.folder, "list", "--json").stdout)["rows"]
    assert {row["id"]: row.get("served") for row in rows} == {
        "p0": "it serves without price",
        "p1": "it serves without price",
        "p7": f"the row of run {first} goes on serving",
    }
    assert f"the row of run {first} goes on serving" in " ".join(
        call("quarantine", shop.folder, "explain", "products:7").output.split()
    )
    page = (shop.path("checked", told["version"]) / "report.html").read_text("utf-8")
    assert "goes on serving" in page
    assert first in page
    assert json.loads(call("check", shop.folder, "--again", "--json").stdout)["version"] == told["version"]
    assert "go on with the row accepted last" in call("check", shop.folder).output
