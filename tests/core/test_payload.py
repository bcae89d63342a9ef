"""Payloads found from made-up readings, whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError
from tactus_core.geometry import rotation_matrix
from tactus_core.perception.payload import G_M_S2, Payload, identify

SEEDS = st.integers(0, 2**32 - 1)
NOISE = np.array([0.05] * 3 + [0.002] * 3)


def rotations(random, count):
    """Return axes (count, 3, 3): upright, tipped to two sides and over, and turned at random, so that gravity comes from all around."""
    tipped = [np.zeros(3), np.array([np.pi / 2, 0, 0]), np.array([0, np.pi / 2, 0]), np.array([2.0, 0.3, -0.4])]
    start = rotation_matrix(random.uniform(-3.0, 3.0, 3))
    return np.array([*(rotation_matrix(t) @ start for t in tipped), *(rotation_matrix(random.uniform(-2, 2, 3)) for _ in range(count - 4))])


def some_payload(random):
    bias = np.concatenate([random.uniform(-20.0, 20.0, 3), random.uniform(-2.0, 2.0, 3)])
    return Payload(random.uniform(0.2, 5.0), random.uniform(-0.15, 0.15, 3), bias)


def test_a_tool_that_hangs_is_felt_as_a_pull_downwards_and_levers_by_its_centre():
    payload = Payload(2.0, np.array([0.1, 0.0, 0.05]), np.zeros(6))
    # Sensor upright: gravity along its -z. The weight at +x turns it about +y.
    assert payload.felt(np.eye(3)) == pytest.approx([0, 0, -2 * G_M_S2, 0, 0.2 * G_M_S2, 0])
    # Sensor upside down (half a turn about x): what pulls down is its +z.
    assert payload.felt(rotation_matrix(np.array([np.pi, 0, 0])))[2] == pytest.approx(2 * G_M_S2)
    # Somebody presses up against the tool with 5 N: that remains, with its sign.
    pressed = payload.felt(np.eye(3)) + np.array([0, 0, 5.0, 0, 0, 0])
    assert payload.compensated(pressed, np.eye(3)) == pytest.approx([0, 0, 5.0, 0, 0, 0])


@given(SEEDS, st.integers(6, 20))
def test_what_is_found_from_noisy_readings_is_the_truth(seed, count):
    random = np.random.default_rng(seed)
    truth, R = some_payload(random), rotations(random, count)
    found = identify(np.array([truth.felt(r) for r in R]) + random.normal(0.0, NOISE, (count, 6)), R)
    assert found.mass_kg == pytest.approx(truth.mass_kg, abs=0.1)
    assert found.center_m * found.mass_kg == pytest.approx(truth.center_m * truth.mass_kg, abs=0.005)
    assert found.bias[:3] == pytest.approx(truth.bias[:3], abs=0.5)
    assert found.bias[3:] == pytest.approx(truth.bias[3:], abs=0.02)
    # What is left in a posture that was not in the fit is noise, not the tool.
    R_new = rotation_matrix(random.uniform(-3.0, 3.0, 3))
    rest = found.compensated(truth.felt(R_new), R_new)
    assert np.abs(rest[:3]).max() < 1.0
    assert np.abs(rest[3:]).max() < 0.05
    assert found.residual_N < 4 * NOISE[0]
    assert found.residual_Nm < 4 * NOISE[5]


@given(SEEDS, st.integers(4, 8))
def test_without_noise_it_is_exact(seed, count):
    random = np.random.default_rng(seed)
    truth, R = some_payload(random), rotations(random, count)
    found = identify(np.array([truth.felt(r) for r in R]), R)
    assert found.mass_kg == pytest.approx(truth.mass_kg, rel=1e-9)
    assert found.center_m == pytest.approx(truth.center_m, abs=1e-9)
    assert found.bias == pytest.approx(truth.bias, abs=1e-8)


@settings(max_examples=50)
@given(SEEDS)
def test_nodding_about_one_axis_is_refused(seed):
    """From anywhere, by up to 17 degrees: gravity spreads along one line only."""
    random = np.random.default_rng(seed)
    base, axis = rotation_matrix(random.uniform(-3.0, 3.0, 3)), random.normal(size=3)
    R = np.array([base @ rotation_matrix(axis / np.linalg.norm(axis) * angle) for angle in (-0.3, -0.1, 0.1, 0.3, 0.05)])
    with pytest.raises(DataError, match="axis is tilted towards gravity"):
        identify(np.array([some_payload(random).felt(r) for r in R]), R)


@pytest.mark.parametrize(
    ("turns", "named"),
    [
        # Turning about the vertical: gravity always along z.
        ([[0, 0, a] for a in (0.0, 1.0, 2.0, 3.0)], "x and then its y"),
        # Swinging about x by up to 40 degrees: gravity moves along y, hardly along z, and never along x.
        ([[a, 0, 0] for a in (-0.7, -0.3, 0.3, 0.7)], "sensor's x axis"),
        ([[0, a, 0] for a in (-0.7, -0.3, 0.3, 0.7)], "sensor's y axis"),
    ],
)
def test_the_axis_that_lacks_is_named(turns, named):
    R = np.array([rotation_matrix(np.array(turn, dtype=float)) for turn in turns])
    truth = some_payload(np.random.default_rng(0))
    with pytest.raises(DataError, match=named):
        identify(np.array([truth.felt(r) for r in R]), R)


@given(st.integers(0, 3))
def test_too_few_postures_are_refused(count):
    R = rotations(np.random.default_rng(0), 4)[:count]
    with pytest.raises(DataError, match="at least 4"):
        identify(np.zeros((count, 6)), R)


def test_what_is_no_reading_is_refused():
    random = np.random.default_rng(1)
    truth, R = some_payload(random), rotations(random, 6)
    good = np.array([truth.felt(r) for r in R])
    for spoil in (np.nan, np.inf):
        bad = good.copy()
        bad[2, 1] = spoil
        with pytest.raises(DataError, match=r"\[2\]"):
            identify(bad, R)
    with pytest.raises(DataError, match="rotation"):
        identify(good, R * 1.1)
    with pytest.raises(DataError, match="expected"):
        identify(good[:, :3], R)


def test_readings_of_the_other_sign_or_of_a_touched_tool_are_refused():
    random = np.random.default_rng(2)
    truth, R = some_payload(random), rotations(random, 8)
    good = np.array([truth.felt(r) for r in R])
    with pytest.raises(DataError, match="sign of its wrench"):
        identify(-good, R)
    touched = good.copy()
    touched[3, 2] += 30.0
    with pytest.raises(DataError, match="nothing touched the tool"):
        identify(touched, R)


def test_a_wrench_that_is_not_known_stays_unknown():
    payload = some_payload(np.random.default_rng(3))
    assert np.isnan(payload.compensated(np.full(6, np.nan), np.eye(3))).all()
    assert np.isnan(payload.compensated(np.zeros(6), np.full((3, 3), np.nan))).all()
