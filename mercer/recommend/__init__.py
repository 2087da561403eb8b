"""The recommendation door: a shopper, an item and a scene in; a page of products, each with its reason, out."""

from mercer.recommend.door import Recommend
from mercer.recommend.settings import SCENES, RecommendSettings

__all__ = ["SCENES", "Recommend", "RecommendSettings"]
