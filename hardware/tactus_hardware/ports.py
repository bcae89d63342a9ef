"""What a device offers, whatever its wire: the one node that runs any device needs to know no more than this page."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import Array
from tactus_hardware.health import Health

T = TypeVar("T", covariant=True)
Image = NDArray[np.uint8]

# The parameter that says where a device is → what it is reached by.
WIRES = {"port": "serial line", "host": "network", "source": "video", "camera": "USB", "socket": "daemon"}


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A value and when it arrived, on the steady clock (`time.monotonic`)."""

    stamp_s: float
    value: T


@dataclass(frozen=True)
class Taxels:
    """What a skin says of each of its taxels. Only where `unit` is "N" did the maker say that it is force.

    value: (taxels, 3) float64: x y z along the taxel's own axes, signed as the maker does; NaN: it does not measure along that one, and
    what has one number only has it in z. unit: "N", "uT" (magnetic field), "counts" (of a converter, its zero is no zero of force), or
    what the device's README says. names: (taxels,), unique within the device.
    position_m: (taxels, 3) in the device's frame; NaN: not known.
    """

    value: Array
    unit: str
    names: tuple[str, ...]
    position_m: Array

    @classmethod
    def of_one_axis(cls, value: Array, unit: str, names: tuple[str, ...]) -> "Taxels":
        """Return those of a skin that has one number (taxels,) for each, and whose positions are not known."""
        unknown = np.full((len(value), 3), np.nan)
        return cls(np.column_stack([unknown[:, :2], value]), unit, names, unknown)


@dataclass(frozen=True)
class HandState:
    """What a hand says of its joints, in the order of its names; each (joints,). NaN: this hand does not measure it.

    position_rad: as in the hand's URDF. velocity_rad_s: of the same sign. current_A: of the motor, positive towards positive positions.
    force_N: how hard the joint's finger presses, as its own sensor says. taxels: of a hand that feels, with a stamp of their own, that of
    the oldest of them; None: no new ones came with this reading.
    """

    position_rad: Array
    velocity_rad_s: Array
    current_A: Array
    force_N: Array
    taxels: Reading[Taxels] | None = None


@dataclass(frozen=True)
class ArmState:
    """What an arm says of itself, joints in the order of their names, each (joints,). NaN: this arm does not measure it.

    position_rad: as in the arm's URDF. velocity_rad_s: of the same sign. current_A: of the motor, positive towards positive positions.
    wrench_tcp: (6,) force_N and torque_Nm that the ENVIRONMENT applies to the TOOL, in the tcp frame and about its origin.
    """

    position_rad: Array
    velocity_rad_s: Array
    current_A: Array
    wrench_tcp: Array


@dataclass(frozen=True)
class Axes:
    """What a hand does to an input device. axes: (n,) deflections, −1..1. buttons: 1 where one is down, else 0."""

    axes: Array
    buttons: tuple[int, ...]


class Sensor(Protocol[T]):
    """Something that measures. All calls come from one thread; none but `open` takes longer than 0.2 s, whatever the wire does."""

    health: Health

    def open(self) -> None:
        """Connect; raises DeviceError that says what is missing. From here on the driver reconnects by itself."""
        ...

    def read(self, timeout_s: float) -> Reading[T] | None:
        """Return the newest reading, waiting for at most `timeout_s` (and 0.1 s); None: no good one came, `health` says why.

        A reading is returned once. What is damaged, repeated, late or saturated is counted, and not returned.
        """
        ...

    def close(self) -> None:
        """Leave the device as configured, and let go of the wire. May be called at any time, also twice."""
        ...


class Jointed(Sensor[T], Protocol[T]):
    """A sensor that also moves. It holds the measured posture by itself when commands stop; `read` has to be called for that."""

    def command(self, position_rad: Array) -> Array | None:
        """Ask for joint positions (joints,); return those that were sent, clipped to the joints' limits, or None: nothing was sent.

        Raises DataError for a command that is not (joints,) finite numbers.
        """
        ...


class Hand(Jointed[HandState], Protocol):
    """A hand or a gripper."""


class Arm(Jointed[ArmState], Protocol):
    """An arm. It takes joint positions only: the guard judges joints, and a pose resolved behind it would pass unjudged."""


@dataclass(frozen=True)
class DeviceKind:
    """A device as a node finds it by entry point `tactus.devices`, and the command line lists it.

    measures: `wrench`, a reading is (6,) force_N and torque_Nm that the ENVIRONMENT applies to the TOOL, in the frame that the
    config's mounting says; `hand`, a reading is a HandState and `make` returns a Hand; `arm`, ArmState and Arm; `taxels`, a reading is
    Taxels, of which all but the value stays the same from `open` on; `image`, of a touch sensor, and `camera`, of what a policy sees, a
    reading is (h, w, 3) uint8, RGB; `axes`, a reading is Axes; or `leader`, a reading is a HandState or ArmState, and nothing is
    commanded. joints: names, in command order.
    config: frozen dataclass (`tactus_core.config`); `make` takes one. `python -m tactus_hardware.emulate NAME` starts its emulator.
    usb_ids: vendor:product of the USB adapters that it is known to come with; other devices may come with the same.
    """

    name: str
    doc: str
    measures: str
    config: type
    make: Callable[[Any], Sensor[Any]]
    joints: tuple[str, ...] = ()
    usb_ids: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Name of the parameter of `config` that says where the device is: the first text among `WIRES`; empty: none does."""
        texts = {f.name for f in fields(self.config) if f.type is str}
        return next((name for name in WIRES if name in texts), "")
