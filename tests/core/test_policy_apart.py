"""Policies on robots that are made of devices: what is not felt is not known, and poses become joints."""

from dataclasses import replace

import numpy as np
import pytest
from gantry import GANTRY, KINEMATICS, pose, posture, state

from tactus_core.errors import DataError, StaleError
from tactus_core.history import FELT, StateArrays, StateHistory
from tactus_core.policy.resolved import JointTargets
from tactus_core.types import ActionChunk, ChunkKind, Proposal, Target

UNKNOWN = {"wrench": {"wrench_tcp": np.full(6, np.nan)}, "tactile": {"fingertip_force_N": np.full(4, np.nan)}}


@pytest.mark.parametrize("name", FELT)
def test_what_the_policy_does_not_feel_may_be_unknown_and_all_else_may_not(name):
    unknown = replace(state(pose()), **UNKNOWN[name])
    with pytest.raises(DataError, match="NaN"):
        StateHistory().append(unknown)
    others = [other for other in FELT if other != name]
    history = StateHistory(needs=others)
    assert history.append(unknown)
    (field,) = UNKNOWN[name]
    assert np.isnan(getattr(history.view(), field)).all()
    with pytest.raises(DataError, match="NaN"):
        history.append(replace(unknown, stamp_s=1.1, **UNKNOWN[others[0]]))
    assert len(StateArrays.of([unknown], others).stamp_s) == 1


class Asks:
    """A fast policy that asks for one target."""

    def __init__(self, target):
        self._target = target

    def act(self, chunk, states, now_s):
        return Proposal(now_s, "policy", self._target, chunk.sequence, chunk.bundle)


CHUNK = ActionChunk(1.0, ChunkKind.ACTION, 0.05, np.zeros((4, 10), np.float32), pose(), 7, "b@1")


def test_a_pose_becomes_the_joints_that_put_the_tcp_there_and_joints_stay_as_they_are():
    near, hand_rad = pose(x=0.51, z=0.29, turn=(0.02, 0.0, 0.01)), np.full(16, 0.1)
    states = StateArrays.of([state(pose(x=0.3), 0.9), state(pose(), 1.0), state(pose(y=0.4), 1.2)])
    asked = JointTargets(Asks(Target(near, hand_rad)), KINEMATICS).act(CHUNK, states, 1.0)
    assert np.linalg.norm(KINEMATICS.tcp_pose(asked.target.arm_rad)[:3, 3] - near[:3, 3]) < 1e-3
    assert abs(asked.target.arm_rad - posture(pose())).max() < 0.05  # from where the arm was then, not before or after
    assert (asked.target.T_base_tcp is near, asked.target.hand_rad is hand_rad, asked.chunk_sequence) == (True, True, 7)
    already = Target(near, hand_rad, GANTRY.q_home_rad)
    assert JointTargets(Asks(already), KINEMATICS).act(CHUNK, states, 1.0).target is already


def test_without_the_arms_joints_nothing_is_asked():
    silent = StateArrays.of([replace(state(pose()), arm_position_rad=None)])
    with pytest.raises(StaleError, match="Check its driver"):
        JointTargets(Asks(Target(pose(), None)), KINEMATICS).act(CHUNK, silent, 1.0)
