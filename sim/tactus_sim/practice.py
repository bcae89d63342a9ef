"""A base policy in lockstep, whose proposals a learner corrects, and whom a human may take over."""

from collections.abc import Callable, Sequence

from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.learning.decisions import Decisions
from tactus_core.learning.transitions import Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.fast import make_base
from tactus_core.policy.residual import corrected
from tactus_core.policy.specs import ResidualSpec
from tactus_core.ports import Practised, SimTask
from tactus_core.types import ActionChunk, Array, Proposal
from tactus_sim.lockstep import Lockstep, Moment, Source


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
        self._base = make_base(bundle, self._task.robot)

    def episode(self, seed: int, decide: Callable[[Array], Array]) -> Practised:
        """Run the episode of `seed`; see `ports.Practice`."""
        self._decisions = Decisions(self._base, self._card.observation.low_dim, self._spec.dt_s, lambda observed, _: decide(observed))
        for moment in self._lockstep.ticks(seed):
            control, executed = moment.verdict.control, moment.verdict.executed
            self._decisions.note(None if executed is None else executed.T_base_tcp, control.intervention, control.onset)
            if self._watch:
                self._watch(moment)
        outcome, self._episodes = self._lockstep.outcome(), self._episodes + 1
        transitions = Transitions(
            **self._decisions.rows(),
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
        correction, _ = self._decisions.take(chunk, states, now_s)
        return corrected(proposal, correction, self._spec)
