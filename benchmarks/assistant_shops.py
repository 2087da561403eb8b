"""A folder in; the invented shop and litemall, checked, indexed and with their assistants learned, out."""

from __future__ import annotations

from pathlib import Path

from mercer.cli.check import check_shop
from mercer.cli.index import build_with_progress
from mercer.cli.init import _guess, _write
from mercer.cli.learn_assistant import learn_assistant
from mercer.cli.settings import read_settings
from mercer.sample import SampleSettings, generate
from mercer.shop import Shop

__all__ = ["shops"]

SAMPLE = SampleSettings(products=300, shoppers=300, events=8000, queries=20, images=0, seed=7)
"""The shop that the judged questions are about."""


def shops(work: Path, data: Path) -> dict[str, Path]:
    """Name → folder; what is there already is used again."""
    made = {"sample": work / "sample", "litemall": work / "litemall"}
    if not made["sample"].exists():
        files = generate(made["sample"] / "raw", SAMPLE).files
        _built(made["sample"], dict(files))
    if not made["litemall"].exists():
        home = data / "shop" / "litemall"
        _built(made["litemall"], {name: home / f"{name}.jsonl" for name in ("products", "reviews", "faq")})
    return made


def _built(folder: Path, files: dict[str, Path]) -> None:
    guesses = _guess(files, ask=False, quiet=True)
    _write(folder, files, {family: guess.mapping for family, guess in guesses.items()}, "UTC")
    shop = Shop.create(folder)
    check_shop(shop)
    shop.publish("index", build_with_progress(shop, read_settings(folder)).version)
    learn_assistant(folder, promote=True, override="", seed=None, json=False)


if __name__ == "__main__":
    import sys

    print(shops(Path(sys.argv[1]), Path(sys.argv[2])))
