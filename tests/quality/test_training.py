"""A training table is blocked with the inflated and the honest figure side by side."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import GateBlocked, NotFoundError, SettingsError
from mercer.quality.run import QualitySettings
from mercer.quality.training import check_training


def test_the_label_in_the_text_is_blocked_with_both_figures(recommended):
    checked = check_training(recommended, label="rating", inputs=["text"], ids=["user", "item"], time="time")
    assert checked.gate.blocked
    assert checked.figures["inflated_auc"] > 0.99
    assert checked.figures["honest_auc"] == 0.5  # nothing but the rating and ids was in the text
    with pytest.raises(GateBlocked, match=r"inflated_auc 1\.000, honest_auc 0\.500"):
        checked.require()


def test_honest_inputs_pass_and_nothing_stands_in_the_way(recommended):
    checked = check_training(recommended, label="rating", inputs=["category", "price"], time="time")
    assert checked.gate.status == "pass"
    assert checked.findings.num_rows == 0
    checked.require()


def test_a_check_can_be_left_out(recommended):
    settings = QualitySettings(disable=("X01", "X06"))
    assert not check_training(recommended, label="rating", inputs=["text"], settings=settings).gate.blocked


def test_row_ids_are_places_in_the_table(recommended):
    odd = recommended.append_column("row_id", pa.array(np.arange(len(recommended)) * 7))
    assert check_training(odd, label="rating", inputs=["category", "price"]).gate.status == "pass"


@pytest.mark.parametrize(("told", "error"), [({"inputs": ["nothing"]}, NotFoundError), ({"inputs": []}, SettingsError)])
def test_roles_that_cannot_be(recommended, told, error):
    with pytest.raises(error):
        check_training(recommended, label="rating", **told)


def test_the_same_table_gives_the_same_findings(recommended):
    told = {"label": "rating", "inputs": ["text", "price"], "ids": ["user"]}
    one, other = (check_training(recommended, **told).findings for _ in range(2))
    assert one.equals(other)
