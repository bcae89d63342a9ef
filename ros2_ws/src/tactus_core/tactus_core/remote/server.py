"""Serves a bundle by openpi's protocol: an observation in, a chunk out. Bad questions get a text that says why, and cost nobody anything.

An observation: `observation/image` uint8 rgb in the bundle's size, or, where it sees more than one image, `observation/features` float32
(F,) of its encoder; and `observation/state`, the numbers of `policy.encoded.numbers` as the card lays them out. `prompt` may be there;
a bundle knows one task, and does not read it.
"""

import asyncio
import contextlib
import http
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tactus_core.errors import DataError, TactusError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.graphs import is_single
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.remote import contract, wire

_MOST_CONNECTIONS = 8
_CLOSE_LIMIT_S = 0.3  # a robot that asks nothing just now does not answer a goodbye either


class Session:
    """One connection's episode: noise of its own, and no other state."""

    def __init__(self, bundle: Bundle, seed: int, clock: Callable[[], float]) -> None:
        self._card = bundle.card
        self._encoder = OnnxEncoder(bundle)
        self._policy = DiffusionPolicy(bundle, seed)
        self._clock = clock

    def answer(self, question: bytes | str) -> bytes | str:
        """Return the answer to an observation: bytes, or the text of an error."""
        began_s = self._clock()
        try:
            observation = wire.unpack_mapping(question)
            state = wire.numbers(observation, contract.STATE, (self._card.observed_size,))
            actions = self._policy.plan(self._features(observation), state.astype(np.float64))
            return wire.pack({contract.ACTIONS: actions, "server_timing": {"infer_ms": (self._clock() - began_s) * 1e3}})
        except TactusError as error:
            return f"'{self._card.id}' planned nothing: {error}"

    def _features(self, observation: dict[str, object]) -> NDArray[np.float32]:
        if contract.FEATURES in observation or not is_single(self._card.observation):
            return wire.numbers(observation, contract.FEATURES, (self._card.feature_size,))
        image = observation.get(contract.IMAGE)
        if not isinstance(image, np.ndarray):
            raise DataError(f"neither '{contract.IMAGE}' nor '{contract.FEATURES}' is an array; the observation has {sorted(observation)}.")
        return self._encoder.encode({camera: image[None] for camera in self._card.observation.cameras})


class PolicyServer:
    """Serves `bundle`, every connection from `seed` on. Inference is in a thread of its own: pings are answered meanwhile."""

    def __init__(self, bundle: Bundle, seed: int, clock: Callable[[], float]) -> None:
        self._bundle, self._seed, self._clock = bundle, seed, clock
        self._metadata = wire.pack(contract.metadata(bundle.card))
        self._worker = ThreadPoolExecutor(1, "inference")
        self._connections = 0

    async def listen(self, host: str, port: int) -> Server:
        """Start to listen; port 0: one that is free. The server that is returned says which, and is a context that closes it."""
        return await serve(
            self._serve, host, port, compression=None, max_size=wire.LONGEST_OBSERVATION_BYTES, process_request=_health,
            # A browser says where its page is from, and nobody else does: no page that is open on this machine may ask.
            origins=[None], close_timeout=_CLOSE_LIMIT_S,
        )  # fmt: skip

    async def _serve(self, connection: ServerConnection) -> None:
        if self._connections >= _MOST_CONNECTIONS:
            await connection.close(1013, f"{_MOST_CONNECTIONS} clients are connected")
            return
        self._connections += 1
        try:
            with contextlib.suppress(ConnectionClosed):  # a client may go at any time
                session = Session(self._bundle, self._seed, self._clock)
                await connection.send(self._metadata)
                async for question in connection:
                    await connection.send(await asyncio.get_running_loop().run_in_executor(self._worker, session.answer, question))
        finally:
            self._connections -= 1


def _health(connection: ServerConnection, request: Request) -> Response | None:
    """Answer `GET /healthz`, as openpi's server does."""
    return connection.respond(http.HTTPStatus.OK, "OK\n") if request.path == "/healthz" else None
