"""The two ways to a gripper, alike for its driver. Every call raises OSError or DeviceError: the link is then given up."""

import contextlib
import select
import socket
import time
from collections.abc import Sequence
from typing import Protocol

from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.modbus_rtu import RtuBus, WireError
from tactus_hardware.robotiq import protocol
from tactus_hardware.robotiq.config import RobotiqConfig
from tactus_hardware.robotiq.protocol import Status
from tactus_hardware.serial_wire import SerialWire

# A late answer shows by its length. The registers behind the status are there, and mean nothing to us.
_LENGTHS = tuple(protocol.STATUS_REGISTERS + more for more in range(4))


class Link(Protocol):
    """A gripper that answers."""

    def status(self, deadline_s: float) -> Status:
        """Ask what it says of itself."""
        ...

    def act(self, on: bool) -> None:
        """Raise or lower the activation bit, and lower the one that makes it follow its goal. Raising it moves the fingers ALL THE WAY."""
        ...

    def goal(self, count: int, pace: tuple[int, int], follow: bool = False) -> None:
        """Set where it goes and its speed and force, as counts; `follow`: also make an active gripper follow. Never activates one."""
        ...

    def close(self) -> None:
        """Let go of the wire; never raises."""
        ...


class RtuLink:
    """Modbus RTU."""

    def __init__(self, config: RobotiqConfig) -> None:
        self._wire = SerialWire(config.port, config.baud)
        self._bus = RtuBus(self._wire, config.device_id, config.answer_limit_s)
        self._turn = 0

    def status(self, deadline_s: float) -> Status:
        """See `Link`. One question: it takes its time, and no longer."""
        self._turn = (self._turn + 1) % len(_LENGTHS)
        return protocol.parse_status(self._bus.read(protocol.STATUS, _LENGTHS[self._turn]))

    def act(self, on: bool) -> None:
        """See `Link`."""
        self._bus.write(protocol.ACTION, [(protocol.ACT if on else 0) << 8])

    def goal(self, count: int, pace: tuple[int, int], follow: bool = False) -> None:
        """See `Link`. A new goal leaves the action register alone: whoever has just lost its power would be activated by it."""
        values = [count, pace[0] << 8 | pace[1]]
        if follow:
            self._bus.write(protocol.ACTION, [(protocol.ACT | protocol.GTO) << 8, *values])
        else:
            self._bus.write(protocol.GOAL, values)

    def close(self) -> None:
        """See `Link`."""
        self._wire.close()


class UrcapLink:
    """The socket of Robotiq's URCap: lines of ASCII, as `GET POS` and `SET POS 12`, answered by `POS 3` and `ack`."""

    def __init__(self, config: RobotiqConfig, deadline_s: float) -> None:
        self._answer_limit_s = config.answer_limit_s
        self._socket = socket.create_connection((config.host, config.tcp_port), timeout=max(0.001, deadline_s - time.monotonic()))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(config.answer_limit_s)

    def status(self, deadline_s: float) -> Status:
        """See `Link`. Seven questions, each after the answer before: nobody says that the URCap reads more than one at a time."""
        text = b""
        for asked, name in enumerate(protocol.VARIABLES, 1):
            if asked > 1 and time.monotonic() > deadline_s:
                raise WireError("timeout", "its answers together take too long; is the network, or the UR controller, loaded?")
            text = self._ask(f"GET {name}", text, protocol.VARIABLES[:asked])
        return protocol.of_variables(protocol.parse_answer(text, protocol.VARIABLES) or {})

    def act(self, on: bool) -> None:
        """See `Link`."""
        self._ask(f"SET ACT {int(on)} GTO 0", b"", ())

    def goal(self, count: int, pace: tuple[int, int], follow: bool = False) -> None:
        """See `Link`."""
        self._ask(f"SET POS {count} SPE {pace[0]} FOR {pace[1]}" + " GTO 1" * follow, b"", ())

    def close(self) -> None:
        """See `Link`."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _ask(self, line: str, text: bytes, names: Sequence[str]) -> bytes:
        """Send a line; return `text` with what came, once it says all the names, or `ack` where there are none."""
        self._socket.sendall(line.encode() + b"\n")
        deadline_s = time.monotonic() + self._answer_limit_s
        before = len(text)
        while not (protocol.parse_answer(text, names) if names else text.strip() == b"ack"):
            ready, _, _ = select.select([self._socket], [], [], max(0.0, deadline_s - time.monotonic()))
            more = self._socket.recv(4096) if ready else b""
            if ready and not more:
                raise DeviceError("it closed the connection; is the URCap still running?")
            if not ready and text[before:].strip():
                raise WireError("damaged", f"'{line}' was answered by {text[before:]!r}. Check what serves this port.")
            if not ready:
                raise WireError("timeout", f"'{line}' was not answered within {self._answer_limit_s} s. Check that the URCap is running.")
            text += more
        return text


def connect(config: RobotiqConfig, deadline_s: float) -> Link:
    """Return the link that the configuration asks for; raises OSError or DeviceError where nobody is there."""
    return RtuLink(config) if config.wire == "rtu" else UrcapLink(config, deadline_s)


def check(config: RobotiqConfig) -> None:
    """Raise ConfigError for what cannot be: no place named, or a force or speed that this model does not have."""
    place, name = ("port", config.port) if config.wire == "rtu" else ("host", config.host)
    if not name:
        raise ConfigError(f"wire {config.wire} needs '{place}', which is empty. Set it to where the gripper is.")
    model = protocol.MODELS[config.model]
    for what, value, (low, high) in (("force_N", config.force_N, model.force_N), ("speed_m_s", config.speed_m_s, model.speed_m_s)):
        if not low <= value <= high:
            raise ConfigError(f"'{what}' is {value}, and a {model.name} has {low:g} to {high:g}. Set it within.")
