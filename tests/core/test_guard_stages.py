"""Every stage alone: whatever comes in, what goes out is within its limit, and what came in is as it was."""

import copy
import dataclasses

import numpy as np
import pytest
from gantry import DOWN, HIGH, KINEMATICS, LOW, BALL_m, POST_m, POST_RADIUS_m, pose, state
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError
from tactus_core.geometry import inverse, rigid, rotation_matrix, rotation_vector
from tactus_core.guard.arbiter import arbitrate
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.fingers import Fingers
from tactus_core.guard.guard import make_chain
from tactus_core.guard.joint_limits import ArmLimits, HandLimits
from tactus_core.guard.posture import Posture
from tactus_core.guard.reference_error import ReferenceError
from tactus_core.guard.start_jump import StartJump
from tactus_core.guard.types import Context, Reason, Received
from tactus_core.guard.well_formed import WellFormed
from tactus_core.guard.workspace import Workspace
from tactus_core.guard.wrench import WrenchLimit
from tactus_core.types import Proposal, RobotState, Target

CONFIG = GuardConfig()

vectors = st.tuples(*[st.floats(-1.7, 1.7)] * 3).map(np.array)
places = st.tuples(*[st.floats(-2.0, 2.0)] * 3).map(np.array)
poses = st.builds(lambda p, v: rigid(p, rotation_matrix(v)), places, vectors)
hands = st.lists(st.floats(-4, 4), min_size=16, max_size=16).map(np.array)
targets = st.builds(Target, poses, st.none() | hands)
wrenches = st.lists(st.floats(-100, 100), min_size=6, max_size=6).map(np.array)
arms = st.lists(st.floats(-8, 8), min_size=7, max_size=7).map(np.array)
targets |= st.builds(lambda arm, hand: Target(KINEMATICS.tcp_pose(arm), hand, arm), arms, st.none() | hands)
touches = st.lists(st.floats(0, 50), min_size=4, max_size=4).map(np.array)
states = st.builds(RobotState, st.just(1.0), poses, wrenches, touches, hands, arms, st.none() | hands)
contexts = st.builds(Context, states, targets, st.booleans(), st.floats(0, 1))
checked = settings(max_examples=100, deadline=None)


@given(target=targets, context=contexts)
@checked
@pytest.mark.parametrize("stage", make_chain(CONFIG, KINEMATICS), ids=lambda stage: type(stage).__name__)
def test_a_stage_is_pure_and_says_why(stage, target, context):
    target_before, context_before = copy.deepcopy((target, context))
    first, reason = stage.apply(target, context)
    second, _ = stage.apply(target, context)
    for before, after in ((target_before, target), (context_before, context), (first, second)):
        np.testing.assert_equal(_plain(after), _plain(before))
    assert (reason is None) == (first is target)
    if first is not None:
        assert WellFormed(7, 16).apply(first, context) == (first, None)


def _plain(value):
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


numbers = st.floats(width=64) | st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e300, 1e-300])


@given(T=st.lists(numbers, min_size=16, max_size=16), hand=st.none() | st.lists(numbers, min_size=15, max_size=17), context=contexts)
@checked
@pytest.mark.filterwarnings("error")
def test_anything_that_is_no_pose_is_refused(T, hand, context):
    T = np.array(T).reshape(4, 4)
    got, reason = WellFormed(7, 16).apply(Target(T, None if hand is None else np.array(hand)), context)
    if got is None:
        assert reason is Reason.MALFORMED
        return
    assert np.isfinite(T).all()
    np.testing.assert_allclose(inverse(T) @ T, np.eye(4), atol=1e-2)
    assert hand is None or (len(hand) == 16 and np.isfinite(hand).all())


@pytest.mark.parametrize("T", [np.diag([1.0, 1, -1, 1]), np.diag([1.001, 1, 1, 1]), np.eye(3), np.diag([1.0, 1, 1, 2])])
def test_a_reflection_or_a_scaling_is_no_pose(T):
    assert WellFormed(7, 16).apply(Target(T, None), None) == (None, Reason.MALFORMED)


