"""JSON requests in, JSON answers out: the routes that programs call."""

from __future__ import annotations
