"""One shop's folder in; its paths, versions, what is live, and who changed it, out."""

from __future__ import annotations

from mercer.shop.audit import Audit, Entry
from mercer.shop.disk import content_hash, disk_errors, write_json
from mercer.shop.folder import Kind, Live, Shop

__all__ = ["Audit", "Entry", "Kind", "Live", "Shop", "content_hash", "disk_errors", "write_json"]
