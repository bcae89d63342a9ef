"""Physics of one robot in an empty space, its servos, and what its sensors tell."""

import numpy as np
import pybullet as p

from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, JointTick, RobotDescription, RobotTick
from tactus_sim.free.bodies import Build
from tactus_sim.free.model import TOOL, physical_urdf
from tactus_sim.sensors import Noise, cross

TICK_S = 0.002
_GRAVITY_m_s2 = 9.81
# A servo closes this share of its error in a tick: a time constant of 20 ms.
_GAIN = 0.1
# Commands come in steps, and a controller does not jump to each: it takes this long.
_SMOOTHING_S = 0.02
# How hard an arm brakes that is no longer commanded: about as controllers do. At once, it would feel a blow of its own hand's weight.
_BRAKING_rad_s2 = 20.0
_HAND_SPEED_rad_s = 6.0
# A real encoder never says the same twice, and the guard takes one that does for dead. Assumed, not measured.
_NOISE_rad, _NOISE_rad_s = 1e-5, 1e-4


class FreeWorld:
    """Implements `ports.RobotWorld`."""

    def __init__(self, build: Build, robot: RobotDescription, speed_limit_rad_s: float, viewer: bool = False) -> None:
        """Load robot and floor; `viewer` opens PyBullet's window. The arm's servos walk no faster than this, and than its URDF has it."""
        self._robot, self._limits = robot, (k := Kinematics(robot))
        self._speed_rad_s = np.minimum(k.arm_speed_rad_s, speed_limit_rad_s)
        self._client = c = p.connect(p.GUI if viewer else p.DIRECT)
        p.setGravity(0, 0, -_GRAVITY_m_s2, physicsClientId=c)
        p.setPhysicsEngineParameter(fixedTimeStep=TICK_S, physicsClientId=c)
        p.createMultiBody(0, p.createCollisionShape(p.GEOM_PLANE, physicsClientId=c), physicsClientId=c)
        flags = p.URDF_USE_INERTIA_FROM_FILE
        self._body = p.loadURDF(str(physical_urdf(build, robot, viewer)), useFixedBase=True, flags=flags, physicsClientId=c)
        infos = [p.getJointInfo(self._body, i, physicsClientId=c) for i in range(p.getNumJoints(self._body, physicsClientId=c))]
        self._joints, self._links = ({info[at].decode(): info[0] for info in infos} for at in (1, 12))
        self._arm = [self._joints[name] for name in robot.arm_joints]
        self._effort_Nm = [build.effort_Nm or infos[i][10] for i in self._arm]
        for i in self._links.values():
            p.changeDynamics(self._body, i, linearDamping=0, angularDamping=0, jointDamping=0, physicsClientId=c)
        self._wrist: WristSensor | None = None
        if build.sensor_joint:
            tool = self._links[TOOL] if build.tares else None
            self._wrist = WristSensor(c, self._body, self._joints[build.sensor_joint], self._links[robot.tcp_frame], tool)

    def reset(self) -> RobotTick:
        """See `RobotWorld`."""
        self._rng, self._noise = np.random.default_rng(0), Noise(0)
        for i, position_rad in zip(self._arm, self._robot.q_home_rad, strict=True):
            p.resetJointState(self._body, i, position_rad, physicsClientId=self._client)
        self._goal_rad = self._walked_rad = self._robot.q_home_rad.astype(np.float64)
        self._walking_rad_s = np.zeros(len(self._goal_rad))
        self._hand_goal_rad = self._hand_rad = self._robot.hand_rest_rad.astype(np.float64)
        return self.step()

    def move_arm(self, position_rad: Array | None) -> Array:
        """See `RobotWorld`. To hold is to brake, and to stay where that ends: where the arm is, if something kept it from following."""
        v = self._velocity_rad_s
        wanted = self._q_rad + v * (TICK_S / _GAIN) + v * np.abs(v) / (2.0 * _BRAKING_rad_s2) if position_rad is None else position_rad
        self._goal_rad = np.clip(wanted, self._limits.arm_low_rad, self._limits.arm_high_rad)
        return self._goal_rad

    def move_hand(self, position_rad: Array | None) -> Array:
        """See `RobotWorld`."""
        wanted = self._hand_rad if position_rad is None else position_rad
        self._hand_goal_rad = np.clip(wanted, self._limits.hand_low_rad, self._limits.hand_high_rad)
        return self._hand_goal_rad

    def step(self) -> RobotTick:
        """See `RobotWorld`."""
        self._walk()
        p.setJointMotorControlArray(
            self._body, self._arm, p.POSITION_CONTROL, targetPositions=self._walked_rad.tolist(), forces=self._effort_Nm,
            positionGains=[_GAIN] * len(self._arm), velocityGains=[1.0] * len(self._arm), physicsClientId=self._client,
        )  # fmt: skip
        p.stepSimulation(physicsClientId=self._client)
        states = p.getJointStates(self._body, self._arm, physicsClientId=self._client)
        self._q_rad, self._velocity_rad_s = (np.array([state[at] for state in states]) for at in (0, 1))
        arm = JointTick(self._noisy(self._q_rad, _NOISE_rad), self._noisy(self._velocity_rad_s, _NOISE_rad_s))
        before_rad, self._hand_rad = self._hand_rad, _towards(self._hand_rad, self._hand_goal_rad, _HAND_SPEED_rad_s * TICK_S)
        hand = JointTick(self._hand_rad, (self._hand_rad - before_rad) / TICK_S)
        return RobotTick(arm, hand, None if self._wrist is None else self._noise.wrench(self._wrist.read()))

    def close(self) -> None:
        """Disconnect the client."""
        p.disconnect(self._client)

    def push(self, force_N: Array) -> None:
        """Push the tool at its tcp with a force (3,) in the base frame, during the next tick."""
        link = self._links[self._robot.tcp_frame]
        at_m = p.getLinkState(self._body, link, physicsClientId=self._client)[4]
        p.applyExternalForce(self._body, link, force_N.tolist(), at_m, p.WORLD_FRAME, physicsClientId=self._client)

    def _walk(self) -> None:
        """Move what the servos follow towards the goal: no faster than allowed, and never faster than it can brake."""
        left_rad = self._goal_rad - self._walked_rad
        far_rad, most = np.abs(left_rad), _BRAKING_rad_s2 * TICK_S
        speed = np.minimum(np.minimum(self._speed_rad_s, np.sqrt(2.0 * _BRAKING_rad_s2 * far_rad)), far_rad / _SMOOTHING_S)
        self._walking_rad_s = np.clip(np.copysign(speed, left_rad), self._walking_rad_s - most, self._walking_rad_s + most)
        self._walked_rad = self._walked_rad + self._walking_rad_s * TICK_S

    def _noisy(self, values: Array, sigma: float) -> Array:
        return values + self._rng.normal(0.0, sigma, values.shape)


