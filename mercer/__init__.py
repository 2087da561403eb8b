"""Mercer (掌柜): shop search and recommendation that learn from the shop's own data."""

from __future__ import annotations

__version__ = "0.1.0"
