"""Demonstrations of insertion."""

from tactus_core.learning.shown import Arrays
from tactus_core.types import Outcome, Target
from tactus_sim.demos import Notes, REST_s
from tactus_sim.disturbance import Disturbance
from tactus_sim.insert.camera import InsertCamera
from tactus_sim.insert.expert import InsertExpert
from tactus_sim.insert.layout import DURATION_s
from tactus_sim.insert.world import InsertWorld
from tactus_sim.rig import TICK_s

_DISTURBANCE = 0.6
_TAUGHT = 0.95  # an episode is over when the peg is in far enough; a demonstration shows the rest too


class InsertDemonstrator:
    """Implements `demos.Demonstrator`."""

    def __init__(self) -> None:
        """Load world and camera."""
        self._world = InsertWorld()
        self._camera = InsertCamera()

    def demonstrate(self, seed: int) -> tuple[Outcome, Arrays, bool]:
        """Return the outcome of `seed`, its arrays, and whether the peg went in."""
        world, tick = self._world, self._world.reset(seed)
        expert, notes = InsertExpert(world.layout, tick.state.T_base_tcp, TICK_s), Notes(self._camera)
        disturbance = Disturbance(seed, TICK_s, slow_hands=False, size=_DISTURBANCE)
        label = executed = Target(tick.state.T_base_tcp, None)
        while world.score.inserted < _TAUGHT and world.now_s < DURATION_s:
            if world.now_s >= REST_s:
                label = expert.act(world.T_base_peg)
                executed = disturbance.apply(label)
                world.command(executed)
            notes.add(tick, label, executed, 1.0)
            tick = world.step()
        outcome = world.outcome()
        return outcome, notes.arrays(seed), outcome.success
