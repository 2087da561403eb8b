"""A seed in, an invented bilingual shop with shoppers whose right answers are known out."""

from mercer.sample import truth
from mercer.sample.generate import FILES, STEPS, Summary, generate
from mercer.sample.settings import SampleSettings

__all__ = ["FILES", "STEPS", "SampleSettings", "Summary", "generate", "truth"]
