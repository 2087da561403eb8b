"""As mercer/bench/score.py."""

from mercer.bench.score import *  # noqa: F403
