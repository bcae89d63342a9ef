"""The insertion world: a hand that holds a peg over a hole whose place it does not know well enough."""

import numpy as np
import pybullet as p

from tactus_core.geometry import inverse, rigid
from tactus_core.types import Array, Outcome, Target, WorldTick
from tactus_sim.arm import INSERTION
from tactus_sim.insert.layout import USUAL, DURATION_s, Layout, Ranges, draw
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG, PEG_JOINTS, PEG_LINK, PEG_LENGTH_m, peg
from tactus_sim.insert.score import Score
from tactus_sim.insert.socket import Socket
from tactus_sim.rig import SUBSTEPS, Rig
from tactus_sim.robot import PAD_JOINTS, PAD_LINK
from tactus_sim.scene import Scene

_NO_MARKS = np.zeros(0, dtype=np.uint8)
_GRIP_N = 200.0  # what holds the peg in its place on the pad
_UPRIGHT_Nm = 0.6  # what holds the pad upright: to 10 N sideways at the peg's end


class InsertWorld:
    """Implements `ports.World`."""

    def __init__(self, viewer: bool = False, ranges: Ranges = USUAL) -> None:
        """Load the scene; `viewer` opens PyBullet's window."""
        self._ranges = ranges
        self.scene = Scene(peg(ranges.peg_side_m), p.GUI if viewer else p.DIRECT)
        self._client, self._robot = self.scene.client, self.scene.robot
        self.scene.collide_only_where_touch_is_meant((PAD_LINK, PEG_LINK))
        self._socket = Socket(self.scene)
        self._peg = self.scene.links[PEG_LINK]
        self._held = [self.scene.joints[name] for name in (*PAD_JOINTS[1:], *PEG_JOINTS)]  # all but the one that the strap pulls
        self._rig = Rig(self.scene, PANDA_ALLEGRO_PEG, INSERTION)
        p.changeDynamics(self._robot, self.scene.links[PAD_LINK], lateralFriction=1.0, physicsClientId=self._client)
        p.changeDynamics(self._robot, self._peg, lateralFriction=1.0, physicsClientId=self._client)

    def reset(self, seed: int) -> WorldTick:
        """Start the episode that `seed` determines, at rest above the hole, the peg in a closed hand."""
        self.layout: Layout = draw(seed, self._ranges)
        self.score = Score(self.layout)
        self._socket.place(self.layout)
        tool = [0.0, 0.0, 0.0, *self.layout.in_hand]
        self._rig.start(seed, self.layout.start_m, PANDA_ALLEGRO_PEG.hand_grip_rad, tool)
        held = self._held
        p.setJointMotorControlArray(
            self._robot, held, p.POSITION_CONTROL, targetPositions=tool[-len(held) :], forces=[_UPRIGHT_Nm] * 2 + [_GRIP_N] * 3,
            physicsClientId=self._client,
        )  # fmt: skip
        for _ in range(60):
            self._rig.substep()
        return self._observe()

    def command(self, target: Target | None) -> None:
        """Set the impedance target; None holds the measured pose."""
        self._rig.command(target)

    def step(self) -> WorldTick:
        """Advance by 5 ms."""
        for _ in range(SUBSTEPS):
            self._rig.substep()
            self.score.feel(float(np.linalg.norm(self.contact_force_N)))
        self._rig.count()
        self.score.see((inverse(self.layout.T_base_hole) @ self.T_base_peg)[:3, 3])
        return self._observe()

    def outcome(self) -> Outcome:
        """Return the score of the episode so far."""
        return self.score.outcome(self.now_s)

    @property
    def now_s(self) -> float:
        """Time since the episode's start."""
        return self._rig.now_s

    @property
    def T_base_peg(self) -> Array:
        """Where the peg's end is (4,4), z out of the tool: ground truth, for experts and scores."""
        link = p.getLinkState(self._robot, self._peg, computeForwardKinematics=True, physicsClientId=self._client)
        R = np.array(p.getMatrixFromQuaternion(link[5])).reshape(3, 3)
        return rigid(np.array(link[4]) + R[:, 2] * PEG_LENGTH_m / 2, R)

    @property
    def contact_force_N(self) -> Array:
        """Force (3,) that the block applies to the peg, in base: ground truth, for scores."""
        force = np.zeros(3)
        for point in p.getContactPoints(bodyA=self._robot, linkIndexA=self._peg, physicsClientId=self._client):
            force += np.array(point[7]) * point[9] + np.array(point[11]) * point[10] + np.array(point[13]) * point[12]
        return force

    def _observe(self) -> WorldTick:
        return self._rig.sense((), _NO_MARKS, self.score.over or self.now_s >= DURATION_s)
