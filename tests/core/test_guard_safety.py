"""The guard under anything at all: what it sends is within its limits, always."""

import copy
import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from gantry import HIGH, KINEMATICS, LOW, pose, state
from guard_rig import TICK_S, Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.geometry import inverse, rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import GuardState, Inputs, Reason, Received
from tactus_core.types import Proposal, RobotState, Target

CONFIG = GuardConfig()
odd = st.floats(width=64) | st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 0.0])
near = st.tuples(*[st.floats(-0.08, 0.08)] * 3)
somewhere = st.tuples(*[st.floats(-3, 3)] * 3)


@st.composite
def poses(draw, offsets):
    offset, turn = draw(offsets), draw(near)
    return pose(0.5 + offset[0], offset[1], 0.3 + offset[2], tuple(4 * t for t in turn))


garbage = st.lists(odd, min_size=16, max_size=16).map(lambda v: np.array(v).reshape(4, 4))
hands = st.none() | st.floats(-5, 5).map(lambda v: np.full(16, v)) | odd.map(lambda v: np.full(16, v)) | st.just(np.zeros(3))
any_target = st.builds(Target, poses(near) | poses(near) | poses(somewhere) | garbage, hands)
any_wrench = st.lists(st.floats(-8, 8), min_size=6, max_size=6).map(np.array) | st.lists(odd, min_size=6, max_size=6).map(np.array)
postures = st.just(np.zeros(7)) | st.lists(odd, min_size=7, max_size=7).map(np.array) | st.just(np.zeros(3))
any_target |= st.builds(Target, poses(near), hands, postures | st.lists(st.floats(-0.2, 0.2), min_size=7, max_size=7).map(np.array))
any_force = st.just(np.zeros(4)) | st.just(np.full(4, 30.0)) | st.lists(odd, min_size=4, max_size=4).map(np.array)
any_state = (
    st.none()
    | st.builds(state, poses(near), st.floats(0, 9), any_wrench, any_force, st.none() | odd.map(lambda v: np.full(16, v)))
    | st.builds(
        RobotState, st.just(1.0), poses(near) | garbage, any_wrench, any_force, hands.filter(lambda h: h is not None), st.none() | postures
    )
)


@dataclasses.dataclass(frozen=True)
class Tick:
    dt_s: float
    state: RobotState | None
    state_age_s: float
    proposals: list[tuple[str, Target, float]]
    estop: bool


ages = st.floats(-0.01, 0.1) | st.sampled_from([0.0, 0.0, np.nan])
sources = st.sampled_from(["human", "policy", "idle", "ghost"])
ticks = st.builds(
    Tick,
    st.floats(0, 0.05),
    any_state,
    ages,
    st.lists(st.tuples(sources, any_target, ages), max_size=3),
    st.sampled_from([False] * 15 + [True]),
)


