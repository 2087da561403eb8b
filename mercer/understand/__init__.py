"""What a shopper typed so far in; what they most likely mean out."""

from __future__ import annotations
