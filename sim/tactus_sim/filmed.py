"""Episodes of a policy in lockstep as a classifier of success learns from them: what was seen, and whether the task was done then."""

import numpy as np

from tactus_core.learning.shown import Arrays, press_of
from tactus_core.policy.bundle import Bundle
from tactus_core.ports import SimTask
from tactus_core.types import Outcome, Target
from tactus_sim.demos import Notes
from tactus_sim.lockstep import Lockstep

# Nobody stops a robot at the very moment at which its task is done: this is what there is to see of it.
LINGER_S = 1.0


class Filmed:
    """Implements `demos.Demonstrator`: by a policy, and with each image's label (`learning/shown.py`), which is the task's own word."""

    def __init__(self, task: SimTask, bundle: str) -> None:
        """Load world and policy. bundle: a name, or a folder."""
        self._task, self._lockstep = task, Lockstep(task, Bundle.load(bundle))
        self._camera = task.make_camera(task.cameras[0])

    def demonstrate(self, seed: int) -> tuple[Outcome, Arrays, bool]:
        """Return the outcome of `seed` at its end, the arrays of what was seen until a second after it, and true: all are learnt from."""
        notes, done, over = Notes(self._camera), list[int](), None
        for tick, _, verdict in self._lockstep.ticks(seed, LINGER_S):
            executed = verdict.executed or Target(tick.state.T_base_tcp, None)
            notes.add(tick, executed, executed, press_of(executed, self._task.robot))
            outcome = self._lockstep.outcome()
            over = over or (outcome if tick.done else None)
            if notes.images > len(done):
                # What a task takes back after a success (a policy that goes on pushes too hard) is still to be seen: nobody knows.
                done.append(1 if outcome.success else -1 if over and over.success else 0)
        return over or outcome, {**notes.arrays(seed), "done": np.array(done, dtype=np.int8)}, True
