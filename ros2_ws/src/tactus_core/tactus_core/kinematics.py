"""Where the tcp is, from joint positions and the robot's URDF."""

from collections.abc import Iterable

import numpy as np
import pinocchio as pin

from tactus_core.errors import ConfigError, DataError
from tactus_core.types import Array, RobotDescription


class Kinematics:
    """Forward kinematics of the arm; the joints of the hand do not move the tcp and are left out.

    hand_low_rad, hand_high_rad: (hand joints,) position limits, in the description's order.
    """

    def __init__(self, description: RobotDescription) -> None:
        full = _load(description)
        arm = {full.getJointId(name) for name in description.arm_joints}
        if not set(full.supports[_frame(full, description.tcp_frame).parentJoint]) - {0} <= arm:
            raise ConfigError(f"link '{description.tcp_frame}' hangs on joints outside arm_joints of robot '{description.name}'. Mend it.")
        base = _frame(full, description.base_frame)
        if base.parentJoint != 0:
            raise ConfigError(f"link '{description.base_frame}' of robot '{description.name}' moves with a joint; a base has to stand.")
        hand = [full.joints[full.getJointId(name)].idx_q for name in description.hand_joints]
        self.hand_low_rad, self.hand_high_rad = full.lowerPositionLimit[hand], full.upperPositionLimit[hand]

        self._model = pin.buildReducedModel(full, [j for j in range(1, full.njoints) if j not in arm], pin.neutral(full))
        self._data = self._model.createData()
        self._tcp = self._model.getFrameId(description.tcp_frame, pin.FrameType.BODY)
        self._base_from_root = base.placement.inverse()
        # Pinocchio orders joints by the tree, Tactus by the description.
        self._order = [self._model.joints[self._model.getJointId(name)].idx_q for name in description.arm_joints]
        self._q = np.zeros(self._model.nq)

    def tcp_pose(self, q_arm_rad: Array) -> Array:
        """Return T_base_tcp (4,4) at the arm's joint positions, in the description's order; DataError where they are not usable."""
        if q_arm_rad.shape != self._q.shape or not np.isfinite(q_arm_rad).all():
            raise DataError(f"arm positions must be {len(self._q)} finite angles, got {q_arm_rad}. Check joint_states.")
        self._q[self._order] = q_arm_rad
        pin.forwardKinematics(self._model, self._data, self._q)
        return (self._base_from_root * pin.updateFramePlacement(self._model, self._data, self._tcp)).homogeneous


def _load(description: RobotDescription) -> pin.Model:
    path = description.urdf()
    try:
        model = pin.buildModelFromUrdf(str(path))
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"{path}: URDF of robot '{description.name}' cannot be read: {error}. Check the file.") from None

    def require(what: str, names: Iterable[str], known: list[str]) -> None:
        if missing := sorted(set(names) - set(known)):
            raise ConfigError(
                f"{path}: no {what} {', '.join(missing)} for robot '{description.name}'; it has {', '.join(known)}. "
                "Correct the robot's description."
            )

    joints = [name for name, joint in zip(model.names, model.joints, strict=True) if joint.nq == 1]
    require("joints", (*description.arm_joints, *description.hand_joints), joints)
    links = [frame.name for frame in model.frames if frame.type == pin.FrameType.BODY]
    require("links", (description.base_frame, description.tcp_frame), links)
    return model


def _frame(model: pin.Model, link: str) -> pin.Frame:
    # A joint may bear the name of a link.
    return model.frames[model.getFrameId(link, pin.FrameType.BODY)]
