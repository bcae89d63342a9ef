"""An arm that is led by hand, and the robot's arm that follows it, joint by joint."""

import numpy as np

from tactus_core.errors import ConfigError, DataError
from tactus_core.kinematics import Kinematics
from tactus_core.teleop.config import LeaderConfig
from tactus_core.types import Array, RobotDescription, RobotState, Target


class LeaderMotion:
    """A `Motion`. A reading is the leader's joint positions [rad] in the order of the arm's joints; what comes after them is not read.

    by_joints: the arm is commanded by joints, else by the pose of the tcp that the joints make.
    """

    def __init__(self, config: LeaderConfig, robot: RobotDescription, kinematics: Kinematics, by_joints: bool) -> None:
        self._config, self._kinematics, self._by_joints = config, kinematics, by_joints
        self._names = tuple(robot.arm_joints)
        try:
            self._sign, self._offset_rad = (
                np.broadcast_to(np.array(values), len(self._names)) for values in (config.leader_sign, config.leader_offset_rad)
            )
        except ValueError:
            raise ConfigError(
                f"leader_sign and leader_offset_rad must have one value, or {len(self._names)} as the arm has joints; got "
                f"{len(config.leader_sign)} and {len(config.leader_offset_rad)}. Correct them."
            ) from None

    def refusal(self, reading: Array, state: RobotState) -> str:
        """See `Motion`: it may where every joint of the leader stands near the arm's."""
        apart = self._wanted(reading) - self._measured(state)
        worst = int(np.abs(apart).argmax())
        if abs(apart[worst]) <= self._config.align_rad:
            return ""
        return (
            f"the leader's {self._names[worst]} stands {apart[worst]:+.2f} rad from the arm's, at most {self._config.align_rad} are "
            "allowed. Move it there, then press again."
        )

    def engage(self, reading: Array, state: RobotState) -> None:
        """See `Motion`."""
        self._q, self._last = self._measured(state).copy(), self._wanted(reading)

    def target(self, reading: Array, state: RobotState, dt_s: float) -> Target:
        """See `Motion`."""
        step, lead, measured = self._config.joint_speed_rad_s * dt_s, self._config.joint_lead_rad, self._measured(state)
        wanted = self._wanted(reading)
        jumped = np.abs(wanted - self._last)
        if jumped.max() > self._config.joint_jump_rad:
            raise DataError(
                f"the leader's {self._names[int(jumped.argmax())]} jumped by {jumped.max():.2f} rad. Is it at the end of its turn?"
            )
        self._last = wanted
        q = self._q + np.clip(wanted - self._q, -step, step)
        self._q = np.clip(q, measured - lead, measured + lead)
        return Target(self._kinematics.tcp_pose(self._q), None, self._q if self._by_joints else None)

    def _wanted(self, reading: Array) -> Array:
        if len(reading) < len(self._names) or not np.isfinite(reading).all():
            raise DataError(f"the leader says {reading}; expected {len(self._names)} finite joint positions. Is it the leader of this arm?")
        return np.asarray(self._sign * reading[: len(self._names)] + self._offset_rad)

    @staticmethod
    def _measured(state: RobotState) -> Array:
        if state.arm_position_rad is None:
            raise DataError("the arm does not tell its joints, which a leader arm needs. Use another input.")
        return state.arm_position_rad
