"""The device of docs/adding_a_device.md, built from that page alone: short, found by its entry point, and right over a real pty."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from emulated import Emulated, until
from paged import FILES, PAGE

from tactus_core.config import from_mapping
from tactus_core.errors import DeviceError
from tactus_nodes.measures import measure_of
from tactus_nodes.plugins import find_kind

ROOT = Path(__file__).parents[2]
FORCE_N = np.array([0.12, -0.03, -4.1])


@pytest.fixture(scope="module")
def kind(tmp_path_factory):
    """Return the kind, its package installed beside Tactus for as long as these tests take."""
    folder = tmp_path_factory.mktemp("device")
    for name, text in FILES.items():
        file = folder / ("fingertip-1.dist-info/" + name if "/" not in name else name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (folder / "fingertip-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: fingertip\nVersion: 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", f"{folder}:{os.environ.get('PYTHONPATH', '')}")
        yield find_kind("fingertip")
    for name in [name for name in sys.modules if name.partition(".")[0] == "fingertip"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def emulator(kind):
    emulator = Emulated("fingertip")
    yield emulator
    emulator.close()


@pytest.fixture
def driver(kind, emulator):
    emulator.tell("clear")
    emulator.tell("set", "force", *FORCE_N)
    driver = kind.make(from_mapping(kind.config, emulator.address, "the test"))
    driver.open()
    until(lambda: right(driver.read(0.05)))
    yield driver
    driver.close()


def right(reading):
    return reading is not None and reading.value.unit == "N" and np.abs(reading.value.value - FORCE_N).max() < 1e-9


def test_it_takes_less_than_a_hundred_lines():
    assert len(FILES) == 6
    assert sum(bool(line.strip()) for text in FILES.values() for line in text.splitlines()) < 100


def test_its_style_is_ours(kind):
    folder = Path(sys.modules["fingertip"].__file__).parent
    for words in (["check", "--no-fix"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", str(ROOT / "pyproject.toml"), str(folder)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_node_knows_what_it_measures(kind):
    assert measure_of(kind).outputs
    assert kind.address == "port"


def test_the_line_on_the_page_says_what_the_page_says(kind):
    protocol = sys.modules["fingertip.protocol"]
    line = re.search(r"^```text\n(.*)\n```", PAGE, re.MULTILINE)[1].encode()
    assert protocol.pack(41, FORCE_N) == line + b"\n"
    assert protocol.parse(line) == pytest.approx([41, *FORCE_N])


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ("half", "damaged"), ("checksum", "damaged"), ("noise", "damaged"), ("stale", "repeated"), ("stuck", "repeated"),
        ("duplicate", "repeated"), ("saturation", "out_of_range"), ("delay", "skipped"),
    ],
)  # fmt: skip
def test_a_fault_is_counted_and_nothing_wrong_is_passed_on(driver, emulator, fault, count):
    emulator.tell("fault", fault, 0.3)
    before, stamps = driver.health.counts[count], [0.0]

    def struck():
        reading = driver.read(0.05)
        if reading is not None:
            assert right(reading)
            assert reading.stamp_s > stamps[-1]
            stamps.append(reading.stamp_s)
        return driver.health.counts[count] >= before + 3 and len(stamps) > 5

    until(struck)


def test_it_connects_again(driver, emulator):
    emulator.tell("disconnect", 0.3)
    until(lambda: driver.read(0.05) is None and not driver.health.connected)
    assert driver.health.trouble
    assert right(until(lambda: driver.read(0.05)))
    assert driver.health.counts["connections"] == 2


def test_a_fingertip_that_says_nothing_is_named(kind, emulator):
    emulator.tell("fault", "drop", 1.0)
    driver = kind.make(from_mapping(kind.config, emulator.address, "the test"))
    with pytest.raises(DeviceError, match="Check that this is its port"):
        driver.open()
