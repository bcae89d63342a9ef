"""The board and what is written on it, as bodies in a client."""

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from tactus_sim.scene import TOOL_GROUP, TOUCHED_GROUP, Scene, quaternion
from tactus_sim.wipe.layout import BOARD_SIZE_m, Layout, MARK_SIZE_m

_FAR_m = [0.0, 0.0, -5.0]


class Board:
    """A board on a joint along its normal."""

    def __init__(self, scene: Scene) -> None:
        """Load it into the scene's client."""
        self.client = scene.client
        self.body = self._make()
        for link in (-1, 0):
            groups = (TOUCHED_GROUP, TOOL_GROUP) if link == 0 else (0, 0)
            p.setCollisionFilterGroupMask(self.body, link, *groups, physicsClientId=self.client)

    def _make(self) -> int:
        half = [size / 2 for size in BOARD_SIZE_m]
        box = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=self.client)
        face = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=[0.93, 0.93, 0.9, 1], physicsClientId=self.client)
        return int(
            p.createMultiBody(
                baseMass=0,
                linkMasses=[5.0],
                linkCollisionShapeIndices=[box],
                linkVisualShapeIndices=[face],
                linkPositions=[[0, 0, -half[2]]],
                linkOrientations=[[0, 0, 0, 1]],
                linkInertialFramePositions=[[0, 0, 0]],
                linkInertialFrameOrientations=[[0, 0, 0, 1]],
                linkParentIndices=[0],
                linkJointTypes=[p.JOINT_PRISMATIC],
                linkJointAxis=[[0, 0, 1]],
                physicsClientId=self.client,
            )
        )

    def place(self, layout: Layout) -> None:
        """Put the board where `layout` has it, its joint at zero."""
        T = layout.T_base_board
        p.resetBasePositionAndOrientation(self.body, T[:3, 3], quaternion(T[:3, :3]), physicsClientId=self.client)
        self.shift(0.0)

    def shift(self, offset_m: float) -> None:
        """Set its joint without physics."""
        p.resetJointState(self.body, 0, offset_m, physicsClientId=self.client)


class Marks:
    """The marks of an episode, as bodies without mass or collision in a client that is looked at."""

    def __init__(self, scene: Scene, most: int = 48) -> None:
        """Prepare up to `most` marks, out of sight."""
        self._scene = scene
        half = [MARK_SIZE_m / 2, MARK_SIZE_m / 2, 0.0006]
        shape = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=[0.05, 0.1, 0.65, 1], physicsClientId=scene.client)
        self._bodies = [
            p.createMultiBody(baseMass=0, baseVisualShapeIndex=shape, basePosition=_FAR_m, physicsClientId=scene.client)
            for _ in range(most)
        ]

    def show(self, layout: Layout, left: NDArray[np.uint8], board_offset_m: float) -> None:
        """Draw those marks that are `left` (n,), on the board at its present height."""
        T = layout.T_base_board
        turn = quaternion(T[:3, :3])
        for i, body in enumerate(self._bodies):
            at = _FAR_m
            if i < len(left) and left[i]:
                at = T[:3, 3] + T[:3, :3] @ np.array([*layout.marks_m[i], board_offset_m + 0.0005])
            p.resetBasePositionAndOrientation(body, at, turn, physicsClientId=self._scene.client)