@given(script=st.lists(ticks, min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("error")
def test_whatever_comes_in_the_robot_is_only_ever_sent_what_is_safe(script):
    guard = Guard(CONFIG, KINEMATICS)
    now_s, last, stopped = 10.0, None, False
    for tick in script:
        now_s += tick.dt_s
        proposals = [Received(Proposal(1.0, source, target), now_s - age) for source, target, age in tick.proposals]
        inputs = Inputs(proposals, tick.state, now_s - tick.state_age_s, tick.estop, now_s)
        before = copy.deepcopy(inputs)
        verdict = guard.step(inputs)
        np.testing.assert_equal(dataclasses.asdict(inputs), dataclasses.asdict(before))
        stopped = stopped or verdict.state is GuardState.STOPPED
        assert stopped == (verdict.state is GuardState.STOPPED)
        assert not (tick.estop and verdict.state is not GuardState.STOPPED)
        if verdict.executed is not None:
            _check_sent(verdict, inputs, last, tick.dt_s)
        if verdict.state is GuardState.RUNNING:
            assert verdict.source in ("human", "policy", "idle")
        else:
            assert verdict.reasons
        last = verdict.executed


def _check_sent(verdict, inputs, last, dt_s):
    sent, here = verdict.executed, inputs.state
    assert 0 <= inputs.now_s - inputs.state_received_s <= CONFIG.state_timeout_s
    assert np.isfinite(sent.T_base_tcp).all()
    np.testing.assert_allclose(sent.T_base_tcp[:3, :3] @ sent.T_base_tcp[:3, :3].T, np.eye(3), atol=1e-3)
    if sent.arm_rad is None:
        error = inverse(here.T_base_tcp) @ sent.T_base_tcp
        assert abs(error[2, 3]) <= CONFIG.max_normal_error_m + 1e-5
        assert np.linalg.norm(error[:2, 3]) <= CONFIG.max_tangential_error_m + 1e-5
        assert np.linalg.norm(rotation_vector(error[:3, :3])) <= CONFIG.max_rotation_error_rad + 1e-5
    else:
        assert np.abs(sent.arm_rad - here.arm_position_rad).max() <= CONFIG.max_joint_error_rad + 1e-9
        np.testing.assert_allclose(sent.T_base_tcp, KINEMATICS.tcp_pose(sent.arm_rad))
    if sent.hand_rad is not None:
        bent = np.maximum(np.maximum(LOW - here.hand_position_rad, here.hand_position_rad - HIGH), 0.0)  # limits come first
        assert (np.abs(sent.hand_rad - here.hand_position_rad) <= np.maximum(CONFIG.max_hand_error_rad, bent) + 1e-9).all()
    if last is not None and (last.arm_rad is None) == (sent.arm_rad is None) and Reason.PUSHED not in verdict.reasons:
        step = inverse(last.T_base_tcp) @ sent.T_base_tcp
        time_s = min(dt_s, CONFIG.max_dt_s)
        assert sent.arm_rad is not None or np.linalg.norm(step[:3, 3]) <= CONFIG.max_speed_m_s * time_s + 1e-6
        assert sent.arm_rad is not None or np.linalg.norm(rotation_vector(step[:3, :3])) <= CONFIG.max_speed_rad_s * time_s + 1e-6
        assert sent.arm_rad is None or np.abs(sent.arm_rad - last.arm_rad).max() <= CONFIG.max_joint_speed_rad_s * time_s + 1e-9
    for array in [sent.T_base_tcp, *(joints for joints in (sent.hand_rad, sent.arm_rad) if joints is not None)]:
        assert not array.flags.writeable
        for received in inputs.proposals:
            assert not np.shares_memory(array, received.proposal.target.T_base_tcp)
        assert not np.shares_memory(array, here.T_base_tcp)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_speed_acceleration_and_jerk_stay_within_their_limits(seed):
    rng = np.random.default_rng(seed)
    rig = Rig(resume_s=0.0)
    goal, hand, poses_sent, hands_sent, pushed = pose(), None, [], [], []
    for i in range(300):
        if rng.random() < 0.03:
            offset, turn = rng.uniform(-0.05, 0.05, 3), rng.uniform(-0.3, 0.3, 3)
            goal = pose(0.5 + offset[0], offset[1], 0.3 + offset[2], turn)
            hand = rng.uniform(LOW, HIGH)
        silent, pressed = 100 < i < 130, i > 250
        target = Target(goal, hand if i > 50 else None)
        verdict = rig.step(*(() if silent else (("policy", target),)), estop=pressed)
        poses_sent.append(verdict.executed.T_base_tcp)
        hands_sent.append(np.full(16, 0.2) if verdict.executed.hand_rad is None else verdict.executed.hand_rad)
        pushed.append(Reason.PUSHED in verdict.reasons)
        rig.T = rig.T if rng.random() < 0.5 else verdict.executed.T_base_tcp.copy()
    moves = np.diff([T[:3, 3] for T in poses_sent], axis=0)
    turns = np.array([rotation_vector(b[:3, :3] @ a[:3, :3].T) for a, b in pairwise(poses_sent)])
    for steps, limits, size in (
        (moves, (CONFIG.max_speed_m_s, CONFIG.max_acceleration_m_s2, CONFIG.max_jerk_m_s3), lambda v: np.linalg.norm(v, axis=1)),
        (turns, (CONFIG.max_speed_rad_s, CONFIG.max_acceleration_rad_s2, CONFIG.max_jerk_rad_s3), lambda v: np.linalg.norm(v, axis=1)),
        (
            np.diff(hands_sent, axis=0),
            (CONFIG.max_hand_speed_rad_s, CONFIG.max_hand_acceleration_rad_s2, CONFIG.max_hand_jerk_rad_s3),
            np.abs,
        ),
    ):
        for order, limit in enumerate(limits):
            rates = np.diff(steps, n=order, axis=0) / TICK_S ** (order + 1)
            clear = [not any(pushed[i : i + order + 2]) for i in range(len(rates))]
            # Turns do not add up like vectors: what is left of that in a step is a few per cent.
            assert size(rates[clear]).max() <= limit * (1.05 if steps is turns else 1.0) + 1e-3 * limit


@given(seed=st.integers(0, 2**32 - 1), lag=st.floats(0.0, 1.0), bent=st.sampled_from([0.0, 1.0, -1.0]))
@settings(max_examples=60, deadline=None)
def test_fingers_are_sent_within_their_limits_whatever_is_asked_of_them_and_wherever_they_are_bent(seed, lag, bent):
    rng = np.random.default_rng(seed)
    guard, fingers, now_s = Guard(CONFIG, KINEMATICS), np.full(16, 0.2), 10.0
    for _ in range(80):
        now_s += TICK_S
        here = dataclasses.replace(state(pose(), now_s), hand_position_rad=fingers)
        asked = Target(pose(), rng.uniform(-3, 3, 16))
        verdict = guard.step(Inputs([Received(Proposal(now_s, "policy", asked), now_s)], here, now_s, False, now_s))
        sent = verdict.executed.hand_rad
        if sent is not None:
            assert (sent >= LOW - 1e-12).all()
            assert (sent <= HIGH + 1e-12).all()
            fingers = fingers + (1.0 - lag) * rng.random() * (sent - fingers) + bent * rng.choice((0.0, 0.2))
