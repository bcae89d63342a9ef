"""Every stage alone: whatever comes in, what goes out is within its limit, and what came in is as it was."""

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError
from tactus_core.geometry import inverse, rigid, rotation_matrix, rotation_vector
from tactus_core.guard.arbiter import arbitrate
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import make_chain
from tactus_core.guard.hand_limits import HandLimits
from tactus_core.guard.reference_error import ReferenceError
from tactus_core.guard.speed import Speed
from tactus_core.guard.start_jump import StartJump
from tactus_core.guard.types import Context, Reason, Received
from tactus_core.guard.well_formed import WellFormed
from tactus_core.guard.workspace import Workspace
from tactus_core.guard.wrench import WrenchLimit
from tactus_core.types import Proposal, RobotState, Target

CONFIG = GuardConfig()
LOW, HIGH = np.full(16, -0.3), np.full(16, 1.7)

vectors = st.tuples(*[st.floats(-1.7, 1.7)] * 3).map(np.array)
places = st.tuples(*[st.floats(-2.0, 2.0)] * 3).map(np.array)
poses = st.builds(lambda p, v: rigid(p, rotation_matrix(v)), places, vectors)
hands = st.lists(st.floats(-4, 4), min_size=16, max_size=16).map(np.array)
targets = st.builds(Target, poses, st.none() | hands)
wrenches = st.lists(st.floats(-100, 100), min_size=6, max_size=6).map(np.array)
states = st.builds(RobotState, st.just(1.0), poses, wrenches, st.just(np.zeros(4)), hands)
contexts = st.builds(Context, states, targets, st.floats(0, 0.02), st.booleans(), st.floats(0, 1))
checked = settings(max_examples=100, deadline=None)


@given(target=targets, context=contexts)
@checked
@pytest.mark.parametrize("stage", make_chain(CONFIG, LOW, HIGH), ids=lambda stage: type(stage).__name__)
def test_a_stage_is_pure_and_says_why(stage, target, context):
    target_before, context_before = copy.deepcopy((target, context))
    first, reason = stage.apply(target, context)
    second, _ = stage.apply(target, context)
    for before, after in ((target_before, target), (context_before, context), (first, second)):
        np.testing.assert_equal(_plain(after), _plain(before))
    assert (reason is None) == (first is target)
    if first is not None:
        assert WellFormed(16).apply(first, context) == (first, None)


def _plain(value):
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


numbers = st.floats(width=64) | st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e300, 1e-300])


@given(T=st.lists(numbers, min_size=16, max_size=16), hand=st.none() | st.lists(numbers, min_size=15, max_size=17), context=contexts)
@checked
@pytest.mark.filterwarnings("error")
def test_anything_that_is_no_pose_is_refused(T, hand, context):
    T = np.array(T).reshape(4, 4)
    got, reason = WellFormed(16).apply(Target(T, None if hand is None else np.array(hand)), context)
    if got is None:
        assert reason is Reason.MALFORMED
        return
    assert np.isfinite(T).all()
    np.testing.assert_allclose(inverse(T) @ T, np.eye(4), atol=1e-2)
    assert hand is None or (len(hand) == 16 and np.isfinite(hand).all())


@pytest.mark.parametrize("T", [np.diag([1.0, 1, -1, 1]), np.diag([1.001, 1, 1, 1]), np.eye(3), np.diag([1.0, 1, 1, 2])])
def test_a_reflection_or_a_scaling_is_no_pose(T):
    assert WellFormed(16).apply(Target(T, None), None) == (None, Reason.MALFORMED)


@given(target=targets, context=contexts)
@checked
def test_motion_begins_only_where_the_robot_is(target, context):
    got, _ = StartJump(CONFIG).apply(target, context)
    away = inverse(context.state.T_base_tcp) @ target.T_base_tcp
    near = np.linalg.norm(away[:3, 3]) <= 0.1 and np.linalg.norm(rotation_vector(away[:3, :3])) <= 0.6
    assert (got is not None) == (context.running or near)


@given(target=targets, context=contexts)
@checked
def test_the_tcp_stays_in_its_box(target, context):
    got, reason = Workspace(CONFIG).apply(target, context)
    p = got.T_base_tcp[:3, 3]
    assert (p >= CONFIG.workspace_low_m).all()
    assert (p <= CONFIG.workspace_high_m).all()
    assert (reason is None) == np.array_equal(p, target.T_base_tcp[:3, 3])
    np.testing.assert_array_equal(got.T_base_tcp[:3, :3], target.T_base_tcp[:3, :3])


