"""A base policy in lockstep, whose proposals a learner corrects."""

from collections.abc import Callable

import numpy as np

from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.residual import corrected, decided_s, observation
from tactus_core.policy.specs import ResidualSpec
from tactus_core.ports import Practised, SimTask
from tactus_core.types import ActionChunk, Array, Proposal
from tactus_sim.lockstep import Lockstep


class LockstepPractice:
    """Implements `ports.Practice`. It is the `FastPolicy` of its lockstep, and unlike others it remembers: each decision is taken once."""

    def __init__(self, task: SimTask, bundle: Bundle, spec: ResidualSpec) -> None:
        """Load world and base policy."""
        self._spec, self._duration_s = spec, task.duration_s
        self._layout = bundle.card.observation.low_dim
        self._base = make_fast_policy(bundle, task.robot)
        self._lockstep = Lockstep(task, bundle, fast=self)

    def episode(self, seed: int, decide: Callable[[Array], Array]) -> Practised:
        """Run the episode of `seed`; see `ports.Practice`."""
        self._decide, self._at_s, self._sequence = decide, -np.inf, 0
        self._observed: list[Array] = []
        self._corrections: list[Array] = []
        outcome = self._lockstep.run(seed)
        ended = outcome.parts["episode_s"] < self._duration_s - STAMP_EPSILON_S
        return Practised(np.array(self._observed), np.array(self._corrections), outcome, ended)

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the corrected proposal; see `FastPolicy`."""
        proposal = self._base.act(chunk, states, now_s)
        at_s = decided_s(chunk, now_s, self._spec.dt_s)
        later = at_s > self._at_s + STAMP_EPSILON_S
        if later or chunk.sequence != self._sequence:
            if not later:  # a new chunk came within a decision's time, and has the last word of what that was
                del self._observed[-1], self._corrections[-1]
            self._at_s, self._sequence = at_s, chunk.sequence
            self._observed.append(observation(states, self._base.act(chunk, states, at_s).target, at_s, self._layout))
            self._corrections.append(np.asarray(self._decide(self._observed[-1]), dtype=np.float64))
        return corrected(proposal, self._corrections[-1], self._spec)
