"""What every check promises: to declare itself in two languages, to leave clean data alone, and to be repeatable."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from mercer.errors import SettingsError
from mercer.quality import finding
from mercer.quality.check import ACTIONS, registry
from mercer.quality.roles import TRAINING
from mercer.quality.run import QualitySettings, check
from mercer.quality.schema import FAMILIES, SCHEMAS

NOW = 1_750_000_000_000
CHECKS = registry()
TESTS = Path(__file__).parent.parent / "quality" / "checks"


def spoiled(rows):
    """At least one fault for every family and tier."""
    rows["products"][0]["price"] = -1.0
    rows["products"][1]["title"] = "Caf\u00c3\u00a9 &amp; bar"
    rows["products"][2]["id"] = "p1"
    rows["events"][0] |= {"product": "gone", "time": 0}
    rows["events"][4] = dict(rows["events"][1])
    rows["judgments"].append(dict(rows["judgments"][0]))
    rows["queries"][1]["text"] = rows["queries"][0]["text"].upper()
    return rows


def raws_of(raw_of, rows):
    return {family: raw_of(family, given) for family, given in rows.items()}


def test_there_are_checks_of_every_tier():
    assert {declared.tier for declared in CHECKS.values()} == {"relational", "batch", "global"}
    assert {"C01", "C02", "C03", "C06", "C07", "C13", "E01", "E02", "E03", "X03"} <= set(CHECKS)


@pytest.mark.parametrize("declared", CHECKS.values(), ids=CHECKS)
class TestEveryCheck:
    def test_declares_itself_in_both_languages(self, declared):
        assert declared.families
        assert set(declared.families) <= {*FAMILIES, TRAINING}
        assert declared.version >= 1
        for words in (declared, *declared.problems.values()):
            assert re.search("[a-z]", words.english)
            assert re.search("[\u4e00-\u9fff]", words.chinese)
        assert {problem.action for problem in declared.problems.values()} <= set(ACTIONS)

    def test_is_one_file_named_for_its_id(self, declared):
        module = declared.function.__module__.rsplit(".", 1)[1]
        assert module.startswith(declared.id.lower() + "_")

    def test_its_test_injects_every_problem(self, declared):
        module = declared.function.__module__.rsplit(".", 1)[1]
        text = (TESTS / f"test_{module}.py").read_text("utf-8")
        missing = [problem for problem in declared.problems if f'"{problem}"' not in text]
        assert not missing

    def test_settings_say_what_they_are_and_refuse_what_cannot_be(self, declared):
        import ast
        import inspect

        declared.settings()
        tree = ast.parse(inspect.cleandoc(inspect.getsource(declared.settings)))
        body = tree.body[0].body
        for place, node in enumerate(body):
            if isinstance(node, ast.AnnAssign):
                assert isinstance(body[place + 1], ast.Expr), f"{node.target.id} has no docstring"
        for value in (-0.1, 1.5):
            with pytest.raises(SettingsError):
                dataclasses.replace(declared.settings(), warn_if=value)


def test_clean_data_has_no_finding(raw_of, clean_rows):
    checked = check(raws_of(raw_of, clean_rows), now=NOW)
    assert checked.findings.to_pylist() == []
    assert checked.gate.status == "pass"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone_is_enough(raw_of, clean_rows, family):
    assert check({family: raw_of(family, clean_rows[family])}, now=NOW).findings.num_rows == 0


def test_spoiled_data_gives_findings_of_one_schema_sorted_and_repeatable(raw_of, clean_rows):
    raws = raws_of(raw_of, spoiled(clean_rows))
    first, second = check(raws, now=NOW), check(raws, now=NOW)
    assert first.findings.schema == finding.schema()
    assert first.findings.equals(second.findings)
    assert (first.version, first.manifest) == (second.version, second.manifest)
    rows = first.findings.to_pylist()
    assert {"C02", "C06", "C07", "E01", "E02", "E03", "X03"} <= {row["check_id"] for row in rows}
    order = [(row["check_id"], row["family"], row["row_id"]) for row in rows]
    assert order == sorted(order)
    for row in rows:
        assert 0 <= row["score"] <= 1
        assert isinstance(json.loads(row["evidence"]), dict)
        assert row["run_id"]
        assert row["dataset_hash"]
        assert row["engine"] == "duckdb"
        assert row["problem"] in CHECKS[row["check_id"]].problems


def test_order_of_chunks_changes_nothing(raw_of, clean_rows):
    import pyarrow as pa

    raws = raws_of(raw_of, spoiled(clean_rows))
    split = {
        name: dataclasses.replace(raw, table=pa.concat_tables([raw.table[:3], raw.table[3:]]))
        for name, raw in raws.items()
    }
    assert check(raws, now=NOW).version == check(split, now=NOW).version


@pytest.mark.parametrize("family", FAMILIES)
def test_an_empty_table_is_no_finding(raw_of, family):
    checked = check({family: raw_of(family, [])}, now=NOW)
    assert checked.findings.num_rows == 0
    assert checked.gate.status == "pass"


def test_columns_of_nothing_but_null_are_handled(raw_of):
    raws = {family: raw_of(family, [{}, {}, {}, {}, {}]) for family in FAMILIES}
    checked = check(raws, now=NOW)
    assert checked.gate.blocked
    for family in FAMILIES:
        assert checked.trusted[family].schema == SCHEMAS[family]
        assert checked.quarantine[family].num_rows == 5


def test_nothing_that_came_in_is_missing_afterwards(raw_of, clean_rows):
    raws = raws_of(raw_of, spoiled(clean_rows))
    checked = check(raws, now=NOW)
    for family, raw in raws.items():
        kept = checked.trusted[family]["row_id"].to_pylist() + checked.quarantine[family]["row_id"].to_pylist()
        twice = checked.served["row_id"].to_pylist() if family == "products" else []
        assert sorted(kept) == sorted([*raw.table["row_id"].to_pylist(), *twice])


def test_disabled_checks_find_nothing(raw_of, clean_rows):
    raws = raws_of(raw_of, spoiled(clean_rows))
    findings = check(raws, QualitySettings(disable=("E01", "C07")), now=NOW).findings
    assert not {"E01", "C07"} & set(findings["check_id"].to_pylist())
