"""Section [assistant] of mercer.toml in; when the assistant answers, acts and gives up out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mercer.errors import SettingsError

__all__ = ["AssistantSettings"]


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """Section ``[assistant]``."""

    answer_from: float = 0.5
    """Calibrated chance, 0 to 1, that a passage answers the question, from which it is given as the answer."""
    orders: str = "raw/orders.jsonl"
    """Orders that the demo order service begins with, a file of the shop's folder; "" or no file: no order service."""
    products: int = 4
    """Most products in one answer."""
    longest: int = 1000
    """Characters of a message that are read; a longer one is refused with the number."""
    turns: int = 60
    """Messages of one conversation after which it ends politely."""
    repeats: int = 3
    """Times the same message, or the same answer, may come before a person is called."""
    idle: float = 60.0
    """Minutes after which a conversation's references ("the second one") and offers are forgotten."""
    keep: float = 30.0
    """Days that conversations are kept, with what names a person masked."""
    endpoint: str = ""
    """Base address of an OpenAI-compatible service that phrases answers (http://127.0.0.1:8080/v1); "" is none."""
    endpoint_model: str = "default"
    """Name of the model there."""
    endpoint_key: str = ""
    """Environment variable that holds the key for it; "" sends none."""
    endpoint_timeout: float = 8.0
    """Seconds that the service has for a whole answer; then the composed answer is given."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("answer_from", 0, 1), ("products", 1, 12), ("longest", 50, 20_000), ("turns", 2, 1000),
            ("repeats", 2, 20), ("idle", 1, 100_000), ("keep", 0, 3650), ("endpoint_timeout", 0.1, 120),
        ):  # fmt: skip
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingsError(f"[assistant] {name} is {value}", cure=f"give a number from {low} to {high}")
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise SettingsError(f"[assistant] endpoint is {self.endpoint[:80]!r}", cure="give an http(s) address")
