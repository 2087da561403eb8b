"""A catalogue file in; titles that are nothing but a brand, found by a check written here, out.

python examples/write_your_own_check.py products.csv
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found
from mercer.quality.read import read
from mercer.quality.run import check as run


@check(
    "C91", families=("products",), tier="relational", severity="medium", english="a title says more than the brand",
    chinese="标题不只是品牌", problems={"brand_only": Problem("only the brand", "只有品牌", "quarantine")},
)  # fmt: skip
def brand_only(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Titles equal to the brand, whatever the case."""
    same = nw.col("title").str.to_lowercase() == nw.col("brand").str.to_lowercase()
    yield Found(inputs["products"].filter(same).select("row_id", "title"), "products", "title", "brand_only")


def main(path: str) -> None:
    """Run every check, this one too, and print what it found and what the gate says."""
    checked = run({"products": read("products", Path(path))})
    for row in checked.findings.to_pylist():
        print(f"row {row['row_id']}: {row['check_id']} {row['problem']} -> {row['action']} {row['evidence']}")
    print(f"gate: {checked.gate.status}; {checked.trusted['products'].num_rows} rows are trusted")


if __name__ == "__main__":
    main(*sys.argv[1:])
