"""One WebSocket to a policy server, without a thread: every call ends by its deadline, whatever the server does.

The protocol has no numbers on questions and answers: an answer belongs to the question because it is the only one. So a question that was
not answered in time ends the link, and so does what waits before a question is asked. What is left is a server that answers one question
twice, the second time when the next one is on its way: no client of this protocol can tell.
"""

import contextlib
import socket
from collections import deque
from collections.abc import Callable

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from tactus_core.errors import ConfigError, DataError
from tactus_core.remote.wire import LONGEST_ANSWER_BYTES, brief

_READ_BYTES = 65536
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Server:
    """Where a policy server is. Its name is looked up once, here: that may take as long as the resolver does."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self.uri: WebSocketURI = parse_uri(url)
        except (InvalidURI, ValueError) as error:
            raise ConfigError(f"'{url}' is no address of a policy server: {error}. Give it as ws://HOST:PORT.") from None
        if self.uri.secure:
            raise ConfigError(f"'{url}': TLS is not spoken here. Reach the server through a tunnel (ssh -L, WireGuard), as ws://HOST:PORT.")
        try:
            self.addresses = socket.getaddrinfo(self.uri.host, self.uri.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ConfigError(f"'{url}': the name cannot be looked up: {error}. Check its spelling, or give the number.") from None


class Link:
    """A connection. Calls raise TimeoutError at their deadline, OSError where it broke, DataError for what must not come; close it then."""

    def __init__(self, server: Server, clock: Callable[[], float], deadline_s: float) -> None:
        """Connect. clock: the caller's steady one [s], which deadlines are told by."""
        self._clock = clock
        self._messages: deque[bytes | str] = deque()
        self._parts: list[bytes] = []
        self._is_text = False
        self._socket = self._reach(server, deadline_s)
        self._protocol = ClientProtocol(server.uri, max_size=LONGEST_ANSWER_BYTES)
        try:
            self._protocol.send_request(self._protocol.connect())
            self._flush(deadline_s)
            while self._protocol.state is State.CONNECTING:
                self._take(deadline_s)
        except BaseException:
            self.close()
            raise

    def ask(self, question: bytes, deadline_s: float) -> bytes | str:
        """Return the answer to `question`."""
        if not self.alive(deadline_s):
            raise ConnectionError("the connection has ended")
        self._protocol.send_binary(question)
        self._flush(deadline_s)
        return self.receive(deadline_s)

    def receive(self, deadline_s: float) -> bytes | str:
        """Return the next message, also one that the connection ends with: openpi's server says so what went wrong."""
        while not self._messages:
            try:
                self._take(deadline_s)
            except ConnectionError:
                if not self._messages:
                    raise
        return self._messages.popleft()

    def alive(self, deadline_s: float) -> bool:
        """Answer pings that came meanwhile; return whether the connection still stands. Raises DataError where a message waits."""
        while not (self._messages or self._parts):
            if self._protocol.state is not State.OPEN:
                return False
            self._left_s(deadline_s)  # raises TimeoutError: a flood must not keep it here
            try:
                self._socket.settimeout(0.0)
                self._feed(self._socket.recv(_READ_BYTES), deadline_s)
            except BlockingIOError:
                return True
            except TimeoutError:
                raise
            except OSError:
                return False
        raise DataError("the server sent what nobody asked for; the next answer would be taken for another's. The connection is ended.")

    def close(self) -> None:
        """Let go of the connection at once; may be called twice."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _reach(self, server: Server, deadline_s: float) -> socket.socket:
        failed: OSError = ConnectionError(f"{server.url} has no address")
        for family, kind, number, _, address in server.addresses:
            reached = socket.socket(family, kind, number)
            try:
                reached.settimeout(self._left_s(deadline_s))
                reached.connect(address)
                reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return reached
            except OSError as error:
                reached.close()
                failed = error
        raise failed

    def _take(self, deadline_s: float) -> None:
        self._socket.settimeout(self._left_s(deadline_s))
        self._feed(self._socket.recv(_READ_BYTES), deadline_s)

    def _feed(self, data: bytes, deadline_s: float) -> None:
        """Take in what came, b"" for the end. Raises OSError where the connection ends with it."""
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._gather(event)
        if protocol.handshake_exc is not None:
            raise ConnectionError(f"it is no WebSocket server, or refuses: {protocol.handshake_exc}")
        if protocol.state in (State.CLOSING, State.CLOSED):
            told = protocol.parser_exc or protocol.close_rcvd
            raise ConnectionError(f"the connection has ended: {brief(str(told))}")
        self._flush(deadline_s)

    def _gather(self, frame: Frame) -> None:
        if frame.opcode not in _DATA:
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._messages.append(whole.decode(errors="replace") if self._is_text else whole)

    def _flush(self, deadline_s: float) -> None:
        for data in self._protocol.data_to_send():
            rest = memoryview(data)
            while rest:
                self._socket.settimeout(self._left_s(deadline_s))
                rest = rest[self._socket.send(rest) :]

    def _left_s(self, deadline_s: float) -> float:
        left_s = deadline_s - self._clock()
        if not left_s > 0.0:
            raise TimeoutError("timed out")
        return left_s