@given(target=targets, context=contexts)
@checked
def test_motion_begins_only_where_the_robot_is(target, context):
    got, _ = StartJump(CONFIG).apply(target, context)
    away = inverse(context.state.T_base_tcp) @ target.T_base_tcp
    near = np.linalg.norm(away[:3, 3]) <= 0.1 and np.linalg.norm(rotation_vector(away[:3, :3])) <= 0.6
    if target.arm_rad is not None:
        near = np.abs(target.arm_rad - context.state.arm_position_rad).max() <= 0.6
    assert (got is not None) == (context.running or near)


@given(target=targets, context=contexts)
@checked
def test_the_tcp_stays_in_its_box(target, context):
    got, reason = Workspace(CONFIG).apply(target, context)
    low, high = CONFIG.workspace_low_m, CONFIG.workspace_high_m

    def outside(T):
        return np.abs(T[:3, 3] - np.clip(T[:3, 3], low, high)).max()

    if target.arm_rad is not None:
        assert (reason is not None) == (got is None)
        assert got is None or outside(got.T_base_tcp) == 0.0 or outside(got.T_base_tcp) < outside(context.state.T_base_tcp)
        return
    assert outside(got.T_base_tcp) == 0.0
    assert (reason is None) == (outside(target.T_base_tcp) == 0.0)
    np.testing.assert_array_equal(got.T_base_tcp[:3, :3], target.T_base_tcp[:3, :3])


@given(target=targets, context=contexts)
@checked
def test_joints_stay_within_limits(target, context):
    got, _ = HandLimits(LOW, HIGH).apply(target, context)
    assert (got.hand_rad is None) == (target.hand_rad is None)
    if got.hand_rad is not None:
        np.testing.assert_array_equal(got.hand_rad, np.clip(target.hand_rad, LOW, HIGH))
    got, _ = ArmLimits(CONFIG, KINEMATICS).apply(target, context)
    if got.arm_rad is not None:
        assert np.abs(got.arm_rad).max() <= 7.0 - CONFIG.joint_margin_rad
        np.testing.assert_allclose(got.T_base_tcp, KINEMATICS.tcp_pose(got.arm_rad))


@given(target=targets, context=contexts)
@checked
def test_the_reference_error_is_bounded_along_across_and_about(target, context):
    got, reason = ReferenceError(CONFIG).apply(target, context)
    if got.hand_rad is not None:
        assert np.abs(got.hand_rad - context.state.hand_position_rad).max() <= CONFIG.max_hand_error_rad + 1e-9
    if got.arm_rad is not None:
        assert np.abs(got.arm_rad - context.state.arm_position_rad).max() <= CONFIG.max_joint_error_rad + 1e-9
        return
    error = inverse(context.state.T_base_tcp) @ got.T_base_tcp
    assert abs(error[2, 3]) <= CONFIG.max_normal_error_m + 1e-9
    assert np.linalg.norm(error[:2, 3]) <= CONFIG.max_tangential_error_m + 1e-9
    assert np.linalg.norm(rotation_vector(error[:3, :3])) <= CONFIG.max_rotation_error_rad + 1e-7
    if reason:
        asked = inverse(context.state.T_base_tcp) @ target.T_base_tcp
        np.testing.assert_allclose(np.cross(asked[:3, 3], error[:3, 3]), 0, atol=1e-9)


near_the_post = st.tuples(st.floats(0.3, 0.7), st.floats(0.2, 0.6), st.floats(0.0, 0.3))


