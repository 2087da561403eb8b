"""The injectors of mercer/bench/dirt, where `mercer bench dirt` has them too; a file put here goes before its like."""

from pathlib import Path

from mercer.bench import dirt
from mercer.bench.dirt import *  # noqa: F403

if str(Path(__file__).parent) not in dirt.__path__:
    dirt.__path__ = [str(Path(__file__).parent), *dirt.__path__]
__path__ = dirt.__path__
