"""What can go wrong, as one tree; every message gives the value seen and the cure.

MercerError
├── UsageError                 the caller asked for something that cannot be (exit 2, HTTP 4xx)
│   ├── SettingsError          mercer.toml or a settings class
│   ├── RequestError           a query, k, offset, filter or scene that cannot be served
│   └── NotFoundError          a shop, version, product or file that is not there
├── DataError                  a file or row that cannot be read or trusted
│   ├── EncodingError          bytes that are no known text
│   ├── FormatError            half a JSON line, shifted columns, a missing required column
│   └── GateBlocked            the data gate is closed (exit 1)
├── ShopError                  the folder on disk
│   ├── ShopLocked             another process holds it
│   ├── ShopTooNew             written by a later Mercer
│   └── DiskFull               no space left
├── MissingExtra               an optional package is not installed
└── ModelError                 a model that cannot be loaded or does not fit
"""

from __future__ import annotations

__all__ = [
    "DataError",
    "DiskFull",
    "EncodingError",
    "FormatError",
    "GateBlocked",
    "MercerError",
    "MissingExtra",
    "ModelError",
    "NotFoundError",
    "RequestError",
    "SettingsError",
    "ShopError",
    "ShopLocked",
    "ShopTooNew",
    "UsageError",
]


class MercerError(Exception):
    """Root of the tree: ``problem`` gives the value seen, ``cure`` what to do about it.

    >>> str(MercerError("k is 0", cure="give k between 1 and 1000"))
    'k is 0; give k between 1 and 1000'
    """

    exit_code = 2
    status = 400
    """HTTP status that `serve` answers with."""

    def __init__(self, problem: str, *, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


class UsageError(MercerError):
    """The caller asked for something that cannot be."""


class SettingsError(UsageError):
    """A setting that is unknown, of the wrong type or out of range."""


class RequestError(UsageError):
    """A request that cannot be served as asked."""

    status = 422


class NotFoundError(UsageError):
    """Something named is not there."""

    status = 404


class DataError(MercerError):
    """Data that cannot be read or trusted."""


class EncodingError(DataError):
    """Bytes that are no text in any encoding Mercer reads."""


class FormatError(DataError):
    """A file whose shape is wrong."""


class GateBlocked(DataError):
    """The data gate is closed."""

    exit_code = 1
    status = 409


class ShopError(MercerError):
    """The shop folder cannot be used as it is."""

    status = 503


class ShopLocked(ShopError):
    """Another process holds the shop open."""


class ShopTooNew(ShopError):
    """The shop was written by a later version of Mercer."""


class DiskFull(ShopError):
    """No space is left for what must be written."""

    status = 507


class MissingExtra(MercerError):
    """An optional package is not installed.

    >>> str(MissingExtra("zvec", extra="models"))
    "package zvec is not installed; run: pip install 'mercer[models]'"
    """

    status = 501

    def __init__(self, package: str, *, extra: str, install: str | None = None) -> None:
        super().__init__(
            f"package {package} is not installed",
            cure="run: " + (install or f"pip install 'mercer[{extra}]'"),
        )


class ModelError(MercerError):
    """A model that cannot be loaded, or whose shape does not fit."""

    status = 503
