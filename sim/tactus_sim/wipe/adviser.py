"""What is right wherever somebody else brought the pad: touch the board, press no harder than is good, then go to the nearest mark."""

import numpy as np

from tactus_core.geometry import rigid
from tactus_core.kinematics import Kinematics
from tactus_core.ports import Advice
from tactus_core.types import Array, WorldSnapshot
from tactus_sim.rig import TOOL_DOWN
from tactus_sim.robot import ARM_JOINTS, PANDA_ALLEGRO
from tactus_sim.wipe.expert import FORCE_N
from tactus_sim.wipe.layout import Ranges, draw

# Outside of the first the pad does not go on before the pressure is right again; at the second nobody goes on watching.
_WELL_N = (4.0, 12.0)
_TOO_MUCH_N = 20.0


class WipeAdviser:
    """Implements `ports.Expert`; presses by how far the tcp should go against the arm's own stiffness."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges, self._layout = ranges, draw(0, ranges)
        self._kinematics = Kinematics(PANDA_ALLEGRO)

    def advise(self, snapshot: WorldSnapshot, wrench_tcp: Array) -> Advice:
        """See `Expert`."""
        if snapshot.seed != self._layout.seed:
            self._layout = draw(snapshot.seed, self._ranges)
        layout, left, pressed_N = self._layout, snapshot.marks.astype(bool), -float(wrench_tcp[2])
        T = layout.T_base_board
        tool_m = T[:3, :3].T @ (self._kinematics.tcp_pose(snapshot.positions[: len(ARM_JOINTS)])[:3, 3] - T[:3, 3])
        board_m = float(snapshot.positions[-1])
        well = _WELL_N[0] <= pressed_N <= _WELL_N[1]
        goal_m = np.append(tool_m[:2], min(tool_m[2], board_m) - (FORCE_N - pressed_N) / self._ranges.stiffness_N_m)
        if well and left.any():
            marks_m = layout.marks_m[left]
            goal_m[:2] = marks_m[np.argmin(np.linalg.norm(marks_m - tool_m[:2], axis=1))]
        wanted = T @ rigid(goal_m, TOOL_DOWN)
        return Advice(wanted, float(1.0 - left.mean()), well, pressed_N >= _TOO_MUCH_N)
