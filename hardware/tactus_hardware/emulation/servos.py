"""Servos on a serial line, whatever their protocol: motors that follow their goals, a bus that obeys instructions, and its emulator."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from struct import Struct
from typing import Any, ClassVar

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine

# The instructions that both makers have, under the same numbers.
PING, READ, WRITE, SYNC_READ, SYNC_WRITE = 0x01, 0x02, 0x03, 0x82, 0x83
BROADCAST = 0xFE
_STEP_S = 0.002


class Servo(ABC):
    """One motor and its registers. It follows its goal at constant speed while torque is on."""

    FASTEST_COUNTS_S: ClassVar[float] = 4000.0
    TORQUE: ClassVar[int]
    TABLE_BYTES: ClassVar[int]

    def __init__(self, position: int) -> None:
        self.table = bytearray(self.TABLE_BYTES)
        self.position = float(position)

    @property
    @abstractmethod
    def goal(self) -> int:
        """Goal position in counts."""

    @abstractmethod
    def write(self, address: int, data: bytes) -> int:
        """Write registers; return the error that the servo answers."""

    @abstractmethod
    def error(self) -> int:
        """Return the error bits that every answer carries."""

    @abstractmethod
    def overload(self) -> None:
        """Shut down, as a motor does that was loaded too much for too long."""

    @abstractmethod
    def watch(self, silent_s: float) -> None:
        """Take note of the bus being silent."""

    @abstractmethod
    def tell(self, step: float, velocity_counts_s: float) -> None:
        """Put the state into the registers; step: counts moved just now."""

    def speed_counts_s(self) -> float:
        """Return how fast it goes towards its goal."""
        return self.FASTEST_COUNTS_S

    def advance(self, dt_s: float) -> None:
        """Move for `dt_s`."""
        way = self.goal - self.position if self.table[self.TORQUE] else 0.0
        most = self.speed_counts_s() * dt_s
        step = max(-most, min(way, most))
        self.position += step
        self.tell(step, step / dt_s if dt_s else 0.0)


class ServoBus(ABC):
    """Servos by id. Takes in bytes, and gives the status packets that they cause."""

    ADDRESS: ClassVar[Struct]
    ADDRESS_LENGTH: ClassVar[Struct]  # how a request names an address, and an address and how many bytes from there
    BAD_INSTRUCTION: ClassVar[int]
    BAD_LENGTH: ClassVar[int]

    def __init__(self, servos: Mapping[int, Servo], faults: Faults) -> None:
        self.servos, self._faults = servos, faults
        self._last: dict[int, bytes] = {}
        self._heard_s = 0.0

    @abstractmethod
    def packets(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Take in bytes from the line; yield the requests: id, instruction, parameters."""

    @abstractmethod
    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """Return a status packet."""

    @abstractmethod
    def identity(self, servo: int) -> bytes:
        """Return what a servo answers to a ping."""

    def advance(self, now_s: float, dt_s: float) -> None:
        """Let time pass."""
        for servo in self.servos.values():
            servo.watch(now_s - self._heard_s)
            servo.advance(dt_s)

    def take(self, data: bytes, now_s: float) -> Iterator[bytes]:
        """Take in bytes from the line; yield status packets."""
        for servo, instruction, parameters in self.packets(data):
            self._heard_s = now_s
            yield from self._obey(servo, instruction, parameters)

    def _obey(self, servo: int, instruction: int, parameters: bytes) -> Iterator[bytes]:
        block = self.ADDRESS_LENGTH
        if instruction == SYNC_READ and len(parameters) >= block.size:
            for each in parameters[block.size :]:
                yield from self._read(each, *block.unpack_from(parameters))
        elif instruction == SYNC_WRITE and len(parameters) >= block.size:
            address, length = block.unpack_from(parameters)
            for at in range(block.size, len(parameters) - length, 1 + length):
                if parameters[at] in self.servos:
                    self.servos[parameters[at]].write(address, parameters[at + 1 : at + 1 + length])
        elif instruction == PING:
            for each in self.servos if servo == BROADCAST else [servo]:
                if each in self.servos:
                    yield self._answer(each, 0, self.identity(each))
        elif instruction == READ and len(parameters) == block.size:
            yield from self._read(servo, *block.unpack(parameters))
        elif instruction == WRITE and len(parameters) >= self.ADDRESS.size and servo in self.servos:
            (address,) = self.ADDRESS.unpack_from(parameters)
            yield self._answer(servo, self.servos[servo].write(address, parameters[self.ADDRESS.size :]), b"")
        elif servo in self.servos:
            yield self._answer(servo, self.BAD_INSTRUCTION, b"")

    def _read(self, servo: int, address: int, length: int) -> Iterator[bytes]:
        if servo not in self.servos:
            return
        if self._faults.strikes("saturation"):
            self.servos[servo].overload()
        before = self._last.get(servo, b"")
        table = self.servos[servo].table
        good = address + length <= len(table)
        data = bytes(table[address : address + length]) if good else b""
        self._last[servo] = self._answer(servo, 0 if good else self.BAD_LENGTH, data)
        yield before if before and self._faults.strikes("stale") else self._last[servo]

    def _answer(self, servo: int, error: int, data: bytes) -> bytes:
        return self.status(servo, error | self.servos[servo].error(), data)


_Build = Callable[[Mapping[int, int]], ServoBus]


class ServosEmulator(Emulator):
    """A bus on a pty. `set position JOINT RAD`: put a joint somewhere by force."""

    SUMMED = True

    def __init__(self, faults: Faults, build: _Build, zeros: Mapping[int, int], rad_per_count: float) -> None:
        """See `Emulator`; build: makes a bus of servos that stand at these counts; zeros: counts of each id at 0 rad, in joint order."""
        self._line = PtyLine(self._take)
        super().__init__(faults, self._line)
        self._build, self._zeros, self._rad_per_count = build, zeros, rad_per_count
        self._bus = build(zeros)
        self._stepped_s = time.monotonic()

    def come_back(self) -> None:
        """See `Emulator`. The servos were switched off meanwhile, and have forgotten everything but where they are."""
        super().come_back()
        self._bus = self._build({i: round(servo.position) for i, servo in self._bus.servos.items()})
        self._stepped_s = time.monotonic()

    def tick(self, now_s: float) -> float:
        """Move the servos."""
        self._bus.advance(now_s, now_s - self._stepped_s)
        self._stepped_s = now_s
        return now_s + _STEP_S

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name != "position" or len(values) != 2:
            raise ConfigError(f"an emulator of servos cannot set {name} to {values}; it knows position (joint, rad).")
        servo = list(self._zeros)[int(values[0])]
        self._bus.servos[servo].position = values[1] / self._rad_per_count + self._zeros[servo]

    def goal_rad(self) -> list[float]:
        """See `Emulator`."""
        return self._rad([self._bus.servos[i].goal for i in self._zeros])

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`: what the servos are asked for, where they are, and whether they hold."""
        servos = self._bus.servos
        return {
            "goal_rad": self.goal_rad(),
            "position_rad": self._rad([servos[i].position for i in self._zeros]),
            "torque": self.register(servos[next(iter(self._zeros))].TORQUE),
        }

    def register(self, address: int) -> list[int]:
        """Return a byte of every servo's table."""
        return [self._bus.servos[i].table[address] for i in self._zeros]

    def _rad(self, counts: Sequence[float]) -> list[float]:
        return [(count - zero) * self._rad_per_count for count, zero in zip(counts, self._zeros.values(), strict=True)]

    def _take(self, data: bytes) -> None:
        for packet in self._bus.take(data, time.monotonic()):
            self.send(self._line.send, packet)
