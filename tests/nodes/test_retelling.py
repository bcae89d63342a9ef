"""What another driver says, in our words: whatever its messages are made of, what is passed on is finite, whole, and what was said."""

import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import JointState

from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import DataError
from tactus_core.perception.mounting import Mounting
from tactus_nodes import convert, retelling

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