@given(here=near_the_post, step=st.tuples(*[st.floats(-0.05, 0.05)] * 3))
@checked
def test_the_tool_comes_no_nearer_to_post_and_floor_than_its_margins_and_may_always_leave(here, step):
    p, goal = np.array(here), np.array(here) + step
    got, reason = Posture(CONFIG, KINEMATICS).apply(Target(pose(*goal), None), Context(state(pose(*p)), Target(pose(*p), None), True))

    def gaps(at):
        return np.array([at[2] - BALL_m, np.linalg.norm(at[:2] - POST_m) - BALL_m - POST_RADIUS_m])

    margins = np.array([CONFIG.link_margin_m, CONFIG.self_margin_m])
    near, nearer = gaps(goal) < margins, gaps(goal) <= gaps(p)
    sure = np.abs(gaps(goal) - margins).min() > 2e-3 and np.abs(gaps(goal) - gaps(p)).min() > 2e-3  # the capsule's halves are 1 mm apart
    if sure:
        assert (got is None) == bool((near & nearer).any())
        assert reason in (None, Reason.LINK_WORKSPACE, Reason.SELF_COLLISION)


@given(context=contexts, hand=hands)
@checked
def test_a_finger_at_its_limit_is_asked_for_nothing_and_an_idle_one_for_all(context, hand):
    got, _ = Fingers(CONFIG, KINEMATICS.fingers).apply(Target(np.eye(4), hand), context)
    for finger, joints in enumerate(KINEMATICS.fingers):
        effort = 0.0 if context.state.hand_effort_Nm is None else np.abs(context.state.hand_effort_Nm[joints]).max()
        strain = max(context.state.fingertip_force_N[finger] / CONFIG.max_fingertip_force_N, effort / CONFIG.max_finger_effort_Nm)
        asked, left = (np.abs(target[joints] - context.state.hand_position_rad[joints]) for target in (hand, got.hand_rad))
        assert (left <= asked + 1e-12).all()
        if strain >= 1.0:
            np.testing.assert_allclose(left, 0.0, atol=1e-12)
        if strain <= CONFIG.slow_share:
            np.testing.assert_array_equal(got.hand_rad[joints], hand[joints])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_arm_without_a_sensor_moves_and_a_wrench_that_comes_all_the_same_is_judged(value):
    stage = WrenchLimit(GuardConfig(wrench=False))
    for force_N, passes in ((value, True), (0.0, True), (CONFIG.max_force_N + 1.0, False)):
        wrench = np.array([0.0, 0.0, force_N, 0.0, 0.0, 0.0])
        here = RobotState(1.0, np.eye(4), wrench, np.zeros(4), np.zeros(16))
        target, _ = stage.apply(Target(np.eye(4), None), Context(here, Target(np.eye(4), None), True))
        assert (target is not None) is passes


@given(wrench=wrenches, running=st.booleans())
@checked
def test_hard_contact_ends_motion_and_rest_needs_less(wrench, running):
    here = RobotState(1.0, np.eye(4), wrench, np.zeros(4), np.zeros(16))
    target = Target(np.eye(4), None)
    got, reason = WrenchLimit(CONFIG).apply(target, Context(here, target, running))
    share = 1.0 if running else CONFIG.release_share
    fine = np.linalg.norm(wrench[:3]) <= share * CONFIG.max_force_N and np.linalg.norm(wrench[3:]) <= share * CONFIG.max_torque_Nm
    assert (reason is None) == fine == (got is target)


