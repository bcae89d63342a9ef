"""What the numbers of an action mean, as a card lays them out: between entries of a chunk, from another anchor, and to a robot."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError, StaleError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.history import STAMP_EPSILON_S
from tactus_core.kinematics import Kinematics
from tactus_core.policy.card import Card
from tactus_core.policy.signals import POSES
from tactus_core.types import ActionChunk, Array, RobotDescription, Target


def interpolate(chunk: ActionChunk, at_s: float, card: Card) -> Array:
    """Return the action (A,) of a chunk at a time: linear, rotations along the geodesic. Raises StaleError past the last entry."""
    place = (at_s - chunk.stamp_s) / chunk.dt_s
    last = len(chunk.data) - 1
    if not place <= last + STAMP_EPSILON_S / chunk.dt_s:
        raise StaleError(f"chunk {chunk.sequence} ends {chunk.dt_s * (place - last):.3f} s before the entry that is due. Plan more often.")
    index = min(max(int(place), 0), last - 1)
    share = min(max(place - index, 0.0), 1.0)
    before, after = chunk.data[index].astype(np.float64), chunk.data[index + 1].astype(np.float64)
    out = (1.0 - share) * before + share * after
    for turn in (_rotation(part) for of, part in card.action_parts if of.signal in POSES):
        R_before = from_rot6d(before[turn])
        out[turn] = rot6d(R_before @ rotation_matrix(share * rotation_vector(R_before.T @ from_rot6d(after[turn]))))
    return out


def _rotation(pose: slice) -> slice:
    return slice(pose.start + 3, pose.stop)


class Commands:
    """Makes targets for a robot of un-normalised actions."""

    def __init__(self, card: Card, robot: RobotDescription) -> None:
        """Prepare; raises BundleError where the bundle is for another robot."""
        card.require_robot(robot)
        self._card, self._robot = card, robot
        self._parts = {of.signal: part for of, part in card.action_parts}
        self._kinematics = Kinematics(robot) if "arm_position" in self._parts else None

    def target(self, action: NDArray[np.floating], chunk: ActionChunk) -> Target:
        """Return what an action (A,) of `chunk` asks for; raises DataError where it is not finite, or no pose."""
        values = action.astype(np.float64)
        if not np.isfinite(values).all():
            raise DataError(
                f"bundle '{chunk.bundle}' gave an action with NaN or infinity: {action}. Nothing is proposed; check its inputs."
            )
        named = {signal: values[part] for signal, part in self._parts.items()}
        hand_rad = named.get("hand_position")
        if "press" in named:
            hand_rad = self._robot.hand_posture(float(named["press"][0]))
        if self._kinematics is not None:
            arm_rad = named["arm_position"]
            return Target(self._kinematics.tcp_pose(arm_rad), hand_rad, arm_rad)
        if "tcp_pose" in named:
            return Target(_pose(named["tcp_pose"]), hand_rad)
        return Target(chunk.T_base_anchor @ _pose(named["tcp_pose_relative"]), hand_rad)


def _pose(values: Array) -> Array:
    return rigid(values[:3], from_rot6d(values[3:]))
