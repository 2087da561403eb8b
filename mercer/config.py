"""What the owner set: mercer.toml in, one frozen settings class a section out; knows no room."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mercer.errors import SettingsError

__all__ = ["read", "section"]

Settings = TypeVar("Settings")


def read(path: Path, *, known: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read a TOML file whose top level is sections named in `known`; a missing file is no settings.

    Raises:
        SettingsError: the file is no TOML, or has a section that nobody knows.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", cure="make it a file you may read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} is no TOML: {error}", cure="mend that line") from error
    names = list(known)
    for name, value in data.items():
        if name not in names:
            raise SettingsError(f"section [{name}] of {path.name} is unknown", cure=_nearest(name, names))
        if not isinstance(value, dict):
            raise SettingsError(f"{path.name} sets {name} = {value!r} outside a section", cure=_nearest(name, names))
    return data


def section(data: Mapping[str, Any], kind: type[Settings], *, name: str) -> Settings:
    """Fill the frozen settings class `kind` from one section.

    Raises:
        SettingsError: an unknown key (the nearest right name is given) or a value of the wrong type.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Depth:
    ...     candidates: int = 200
    >>> section({"candidates": 50}, Depth, name="search")
    Depth(candidates=50)
    >>> section({"candidate": 50}, Depth, name="search")
    Traceback (most recent call last):
    mercer.errors.SettingsError: [search] candidate is unknown; did you mean candidates?
    """
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]  # kind is a dataclass by contract
    values = {}
    for key, value in data.items():
        if key not in names:
            raise SettingsError(f"[{name}] {key} is unknown", cure=_nearest(key, names))
        values[key] = _fit(value, hints[key], f"[{name}] {key}")
    return kind(**values)


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(names))}"


def _fit(value: Any, hint: Any, where: str) -> Any:
    """`value` as `hint` wants it: lists become tuples, ints become floats, nothing else is bent."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        return _fit(value, inner[0], where)
    if origin is typing.Literal:
        if value not in arguments:
            raise SettingsError(f"{where} is {value!r}", cure=f"give one of {', '.join(map(repr, arguments))}")
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise SettingsError(f"{where} is {value!r}", cure="give a table of names and values")
        return section(value, hint, name=where.strip("[]").replace("] ", "."))
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{where} is {value!r}", cure=f"give a list: [{value!r}]")
        return tuple(_fit(item, arguments[0], where) for item in value)
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        if isinstance(value, dict):
            return {str(key): _fit(item, arguments[1], f"{where}.{key}") for key, item in value.items()}
        raise SettingsError(f"{where} is {value!r}", cure="give a table of names and values")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = _real(value, where)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
        raise SettingsError(f"{where} is {value!r}", cure=f"give a value of type {hint.__name__}")
    return value


def _real(value: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise SettingsError(f"{where} has more than 300 digits", cure="give a smaller number") from error
