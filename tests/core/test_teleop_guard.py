"""A human and the guard together: taking over and giving back are smooth, and who falls silent leaves a robot that holds."""

import numpy as np
import pytest
from gantry import KINEMATICS, pose, state
from guard_rig import TICK_S, Rig

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Reason
from tactus_core.teleop.config import TwistConfig
from tactus_core.teleop.operator import Operator
from tactus_core.teleop.resolved import Resolved
from tactus_core.teleop.twist import TwistMotion
from tactus_core.types import Target

PUSH = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.5])


class Shared:
    """A robot that does what the guard lets through; a policy that wants to stay where it is, and a human with a puck."""

    def __init__(self, motion, by_joints):
        self.rig, self.operator, self._by_joints = Rig(), Operator(motion, 0.2), by_joints
        self.verdicts = []

    def run(self, seconds_s, axes=None, held=None):
        """Let time pass; axes, held: what is heard of the human, None: nothing."""
        for _ in range(round(seconds_s / TICK_S)):
            now_s, here = self.rig.now_s, state(self.rig.T)
            if axes is not None:
                self.operator.take(axes, now_s)
                self.operator.hold(held, now_s)
            target = self.operator.step(here, now_s)
            proposals = [("policy", Target(here.T_base_tcp, None, here.arm_position_rad if self._by_joints else None))]
            if target is not None or self.operator.hands_back(now_s):
                proposals.append(("human", target))
            self.verdicts.append(verdict := self.rig.step(*proposals))
            self.rig.T = verdict.executed.T_base_tcp
        return verdict


@pytest.mark.parametrize("by_joints", [False, True], ids=["pose", "joints"])
def test_a_puck_takes_over_moves_and_gives_back_without_a_jump_and_its_silence_holds(by_joints):
    motion = TwistMotion(TwistConfig())
    shared = Shared(Resolved(motion, KINEMATICS) if by_joints else motion, by_joints)
    assert shared.run(0.3, np.zeros(6), False).source == "policy"
    assert shared.run(1.0, PUSH, True).source == "human"
    moved_m = shared.rig.T[1, 3] - pose()[1, 3]
    assert moved_m == pytest.approx(0.15, abs=0.05)
    assert shared.run(0.1, np.zeros(6), False).source == "policy"
    assert all(verdict.state is GuardState.RUNNING for verdict in shared.verdicts[20:])
    refused = {reason for verdict in shared.verdicts for reason in verdict.reasons} - {Reason.SPEED, Reason.ACCELERATION, Reason.RELEASED}
    assert not refused - {Reason.TIMEOUT}
    path = np.array([verdict.executed.T_base_tcp[:3, 3] for verdict in shared.verdicts])
    assert np.abs(np.diff(path, axis=0)).max() <= GuardConfig().max_speed_m_s * TICK_S + 1e-12
    shared.run(0.5, PUSH, True)
    verdict = shared.run(1.0)
    assert (verdict.state, verdict.reasons[0]) == (GuardState.HOLDING, Reason.HUMAN_LOST), "the policy does not get what nobody gave back"


def test_a_robot_that_presses_goes_on_pressing_when_it_is_taken_over():
    rig, operator = Rig(), Operator(TwistMotion(TwistConfig()), 0.2)
    into = pose(z=pose()[2, 3] - 0.02)
    sent = rig.run(0.5, ("policy", Target(into, None)))[-1].executed.T_base_tcp
    targets = []
    for tick, held in enumerate([False, False, *[True] * 40]):
        now_s = rig.now_s
        operator.take(np.zeros(6), now_s)
        operator.hold(held, now_s)
        target = operator.step(state(rig.T), now_s, sent)
        verdict = rig.step(("policy", Target(into, None)), *([("human", target)] if target else []))
        targets.append(verdict.executed.T_base_tcp[:3, 3])
        assert verdict.source == ("human" if held else "policy"), tick
        sent = verdict.executed.T_base_tcp
    assert np.abs(np.array(targets) - into[:3, 3]).max() < 1e-3
