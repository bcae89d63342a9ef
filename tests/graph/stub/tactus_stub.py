"""A simulated task without physics: a gantry that follows its target at once, over a springy board. For tests of the graph."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pinocchio as pin

from tactus_core.ports import Advice, SimTask
from tactus_core.types import Outcome, RobotDescription, RobotState, WorldSnapshot, WorldTick
from tactus_hardware.leap.protocol import JOINTS as LEAP_JOINTS

EPISODE_S = 1.5
PATIENCE_S = 3.5  # of an episode by whose end a scripted operator has lost patience
TICK_S = 0.005
HOME = np.array([0.4, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0])
ARM = tuple(f"axis_{name}" for name in ("x", "y", "z", "yaw", "pitch", "roll", "idle"))
HAND = tuple(f"finger_{i}" for i in range(16))
STIFFNESS_N_m = 600.0
FOLLOW = 0.2  # share of the way to the target per tick


def _urdf(name: str = "stub", hand: tuple[str, ...] = HAND) -> Path:
    axes = {"x": "1 0 0", "y": "0 1 0", "z": "0 0 1", "yaw": "0 0 1", "pitch": "0 1 0", "roll": "1 0 0", "idle": "0 0 1"}
    links, joints, parent = ['<link name="base"/>'], [], "base"
    for part, axis in axes.items():
        kind = "prismatic" if part in "xyz" else "revolute"
        links.append(f'<link name="{part}"/>')
        joints.append(_joint(f"axis_{part}", kind, parent, part, axis))
        parent = part
    links.append('<link name="tcp"/>')
    # The idle joint turns something beside the tool, so that the tool's pose has one solution.
    joints.append('<joint name="tcp_joint" type="fixed"><parent link="roll"/><child link="tcp"/></joint>')
    for finger in hand:
        links.append(f'<link name="{finger}_link"/>')
        joints.append(_joint(finger, "revolute", "tcp", f"{finger}_link", "0 0 1"))
    path = Path(tempfile.gettempdir()) / f"tactus_{name}.urdf"
    text = f'<robot name="stub">{"".join(links + joints)}</robot>'
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def _joint(name: str, kind: str, parent: str, child: str, axis: str) -> str:
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/><axis xyz="{axis}"/>'
        '<limit lower="-3" upper="3" effort="1" velocity="1"/></joint>'
    )


ROBOT = RobotDescription(
    name="stub_robot",
    urdf=_urdf,
    base_frame="base",
    tcp_frame="tcp",
    arm_joints=ARM,
    hand_joints=HAND,
    q_home_rad=HOME,
    hand_rest_rad=np.zeros(16),
    hand_grip_rad=np.full(16, 0.5),
)
# The same arm, as a device, with an emulated LEAP hand on it.
WITH_LEAP = replace(ROBOT, name="stub_with_leap", hand_joints=LEAP_JOINTS, urdf=lambda: _urdf("stub_with_leap", LEAP_JOINTS))


def _pose(q: np.ndarray) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3] = pin.utils.rotate("z", q[3]) @ pin.utils.rotate("y", q[4]) @ pin.utils.rotate("x", q[5])
    T[:3, 3] = q[:3]
    return T


class StubWorld:
    def __init__(self, episode_s: float) -> None:
        self._seed, self._episode_s = 0, episode_s

    def reset(self, seed):
        self._seed, self._time_s = seed, 0.0
        self._q, self._hand = HOME.copy(), np.zeros(16)
        self._goal, self._hand_goal = HOME.copy(), np.zeros(16)
        self._commands = 0
        return self._tick()

    def command(self, target):
        if target is None:
            self._goal = self._q.copy()
            return
        self._commands += 1
        roll, pitch, yaw = pin.rpy.matrixToRpy(np.ascontiguousarray(target.T_base_tcp[:3, :3]))
        self._goal = np.array([*target.T_base_tcp[:3, 3], yaw, pitch, roll, 0.0])
        if target.hand_rad is not None:
            self._hand_goal = target.hand_rad

    def step(self):
        self._time_s += TICK_S
        self._q = self._q + FOLLOW * (self._goal - self._q)
        self._hand = self._hand + FOLLOW * (self._hand_goal - self._hand)
        return self._tick()

    def outcome(self):
        return Outcome(self._seed, self._commands > 0, {"commands": float(self._commands), "episode_s": self._time_s})

    def _tick(self):
        force_N = STIFFNESS_N_m * max(0.0, -self._q[2])
        # The last digit of a live sensor is never still.
        flicker = 1e-9 * np.sin(1e3 * self._time_s + self._seed)
        wrench = np.array([flicker, 0.0, -force_N, 0.0, 0.0, 0.0])
        taxels = np.zeros((4, 12, 6))
        taxels[:, :, 5] = force_N / 48
        state = RobotState(self._time_s, _pose(self._q), wrench, np.full(4, force_N / 4), self._hand, self._q)
        positions = np.concatenate([self._q, self._hand]) + flicker
        snapshot = WorldSnapshot(self._seed, positions, np.ones(10, np.uint8))
        return WorldTick(state, positions, np.full(23, flicker), np.zeros(23), taxels, snapshot, self._time_s >= self._episode_s)


class StubCamera:
    """Gives no image twice: a camera that does counts as frozen."""

    def __init__(self, name):
        self._images = 0

    def render(self, snapshot):
        self._images += 1
        image = np.full((96, 96, 3), snapshot.seed % 256, np.uint8)
        image[0, 0, 0] = self._images % 256
        return image


class StubExpert:
    """Would have the tcp elsewhere, wherever it is: nothing is ever done."""

    def advise(self, snapshot, wrench_tcp):
        T = _pose(snapshot.positions[:7])
        T[0, 3] += 0.05
        return Advice(T, 0.0, False)


def _task(episode_s, **shifts):
    return SimTask("stub", ROBOT, 60.0, lambda viewer: StubWorld(episode_s), StubCamera, StubExpert, shifts, ("wrist", "scene"))


TASK = _task(EPISODE_S, patience=_task(PATIENCE_S))
