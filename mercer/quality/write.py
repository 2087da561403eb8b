"""What a run found in; one folder of Parquet, JSON and a page out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.quality.last_good import FILE_NAME
from mercer.quality.report import render
from mercer.quality.run import Checked
from mercer.quality.secret import keep_private
from mercer.quality.stored import Stored, spool
from mercer.shop import disk_errors, write_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write"]


def write(checked: Checked, folder: Path, *, shop: str = "", history: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write everything about a run into `folder`, which exists.

    Args:
        checked: the run.
        folder: where.
        shop: its name, for the page.
        history: the runs so far, this one last, for the page's trend.

    ``FAMILY.parquet`` trusted, ``quarantine/FAMILY.parquet`` where rows were taken out, ``served.parquet`` where
    others serve in their place, ``findings.parquet``, ``gate.json``, ``manifest.json`` and ``report.html``.

    Raises:
        DiskFull: no space is left.
    """
    with disk_errors(folder):
        (folder / "quarantine").mkdir(mode=0o700)
        for family, table in checked.trusted.items():
            _parquet(table, folder / f"{family}.parquet")
        for family, table in checked.quarantine.items():
            if table.num_rows:
                _parquet(table, path := folder / "quarantine" / f"{family}.parquet")
                keep_private(path)
        if checked.served.num_rows:
            _parquet(checked.served, folder / FILE_NAME)
        _parquet(checked.findings, folder / "findings.parquet")
        write_json(folder / "gate.json", checked.gate.to_json())
        write_json(folder / "manifest.json", dict(checked.manifest))
        (folder / "report.html").write_text(render(checked, shop=shop, history=history), "utf-8")


def _parquet(table: pa.Table | Stored, path: Path) -> None:
    import pyarrow.parquet as pq

    if isinstance(table, Stored):
        spool(table.blocks(), path, table.schema)
        return
    pq.write_table(table, path, compression="zstd")
