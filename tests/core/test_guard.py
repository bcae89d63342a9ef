"""The guard as a whole: what it does over time, and what it never does."""

import numpy as np
import pytest
from gantry import KINEMATICS, pose, state
from guard_rig import TICK_S, Rig, away

from tactus_core.errors import DataError, DeviceError
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Inputs, Reason
from tactus_core.types import Target

CONFIG = GuardConfig()


def test_a_wiping_stroke_is_followed_closely():
    rig = Rig()
    rig.run(0.4, ("policy", Target(rig.T, np.full(16, 0.5))))
    # Into the board until it pushes back with 15 N, along it at 0.15 m/s, while the board rises 15 mm in 0.25 s.
    rig.force_N = 15.0
    for i in range(150):
        rig.T = pose(x=0.5 + 0.15 * TICK_S * i, z=0.3 + min(0.06 * TICK_S * i, 0.015))
        target = Target(pose(x=0.5 + 0.15 * TICK_S * i + 0.02, z=0.3 - 0.025), np.full(16, 0.6))
        verdict = rig.step(("policy", target))
        if i > 40:  # the jump by 3 cm has been walked
            assert (verdict.state, verdict.reasons) in [(GuardState.RUNNING, ()), (GuardState.RUNNING, (Reason.ACCELERATION,))]
            assert away(verdict.executed, target.T_base_tcp) < 4e-3
            np.testing.assert_allclose(verdict.executed.hand_rad, target.hand_rad, atol=1e-3)


def test_without_proposals_it_slows_and_then_holds_the_measured_pose():
    rig = Rig()
    pressing = Target(pose(z=0.27), np.full(16, 0.5))
    rig.run(0.3, ("policy", pressing))
    rig.run(0.05, ("policy", Target(pose(x=0.51, z=0.27), np.full(16, 0.5))))
    verdicts = rig.run(0.5)
    states = [v.state for v in verdicts]
    assert states[0] is GuardState.SLOWING
    assert states[-1] is GuardState.HOLDING
    assert sum(s is GuardState.SLOWING for s in states) <= CONFIG.slow_s / TICK_S + 1
    assert all(Reason.TIMEOUT in v.reasons for v in verdicts)
    np.testing.assert_allclose(verdicts[-1].executed.T_base_tcp, rig.T, atol=1e-6)
    np.testing.assert_allclose(verdicts[-1].executed.hand_rad, pressing.hand_rad, atol=1e-6)  # what it grips does not fall


def test_it_resumes_where_it_holds_and_gathers_speed():
    rig = Rig()
    rig.run(0.5)
    target = Target(pose(x=0.56), None)
    steps = np.diff([v.executed.T_base_tcp[0, 3] for v in [rig.step(), *rig.run(0.6, ("policy", target))]])
    ready = np.maximum(np.arange(20) * TICK_S / CONFIG.resume_s, 0.02)
    assert (steps[:20] <= CONFIG.max_speed_m_s / np.sqrt(3) * TICK_S * ready + 1e-9).all()
    assert steps.sum() == pytest.approx(0.06, abs=1e-6)


def test_it_neither_begins_far_away_nor_jumps_there_in_motion():
    rig = Rig()
    far = Target(pose(x=0.75), None)
    verdicts = rig.run(0.1, ("policy", far))
    assert {v.state for v in verdicts} == {GuardState.HOLDING}
    assert {v.reasons for v in verdicts} == {(Reason.START_JUMP,)}
    rig.run(0.5, ("policy", Target(rig.T, None)))
    verdict = rig.step(("policy", far))
    assert verdict.reasons[0] is Reason.REFERENCE_ERROR
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
    assert (first.source, first.state) == ("human", GuardState.RUNNING)
    last = rig.run(0.5, ("policy", policy), ("human", human))[-1]
    np.testing.assert_allclose(last.executed.T_base_tcp, human.T_base_tcp, atol=1e-6)


