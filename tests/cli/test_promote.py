"""mercer promote and mercer rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mercer.shop import Kind, Shop


def versions(shop: Path, *names: str, kind: Kind = "index") -> Shop:
    opened = Shop.create(shop)
    for name in names:
        with opened.writing(kind) as folder:
            opened.keep(kind, folder, {}, version=name)
    return opened


def test_promote_and_back(mercer: Any, refused: Any, tmp_path: Path) -> None:
    shop = versions(tmp_path / "shop", "e5/1", "e5/2")
    folder = shop.folder
    assert mercer("promote", folder, "e5/1", "--json").json == {"kind": "index", "live": "e5/1", "before": []}
    assert mercer("promote", folder, "--json").json["live"] == "e5/2", "the newest"
    assert mercer("rollback", folder, "--json").json == {"kind": "index", "live": "e5/1", "before": []}
    assert "no index version was live before" in refused("rollback", folder)
    assert shop.live("index").version == "e5/1"


def test_what_is_not_there_is_refused(refused: Any, tmp_path: Path) -> None:
    folder = versions(tmp_path / "shop", "e5/1", kind="models").folder
    assert "known: e5/1" in refused("promote", folder, "e5/9", "--kind", "models")
    for version in ("../../x", "/etc", "x" * 5000):
        assert "cannot be" in refused("promote", folder, version, "--kind", "models")
    assert "has no index version" in refused("promote", folder)
    assert "is no shop" in refused("promote", tmp_path / "none")
    assert "is no shop" in refused("rollback", tmp_path / "none")
