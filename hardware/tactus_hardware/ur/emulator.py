"""Fakes a Universal Robots controller: RTDE, the port that takes scripts, and the dashboard, on a loopback address of its own."""

import random
import struct
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import TcpHub
from tactus_hardware.ur import protocol
from tactus_hardware.ur.emulated import Robot, field_type, listed
from tactus_hardware.ur.protocol import Kind, Packets, Recipe

_PERIOD_S = 0.002
_MOST_LATE = 50
_VERSION = (5, 17, 3, 0)
_SCRIPT_BEGINS, _SCRIPT_ENDS = b"def rtde_control():", b"\nend\n"
_DASHBOARD = {
    b"PolyscopeVersion": b"URSoftware 5.17.3.108318 (Jan 01 2026)",
    b"get serial number": b"20265100000",
    b"is in remote control": b"true",
    b"robotmode": b"Robotmode: RUNNING",
    b"get robot model": b"UR5",
    b"stop": b"Stopped",
}


class _Session:
    """One client of RTDE, and what it asked for."""

    def __init__(self) -> None:
        self.packets = Packets()
        self.outputs: Recipe | None = None
        self.inputs: dict[int, Recipe] = {}
        self.started = False
        self.period_s, self.waited_s = _PERIOD_S, 0.0
        self.last = b""


