"""The wiping world: a hand that presses a pad on a board that moves."""

import numpy as np
import pybullet as p

from tactus_core.types import Outcome, Target, WorldTick
from tactus_sim.arm import WIPING, along_tool
from tactus_sim.rig import SUBSTEPS, Rig, TICK_s
from tactus_sim.robot import ERASER, PAD_LINK, PANDA_ALLEGRO
from tactus_sim.scene import Scene
from tactus_sim.wipe.board import Board, Marks
from tactus_sim.wipe.layout import USUAL, DURATION_s, Layout, Ranges, draw
from tactus_sim.wipe.score import COVERAGE, Score

_WIPE_EVERY = 4  # ticks; at 0.15 m/s the pad moves 3 mm in between
_CONTACT_STIFFNESS, _CONTACT_DAMPING = 2500.0, 50.0  # per contact point: four corners make 10 kN/m


class WipeWorld:
    """Implements `ports.World`."""

    def __init__(self, viewer: bool = False, ranges: Ranges = USUAL) -> None:
        """Load the scene; `viewer` opens PyBullet's window."""
        self._ranges = ranges
        self.scene = Scene(ERASER, p.GUI if viewer else p.DIRECT)
        self._client, self._robot = self.scene.client, self.scene.robot
        self.scene.collide_only_where_touch_is_meant()
        self._board = Board(self.scene)
        self._marks = Marks(self.scene) if viewer else None
        self._pad = self.scene.links[PAD_LINK]
        self._rig = Rig(self.scene, PANDA_ALLEGRO, along_tool(WIPING, ranges.stiffness_N_m))
        p.changeDynamics(
            self._board.body, 0, contactStiffness=_CONTACT_STIFFNESS, contactDamping=_CONTACT_DAMPING, restitution=0,
            physicsClientId=self._client,
        )  # fmt: skip

    def reset(self, seed: int) -> WorldTick:
        """Start the episode that `seed` determines, at rest above the board."""
        self.layout: Layout = draw(seed, self._ranges)
        self.score = Score(self.layout)
        self._board.place(self.layout)
        self._rig.start(seed, self.layout.start_m, PANDA_ALLEGRO.hand_rest_rad, [0.0] * len(ERASER.joints))
        p.changeDynamics(self._robot, self._pad, lateralFriction=1.0, physicsClientId=self._client)
        p.changeDynamics(self._board.body, 0, lateralFriction=self.layout.friction, physicsClientId=self._client)
        for _ in range(60):
            self._substep(0.0)
        return self._observe([0.0])

    def command(self, target: Target | None) -> None:
        """Set the impedance target; None holds the measured pose."""
        self._rig.command(target)

    def step(self) -> WorldTick:
        """Advance by 5 ms."""
        forces_N = []
        for i in range(SUBSTEPS):
            self._substep(self.now_s + i * TICK_s / SUBSTEPS)
            forces_N.append(self._contact()[0])
        self._rig.count()
        return self._observe(forces_N)

    def outcome(self) -> Outcome:
        """Return the score of the episode so far."""
        return self.score.outcome(self.now_s)

    @property
    def now_s(self) -> float:
        """Time since the episode's start."""
        return self._rig.now_s

    @property
    def normal_force_N(self) -> float:
        """Normal force between pad and board: ground truth, for experts and scores."""
        return self._contact()[0]

    @property
    def board_offset_m(self) -> float:
        """Where the board is along its normal: ground truth, for experts and scores."""
        return float(p.getJointState(self._board.body, 0, physicsClientId=self._client)[0])

    def since_contact_s(self, now_s: float) -> float:
        """Return the time since the first contact, −1 before it."""
        contact_at_s = self.score.contact_at_s
        return now_s - contact_at_s if contact_at_s is not None else -1.0

    def _substep(self, now_s: float) -> None:
        self._disturb(now_s)
        self._rig.substep()

    def _disturb(self, now_s: float) -> None:
        since_s = self.since_contact_s(now_s)
        offset_m, rate_m_s, _ = self.layout.board_motion(since_s)
        p.setJointMotorControl2(
            self._board.body, 0, p.POSITION_CONTROL, targetPosition=offset_m, targetVelocity=rate_m_s, force=2000, positionGain=0.4,
            velocityGain=1.0, physicsClientId=self._client,
        )  # fmt: skip
        for push in self.layout.pushes:
            if push.start_s <= since_s < push.end_s:
                link = self.scene.links["wrist"]
                p.applyExternalForce(self._robot, link, list(push.force_N), [0, 0, 0], p.LINK_FRAME, physicsClientId=self._client)

    def _contact(self) -> tuple[float, list[tuple]]:
        points = p.getContactPoints(self._board.body, self._robot, 0, self._pad, physicsClientId=self._client)
        return sum(point[9] for point in points), points

    def _observe(self, forces_N: list[float]) -> WorldTick:
        self.score.feel(self.now_s, float(np.mean(forces_N)), max(forces_N))
        if round(self.now_s / TICK_s) % _WIPE_EVERY == 0:
            self._wipe()
        done = self.score.wiped >= COVERAGE or self.now_s >= DURATION_s
        return self._rig.sense([self.board_offset_m], self.score.left.copy(), done)

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
