"""The registry refuses declarations that cannot be and finds new files by itself."""

import subprocess
import sys

import pytest

from mercer.errors import SettingsError
from mercer.quality import check as frame
from mercer.quality.check import CheckSettings, Problem, check, find, registry

WORDS = {
    "families": ("products",),
    "tier": "relational",
    "severity": "low",
    "problems": {"odd": Problem("odd", "奇怪", "warn")},
    "english": "nothing is odd",
    "chinese": "没有异常",
}


@pytest.mark.parametrize("change", [{"tier": "magic"}, {"severity": "huge"}, {"problems": {}}, {"settings": dict}])
def test_a_declaration_that_cannot_be(change):
    with pytest.raises(ValueError, match="Z99"):
        check("Z99", **{**WORDS, **change})(lambda inputs, settings: [])


@pytest.mark.parametrize("id", ["z99", "Z9", "Z999", ""])
def test_an_id_is_a_letter_and_two_digits(id):
    with pytest.raises(ValueError, match="two digits"):
        check(id, **WORDS)


def test_one_id_is_one_file():
    def other(inputs, settings):
        return []

    registry()
    with pytest.raises(ValueError, match="c06_price"):
        check("C06", **WORDS)(other)
    assert registry()["C06"].function is not other


def test_a_new_file_is_all_a_check_needs(tmp_path):
    """In a process of its own: a file dropped into the package's path is found."""
    words = ", ".join(f"{name}={value!r}" for name, value in WORDS.items())
    (tmp_path / "z98_new.py").write_text(
        f"from mercer.quality.check import Problem, check\n@check('Z98', {words})\n"
        "def new(inputs, settings):\n    return []\n"
    )
    code = (
        "from mercer.quality import checks; "
        f"checks.__path__.append({str(tmp_path)!r}); "
        "from mercer.quality.check import registry; print('Z98' in registry())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_an_unknown_check_names_the_known():
    with pytest.raises(SettingsError, match="C06"):
        find("C99")


def test_settings_refuse_unknown_actions():
    with pytest.raises(SettingsError, match="explode"):
        CheckSettings(actions={"odd": "explode"})


def test_importing_the_frame_loads_nothing_heavy():
    code = (
        "import sys, mercer.quality.run, mercer.quality.write; "
        "heavy = ('duckdb', 'pyarrow', 'narwhals', 'matplotlib', 'ftfy', 'jinja2'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert frame.TIERS == ("relational", "batch", "global")