def test_a_human_who_falls_silent_has_not_handed_back():
    rig = Rig()
    policy, human = ("policy", Target(rig.T, None)), ("human", Target(pose(y=0.01), None))
    rig.run(0.3, policy, human)
    lost = rig.run(1.0, policy)
    assert {v.state for v in lost} <= {GuardState.SLOWING, GuardState.HOLDING}
    assert all(Reason.HUMAN_LOST in v.reasons for v in lost)
    assert rig.step(policy, human).source == "human"
    assert rig.step(policy, ("human", None)).source == "policy"
    assert rig.step(policy).state is GuardState.RUNNING


def test_a_reset_takes_control_from_a_human_who_is_gone():
    rig = Rig()
    policy = ("policy", Target(rig.T, None))
    rig.run(0.3, policy, ("human", Target(rig.T, None)))
    rig.run(0.3, policy)
    rig.guard.reset()
    assert rig.step(policy).state is GuardState.RUNNING


def test_with_a_dead_mans_switch_nothing_moves_unless_it_is_held():
    rig = Rig(dead_man_timeout_s=0.2)
    policy = ("policy", Target(rig.T, None))
    assert {v.reasons for v in rig.run(0.2, policy)} == {(Reason.DEAD_MAN,)}
    rig.dead_man_s = rig.now_s
    held = rig.run(0.19, policy)
    assert {v.state for v in held} == {GuardState.RUNNING}
    assert rig.run(0.05, policy)[-1].reasons == (Reason.DEAD_MAN,)


@pytest.mark.parametrize("bad", [Target(np.full((4, 4), np.nan), None), Target(pose(), np.full(16, np.inf)), Target(pose(), np.zeros(3))])
def test_a_human_whose_device_fails_does_not_hand_over_to_the_policy(bad):
    rig = Rig()
    fine = Target(rig.T, None)
    rig.run(0.5, ("human", fine))
    verdict = rig.step(("human", bad), ("policy", fine))
    assert (verdict.source, verdict.reasons) == ("human", (Reason.MALFORMED,))
    assert verdict.state is not GuardState.RUNNING


def test_a_lone_spike_of_force_does_not_latch():
    rig = Rig()
    moving = ("policy", Target(rig.T, None))
    rig.run(0.5, moving)
    for _ in range(20):
        rig.force_N = 100.0
        assert rig.step(moving).state is not GuardState.STOPPED
        rig.force_N = 0.0
        assert rig.step(moving).state is GuardState.RUNNING


def test_an_estop_brakes_at_once_and_stays():
    rig = Rig()
    pressing = ("policy", Target(pose(z=0.27), None))
    rig.run(0.5, pressing)
    pressed = rig.step(pressing, estop=True)
    assert (pressed.state, pressed.reasons[0]) == (GuardState.STOPPED, Reason.ESTOP)
    with pytest.raises(DeviceError, match="estop"):
        rig.guard.reset()
    released = rig.run(1.1, pressing)
    assert {v.state for v in released} == {GuardState.STOPPED}
    assert away(released[60].executed, rig.T) < 1e-6  # 0.3 s later it is where it was measured
    rig.guard.reset()
    resumed = rig.step(pressing)
    assert resumed.state is GuardState.RUNNING
    np.testing.assert_allclose(resumed.executed.T_base_tcp, rig.T, atol=1e-4)


def test_resting_it_yields_rather_than_push_harder_than_the_reference_error():
    rig = Rig()
    rig.run(0.5)
    rig.T = pose(y=0.3)
    pushed, stopped = rig.step(), rig.step(estop=True)
    assert Reason.PUSHED in pushed.reasons
    for verdict in (pushed, stopped):
        assert np.linalg.norm(verdict.executed.T_base_tcp[:3, 3] - rig.T[:3, 3]) <= CONFIG.max_tangential_error_m + 1e-5


