"""What all tests of training have in common."""

import pytest


@pytest.fixture(autouse=True)
def one_thread():
    """Networks here are tiny: a second thread costs more than it does."""
    torch = pytest.importorskip(
        "torch", reason="tactus_models needs torch, which is not installed here: pip install -r requirements/train.txt"
    )
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
