"""A shop's store in; the secret behind its pseudonyms, made once and readable by its owner alone, out."""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.errors import ShopError
from mercer.quality.check import CheckSettings, find
from mercer.shop import disk_errors

if TYPE_CHECKING:
    from mercer.quality.settings import QualitySettings

__all__ = ["keep_private", "private_folder", "salt_of", "salted", "shop_salt"]

PRIVATE = 0o600
CHECKS = ("T01", "C17")
"""Those that write pseudonyms."""


def shop_salt(store: Path) -> str:
    """The secret in ``store/quality/salt`` (mode 0600); it is made when it is first asked for.

    Who loses it gets other pseudonyms with the next check, and nothing else.

    Raises:
        DiskFull: there is no room for it.
        ShopError: the file is empty.
    """
    path = store / "quality" / "salt"
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        except FileExistsError:
            keep_private(path)
        else:
            with open(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
    salt = path.read_text("ascii").strip()
    if not salt:
        raise ShopError(f"{path} is empty", cure=f"delete {path}; the next check makes another")
    return salt


def keep_private(path: Path) -> None:
    """Let nobody but the owner read a file."""
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE)


def private_folder(path: Path) -> Path:
    """The folder, made where it is not there, that nobody but the owner may look into."""
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
    return path


def salt_of(settings: QualitySettings) -> str:
    """What T01 makes pseudonyms with."""
    return str(getattr(settings.of(find("T01")), "salt", ""))


def salted(settings: QualitySettings, salt: str) -> QualitySettings:
    """The settings with `salt` wherever pseudonyms are made and the owner gave no other."""

    def own(given: CheckSettings) -> CheckSettings:
        return given if getattr(given, "salt", salt) else dataclasses.replace(given, salt=salt)  # type: ignore[call-arg]

    checks = {**settings.checks, **{id: own(settings.of(find(id))) for id in CHECKS}}
    sources = {id: {name: own(one) for name, one in places.items()} for id, places in settings.sources.items()}
    return dataclasses.replace(settings, checks=checks, sources=sources)
