"""The wrench filter: what it promises for any input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.perception.wrench_filter import WrenchEventKind, WrenchFilter, WrenchFilterConfig

DT_S = 0.002
BIAS = np.array([0.5, -0.2, -1.5])
READINGS = 20
finite = st.floats(-500, 500, allow_nan=False)
anything = st.floats(allow_nan=True, allow_infinity=True)


class Bench:
    """A filter with its clock; `noise` makes readings differ, as those of a real sensor do."""

    def __init__(self, noise=1e-6, **values):
        self.filter = WrenchFilter(WrenchFilterConfig(bias_readings=READINGS, **values))
        self.noise, self.count, self.events = noise, 0, []

    def feed(self, value):
        self.count += 1
        out, events = self.filter.step(self.count * DT_S, np.asarray(value, float) + self.noise * (self.count % 7))
        self.events += events
        return out

    def biased(self):
        for _ in range(READINGS + 2):
            assert self.feed(BIAS) is None
        assert self.filter.bias == pytest.approx(BIAS, abs=1e-4)
        return self


@given(st.lists(st.lists(anything, min_size=3, max_size=3), max_size=60))
def test_nothing_but_finite_readings_pass(values):
    bench = Bench().biased()
    for value in values:
        out = bench.feed(value)
        assert out is None or np.isfinite(out.value).all()
    counts = bench.filter.counts
    left_out = counts["repeats"] + counts["spikes"] + counts["out_of_range"] + counts["late"]
    # What is neither passed nor left out: the first reading, those that made the bias, and the newest.
    assert counts["records"] == counts["passed"] + left_out + READINGS + 2


@given(finite)
def test_constant_in_constant_out_one_reading_late(level):
    bench = Bench(noise=0.0, noisy=False).biased()
    force = BIAS + np.array([0, 0, level])
    bench.feed(force)
    for _ in range(10):
        out = bench.feed(force)
        assert out.value == pytest.approx([0, 0, level], abs=1e-9)
        assert out.stamp_s == pytest.approx((bench.count - 1) * DT_S)


@given(st.floats(0.6, 900), st.sampled_from([-1, 1]), st.integers(0, 2), st.integers(1, 20))
def test_single_spike_of_any_size_never_passes(size_N, sign, axis, at):
    bench = Bench().biased()
    for i in range(30):
        value = BIAS.copy()
        value[axis] += sign * size_N * (i == at)
        out = bench.feed(value)
        assert out is None or np.abs(out.value).max() < 0.01
    assert [e.kind for e in bench.events if e.kind is not WrenchEventKind.BIAS] == [WrenchEventKind.SPIKE]
    assert bench.events[-1].excess == pytest.approx(size_N, abs=0.01)


@given(finite, st.integers(1, 5))
def test_step_passes_with_its_own_stamp_when_the_next_reading_comes(level, before):
    bench = Bench().biased()
    for _ in range(before):
        bench.feed(BIAS)
    bench.feed(BIAS + level)
    stepped_s = bench.count * DT_S
    out = bench.feed(BIAS + level)
    assert out is not None
    assert out.stamp_s == pytest.approx(stepped_s)
    assert out.value == pytest.approx([level] * 3, abs=1e-3)


@given(st.floats(-400, 400), st.integers(2, 12))
def test_ramp_of_any_slope_passes_whole(slope, steps):
    bench = Bench().biased()
    passed = [bench.feed(BIAS + np.clip(slope * i, -900, 900)) for i in range(steps)]
    assert all(out is not None for out in passed)


@settings(max_examples=50)
@given(st.lists(st.tuples(finite, st.integers(1, 4)), min_size=3, max_size=30, unique_by=lambda pair: pair[0]))
def test_repeats_are_not_evidence(pairs):
    """A spike that a slow sensor shows in several records is still one reading."""
    once, held = Bench(noise=0.0, noisy=False), Bench(noise=0.0)
    expected, got = [], []
    for value, repeats in [(600 + (i % 2) / 100, 1) for i in range(READINGS + 1)] + pairs:
        expected += [out.value for out in [once.feed([value, 0.0, 0.0])] if out]
        got += [out.value for out in [held.feed([value, 0.0, 0.0]) for _ in range(repeats)] if out]
    assert np.array_equal(expected, got)


def test_stuck_sensor_is_told_once_and_falls_silent():
    bench = Bench(noise=0.0, stuck_s=0.02)
    for i in range(READINGS + 2):
        bench.feed(BIAS + 0.01 * (i % 2))
    out = [bench.feed(BIAS + 1.0) for _ in range(100)]
    assert sum(o is not None for o in out) <= 1
    assert [e.kind for e in bench.events].count(WrenchEventKind.STUCK) == 1


def test_bias_waits_for_a_still_sensor():
    bench = Bench()
    for i in range(3 * READINGS):
        assert bench.feed(BIAS + 0.2 * i) is None
    assert bench.filter.bias is None
    for _ in range(READINGS + 2):
        bench.feed(BIAS)
    assert bench.filter.bias == pytest.approx(BIAS, abs=1e-2)


def test_old_stamps_and_other_shapes_are_left_out():
    bench = Bench().biased()
    out, (event,) = bench.filter.step(0.0, BIAS)
    assert out is None
    assert event.kind is WrenchEventKind.LATE
    assert bench.feed(np.zeros(6)) is None
    assert bench.events[-1].kind is WrenchEventKind.OUT_OF_RANGE


@given(st.floats(1.1, 3600.0))
def test_a_clock_set_back_makes_the_sensor_late_for_no_longer_than_the_filter_needs(back_s):
    bench = Bench().biased()
    bench.count -= round(back_s / DT_S)
    passed = [bench.feed(BIAS) for _ in range(5)]
    assert [out is not None for out in passed] == [False, False, True, True, True]
    assert bench.filter.counts["late"] == 0
