"""The lines of emulators: a pty at a fixed path, a UDP socket, servers of TCP and of this machine; none of them ever blocks."""

import contextlib
import os
import pty
import socket
import tempfile
import tty
from abc import ABC, abstractmethod
from pathlib import Path


class PtyLine:
    """A serial line that others open at `path`, a link that outlives a disconnection."""

    def __init__(self) -> None:
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

    def close(self) -> None:
        """Hang up."""
        if self.file >= 0:
            self.path.unlink()
            os.close(self.file)
            os.close(self._kept)
            self.file = -1

    def receive(self) -> bytes:
        """Return what has come."""
        return os.read(self.file, 4096)

    def send(self, data: bytes) -> None:
        """Send; what nobody reads is lost, as on a wire."""
        if self.file >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self.file, data)


class UdpLine:
    """A UDP socket on this machine that answers whoever spoke last."""

    def __init__(self) -> None:
        self._port = 0
        self.open()

    @property
    def port(self) -> int:
        """Its port, the same after a disconnection."""
        return self._port

    def open(self) -> None:
        """Bind, the first time to any free port."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self._port))
        self._socket.setblocking(False)
        self._port = self._socket.getsockname()[1]
        self._peer: tuple[str, int] | None = None

    def close(self) -> None:
        """Vanish; who sends here is refused."""
        self._socket.close()

    @property
    def file(self) -> int:
        """Its file descriptor, -1 when closed."""
        return self._socket.fileno()

    def receive(self) -> bytes:
        """Return a datagram, and remember who sent it."""
        try:
            data, self._peer = self._socket.recvfrom(2048)
        except ConnectionRefusedError:  # of something sent earlier, to one who has left
            return b""
        return data

    def send(self, data: bytes) -> None:
        """Send to whoever spoke last."""
        if self._peer is not None and self.file >= 0:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._peer)


class StreamLine(ABC):
    """A server on this machine for one client at a time; a new one takes the place of the last."""

    _server: socket.socket

    def __init__(self) -> None:
        self._client: socket.socket | None = None
        self._unsent = b""
        self.open()

    @abstractmethod
    def open(self) -> None:
        """Listen."""

    def close(self) -> None:
        """Reset the client, and refuse others."""
        self.drop()
        self._server.close()

    def drop(self) -> None:
        """Hang up on the client."""
        if self._client is not None:
            self._client.close()
            self._client, self._unsent = None, b""

    @property
    def server_file(self) -> int:
        """File descriptor that can be read when a client comes, -1 when closed."""
        return self._server.fileno()

    @property
    def client_file(self) -> int:
        """File descriptor that can be read when the client has sent something, -1 without one."""
        return -1 if self._client is None else self._client.fileno()

    def accept(self) -> None:
        """Take in a client."""
        self.drop()
        self._client, _ = self._server.accept()
        self._client.setblocking(False)

    def receive(self) -> bytes:
        """Return what the client has sent; empty, and it is dropped: it has gone."""
        try:
            data = self._client.recv(4096) if self._client is not None else b""
        except OSError:
            data = b""
        if not data:
            self.drop()
        return data

    def send(self, data: bytes) -> None:
        """Send to the client, if there is one. It misses what comes while it has not taken what came before."""
        self._flush()
        if not self._unsent:
            self._unsent = data
            self._flush()

    def _flush(self) -> None:
        if self._client is None:
            return
        try:
            while self._unsent:
                self._unsent = self._unsent[self._client.send(self._unsent) :]
        except BlockingIOError:
            return  # the rest goes before what comes next
        except OSError:
            self._unsent = b""


class TcpLine(StreamLine):
    """By TCP."""

    _port = 0

    @property
    def port(self) -> int:
        """Its port, the same after a disconnection."""
        return self._port

    def open(self) -> None:
        """Listen, the first time at any free port."""
        self._server = socket.create_server(("127.0.0.1", self._port))
        self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # clients inherit it
        self._port = self._server.getsockname()[1]


class LocalLine(StreamLine):
    """By a socket in the file system, which others open at `path`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tactus-")
        self.path = Path(self._folder.name) / "socket"
        super().__init__()

    def open(self) -> None:
        """Listen."""
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()

    def close(self) -> None:
        """Hang up, and be gone."""
        super().close()
        self.path.unlink(missing_ok=True)


class TcpHub:
    """A TCP server for several clients at once, who are told apart by their file descriptors."""

    def __init__(self, host: str, port: int) -> None:
        """Raises OSError where somebody else has the port."""
        self._address = (host, port)
        self._clients: dict[int, socket.socket] = {}
        self.open()

    def open(self) -> None:
        """Listen."""
        self._server = socket.create_server(self._address)

    def close(self) -> None:
        """Hang up on all, and refuse others."""
        for client in list(self._clients):
            self.drop(client)
        self._server.close()

    @property
    def server_file(self) -> int:
        """File descriptor that can be read when a client comes, -1 when closed."""
        return self._server.fileno()

    @property
    def clients(self) -> tuple[int, ...]:
        """Who is there."""
        return tuple(self._clients)

    def accept(self) -> int:
        """Take in a client; return who it is."""
        client, _ = self._server.accept()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        return client.fileno()

    def drop(self, client: int) -> None:
        """Hang up on a client."""
        found = self._clients.pop(client, None)
        if found is not None:
            found.close()

    def receive(self, client: int) -> bytes:
        """Return what a client has sent; empty, and it is dropped: it has gone."""
        try:
            data = self._clients[client].recv(65536)
        except OSError:
            data = b""
        if not data:
            self.drop(client)
        return data

    def send(self, client: int, data: bytes) -> None:
        """Send to a client, if it is still there; one that does not read is dropped, as half a frame would be worse."""
        if client in self._clients:
            try:
                self._clients[client].sendall(data)
            except OSError:
                self.drop(client)
