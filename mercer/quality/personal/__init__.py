"""A text in; where it names a person, and the text with pseudonyms in their place, out."""

from mercer.quality.personal.kind import KINDS
from mercer.quality.personal.pseudonym import mask
from mercer.quality.personal.recognise import find
from mercer.quality.personal.span import Span

__all__ = ["KINDS", "Span", "find", "mask"]
