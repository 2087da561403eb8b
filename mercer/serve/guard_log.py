"""What the server would write to its log in; the same without keys, addresses and numbers of people out."""

from __future__ import annotations

import logging
import re

from mercer.quality.conceal import NUMBERS
from mercer.quality.personal import mask
from mercer.serve.key import TOKEN

__all__ = ["Masked", "mask_logs"]

BEARER = re.compile(r"(?i)(bearer|basic)\s+[^\s'\",]+")
COOKIE = re.compile(r"(mercer_(?:page|shopper|session|owner))=[^;\s'\"]+")


class Masked(logging.Formatter):
    """Another formatter's text, masked: message, values in it and the exception with its causes.

    >>> record = logging.LogRecord("x", 40, "", 0, "ann@shop.example asked with Bearer abc", (), None)
    >>> Masked(logging.Formatter()).format(record)
    '[email-1] asked with Bearer [hidden]'
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a traceback, that may be kept."""
        text = TOKEN.sub(r"mercer_\1_[hidden]", self._formatter.format(record))
        text = COOKIE.sub(r"\1=[hidden]", BEARER.sub(r"\1 [hidden]", text))
        return mask(text, salt="", kinds=NUMBERS)[0]


def mask_logs(*names: str) -> None:
    """Let every handler of these loggers write masked lines."""
    for name in names:
        for handler in logging.getLogger(name).handlers:
            if not isinstance(handler.formatter, Masked):
                handler.setFormatter(Masked(handler.formatter or logging.Formatter()))
