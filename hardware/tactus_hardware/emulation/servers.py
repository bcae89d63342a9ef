"""The lines of emulators that serve, by TCP or in the file system, one client or many; see `lines.py`. None of them ever blocks."""

import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tactus_hardware.emulation.lines import Take, ignore, kept_port


class StreamLine(ABC):
    """A server on this machine for one client at a time; a new one takes the place of the last.

    greet: called when a client has come. take: called with nothing when it has gone.
    """

    _server: socket.socket

    def __init__(self, take: Take = ignore, greet: Callable[[], None] = lambda: None) -> None:
        self._take, self._greet = take, greet
        self._client: socket.socket | None = None
        self._unsent = b""
        self.open()

    @abstractmethod
    def open(self) -> None:
        """Listen."""

    @abstractmethod
    def address(self) -> Mapping[str, Any]:
        """See `Line`."""

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Line`."""
        client = -1 if self._client is None else self._client.fileno()
        return {self._server.fileno(): self.accept, client: self._receive}

    def close(self) -> None:
        """Reset the client, and refuse others."""
        self.drop()
        self._server.close()

    def drop(self) -> None:
        """Hang up on the client."""
        if self._client is not None:
            self._client.close()
            self._client, self._unsent = None, b""

    def accept(self) -> None:
        """Take in a client."""
        self.drop()
        self._client, _ = self._server.accept()
        self._client.setblocking(False)
        self._greet()

    def send(self, data: bytes) -> None:
        """Send to the client, if there is one. It misses what comes while it has not taken what came before."""
        self._flush()
        if not self._unsent:
            self._unsent = data
            self._flush()

    def _receive(self) -> None:
        try:
            data = self._client.recv(4096) if self._client is not None else b""
        except BlockingIOError:
            return  # it was the one before who had sent something: this one has his file descriptor
        except OSError:
            data = b""
        if not data:
            self.drop()
        self._take(data)

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

    def __init__(self, take: Take = ignore, greet: Callable[[], None] = lambda: None) -> None:
        self._kept = kept_port(socket.SOCK_STREAM)
        super().__init__(take, greet)

    @property
    def port(self) -> int:
        """Its port, the same after a disconnection."""
        return int(self._kept.getsockname()[1])

    def open(self) -> None:
        """Listen."""
        self._server = socket.create_server(self._kept.getsockname())
        self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # clients inherit it

    def address(self) -> Mapping[str, Any]:
        """See `Line`."""
        return {"host": "127.0.0.1", "port": self.port}


class LocalLine(StreamLine):
    """By a socket in the file system, which others open at `path`."""

    def __init__(self, take: Take = ignore, greet: Callable[[], None] = lambda: None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tactus-")
        self.path = Path(self._folder.name) / "socket"
        super().__init__(take, greet)

    def open(self) -> None:
        """Listen."""
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()

    def address(self) -> Mapping[str, Any]:
        """See `Line`."""
        return {"socket": str(self.path)}

    def close(self) -> None:
        """Hang up, and be gone."""
        super().close()
        self.path.unlink(missing_ok=True)


class TcpHub:
    """A TCP server for several clients at once, who are told apart by their file descriptors. `take` and `greet` are told whose."""

    def __init__(self, host: str, port: int, take: Callable[[int, bytes], None], greet: Callable[[int], None]) -> None:
        """Raises OSError where somebody else has the port."""
        self._address, self._take, self._greet = (host, port), take, greet
        self._clients: dict[int, socket.socket] = {}
        self.open()

    def open(self) -> None:
        """Listen."""
        self._server = socket.create_server(self._address)

    def address(self) -> Mapping[str, Any]:
        """See `Line`. Its port is the one that every such device has."""
        return {"host": self._address[0]}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Line`."""
        return {self._server.fileno(): self._accept, **{client: partial(self._receive, client) for client in self._clients}}

    def close(self) -> None:
        """Hang up on all, and refuse others."""
        for client in list(self._clients):
            self.drop(client)
        self._server.close()

    @property
    def clients(self) -> tuple[int, ...]:
        """Who is there."""
        return tuple(self._clients)

    def drop(self, client: int) -> None:
        """Hang up on a client."""
        found = self._clients.pop(client, None)
        if found is not None:
            found.close()

    def send(self, client: int, data: bytes) -> None:
        """Send to a client, if it is still there; one that does not read is dropped, as half a frame would be worse."""
        if client in self._clients:
            try:
                self._clients[client].sendall(data)
            except OSError:
                self.drop(client)

    def _accept(self) -> None:
        client, _ = self._server.accept()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        self._greet(client.fileno())

    def _receive(self, client: int) -> None:
        try:
            data = self._clients[client].recv(65536)
        except BlockingIOError:
            return  # as above
        except OSError:
            data = b""
        if not data:
            self.drop(client)
        self._take(client, data)
