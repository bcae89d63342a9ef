"""What a human's corrections looked like, as training reads demonstrations (`demos.py`): for policies that learn from images."""

from pathlib import Path

import numpy as np

from tactus_core.ports import Camera
from tactus_core.types import RobotDescription, Target
from tactus_sim.demos import Notes, write
from tactus_sim.lockstep import Moment


class Corrected:
    """Watches episodes one by one. Images are kept of interventions only: what was done from there on is what is to be learnt."""

    def __init__(self, camera: Camera, robot: RobotDescription) -> None:
        self._camera, self._robot = camera, robot
        self._notes = Notes(camera)

    def __call__(self, moment: Moment) -> None:
        """Note a tick; the first of an episode begins anew."""
        tick, executed = moment.tick, moment.verdict.executed
        if tick.state.stamp_s == 0.0:
            self._notes = Notes(self._camera)
        done = executed or Target(tick.state.T_base_tcp, None)
        self._notes.add(tick, done, done, self._press(done), draw=moment.verdict.control.intervention)

    def write(self, path: Path, seed: int) -> bool:
        """Write the episode, where a human took over for long enough to be seen; return whether one did."""
        if not self._notes.images:
            return False
        write(path, self._notes.arrays(seed))
        return True

    def _press(self, target: Target) -> float:
        """Return how far the hand is asked to be closed, 0..1; a hand that nobody asks anything of keeps its grip."""
        if target.hand_rad is None:
            return 1.0
        way = self._robot.hand_grip_rad - self._robot.hand_rest_rad
        return float(np.clip((target.hand_rad - self._robot.hand_rest_rad) @ way / (way @ way), 0.0, 1.0))
