"""A tower and its steps in; the Hugging Face trainer that runs them, with large batches in little memory, out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import transformers
from torch import Tensor, nn

from mercer.encode.encoder import Side
from mercer.learn.adversarial import Uphill
from mercer.learn.objective import Batch, total
from mercer.learn.step import Plan
from mercer.learn.tower import Tower

__all__ = ["Beside", "Tuner", "loss_of", "vectors"]

Beside = Callable[[nn.Module, int], Tensor]
"""The module and the number of the step in; a loss that is added to the step's own out."""


class Tuner(transformers.Trainer):
    """Trains a `Tower` (bare, or wrapped by an adapter or by several GPUs) on `Plan`s.

    A step whose texts have more than `tokens` word pieces goes through gradient caching (GradCache, Gao et al. 2021):
    vectors without gradients, the loss and its gradient by vector, then chunk by chunk the vectors again with
    gradients. Memory is that of one chunk, time a third more; the gradients are the same.
    """

    def __init__(
        self,
        *,
        temperature: float,
        margin: float,
        tokens: int,
        judge: Callable[[Tower], float] | None,
        epsilon: float = 0.0,
        beside: Sequence[Beside] = (),
        **rest: Any,
    ) -> None:
        """Take what `Trainer` takes.

        Args:
            temperature, margin, tokens: see `LearnSettings`.
            judge: ranks the validation queries and says how well.
            epsilon: how far word vectors are moved for a second look at each step; 0 is no second look.
            beside: losses that are added to a step's own.
            rest: for `transformers.Trainer`.
        """
        super().__init__(data_collator=_only, **rest)
        self._how = (temperature, margin)
        self._tokens = tokens
        self._judge = judge
        self._epsilon, self._beside = epsilon, tuple(beside)

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """The step's loss with all activations kept."""
        plan: Plan = inputs["plan"]
        tower = tower_of(model)
        asked = vectors(model, tower, plan.queries, "query", self._tokens)
        found = vectors(model, tower, plan.passages, "passage", self._tokens)
        return loss_of(plan, asked, found, *self._how)

    def training_step(self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """One step forward and back, a second time with moved word vectors where that is set, and what is beside."""
        if self._epsilon:
            uphill = Uphill(_embeddings(tower_of(model)), self._epsilon)
            with uphill.looking():
                loss = self._forth_and_back(model, inputs, num_items_in_batch)
            with uphill.moved():
                self._forth_and_back(model, inputs, num_items_in_batch)
        else:
            loss = self._forth_and_back(model, inputs, num_items_in_batch)
        for more in self._beside:
            with self.compute_loss_context_manager():
                added = more(model, self.state.global_step) / self.current_gradient_accumulation_steps
            self.accelerator.backward(added)
        return loss

    def _forth_and_back(self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """See the class for large steps."""
        plan: Plan = inputs["plan"]
        tower = tower_of(model)
        if pieces_in(tower, plan) <= self._tokens:
            loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
            return loss
        model.train()
        sides = [_Side(model, tower, plan.queries, "query"), _Side(model, tower, plan.passages, "passage")]
        with self.compute_loss_context_manager():
            asked, found = (side.leaf(self._tokens) for side in sides)
            loss = loss_of(plan, asked, found, *self._how) / self.current_gradient_accumulation_steps
        self.accelerator.backward(loss)
        for side, leaf in zip(sides, (asked, found), strict=True):
            for surrogate, last in side.again(leaf, self._tokens, self.compute_loss_context_manager):
                with self._quietly(model, aloud=last and side is sides[-1]):
                    surrogate().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return loss.detach()

    def _quietly(self, model: nn.Module, *, aloud: bool) -> contextlib.AbstractContextManager[Any]:
        """Gradients are exchanged between GPUs once a step, with the last chunk."""
        if aloud or self.accelerator.num_processes == 1:
            return contextlib.nullcontext()
        quiet: contextlib.AbstractContextManager[Any] = self.accelerator.no_sync(model)
        return quiet

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Rank the validation queries; the figure is logged as ``eval_nDCG@10``."""
        if self._judge is None:
            return {}
        metrics = {"eval_nDCG@10": self._judge(tower_of(self.model))}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


@dataclass(slots=True)
class _Side:
    """Texts of one side of a step, encoded twice with the same dropout: without gradients, then with."""

    model: nn.Module
    tower: Tower
    texts: Sequence[str]
    side: Side
    seed: int = field(default_factory=lambda: int(torch.randint(2**31, ()).item()))

    def leaf(self, tokens: int) -> Tensor:
        """Their vectors, at which the loss's gradient is caught."""
        with torch.no_grad(), self._dropout():
            return vectors(self.model, self.tower, self.texts, self.side, tokens).requires_grad_()

    def again(
        self, leaf: Tensor, tokens: int, precision: Callable[[], contextlib.AbstractContextManager[Any]]
    ) -> Iterator[tuple[Callable[[], Tensor], bool]]:
        """For each chunk what makes the number whose gradient is that of the loss, and whether it is the last."""
        pieces = list(self.tower.chunks(self.texts, self.side, tokens))
        caught = cast(Tensor, leaf.grad)
        with self._dropout():
            for number, (chosen, given, mask) in enumerate(pieces, 1):

                def surrogate(given: Tensor = given, mask: Tensor = mask, rows: list[int] = chosen) -> Tensor:
                    with precision():
                        part: Tensor = (self.model(given, mask) * caught[rows]).sum()
                    return part

                yield surrogate, number == len(pieces)

    @contextlib.contextmanager
    def _dropout(self) -> Iterator[None]:
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(self.seed)
            yield


def loss_of(plan: Plan, asked: Tensor, found: Tensor, temperature: float, margin: float) -> Tensor:
    """The plan's objectives over the cosines of unit vectors (b, hidden) and (m, hidden)."""
    device = asked.device
    teacher = torch.from_numpy(plan.teacher).to(device) if plan.teacher.size else None
    batch = Batch(
        (asked @ found.T).float(),
        torch.from_numpy(plan.gains).to(device),
        torch.from_numpy(plan.weights).to(device),
        teacher,
        temperature,
        margin,
    )
    return total(plan.objectives)(batch)


def vectors(model: nn.Module, tower: Tower, texts: Sequence[str], side: Side, tokens: int) -> Tensor:
    """Unit vectors (n, hidden) of texts in their order, with gradients where they are on."""
    rows: list[int] = []
    parts: list[Tensor] = []
    for chosen, given, mask in tower.chunks(texts, side, tokens):
        rows += chosen
        parts.append(model(given, mask))
    order = torch.empty(len(rows), dtype=torch.long)
    order[torch.tensor(rows)] = torch.arange(len(rows))
    return torch.cat(parts)[order.to(parts[0].device)]


def pieces_in(tower: Tower, plan: Plan) -> int:
    """Word pieces of a step, padding left out."""
    asked, found = tower.tokens(plan.queries, "query"), tower.tokens(plan.passages, "passage")
    return sum(map(len, asked)) + sum(map(len, found))


def tower_of(model: Any) -> Tower:
    """The tower inside what wraps it."""
    while not isinstance(model, Tower):
        model = model.module
    return model


def _embeddings(tower: Tower) -> nn.Module:
    """What word vectors, or what frozen layers said, go through; of what peft wraps, the model inside."""
    found: nn.Module = tower.above.get_base_model() if hasattr(tower.above, "get_base_model") else tower.above
    embeddings: nn.Module = found.embeddings  # type: ignore[assignment]  # BertModel's
    return embeddings


def _only(items: Sequence[Plan]) -> dict[str, Plan]:
    """A step is one item of the data set."""
    return {"plan": items[0]}
