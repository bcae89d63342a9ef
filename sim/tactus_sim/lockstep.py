"""A policy in a simulated world without ROS: the code that runs in the graph's nodes, in one process, as fast as the machine goes.

What takes time in the graph takes the same time here, counted in ticks: a chunk arrives `chunk_latency_s` after the image it answers.
Touch → command takes 1–2 ms in the graph, less than a tick, and none here.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tactus_core.config import param
from tactus_core.errors import StaleError
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import GuardState, Inputs, Received, Verdict
from tactus_core.history import STAMP_EPSILON_S, StateHistory
from tactus_core.kinematics import Kinematics
from tactus_core.perception.beside import encoders_beside
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoded import Encoded
from tactus_core.policy.encoder import Eyes, Images, OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.ports import Camera, FastPolicy, SimTask, World
from tactus_core.types import ActionChunk, Outcome, Proposal, WorldTick


@dataclass(frozen=True)
class LockstepConfig:
    """Times that the graph would need."""

    chunk_latency_s: float = param(0.15, low=0.0, high=2.0, doc="From an image's capture to the arrival of the chunk that answers it.")
    image_period_s: float = param(0.1, low=0.005, high=1.0, doc="Time between the camera's images; plans can only begin at one.")


class Source(Protocol):
    """Somebody beside the policy who may move the robot."""

    def begin(self, seed: int) -> None:
        """Start the episode of `seed`."""
        ...

    def propose(self, tick: WorldTick, before: Verdict | None) -> Proposal | None:
        """Return what they want at this tick, if anything. before: the guard's verdict at the last one."""
        ...


class Moment(NamedTuple):
    """One tick: what was measured, what the policy proposed for it, and what the guard made of everybody's proposals."""

    tick: WorldTick
    proposal: Proposal | None
    verdict: Verdict


