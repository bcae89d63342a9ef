"""The emulated controller's end of RTDE: clients, what each asked for, and what is to be sent to them."""

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tactus_core.errors import DeviceError
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.ur import protocol
from tactus_hardware.ur.emulated import Robot, field_type, listed
from tactus_hardware.ur.protocol import Kind, Packets, Recipe

PERIOD_S = 0.002
_VERSION = (5, 17, 3, 0)
_REFUSED = {"NOT_FOUND", "IN_USE"}


class _Session:
    """One client, and what it asked for."""

    def __init__(self) -> None:
        self.packets = Packets()
        self.outputs: Recipe | None = None
        self.inputs: dict[int, Recipe] = {}
        self.started = False
        self.period_s, self.waited_s = PERIOD_S, 0.0
        self.last = b""


class Rtde:
    """All clients, by any number that tells them apart."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._sessions: dict[int, _Session] = {}

    def begin(self, client: int) -> None:
        """Take in a client."""
        self._sessions[client] = _Session()

    def keep(self, clients: Collection[int]) -> None:
        """Forget all other clients, and free the inputs that they had."""
        self._sessions = {client: session for client, session in self._sessions.items() if client in clients}

    def take(self, client: int, data: bytes, robot: Robot, now_s: float) -> Iterator[bytes]:
        """Take in bytes of a client; yield answers. Raises DeviceError where it does not speak RTDE: hang up on it."""
        session = self._sessions[client]
        try:
            for kind, payload in session.packets.take(data):
                if kind == Kind.DATA:
                    recipe = session.inputs.get(payload[0]) if payload else None
                    robot.take((recipe.parse(payload) if recipe else None) or {}, now_s)
                else:
                    yield protocol.pack(Kind(kind), self._answer(session, kind, payload))
        except (struct.error, UnicodeDecodeError) as error:
            raise DeviceError(f"a client sent a request that is none: {error}") from None

    def due(self, outputs: Mapping[str, Any]) -> Iterator[tuple[int, bytes]]:
        """Let a period pass; yield who is to be sent what."""
        for client, session in self._sessions.items():
            session.waited_s += PERIOD_S
            if session.outputs is None or not session.started or session.waited_s < session.period_s - 0.5 * PERIOD_S:
                continue
            session.waited_s = 0.0
            if not session.last or not self._faults.strikes("stale"):
                session.last = protocol.pack(Kind.DATA, session.outputs.pack(listed(outputs, session.outputs.names)))
            yield client, session.last

    def _answer(self, session: _Session, kind: int, payload: bytes) -> bytes:
        match kind:
            case Kind.VERSION:
                return bytes([struct.unpack(">H", payload) == (protocol.PROTOCOL,)])
            case Kind.CONTROLLER:
                return struct.pack(">4I", *_VERSION)
            case Kind.OUTPUTS:
                (frequency_Hz,) = struct.unpack_from(">d", payload)
                session.period_s = max(1.0 / frequency_Hz, PERIOD_S) if frequency_Hz > 0 else PERIOD_S
                names, types = _fields(payload[8:])
                session.outputs = None if _REFUSED & set(types) else Recipe(1, names, types)
                return bytes([session.outputs is not None]) + ",".join(types).encode()
            case Kind.INPUTS:
                names, types = _fields(payload, self._taken(session))
                number = 0 if _REFUSED & set(types) or len(session.inputs) == 255 else len(session.inputs) + 1
                if number:
                    session.inputs[number] = Recipe(number, names, types)
                return bytes([number]) + ",".join(types).encode()
            case _:
                session.started = kind == Kind.START
                return b"\x01"

    def _taken(self, session: _Session) -> set[str]:
        """Return the inputs that other clients have: each can be written by one client."""
        others = [other for other in self._sessions.values() if other is not session]
        return {name for other in others for recipe in other.inputs.values() for name in recipe.names}


def _fields(asked: bytes, taken: Collection[str] = ()) -> tuple[list[str], list[str]]:
    names = [name for name in asked.decode("ascii").split(",") if name]  # ur-rtde ends its lists with a comma
    return names, ["IN_USE" if name in taken else field_type(name) for name in names]
