"""A base policy in lockstep, whose proposals a learner corrects, and whom a human may take over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.learning.transitions import Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.observation import anchor
from tactus_core.policy.residual import corrected, decided_s, observation, twist
from tactus_core.policy.specs import ResidualSpec
from tactus_core.ports import Practised, SimTask
from tactus_core.types import ActionChunk, Array, Proposal
from tactus_sim.lockstep import Lockstep, Moment, Source


@dataclass
class _Decision:
    at_s: float
    T_base_tcp: Array
    observed: Array
    correction: Array
    executed: Array | None = None
    intervened: bool = False
    onset: bool = False


class LockstepPractice:
    """Implements `ports.Practice`. It is the `FastPolicy` of its lockstep, and unlike others it remembers: each decision is taken once.

    others: who else may move the robot. watch: is told each tick, for whoever keeps more of an episode than its transitions.
    """

    def __init__(
        self,
        task: SimTask,
        bundle: Bundle,
        spec: ResidualSpec,
        others: Sequence[Source] = (),
        watch: Callable[[Moment], None] | None = None,
    ) -> None:
        """Load world and base policy."""
        self._task, self._spec, self._watch, self._episodes = task, spec, watch, 0
        self._take(bundle)
        self._lockstep = Lockstep(task, bundle, fast=self, others=others)

    def use(self, bundle: Bundle) -> None:
        """Act by this bundle from the next episode on, without a residual of its own: `decide` is in the place of that."""
        self._take(bundle)
        self._lockstep.use(bundle, self)

    def _take(self, bundle: Bundle) -> None:
        self._card, self._bundle_hash = bundle.card, bundle.sha256
        self._base = make_fast_policy(replace(bundle, card=replace(bundle.card, residual=None)), self._task.robot)

    def episode(self, seed: int, decide: Callable[[Array], Array]) -> Practised:
        """Run the episode of `seed`; see `ports.Practice`."""
        self._decide, self._sequence, self._onset = decide, 0, False
        self._decisions: list[_Decision] = []
        for moment in self._lockstep.ticks(seed):
            self._note(moment)
            if self._watch:
                self._watch(moment)
        outcome, self._episodes = self._lockstep.outcome(), self._episodes + 1
        made = [decision for decision in self._decisions if decision.executed is not None]
        transitions = Transitions(
            observed=np.array([decision.observed for decision in made]),
            correction=np.array([decision.correction for decision in made]),
            executed=np.array([decision.executed for decision in made]),
            intervened=np.array([decision.intervened for decision in made], dtype=bool),
            onset=np.array([decision.onset for decision in made], dtype=bool),
            stamp_s=np.array([decision.at_s for decision in made]),
            success=outcome.success,
            ended=outcome.parts["episode_s"] < self._task.duration_s - STAMP_EPSILON_S,
            reward_source="label",
            bundle=self._card.id,
            bundle_hash=self._bundle_hash,
            seed=seed,
            episode=self._episodes - 1,
        )
        return Practised(transitions, outcome)

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the corrected proposal; see `FastPolicy`."""
        proposal = self._base.act(chunk, states, now_s)
        at_s = decided_s(chunk, now_s, self._spec.dt_s)
        later = not self._decisions or at_s > self._decisions[-1].at_s + STAMP_EPSILON_S
        if later or chunk.sequence != self._sequence:
            if not later:  # a new chunk came within a decision's time, and has the last word of what that was
                self._onset |= self._decisions.pop().onset  # an edge is not lost with its row
            self._sequence = chunk.sequence
            observed = observation(states, self._base.act(chunk, states, at_s).target, at_s, self._card.observation.low_dim)
            correction = np.asarray(self._decide(observed), dtype=np.float64)
            self._decisions.append(_Decision(at_s, anchor(states, at_s), observed, correction))
        return corrected(proposal, self._decisions[-1].correction, self._spec)

    def _note(self, moment: Moment) -> None:
        """Note what became of a decision that was taken at this tick, and who had control."""
        control, executed = moment.verdict.control, moment.verdict.executed
        self._onset = control.intervention and (self._onset or control.onset)
        if self._decisions and self._decisions[-1].executed is None and executed is not None:
            decision = self._decisions[-1]
            decision.executed = twist(decision.T_base_tcp, executed.T_base_tcp)
            decision.intervened, decision.onset, self._onset = control.intervention, self._onset, False
