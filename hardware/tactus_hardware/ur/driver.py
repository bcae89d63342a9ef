"""Reads a Universal Robots arm over RTDE, and has it moved."""

import math
import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import PAUSE_S
from tactus_hardware.joints import JointDriver
from tactus_hardware.ports import ArmState, Reading
from tactus_hardware.ur import link, protocol
from tactus_hardware.ur.config import UrConfig
from tactus_hardware.ur.control import Control
from tactus_hardware.ur.protocol import Force, Kind, Packets

_OPEN_S = 3.5  # who opens it waits for 4 s
_POLL_S = 0.05
_FRESH_S = 0.05
_WINDOW_S = 5.0


class Ages:
    """How much longer than the quickest one of the last seconds what a robot sent has been on its way. The clocks may drift slowly."""

    def __init__(self) -> None:
        self._since_s = -math.inf
        self._quickest_s = self._quickest_before_s = math.inf

    def age_s(self, sent_s: float, arrived_s: float) -> float:
        """Return the age [s] on arrival; sent: by the robot's clock, arrived: by ours."""
        if arrived_s - self._since_s > _WINDOW_S:
            self._since_s, self._quickest_before_s, self._quickest_s = arrived_s, self._quickest_s, math.inf
        self._quickest_s = min(self._quickest_s, arrived_s - sent_s)
        return arrived_s - sent_s - min(self._quickest_s, self._quickest_before_s)


class UrArm(JointDriver[ArmState]):
    """An `Arm`. It measures by a connection of its own, where it only asks; ur-rtde moves the robot, in a process of its own."""

    FAULTS = ("malformed", "repeated", "lost", "skipped", "out_of_range", "alert")

    def __init__(self, config: UrConfig) -> None:
        super().__init__(f"UR at {config.host}", config, protocol.LIMITS_RAD, config.control)
        self._config, self._control = config, Control(config)
        self._force = Force(config.force_at, 1.0 if config.force_says == "on_tool" else -1.0)
        self._socket: socket.socket | None = None
        self._measured_rad, self._measured_s = link.NOTHING, -math.inf

    def open(self) -> None:
        """See `Sensor`. Waits a while for the control program as well; where that takes longer, `health` says so, and commands wait."""
        end_s = time.monotonic() + _OPEN_S
        super().open()
        while self._fault and self._fault == self._control.trouble and time.monotonic() < end_s:
            self.read(_POLL_S)

    def command(self, position_rad: Array) -> Array | None:
        """See `Jointed`. What was measured too long ago is no place to start from: the robot may have come to stand elsewhere."""
        if not self._fault and time.monotonic() - self._measured_s > _FRESH_S:
            self._fault = "commands are taken with fresh readings only. Call read() more often."
        return super().command(position_rad)

    def close(self) -> None:
        """See `Sensor`. The robot stops, and its control program ends."""
        super().close()
        self._control.end()

    def _connect(self, deadline_s: float) -> None:
        self._socket = wire = socket.create_connection((self._config.host, protocol.RTDE_PORT), _left_s(deadline_s))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._packets, self._ages, self._timestamp_s = Packets(), Ages(), -math.inf
        if self._ask(wire, Kind.VERSION, struct.pack(">H", protocol.PROTOCOL), deadline_s) != b"\x01":
            raise DeviceError(f"the controller does not speak RTDE {protocol.PROTOCOL}. Update its software.")
        fields = struct.pack(">d", self._config.frequency_Hz) + ",".join(protocol.OUTPUTS).encode()
        self._recipe = protocol.parse_recipe(self._ask(wire, Kind.OUTPUTS, fields, deadline_s), protocol.OUTPUTS)
        if self._ask(wire, Kind.START, b"", deadline_s) != b"\x01":
            raise DeviceError("the controller refuses to start sending.")
        if self._receive(deadline_s) is None:
            raise DeviceError("the controller agreed to send, and sends nothing. Check the network.")

    def _ask(self, wire: socket.socket, kind: Kind, payload: bytes, deadline_s: float) -> bytes:
        wire.sendall(protocol.pack(kind, payload))
        while True:
            for answered, answer in self._packets.take(self._come(wire, deadline_s)):
                if answered == kind:
                    return answer
            if time.monotonic() >= deadline_s:
                raise DeviceError(f"no answer to an RTDE request ({kind.name}). Check the address, and that RTDE is enabled on the robot.")

    def _receive(self, deadline_s: float) -> Reading[ArmState] | None:
        while self._socket is not None:
            newest: dict[str, Any] | None = None
            for kind, payload in self._cut(self._come(self._socket, deadline_s)):
                values = self._judged(kind, payload)
                self.health.count("skipped", values is not None and newest is not None)
                newest = values or newest
            if newest is not None:
                return self._reading(newest)
            if time.monotonic() >= deadline_s:
                break
        return None

    def _come(self, wire: socket.socket, deadline_s: float) -> bytes:
        """Return what has come, waiting for it until the deadline; raises DeviceError where the robot has hung up."""
        if not select.select([wire], [], [], max(0.0, deadline_s - time.monotonic()))[0]:
            return b""
        data = wire.recv(1 << 16)
        if not data:
            raise DeviceError("the robot closed the connection.")
        return data

    def _cut(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        try:
            yield from self._packets.take(data)
        except DeviceError:
            self.health.count("malformed")
            raise

    def _judged(self, kind: int, payload: bytes) -> dict[str, Any] | None:
        if kind == Kind.TEXT:
            return None
        values = self._recipe.parse(payload) if kind == Kind.DATA else None
        if values is None or not protocol.known(values):
            self.health.count("malformed")
            raise DeviceError(f"a packet of type {kind} came that is not what was asked for: something was lost.")
        ahead_s = values["timestamp"] - self._timestamp_s
        if not ahead_s > 0:  # NaN is not newer either
            self.health.count("repeated")
            return None
        if math.isfinite(ahead_s):
            self.health.count("lost", max(0, round(ahead_s * self._config.frequency_Hz) - 1))
        self._timestamp_s = values["timestamp"]
        if not all(np.isfinite(value).all() for value in values.values()):
            self.health.count("out_of_range")
            return None
        return values

    def _reading(self, values: dict[str, Any]) -> Reading[ArmState]:
        arrived_s = time.monotonic()
        self._measured_rad, self._measured_s = values["actual_q"], arrived_s - self._ages.age_s(values["timestamp"], arrived_s)
        trouble = protocol.trouble(values["robot_mode"], values["safety_mode"])
        self.health.count("alert", bool(trouble))
        if self._moves and arrived_s - self._measured_s < PAUSE_S:
            self._control.tend(self._measured_rad, may_start=not trouble)
        self._fault = trouble or (self._control.trouble if self._moves else "")
        wrench_tcp = self._force.wrench_tcp(values["actual_TCP_force"], values["actual_TCP_pose"], values["tcp_offset"])
        state = ArmState(values["actual_q"], values["actual_qd"], values["actual_current"], wrench_tcp)
        return Reading(self._measured_s, state)

    def _write(self, position_rad: Array) -> None:
        self._control.send(position_rad, self._measured_rad)

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _left_s(deadline_s: float) -> float:
    return max(1e-3, deadline_s - time.monotonic())
