"""A browser's requests in; pages of the shop, drawn on the server, out."""

from __future__ import annotations
