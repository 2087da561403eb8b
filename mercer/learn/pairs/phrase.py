"""Text in; the words that a shopper would type of it, as they are written, out."""

from __future__ import annotations

import re

__all__ = ["pieces"]

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:[-'’.][^\W_\u3400-\u9fff]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_PAIR = 2


def pieces(text: str) -> list[str]:
    """Words of alphabetic runs, and pieces of two characters of Chinese runs, in order.

    Two characters are what most Chinese words have; the overlap of such pieces is what BM25 here counts too, and it
    needs no dictionary that may not know the shop's words.

    >>> pieces("Nord steel-cup 350ml"), pieces("不锈钢保温杯 500ml")
    (['Nord', 'steel-cup', '350ml'], ['不锈', '钢保', '温杯', '500ml'])
    """
    found: list[str] = []
    for run in _RUN.findall(text):
        if _HAN.match(run):
            found.extend(run[at : at + _PAIR] for at in range(0, len(run), _PAIR))
        else:
            found.append(run)
    return found
