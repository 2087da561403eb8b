"""mercer demo without its server: the whole story on a small invented shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_the_story_ends_with_a_measured_shop(
    mercer: Any, tmp_path: Path, tiny_bert: Path, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mercer.cli import init
    from mercer.sample import SampleSettings, generate

    def small(shop: Path, **_: Any) -> Any:
        made = generate(
            shop / "raw", SampleSettings(products=200, shoppers=30, events=900, queries=20, images=2, dirt=0.02)
        )
        with (shop / "mercer.toml").open("w", encoding="utf-8") as settings:
            settings.write(tiny_model)
        return made

    monkeypatch.setattr(init, "_sample", small)
    (tmp_path / "demo" / "raw").mkdir(parents=True)
    ran = mercer("demo", tmp_path / "demo", "--no-serve", "--json", "--products", 200)
    assert ran.code == 0, ran.err
    assert set(ran.json["seconds"]) == {"generate", "check", "index", "measure", "assistant"}
    assert ran.json["dirt"]["injected"] >= ran.json["dirt"]["found"] > 0
    assert "mercer serve" in " ".join(ran.err.split())
    assert mercer("search", tmp_path / "demo", "连衣裙", "--json").json["hits"]
    assert mercer("ask", tmp_path / "demo", "几天能到？", "--json").json["answer"]


def test_what_cannot_be_is_wrong_use(mercer: Any, tmp_path: Path) -> None:
    assert mercer("demo", tmp_path / "demo", "--products", 3, "--no-serve").code == 2
    assert mercer("demo", tmp_path / "demo", "--dirt", 5, "--no-serve").code == 2
    assert not (tmp_path / "demo" / "store").exists()
