"""What hangs on a force sensor: its readings at rest, posture by posture, out of a running graph."""

from typing import Any

import numpy as np
import yaml

from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.perception.payload import Payload
from tactus_core.types import Array, RobotDescription
from tactus_nodes import convert, topics
from tactus_nodes.client import GraphSession

_SETTLE_S = 0.1  # what waited meanwhile is of the way here
_LEAST = 20
_STILL_RAD = 0.005


class ToolReader:
    """Reads `wrench/raw` and the arm's joints. The base's z axis points up."""

    def __init__(self, session: GraphSession, robot: RobotDescription) -> None:
        self._session, self._arm, self._kinematics = session, tuple(robot.arm_joints), Kinematics(robot)
        self._wrenches: list[Array] = []
        self._postures: list[Array] = []
        session.listen(topics.WRENCH_RAW.deeper(100), self._feel)
        session.listen(topics.JOINT_STATES.deeper(100), self._see)

    def read(self, seconds: float) -> tuple[Array, Array]:
        """Return the mean wrench (6,) in the tcp frame and R_base_tcp (3,3); DataError where the arm moves, or too little comes."""
        self._session.listen_for(_SETTLE_S)
        self._wrenches.clear()
        self._postures.clear()
        self._session.listen_for(seconds)
        if min(len(self._wrenches), len(self._postures)) < _LEAST:
            raise DataError(
                f"{len(self._wrenches)} readings of {topics.WRENCH_RAW.name} and {len(self._postures)} of {topics.JOINT_STATES.name} came "
                f"within {seconds} s, expected at least {_LEAST} of each. Are sensor and arm running, in this ROS_DOMAIN_ID?"
            )
        moved_rad = float(np.ptp(self._postures, axis=0).max())
        if moved_rad > _STILL_RAD:
            raise DataError(f"a joint moved by {moved_rad:.3f} rad while it was read, at most {_STILL_RAD} is rest. Let the arm rest.")
        return np.mean(self._wrenches, axis=0), self._kinematics.tcp_pose(np.mean(self._postures, axis=0))[:3, :3]

    def _feel(self, message: Any) -> None:
        self._wrenches.append(convert.finite(convert.wrench_tcp(message), topics.WRENCH_RAW.name))

    def _see(self, message: Any) -> None:
        self._postures.append(convert.finite(convert.joint_positions(message, self._arm), topics.JOINT_STATES.name))


def as_parameters(found: Payload) -> str:
    """Return the parameters that take this tool's weight out of the wrench, as YAML."""
    values = {"tool_kg": round(found.mass_kg, 4), "tool_center_m": [round(float(x), 4) for x in found.center_m]}
    return yaml.safe_dump({"touch_monitor": {"ros__parameters": values}}, sort_keys=False)
