"""One shop's folder in; its paths, versions, what is live, and who changed it, out."""

from __future__ import annotations

from mercer.shop.disk import content_hash, disk_errors, write_json
from mercer.shop.folder import Kind, Live, Shop

__all__ = ["Kind", "Live", "Shop", "content_hash", "disk_errors", "write_json"]
