import subprocess
import sys

import pyarrow as pa
import pytest

from mercer.quality import schema
from mercer.records import Product


def test_every_family_has_a_schema_with_row_id_first() -> None:
    assert set(schema.SCHEMAS) == set(schema.COLUMNS) == set(schema.REQUIRED) == set(schema.FAMILIES)
    for family, found in schema.SCHEMAS.items():
        assert found.names == ["row_id", *schema.COLUMNS[family]]
        assert found.field("row_id").type == pa.int64()
        assert set(schema.REQUIRED[family]) <= set(found.names)


def test_a_product_fits_the_schema() -> None:
    product = Product("1", "Cup", category=("Home", "Kitchen"), price=2.5, attributes={"colour": "red"})
    table = pa.Table.from_pylist([{"row_id": 0} | product.to_row()], schema=schema.SCHEMAS["products"])
    assert Product.from_row(table.to_pylist()[0]) == product


def test_importing_it_does_not_load_arrow() -> None:
    code = "import sys, mercer.quality.schema; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_other_attribute() -> None:
    with pytest.raises(AttributeError, match="SCHEMA"):
        _ = schema.SCHEMA  # type: ignore[attr-defined]
