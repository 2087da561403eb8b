"""Every setting that building and opening a shop needs, one class a room."""

from __future__ import annotations

from dataclasses import dataclass, field

from mercer.encode import EncodeSettings
from mercer.rank.hybrid import HybridSettings
from mercer.rank.rule import RuleSettings
from mercer.recommend import RecommendSettings
from mercer.retrieve.behaviour import BehaviourSettings
from mercer.retrieve.index import IndexSettings
from mercer.search import SearchSettings
from mercer.understand.spelling import SpellingSettings
from mercer.understand.suggest import SuggestSettings
from mercer.understand.understand import UnderstandSettings

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a section of mercer.toml; all defaults work."""

    encode: EncodeSettings = field(default_factory=EncodeSettings)
    retrieve: IndexSettings = field(default_factory=IndexSettings)
    rank: HybridSettings = field(default_factory=HybridSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)
    suggest: SuggestSettings = field(default_factory=SuggestSettings)
    understand: UnderstandSettings = field(default_factory=UnderstandSettings)
    spelling: SpellingSettings = field(default_factory=SpellingSettings)
    behaviour: BehaviourSettings = field(default_factory=BehaviourSettings)

    @property
    def learnt(self) -> str:
        """What of behaviour's settings is not as usual; "" where all of it is."""
        return "" if self.behaviour == BehaviourSettings() else repr(self.behaviour)