def test_nothing_is_sent_while_the_robots_state_is_unknown():
    rig = Rig()
    moving = ("policy", Target(pose(x=0.52), None))
    rig.run(0.5, moving)
    lost = rig.step(moving, blind=True)
    assert (lost.state, lost.executed, lost.reasons) == (GuardState.HOLDING, None, (Reason.STATE_MISSING,))
    rig.T = pose(x=0.51)  # it moved meanwhile; the device still goes for what it was sent, so that is where motion goes on
    np.testing.assert_allclose(rig.step(moving).executed.T_base_tcp[0, 3], 0.52, atol=1e-4)
    rig.run(0.1, moving, blind=True)  # now the device holds by itself, and motion begins from where it is found
    np.testing.assert_allclose(rig.step(moving).executed.T_base_tcp, rig.T, atol=1e-4)


def test_a_guard_that_stalled_begins_where_the_device_holds():
    rig = Rig()
    pressing = ("policy", Target(pose(z=0.27), None))
    rig.run(0.5, pressing)
    np.testing.assert_allclose(rig.step(pressing, tick_s=0.3).executed.T_base_tcp, rig.T, atol=1e-3)


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_without_force_or_touch_the_robot_comes_to_rest_where_it_is(missing):
    for sense, reason in (("force_N", Reason.WRENCH_MISSING), ("fingertip_N", Reason.TOUCH_MISSING)):
        rig = Rig()
        moving = ("policy", Target(pose(x=0.52), None))
        rig.run(0.3, moving)
        setattr(rig, sense, missing)
        verdicts = rig.run(0.4, moving)
        assert {v.reasons for v in verdicts} <= {(reason,), (reason, Reason.ACCELERATION), (reason, Reason.SPEED)}
        assert verdicts[-1].state is GuardState.HOLDING
        assert away(verdicts[-1].executed, rig.T) < 1e-6


def test_hard_contact_slows_motion_down():
    way_m = []
    for force_N in (0.0, 29.0):
        rig = Rig(resume_s=0.0)
        rig.run(0.2, ("policy", Target(rig.T, None)))
        rig.force_N = force_N
        way_m.append(away(rig.run(0.05, ("policy", Target(pose(x=0.55), None)))[-1].executed, rig.T))
    assert way_m[1] < 0.7 * way_m[0]


def test_an_arm_is_commanded_by_joints_after_it_came_to_rest():
    rig = Rig()
    here = state(rig.T)
    goal = here.arm_position_rad + 0.05
    by_joints = ("policy", Target(np.eye(4), None, goal))  # the pose beside joints is not believed
    rig.run(0.2, ("policy", Target(pose(x=0.55), None)))
    assert rig.step(by_joints).reasons[0] is Reason.MODE
    last = rig.run(1.0, by_joints)[-1]
    assert last.state is GuardState.RUNNING
    np.testing.assert_allclose(last.executed.arm_rad, goal, atol=1e-6)
    np.testing.assert_allclose(last.executed.T_base_tcp, KINEMATICS.tcp_pose(last.executed.arm_rad))
    assert rig.step(("policy", Target(rig.T, None))).reasons[0] is Reason.MODE


def test_an_old_state_is_an_unknown_one():
    rig = Rig()
    rig.step()
    here = state(rig.T)
    for received_s in (rig.now_s - 0.06, rig.now_s + 1.0, np.nan):
        assert rig.guard.step(Inputs([], here, received_s, False, rig.now_s)).executed is None


@pytest.mark.parametrize("now_s", [99.0, np.nan, np.inf])
def test_time_never_goes_back(now_s):
    rig = Rig()
    rig.step()
    with pytest.raises(DataError, match="steady clock"):
        rig.guard.step(Inputs([], None, now_s, False, now_s))


def test_a_policy_that_gives_control_back_is_not_waited_for():
    rig = Rig()
    rig.run(0.3, ("policy", Target(pose(x=0.52), None)))
    verdict = rig.step(("policy", None))
    assert verdict.state is not GuardState.RUNNING
    assert Reason.RELEASED in verdict.reasons
