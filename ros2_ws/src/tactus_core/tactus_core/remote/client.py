"""A slow policy that another machine, or another project's environment, computes; whatever that does, the robot's side keeps its time.

`infer` asks one question and waits for its answer, `timeout_s` at most. What is not answered by then is given up together with the
connection, so that an answer that comes late cannot be played (`link`); the chunk that plays meanwhile is played to the end of its
validity, then the guard holds: the same as where the policy is local and does not plan. A chunk carries the stamp of the observation that
it answers, so that its age counts from there; no stamp of the server is read, and no clock of its is trusted.

A bundle on a server of our own (`./tactus serve`) is asked where the slow policy's parameter `remote` names that (`remote_bundle`): card,
encoder and fast head stay on the robot, and features go out. For another project's policy (a VLA) the bundle is a card alone, whose
generator names the server, and images go out as they are. The instruction is the text of the goal: `instruct`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import ConfigError, DataError, StaleError
from tactus_core.history import StateArrays
from tactus_core.policy.card import Card
from tactus_core.policy.encoded import NOTHING, numbers
from tactus_core.policy.observation import anchor
from tactus_core.policy.slow import planned
from tactus_core.policy.specs import RemoteSpec
from tactus_core.remote import contract, wire
from tactus_core.remote.link import Link, Server
from tactus_core.types import ActionChunk, Array, ChunkKind


class RemotePolicy:
    """The `SlowPolicy` of a card whose network is elsewhere. clock: the caller's steady one [s]; it judges how long the server takes.

    Nothing is connected before the first `infer`. `counts` only ever grow; `trouble`: why there is no connection, or empty.
    """

    def __init__(
        self, card: Card, config: RemoteSpec, clock: Callable[[], float], expected: Mapping[str, str | int | float] | None = None
    ) -> None:
        """Prepare. expected: what the server's metadata must say. Raises ConfigError where the parts do not fit."""
        if not config.timeout_s < card.validity_s:
            raise ConfigError(
                f"timeout_s is {config.timeout_s}, but '{card.id}' plays chunks up to {card.validity_s} s old: such an answer is of no use "
                "any more. Lower timeout_s."
            )
        action = tuple(of.signal for of in card.action)
        if config.actions != "anchored" and (card.kind is ChunkKind.LATENT or action != contract.POSE_ACTION):
            raise ConfigError(
                f"'{card.id}' is of kind '{card.kind}' with the action {action}, whose rows mean nothing as '{config.actions}': that is "
                f"for kind 'action' and {contract.POSE_ACTION}. Set `actions: anchored`."
            )
        self._card, self._config, self._clock = card, config, clock
        self._expected = expected or {}
        channels, self._meaning = contract.MEANINGS[config.actions]
        self._shape = (card.chunk_shape[0], channels or card.chunk_shape[1])
        self._server = Server(config.url)
        # What is sent as it is must be what the card says; features are checked by who takes them.
        self._seen_shape = next((camera.shape for camera in card.observation.cameras.values() if card.generator is config), None)
        self._link: Link | None = None
        self._instruction = ""
        self._sequence = 0
        self._retry_s, self._wait_s = -np.inf, 0.0
        self.metadata: Mapping[str, Any] = {}
        self.counts = dict.fromkeys(("answers", "connections", "late", "lost", "refused"), 0)
        self.trouble = "not connected yet"

    def instruct(self, instruction: str) -> None:
        """Say what is to be done, in words: sent with every observation from here on."""
        self._instruction = instruction

    def infer(self, seen: NDArray[Any], states: StateArrays, stamp_s: float, encoded: Array = NOTHING) -> ActionChunk:
        """See `SlowPolicy`. Raises StaleError where no answer came in time, DataError where it is not what was asked for."""
        deadline_s = self._deadline_s()
        T_base_anchor = anchor(states, stamp_s)
        observed = numbers(self._card, states, stamp_s, encoded)
        if seen.dtype.kind == "f" and not np.isfinite(seen).all():
            raise DataError("what was seen holds NaN or infinity. Nothing is asked about it; check the camera and the encoder.")
        if self._seen_shape is not None and seen.shape != self._seen_shape:
            raise DataError(f"image has shape {seen.shape}; bundle '{self._card.id}' expects {self._seen_shape}. Check the camera's size.")
        observation = {
            self._config.seen_key: seen,
            self._config.state_key: contract.STATES[self._config.state](observed, T_base_anchor),
            contract.PROMPT: self._instruction,
        }
        answer = self._asked(wire.pack(observation, wire.LONGEST_OBSERVATION_BYTES), deadline_s)
        try:
            rows = wire.numbers(wire.unpack_mapping(answer), contract.ACTIONS, self._shape)
        except DataError as error:
            self.counts["refused"] += 1
            raise DataError(f"policy server {self._config.url}: {error}") from None
        self.counts["answers"] += 1
        self._sequence += 1
        return planned(self._card, self._meaning(rows, T_base_anchor), T_base_anchor, stamp_s, self._sequence)

    def reset(self, seed: int) -> None:
        """Start an episode over a new connection, which is all that the protocol knows of one. The server's chance is its own."""
        self.close()

    def close(self) -> None:
        """Let go of the server."""
        if self._link is not None:
            self._link.close()
            self._link, self.trouble = None, "not connected"

    def _deadline_s(self) -> float:
        now_s = self._clock()
        if now_s < self._retry_s:
            raise StaleError(f"no plan: {self.trouble}; it is tried again in {self._retry_s - now_s:.1f} s.")
        return now_s + self._config.timeout_s

    def _asked(self, question: bytes, deadline_s: float) -> bytes | str:
        try:
            answer = self._connected(deadline_s).ask(question, deadline_s)
        except TimeoutError:
            self._lose("late", f"no answer within {self._config.timeout_s} s. Is it overloaded, or its first inference still compiling?")
        except OSError as error:
            self._lose("lost", f"{error}. Is it running there?")
        except DataError as error:
            self._lose("refused", str(error))
        else:
            self._wait_s, self.trouble = 0.0, ""
            return answer
        raise StaleError(f"no plan: {self.trouble}")

    def _connected(self, deadline_s: float) -> Link:
        """Return a link that stands; one that ended while nobody looked is replaced at once."""
        if self._link is not None and not self._link.alive(deadline_s):
            self.close()
        if self._link is None:
            self._link = Link(self._server, self._clock, deadline_s)
            self.metadata = wire.unpack_mapping(self._link.receive(deadline_s))
            if wrong := contract.differences(self.metadata, self._expected):
                raise DataError(f"it serves another policy: {'; '.join(wrong)}. Serve the same bundle there.")
            self.counts["connections"] += 1
        return self._link

    def _lose(self, count: str, why: str) -> None:
        """Give the connection up; the next attempt is due at once, the ones after it with growing waits."""
        self.close()
        self.counts[count] += 1
        self.trouble = f"policy server {self._config.url}: {why}"
        self._retry_s = self._clock() + self._wait_s
        self._wait_s = min(max(2.0 * self._wait_s, self._config.retry_first_s), self._config.retry_longest_s)


def remote_bundle(card: Card, url: str, timeout_s: float, clock: Callable[[], float]) -> RemotePolicy:
    """Return the policy of a bundle that `./tactus serve` serves; `infer` takes the features of the bundle's own encoder."""
    config = RemoteSpec(url=url, timeout_s=timeout_s, seen_key=contract.FEATURES, state="low_dim", actions="anchored")
    return RemotePolicy(card, config, clock, contract.metadata(card))
