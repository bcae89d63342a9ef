"""The choice of a ros2_control controller: only an active one that takes what we send, for just our joints, and never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.controllers import TYPES, Choice, Controller, Takes, choose
from tactus_core.errors import DeviceError

JOINTS = ("one", "two", "three")
JTC = "joint_trajectory_controller/JointTrajectoryController"
FORWARD = "forward_command_controller/ForwardCommandController"
CRISP = "crisp_controllers/CartesianController"
BROADCASTER = Controller("joint_state_broadcaster", "joint_state_broadcaster/JointStateBroadcaster", "active", ())


def controller(kind, state="active", joints=JOINTS, interfaces=("position",), chained=False, name=""):
    needed = tuple(f"{joint}/{interface}" for interface in interfaces for joint in joints)
    return Controller(name or kind.partition("/")[0], kind, state, needed, chained)


anything = st.builds(
    controller,
    st.sampled_from([*TYPES, "velocity_controllers/JointGroupVelocityController", "else/Else"]),
    st.sampled_from(["active", "active", "inactive", "unconfigured", "finalized", ""]),
    st.permutations(JOINTS).map(tuple) | st.lists(st.sampled_from([*JOINTS, "gripper", ""]), unique=True).map(tuple),
    st.lists(st.sampled_from(["position", "velocity", "effort", ""]), unique=True).map(tuple),
    st.booleans(),
    st.text("abc", min_size=1, max_size=3),
)


@given(st.lists(anything, max_size=5), st.booleans())
def test_a_choice_is_the_only_active_one_that_takes_what_we_send(loaded, poses):
    able = [each for each in loaded if each.active and each.fits(frozenset(JOINTS), poses)]
    if len(able) != 1:
        with pytest.raises(DeviceError, match="--deactivate" if able else "no "):
            choose(loaded, JOINTS, poses=poses)
        return
    (chosen,), choice = able, choose(loaded, JOINTS, poses=poses)
    assert choice.name == chosen.name
    assert (TYPES[chosen.type], chosen.joints) == (choice.takes, choice.joints)
    assert sorted(choice.joints) == sorted(JOINTS)
    assert not chosen.chained
    assert (choice.takes is Takes.POSE) is poses
    if choice.takes is Takes.POSITIONS:
        assert {interface.rpartition("/")[2] for interface in chosen.interfaces} == {"position"}


@given(st.permutations(JOINTS), st.permutations(["position", "velocity"]))
def test_the_joints_come_in_the_controllers_own_order(order, interfaces):
    assert choose([BROADCASTER, controller(JTC, joints=order, interfaces=interfaces)], JOINTS, poses=False) == Choice(
        "joint_trajectory_controller", Takes.TRAJECTORY, tuple(order)
    )


@pytest.mark.parametrize("interface", ["velocity", "effort", "acceleration", "position_", "x/position"])
def test_positions_are_never_forwarded_as_anything_else(interface):
    with pytest.raises(DeviceError, match="no controller takes joint positions"):
        choose([controller(FORWARD, interfaces=(interface,))], JOINTS, poses=False)
    with pytest.raises(DeviceError, match="no controller takes joint positions"):
        choose([controller(FORWARD, interfaces=("position", interface))], JOINTS, poses=False)


@pytest.mark.parametrize(
    ("loaded", "poses", "said"),
    [
        ([], False, "loaded: none"),
        ([BROADCASTER], False, "check the names of the joints"),
        ([controller(JTC, joints=JOINTS[:2])], False, "of just these joints"),
        ([controller(JTC, joints=(*JOINTS, "gripper"))], False, "of just these joints"),
        ([controller(JTC, chained=True)], False, "no controller takes joint positions"),
        ([controller(JTC)], True, "no controller takes tcp poses"),
        ([controller(CRISP, interfaces=("effort",))], False, "no controller takes joint positions"),
        ([controller(JTC, name="a"), controller(FORWARD, name="b")], False, "switch_controllers --deactivate b$"),
        ([controller(JTC, "inactive", name="a"), controller(FORWARD, "inactive", name="b")], False, "--activate a$"),
        ([controller(JTC, name="a"), controller(CRISP, "inactive", name="b")], True, "--activate b --deactivate a$"),
        ([controller(JTC, "inactive", name="a"), controller("else/Else", interfaces=("velocity",))], False, "a --deactivate else$"),
    ],
)
def test_none_or_several_is_an_error_that_says_what_to_run(loaded, poses, said):
    with pytest.raises(DeviceError, match=said):
        choose(loaded, JOINTS, poses=poses)
