"""What every driver does alike: connects, connects again with back-off, and judges silence."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from tactus_core.config import param
from tactus_core.errors import DeviceError, TactusError
from tactus_hardware.health import Health
from tactus_hardware.ports import Reading

T = TypeVar("T")

# What `read` may take: waiting or connecting, never both; a request under way at the limit may be answered for another 0.06 s.
_READ_LIMIT_S = 0.1
_CONNECT_LIMIT_S = 0.1
# What waited for so long to be read is not passed on. A buffer that overflows keeps what is oldest: even its last is old.
PAUSE_S = 0.15


@dataclass(frozen=True, kw_only=True)
class DriverConfig:
    """What every driver takes."""

    silence_s: float = param(0.1, low=0.005, high=10.0, doc="Time of silence after which the device is connected anew.")
    retry_first_s: float = param(0.05, low=0.001, high=10.0, doc="Wait before the second attempt to connect anew; it doubles each time.")
    retry_longest_s: float = param(1.0, low=0.001, high=60.0, doc="Longest wait between two attempts.")


class Driver(ABC, Generic[T]):
    """Implements `Sensor`. A driver's own part: `_connect`, `_receive`, `_disconnect`, and the names of its faults.

    `counts["late"]`: readings older than what is passed on.
    """

    FAULTS: ClassVar[tuple[str, ...]] = ()
    OPEN_LIMIT_S: ClassVar[float] = 2.0

    def __init__(self, name: str, config: DriverConfig) -> None:
        self.health = Health(*self.FAULTS)
        self._name, self._timing = name, config
        self._open = False
        self._read_s = self._heard_s = self._retry_s = 0.0
        self._wait_s = 0.0

    def open(self) -> None:
        """See `Sensor`."""
        self._open = True
        try:
            self._attempt(self.OPEN_LIMIT_S)
        except (OSError, TactusError) as error:
            self.close()
            raise DeviceError(f"cannot open {self._name}: {error}") from None

    def read(self, timeout_s: float) -> Reading[T] | None:
        """See `Sensor`."""
        if not self._open:
            raise DeviceError(f"{self._name} is read, and is not open. Call open() first.")
        began_s = time.monotonic()
        deadline_s = began_s + min(timeout_s, _READ_LIMIT_S)
        if began_s - self._read_s > PAUSE_S:
            self._heard()  # silence counts from here: before, nobody listened
        try:
            reading = self._next(deadline_s) if self._connected_by(deadline_s) else None
        except (OSError, DeviceError) as error:
            self._lose(str(error))
            reading = None
        self._read_s = time.monotonic()
        return reading

    def close(self) -> None:
        """See `Sensor`."""
        if self.health.connected:
            try:
                self._leave()
            except (OSError, DeviceError) as error:
                self.health.trouble = f"{self._name} could not be left as configured: {error}"
            else:
                self.health.trouble = "closed"
        self._open = self.health.connected = False
        self._disconnect()

    @abstractmethod
    def _connect(self, deadline_s: float) -> None:
        """Reach the device and make it measure, all by the deadline; raises OSError or DeviceError."""

    @abstractmethod
    def _receive(self, deadline_s: float) -> Reading[T] | None:
        """Return the newest good reading; None where none came by the deadline. Raises OSError or DeviceError: the link is broken."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Let go of the wire; never raises, may be called twice."""

    def _leave(self) -> None:
        """Say goodbye to a device that is connected."""

    def _warning(self) -> str:
        """Return what is wrong with a device that reads well."""
        return ""

    def _next(self, deadline_s: float) -> Reading[T] | None:
        reading = self._receive(deadline_s)
        if reading is not None and time.monotonic() - reading.stamp_s > PAUSE_S:
            self.health.count("late")
            self.health.trouble = f"{self._name}: what came had waited for over {PAUSE_S} s; is this process kept from running?"
            return None
        if reading is not None:
            self._heard()
            self._wait_s = 0.0
            self.health.reading(reading.stamp_s, self._warning())
        silent_s = time.monotonic() - self._heard_s
        if silent_s > self._timing.silence_s:
            self._lose(f"nothing of use came for {silent_s:.2f} s. Check its power and cable, and that no other program reads it.")
        return reading

    def _heard(self) -> None:
        """Note that the device talks, even where what it says is of no use."""
        self._heard_s = time.monotonic()

    def _connected_by(self, deadline_s: float) -> bool:
        if self.health.connected:
            return True
        # An attempt takes the whole of a call: either it is due now, or this call waits.
        now_s = time.monotonic()
        if now_s < self._retry_s:
            time.sleep(max(0.0, min(self._retry_s, deadline_s) - now_s))
        else:
            self._attempt(_CONNECT_LIMIT_S)
        return False

    def _attempt(self, limit_s: float) -> None:
        self._connect(time.monotonic() + limit_s)
        self.health.connected = True
        self.health.count("connections")
        self._heard()

    def _lose(self, why: str) -> None:
        self.health.connected = False
        self.health.trouble = f"{self._name}: {why}"
        self._disconnect()
        self._retry_s = time.monotonic() + self._wait_s
        self._wait_s = min(max(2.0 * self._wait_s, self._timing.retry_first_s), self._timing.retry_longest_s)
