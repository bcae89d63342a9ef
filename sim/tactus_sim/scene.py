"""Bodies of the wiping scene in a PyBullet client; the physics and the cameras load the same ones."""

from collections.abc import Sequence

import numpy as np
import pinocchio as pin
import pybullet as p
import pybullet_data
from numpy.typing import NDArray

from tactus_core.types import Array
from tactus_sim.robot import ARM_JOINTS, FINGERTIP_LINKS, HAND_JOINTS, PAD_JOINTS, PAD_LINK, urdf
from tactus_sim.wipe.layout import BOARD_SIZE_m, Layout, MARK_SIZE_m

WORLD_JOINTS = (*ARM_JOINTS, *HAND_JOINTS, *PAD_JOINTS)  # order of WorldSnapshot.positions; the board's joint comes last
_FAR_m = [0.0, 0.0, -5.0]


class Scene:
    """Robot and board in one PyBullet client."""

    def __init__(self, connection: int = p.DIRECT, draw_arm: bool = True) -> None:
        """Connect a client and load robot and board. The client is closed by `close`."""
        self.client = p.connect(connection)
        p.setAdditionalSearchPath(pybullet_data.getDataPath(), physicsClientId=self.client)
        flags = p.URDF_USE_INERTIA_FROM_FILE | p.URDF_USE_SELF_COLLISION  # without the first, Bullet zeroes the distal links' inertias
        self.robot = p.loadURDF(str(urdf(draw_arm)), useFixedBase=True, flags=flags, physicsClientId=self.client)
        self.joints: dict[str, int] = {}
        self.links: dict[str, int] = {"panda_link0": -1}
        for i in range(p.getNumJoints(self.robot, physicsClientId=self.client)):
            joint = p.getJointInfo(self.robot, i, physicsClientId=self.client)
            self.joints[joint[1].decode()] = i
            self.links[joint[12].decode()] = i
        self.order = [self.joints[name] for name in WORLD_JOINTS]
        self.board = self._make_board()

    def close(self) -> None:
        """Disconnect the client."""
        p.disconnect(self.client)

    def _make_board(self) -> int:
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

    def collide_only_where_touch_is_meant(self) -> None:
        """Leave pad against board and pad against fingertips; the guard keeps the rest apart, and physics is twice as fast."""
        for link in self.links.values():
            p.setCollisionFilterGroupMask(self.robot, link, 0, 0, physicsClientId=self.client)
        p.setCollisionFilterGroupMask(self.robot, self.links[PAD_LINK], 1, 2 | 4, physicsClientId=self.client)
        for tip in FINGERTIP_LINKS:
            p.setCollisionFilterGroupMask(self.robot, self.links[tip], 2, 1, physicsClientId=self.client)
        for link in (-1, 0):
            p.setCollisionFilterGroupMask(self.board, link, 4 if link == 0 else 0, 1 if link == 0 else 0, physicsClientId=self.client)

    def place_board(self, layout: Layout) -> None:
        """Put the board where `layout` has it, its joint at zero."""
        T = layout.T_base_board
        p.resetBasePositionAndOrientation(self.board, T[:3, 3], quaternion(T[:3, :3]), physicsClientId=self.client)
        p.resetJointState(self.board, 0, 0.0, physicsClientId=self.client)

    def place(self, positions: Sequence[float] | Array) -> None:
        """Set all joints (WORLD_JOINTS, then the board's) without physics."""
        for index, position in zip(self.order, positions[:-1], strict=True):
            p.resetJointState(self.robot, index, position, physicsClientId=self.client)
        p.resetJointState(self.board, 0, positions[-1], physicsClientId=self.client)


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


def quaternion(R: Array) -> list[float]:
    """Return the quaternion xyzw of a rotation matrix, as PyBullet takes it."""
    return list(pin.Quaternion(np.ascontiguousarray(R)).coeffs())