class UrEmulator(Emulator):
    """500 packets per second. `set wrench ...` (6) [N, Nm] on the tool, in the tcp frame; `set pose ...`, `set offset ...` (6)."""

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self._robot = Robot()
        self._host, (self._rtde, self._script, self._dashboard) = _own_address()
        self._sessions: dict[int, _Session] = {}
        self._next_s = 0.0
        self._power_up()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"host": self._host}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Emulator`."""
        found: dict[int, Callable[[], None]] = {}
        for hub, greet, take in (
            (self._rtde, self._begin, self._take_rtde),
            (self._script, self._begin_script, self._take_script),
            (self._dashboard, self._greet, self._take_dashboard),
        ):
            found[hub.server_file] = partial(_accept, hub, greet)
            found |= {client: partial(take, client) for client in hub.clients}
        return {file: call for file, call in found.items() if file >= 0}

    def hang_up(self) -> None:
        """See `Emulator`."""
        for hub in (self._rtde, self._script, self._dashboard):
            hub.close()

    def come_back(self) -> None:
        """See `Emulator`."""
        for hub in (self._rtde, self._script, self._dashboard):
            hub.open()
        self._power_up()

    def tick(self, now_s: float) -> float:
        """Move the robot, and send what is due."""
        self._sessions = {client: session for client, session in self._sessions.items() if client in self._rtde.clients}
        self._next_s = max(self._next_s, now_s - _MOST_LATE * _PERIOD_S)
        while self._next_s <= now_s:
            self._next_s += _PERIOD_S
            self._robot.advance(self._next_s)
            if self.faults.strikes("saturation"):
                self._robot.stop()
            if not self.faults.strikes("stuck"):
                self._outputs = self._robot.outputs(self._next_s)
            for client, session in self._sessions.items():
                self._tell_client(client, session)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        attribute = {"wrench": "wrench_tcp", "pose": "pose_base_tcp", "offset": "tcp_offset"}.get(name)
        if attribute is None or len(values) != 6:
            raise ConfigError(f"a UR emulator cannot set {name} to {values}; it knows wrench, pose and offset (6 numbers).")
        setattr(self._robot, attribute, np.array(values))

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        robot = self._robot
        return {
            "goal_rad": robot.goal_rad.tolist(),
            "position_rad": robot.position_rad.tolist(),
            "servoing": robot.target_rad is not None,
            "program": robot.program,
            "safety_mode": robot.safety_mode,
            "watchdog_s": robot.watchdog_s,
            "most_rad": robot.most_rad,
        }

    def _power_up(self) -> None:
        self._next_s = time.monotonic()
        self._robot.power_up(self._next_s)
        self._sessions = {}
        self._scripts: dict[int, bytes] = {}
        self._outputs = self._robot.outputs(self._next_s)

    def _tell_client(self, client: int, session: _Session) -> None:
        session.waited_s += _PERIOD_S
        if session.outputs is None or not session.started or session.waited_s < session.period_s - 0.5 * _PERIOD_S:
            return
        session.waited_s = 0.0
        if not session.last or not self.faults.strikes("stale"):
            session.last = protocol.pack(Kind.DATA, session.outputs.pack(listed(self._outputs, session.outputs.names)))
        self.send(partial(self._rtde.send, client), session.last)

    def _begin(self, client: int) -> None:
        self._sessions[client] = _Session()

    def _take_rtde(self, client: int) -> None:
        session = self._sessions[client]
        try:
            for kind, payload in session.packets.take(self._rtde.receive(client)):
                answer = self._answer(session, kind, payload)
                if answer is not None:
                    self.send(partial(self._rtde.send, client), protocol.pack(Kind(kind), answer))
        except (DeviceError, struct.error, UnicodeDecodeError):
            self._rtde.drop(client)

    def _answer(self, session: _Session, kind: int, payload: bytes) -> bytes | None:
        match kind:
            case Kind.VERSION:
                return bytes([struct.unpack(">H", payload) == (protocol.PROTOCOL,)])
            case Kind.CONTROLLER:
                return struct.pack(">4I", *_VERSION)
            case Kind.OUTPUTS:
                (frequency_Hz,) = struct.unpack_from(">d", payload)
                session.period_s = max(1.0 / frequency_Hz, _PERIOD_S) if frequency_Hz > 0 else _PERIOD_S
                names, types = _fields(payload[8:])
                session.outputs = None if "NOT_FOUND" in types else Recipe(1, names, types)
                return bytes([session.outputs is not None]) + ",".join(types).encode()
            case Kind.INPUTS:
                names, types = _fields(payload, {name for other in self._others(session) for name in other})
                number = 0 if {"NOT_FOUND", "IN_USE"} & set(types) else len(session.inputs) + 1
                if number:
                    session.inputs[number] = Recipe(number, names, types)
                return bytes([number]) + ",".join(types).encode()
            case Kind.START | Kind.PAUSE:
                session.started = kind == Kind.START
                return b"\x01"
            case Kind.DATA if payload and payload[0] in session.inputs:
                values = session.inputs[payload[0]].parse(payload)
                if values is not None:
                    self._robot.take(values, time.monotonic())
        return None

    def _others(self, session: _Session) -> list[tuple[str, ...]]:
        """Return the names of the inputs that other clients have: each field can be written by one client."""
        return [recipe.names for other in self._sessions.values() if other is not session for recipe in other.inputs.values()]

    def _begin_script(self, client: int) -> None:
        self._scripts[client] = b""

    def _take_script(self, client: int) -> None:
        self._scripts[client] += self._script.receive(client)
        if _SCRIPT_BEGINS in self._scripts[client] and self._scripts[client].endswith(_SCRIPT_ENDS):
            self._scripts[client] = b""
            self._robot.start_program()

    def _greet(self, client: int) -> None:
        self._dashboard.send(client, b"Connected: Universal Robots Dashboard Server\n")

    def _take_dashboard(self, client: int) -> None:
        for line in self._dashboard.receive(client).split(b"\n"):
            if line.strip() == b"stop":
                self._robot.end_program()
            if line.strip():
                self._dashboard.send(client, _DASHBOARD.get(line.strip(), b"could not understand: " + line) + b"\n")


def _fields(asked: bytes, taken: Collection[str] = ()) -> tuple[list[str], list[str]]:
    names = [name for name in asked.decode("ascii").split(",") if name]  # ur-rtde ends its lists with a comma
    return names, ["IN_USE" if name in taken else field_type(name) for name in names]


def _accept(hub: TcpHub, greet: Callable[[int], None]) -> None:
    greet(hub.accept())


def _own_address() -> tuple[str, Sequence[TcpHub]]:
    """Return a loopback address where the ports, which are always the same, are free; and who listens there."""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        hubs: list[TcpHub] = []
        try:
            for port in (protocol.RTDE_PORT, protocol.SCRIPT_PORT, protocol.DASHBOARD_PORT):
                hubs.append(TcpHub(host, port))
        except OSError:
            for hub in hubs:
                hub.close()
        else:
            return host, hubs


def make(faults: Faults, play: Path | None) -> UrEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""
    if play is not None:
        raise ConfigError("a UR emulator plays no recording. Leave out --play.")
    return UrEmulator(faults)
