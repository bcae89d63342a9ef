"""What a human's corrections looked like, as training reads demonstrations (`learning/shown.py`): for policies that learn from images."""

from pathlib import Path

from tactus_core.learning.shown import press_of, write
from tactus_core.ports import Camera
from tactus_core.types import RobotDescription, Target
from tactus_sim.demos import Notes
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
        self._notes.add(tick, done, done, press_of(done, self._robot), draw=moment.verdict.control.intervention)

    def write(self, path: Path, seed: int) -> bool:
        """Write the episode, where a human took over for long enough to be seen; return whether one did."""
        if not self._notes.images:
            return False
        write(path, self._notes.arrays(seed))
        return True
