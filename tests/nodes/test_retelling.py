"""What another driver says, in our words: whatever its messages are made of, what is passed on is finite, whole, and what was said."""

import array
import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image, JointState

from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import DataError
from tactus_core.perception.mounting import Mounting
from tactus_nodes import convert, convert_seen, retelling

THEIRS, OURS = ("a", "b", "c"), ("one", "two", "three")
numbers = st.floats(width=64) | st.sampled_from([0.0, math.nan, math.inf, 1e3])
names_ = st.permutations([*THEIRS, "gripper"]) | st.lists(st.sampled_from([*THEIRS, "gripper", ""]), max_size=5)
lists = st.lists(numbers, max_size=5) | st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4)


@given(names_, lists, lists, lists)
def test_joints_come_whole_and_finite_and_as_they_were_said_or_not_at_all(names, position, velocity, effort):
    message = JointState(name=names, position=position, velocity=velocity, effort=effort)
    message.header.stamp = Time(sec=7, nanosec=9)
    places = [names.index(joint) for joint in THEIRS if joint in names]
    whole = len(places) == 3 and max(places) < len(position) and np.isfinite([position[place] for place in places]).all()
    if places and not (whole and len(velocity) in (0, len(names))):
        with pytest.raises(DataError):
            retelling.joints(message, THEIRS, OURS, "/joint_states")
        return
    retold = retelling.joints(message, THEIRS, OURS, "/joint_states")
    if not places:
        assert retold is None  # another device's
        return
    assert (tuple(retold.name), retold.header.stamp) == (OURS, message.header.stamp)
    assert list(retold.position) == [position[place] for place in places]
    assert not len(retold.effort)
    known = velocity and np.isfinite([velocity[place] for place in places]).all()
    assert list(retold.velocity) == ([velocity[place] for place in places] if known else [])


@given(st.lists(numbers | st.floats(-50.0, 50.0), min_size=6, max_size=6), st.booleans(), st.sampled_from([1.0, -1.0]))
def test_a_wrench_is_turned_once_and_never_passed_on_where_it_is_not_known(values, zero_is_unknown, sign):
    says = "on_tool" if sign > 0 else "by_tool"
    profile = DriverProfile(
        measures="wrench", wrench="/wrench", says=says, zero_is_unknown=zero_is_unknown, position_tcp_sensor_m=(0.0, 0.0, 0.1)
    )
    message = WrenchStamped()
    force, torque = message.wrench.force, message.wrench.torque
    force.x, force.y, force.z, torque.x, torque.y, torque.z = values
    usable = all(abs(value) <= limit for value, limit in zip(values, [1000.0] * 3 + [100.0] * 3, strict=True))
    if not usable or (zero_is_unknown and not any(values)):
        with pytest.raises(DataError, match="left out"):
            retelling.wrench(message, Mounting(profile), profile)
        return
    retold = convert.wrench_tcp(retelling.wrench(message, Mounting(profile), profile))
    f, t = sign * np.array(values[:3]), sign * np.array(values[3:])
    assert retold == pytest.approx(np.concatenate([f, t + np.cross([0.0, 0.0, 0.1], f)]))


ENCODINGS = st.sampled_from(["rgb8", "bgr8", "yuv422_yuy2", "16UC1", ""])


@given(ENCODINGS, st.integers(0, 5), st.integers(0, 4), st.integers(-3, 4), st.integers(-1, 1))
def test_an_image_comes_pixel_by_pixel_with_the_time_of_its_capture_or_not_at_all(encoding, width, height, padding, more):
    profile = DriverProfile(measures="camera", images="/image", latency_s=0.05)
    step = max(0, 3 * width + padding)
    data = np.random.default_rng(0).integers(0, 256, max(0, height * step + more), dtype=np.uint8)
    message = Image(height=height, width=width, encoding=encoding, step=step, data=array.array("B", data.tobytes()))
    message.header.stamp = Time(sec=7)
    if encoding not in ("rgb8", "bgr8") or padding < 0 or more or not data.size or not width:
        with pytest.raises(DataError, match="rgb8 or bgr8"):
            retelling.image(message, profile, 7.01)
        return
    retold = convert_seen.image(found := retelling.image(message, profile, 7.01))
    assert convert.seconds(found.header.stamp) == pytest.approx(6.95)
    told = data.reshape(height, step)[:, : 3 * width].reshape(height, width, 3)
    assert np.array_equal(retold, told if encoding == "rgb8" else told[:, :, ::-1])


@given(st.floats(0.0, 0.3), st.floats(allow_nan=False, min_value=-10.0, max_value=10.0))
def test_an_image_that_is_too_old_or_of_another_clock_is_left_out(latency_s, age_s):
    profile = DriverProfile(measures="camera", images="/image", latency_s=latency_s, state_timeout_s=0.2)
    message = Image(height=1, width=1, encoding="rgb8", step=3, data=array.array("B", [1, 2, 3]))
    message.header.stamp = convert.to_stamp(100.0)
    if abs(age_s + latency_s) > 0.2001:
        with pytest.raises(DataError, match="same time"):
            retelling.image(message, profile, 100.0 + age_s)
    elif abs(age_s + latency_s) < 0.1999:
        assert convert_seen.image(retelling.image(message, profile, 100.0 + age_s)).shape == (1, 1, 3)
