"""Where the tcp is, where a step would take the arm, and how near its links come to something: from the robot's URDF and capsules."""

from collections.abc import Iterable, Sequence

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

try:
    import coal
except ImportError:
    import hppfcl as coal  # its name beside the pinocchio that goes with an installed ROS 2 Jazzy

from tactus_core.errors import ConfigError, DataError
from tactus_core.types import Array, RobotDescription

_DAMPING = 1e-4 * np.eye(6)


class Kinematics:
    """Kinematics of the arm; the joints of the hand do not move the tcp and are left out. Joints are in the description's order.

    hand_low_rad, hand_high_rad: (hand joints,), arm_low_rad, arm_high_rad, arm_speed_rad_s: (arm joints,) limits of the URDF.
    fingers: for each fingertip the indices of its joints in the hand.
    """

    def __init__(self, description: RobotDescription) -> None:
        full = load_model(description)
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
        self._order = np.array([self._model.joints[self._model.getJointId(name)].idx_q for name in description.arm_joints])
        self._q = np.zeros(self._model.nq)
        self.arm_low_rad, self.arm_high_rad, self.arm_speed_rad_s = (
            limit[self._order] for limit in (self._model.lowerPositionLimit, self._model.upperPositionLimit, self._model.velocityLimit)
        )
        self.fingers = [[description.hand_joints.index(name) for name in finger] for finger in description.fingers]
        self._capsules = description.capsules

    def tcp_pose(self, q_arm_rad: Array) -> Array:
        """Return T_base_tcp (4,4) at the arm's joint positions, in the description's order; DataError where they are not usable."""
        if q_arm_rad.shape != self._q.shape or not np.isfinite(q_arm_rad).all():
            raise DataError(f"arm positions must be {len(self._q)} finite angles, got {q_arm_rad}. Check joint_states.")
        self._q[self._order] = q_arm_rad
        pin.forwardKinematics(self._model, self._data, self._q)
        return (self._base_from_root * pin.updateFramePlacement(self._model, self._data, self._tcp)).homogeneous

    def towards(self, q_arm_rad: Array, T_base_tcp: Array) -> Array:
        """Return the posture near `q_arm_rad` that puts the tcp about there: one step of damped least squares, for steps of centimetres."""
        self._q[self._order] = q_arm_rad
        pin.forwardKinematics(self._model, self._data, self._q)  # a local Jacobian does not place the frames
        here = self._base_from_root * pin.updateFramePlacement(self._model, self._data, self._tcp)
        J = pin.computeFrameJacobian(self._model, self._data, self._q, self._tcp, pin.LOCAL)[:, self._order]
        twist = pin.log6(here.actInv(pin.SE3(T_base_tcp))).vector
        return q_arm_rad + J.T @ np.linalg.solve(J @ J.T + _DAMPING, twist)

    def clearance(self, half_spaces: Sequence[tuple[float, float, float, float]] = ()) -> "Clearance":
        """Return what measures how near the links come to each other, or, given half-spaces, to the edge of these. See `Clearance`."""
        bodies, links = pin.GeometryModel(), list[int]()
        for capsule in self._capsules:
            frame = _frame(self._model, capsule.link)
            start, end = np.array(capsule.start_m), np.array(capsule.end_m)
            along = pin.Quaternion.FromTwoVectors(np.array([0.0, 0.0, 1.0]), end - start).toRotationMatrix()
            solid = coal.Capsule(capsule.radius_m, float(np.linalg.norm(end - start)))
            place = frame.placement * pin.SE3(along, (start + end) / 2)
            bodies.addGeometryObject(pin.GeometryObject(f"{capsule.link} {len(links)}", frame.parentJoint, place, solid))
            links.append(frame.parentJoint)
        for a, b, c, d in half_spaces:
            # Coal's half-space is the solid side: n·x ≤ d, in the root's frame.
            solid = coal.Halfspace(np.array([a, b, c]), d)
            edge = bodies.addGeometryObject(pin.GeometryObject(f"{a} {b} {c} {d}", 0, self._base_from_root.inverse(), solid))
            # What stands with the base cannot leave its place.
            for i, joint in enumerate(links):
                if joint > 1:
                    bodies.addCollisionPair(pin.CollisionPair(i, edge))
        if not half_spaces:
            for i, j in _apart(self._model, links):
                bodies.addCollisionPair(pin.CollisionPair(i, j))
        return Clearance(self._model, bodies, self._order)


