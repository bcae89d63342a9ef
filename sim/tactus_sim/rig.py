"""What the worlds of all tasks share: physics at 400 Hz, sensors at 200 Hz, an arm under Cartesian impedance, a hand that holds a tool."""

from collections.abc import Sequence

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from tactus_core.types import Array, RobotDescription, RobotState, Target, WorldSnapshot, WorldTick
from tactus_sim.arm import ArmModel, Impedance, impedance_torque
from tactus_sim.robot import ARM_JOINTS, HAND_JOINTS, PAD_JOINTS
from tactus_sim.scene import Scene
from tactus_sim.sensors import Noise, Taxels, WristSensor

TICK_s = 0.005
SUBSTEPS = 2
TOOL_DOWN = np.diag([1.0, -1.0, -1.0])
_FINGER_Nm, _FINGER_GAINS = 5.0, (0.1, 1.0)  # weaker motors chatter with period two


class Rig:
    """The robot of a scene, its motors and its sensors."""

    def __init__(self, scene: Scene, robot: RobotDescription, gains: Impedance) -> None:
        """Prepare physics, motors and sensors."""
        self.scene, self._robot, self._gains = scene, robot, gains
        self._client, self._body = scene.client, scene.robot
        self._arm_index = [scene.joints[name] for name in ARM_JOINTS]
        self._hand_index = [scene.joints[name] for name in HAND_JOINTS]
        self._tool_index = [scene.joints[name] for name in scene.tool.joints]
        self.arm = ArmModel(robot)
        self._wrist = WristSensor(scene, self.arm)
        self._taxels = Taxels(scene)
        self._prepare_dynamics()

    def _prepare_dynamics(self) -> None:
        c = self._client
        p.setGravity(0, 0, -9.81, physicsClientId=c)
        # Without a fixed order of contacts, an episode depends on those before it.
        p.setPhysicsEngineParameter(
            fixedTimeStep=TICK_s / SUBSTEPS, numSolverIterations=20, deterministicOverlappingPairs=1, physicsClientId=c
        )
        for link in self.scene.links.values():
            # Bullet's default joint damping would be felt as friction that no one put there.
            p.changeDynamics(self._body, link, linearDamping=0, angularDamping=0, jointDamping=0, physicsClientId=c)
        p.setJointMotorControlArray(self._body, self._arm_index, p.VELOCITY_CONTROL, forces=[0.0] * 7, physicsClientId=c)
        # A motor that never reaches its speed is a constant force: the strap. The tilting joints keep a little friction.
        slide, *tilts = (self.scene.joints[name] for name in PAD_JOINTS)
        strap_N = self.scene.tool.strap_N
        p.setJointMotorControl2(self._body, slide, p.VELOCITY_CONTROL, targetVelocity=-10, force=strap_N, physicsClientId=c)
        p.setJointMotorControlArray(self._body, tilts, p.VELOCITY_CONTROL, forces=[0.002] * 2, physicsClientId=c)

    def start(self, seed: int, start_m: Array, hand_rad: Array, tool: Sequence[float]) -> None:
        """Stand still with the tcp at `start_m` (3,), the tool straight down; hand_rad (16,), tool: positions of the tool's joints."""
        self._seed, self._noise = seed, Noise(seed)
        self._ticks = 0
        self._target = np.eye(4)
        self._target[:3, :3] = TOOL_DOWN
        self._target[:3, 3] = start_m
        self._q_rest = self.arm.inverse(self._target, self._robot.q_home_rad)
        self.scene.forget()
        self.scene.place(np.concatenate([self._q_rest, hand_rad, tool]))
        self._move_hand(hand_rad)

    def command(self, target: Target | None) -> None:
        """Set the impedance target; None holds the measured pose."""
        if target is None:
            self.arm.update(self._q)
            self._target = self.arm.placement(self.arm.tcp).copy()
            return
        self._target = target.T_base_tcp.copy()
        if target.hand_rad is not None:
            self._move_hand(target.hand_rad)

    def _move_hand(self, posture_rad: Array) -> None:
        p.setJointMotorControlArray(
            self._body, self._hand_index, p.POSITION_CONTROL, targetPositions=list(posture_rad), forces=[_FINGER_Nm] * 16,
            positionGains=[_FINGER_GAINS[0]] * 16, velocityGains=[_FINGER_GAINS[1]] * 16, physicsClientId=self._client,
        )  # fmt: skip

    @property
    def now_s(self) -> float:
        """Time since the episode's start."""
        return self._ticks * TICK_s

    def substep(self) -> None:
        """Advance by half a tick."""
        states = p.getJointStates(self._body, self._arm_index, physicsClientId=self._client)
        self._q = np.array([s[0] for s in states])
        dq = np.array([s[1] for s in states])
        tau = impedance_torque(self.arm, self._gains, self._target, self._q, dq, self._q_rest)
        p.setJointMotorControlArray(self._body, self._arm_index, p.TORQUE_CONTROL, forces=list(tau), physicsClientId=self._client)
        p.stepSimulation(physicsClientId=self._client)

    def count(self) -> None:
        """Count a tick whose substeps are done."""
        self._ticks += 1

    def sense(self, more: Sequence[float], marks: NDArray[np.uint8], done: bool) -> WorldTick:
        """Return what is measured now. more: positions of the task's own joints, which follow the robot's in the snapshot."""
        fingers = p.getJointStates(self._body, self._hand_index + self._tool_index, physicsClientId=self._client)
        arm = p.getJointStates(self._body, self._arm_index, physicsClientId=self._client)
        q = np.array([s[0] for s in (*arm, *fingers)])
        dq = np.array([s[1] for s in (*arm, *fingers)])
        torque = np.array([s[3] for s in (*arm, *fingers)])
        self._q = q[:7]
        self.arm.update(self._q)
        taxels, tips_N = self._taxels.read()
        state = RobotState(
            stamp_s=self.now_s,
            T_base_tcp=self.arm.placement(self.arm.tcp).copy(),
            wrench_tcp=self._noise.wrench(self._wrist.read()),
            fingertip_force_N=self._noise.touch(tips_N),
            hand_position_rad=q[7:23],
            arm_position_rad=q[:7],
            hand_effort_Nm=torque[7:23],
        )
        return WorldTick(state, q[:23], dq[:23], torque[:23], taxels, WorldSnapshot(self._seed, np.append(q, more), marks), done)
