"""Policies that think in poses, on an arm that is commanded by joints."""

from dataclasses import replace

from tactus_core.errors import StaleError
from tactus_core.history import StateArrays
from tactus_core.kinematics import Kinematics
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Proposal


class JointTargets:
    """A `FastPolicy` that adds the joints to another's targets: from the measured posture one step of inverse kinematics to the pose.

    The guard limits how far ahead of the measured robot a target may be, so that one step is good enough; see `Kinematics.towards`.
    """

    def __init__(self, policy: FastPolicy, kinematics: Kinematics) -> None:
        self._policy, self._kinematics = policy, kinematics

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`; see `FastPolicy`."""
        proposal = self._policy.act(chunk, states, now_s)
        if proposal.target.arm_rad is not None:
            return proposal
        newest = states.newest(now_s)
        if newest < 0 or not states.arm_position_rad.shape[1]:
            raise StaleError("the arm is commanded by joints, and has not told them. Check its driver.")
        arm_rad = self._kinematics.towards(states.arm_position_rad[newest], proposal.target.T_base_tcp)
        return replace(proposal, target=replace(proposal.target, arm_rad=arm_rad))
