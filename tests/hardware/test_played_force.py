"""Recorded force through every emulator that feels it: it arrives as it was, and the filter finds bias, spikes and stale samples."""

import functools
import importlib

import numpy as np
import pytest
from emulated import until
from recorded import write_mat

from tactus_core.errors import ConfigError
from tactus_core.perception.wrench_filter import WrenchEventKind, WrenchFilter, WrenchFilterConfig
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.recording import open_recording

# Device → its wire's step [N], and what its driver is told besides the address. A UR is only read here.
STEPS_N = {"rdt": 1e-4, "ft300": 0.01, "ur": 1e-6}
MORE = {"ur": {"control": False}}
EACH = pytest.mark.parametrize("name", STEPS_N)
# One reading in 20 ms: every device sends it more than once.
HOLD, BIAS_N, SPIKE_N, BLOW_N = 14, [0.1, -0.2, -1.5], 5.0, -4.0


@pytest.fixture
def play(emulate, opened):
    """Return a function that plays a recording to a device: its driver, and a function that reads a stamp and a force (3,) [N]."""

    def start(name, path):
        kind = importlib.import_module(f"tactus_hardware.{name}").DEVICE
        driver = opened(kind, emulate(name, "--play", str(path)).address, **MORE.get(name, {}))

        def read():
            reading = until(lambda: driver.read(0.05))
            wrench = reading.value.wrench_tcp if kind.measures == "arm" else reading.value
            assert (np.abs(wrench[3:]) < 1e-9).all(), "torque was not recorded, and is told as zero"
            return reading.stamp_s, wrench[:3]

        return driver, read

    return start


@functools.cache
def forces_N(path):
    return np.array([s.value[:3] for s in open_recording(path).samples() if s.stream == "wrench/raw"])


def steps(force_N, step_N):
    return np.rint(np.asarray(force_N) / step_N).astype(int)


@EACH
def test_bias_spikes_and_stale_samples_come_out_as_documented(name, play, tmp_path):
    driver, read = play(name, write_mat(tmp_path / "trace.mat", samples=75, spike_at=40, blow_at=55, hold=HOLD))
    wrench_filter, passed, spikes = WrenchFilter(WrenchFilterConfig(bias_readings=30)), [], []

    def enough():
        stamp_s, force_N = read()
        found, events = wrench_filter.step(stamp_s, force_N)
        passed.extend([found.value[2]] if found else [])
        spikes.extend(event.excess for event in events if event.kind is WrenchEventKind.SPIKE)
        return spikes and passed and max(spikes) > SPIKE_N - 0.2 and min(passed) < BLOW_N + 0.2

    until(enough)
    assert wrench_filter.bias == pytest.approx(BIAS_N, abs=0.05)
    assert max(passed) < 0.5, "a lone spike is left out, whatever wire it came over"
    # Where a busy machine skips all of a blow but one reading, that is a lone one too.
    assert all(spike == pytest.approx(SPIKE_N, abs=0.2) or spike == pytest.approx(-BLOW_N, abs=0.2) for spike in spikes)
    assert wrench_filter.counts["out_of_range"] == 0
    if name == "ft300":  # its frames carry no number: the driver takes what equals the last for the last
        assert driver.health.counts["repeated"] > 10
        assert wrench_filter.counts["repeats"] == 0
    else:
        assert wrench_filter.counts["repeats"] > 10


@EACH
def test_a_real_trace_arrives_as_it_was_recorded(name, play, data):
    path, step_N = data("force/panda_ft_trace/symbol_17_data.mat"), STEPS_N[name]
    _, read = play(name, path)
    seen = {tuple(steps(read()[1], step_N)) for _ in range(60)}
    assert len(seen) > 20
    assert seen <= set(map(tuple, steps(forces_N(path), step_N)))


@pytest.mark.parametrize("recorded", [True, False])
def test_pressing_what_plays_a_recording_is_refused_as_five_numbers_are(recorded, mat):
    with pytest.raises(ConfigError, match="cannot be pressed"):
        Feeling(mat if recorded else None).press([1.0] * (6 if recorded else 5))
