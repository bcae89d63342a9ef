"""Where the fingertips of a hand are in its palm, and which joints bring them elsewhere: from the robot's URDF."""

import numpy as np
import pinocchio as pin

from tactus_core.errors import ConfigError
from tactus_core.kinematics import load_model
from tactus_core.types import Array, RobotDescription

# [m²] Small beside a finger's (0.1 m)², so that a tip gets where it can; large enough that a stretched finger does not swing.
_DAMPING = 1e-5
_TO_REST = 0.05  # of the way, each step, in what the tips leave open


class Fingertips:
    """Kinematics of a hand's fingers; joints in the description's order, positions [m] in the frame of the link that the hand hangs on.

    low_rad, high_rad: (joints,) limits of the URDF. A tip is the outermost link that its finger's last joint moves.
    Raises ConfigError for a robot whose description names no fingers, or whose fingers have no length.
    """

    def __init__(self, description: RobotDescription) -> None:
        if not description.fingers:
            raise ConfigError(f"the description of robot '{description.name}' names no fingers: nobody can say where their tips are.")
        full = load_model(description)
        hand = {full.getJointId(name) for name in description.hand_joints}
        model = pin.buildReducedModel(full, [j for j in range(1, full.njoints) if j not in hand], pin.neutral(full))
        self._model, self._data, self._rest = model, model.createData(), description.hand_rest_rad
        self._order = np.array([model.joints[model.getJointId(name)].idx_q for name in description.hand_joints])
        self._tips = [_outermost(model, finger[-1], description.name) for finger in description.fingers]
        first = model.frames[model.getFrameId(description.hand_joints[0], pin.FrameType.JOINT)]
        self._palm = first.parentFrame
        self._q = np.zeros(model.nq)
        self.low_rad, self.high_rad = model.lowerPositionLimit[self._order], model.upperPositionLimit[self._order]

    def positions(self, hand_rad: Array) -> Array:
        """Return the tips (fingers, 3) at the hand's joint positions (joints,)."""
        self._q[self._order] = hand_rad
        pin.framesForwardKinematics(self._model, self._data, self._q)
        palm = self._data.oMf[self._palm]
        return np.array([palm.actInv(self._data.oMf[tip].translation) for tip in self._tips])

    def towards(self, hand_rad: Array, tips_m: Array) -> Array:
        """Return the joints (joints,) near `hand_rad` that put the tips about there (fingers, 3), within their limits.

        One step of damped least squares, for steps of centimetres. Where joints are left over, they go towards the hand at rest.
        """
        self._q[self._order] = hand_rad
        pin.computeJointJacobians(self._model, self._data, self._q)
        pin.updateFramePlacements(self._model, self._data)
        palm = self._data.oMf[self._palm]
        way = np.concatenate([palm.act(tip) - self._data.oMf[i].translation for tip, i in zip(tips_m, self._tips, strict=True)])
        J = np.concatenate([pin.getFrameJacobian(self._model, self._data, i, pin.LOCAL_WORLD_ALIGNED)[:3] for i in self._tips])
        J = J[:, self._order]
        inverse = J.T @ np.linalg.inv(J @ J.T + _DAMPING * np.eye(len(J)))
        to_rest = _TO_REST * (self._rest - hand_rad)
        step = inverse @ way + to_rest - inverse @ (J @ to_rest)
        return np.clip(hand_rad + step, self.low_rad, self.high_rad)


def _outermost(model: pin.Model, joint: str, robot: str) -> int:
    moved = [i for i, f in enumerate(model.frames) if f.type == pin.FrameType.BODY and f.parentJoint == model.getJointId(joint)]
    tip = max(moved, key=lambda i: float(np.linalg.norm(model.frames[i].placement.translation)))
    if not np.linalg.norm(model.frames[tip].placement.translation) > 1e-6:
        raise ConfigError(f"robot '{robot}': behind joint '{joint}' there is no fingertip: its description knows the hand's joints alone.")
    return tip
