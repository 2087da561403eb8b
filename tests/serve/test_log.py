"""Nothing that names a person or opens a door gets into the server's log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from mercer.serve.guard_log import mask_logs
from mercer.serve.key import mint


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger as uvicorn has one, and what it wrote."""
    logger, text = logging.getLogger("tests.masked"), io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    mask_logs("tests.masked")
    mask_logs("tests.masked")
    yield logger, text
    logger.removeHandler(handler)


def test_a_traceback_is_masked_with_its_causes(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, text = written
    key, secret = mint("web", ("search",), now=0)
    try:
        try:
            raise ValueError(f"no shopper ann.li@shop.example, call 13800138000, sent Bearer {secret}")
        except ValueError as error:
            raise RuntimeError(f"{secret} cookie mercer_page=17.abc; mercer_shopper=s3cret-id") from error
    except RuntimeError:
        logger.exception("while answering %s", "bob@shop.example")
    said = text.getvalue()
    for hidden in (secret, secret[-20:], "ann.li", "bob@", "13800138000", "17.abc", "s3cret-id"):
        assert hidden not in said, said
    assert key.id in said, "which key it was may be known"
    assert "Traceback" in said
    assert "RuntimeError" in said
    assert "test_log.py" in said
    assert said.startswith("ERROR: while answering [email-1]")


def test_what_names_nobody_stays(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, text = written
    logger.warning("store/index/9f2eaa474c9ef491: 10000 products, 29126656 bytes, line 1234, 2026-11-24 00:14:35")
    assert (
        text.getvalue()
        .strip()
        .endswith("9f2eaa474c9ef491: 10000 products, 29126656 bytes, line 1234, 2026-11-24 00:14:35")
    )
