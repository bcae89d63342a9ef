"""The block with the hole, as bodies in a client: flat boxes only, whose contacts are steadier than those of a mesh."""

import numpy as np
import pybullet as p

from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.types import Array
from tactus_sim.insert.layout import DEPTH_m, Layout
from tactus_sim.scene import TOOL_GROUP, TOUCHED_GROUP, Scene, quaternion

CHAMFER_m = 0.0012
_BLOCK_m = 0.12
_SLAB_m = 0.006  # thickness of what makes the chamfer
_INWARDS = 0.02  # how much further than its face a wall reaches into the solid
_CONTACT_STIFFNESS, _CONTACT_DAMPING = 3e4, 150.0  # per contact point


class Socket:
    """Per side of the hole: the block, a lip below the chamfer, and the chamfer; and a floor. Placed anew for each episode's clearance."""

    def __init__(self, scene: Scene) -> None:
        """Load it into the scene's client."""
        self._client = scene.client
        self.bodies: list[int] = []
        for _ in range(4):
            self.bodies += [
                self._box((_BLOCK_m / 2, 1.2 * _BLOCK_m, DEPTH_m), (0.75, 0.75, 0.78)),
                self._box((_INWARDS, _BLOCK_m / 2, DEPTH_m - CHAMFER_m), (0.35, 0.35, 0.38)),
                self._box((CHAMFER_m * np.sqrt(2), _BLOCK_m / 2, _SLAB_m), (0.2, 0.2, 0.22)),
            ]
        self.bodies.append(self._box((_BLOCK_m, _BLOCK_m, _INWARDS), (0.1, 0.1, 0.1)))

    def _box(self, size_m: tuple[float, float, float], colour: tuple[float, float, float]) -> int:
        half, c = [size / 2 for size in size_m], self._client
        shape = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=c)
        face = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=[*colour, 1], physicsClientId=c)
        body = p.createMultiBody(0, shape, face, physicsClientId=c)
        p.setCollisionFilterGroupMask(body, -1, TOUCHED_GROUP, TOOL_GROUP, physicsClientId=c)
        p.changeDynamics(body, -1, contactStiffness=_CONTACT_STIFFNESS, contactDamping=_CONTACT_DAMPING, restitution=0, physicsClientId=c)
        return int(body)

    def place(self, layout: Layout) -> None:
        """Put the hole where `layout` has it, as wide as it says."""
        for body, T in zip(self.bodies, _poses(layout), strict=True):
            T_base_box = layout.T_base_hole @ T
            p.resetBasePositionAndOrientation(body, T_base_box[:3, 3], quaternion(T_base_box[:3, :3]), physicsClientId=self._client)
            p.changeDynamics(body, -1, lateralFriction=layout.friction, physicsClientId=self._client)


def _poses(layout: Layout) -> list[Array]:
    """Return each box's pose (4,4) in the hole's frame."""
    half_m = (layout.side_m + layout.clearance_m) / 2
    chamfered_m = half_m + CHAMFER_m
    slope = rotation_matrix(np.array([0.0, -np.pi / 4, 0.0]))  # turns x into the slope's rise, z into its normal
    middle = np.array([half_m + CHAMFER_m / 2, 0.0, -CHAMFER_m / 2])
    side = [
        rigid(np.array([chamfered_m + _BLOCK_m / 4, 0.0, -DEPTH_m / 2]), np.eye(3)),
        rigid(np.array([half_m + _INWARDS / 2, 0.0, -CHAMFER_m - (DEPTH_m - CHAMFER_m) / 2]), np.eye(3)),
        rigid(middle - slope[:, 2] * _SLAB_m / 2, slope),
    ]
    turns = [rigid(np.zeros(3), rotation_matrix(np.array([0.0, 0.0, quarter * np.pi / 2]))) for quarter in range(4)]
    return [turn @ T for turn in turns for T in side] + [rigid(np.array([0.0, 0.0, -DEPTH_m - _INWARDS / 2]), np.eye(3))]