@given(
    force_N=st.lists(st.floats(-100, 100), min_size=3, max_size=3).map(np.array),
    way_m=st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3),
)
@checked
def test_out_of_hard_contact_there_is_a_way_and_along_it_the_force_falls(force_N, way_m):
    assume(np.linalg.norm(force_N) > CONFIG.max_force_N and np.linalg.norm(way_m) > 1e-6)
    way = np.array(way_m)
    here = RobotState(1.0, rigid(np.zeros(3), DOWN), np.concatenate([force_N, np.zeros(3)]), np.zeros(4), np.zeros(16))
    begin, end = Target(here.T_base_tcp, None), Target(rigid(DOWN @ way, DOWN), None)
    got, reason = WrenchLimit(CONFIG).apply(end, Context(here, begin, running=False))
    cosine = force_N @ way / np.linalg.norm(force_N) / np.linalg.norm(way)
    assume(abs(cosine - 0.2) > 1e-6)
    assert (got is end, reason) == ((True, None) if cosine > 0.2 else (False, Reason.WRENCH))
    stiffness_N_m, little = 1000.0, 1e-3 * way / np.linalg.norm(way)
    if got:
        assert np.linalg.norm(force_N - stiffness_N_m * little) < np.linalg.norm(force_N)
    unknown = dataclasses.replace(here, wrench_tcp=np.append(np.nan, here.wrench_tcp[1:]))
    assert WrenchLimit(CONFIG).apply(end, Context(unknown, begin, running=False)) == (None, Reason.WRENCH_MISSING)


@pytest.mark.parametrize(("turn", "passes"), [(0.01, True), (-0.01, False), (0.0, False)])
def test_out_of_a_hard_twist_the_way_is_along_the_torque(turn, passes):
    here = RobotState(1.0, np.eye(4), np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.5 * CONFIG.max_torque_Nm]), np.zeros(4), np.zeros(16))
    target = Target(rigid(np.zeros(3), rotation_matrix(np.array([0.0, 0.0, turn]))), None)
    assert (WrenchLimit(CONFIG).apply(target, Context(here, Target(np.eye(4), None), True))[0] is target) is passes


def received(source, at_s):
    return Received(Proposal(0.0, source, Target(np.eye(4), None)), at_s)


def test_the_human_comes_before_the_policy_before_idling():
    all_of_them = [received("idle", 1.0), received("policy", 1.0), received("human", 0.99), received("policy", 1.01)]
    assert arbitrate(all_of_them, 1.02, 0.05) == (all_of_them[2], "human", ())
    assert arbitrate(all_of_them, 1.045, 0.05) == (all_of_them[3], "policy", ())
    assert arbitrate(all_of_them, 1.2, 0.05) == (None, "", (Reason.TIMEOUT,))
    assert arbitrate(all_of_them, 1.045, 0.05, "human") == (None, "human", (Reason.HUMAN_LOST,))
    assert arbitrate([received("ghost", 1.0)], 1.0, 0.05) == (None, "", (Reason.UNKNOWN_SOURCE, Reason.TIMEOUT))


@pytest.mark.parametrize("at_s", [1.1, np.nan, np.inf, -np.inf])
def test_a_proposal_from_the_future_or_from_no_time_is_not_fresh(at_s):
    assert arbitrate([received("human", at_s)], 1.0, 0.05)[0] is None


def test_a_box_without_inside_is_refused():
    with pytest.raises(ConfigError, match="below workspace_high_m"):
        from_mapping(GuardConfig, {"workspace_low_m": [0.5, 0, 0], "workspace_high_m": [0.4, 1, 1]}, "guard.yaml")
    for low, message in (([0.5, 0], "list of 3 values"), (0.5, "list of 3 values"), (["a", 0, 0], "float values only")):
        with pytest.raises(ConfigError, match=message):
            from_mapping(GuardConfig, {"workspace_low_m": low}, "guard.yaml")
    for edges in ([0.0, 0.0, 1.0], [0.0, 0.0, 2.0, 0.1], [0.0, 0.0, 0.0, 0.0]):
        with pytest.raises(ConfigError, match="groups of four"):
            from_mapping(GuardConfig, {"half_spaces": edges}, "guard.yaml")


def test_a_robot_without_fingers_has_none_that_strain():
    target, context = Target(np.eye(4), None), Context(state(pose(), 1.0), Target(np.eye(4), None), True)
    for stage in (Fingers(GuardConfig(), []), Fingers(GuardConfig(fingertips=False), [])):
        assert stage.apply(target, context) == (target, None)
