"""`mercer serve`: clear words before anything is served."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mercer.cli.serve import image_folder, listen
from mercer.errors import UsageError


def test_a_port_in_use_names_one_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} .* is in use") as caught:
            listen("127.0.0.1", port)
        free = int(caught.value.cure.split("--port ")[1])
        listen("127.0.0.1", free).close()


@pytest.mark.parametrize("host", ["no such host", "host.invalid", "a" * 300])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        listen(host, 0)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(UsageError, match="cannot be listened on"):
        listen("192.0.2.1", 0)  # TEST-NET-1, RFC 5737


def test_images_lie_beside_the_catalogue(tmp_path: Path) -> None:
    assert image_folder(tmp_path) is None
    (tmp_path / "mercer.toml").write_text('[data]\nproducts = "raw/products.csv"\n', "utf-8")
    assert image_folder(tmp_path) == tmp_path / "raw"
    (tmp_path / "mercer.toml").write_text('[data]\nproducts = "/elsewhere/products.csv"\n', "utf-8")
    assert image_folder(tmp_path) == Path("/elsewhere")
