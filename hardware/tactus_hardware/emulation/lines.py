"""The lines of emulators: a pty at a fixed path, a UDP socket; TCP is in `servers.py`. None of them ever blocks.

Each calls `take` with what has come; without one it is ignored.
"""

import contextlib
import os
import pty
import socket
import tempfile
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

Take = Callable[[bytes], None]


class Line(Protocol):
    """What an emulator's loop has to know of a line."""

    def address(self) -> Mapping[str, Any]:
        """Return the driver's parameters that lead here, by the names that most drivers have for them."""
        ...

    def files(self) -> Mapping[int, Callable[[], None]]:
        """Return what to call when a file descriptor can be read; those that are negative never can."""
        ...

    def open(self) -> None:
        """Be there again, at the same address."""
        ...

    def close(self) -> None:
        """Vanish."""
        ...


def ignore(data: bytes) -> None:
    """Take what has come, and do nothing about it."""


def kept_port(kind: socket.SocketKind) -> socket.socket:
    """Take any free port on this machine, and keep it for who sets SO_REUSEADDR: while its server is away, nobody is given it by chance.

    Least of all the driver that tries to come back there: what a connection starts from is such a port, too. Nothing comes to this socket.
    """
    kept = socket.socket(socket.AF_INET, kind)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    if kind == socket.SOCK_DGRAM:
        kept.connect(kept.getsockname())  # it hears itself alone, and it never speaks
    return kept


class PtyLine:
    """A serial line that others open at `path`, a link that outlives a disconnection."""

    def __init__(self, take: Take = ignore) -> None:
        self._take = take
        self._folder = tempfile.TemporaryDirectory(prefix="tactus-")
        self.path = Path(self._folder.name) / "tty"
        self.open()

    def open(self) -> None:
        """Make a new pty and lead the path to it."""
        self.file, self._kept = pty.openpty()  # the far end is kept open: without it, reading fails until somebody opens it
        tty.setraw(self.file)
        tty.setraw(self._kept)
        os.set_blocking(self.file, False)
        self.path.symlink_to(os.ttyname(self._kept))

    def address(self) -> Mapping[str, Any]:
        """See `Line`."""
        return {"port": str(self.path)}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Line`."""
        return {self.file: self._receive}

    def close(self) -> None:
        """Hang up."""
        if self.file >= 0:
            self.path.unlink()
            os.close(self.file)
            os.close(self._kept)
            self.file = -1

    def send(self, data: bytes) -> None:
        """Send; what nobody reads is lost, as on a wire."""
        if self.file >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self.file, data)

    def _receive(self) -> None:
        self._take(os.read(self.file, 4096))


class UdpLine:
    """A UDP socket on this machine that answers whoever spoke last."""

    def __init__(self, take: Take = ignore) -> None:
        self._take, self._kept = take, kept_port(socket.SOCK_DGRAM)
        self.open()

    @property
    def port(self) -> int:
        """Its port, the same after a disconnection."""
        return int(self._kept.getsockname()[1])

    def open(self) -> None:
        """Bind."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(self._kept.getsockname())
        self._socket.setblocking(False)
        self._peer: tuple[str, int] | None = None

    def address(self) -> Mapping[str, Any]:
        """See `Line`."""
        return {"host": "127.0.0.1", "port": self.port}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Line`."""
        return {self._socket.fileno(): self._receive}

    def close(self) -> None:
        """Vanish; who sends here is refused."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send to whoever spoke last."""
        if self._peer is not None and self._socket.fileno() >= 0:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._peer)

    def _receive(self) -> None:
        """Take in a datagram, and remember who sent it."""
        with contextlib.suppress(ConnectionRefusedError):  # of something sent earlier, to one who has left
            data, self._peer = self._socket.recvfrom(2048)
            self._take(data)
