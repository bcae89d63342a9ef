"""How each input moves the robot, as poses of the tcp or as joints, whichever the arm is commanded by."""

from dataclasses import replace
from typing import Any, Generic

from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.teleop.config import MotionConfig
from tactus_core.teleop.leader import LeaderMotion
from tactus_core.teleop.port import Motion, R
from tactus_core.teleop.pose import PoseMotion
from tactus_core.teleop.twist import TwistMotion
from tactus_core.types import RobotDescription, RobotState, Target


def make_motion(reading: str, config: MotionConfig, robot: RobotDescription, kinematics: Kinematics) -> Motion[Any]:
    """Return what turns readings of this kind (`leader`; `pose`, `hand`: of a tracked wrist; else axes) into targets for the robot."""
    by_joints = config.command == "joints"
    if reading == "leader":
        return LeaderMotion(config, robot, kinematics, by_joints)
    motion: Motion[Any] = PoseMotion(config) if reading in ("pose", "hand") else TwistMotion(config)
    return Resolved(motion, kinematics) if by_joints else motion


class Resolved(Generic[R]):
    """A `Motion` that adds the joints to another's targets: from the measured posture to the target, which is never far ahead of it."""

    def __init__(self, motion: Motion[R], kinematics: Kinematics) -> None:
        self._motion, self._kinematics = motion, kinematics

    def refusal(self, reading: R, state: RobotState) -> str:
        """See `Motion`."""
        return self._motion.refusal(reading, state)

    def engage(self, reading: R, state: RobotState) -> None:
        """See `Motion`."""
        self._motion.engage(reading, state)

    def target(self, reading: R, state: RobotState, dt_s: float) -> Target:
        """See `Motion`."""
        if state.arm_position_rad is None:
            raise DataError("the arm is to be commanded by joints, and does not tell them. Check its driver.")
        target = self._motion.target(reading, state, dt_s)
        return replace(target, arm_rad=self._kinematics.towards(state.arm_position_rad, target.T_base_tcp))