class HandKinematics:
    """Where the links of a hand are. links: the one that the hand's first joint hangs on, then what each joint moves, in order."""

    def __init__(self, description: RobotDescription) -> None:
        self._model = load_model(description)
        self._data = self._model.createData()
        joints = [self._model.frames[self._model.getFrameId(name, pin.FrameType.JOINT)] for name in description.hand_joints]
        if not joints:
            raise ConfigError(f"robot '{description.name}' has no hand_joints, and no links of a hand. Name another robot.")
        moved = {frame.parentFrame: frame.name for frame in reversed(self._model.frames) if frame.type == pin.FrameType.BODY}
        palm = self._model.frames[joints[0].parentFrame].name
        self.links = (palm, *(moved[self._model.getFrameId(frame.name, pin.FrameType.JOINT)] for frame in joints))
        self._frames = [self._model.getFrameId(link, pin.FrameType.BODY) for link in self.links]
        self._tcp = self._model.getFrameId(description.tcp_frame, pin.FrameType.BODY)
        self._root = self._model.getFrameId(description.base_frame, pin.FrameType.BODY)
        names = (*description.arm_joints, *description.hand_joints)
        self._order = np.array([self._model.joints[self._model.getJointId(name)].idx_q for name in names])
        self._q = pin.neutral(self._model)

    def positions(self, arm_rad: Array, hand_rad: Array) -> tuple[Array, Array]:
        """Return the links' origins (links, 3) [m] and the tcp's axes (3,3), both in the base; DataError where joints are not usable."""
        joints_rad = np.concatenate([arm_rad, hand_rad])
        if joints_rad.shape != self._order.shape or not np.isfinite(joints_rad).all():
            raise DataError(f"arm and hand must be {len(self._order)} finite angles, got {joints_rad}. Check joint_states.")
        self._q[self._order] = joints_rad
        pin.framesForwardKinematics(self._model, self._data, self._q)
        base = self._data.oMf[self._root]
        origins_m = np.array([self._data.oMf[frame].translation for frame in self._frames])
        return (origins_m - base.translation) @ base.rotation, base.rotation.T @ self._data.oMf[self._tcp].rotation


class Clearance:
    """The smallest distance [m] between pairs of solids of an arm; negative where they overlap, infinite where there is no pair."""

    def __init__(self, model: pin.Model, bodies: pin.GeometryModel, order: NDArray[np.intp]) -> None:
        self._model, self._bodies, self._order = model, bodies, order
        self._data, self._distances = model.createData(), pin.GeometryData(bodies)
        self._q, self._alone = np.zeros(model.nq), not len(bodies.collisionPairs)

    def __call__(self, q_arm_rad: Array) -> float:
        """Return the smallest distance [m] in a posture, joints in the description's order."""
        if self._alone:
            return np.inf
        self._q[self._order] = q_arm_rad
        nearest = pin.computeDistances(self._model, self._data, self._bodies, self._distances, self._q)
        return float(self._distances.distanceResults[nearest].min_distance)


def _apart(model: pin.Model, joints: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of solids that hang on joints with at least one other between them: neighbours touch where they are joined."""
    far = [(i, j) for j in range(len(joints)) for i in range(j) if joints[i] != joints[j]]
    return [(i, j) for i, j in far if model.parents[joints[j]] != joints[i] and model.parents[joints[i]] != joints[j]]


def load_model(description: RobotDescription) -> pin.Model:
    """Return the robot's URDF as it is, with all that the description names; raises ConfigError where something is missing."""
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
