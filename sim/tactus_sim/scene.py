"""The robot in a PyBullet client, as the physics and the cameras of every task load it; a task adds what the robot is to touch."""

from collections.abc import Sequence

import numpy as np
import pinocchio as pin
import pybullet as p
import pybullet_data

from tactus_core.types import Array
from tactus_sim.robot import ARM_JOINTS, FINGERTIP_LINKS, HAND_JOINTS, PAD_LINK, Tool, urdf

# Collision groups: the tool, the fingertips, and what the tool is to touch.
TOOL_GROUP, TIP_GROUP, TOUCHED_GROUP = 1, 2, 4
_AWAY_m, _FORGETTING = 10.0, 50  # a tenth of the boxes that are apart is let go at a time


class Scene:
    """A robot with a tool in one PyBullet client. order: its joints as `WorldSnapshot.positions` begins: arm, hand, tool."""

    def __init__(self, tool: Tool, connection: int = p.DIRECT, draw_arm: bool = True) -> None:
        """Connect a client and load the robot. The client is closed by `close`."""
        self.tool = tool
        self.client = p.connect(connection)
        p.setAdditionalSearchPath(pybullet_data.getDataPath(), physicsClientId=self.client)
        flags = p.URDF_USE_INERTIA_FROM_FILE | p.URDF_USE_SELF_COLLISION  # without the first, Bullet zeroes the distal links' inertias
        self.robot = p.loadURDF(str(urdf(tool, draw_arm)), useFixedBase=True, flags=flags, physicsClientId=self.client)
        self.joints: dict[str, int] = {}
        self.links: dict[str, int] = {"panda_link0": -1}
        for i in range(p.getNumJoints(self.robot, physicsClientId=self.client)):
            joint = p.getJointInfo(self.robot, i, physicsClientId=self.client)
            self.joints[joint[1].decode()] = i
            self.links[joint[12].decode()] = i
        self.order = [self.joints[name] for name in (*ARM_JOINTS, *HAND_JOINTS, *tool.joints)]

    def close(self) -> None:
        """Disconnect the client."""
        p.disconnect(self.client)

    def collide_only_where_touch_is_meant(self, tool_links: Sequence[str] = (PAD_LINK,)) -> None:
        """Leave the tool against fingertips and TOUCHED_GROUP; the guard keeps the rest apart, and physics is twice as fast."""
        for link in self.links.values():
            p.setCollisionFilterGroupMask(self.robot, link, 0, 0, physicsClientId=self.client)
        for name in tool_links:
            p.setCollisionFilterGroupMask(self.robot, self.links[name], TOOL_GROUP, TIP_GROUP | TOUCHED_GROUP, physicsClientId=self.client)
        for tip in FINGERTIP_LINKS:
            p.setCollisionFilterGroupMask(self.robot, self.links[tip], TIP_GROUP, TOOL_GROUP, physicsClientId=self.client)

    def forget(self) -> None:
        """Make Bullet forget all contacts, so that an episode does not depend on those before it.

        It keeps contacts with their impulses while bodies stay close, and the order in which it solves them while their boxes overlap,
        which it lets go in parts. So all bodies, and the tool and the hand, are taken far apart for a moment.
        """
        poses = [p.getBasePositionAndOrientation(body, physicsClientId=self.client) for body in range(p.getNumBodies(self.client))]
        self.place([*[0.0] * (len(self.order) - len(self.tool.joints)), _AWAY_m, *[0.0] * (len(self.tool.joints) - 1)])
        for body, (at_m, turn) in enumerate(poses):
            p.resetBasePositionAndOrientation(body, [at_m[0], at_m[1], at_m[2] + (body + 1) * _AWAY_m], turn, physicsClientId=self.client)
        for _ in range(_FORGETTING):
            p.performCollisionDetection(physicsClientId=self.client)
        for body, (at_m, turn) in enumerate(poses):
            p.resetBasePositionAndOrientation(body, at_m, turn, physicsClientId=self.client)

    def place(self, positions: Sequence[float] | Array) -> None:
        """Set the robot's joints (in `order`) without physics."""
        for index, position in zip(self.order, positions, strict=True):
            p.resetJointState(self.robot, index, position, physicsClientId=self.client)


def quaternion(R: Array) -> list[float]:
    """Return the quaternion xyzw of a rotation matrix, as PyBullet takes it."""
    return list(pin.Quaternion(np.ascontiguousarray(R)).coeffs())
