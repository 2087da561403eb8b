"""What the owner may set about learning: section ``[learn]`` in, checked frozen settings out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal, get_args

from mercer.errors import MissingExtra, SettingsError
from mercer.learn.augment import AugmentSettings
from mercer.learn.pairs import BehaviourPairs, CataloguePairs
from mercer.learn.robust_settings import AdversarialSettings, ConsistentSettings, RehearseSettings, SoupSettings

__all__ = ["LearnSettings", "Trained", "need_packages"]

Trained = Literal["full", "frozen", "lora", "adalora", "prefix", "adapter"]
OBJECTIVES = ("contrastive", "graded", "listwise", "cosine", "distil")


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """Section ``[learn]``: what is learned from what, how, and for how long."""

    objective: tuple[str, ...] = ("contrastive", "listwise")
    """Of contrastive, graded, listwise, cosine, distil; several are added up."""
    teacher: str = ""
    """Version or folder of the reranker that distil learns from; "" is the one that is live."""
    train: Trained = "full"
    """full; frozen (lower layers stay); lora or adalora, which become part of the weights; prefix or adapter, which the
    model folder carries beside them."""
    frozen_layers: int = 3
    """Layers from below that `frozen` leaves as they are; what they say of a text is worked out once."""
    words: bool = False
    """Whether word vectors are trained too. They are most of a small multilingual model and learn least."""
    rank: int = 16
    """Rank of LoRA's and AdaLoRA's matrices."""
    prefix: int = 16
    """Keys and values of each layer that prefix learns; a text's own are looked at beside them."""
    bottleneck: int = 64
    """Numbers in the narrow middle of adapter's network after each layer."""
    lr: float = 3e-5
    """Highest learning rate; lora and adalora take ten times as much, adapter a hundred, prefix three hundred times."""
    warmup: float = 0.1
    """Share of steps in which the rate grows from 0."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    weight_decay: float = 0.01
    dropout: float = 0.1
    steps: int = 0
    """Steps; 0 is as many as `epochs` and the budget allow."""
    epochs: float = 3.0
    """How often each query with labels is seen."""
    batch: int = 16
    """Queries in a step."""
    passages: int = 6
    """Judged or mined passages of one query in a step."""
    accumulate: int = 1
    """Steps whose gradients are added up before weights change."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto is bfloat16 on a GPU or a CPU that multiplies in it (AMX), else float32."""
    temperature: float = 0.05
    """Cosines are divided by it before a softmax."""
    margin: float = 1.0
    """An unjudged passage that stands out by more than this share of what the positive does is taken for a false
    negative and left out; 10 leaves nothing out."""
    length: int = 96
    """Longest text in word pieces while training."""
    tokens: int = 4096
    """Word pieces whose activations are kept at once; a larger batch goes through gradient caching."""
    catalogue_share: float = 0.3
    """Share of steps on invented pairs where there are labels too: rehearsal against forgetting."""
    blend: bool = True
    """Whether weights between the start and the end of training are tried on the validation queries."""
    patience: int = 3
    """Evaluations without a better figure before training stops."""
    evaluations: int = 8
    """How often the validation queries are ranked."""
    valid: float = 0.1
    test: float = 0.2
    """Shares of queries to choose by and to report on."""
    worse: float = 0.0
    """Loss in nDCG@10 on the test queries that still goes live; the paired test at 95 % must not show more."""
    track: tuple[str, ...] = ("jsonl",)
    """Of jsonl, tensorboard, wandb."""
    gains: str = ""
    """Grade=gain pairs of judgments, as 3=1,2=.1,1=.01,0=0; "" is the grade by the highest."""
    least: int = 12
    """Fewest queries with labels that are split and learned from; with fewer the catalogue alone teaches."""
    seed: int = 7
    catalogue: CataloguePairs = field(default_factory=CataloguePairs)
    behaviour: BehaviourPairs = field(default_factory=BehaviourPairs)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    consistent: ConsistentSettings = field(default_factory=ConsistentSettings)
    adversarial: AdversarialSettings = field(default_factory=AdversarialSettings)
    soup: SoupSettings = field(default_factory=SoupSettings)
    rehearse: RehearseSettings = field(default_factory=RehearseSettings)

    def __post_init__(self) -> None:
        if unknown := [name for name in self.objective if name not in OBJECTIVES]:
            raise SettingsError(f"[learn] objective {unknown[0]!r}", cure=f"name some of {', '.join(OBJECTIVES)}")
        if not self.objective:
            raise SettingsError("[learn] objective is empty", cure=f"name some of {', '.join(OBJECTIVES)}")
        if self.train not in get_args(Trained):
            raise SettingsError(f"[learn] train is {self.train!r}", cure=f"give one of {', '.join(get_args(Trained))}")
        if unknown := [name for name in self.track if name not in ("jsonl", "tensorboard", "wandb")]:
            raise SettingsError(f"[learn] track {unknown[0]!r}", cure="name some of jsonl, tensorboard, wandb")
        for name, low, high in WHOLE:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[learn] {name} is {value}", cure=f"give a number between {low} and {high}")
        for name, least, most in REAL:
            number = getattr(self, name)
            if not (math.isfinite(number) and least <= number <= most):
                raise SettingsError(f"[learn] {name} is {number}", cure=f"give a number between {least:g} and {most:g}")


def need_packages(settings: LearnSettings) -> None:
    """Raise MissingExtra where a package that training, or what keeps track of it, needs is not installed."""
    for package in ("torch", "transformers", "accelerate", "peft"):
        if find_spec(package) is None:
            raise MissingExtra(package, extra="learn")
    for package in settings.track:
        if package != "jsonl" and find_spec(package) is None:
            raise MissingExtra(package, extra="track")


WHOLE = (
    ("frozen_layers", 0, 100),
    ("rank", 1, 1024),
    ("prefix", 1, 512),
    ("bottleneck", 1, 4096),
    ("steps", 0, 10_000_000),
    ("batch", 2, 65_536),
    ("passages", 1, 256),
    ("accumulate", 1, 4096),
    ("length", 8, 8192),
    ("tokens", 64, 1 << 24),
    ("patience", 1, 1000),
    ("evaluations", 1, 1000),
    ("least", 3, 1_000_000),
    ("seed", 0, 2**31),
)
REAL = (
    ("lr", 1e-8, 1.0),
    ("warmup", 0.0, 0.9),
    ("weight_decay", 0.0, 1.0),
    ("dropout", 0.0, 0.9),
    ("epochs", 0.01, 10_000.0),
    ("temperature", 1e-3, 10.0),
    ("margin", 0.0, 10.0),
    ("catalogue_share", 0.0, 1.0),
    ("valid", 0.01, 0.4),
    ("test", 0.01, 0.49),
    ("worse", 0.0, 1.0),
)
