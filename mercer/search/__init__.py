"""The search door: a query in, a page of products out."""

from mercer.search.door import RELAXED, Search, SearchSettings
from mercer.search.find import Found, System

__all__ = ["RELAXED", "Found", "Search", "SearchSettings", "System"]
