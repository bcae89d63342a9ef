"""A UDP socket towards one device: what arrived, and when it did."""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Linux: have the kernel note when a datagram arrived; Python has no name for it.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_MOMENT_S, _TRIES = 1e-4, 3


class UdpWire:
    """Nobody but the device is heard. Every method but `close` raises OSError where its port, or the way to it, is gone."""

    def __init__(self, host: str, port: int, local_port: int = 0) -> None:
        """local_port: where the device sends to, for one that does not answer to where it was asked from; 0: any."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.bind(("", local_port))
            self._socket.connect((host, port))
        except OSError:
            self._socket.close()
            raise

    def send(self, datagram: bytes) -> None:
        """Send."""
        self._socket.send(datagram)

    def arrived(self, deadline_s: float) -> Iterator[tuple[bytes, float]]:
        """Yield each datagram and when it arrived, on the steady clock; waits for the first until the deadline, and for no other."""
        select.select([self._socket], [], [], max(0.0, deadline_s - time.monotonic()))
        while True:
            try:
                datagram, extra, _, _ = self._socket.recvmsg(2048, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            yield datagram, _arrival_s(extra)
            if time.monotonic() > deadline_s:
                return  # a flood must not keep us here

    def newest(self, deadline_s: float, judged: Callable[[bytes], T | None]) -> tuple[T, float, int] | None:
        """Return the newest of what `judged` made of datagrams, when it arrived, and how many older ones it skips; None: none was good.

        Waits until the deadline for a good one; all that had arrived by then are judged.
        """
        newest, skipped, heard = None, -1, True
        while heard and newest is None:
            heard = False
            for datagram, stamp_s in self.arrived(deadline_s):
                heard = time.monotonic() <= deadline_s
                good = judged(datagram)
                if good is not None:
                    newest, skipped = (good, stamp_s), skipped + 1
        return None if newest is None else (*newest, skipped)

    def close(self) -> None:
        """Close the socket; may be called twice."""
        self._socket.close()


def _arrival_s(extra: list[tuple[int, int, bytes]]) -> float:
    """Return when a datagram arrived: the kernel noted it by the wall clock; should that be stepped meanwhile, it is off once."""
    now_s, wall_s = _clocks()
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return float(now_s - max(0.0, wall_s - seconds - nanoseconds * 1e-9))
    return now_s


def _clocks() -> tuple[float, float]:
    """Return the steady and the wall clock of one moment. Who is kept from running between the two would make the stamp too old."""
    for _ in range(_TRIES):
        steady_s, wall_s = time.monotonic(), time.time()
        if time.monotonic() - steady_s < _MOMENT_S:
            break
    return steady_s, wall_s