class WristSensor:
    """Force and torque in a fixed joint of a robot, as what the environment does to the tool, at the tcp and in its frame.

    The weight behind the joint stays in, as in a sensor that knows of none; `tares`: this link's weight is taken out of it.
    """

    def __init__(self, client: int, body: int, joint: int, tcp: int, tares: int | None) -> None:
        """Switch it on. joint, tcp and tares by their indices in PyBullet, where a link has that of the joint before it."""
        self._client, self._body, self._joint, self._tcp, self._tares = client, body, joint, tcp, tares
        p.enableJointForceTorqueSensor(body, joint, True, physicsClientId=client)
        mass_kg = 0.0 if tares is None else p.getDynamicsInfo(body, tares, physicsClientId=client)[0]
        self._weight_N = np.array([0.0, 0.0, -mass_kg * _GRAVITY_m_s2])

    def read(self) -> Array:
        """Return force_N, torque_Nm (6,) of the last step."""
        # Bullet tells what the parent does to the child, in the child's frame: the opposite of the load.
        load = -np.array(p.getJointState(self._body, self._joint, physicsClientId=self._client)[2])
        sensor_m, R_sensor = self._frame(self._joint)
        tcp_m, R_tcp = self._frame(self._tcp)
        force_N, torque_Nm = R_sensor @ load[:3], R_sensor @ load[3:]
        if self._tares is not None:
            center_m = np.array(p.getLinkState(self._body, self._tares, physicsClientId=self._client)[0])
            force_N, torque_Nm = force_N - self._weight_N, torque_Nm - cross(center_m - sensor_m, self._weight_N)
        return np.concatenate([R_tcp.T @ force_N, R_tcp.T @ (torque_Nm - cross(tcp_m - sensor_m, force_N))])

    def _frame(self, link: int) -> tuple[Array, Array]:
        state = p.getLinkState(self._body, link, computeForwardKinematics=True, physicsClientId=self._client)
        return np.array(state[4]), np.array(p.getMatrixFromQuaternion(state[5])).reshape(3, 3)


def _towards(here: Array, goal: Array, step: Array | float) -> Array:
    """Return where joints are that walk towards a goal, each by a step at most."""
    return here + np.clip(goal - here, -step, step)
