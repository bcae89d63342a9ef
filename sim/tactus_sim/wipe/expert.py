"""A scripted expert that knows where the board is: it wipes line after line at a steady force.

Its target is a point on a smooth path, a fixed lead ahead of the tool and a force-dependent depth below the board. While it demonstrates,
what is executed is disturbed and what is recorded is right, so that the data shows how to come back (DART, Laskey et al. 2017).
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import Array, Target
from tactus_sim.arm import WIPING
from tactus_sim.robot import PANDA_ALLEGRO
from tactus_sim.wipe.layout import Layout

FORCE_N = 8.0
_MASS_kg = 5.5  # what the arm weighs along the normal
_CATCH_UP_1_s, _CLOSE_1_s2 = 25.0, 400.0  # of the tool's speed to the board's, and of a gap between them
_LONGEST_SPRING_m = 0.04
_LEAD_m = 0.026
_HOVER_m = 0.025
_ARRIVED_m = 0.012
_LOWER_SPEED_m_s = 0.07
_GRIP_TIME_s = 0.4
_TRAVEL_SPEED_m_s, _WIPE_SPEED_m_s = 0.16, 0.10
_ACCELERATION_m_s2 = 1.0
_STEP_m = 0.002
_CORNER_m = 0.008  # width of the filter that rounds the path's corners
_TOOL_DOWN = np.diag([1.0, -1.0, -1.0])


class WipeExpert:
    """Privileged: sees the layout, which marks are left, and the board's motion."""

    def __init__(self, layout: Layout, tick_s: float) -> None:
        """Plan the path over what is written on the board."""
        self._layout, self._tick_s = layout, tick_s
        self._T = layout.T_base_board
        self._target = self._to_board(layout.start_m)  # (3,) in the board's frame
        self._start_on(plan(layout, np.ones(len(layout.rows), dtype=bool), self._target[:2]))
        self._speed_m_s = 0.0
        self._last_height_m = float(self._target[2])
        self._phase = "travel"  # → lower → press (eased in) → wipe
        self.press = 0.0

    def act(self, T_base_tcp: Array, normal_N: float, board_motion: tuple[float, float, float], left: NDArray[np.uint8]) -> Target:
        """Return the target for this tick.

        T_base_tcp: measured tcp pose. normal_N: true normal force. board_motion: the board's offset, rate and acceleration.
        left: (n,) marks that are still there.
        """
        tool = self._to_board(T_base_tcp[:3, 3])
        self._advance(tool)
        if self._phase == "wipe" and self._reached == len(self._path) - 1 and left.any():
            self._start_on(plan(self._layout, left.astype(bool), tool[:2]))
        self.press = min(self.press + self._tick_s / _GRIP_TIME_s, 1.0)
        self._target[2] = self._height(tool, normal_N, board_motion)
        pose = np.eye(4)
        pose[:3, :3] = self._T[:3, :3] @ _TOOL_DOWN
        pose[:3, 3] = self._T[:3, 3] + self._T[:3, :3] @ self._target
        return Target(pose, PANDA_ALLEGRO.hand_posture(self.press))

    def _start_on(self, path: Array) -> None:
        self._path, self._reached = path, 0

    def _height(self, tool: Array, normal_N: float, board_motion: tuple[float, float, float]) -> float:
        """Return the target's height over the board's rest position [m]; negative presses."""
        rate_m_s = (float(tool[2]) - self._last_height_m) / self._tick_s
        self._last_height_m = float(tool[2])
        lower = float(self._target[2]) - _LOWER_SPEED_m_s * self._tick_s
        if self._phase == "travel":
            if np.linalg.norm(tool[:2] - self._path[0]) < _ARRIVED_m:
                self._phase = "lower"
            return float(self._target[2] + np.clip(_HOVER_m - self._target[2], -0.1 * self._tick_s, 0.1 * self._tick_s))
        if self._phase == "lower" and normal_N > 1.0:
            self._phase = "press"
        wanted = float(tool[2]) + _spring_m(float(tool[2]), rate_m_s, board_motion)
        if self._phase == "press" and lower <= wanted:
            self._phase = "wipe"
        return wanted if self._phase == "wipe" else lower

    def _advance(self, tool: Array) -> None:
        """Move the target along the path towards the point that lies a lead ahead of the tool, within speed and acceleration."""
        touching = self._phase in ("press", "wipe")
        if touching:
            ahead = self._path[self._reached : self._reached + 40]
            self._reached += int(np.argmin(np.linalg.norm(ahead - tool[:2], axis=1)))
        goal = self._reached
        if touching:  # pure pursuit: in a sharp corner a lead along the path is too little to overcome friction
            beyond = np.linalg.norm(self._path[self._reached :] - tool[:2], axis=1) >= _LEAD_m
            goal = self._reached + int(np.argmax(beyond)) if beyond.any() else len(self._path) - 1
        gap = self._path[goal] - self._target[:2]
        distance = float(np.linalg.norm(gap))
        limit = _WIPE_SPEED_m_s if touching else _TRAVEL_SPEED_m_s
        allowed = min(limit, float(np.sqrt(2 * _ACCELERATION_m_s2 * distance)))
        self._speed_m_s = min(self._speed_m_s + _ACCELERATION_m_s2 * self._tick_s, allowed)
        if distance > 1e-9:
            self._target[:2] += gap / distance * min(self._speed_m_s * self._tick_s, distance)
        # The last stretch is closed by the tool's lag alone; count it as reached where the target has arrived.
        if touching and distance < _STEP_m and goal == len(self._path) - 1:
            self._reached = len(self._path) - 1

    def _to_board(self, point_m: Array) -> Array:
        return self._T[:3, :3].T @ (point_m - self._T[:3, 3])


def _spring_m(height_m: float, rate_m_s: float, board_motion: tuple[float, float, float]) -> float:
    """Return how far the target has to lie from the tool so that the arm moves with the board and presses with FORCE_N.

    The arm obeys m a = k (target − tool) − d v + contact force; the acceleration wanted is the board's own, and what closes a gap.
    """
    offset_m, board_rate_m_s, acceleration_m_s2 = board_motion
    gap_m = max(height_m - offset_m, 0.0)
    wanted_m_s2 = acceleration_m_s2 + _CATCH_UP_1_s * (board_rate_m_s - rate_m_s) - _CLOSE_1_s2 * gap_m
    spring_N = WIPING.damping[2] * rate_m_s + _MASS_kg * wanted_m_s2 - FORCE_N
    return float(np.clip(spring_N / WIPING.stiffness[2], -_LONGEST_SPRING_m, _LONGEST_SPRING_m))


def plan(layout: Layout, left: NDArray[np.bool_], start_xy_m: Array) -> Array:
    """Return the path (n, 2) in the board's plane over the marks that are left.

    Line after line, away from the robot, each from its nearer end; corners rounded.
    """
    at, corners = start_xy_m, []
    for row in np.unique(layout.rows[left]):
        marks = layout.marks_m[(layout.rows == row) & left]
        ends = [marks[0], marks[-1]]
        if np.linalg.norm(ends[1] - at) < np.linalg.norm(ends[0] - at):
            ends.reverse()
        corners += ends
        at = ends[1]
    points = [np.array(corners[:1])]
    for a, b in itertools.pairwise(corners):
        count = max(int(np.linalg.norm(b - a) / _STEP_m), 1)
        points.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    path = np.concatenate(points)
    half = int(3 * _CORNER_m / _STEP_m)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * _STEP_m / _CORNER_m) ** 2)
    padded = np.pad(path, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, i], kernel / kernel.sum(), mode="valid") for i in range(2)], axis=1)
