"""Policy servers for tests: ours in a thread, and one written from openpi's protocol alone, which can do everything wrong."""

import asyncio
import contextlib
import socket
import threading
import time

import msgpack
import numpy as np
from conftest import make_state, write_bundle
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from tactus_core.errors import StaleError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.history import StateArrays
from tactus_core.policy.card import load_card
from tactus_core.policy.specs import RemoteSpec
from tactus_core.remote.client import RemotePolicy
from tactus_core.remote.server import PolicyServer
from tactus_core.types import ChunkKind

ANCHOR = rigid(np.array([0.5, 0.1, 0.2]), rotation_matrix(np.array([3.0, 0.2, 0.1])))
IMAGE = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)


STATES = StateArrays.of([make_state(0.005 * i, ANCHOR, force_N=5.0) for i in range(400)])
HANG_S = 3.0  # beyond its timeout, a call hangs; a machine that is kept busy takes tenths


def vla_card(folder):
    """Return the card of a policy whose actions are a chunk."""
    return load_card(write_bundle(folder / "vla", ChunkKind.ACTION) / "card.yaml")


def policy(card, url, **config):
    """Return a remote policy that does not wait long before it tries again."""
    waits = {"timeout_s": 1.0, "retry_first_s": 0.01, "retry_longest_s": 0.02}
    return RemotePolicy(card, RemoteSpec(url=url, **(waits | config)), time.monotonic)


def answered(asking, seen=IMAGE, stamp_s=1.0, states=STATES):
    """Ask until an answer comes."""
    deadline_s = time.monotonic() + 10.0
    while True:
        try:
            return asking.infer(seen, states, stamp_s)
        except StaleError:
            assert time.monotonic() < deadline_s
            time.sleep(0.005)


def packed(value):
    """As openpi's msgpack_numpy packs."""

    def array(a):
        return {b"__ndarray__": True, b"data": a.tobytes(), b"dtype": a.dtype.str, b"shape": a.shape}

    return msgpack.packb(value, default=array)


def unpacked(data):
    """As openpi's msgpack_numpy unpacks."""

    def array(value):
        return np.ndarray(buffer=value[b"data"], dtype=value[b"dtype"], shape=value[b"shape"]) if b"__ndarray__" in value else value

    return msgpack.unpackb(data, object_hook=array)


@contextlib.contextmanager
def serving(bundle, port=0, seed=0):
    """Give the address of our server of a bundle."""
    address, ended = [], []
    ready = threading.Event()

    async def main():
        end = asyncio.Event()
        ended.extend([asyncio.get_running_loop(), end])
        async with await PolicyServer(bundle, seed, time.monotonic).listen("127.0.0.1", port) as server:
            address.append(server.sockets[0].getsockname()[1])
            ready.set()
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    ready.wait(10.0)
    try:
        yield f"ws://127.0.0.1:{address[0]}"
    finally:
        ended[0].call_soon_threadsafe(ended[1].set)
        thread.join()


@contextlib.contextmanager
def openpis_server(server):
    """Run openpi's `WebsocketPolicyServer` in a thread; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server._host, server._port = free.getsockname()
    loop = asyncio.new_event_loop()
    task = loop.create_task(server.run())

    def run():
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{server._port}"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


class Independent:
    """Serves `behave(connection, observation)` after each observation; `metadata` None: says nothing on connecting.

    `seen`: the observations that came, unpacked by openpi's rules.
    """

    def __init__(self, behave, metadata=b"\x80"):
        self.seen, self.released, self.connections = [], threading.Event(), 0
        self._behave, self._metadata = behave, metadata
        self._server = serve(self._handle, "127.0.0.1", 0, compression=None, max_size=None, close_timeout=0.05, ping_interval=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._thread.join()

    def _handle(self, connection):
        self.connections += 1
        if self._metadata is None:
            self.released.wait()
        with contextlib.suppress(ConnectionClosed, OSError):
            connection.send(self._metadata)
            for message in connection:
                self.seen.append(unpacked(message))
                self._behave(self, connection, self.seen[-1])


@contextlib.contextmanager
def tcp(behave):
    """Give the address of something that accepts a connection, does `behave(socket)`, and then keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as opened:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)  # what is not read is felt at the other end

        def run():
            with contextlib.suppress(OSError):
                while True:
                    behave(opened.enter_context(listening.accept()[0]))

        threading.Thread(target=run, daemon=True).start()
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
