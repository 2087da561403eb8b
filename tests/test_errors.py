"""The error tree: drawn as it is, every branch with an exit code, a status, a problem and a cure."""

from __future__ import annotations

import re

import pytest

from mercer import errors
from mercer.errors import DataError, GateBlocked, MercerError, MissingExtra, ShopError, UsageError

TREE = [kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type)]


@pytest.mark.parametrize("kind", TREE)
def test_each_gives_problem_cure_exit_code_and_status(kind: type[MercerError]) -> None:
    error = kind("k is 0", extra="models") if kind is MissingExtra else kind("k is 0", cure="give k")
    assert "k is 0" in error.problem
    assert error.cure
    assert str(error) == f"{error.problem}; {error.cure}"
    assert error.exit_code == (1 if kind is GateBlocked else 2)
    assert 400 <= error.status < 600


def test_the_drawing_is_the_tree() -> None:
    parents = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[2:]:
        found = re.match(r"^([│├└─ ]*)(\w+)", line)
        assert found, line
        path[len(found[1]) // 4 :] = [found[2]]
        parents[found[2]] = path[-2] if len(path) > 1 else "Exception"
    assert parents == {kind.__name__: kind.__bases__[0].__name__ for kind in TREE}


def test_all_names_are_public() -> None:
    defined = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == "mercer.errors"
    }
    assert defined == set(errors.__all__)


def test_a_cure_is_required() -> None:
    for kind in (MercerError, UsageError, DataError, ShopError):
        with pytest.raises(TypeError):
            kind("only a problem")  # type: ignore[call-arg]
