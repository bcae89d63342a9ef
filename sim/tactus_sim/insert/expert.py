"""A scripted expert that knows where the hole is and how the peg sits in the hand: it aligns the peg above the hole, then lowers it."""

import numpy as np

from tactus_core.geometry import inverse, rigid, turned_towards
from tactus_core.types import Array, Target
from tactus_sim.insert.layout import DEPTH_m, Layout
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG
from tactus_sim.rig import TOOL_DOWN

_HOVER_m = 0.015
_TRAVEL_SPEED_m_s, _LOWER_SPEED_m_s, _TURN_SPEED_rad_s = 0.08, 0.03, 0.3
_ARRIVED_m = 0.001
_LEAD_m = 0.012


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
        goal = self._tcp_for(self._height_m)
        way = goal[:3, 3] - self._T[:3, 3]
        distance_m = float(np.linalg.norm(way))
        R, turning = turned_towards(self._T[:3, :3], goal[:3, :3], _TURN_SPEED_rad_s * self._tick_s)
        self._T = rigid(self._T[:3, 3] + way * min(1.0, _TRAVEL_SPEED_m_s * self._tick_s / max(distance_m, 1e-9)), R)
        self._lowering = self._lowering or (distance_m < _ARRIVED_m and not turning)
        return Target(self._T.copy(), PANDA_ALLEGRO_PEG.hand_posture(1.0))

    def _tcp_for(self, height_m: float) -> Array:
        """Return the tcp's pose that has the peg's end at this height over the rim, in line with the hole."""
        return self._layout.T_base_hole @ rigid(np.array([0.0, 0.0, height_m]), TOOL_DOWN) @ inverse(self._layout.T_tcp_peg)
