"""What the documentation says in numbers and names is what the code has."""

from dataclasses import fields
from pathlib import Path

import pytest

from tactus_core.config import info
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Reason

ROOT = Path(__file__).parents[2]
SAFETY = (ROOT / "docs" / "safety.md").read_text()
ROWS = {line.split("`")[1]: line for line in SAFETY.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("field", fields(GuardConfig), ids=lambda field: field.name)
def test_every_limit_stands_in_the_safety_page_with_its_default_and_a_test(field):
    _, _, default, _, meaning, test, _ = ROWS[field.name].split("|")
    listed = ", ".join(map(str, field.default)) if isinstance(field.default, tuple) else str(field.default)
    assert default.strip() == (listed.lower() if isinstance(field.default, bool) else listed)
    assert meaning.strip() == info(field).doc
    assert (ROOT / "tests" / "core" / f"{test.strip(' `')}.py").is_file()


def test_every_state_and_reason_stands_in_the_safety_page():
    assert set(ROWS) >= set(GuardState)
    assert all(f"`{reason}`" in SAFETY for reason in Reason)
