"""Scripted experts that know where the hole is and how the peg sits in the hand.

One demonstrates: it aligns the peg above the hole, then lowers it. The other says what is right wherever somebody else brought the peg.
"""

import numpy as np
import pinocchio as pin

from tactus_core.geometry import inverse, rigid, rotation_vector, turned_towards
from tactus_core.ports import Advice
from tactus_core.types import Array, Target, WorldSnapshot
from tactus_sim.insert.layout import DEPTH_m, Layout, Ranges, draw
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG, PEG_JOINTS, PEG_LINK, PEG_LENGTH_m
from tactus_sim.rig import TOOL_DOWN
from tactus_sim.robot import ARM_JOINTS, HAND_JOINTS, PAD_JOINTS

_HOVER_m = 0.015
_TRAVEL_SPEED_m_s, _LOWER_SPEED_m_s, _TURN_SPEED_rad_s = 0.08, 0.03, 0.3
_ARRIVED_m = 0.001
_LEAD_m = 0.012
# Of the adviser. A chamfer of 1.2 mm takes the peg in from about this far aside; what is off by more is lifted off the rim first.
_IN_LINE_m, _IN_LINE_rad = 0.001, 0.03
_CLEAR_m = 0.006
_IN_m = 0.012
_FAR_m = 0.12  # more than the way of any episode
_TOO_MUCH_N = 25.0


class InsertExpert:
    """Privileged: sees the layout."""

    def __init__(self, layout: Layout, T_base_tcp: Array, tick_s: float) -> None:
        """Start from the measured tcp pose."""
        self._layout, self._tick_s = layout, tick_s
        self._T, self._height_m = T_base_tcp.copy(), _HOVER_m
        self._lowering = False

    def act(self, T_base_peg: Array) -> Target:
        """Return the target for this tick; T_base_peg: where the peg's end is."""
        if self._lowering:
            # Where the peg does not follow it is on the rim: press, but no harder than a lead against the arm's stiffness.
            lowest_m = max(-1.1 * DEPTH_m, (inverse(self._layout.T_base_hole) @ T_base_peg)[2, 3] - _LEAD_m)
            self._height_m = max(self._height_m - _LOWER_SPEED_m_s * self._tick_s, lowest_m)
        goal = tcp_for(self._layout, self._height_m)
        way = goal[:3, 3] - self._T[:3, 3]
        distance_m = float(np.linalg.norm(way))
        R, turning = turned_towards(self._T[:3, :3], goal[:3, :3], _TURN_SPEED_rad_s * self._tick_s)
        self._T = rigid(self._T[:3, 3] + way * min(1.0, _TRAVEL_SPEED_m_s * self._tick_s / max(distance_m, 1e-9)), R)
        self._lowering = self._lowering or (distance_m < _ARRIVED_m and not turning)
        return Target(self._T.copy(), PANDA_ALLEGRO_PEG.hand_posture(1.0))


class InsertAdviser:
    """Implements `ports.Expert`: lift a peg that is beside the hole, bring it into line, then push it down."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges, self._layout = ranges, draw(0, ranges)
        self._model = pin.buildModelFromUrdf(str(PANDA_ALLEGRO_PEG.urdf()))
        self._data, self._q = self._model.createData(), pin.neutral(self._model)
        names = (*ARM_JOINTS, *HAND_JOINTS, *PAD_JOINTS, *PEG_JOINTS)  # as in a snapshot
        self._order = [self._model.joints[self._model.getJointId(name)].idx_q for name in names]
        self._peg = self._model.getFrameId(PEG_LINK, pin.FrameType.BODY)

    def advise(self, snapshot: WorldSnapshot, wrench_tcp: Array) -> Advice:
        """See `Expert`."""
        if snapshot.seed != self._layout.seed:
            self._layout = draw(snapshot.seed, self._ranges)
        T_hole_peg = inverse(self._layout.T_base_hole) @ self._T_base_peg(snapshot.positions)
        end_m = T_hole_peg[:3, 3]
        aside_m, height_m = float(np.linalg.norm(end_m[:2])), float(end_m[2])
        turned_rad = float(np.linalg.norm(rotation_vector(TOOL_DOWN.T @ T_hole_peg[:3, :3])))
        inside = height_m < -_ARRIVED_m and aside_m < self._layout.side_m / 4
        if inside or (aside_m < _IN_LINE_m and turned_rad < _IN_LINE_rad):
            goal_m = max(height_m - _LEAD_m, -1.1 * DEPTH_m)
        else:
            goal_m = min(max(height_m, _CLEAR_m), _HOVER_m)
        left_m = float(np.hypot(aside_m, height_m + DEPTH_m))
        alarm = float(np.linalg.norm(wrench_tcp[:3])) >= _TOO_MUCH_N
        return Advice(tcp_for(self._layout, goal_m), 1.0 - min(left_m / _FAR_m, 1.0), inside and height_m < -_IN_m, alarm)

    def _T_base_peg(self, positions: Array) -> Array:
        """Return where the peg's end is (4,4), z out of the tool."""
        self._q[self._order] = positions[: len(self._order)]
        pin.forwardKinematics(self._model, self._data, self._q)
        middle = pin.updateFramePlacement(self._model, self._data, self._peg).homogeneous
        return np.asarray(middle @ rigid(np.array([0.0, 0.0, PEG_LENGTH_m / 2]), np.eye(3)))


def tcp_for(layout: Layout, height_m: float) -> Array:
    """Return the tcp's pose that has the peg's end at this height over the rim, in line with the hole."""
    return layout.T_base_hole @ rigid(np.array([0.0, 0.0, height_m]), TOOL_DOWN) @ inverse(layout.T_tcp_peg)
