"""The wiping world: physics at 400 Hz, sensors at 200 Hz, an arm under Cartesian impedance, a hand that holds the pad."""

import numpy as np
import pybullet as p

from tactus_core.types import Array, Outcome, RobotState, Target, WorldSnapshot, WorldTick
from tactus_sim.arm import WIPING, ArmModel, impedance_torque
from tactus_sim.robot import ARM_JOINTS, HAND_JOINTS, PAD_JOINTS, PAD_LINK, PANDA_ALLEGRO
from tactus_sim.scene import Marks, Scene
from tactus_sim.sensors import Noise, Taxels, WristSensor
from tactus_sim.wipe.layout import Layout, draw
from tactus_sim.wipe.score import COVERAGE, Score

TICK_s = 0.005
SUBSTEPS = 2
DURATION_s = 16.0
_WIPE_EVERY = 4  # ticks; at 0.15 m/s the pad moves 3 mm in between
_STRAP_N = 4.0  # the elastic that presses the pad on the fingertips
_CONTACT_STIFFNESS, _CONTACT_DAMPING = 2500.0, 50.0  # per contact point: four corners make 10 kN/m
_FINGER_Nm, _FINGER_GAINS = 5.0, (0.1, 1.0)  # weaker motors chatter with period two


class WipeWorld:
    """Implements `ports.World`."""

    def __init__(self, viewer: bool = False) -> None:
        """Load the scene; `viewer` opens PyBullet's window."""
        self.scene = Scene(p.GUI if viewer else p.DIRECT)
        self._client = self.scene.client
        self._robot = self.scene.robot
        self.scene.collide_only_where_touch_is_meant()
        self._marks = Marks(self.scene) if viewer else None
        self._arm_index = [self.scene.joints[name] for name in ARM_JOINTS]
        self._hand_index = [self.scene.joints[name] for name in HAND_JOINTS]
        self._pad_index = [self.scene.joints[name] for name in PAD_JOINTS]
        self._pad = self.scene.links[PAD_LINK]
        self.arm = ArmModel(PANDA_ALLEGRO)
        self._wrist = WristSensor(self.scene, self.arm)
        self._taxels = Taxels(self.scene)
        self._prepare_dynamics()

    def _prepare_dynamics(self) -> None:
        c = self._client
        p.setGravity(0, 0, -9.81, physicsClientId=c)
        p.setPhysicsEngineParameter(fixedTimeStep=TICK_s / SUBSTEPS, numSolverIterations=20, physicsClientId=c)
        for link in self.scene.links.values():
            # Bullet's default joint damping would be felt as friction that no one put there.
            p.changeDynamics(self._robot, link, linearDamping=0, angularDamping=0, jointDamping=0, physicsClientId=c)
        p.setJointMotorControlArray(self._robot, self._arm_index, p.VELOCITY_CONTROL, forces=[0.0] * 7, physicsClientId=c)
        p.changeDynamics(
            self.scene.board, 0, contactStiffness=_CONTACT_STIFFNESS, contactDamping=_CONTACT_DAMPING, restitution=0, physicsClientId=c
        )
        # A motor that never reaches its speed is a constant force: the strap. The tilting joints keep a little friction.
        p.setJointMotorControl2(self._robot, self._pad_index[0], p.VELOCITY_CONTROL, targetVelocity=-10, force=_STRAP_N, physicsClientId=c)
        p.setJointMotorControlArray(self._robot, self._pad_index[1:], p.VELOCITY_CONTROL, forces=[0.002] * 2, physicsClientId=c)

    def reset(self, seed: int) -> WorldTick:
        """Start the episode that `seed` determines, at rest above the board."""
        self.layout: Layout = draw(seed)
        self.score = Score(self.layout)
        self._noise = Noise(seed)
        self._ticks = 0
        self._target = np.eye(4)
        self._target[:3, :3] = np.diag([1.0, -1.0, -1.0])
        self._target[:3, 3] = self.layout.start_m
        self._q_rest = self.arm.inverse(self._target, PANDA_ALLEGRO.q_home_rad)
        self.scene.place_board(self.layout)
        self.scene.place(np.concatenate([self._q_rest, PANDA_ALLEGRO.hand_rest_rad, np.zeros(len(PAD_JOINTS) + 1)]))
        p.changeDynamics(self._robot, self._pad, lateralFriction=1.0, physicsClientId=self._client)
        p.changeDynamics(self.scene.board, 0, lateralFriction=self.layout.friction, physicsClientId=self._client)
        self._move_hand(PANDA_ALLEGRO.hand_rest_rad)
        for _ in range(60):
            self._substep(0.0)
        return self._observe([0.0])

    def command(self, target: Target | None) -> None:
        """Set the impedance target; None holds the measured pose."""
        if target is None:
            self.arm.update(self._q)
            self._target = self.arm.placement(self.arm.tcp).copy()
            return
        self._target = target.T_base_tcp.copy()
        if target.hand_rad is not None:
            self._move_hand(target.hand_rad)

    def step(self) -> WorldTick:
        """Advance by 5 ms."""
        forces_N = []
        for i in range(SUBSTEPS):
            self._substep(self._ticks * TICK_s + i * TICK_s / SUBSTEPS)
            forces_N.append(self._contact()[0])
        self._ticks += 1
        return self._observe(forces_N)

    def outcome(self) -> Outcome:
        """Return the score of the episode so far."""
        return self.score.outcome(self._ticks * TICK_s)

    @property
    def now_s(self) -> float:
        """Time since the episode's start."""
        return self._ticks * TICK_s

    @property
    def normal_force_N(self) -> float:
        """Normal force between pad and board: ground truth, for experts and scores."""
        return self._contact()[0]

    @property
    def board_offset_m(self) -> float:
        """Where the board is along its normal: ground truth, for experts and scores."""
        return float(p.getJointState(self.scene.board, 0, physicsClientId=self._client)[0])

    def since_contact_s(self, now_s: float) -> float:
        """Return the time since the first contact, −1 before it."""
        contact_at_s = self.score.contact_at_s
        return now_s - contact_at_s if contact_at_s is not None else -1.0

    def _move_hand(self, posture_rad: Array) -> None:
        p.setJointMotorControlArray(
            self._robot, self._hand_index, p.POSITION_CONTROL, targetPositions=list(posture_rad), forces=[_FINGER_Nm] * 16,
            positionGains=[_FINGER_GAINS[0]] * 16, velocityGains=[_FINGER_GAINS[1]] * 16, physicsClientId=self._client,
        )  # fmt: skip

    def _substep(self, now_s: float) -> None:
        states = p.getJointStates(self._robot, self._arm_index, physicsClientId=self._client)
        self._q = np.array([s[0] for s in states])
        self._dq = np.array([s[1] for s in states])
        tau = impedance_torque(self.arm, WIPING, self._target, self._q, self._dq, self._q_rest)
        p.setJointMotorControlArray(self._robot, self._arm_index, p.TORQUE_CONTROL, forces=list(tau), physicsClientId=self._client)
        self._disturb(now_s)
        p.stepSimulation(physicsClientId=self._client)

    def _disturb(self, now_s: float) -> None:
        since_s = self.since_contact_s(now_s)
        offset_m, rate_m_s, _ = self.layout.board_motion(since_s)
        p.setJointMotorControl2(
            self.scene.board, 0, p.POSITION_CONTROL, targetPosition=offset_m, targetVelocity=rate_m_s, force=2000, positionGain=0.4,
            velocityGain=1.0, physicsClientId=self._client,
        )  # fmt: skip
        for push in self.layout.pushes:
            if push.start_s <= since_s < push.end_s:
                link = self.scene.links["wrist"]
                p.applyExternalForce(self._robot, link, list(push.force_N), [0, 0, 0], p.LINK_FRAME, physicsClientId=self._client)

    def _contact(self) -> tuple[float, list[tuple]]:
        points = p.getContactPoints(self.scene.board, self._robot, 0, self._pad, physicsClientId=self._client)
        return sum(point[9] for point in points), points

    def _observe(self, forces_N: list[float]) -> WorldTick:
        self.score.feel(self.now_s, float(np.mean(forces_N)), max(forces_N))
        if self._ticks % _WIPE_EVERY == 0:
            self._wipe()
        fingers = p.getJointStates(self._robot, self._hand_index + self._pad_index, physicsClientId=self._client)
        arm = p.getJointStates(self._robot, self._arm_index, physicsClientId=self._client)
        q = np.array([s[0] for s in (*arm, *fingers)])
        dq = np.array([s[1] for s in (*arm, *fingers)])
        torque = np.array([s[3] for s in (*arm, *fingers)])
        self._q, self._dq = q[:7], dq[:7]
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
        snapshot = WorldSnapshot(self.layout.seed, np.append(q, self.board_offset_m), self.score.left.copy())
        done = self.score.wiped >= COVERAGE or self.now_s >= DURATION_s
        return WorldTick(state, q[:23], dq[:23], torque[:23], taxels, snapshot, done)

    def _wipe(self) -> None:
        normal_N, points = self._contact()
        if self._marks is not None:
            self._marks.show(self.layout, self.score.left, self.board_offset_m)
        if normal_N <= 0.0:
            return
        link = p.getLinkState(self._robot, self._pad, computeForwardKinematics=True, physicsClientId=self._client)
        R_pad = np.array(p.getMatrixFromQuaternion(link[5])).reshape(3, 3)
        T = self.layout.T_base_board
        pad_xy = (T[:3, :3].T @ (np.array(link[4]) - T[:3, 3]))[:2]
        turn = (T[:3, :3].T @ R_pad)[:2, :2]
        centre = sum(np.array(point[6]) * point[9] for point in points) / normal_N
        self.score.wipe(pad_xy, turn, normal_N, (R_pad.T @ (centre - np.array(link[4])))[:2])