class Lockstep:
    """World, camera, policy, guard, and whoever else proposes, in one loop."""

    _chunk: ActionChunk | None
    _planned: ActionChunk | None

    def __init__(
        self,
        task: SimTask,
        bundle: Bundle,
        config: LockstepConfig | None = None,
        replan_s: float | None = None,
        fast: FastPolicy | None = None,
        others: Sequence[Source] = (),
        encoders: Sequence[Path] = (),
        **chosen: Any,
    ) -> None:
        """Load everything once. fast: what acts in the place of the bundle's fast policy.

        encoders: folders of those that the policy observes and that stand alone; such see what its first camera does, or the task's.
        replan_s overrides the card's, and `chosen` (see `DiffusionPolicy`) how chunks are made, for studies.
        """
        self._config, self._others = config or LockstepConfig(), others
        self._world: World = task.make_world(False)
        self._task, self._drawn = task, dict[str, Camera]()
        self._kinematics, self._folders = Kinematics(task.robot), encoders
        self.use(bundle, fast or make_fast_policy(bundle, task.robot), replan_s, **chosen)

    def use(self, bundle: Bundle, fast: FastPolicy, replan_s: float | None = None, **chosen: Any) -> None:
        """Act by this bundle from the next episode on."""
        self._encoder, self._slow, self._fast = OnnxEncoder(bundle), DiffusionPolicy(bundle, **chosen), fast
        self._replan_s = bundle.card.replan_s if replan_s is None else replan_s
        self._card, self._beside = bundle.card, encoders_beside(bundle.card, self._folders)
        # As in the graph, encoders see what the only camera does, which is there for a policy without one, too.
        cameras = list(bundle.card.observation.cameras) or list(self._task.cameras[:1] if self._beside else ())
        stand_in = self._task.seen_by(cameras)
        for name in set(stand_in.values()) - set(self._drawn):
            self._drawn[name] = self._task.make_camera(name)
        self._cameras = {name: self._drawn[drawn] for name, drawn in stand_in.items()}

    def ticks(self, seed: int, linger_s: float = 0.0) -> Iterator[Moment]:
        """Run the episode of `seed`, yielding each tick before the world goes on from it.

        linger_s: how long all goes on once the episode is over, as it does where nobody stops it.
        """
        tick = self._world.reset(seed)
        self._slow.reset(seed)
        for other in self._others:
            other.begin(seed)
        verdict: Verdict | None = None
        self._outdated_s = -math.inf
        self._states, self._chunk, self._planned = StateHistory(), None, None
        self._next_image_s = tick.state.stamp_s + self._card.lookback_s
        self._eyes, self._encoded = Eyes(self._card), Encoded(self._card)
        guard, over_s = Guard(GuardConfig(), self._kinematics), math.inf
        while True:
            now_s = tick.state.stamp_s
            over_s = min(over_s, now_s) if tick.done else over_s
            if now_s >= over_s + linger_s - STAMP_EPSILON_S:
                return
            self._states.append(tick.state)
            self._plan(tick)
            proposal = self._act(now_s)
            proposed = (proposal, *(other.propose(tick, verdict) for other in self._others))
            received = tuple(Received(one, now_s) for one in proposed if one is not None)
            verdict = guard.step(Inputs(received, tick.state, now_s, False, now_s))
            if not verdict.control.intervention:  # until then the policy goes on, for the record
                self._outdated_s = verdict.control.intervened_s
            # A world at rest holds by itself, without the sag of a re-measured pose; once somebody pressed it against something it does as
            # the device does in the graph, where the guard's yielding is what takes the force away.
            if verdict.state is not GuardState.HOLDING or verdict.control.intervened_s > -math.inf:
                self._world.command(verdict.executed)
            yield Moment(tick, proposal, verdict)
            tick = self._world.step()

    def run(self, seed: int) -> Outcome:
        """Run the episode of `seed` to its end."""
        for _ in self.ticks(seed):
            pass
        return self.outcome()

    def outcome(self) -> Outcome:
        """Return the score of the episode so far."""
        return self._world.outcome()

    def _plan(self, tick: WorldTick) -> None:
        """Start planning at an image when the chunk is old enough, and take over the plan when its time has come.

        What answers an observation from before a human gave control back is neither played nor waited for.
        """
        now_s = tick.state.stamp_s
        self._chunk, self._planned = (
            chunk if chunk is not None and chunk.stamp_s > self._outdated_s else None for chunk in (self._chunk, self._planned)
        )
        if self._planned is not None and now_s >= self._planned.stamp_s + self._config.chunk_latency_s:
            self._chunk, self._planned = self._planned, None
        if now_s < self._next_image_s - 1e-9:
            return
        self._next_image_s += self._config.image_period_s
        due = self._planned is None and (self._chunk is None or now_s - self._chunk.stamp_s >= self._replan_s - 1e-9)
        images = self._see(tick, due)
        if not due or images is None:
            return
        try:
            encoded = self._encoded.at(now_s)
        except StaleError:
            return  # not enough was told yet
        self._planned = self._slow.infer(self._encoder.encode(images), self._states.view(), now_s, encoded)

    def _see(self, tick: WorldTick, due: bool) -> Images | None:
        """Return the images of an observation at this tick; None where some are missing yet, or nobody asks for any."""
        observation, stamp_s = self._card.observation, tick.state.stamp_s
        images: Images | None = None if observation.cameras else {}
        remembers = self._eyes.remembers or any(of.at_s != (0.0,) for of in observation.encoders.values())
        if not (due or remembers):  # drawing is what takes longest
            return images
        drawn = {name: camera.render(tick.snapshot) for name, camera in reversed(self._cameras.items())}
        for name, encoder in self._beside.items():
            features = encoder.encode(drawn[next(iter(self._cameras))])
            self._encoded.hear(name, stamp_s, features, observation.encoders[name].sha256)
        for name in reversed(list(observation.cameras)):  # the first one leads: it comes last
            images = None
            with contextlib.suppress(StaleError):
                images = self._eyes.see(name, stamp_s, drawn[name])
        return images

    def _act(self, now_s: float) -> Proposal | None:
        if self._chunk is None:
            return None
        try:
            return self._fast.act(self._chunk, self._states.view(), now_s)
        except StaleError:
            return None
