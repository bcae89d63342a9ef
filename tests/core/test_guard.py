"""The guard as a whole: what it does over time, and what it never does."""

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError, DeviceError
from tactus_core.geometry import inverse, rigid, rotation_matrix, rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import GuardState, Inputs, Reason, Received
from tactus_core.types import Proposal, RobotState, Target

CONFIG = GuardConfig()
LOW, HIGH = np.full(16, -0.3), np.full(16, 1.7)
DOWN = rotation_matrix(np.array([np.pi * 0.999, 0, 0]))
TICK_S = 0.005


def pose(x=0.5, y=0.0, z=0.3, turn=(0.0, 0.0, 0.0)):
    return rigid(np.array([x, y, z]), DOWN @ rotation_matrix(np.array(turn)))


class Rig:
    """A guard on a clock, with a measured pose that stays where it is put."""

    def __init__(self, **config):
        self.guard = Guard(GuardConfig(**config), LOW, HIGH)
        self.now_s = 100.0
        self.T = pose()
        self.force_N = 0.0

    def step(self, *proposals, estop=False, blind=False, tick_s=TICK_S):
        """One tick with (source, target) proposals that arrive just now."""
        self.now_s += tick_s
        wrench = np.array([0, 0, -self.force_N, 0, 0, 0.0])
        state = None if blind else RobotState(self.now_s, self.T, wrench, np.zeros(4), np.full(16, 0.2))
        received = [Received(Proposal(self.now_s, source, target), self.now_s) for source, target in proposals]
        return self.guard.step(Inputs(received, state, self.now_s, estop, self.now_s))

    def run(self, seconds, *proposals, **kwargs):
        return [self.step(*proposals, **kwargs) for _ in range(round(seconds / TICK_S))]


def test_a_wiping_stroke_passes_unaltered():
    rig = Rig()
    rig.run(0.4, ("policy", Target(rig.T, np.full(16, 0.5))))
    # Into the board until it pushes back with 15 N, along it at 0.3 m/s, while the board rises 15 mm in 0.25 s.
    rig.force_N = 15.0
    for i in range(100):
        rig.T = pose(x=0.5 + 0.3 * TICK_S * i, z=0.3 + min(0.06 * TICK_S * i, 0.015))
        target = Target(pose(x=0.5 + 0.3 * TICK_S * i + 0.02, z=0.3 - 0.025), np.full(16, 0.6))
        verdict = rig.step(("policy", target))
        if i > 15:  # the jump by 3 cm has been walked
            assert (verdict.state, verdict.reasons) == (GuardState.RUNNING, ())
            np.testing.assert_array_equal(verdict.executed.T_base_tcp, target.T_base_tcp)
            np.testing.assert_array_equal(verdict.executed.hand_rad, target.hand_rad)


def test_without_proposals_it_slows_and_then_holds_the_measured_pose():
    rig = Rig()
    pressing = Target(pose(z=0.27), np.full(16, 0.5))
    rig.run(1.0, ("policy", pressing))
    verdicts = rig.run(0.4)
    states = [v.state for v in verdicts]
    assert states[0] is GuardState.SLOWING
    assert states[-1] is GuardState.HOLDING
    assert sum(s is GuardState.SLOWING for s in states) == pytest.approx(CONFIG.slow_s / TICK_S, abs=2)
    assert all(Reason.TIMEOUT in v.reasons for v in verdicts)
    np.testing.assert_allclose(verdicts[-1].executed.T_base_tcp, rig.T)
    np.testing.assert_array_equal(verdicts[-1].executed.hand_rad, pressing.hand_rad)  # what it grips does not fall
    assert (np.diff([v.executed.T_base_tcp[2, 3] for v in verdicts]) >= -1e-12).all()


def test_it_resumes_where_it_holds_and_gathers_speed():
    rig = Rig()
    rig.run(0.5)
    target = Target(pose(x=0.56), None)
    steps = np.diff([v.executed.T_base_tcp[0, 3] for v in [rig.step(), *rig.run(0.5, ("policy", target))]])
    assert steps[0] == pytest.approx(0.0, abs=1e-12)
    assert (steps[:20] <= CONFIG.max_speed_m_s * TICK_S * np.arange(20) * TICK_S / CONFIG.resume_s + 1e-9).all()
    assert steps.sum() == pytest.approx(0.06)


