"""Fakes an Allegro Hand V5 Sense: telemetry over UDP while it is commanded, and joints with inertia and friction that currents move."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.allegro import protocol
from tactus_hardware.allegro.protocol import PERIOD_S, Packet, Telemetry
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import UdpLine

_SILENCE_S = 1.0
_STEP_S = 0.001
_INERTIA_kgm2, _FRICTION_Nms_rad = 1e-3, 0.03
_HELLO = bytes([0, 6, 0, 6, 0, 0, 1])
_OVERLOAD, _OVERLOADED_JOINT = 0x20, 6
_MOST_LATE = 5


class AllegroEmulator(Emulator):
    """`set position JOINT RAD`: put a joint somewhere by force. `set touch TAXEL VALUE`: press a sensor."""

    SUMMED = False
    ORDERED = False

    def __init__(self, faults: Faults) -> None:
        self._line = UdpLine(self._take)
        super().__init__(faults, self._line)
        self._position = np.clip(np.zeros(16), *protocol.LIMITS_RAD.T)
        self._velocity, self._touch = np.zeros(16), np.zeros(16)
        self._began_s = self._stepped_s = self._next_s = time.monotonic()
        self._most_A = 0.0
        self._commanded_s: float | None = None
        self._current_A = np.zeros(16)
        self._power_up()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {**super().address(), "local_port": 0}

    def hang_up(self) -> None:
        """See `Emulator`."""
        super().hang_up()
        self._limp()

    def come_back(self) -> None:
        """See `Emulator`. Nothing pulls at its fingers meanwhile."""
        super().come_back()
        self._power_up()

    def tick(self, now_s: float) -> float:
        """Move the joints, and send the telemetry that is due."""
        if self._commanded_s is not None and now_s - self._commanded_s > _SILENCE_S:
            self._limp()
        while self._stepped_s < now_s:
            self._step(min(_STEP_S, now_s - self._stepped_s))
            self._stepped_s += _STEP_S
        if self._commanded_s is None:
            return super().tick(now_s)
        self._next_s = max(self._next_s, now_s - _MOST_LATE * PERIOD_S)
        while self._next_s <= now_s:
            self._next_s += PERIOD_S
            self._measure()
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        index, value = int(values[0]), values[1]
        if name == "position":
            self._position[index], self._velocity[index] = value, 0.0
        elif name == "touch":
            self._touch[index] = value
        else:
            raise ConfigError(f"an Allegro emulator cannot set {name}; it knows position (joint, rad) and touch (taxel, value).")

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`; most_A: the largest current that it was ever asked for."""
        return {
            "position_rad": self._position.tolist(),
            "current_A": self._current_A.tolist(),
            "most_A": self._most_A,
            "streaming": self._commanded_s is not None,
        }

    def _limp(self) -> None:
        self._commanded_s, self._current_A = None, np.zeros(16)

    def _power_up(self) -> None:
        self._sequence = self._number = 0
        self._last, self._measured = b"", b""

    def _take(self, data: bytes) -> None:
        packet = protocol.parse(data)
        current_A = protocol.parse_currents(packet.body) if packet is not None and packet.kind == protocol.TORQUE else None
        if packet is not None and packet.kind == protocol.HELLO:
            self.send(self._line.send, protocol.pack(Packet(protocol.HELLO_ANSWER, packet.sequence, self._time_ms(), _HELLO)))
        elif current_A is not None:
            if self._commanded_s is None:
                self._next_s = time.monotonic()
            self._commanded_s, self._current_A = time.monotonic(), current_A
            self._most_A = max(self._most_A, float(np.abs(current_A).max()))

    def _measure(self) -> None:
        if self.faults.strikes("saturation"):
            self._say(protocol.MOTOR_ERROR, bytes([_OVERLOADED_JOINT + 1, _OVERLOAD]))
        if not (self._last and self.faults.strikes("stale")):
            if not (self._measured and self.faults.strikes("stuck")):
                self._number = (self._number + 1) % 2**32
                self._measured = protocol.pack_telemetry(Telemetry(self._number, self._position, self._current_A, self._touch))
            self._sequence = (self._sequence + 1) % 2**32
            self._last = protocol.pack(Packet(protocol.TELEMETRY, self._sequence, self._time_ms(), self._measured))
        self.send(self._line.send, self._last)

    def _say(self, kind: int, body: bytes) -> None:
        self.send(self._line.send, protocol.pack(Packet(kind, 0, self._time_ms(), body)))

    def _step(self, dt_s: float) -> None:
        torque_Nm = self._current_A / protocol.A_PER_Nm - _FRICTION_Nms_rad * self._velocity
        self._velocity += torque_Nm / _INERTIA_kgm2 * dt_s
        low, high = protocol.LIMITS_RAD.T  # its stops; who was put beyond them is not put back
        reached = np.clip(self._position + self._velocity * dt_s, np.minimum(low, self._position), np.maximum(high, self._position))
        self._velocity = np.where(reached == self._position + self._velocity * dt_s, self._velocity, 0.0)
        self._position = reached

    def _time_ms(self) -> int:
        return int((time.monotonic() - self._began_s) * 1000)


make = AllegroEmulator
