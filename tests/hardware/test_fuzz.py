"""A few thousand damaged inputs for each parser; `fuzz.py` itself throws more."""

import pytest
from fuzz import PARSERS, fuzz


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)
def test_damaged_bytes_do_no_harm(parser):
    fuzz(parser, 2000)