def test_it_neither_begins_far_away_nor_jumps_there_in_motion():
    rig = Rig()
    far = Target(pose(x=0.75), None)
    verdicts = rig.run(0.1, ("policy", far))
    assert {v.state for v in verdicts} == {GuardState.HOLDING}
    assert {v.reasons for v in verdicts} == {(Reason.START_JUMP,)}
    rig.run(0.5, ("policy", Target(rig.T, None)))
    verdict = rig.step(("policy", far))
    assert verdict.reasons == (Reason.SPEED,)
    assert verdict.executed.T_base_tcp[0, 3] - 0.5 <= CONFIG.max_speed_m_s * TICK_S + 1e-12


def test_after_a_stall_nothing_jumps():
    rig = Rig()
    rig.run(0.5, ("policy", Target(rig.T, None)))
    verdict = rig.step(("policy", Target(pose(x=0.56), None)), tick_s=0.5)
    assert verdict.executed.T_base_tcp[0, 3] - 0.5 <= CONFIG.max_speed_m_s * CONFIG.max_dt_s + 1e-12


def test_the_human_takes_over_at_once_and_is_guarded_too():
    rig = Rig()
    policy, human = Target(pose(x=0.52), None), Target(pose(y=0.05), None)
    rig.run(0.5, ("policy", policy))
    first = rig.step(("policy", policy), ("human", human))
    assert (first.source, first.state, first.reasons) == ("human", GuardState.RUNNING, (Reason.SPEED,))
    last = rig.run(0.3, ("policy", policy), ("human", human))[-1]
    np.testing.assert_allclose(last.executed.T_base_tcp, human.T_base_tcp)


@pytest.mark.parametrize("bad", [Target(np.full((4, 4), np.nan), None), Target(pose(), np.full(16, np.inf)), Target(pose(), np.zeros(3))])
def test_a_human_whose_device_fails_does_not_hand_over_to_the_policy(bad):
    rig = Rig()
    fine = Target(rig.T, None)
    rig.run(0.5, ("human", fine))
    verdict = rig.step(("human", bad), ("policy", fine))
    assert (verdict.source, verdict.state, verdict.reasons) == ("human", GuardState.SLOWING, (Reason.MALFORMED,))


def test_hard_contact_lets_go_and_resumes_when_it_is_over():
    rig = Rig()
    pressing = ("policy", Target(pose(z=0.26), None))
    rig.run(1.0, pressing)
    rig.force_N = 31.0
    verdicts = rig.run(0.3, pressing)
    assert verdicts[0].state is GuardState.SLOWING
    assert verdicts[-1].state is GuardState.HOLDING
    np.testing.assert_allclose(verdicts[-1].executed.T_base_tcp, rig.T)
    rig.force_N = 25.0
    assert rig.step(pressing).reasons == (Reason.WRENCH,)
    rig.force_N = 10.0
    assert rig.step(pressing).state is GuardState.RUNNING


def test_much_too_hard_contact_stops_until_reset():
    rig = Rig()
    moving = ("policy", Target(pose(x=0.52), None))
    rig.run(0.5, moving)
    rig.force_N = 61.0
    assert rig.step(moving).reasons == (Reason.WRENCH_HARD,)
    with pytest.raises(DeviceError, match="wrench_hard"):
        rig.guard.reset()
    rig.step(moving, blind=True)  # not knowing is no reason to believe that it is over
    with pytest.raises(DeviceError, match="wrench_hard"):
        rig.guard.reset()
    rig.force_N = 0.0
    stopped = rig.step(moving)
    assert stopped.state is GuardState.STOPPED
    rig.guard.reset()
    assert rig.step(moving).state is GuardState.RUNNING


def test_an_estop_holds_at_once_and_stays():
    rig = Rig()
    pressing = ("policy", Target(pose(z=0.27), None))
    rig.run(0.5, pressing)
    pressed = rig.step(pressing, estop=True)
    assert (pressed.state, pressed.reasons) == (GuardState.STOPPED, (Reason.ESTOP,))
    np.testing.assert_array_equal(pressed.executed.T_base_tcp, rig.T)
    with pytest.raises(DeviceError, match="estop"):
        rig.guard.reset()
    released = rig.run(0.5, pressing)
    assert {v.state for v in released} == {GuardState.STOPPED}
    rig.guard.reset()
    resumed = rig.step(pressing)
    assert resumed.state is GuardState.RUNNING
    np.testing.assert_allclose(resumed.executed.T_base_tcp, rig.T)


