"""Cartesian impedance control through joint torques, as an arm's own controller does it below the ROS interface."""

from dataclasses import dataclass, replace

import numpy as np
import pinocchio as pin

from tactus_core.types import Array, RobotDescription
from tactus_sim.robot import WRIST_JOINT

TORQUE_LIMIT_Nm = np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0])  # Panda data sheet


@dataclass(frozen=True)
class Impedance:
    """Stiffness and damping in the tcp frame (x, y, z = out of the tool), and in the null space of the task.

    The damping along z is a ratio of 0.5 for the 5.5 kg that the arm weighs in that direction.
    """

    stiffness: Array
    damping: Array
    nullspace_stiffness_Nm_rad: float = 8.0
    nullspace_damping_Nms_rad: float = 3.0


WIPING = Impedance(
    stiffness=np.array([800.0, 800.0, 600.0, 40.0, 40.0, 40.0]),
    damping=np.array([80.0, 80.0, 58.0, 4.0, 4.0, 4.0]),
)
INSERTION = Impedance(
    stiffness=np.array([1500.0, 1500.0, 600.0, 40.0, 40.0, 40.0]),
    damping=np.array([110.0, 110.0, 58.0, 4.0, 4.0, 4.0]),
)


def along_tool(gains: Impedance, stiffness_N_m: float) -> Impedance:
    """Return `gains` with another stiffness out of the tool, and as much damping as keeps its ratio."""
    share = np.array([1.0, 1.0, stiffness_N_m / gains.stiffness[2], 1.0, 1.0, 1.0])
    return replace(gains, stiffness=share * gains.stiffness, damping=np.sqrt(share) * gains.damping)


class ArmModel:
    """Rigid-body model of the arm with its hand and tool locked in their nominal posture, so that gravity is compensated for all of it."""

    def __init__(self, robot: RobotDescription) -> None:
        """Load the URDF of `robot` and lock all but the arm's joints."""
        full = pin.buildModelFromUrdf(str(robot.urdf()))
        reference = pin.neutral(full)
        for name, angle in zip(robot.hand_joints, robot.hand_grip_rad, strict=True):
            reference[full.joints[full.getJointId(name)].idx_q] = angle
        locked = [full.getJointId(name) for name in full.names[1:] if name not in robot.arm_joints]
        self.model = pin.buildReducedModel(full, locked, reference)
        self.data = self.model.createData()
        self.tcp = self.model.getFrameId(robot.tcp_frame)
        self.wrist = self.model.getFrameId("wrist")
        self._payload = self._payload_of(robot, dict(zip(robot.hand_joints, robot.hand_grip_rad, strict=True)))

    def _payload_of(self, robot: RobotDescription, reference: dict[str, float]) -> tuple[float, Array]:
        # With the sensor's fixed joint made movable, all that hangs on it is one subtree.
        text = (
            robot.urdf()
            .read_text()
            .replace(f'<joint name="{WRIST_JOINT}" type="fixed">', f'<joint name="{WRIST_JOINT}" type="continuous">')
        )
        model = pin.buildModelFromXML(text)
        data = model.createData()
        q = pin.neutral(model)
        for name, angle in reference.items():
            q[model.joints[model.getJointId(name)].idx_q] = angle
        pin.centerOfMass(model, data, q)
        wrist = model.getJointId(WRIST_JOINT)
        return float(data.mass[wrist]), np.array(data.com[wrist])

    @property
    def payload(self) -> tuple[float, Array]:
        """Mass [kg] and centre of mass (3,) in the wrist frame of all that hangs on the wrist's sensor."""
        return self._payload

    def update(self, q: Array) -> None:
        """Compute placements and Jacobians for the arm posture `q` (7,)."""
        pin.computeJointJacobians(self.model, self.data, q)
        pin.updateFramePlacements(self.model, self.data)

    def placement(self, frame: int) -> Array:
        """Return T_base_frame after `update`."""
        return np.asarray(self.data.oMf[frame].homogeneous)

    def inverse(self, T_base_tcp: Array, q0: Array, tolerance: float = 1e-5) -> Array:
        """Return arm joints (7,) that reach `T_base_tcp`, near `q0` (damped Gauss-Newton)."""
        q = q0.copy()
        target = pin.SE3(T_base_tcp[:3, :3].copy(), T_base_tcp[:3, 3].copy())
        for _ in range(100):
            self.update(q)
            error = pin.log6(self.data.oMf[self.tcp].actInv(target)).vector
            if np.linalg.norm(error) < tolerance:
                break
            J = pin.getFrameJacobian(self.model, self.data, self.tcp, pin.LOCAL)
            q = q + J.T @ np.linalg.solve(J @ J.T + 1e-6 * np.eye(6), error)
        return q


def impedance_torque(arm: ArmModel, gains: Impedance, target: Array, q: Array, dq: Array, q_rest: Array) -> Array:
    """Return joint torques (7,) that pull the tcp towards `target` (4,4), gravity and Coriolis compensated, within the arm's limits.

    `arm.update(q)` is called here. tau = J^T (K e - D v) + h(q, v) + N (posture), with J, e, v in the tcp frame.
    """
    arm.update(q)
    J = pin.getFrameJacobian(arm.model, arm.data, arm.tcp, pin.LOCAL)
    T = arm.data.oMf[arm.tcp]
    R = T.rotation
    error = np.empty(6)
    error[:3] = R.T @ (target[:3, 3] - T.translation)
    error[3:] = pin.log3(R.T @ target[:3, :3])
    task = J.T @ (gains.stiffness * error - gains.damping * (J @ dq))
    posture = gains.nullspace_stiffness_Nm_rad * (q_rest - q) - gains.nullspace_damping_Nms_rad * dq
    # N^T = I - J^T (J J^T)^-1 J; seven joints leave one dimension for the posture.
    posture -= J.T @ np.linalg.solve(J @ J.T, J @ posture)
    tau = task + posture + pin.nonLinearEffects(arm.model, arm.data, q, dq)
    return np.clip(tau, -TORQUE_LIMIT_Nm, TORQUE_LIMIT_Nm)