@given(target=targets, context=contexts)
@checked
def test_hand_joints_stay_within_limits(target, context):
    got, _ = HandLimits(LOW, HIGH).apply(target, context)
    assert (got.hand_rad is None) == (target.hand_rad is None)
    if got.hand_rad is not None:
        np.testing.assert_array_equal(got.hand_rad, np.clip(target.hand_rad, LOW, HIGH))


@given(target=targets, context=contexts)
@checked
def test_no_step_is_faster_than_allowed(target, context):
    got, _ = Speed(CONFIG).apply(target, context)
    time_s = context.dt_s * context.speed_share
    step = inverse(context.executed.T_base_tcp) @ got.T_base_tcp
    left = inverse(got.T_base_tcp) @ target.T_base_tcp
    full = inverse(context.executed.T_base_tcp) @ target.T_base_tcp
    for size, limit in (
        (lambda T: np.linalg.norm(T[:3, 3]), CONFIG.max_speed_m_s),
        (lambda T: np.linalg.norm(rotation_vector(T[:3, :3])), CONFIG.max_speed_rad_s),
    ):
        assert size(step) <= limit * time_s + 1e-7
        assert size(step) + size(left) == pytest.approx(size(full), abs=1e-6)  # straight there
    if got.hand_rad is not None:
        last = context.state.hand_position_rad if context.executed.hand_rad is None else context.executed.hand_rad
        assert np.abs(got.hand_rad - last).max() <= CONFIG.max_hand_speed_rad_s * time_s + 1e-9


@given(target=targets, context=contexts)
@checked
def test_the_reference_error_is_bounded_along_across_and_about(target, context):
    got, reason = ReferenceError(CONFIG).apply(target, context)
    error = inverse(context.state.T_base_tcp) @ got.T_base_tcp
    assert abs(error[2, 3]) <= CONFIG.max_normal_error_m + 1e-9
    assert np.linalg.norm(error[:2, 3]) <= CONFIG.max_tangential_error_m + 1e-9
    assert np.linalg.norm(rotation_vector(error[:3, :3])) <= CONFIG.max_rotation_error_rad + 1e-7
    if reason:
        asked = inverse(context.state.T_base_tcp) @ target.T_base_tcp
        np.testing.assert_allclose(np.cross(asked[:3, 3], error[:3, 3]), 0, atol=1e-9)


@given(wrench=wrenches, running=st.booleans())
@checked
def test_hard_contact_ends_motion_and_rest_needs_less(wrench, running):
    state = RobotState(1.0, np.eye(4), wrench, np.zeros(4), np.zeros(16))
    target = Target(np.eye(4), None)
    got, reason = WrenchLimit(CONFIG).apply(target, Context(state, target, 0.005, running, 1.0))
    share = 1.0 if running else CONFIG.release_share
    fine = np.linalg.norm(wrench[:3]) <= share * CONFIG.max_force_N and np.linalg.norm(wrench[3:]) <= share * CONFIG.max_torque_Nm
    assert (reason is None) == fine == (got is target)


def received(source, at_s):
    return Received(Proposal(0.0, source, Target(np.eye(4), None)), at_s)


def test_the_human_comes_before_the_policy_before_idling():
    all_of_them = [received("idle", 1.0), received("policy", 1.0), received("human", 0.99), received("policy", 1.01)]
    assert arbitrate(all_of_them, 1.02, 0.05) == (all_of_them[2], ())
    assert arbitrate(all_of_them, 1.045, 0.05) == (all_of_them[3], ())
    assert arbitrate(all_of_them, 1.2, 0.05) == (None, (Reason.TIMEOUT,))
    assert arbitrate([received("ghost", 1.0)], 1.0, 0.05) == (None, (Reason.UNKNOWN_SOURCE, Reason.TIMEOUT))


@pytest.mark.parametrize("at_s", [1.1, np.nan, np.inf, -np.inf])
def test_a_proposal_from_the_future_or_from_no_time_is_not_fresh(at_s):
    assert arbitrate([received("human", at_s)], 1.0, 0.05)[0] is None


def test_a_box_without_inside_is_refused():
    with pytest.raises(ConfigError, match="below workspace_high_m"):
        from_mapping(GuardConfig, {"workspace_low_m": [0.5, 0, 0], "workspace_high_m": [0.4, 1, 1]}, "guard.yaml")
    for low, message in (([0.5, 0], "list of 3 values"), (0.5, "list of 3 values"), (["a", 0, 0], "float values only")):
        with pytest.raises(ConfigError, match=message):
            from_mapping(GuardConfig, {"workspace_low_m": low}, "guard.yaml")
