"""An answer as it was given in; the same as the log may keep it, with the models that gave it, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mercer.encode import Encoder
from mercer.events.accept import LONGEST
from mercer.events.answer import Answer
from mercer.quality.conceal import NUMBERS
from mercer.quality.personal import mask
from mercer.rank.reranker import Reranker
from mercer.search.learned import Learned

__all__ = ["models", "noted"]


def models(encoder: Encoder, learned: Learned | None, reranker: Reranker | None) -> dict[str, str]:
    """encoder, ranker, reranker → the name of each that answers."""
    names = {"encoder": encoder.name}
    if learned:
        names["ranker"] = learned.trees.name
    return names | ({"reranker": reranker.name} if reranker else {})


def noted(answer: Answer, models: Mapping[str, str]) -> Answer:
    """With the query masked as the server's own log is, cut to what the log takes.

    >>> noted(Answer("q", 0, query="call 13800138000"), {"encoder": "m"})
    Answer(query_id='q', time=0, scene='', query='call [mobile-1]', total=0, offset=0, shopper='', session='', \
device='', version='', models={'encoder': 'm'}, arm=None, degraded='')
    """
    query = mask(answer.query, salt="", kinds=NUMBERS)[0] if answer.query else ""
    return replace(
        answer, query=query[:LONGEST], degraded=answer.degraded[:LONGEST], models={**models, **answer.models}
    )
