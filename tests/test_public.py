"""What `import mercer` and the light rooms must not load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = [
    "torch",
    "transformers",
    "sentence_transformers",
    "onnxruntime",
    "fastapi",
    "matplotlib",
    "duckdb",
    "zvec",
    "jieba",
]


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.strip().splitlines()[-1]))


@pytest.mark.parametrize(
    "statement", ["import mercer", "import mercer.records, mercer.shop, mercer.config", "import mercer.cli"]
)
def test_import_is_light(statement: str) -> None:
    assert not loaded_by(statement) & set(HEAVY)


def test_doors_and_server_load_no_training_framework() -> None:
    loaded = loaded_by("import mercer.search, mercer.recommend, mercer.doors, mercer.serve")
    assert not loaded & {"torch", "transformers", "sentence_transformers"}
