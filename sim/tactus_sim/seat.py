"""A scripted operator's seat in lockstep: what it does with its puck passes the code that a real puck's readings pass in the graph."""

import numpy as np

from tactus_core.guard.types import GuardState, Verdict
from tactus_core.ports import Expert
from tactus_core.teleop.config import TwistConfig
from tactus_core.teleop.deliberate import Deliberate
from tactus_core.teleop.operator import Operator
from tactus_core.teleop.twist import TwistMotion
from tactus_core.types import Array, Proposal, Target, WorldTick
from tactus_sim.person import Person, PersonConfig, Seen

MOTION = TwistConfig(take_by="motion")
_NO_TARGET = Target(np.eye(4), None)


class Seat:
    """Implements `lockstep.Source`."""

    def __init__(self, expert: Expert, config: PersonConfig, seed: int = 0) -> None:
        """Sit a person down who sees the world as `expert` does."""
        self._expert, self._person = expert, Person(config, MOTION, seed)

    def begin(self, seed: int) -> None:
        """See `Source`."""
        self._person.begin(seed)
        self._deliberate: Deliberate = Deliberate(MOTION)
        self._operator: Operator[Array] = Operator(TwistMotion(MOTION), MOTION.input_timeout_s)

    def propose(self, tick: WorldTick, before: Verdict | None) -> Proposal | None:
        """See `Source`."""
        state = tick.state
        now_s, force_N = state.stamp_s, float(np.linalg.norm(state.wrench_tcp[:3]))
        axes = self._person.axes(Seen(now_s, state.T_base_tcp, self._expert.advise(tick.snapshot, state.wrench_tcp), force_N))
        self._operator.take(axes, now_s)
        self._operator.hold(self._deliberate.held(axes, now_s), now_s)
        sent = before.executed if before is not None and before.state is GuardState.RUNNING else None
        target = self._operator.step(state, now_s, None if sent is None else sent.T_base_tcp)
        if target is None and not self._operator.hands_back(now_s):
            return None
        return Proposal(now_s, "human", target or _NO_TARGET, release=target is None)