def test_resting_it_yields_rather_than_push_harder_than_the_reference_error():
    rig = Rig()
    rig.run(0.5)
    rig.T = pose(y=0.3)
    for verdict in (rig.step(), rig.step(estop=True)):
        assert np.linalg.norm(verdict.executed.T_base_tcp[:3, 3] - rig.T[:3, 3]) <= CONFIG.max_tangential_error_m + 1e-5


def test_nothing_is_sent_while_the_robots_state_is_unknown():
    rig = Rig()
    moving = ("policy", Target(pose(x=0.52), None))
    rig.run(0.5, moving)
    lost = rig.step(moving, blind=True)
    assert (lost.state, lost.executed, lost.reasons) == (GuardState.HOLDING, None, (Reason.STATE_MISSING,))
    rig.T = pose(x=0.51)  # it moved meanwhile; motion begins from where it is found
    np.testing.assert_allclose(rig.step(moving).executed.T_base_tcp, rig.T)


def test_an_old_state_is_an_unknown_one():
    rig = Rig()
    rig.step()
    state = RobotState(1.0, rig.T, np.zeros(6), np.zeros(4), np.zeros(16))
    for received_s in (rig.now_s - 0.06, rig.now_s + 1.0, np.nan):
        assert rig.guard.step(Inputs([], state, received_s, False, rig.now_s)).executed is None


@pytest.mark.parametrize("now_s", [99.0, np.nan, np.inf])
def test_time_never_goes_back(now_s):
    rig = Rig()
    rig.step()
    with pytest.raises(DataError, match="steady clock"):
        rig.guard.step(Inputs([], None, now_s, False, now_s))


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
any_state = st.none() | st.builds(
    RobotState, st.just(1.0), poses(near) | poses(near) | garbage, any_wrench, st.just(np.zeros(4)), st.just(np.full(16, 0.2))
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
@settings(max_examples=120, deadline=None)
@pytest.mark.filterwarnings("error")
def test_whatever_comes_in_the_robot_is_only_ever_sent_what_is_safe(script):
    guard = Guard(CONFIG, LOW, HIGH)
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
            assert verdict.reasons or np.array_equal(verdict.executed.T_base_tcp, verdict.proposed.T_base_tcp)
        else:
            assert verdict.reasons
        last = verdict.executed


def _check_sent(verdict, inputs, last, dt_s):
    sent, state = verdict.executed, inputs.state
    assert 0 <= inputs.now_s - inputs.state_received_s <= CONFIG.state_timeout_s
    assert np.isfinite(sent.T_base_tcp).all()
    np.testing.assert_allclose(sent.T_base_tcp[:3, :3] @ sent.T_base_tcp[:3, :3].T, np.eye(3), atol=1e-3)
    error = inverse(state.T_base_tcp) @ sent.T_base_tcp
    assert abs(error[2, 3]) <= CONFIG.max_normal_error_m + 1e-5
    assert np.linalg.norm(error[:2, 3]) <= CONFIG.max_tangential_error_m + 1e-5
    assert np.linalg.norm(rotation_vector(error[:3, :3])) <= CONFIG.max_rotation_error_rad + 1e-5
    if sent.hand_rad is not None:
        assert (sent.hand_rad >= LOW).all()
        assert (sent.hand_rad <= HIGH).all()
    if last is not None and verdict.state is not GuardState.STOPPED and Reason.REFERENCE_ERROR not in verdict.reasons:
        step = inverse(last.T_base_tcp) @ sent.T_base_tcp
        assert np.linalg.norm(step[:3, 3]) <= CONFIG.max_speed_m_s * dt_s + 1e-6
        assert np.linalg.norm(rotation_vector(step[:3, :3])) <= CONFIG.max_speed_rad_s * dt_s + 1e-6
    for array in [sent.T_base_tcp, *([] if sent.hand_rad is None else [sent.hand_rad])]:
        assert not array.flags.writeable
        for received in inputs.proposals:
            assert not np.shares_memory(array, received.proposal.target.T_base_tcp)
        assert not np.shares_memory(array, state.T_base_tcp)
