"""Demonstrations of wiping: the expert's hands are disturbed, its labels are not."""

from tactus_core.learning.shown import Arrays
from tactus_core.types import Outcome, Target
from tactus_sim.demos import Notes, REST_s
from tactus_sim.disturbance import Disturbance
from tactus_sim.rig import TICK_s
from tactus_sim.wipe.camera import WipeCamera
from tactus_sim.wipe.expert import WipeExpert
from tactus_sim.wipe.layout import DURATION_s
from tactus_sim.wipe.score import COVERAGE, PEAK_N
from tactus_sim.wipe.world import WipeWorld


class WipeDemonstrator:
    """Implements `demos.Demonstrator`. slow_hands: see `Disturbance`; the force then leaves its band at times."""

    def __init__(self, slow_hands: bool) -> None:
        """Load world and camera."""
        self._slow_hands = slow_hands
        self._world = WipeWorld()
        self._camera = WipeCamera()

    def demonstrate(self, seed: int) -> tuple[Outcome, Arrays, bool]:
        """Return the outcome of `seed`, its arrays, and whether the board was wiped without a blow."""
        world, tick = self._world, self._world.reset(seed)
        expert, disturbance = WipeExpert(world.layout, TICK_s), Disturbance(seed, TICK_s, self._slow_hands)
        notes, hold = Notes(self._camera), Target(tick.state.T_base_tcp, None)
        # An episode is over when enough is wiped; a demonstration shows how to wipe the rest too.
        while world.score.left.any() and world.now_s < DURATION_s:
            label, executed, press = hold, hold, 0.0
            if world.now_s >= REST_s:
                motion = world.layout.board_motion(world.since_contact_s(world.now_s))
                label = expert.act(tick.state.T_base_tcp, world.normal_force_N, motion, world.score.left)
                press = expert.press
                executed = disturbance.apply(label)
                world.command(executed)
            notes.add(tick, label, executed, press)
            tick = world.step()
        outcome = world.outcome()
        wiped = outcome.parts["wiped"] >= COVERAGE and outcome.parts["peak_force_N"] <= PEAK_N
        return outcome, notes.arrays(seed), outcome.success or (self._slow_hands and wiped)
