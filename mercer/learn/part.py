"""A tower and what is to be trained of it in; how to make one model of it again out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mercer.encode.extra import need
from mercer.encode.graft import ROOT, Graft
from mercer.encode.graft_torch import grafted
from mercer.errors import MissingExtra, ModelError
from mercer.learn.settings import LearnSettings
from mercer.learn.tower import Tower

__all__ = ["attach", "count"]

TARGETS = ("query", "key", "value", "output.dense", "intermediate.dense")
"""Every linear map of a layer, which LoRA gains most by (Dettmers et al. 2023)."""


def attach(tower: Tower, settings: LearnSettings, *, steps: int) -> Callable[[], None]:
    """Leave only what is to be trained open to it; the function returned folds it into the tower's own weights.

    full and frozen train weights as they are. LoRA (Hu et al. 2021) adds two thin matrices to every linear map,
    AdaLoRA (Zhang et al. 2023) gives more rank where it pays; both become part of the map when they are folded in.
    A prefix and adapters (`mercer.encode.graft`) cannot: they stay what they are, beside weights that do not change.

    Raises:
        MissingExtra: package peft is not installed.
        ModelError: the model carries a prefix or adapters already, and others are asked for.
    """
    if settings.train in ("prefix", "adapter"):
        _graft(tower, settings)
    if settings.train in ("full", "frozen", "prefix", "adapter"):
        return lambda: None
    try:
        peft = need("peft")
    except MissingExtra as error:
        raise MissingExtra("peft", extra="learn") from error
    named: dict[str, Any] = {"target_modules": list(TARGETS), "lora_alpha": 2 * settings.rank}
    named["lora_dropout"] = settings.dropout
    if settings.train == "lora":
        config = peft.LoraConfig(r=settings.rank, **named)
    else:
        config = peft.AdaLoraConfig(
            init_r=settings.rank,
            target_r=max(1, settings.rank // 2),
            tinit=max(1, steps // 10),
            tfinal=max(1, steps // 4),
            deltaT=max(1, steps // 50),
            total_step=max(steps, 3),
            **named,
        )
    tower.above = peft.get_peft_model(tower.above, config)

    def fold() -> None:
        tower.above = tower.above.merge_and_unload()

    return fold


def _graft(tower: Tower, settings: LearnSettings) -> None:
    """Put a new graft on, or take the model's own up again, and leave nothing but it open."""
    wanted = Graft("prefix", settings.prefix) if settings.train == "prefix" else Graft("adapter", settings.bottleneck)
    known = tower.graft
    if known is None:
        tower.graft = wanted
        grafted(tower.above, wanted)
    elif known != wanted:
        seen = f"{tower.model.folder} carries a graft of kind {known.kind}, size {known.size}"
        setting = "prefix" if known.kind == "prefix" else "bottleneck"
        cure = f'set train = "{known.kind}" and {setting} = {known.size}, or train = "full"'
        raise ModelError(f"{seen}; {wanted.kind}, size {wanted.size} is asked for", cure=cure)
    tower.above.requires_grad_(False)
    tower.above.graft.requires_grad_(True)
    tower.register_state_dict_post_hook(_kept)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    tower.register_load_state_dict_pre_hook(_filled)  # type: ignore[no-untyped-call]


def _kept(_: Any, state: dict[str, Any], root: str, __: Any) -> None:
    """Checkpoints keep the graft alone: the rest never changes."""
    for name in [name for name in state if name.startswith(f"{root}above.")]:
        if not name.startswith(f"{root}above.{ROOT}"):
            del state[name]


def _filled(tower: Any, state: dict[str, Any], root: str, *_: Any) -> None:
    """What a checkpoint leaves out is what the tower has."""
    for name, value in tower.above.state_dict(prefix=f"{root}above.").items():
        state.setdefault(name, value)


def count(tower: Tower) -> tuple[int, int]:
    """Numbers that are trained, and numbers in all, the word table included."""
    trained = sum(value.numel() for value in tower.parameters() if value.requires_grad)
    hidden = int(tower.model.config["hidden_size"])
    below = tower.below
    under = sum(value.numel() for value in below.parameters()) if below is not None else 0
    table = 0 if tower.words else len(tower.model.table) * hidden
    return trained, sum(value.numel() for value in tower.parameters()) + under + table
