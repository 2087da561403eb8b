"""The name of an optional package in, the package or the line that installs it out."""

from __future__ import annotations

import importlib
from typing import Any

from mercer.errors import MissingExtra

__all__ = ["need"]


def need(package: str) -> Any:
    """Import a package of the extra ``models``.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtra(package, extra="models") from error
