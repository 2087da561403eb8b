"""`mercer compress`: a version that is kept and opens, figures before and after, refusals with a cure, never live."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mercer.doors.prove import read_proof
from mercer.encode import load
from mercer.shop import Shop, write_json

pytest.importorskip("torch")
pytest.importorskip("onnx")


def test_a_version_is_kept_and_not_live(mercer: Callable[..., Any], own_shop: Path) -> None:
    before = Shop(own_shop).live("index")
    ran = mercer(
        "compress", own_shop, "--trim", "--dimension", 24, "--int8", "--limit", 0.9, "--static",
        "--static-limit", 1, "--json",
    )  # fmt: skip
    told = ran.json
    assert [step["name"] for step in told["steps"]] == ["trim", "dimension", "int8", "static"]
    for step in told["steps"]:
        for side in ("before", "after"):
            assert step[side]["bytes"] > 0
            assert step[side]["queries"] > 0
            assert 0 <= step[side]["quality"]["judged"] <= 1
    shop = Shop(own_shop)
    assert shop.live("index") == before
    assert shop.live("models") is None
    card = shop.card("models", told["version"])
    assert card["compressed"] is True
    assert card["dimension"] == 24
    assert card["steps"] == told["steps"]
    encoder = load(str(shop.path("models", told["version"])))
    assert encoder(["red cup"], side="query").shape == (1, 24)
    assert encoder.engine == "static"
    assert not list(shop.store.glob(".compress-*"))


def test_table_for_people(mercer: Callable[..., Any], own_shop: Path) -> None:
    ran = mercer("compress", own_shop, "--trim")
    assert ran.code == 0, ran.err
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == ["full", "trim"]
    assert "0.00%" in ran.out
    assert "is not live: mercer promote" in ran.err.replace("\n", "")


def test_layers_are_healed(mercer: Callable[..., Any], own_shop: Path) -> None:
    told = mercer("compress", own_shop, "--layers", 1, "--limit", 1, "--json").json
    assert told["steps"][0]["facts"]["layers"] == [1]
    assert "before_healing" in told["steps"][0]["facts"]


def test_an_index_can_stand_on_what_is_no_worse(mercer: Callable[..., Any], own_shop: Path) -> None:
    told = mercer("compress", own_shop, "--trim", "--json").json
    proof = read_proof(Shop(own_shop).path("models", told["version"]))
    assert proof["passes"] is True
    assert proof["comparisons"]["nDCG@10"]["difference"] == 0.0
    ran = mercer("promote", own_shop, told["version"], "--kind", "models")
    assert ran.code == 0, ran.err
    live = Shop(own_shop).live("index")
    assert live is not None
    card = Shop(own_shop).card("index", live.version)
    assert card["encoder"]["model"] == told["version"]
    assert mercer("search", own_shop, "red cup").code == 0


def test_trimming_proves_nothing_of_a_bad_model(mercer: Callable[..., Any], own_shop: Path) -> None:
    told = mercer("compress", own_shop, "--trim", "--json").json
    folder = Shop(own_shop).path("models", told["version"])
    proof = read_proof(folder)
    proof["comparisons"]["nDCG@10"] |= {"difference": -0.2, "low": -0.3, "high": -0.1}
    write_json(folder / "proof.json", proof | {"passes": False})
    ran = mercer("promote", own_shop, told["version"], "--kind", "models")
    assert ran.code == 1
    assert "is worse" in ran.err
    again = mercer("compress", own_shop, "--dimension", 24, "--limit", 1, "--model", told["version"], "--json").json
    assert read_proof(Shop(own_shop).path("models", again["version"])) == {}


def test_refusals_have_a_cure(refused: Callable[..., str], own_shop: Path) -> None:
    assert "--trim" in refused("compress", own_shop)
    assert "limit is 0.00%" in refused("compress", own_shop, "--dimension", 1, "--limit", 0)
    assert "limit is 3" in refused("compress", own_shop, "--trim", "--limit", 3)
    assert "9 of 2 layers" in refused("compress", own_shop, "--layers", 9)
    assert "no models version" in refused("compress", own_shop, "--trim", "--model", "encoder/none")
    assert Shop(own_shop).versions("models") == []
