"""Reads an AnySkin or ReSkin board."""

import functools

import numpy as np

from tactus_core.types import Array
from tactus_hardware.anyskin import protocol
from tactus_hardware.anyskin.baseline import Baseline
from tactus_hardware.anyskin.config import AnyskinConfig
from tactus_hardware.ports import Taxels
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.stream import StreamDriver

# A magnetometer whose four numbers stay the same to the bit for so many readings is not measured any more: the board sends its last again.
_STUCK_READINGS = 10


class AnyskinSensor(StreamDriver[Taxels]):
    """A `Sensor` of taxels, one for each magnetometer: the change of its field [uT] since `open`, when nobody may touch the skin.

    The baseline outlives a lost connection: taken anew in the middle of a grasp, it would make the grasp vanish.
    """

    FAULTS = ("damaged", "repeated", "skipped", "missing", "stuck", "out_of_range")
    DAMAGED = "damaged"
    NO_STREAM = "no frame of its stream came. Check that this is its port, and that it has as many magnetometers as `magnetometers` says."

    def __init__(self, config: AnyskinConfig) -> None:
        parser = functools.partial(protocol.Frames, config.magnetometers)
        super().__init__(f"magnetic skin at {config.port}", config, config.port, protocol.BAUD, parser)
        self._config = config
        self._names = tuple(f"magnetometer{number}" for number in range(config.magnetometers))
        self._position_m = np.full((config.magnetometers, 3), np.nan)

    def open(self) -> None:
        """See `Sensor`. From here to the first reading the skin must not be touched."""
        self._baseline = Baseline(self._config.baseline_readings, self._config.baseline_still_uT)
        super().open()

    def _start(self, wire: SerialWire) -> None:
        wire.discard()
        self._last = np.full((self._config.magnetometers, 4), np.nan)
        self._same = np.zeros(self._config.magnetometers, dtype=np.int64)

    def _judged(self, numbers: Array) -> Taxels | None:
        same = (numbers == self._last).all(axis=1)
        self._last = numbers
        self._same = np.where(same, self._same + 1, 0)
        if same.all():
            self.health.count("repeated")
            return None
        self._heard()
        field_uT = numbers[:, 1:]
        for fault, struck, what in (
            ("missing", (numbers == 0.0).all(axis=1), "says nothing but zeros; check its wiring"),
            ("stuck", self._same >= _STUCK_READINGS, "says the same again and again; check its wiring"),
            ("out_of_range", (np.abs(field_uT) > self._config.range_uT).any(axis=1), "measures more than its range; is a magnet near?"),
        ):
            if struck.any():
                self.health.count(fault)
                self.health.trouble = f"{self._name}: {self._names[int(struck.argmax())]} {what}"
                return None
        felt_uT = self._baseline.less(field_uT)
        if felt_uT is None:
            self.health.trouble = f"{self._name}: its baseline is being taken; do not touch the skin"
            return None
        return Taxels(felt_uT, "uT", self._names, self._position_m)
