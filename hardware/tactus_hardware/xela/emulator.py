"""Fakes XELA's server with two sensors: measurements over WebSocket."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.xela import protocol
from tactus_hardware.xela.protocol import Message, Patch

_PERIOD_S = 0.01
_MODELS = {1: "uSPa46", 2: "uSPa44"}
_TAXELS = {1: 24, 2: 16}
_WELCOME = b'{"message": "Welcome"}'
_REST_COUNTS, _COUNTS_PER_UNIT, _NOISE_COUNTS = 32768, 1000.0, 8.0


class XelaEmulator(Emulator):
    """100 messages per second; a taxel's calibrated values are its counts beyond rest, divided by 1000.

    `set press TAXEL x y z`: what a taxel feels, counted through both sensors. `set calibrated 0`: the server has no calibration.
    `set absent SENSOR`: a sensor that is not told of any more, 0: all are.
    """

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        self._line = TcpLine(self._take, self._greet)
        super().__init__(faults, self._line)
        self._random = np.random.default_rng(0)
        self._press = np.zeros((sum(_TAXELS.values()), 3))
        self._counts = self._press
        self._calibrated, self._absent = True, 0
        self._number = 0
        self._text = b""
        self._next_s = 0.0
        self._server = ServerProtocol()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {**super().address(), "sensors": list(_MODELS)}

    def hang_up(self) -> None:
        """See `Emulator`."""
        super().hang_up()
        self._greet()

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._number = 0

    def tick(self, now_s: float) -> float:
        """Send the message that is due."""
        if now_s >= self._next_s:
            self._next_s = max(self._next_s + _PERIOD_S, now_s)
            if not self._text or not self.faults.strikes("stale"):
                self._measure()
            if self._server.state is State.OPEN:
                self.send(self._say, self._text)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        match name, values:
            case "press", [taxel, *felt] if len(felt) == 3:
                self._press[int(taxel)] = felt
            case "calibrated", [on]:
                self._calibrated = bool(on)
            case "absent", [sensor]:
                self._absent = int(sensor)
            case _:
                raise ConfigError(f"a XELA emulator cannot set {name} to {values}; it knows press (4 numbers), calibrated (1), absent (1).")

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"connected": self._server.state is State.OPEN, "number": self._number}

    def _measure(self) -> None:
        self._number += 1
        if not self.faults.strikes("stuck"):
            noise = self._random.normal(0.0, _NOISE_COUNTS, self._press.shape)
            self._counts = np.clip(np.rint(_REST_COUNTS + _COUNTS_PER_UNIT * self._press + noise), 1, protocol.MOST_COUNTS - 1)
        counts = self._counts.copy()
        if self.faults.strikes("saturation"):
            counts[0, 2] = protocol.MOST_COUNTS
        patches, at = {}, 0
        for sensor, taxels in _TAXELS.items():
            raw = counts[at : at + taxels]
            at += taxels
            if sensor != self._absent:
                patches[sensor] = Patch(raw, (raw - _REST_COUNTS) / _COUNTS_PER_UNIT if self._calibrated else None)
        self._text = protocol.pack_message(Message(self._number, time.time(), patches), _MODELS)

    def _greet(self) -> None:
        self._server = ServerProtocol()

    def _take(self, data: bytes) -> None:
        if not data:
            self._greet()
            return
        self._server.receive_data(data)
        for event in self._server.events_received():
            if isinstance(event, Request):
                self._server.send_response(self._server.accept(event))
                self._flush()
                if self._server.state is State.OPEN:
                    self.send(self._say, _WELCOME)
        self._flush()

    def _say(self, text: bytes) -> None:
        if self._server.state is State.OPEN:
            self._server.send_text(text)
            self._flush()

    def _flush(self) -> None:
        for data in self._server.data_to_send():
            self._line.send(data)


make = XelaEmulator
