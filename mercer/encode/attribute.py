"""A model, a query and a passage in; what each of their words adds to the score, by integrated gradients, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Side
from mercer.encode.extra import need
from mercer.encode.head import head_of
from mercer.encode.model import Model
from mercer.encode.tokens import Tokens
from mercer.errors import SettingsError

__all__ = ["AttributeSettings", "Attributed", "Token", "by_cosine", "by_reranker"]

ROOM = 2048
"""Word pieces of interpolated texts that are looked at together."""
_HAN = range(0x4E00, 0xA000)

Span = tuple[int, int, int, int]
Score = Callable[[Any], Any]
"""Word vectors (n, tokens, hidden) of one text, interpolated, in; (n,) scores out."""


@dataclass(frozen=True, slots=True)
class AttributeSettings:
    """How exactly attributions are worked out."""

    steps: int = 16
    """Points of the path at first; they are doubled while the sum is not exact enough."""
    most: int = 128
    """Points of the path at most."""
    exact: float = 0.01
    """Share of the score's difference that the sum may be off by before points are doubled."""

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= self.most <= 4096:
            cure = "give 2 to 4096 steps, no more than most"
            raise SettingsError(f"steps is {self.steps}, most {self.most}", cure=cure)
        if not 0 < self.exact <= 1:
            raise SettingsError(f"exact is {self.exact}", cure="give a share above 0, at most 1")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text, and what it adds."""

    text: str
    start: int
    end: int
    """Where it stands in the text, in characters."""
    value: float
    """In the score's unit; below 0 it speaks against."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """What one text's words add to a score while the other text stays as it is.

    The values sum to `score` less `base` up to `gap`: completeness (Sundararajan, Taly and Yan 2017).
    """

    side: Side
    by: Literal["cosine", "reranker"]
    text: str
    score: float
    """A cosine, or a reranker's log-odds that the pair is right."""
    base: float
    """The same of the text with every word piece blank."""
    tokens: tuple[Token, ...]
    gap: float
    """What the values' sum is off by."""
    steps: int

    def json(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return asdict(self)


DEFAULTS = AttributeSettings()


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as a model reads it."""

    side: Side
    by: Literal["cosine", "reranker"]
    text: str
    spans: Sequence[Span]
    """Of every piece; those with word -1 stay as they are."""
    given: Any
    """Word vectors (1, tokens, hidden)."""


def by_cosine(
    model: Model, query: str, passage: str, *, length: int = 128, settings: AttributeSettings = DEFAULTS
) -> tuple[Attributed, Attributed]:
    """What the words of the query, then those of the passage, add to the cosine of both.

    Args:
        model: an encoder; its table of query vectors, where it has one, is left aside.
        query: as the encoder is asked.
        passage: as `retrieve.text.passage` makes it.
        length: longest text in word pieces, as it is served.
        settings: see there.

    Raises:
        ModelError: the model has its layers in int8 alone. MissingExtra: torch is not installed.
    """
    from mercer.encode.engine_torch import body

    torch, whole = need("torch"), body(model, attention="eager")
    most = min(length, model.positions)
    tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=most)
    texts: dict[Side, str] = {"query": query, "passage": passage}
    spans = {side: tokens.spans(text, side) for side, text in texts.items()}
    given = {side: _embedded(model, [span[0] for span in found]) for side, found in spans.items()}

    def said(embedded: Any) -> Any:
        return whole(embedded, torch.ones(embedded.shape[:2], dtype=torch.int64))

    def mine(side: Side, other: Side) -> Attributed:
        with torch.no_grad():
            fixed = said(given[other])[0]
        read = _Read(side, "cosine", texts[side], spans[side], given[side])
        return _attributed(model, read, lambda state: said(state) @ fixed, settings)

    return mine("query", "passage"), mine("passage", "query")


def by_reranker(
    model: Model, query: str, passage: str, *, settings: AttributeSettings = DEFAULTS
) -> tuple[Attributed, Attributed]:
    """What the words of the query, then those of the passage, add to a cross-encoder's log-odds that both fit.

    Of a head of classes it is the expected gain instead, of ratings the rating.

    Raises:
        ModelError: the model has no head, or one that says nothing of relevance. MissingExtra: torch is missing.
    """
    from mercer.encode.head_torch import module

    torch, head = need("torch"), head_of(model)
    whole = module(model, head, attention="eager")
    length = min(head.length, model.positions)
    tokens = Tokens(model.folder / "tokenizer.json", prefixes={}, max_length=length)
    first, second = tokens.spans(query, "query"), tokens.spans(passage, "passage")
    room = length - 3  # as encode.pair joins them
    kept = first[1:-1][: max(room - len(second) + 2, room // 2)]
    rest = second[1:-1][: room - len(kept)]
    rows = [first[0], *kept, first[-1], *rest, second[-1]]
    embedded = _embedded(model, [span[0] for span in rows])
    side = torch.tensor([[0] * (len(kept) + 2) + [1] * (len(rows) - len(kept) - 2)])

    def score(given: Any) -> Any:
        many = len(given)
        mask = torch.ones(given.shape[:2], dtype=torch.int64)
        outputs = whole(given, mask, side.expand(many, -1))
        if head.kind == "classes":
            head.relevance(np.zeros((1, head.outputs), np.float32))  # raises where classes are no gains
            return torch.softmax(outputs, 1) @ torch.tensor(head.gains)
        return head.scale * outputs[:, 0] + head.shift if head.kind == "relevance" else outputs[:, 0]

    found = []
    parts: tuple[tuple[Side, str, int, int], ...] = (
        ("query", query, 1, 1 + len(kept)),
        ("passage", passage, len(kept) + 2, len(rows) - 1),
    )
    for name, text, start, end in parts:
        mine = [span if start <= at < end else (span[0], 0, 0, -1) for at, span in enumerate(rows)]
        found.append(_attributed(model, _Read(name, "reranker", text, mine, embedded), score, settings))
    return found[0], found[1]


def _embedded(model: Model, ids: Sequence[int]) -> Any:
    """Word vectors (1, tokens, hidden)."""
    return need("torch").from_numpy(np.asarray(model.table[list(ids)], np.float32)[None])


def _attributed(model: Model, read: _Read, score: Score, settings: AttributeSettings) -> Attributed:
    """Integrate along the straight way from the text with blank pieces ([PAD]'s word vector) to the text."""
    torch = need("torch")
    given, own = read.given, torch.tensor([span[3] >= 0 for span in read.spans])
    blank = given.clone()
    blank[:, own] = _embedded(model, [int(model.config.get("pad_token_id") or 0)])[0]
    with torch.no_grad():
        reached, base = (float(score(state)[0]) for state in (given, blank))
    steps = settings.steps
    while True:
        values = _integrated(score, blank, given, steps)
        gap = float(values.sum()) - (reached - base)
        if abs(gap) <= settings.exact * max(abs(reached - base), 1e-3) or 2 * steps > settings.most:
            break
        steps *= 2
    words = tuple(_words(read.text, read.spans, values))
    return Attributed(read.side, read.by, read.text, reached, base, words, gap, steps)


def _integrated(score: Score, blank: Any, given: Any, steps: int) -> NDArray[np.float64]:
    """(tokens,): the mean gradient along the way times the way, by Gauss and Legendre's points."""
    torch = need("torch")
    places, weights = np.polynomial.legendre.leggauss(steps)
    way, total = given - blank, torch.zeros(given.shape[1], dtype=torch.float64)
    together = max(1, ROOM // given.shape[1])
    for start in range(0, steps, together):
        at = torch.tensor((places[start : start + together] + 1) / 2, dtype=torch.float32)
        share = torch.tensor(weights[start : start + together] / 2, dtype=torch.float32)
        state = (blank + at[:, None, None] * way).requires_grad_()
        (slope,) = torch.autograd.grad((score(state) * share).sum(), state)
        total += (slope * way).sum((0, 2)).double()
    found: NDArray[np.float64] = total.numpy()
    return found


def _words(text: str, spans: Sequence[Span], values: NDArray[np.float64]) -> list[Token]:
    """Pieces put together to words; of Han characters each piece stands for itself, as words have no blanks."""
    prepared, last = text.strip(), -1
    found: list[Token] = []
    for (_, start, end, word), value in zip(spans, values.tolist(), strict=True):
        if word < 0:
            continue
        piece = prepared[start:end]
        if word == last and found and not any(ord(one) in _HAN for one in found[-1].text + piece):
            before = found[-1]
            found[-1] = Token(prepared[before.start : end], before.start, end, before.value + value)
        else:
            found.append(Token(piece, start, end, value))
        last = word
    return found
