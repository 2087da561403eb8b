"""A history in; SASRec trained with full cross-entropy within a stated time, as a scorer, out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.retrieve.history import History
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch

__all__ = ["SasRec", "SasRecSettings"]


@dataclass(frozen=True, slots=True)
class SasRecSettings:
    """SASRec (Kang and McAuley, ICDM 2018) with cross-entropy over all products (Klenitskiy and Vasilev, RecSys 2023).

    Layers, heads, dropout, rate and batch as first published for Amazon's sets; the width was 50 there.
    """

    width: int = 64
    """Numbers of a product's vector."""
    layers: int = 2
    heads: int = 1
    longest: int = 50
    """Latest products of a shopper that are read."""
    dropout: float = 0.5
    """Share of numbers left out while learning."""
    rate: float = 1e-3
    """Learning rate of Adam."""
    batch: int = 128
    """Shoppers a step."""
    epochs: int = 200
    """Passes over all shoppers, at most."""
    minutes: float = 10.0
    """Training stops after them."""

    def __post_init__(self) -> None:
        limits = (
            ("width", 2, 4096), ("layers", 1, 24), ("heads", 1, 64), ("longest", 2, 1000), ("dropout", 0, 0.95),
            ("rate", 1e-6, 1), ("batch", 1, 65_536), ("epochs", 1, 100_000), ("minutes", 1e-3, 1e5),
        )  # fmt: skip
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"SASRec's {name} is {value}", cure=f"give a number from {low:g} to {high:g}")
        if self.width % self.heads:
            raise SettingsError(f"SASRec's width {self.width} has {self.heads} heads", cure="give a width they divide")


class SasRec:
    """Attention over a shopper's latest products; the next product is the one whose vector fits best."""

    usual = 1.0

    def __init__(self, products: Vocabulary, net: Any, settings: SasRecSettings, epochs: int, seconds: float) -> None:
        self.products, self.net, self.settings = products, net, settings
        self.epochs, self.seconds = epochs, seconds
        """Passes that the time allowed, and what they took."""

    @classmethod
    def fit(
        cls,
        history: History,
        settings: SasRecSettings | None = None,
        *,
        seed: int = 7,
        tick: Callable[[int, float], None] | None = None,
    ) -> SasRec:
        """Train; the learning rate falls to 0 over the time or the epochs, whichever runs out first.

        `tick` is told each epoch and its mean loss.
        """
        import torch
        from torch.nn import functional

        settings, wanted = settings or SasRecSettings(), history.wanted()
        rng, began = np.random.default_rng(seed), time.monotonic()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = _net(len(history.products), settings)
            optimiser = torch.optim.Adam(net.parameters(), lr=settings.rate, betas=(0.9, 0.98))
            epoch, spent = 0, 0.0
            while epoch < settings.epochs and spent < settings.minutes * 60:
                losses, rows = 0.0, 0
                net.train()
                for read in _batches(wanted, settings, rng):
                    left = 1 - max(epoch / settings.epochs, (time.monotonic() - began) / (settings.minutes * 60))
                    for group in optimiser.param_groups:
                        group["lr"] = settings.rate * max(0.0, left)
                    there = read[:, 1:] >= 0
                    said = net(read[:, :-1])[there]
                    loss = functional.cross_entropy(said @ net.products.weight.T, read[:, 1:][there])
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    losses, rows = losses + loss.item() * len(said), rows + len(said)
                    if time.monotonic() - began > settings.minutes * 60:
                        break
                epoch, spent = epoch + 1, time.monotonic() - began
                if tick:
                    tick(epoch, losses / max(1, rows))
        net.eval()
        return cls(history.products, net, settings, epoch, spent)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Shape (shoppers, products): probabilities, so any score is a recommendation; 0 for who has no past."""
        import torch

        found = np.zeros((len(sequences), len(self.products)), dtype=np.float32)
        pasts = [sequences.rows(place, place + 1).product for place in range(len(sequences))]
        pasts = [past[past >= 0][-self.settings.longest :] for past in pasts]
        some = np.array([place for place, past in enumerate(pasts) if len(past)], dtype=np.int64)
        with torch.inference_mode():
            for low in range(0, len(some), 512):
                chosen = some[low : low + 512]
                read = _padded([pasts[place] for place in chosen])
                ends = torch.tensor([len(pasts[place]) - 1 for place in chosen])
                said = self.net(read)[torch.arange(len(chosen)), ends]
                found[chosen] = torch.softmax(said @ self.net.products.weight.T, dim=1).numpy()
        return found


def _net(products: int, settings: SasRecSettings) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        """Reads codes (n, places), -1 beyond the end; gives vectors (n, places, width)."""

        def __init__(self) -> None:
            super().__init__()
            width = settings.width
            self.products = nn.Embedding(products, width)
            self.places = nn.Embedding(settings.longest, width)
            for table in (self.products, self.places):
                nn.init.normal_(table.weight, std=0.02)
            self.dropout = nn.Dropout(settings.dropout)
            layer = nn.TransformerEncoderLayer(
                width, settings.heads, width, settings.dropout, "relu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, settings.layers, nn.LayerNorm(width), enable_nested_tensor=False)

        def forward(self, read: torch.Tensor) -> torch.Tensor:
            size = read.shape[1]
            told = self.products(read.clamp(min=0)) * math.sqrt(settings.width) + self.places(torch.arange(size))
            later = torch.triu(torch.ones(size, size, dtype=torch.bool), diagonal=1)
            found: torch.Tensor = self.layers(self.dropout(told), mask=later)
            return found

    return Net()


def _batches(wanted: History, settings: SasRecSettings, rng: np.random.Generator) -> Iterator[Any]:
    """Codes (shoppers, places), oldest first, -1 after the last; shoppers of like length together, to pad little."""
    starts = np.append(np.flatnonzero(np.diff(wanted.shopper, prepend=-1)), len(wanted))
    lengths = np.diff(starts)
    usable = rng.permutation(np.flatnonzero(lengths > 1))
    chunk = settings.batch * 20
    batches = []
    for low in range(0, len(usable), chunk):
        some = usable[low : low + chunk]
        some = some[np.argsort(lengths[some], kind="stable")]
        batches += [some[at : at + settings.batch] for at in range(0, len(some), settings.batch)]
    for place in rng.permutation(len(batches)):
        rows = [wanted.product[max(starts[one], starts[one + 1] - settings.longest - 1) : starts[one + 1]]
                for one in batches[place]]  # fmt: skip
        yield _padded(rows)


def _padded(rows: list[NDArray[Any]]) -> torch.Tensor:
    import torch

    found = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return torch.from_numpy(found)
