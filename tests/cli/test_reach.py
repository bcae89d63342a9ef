"""How goals in an emulator's log are judged."""

import numpy as np
import pytest

from tactus_cli.reach import judge
from tactus_core.errors import DataError

LOW, HIGH = np.array([-1.0, -2.0]), np.array([1.0, 2.0])
SPEED = 1.5


def log(tmp_path, time_s, goal):
    path = tmp_path / "arm.txt"
    np.savetxt(path, np.column_stack([time_s, goal]))
    return path


def moving(speed_rad_s, jitter_s=0.0, seconds=1.0):
    """Return times and goals of two joints, the first of which moves; each command may come late."""
    rng = np.random.default_rng(1)
    time_s = np.arange(0.0, seconds, 0.005)
    return time_s + rng.uniform(0.0, jitter_s, len(time_s)), np.column_stack([-0.7 + speed_rad_s * time_s, np.zeros(len(time_s))])


def test_what_keeps_the_limits_is_found_sound_also_when_commands_jitter(tmp_path):
    assert judge(log(tmp_path, *moving(1.0, 0.004)), LOW, HIGH, SPEED, "arm") == {}


def test_what_is_too_fast_is_found(tmp_path):
    (found,) = judge(log(tmp_path, *moving(2.0, 0.004, 0.5)), LOW, HIGH, SPEED, "arm").items()
    assert found == ("arm speed [share]", pytest.approx(2.0 / SPEED, rel=0.1))


def test_what_is_beyond_a_limit_is_found(tmp_path):
    time_s, goal = moving(0.5)
    goal[100, 1] = 2.01
    assert judge(log(tmp_path, time_s, goal), LOW, HIGH, np.array([SPEED, 1e3]), "arm") == {"arm position [rad]": pytest.approx(0.01)}


def test_a_log_of_nothing_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected a motion"):
        judge(log(tmp_path, [1.0], [[0.0, 0.0]]), LOW, HIGH, SPEED, "arm")
