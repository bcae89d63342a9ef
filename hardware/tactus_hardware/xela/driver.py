"""Reads uSkin sensors from XELA's server."""

import contextlib
import time

import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tactus_core.errors import DataError, DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import Driver
from tactus_hardware.ports import Reading, Taxels
from tactus_hardware.xela import protocol
from tactus_hardware.xela.config import XelaConfig
from tactus_hardware.xela.protocol import Message

_CLOSE_LIMIT_S = 0.02
# The maker's ROS messages call the calibrated values forces, and nothing public says that they are newtons.
_UNITS = {"calibrated": "calibrated", "raw": "counts"}


class XelaSensor(Driver[Taxels]):
    """A `Sensor` of the taxels of all configured sensors, one after the other. How many, is learned at `open`, and must not change."""

    FAULTS = ("malformed", "duplicate", "lost", "skipped", "missing", "repeated", "saturated")

    def __init__(self, config: XelaConfig) -> None:
        super().__init__(f"XELA server at {config.host}:{config.port}", config)
        self._config = config
        self._link: ClientConnection | None = None
        self._leaving = contextlib.ExitStack()
        self._layout: tuple[int, ...] = ()

    def open(self) -> None:
        """See `Sensor`."""
        self._layout = ()
        super().open()

    def _connect(self, deadline_s: float) -> None:
        self._number, self._delay, self._last = -1, protocol.Delay(), np.empty((0, 3))
        try:
            # No proxy: one that the environment names is for the Internet. No pings: silence is judged here.
            link = connect(
                f"ws://{self._config.host}:{self._config.port}", open_timeout=_left_s(deadline_s), close_timeout=_CLOSE_LIMIT_S,
                ping_interval=None, compression=None, proxy=None, max_size=protocol.LONGEST_BYTES,
            )  # fmt: skip
            self._link = self._leaving.enter_context(link)
        except WebSocketException as error:
            raise DeviceError(f"it does not speak WebSocket as expected: {error}. Check that xela_server listens on this port.") from None
        message = None
        while message is None:
            text = self._text(deadline_s)
            if text is None:
                raise DeviceError("no measurement came. Check that xela_server sees its sensors, and that their bus has power.")
            message = self._parsed(text)
        self._learn(message)

    def _learn(self, message: Message) -> None:
        absent = [sensor for sensor in self._config.sensors if sensor not in message.patches]
        if absent:
            raise DeviceError(f"it sends no sensor {absent}, it has {sorted(message.patches)}. Set `sensors` to those that are there.")
        patches = [message.patches[sensor] for sensor in self._config.sensors]
        if self._config.values == "calibrated" and any(patch.calibrated is None for patch in patches):
            raise DeviceError("it sends no calibrated values. Switch them on in the server's xServ.ini, or set `values: raw`.")
        layout = tuple(len(patch.raw_counts) for patch in patches)
        if self._layout and layout != self._layout:
            raise DeviceError(f"its sensors have {layout} taxels, and had {self._layout}. Open it anew if they were exchanged.")
        self._layout = layout
        self._names = tuple(f"{sensor}/{i}" for sensor, taxels in zip(self._config.sensors, layout, strict=True) for i in range(taxels))
        self._position_m = np.full((sum(layout), 3), np.nan)

    def _receive(self, deadline_s: float) -> Reading[Taxels] | None:
        newest: Reading[Taxels] | None = None
        # Waits for the first good one, then takes what else has come; a flood must not keep it here.
        while (text := self._text(deadline_s if newest is None else 0.0)) is not None:
            message = self._parsed(text)
            value = None if message is None else self._judged(message)
            arrived_s = time.monotonic()
            if message is not None and value is not None:
                self.health.count("skipped", newest is not None)
                newest = Reading(arrived_s - self._delay.of(message.time_s, arrived_s), value)
            if arrived_s >= deadline_s:
                break
        return newest

    def _text(self, deadline_s: float) -> bytes | None:
        if self._link is None:
            return None
        try:
            return self._link.recv(_left_s(deadline_s), decode=False)
        except TimeoutError:
            return None
        except WebSocketException as error:
            raise DeviceError(f"the server has gone: {error}") from None

    def _parsed(self, text: bytes) -> Message | None:
        try:
            return protocol.parse_message(text)
        except DataError as error:
            self.health.count("malformed")
            self.health.trouble = f"{self._name}: {error}"
            return None

    def _judged(self, message: Message) -> Taxels | None:
        if message.number <= self._number:
            self.health.count("duplicate")
            return None
        if self._number >= 0:
            self.health.counts["lost"] += message.number - self._number - 1
        self._number = message.number
        patches = [message.patches[sensor] for sensor in self._config.sensors if sensor in message.patches]
        values = [patch.raw_counts if self._config.values == "raw" else patch.calibrated for patch in patches]
        if tuple(len(value) for value in values if value is not None) != self._layout:
            self.health.count("missing")
            self.health.trouble = f"{self._name}: a sensor, or its calibrated values, went missing; check its cable"
            return None
        raw = np.concatenate([patch.raw_counts for patch in patches])
        if np.array_equal(raw, self._last):
            self.health.count("repeated")
            return None
        self._last = raw
        self._heard()
        return self._believed(raw, np.concatenate([value for value in values if value is not None]))

    def _believed(self, raw: Array, value: Array) -> Taxels | None:
        at_rail = ((raw == 0) | (raw == protocol.MOST_COUNTS)).any(axis=1)
        if at_rail.any():
            self.health.count("saturated")
            self.health.trouble = f"{self._name}: taxel {self._names[int(at_rail.argmax())]} is at the end of its range; unload it"
            return None
        return Taxels(value, _UNITS[self._config.values], self._names, self._position_m)

    def _disconnect(self) -> None:
        self._leaving.close()
        self._link = None


def _left_s(deadline_s: float) -> float:
    return max(0.0, deadline_s - time.monotonic())
