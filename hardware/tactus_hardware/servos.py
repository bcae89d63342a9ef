"""Servos on one serial line, whatever their protocol: what a bus of them can be asked, how answers are judged, and a driver for joints."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from tactus_core.config import param
from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.joints import JointConfig, JointDriver, S
from tactus_hardware.ports import Reading
from tactus_hardware.serial_wire import SerialWire

# Answers carry no number. The state is asked for in blocks of so many lengths in turn, so that a late answer shows by its length.
LENGTHS = 4


class Layout(NamedTuple):
    """Where things are in a status packet; around: its bytes beside its data; alerts: error bits that come with good data."""

    servo: int
    error: int
    data: int
    around: int
    alerts: int


class Answers:
    """What came back from a read. fault: '', 'checksum', 'timeout' or 'refused'; old: packets that answered an earlier question."""

    def __init__(self, ids: Sequence[int], layout: Layout) -> None:
        self.missing = list(ids)
        self.fault, self.old = "", 0
        self.alerts: list[int] = []
        self._ids, self._layout, self._data = list(ids), layout, dict[int, bytes]()

    def take(self, packet: Sequence[int], whole: bool, length: int, timed_out: bool) -> None:
        """Take in a status packet, or the word that there is none."""
        at = self._layout
        if not whole:
            self.fault = "timeout" if timed_out else "checksum"
        elif packet[at.servo] not in self.missing or len(packet) != length + at.around:
            self.old += 1
            self.fault = "timeout" if timed_out else ""
        elif packet[at.error] & ~at.alerts:
            self.fault = "refused"
        else:
            self.missing.remove(packet[at.servo])
            self._data[packet[at.servo]] = bytes(packet[at.data : at.data + length])
            if packet[at.error] & at.alerts:
                self.alerts.append(packet[at.servo])

    def in_order(self) -> list[bytes]:
        """Return the data of all servos, in the order of their ids."""
        return [self._data[servo] for servo in self._ids]


class Bus(ABC):
    """Servos that answer to their ids on one line; all of them within `answer_limit_s`."""

    def __init__(self, ids: Sequence[int], answer_limit_s: float) -> None:
        self._ids, self._answer_limit_s = list(ids), answer_limit_s

    @abstractmethod
    def write(self, address: int, values: Mapping[int, bytes]) -> None:
        """Write registers of several servos at once, which nothing answers; the values are of one length. Raises OSError."""

    @abstractmethod
    def read(self, address: int, length: int) -> Answers:
        """Read the same registers of every servo; the answers say what was wrong with them. Raises OSError."""

    def write_all(self, address: int, data: bytes) -> None:
        """Write the same to every servo."""
        self.write(address, dict.fromkeys(self._ids, data))

    def read_whole(self, address: int, length: int, deadline_s: float) -> list[bytes]:
        """Read as `read` does, and ask again until the deadline; raises DeviceError where a servo never answered well."""
        while True:
            answers = self.read(address, length)
            if not answers.fault:
                return answers.in_order()
            if time.monotonic() >= deadline_s:
                raise DeviceError(
                    f"servos {answers.missing} did not answer ({answers.fault}). Check the power supply, the ids and the baud rate, "
                    "and that no other program uses the port."
                )


@dataclass(frozen=True, kw_only=True)
class ServoConfig(JointConfig):
    """What every driver of servos on a line takes."""

    port: str = param(doc="Serial port, as /dev/serial/by-id/usb-...")
    answer_limit_s: float = param(0.02, low=0.001, high=0.1, doc="Time in which all servos must have answered.")
    on_exit: str = param("release", choices=("release", "keep"), doc="Torque at the end: off, or kept on with the measured posture held.")


class ServoDriver(JointDriver[S]):
    """Joint i is the i-th servo of the bus. A device's own part: `_connect` (sets `_wire`, `_bus`), `_block`, `_parse`, `_write`."""

    FAULTS = ("timeout", "checksum", "old", "refused", "out_of_range", "alert")
    TORQUE: ClassVar[int]  # register that switches torque
    _bus: Bus
    _wire: SerialWire | None = None

    def __init__(self, name: str, config: ServoConfig, limits_rad: Array, servos: Mapping[int, str], moves: bool = True) -> None:
        """See `JointDriver`; servos: what the joint of each id is called, in command order."""
        super().__init__(name, config, limits_rad, moves)
        self._servos, self._on_exit, self._answer_limit_s = servos, config.on_exit, config.answer_limit_s
        self._turn = 0

    @abstractmethod
    def _block(self, turn: int) -> tuple[int, int]:
        """Return address and length of the registers that hold the state; for each of `LENGTHS` turns another length."""

    @abstractmethod
    def _parse(self, turn: int, blocks: Sequence[bytes]) -> S | None:
        """Return the state that the blocks of a turn say, None where it cannot be."""

    def _receive(self, deadline_s: float) -> Reading[S] | None:
        while True:
            self._turn = (self._turn + 1) % LENGTHS
            asked_s = self._speak()
            address, length = self._block(self._turn)
            answers = self._bus.read(address, length)
            self.health.count("old", answers.old)
            state = None if answers.fault else self._parse(self._turn, answers.in_order())
            if state is not None:
                self._fault = self._explain(answers.alerts) if answers.alerts else ""
                return Reading(asked_s, state)
            fault = answers.fault or "out_of_range"
            self.health.count(fault)
            of = f" of {self._servos[answers.missing[0]]}" if answers.missing else ""
            self.health.trouble = f"{self._name}: no good answer ({fault}){of}"
            if time.monotonic() >= deadline_s:
                return None

    def _speak(self) -> float:
        """Return the time. Called before anything is asked or commanded; raises DeviceError where the servos have to be set up anew."""
        return time.monotonic()

    def _measured(self, deadline_s: float) -> Array:
        state = self._parse(0, self._bus.read_whole(*self._block(0), deadline_s))
        if state is None:
            raise DeviceError("it says that joints are where they cannot be. Is it calibrated: is every joint's middle the servo's middle?")
        return state.position_rad

    def _explain(self, alerts: list[int]) -> str:
        self.health.count("alert")
        joints = ", ".join(self._servos[i] for i in alerts)
        return f"{joints} stopped with a hardware error (overload, heat or voltage): switch the device off and on"

    def _leave(self) -> None:
        if not self._moves:
            return
        if self._on_exit == "release":
            self._bus.write_all(self.TORQUE, bytes([0]))
        else:
            self._write(self._measured(time.monotonic() + self._answer_limit_s))

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
