"""mercer doctor: it looks, says, and never raises over what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def states(notes: list[dict[str, str]]) -> dict[str, str]:
    return {note["subject"]: note["state"] for note in notes}


def test_a_good_shop_and_no_shop(mercer: Any, tiny_shop: Path) -> None:
    ran = mercer("doctor", tiny_shop, "--json")
    found = states(ran.json)
    assert {found[name] for name in ("shop", "mercer.toml", "checked", "index", "doors")} == {"good"}
    assert ran.code == (1 if "bad" in found.values() else 0)
    assert "shop" not in states(mercer("doctor", "--json").json)
    assert "doors" in mercer("doctor", tiny_shop).err


@pytest.mark.parametrize(
    ("name", "text", "subject"),
    [
        ("store/live.json", "{", "live"),
        ("store/format.json", '{"format": 9}', "shop"),
        ("mercer.toml", "[serach]", "shop"),
        ("mercer.toml", "[rank]\ndense = nan", "shop"),
    ],
)
def test_what_is_damaged_is_bad_with_exit_code_1(
    mercer: Any, own_shop: Path, name: str, text: str, subject: str
) -> None:
    (own_shop / name).write_text(text, "utf-8")
    ran = mercer("doctor", own_shop, "--json")
    assert ran.code == 1
    assert states(ran.json)[subject] == "bad"


def test_a_damaged_index_is_bad(mercer: Any, own_shop: Path) -> None:
    for path in (own_shop / "store" / "index").glob("*/suggest.json"):
        path.write_text("{", "utf-8")
    ran = mercer("doctor", own_shop, "--json")
    assert ran.code == 1
    assert states(ran.json)["doors"] == "bad"
