"""Small recordings made here, the real ones where they are at hand, and emulated devices in processes of their own."""

import os
from pathlib import Path

import pytest
from emulated import Emulated
from recorded import write_gif, write_mat

from tactus_core.config import from_mapping

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TACTUS_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def data():
    """Return a function that gives the path of a real recording, or skips the test."""

    def path(name):
        if not (DATA / name).exists():
            pytest.skip(f"no real recordings here: {DATA / name} is missing; name their folder in TACTUS_DATA")
        return DATA / name

    return path


@pytest.fixture
def gif(tmp_path):
    return write_gif(tmp_path / "press.gif")


@pytest.fixture
def mat(tmp_path):
    return write_mat(tmp_path / "trace.mat")


@pytest.fixture
def emulate():
    """Return a function that starts an emulator."""
    started = []

    def start(device, *arguments):
        started.append(Emulated(device, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def opened():
    """Return a function that opens a driver."""
    drivers = []

    def start(kind, address, **values):
        drivers.append(kind.make(from_mapping(kind.config, {**address, **values}, "the test")))
        drivers[-1].open()
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.close()
