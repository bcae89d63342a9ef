"""Reads a SpaceMouse through spacenavd."""

import math
import select
import socket
import time

from tactus_core.errors import DataError, DeviceError
from tactus_hardware.driver import PAUSE_S, Driver
from tactus_hardware.ports import Axes, Reading
from tactus_hardware.spacemouse import protocol
from tactus_hardware.spacemouse.config import SpaceMouseConfig
from tactus_hardware.spacemouse.protocol import EVENT_BYTES, Puck

# A puck at rest says nothing, and is told anew as often as this.
_AGAIN_S = 0.02
# Whose buttons may have changed unseen says nothing for so long: whoever relies on them has noticed by then.
_QUIET_S = 0.5
_HEAP_BYTES = 2048 * EVENT_BYTES


class SpaceMouse(Driver[Axes]):
    """A `Sensor` of axes. The daemon tells changes only: what the puck does is known from its first word on."""

    FAULTS = ("malformed",)

    def __init__(self, config: SpaceMouseConfig) -> None:
        super().__init__(f"SpaceMouse at {config.socket}", config)
        self._config = config
        self._socket: socket.socket | None = None
        self._puck = Puck()
        self._looked_s = self._moved_s = self._told_s = self._quiet_s = 0.0

    def _connect(self, deadline_s: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(max(0.001, deadline_s - time.monotonic()))
            self._socket.connect(self._config.socket)
            self._socket.sendall(protocol.HELLO)
            # It may have begun with an event, before it read what we said.
            while (word := self._exactly(len(protocol.HELLO), deadline_s)) != protocol.HELLO:
                protocol.parse_event(word + self._exactly(EVENT_BYTES - len(word), deadline_s))
        except (FileNotFoundError, ConnectionRefusedError):
            raise DeviceError("spacenavd does not listen there. Install and start it: sudo systemctl start spacenavd.") from None
        except (TimeoutError, DataError):
            raise DeviceError("what listens there did not answer as spacenavd does. Check that it is spacenavd 1.0 or later.") from None
        self._socket.setblocking(False)
        self._looked_s = time.monotonic()
        self._forget()

    def _receive(self, deadline_s: float) -> Reading[Axes] | None:
        while self._socket is not None:
            wait_s = min(deadline_s, self._due_s()) - time.monotonic()
            ready, _, _ = select.select([self._socket], [], [], max(0.0, wait_s))
            now_s = time.monotonic()
            self._heard()  # silence is what a puck at rest says, and a daemon that ends hangs up
            if ready:
                self._take(self._socket.recv(_HEAP_BYTES), now_s)
            self._looked_s = now_s
            if (found := self._now(now_s, bool(ready))) is not None:
                self._told_s = now_s
                return Reading(now_s, found)
            if now_s >= deadline_s:
                break
        return None

    def _take(self, data: bytes, now_s: float) -> None:
        waited = now_s - self._looked_s > PAUSE_S
        if not data:
            raise DeviceError("spacenavd has hung up. Is it running?")
        try:
            if len(data) % EVENT_BYTES:
                raise DataError("spacenavd's events came in pieces")
            for at in range(0, len(data), EVENT_BYTES):
                self._follow(protocol.parse_event(data[at : at + EVENT_BYTES]), now_s)
        except DataError as error:
            self.health.count("malformed")
            raise DeviceError(str(error)) from None
        if waited:
            self._forget()

    def _follow(self, event: protocol.Event, now_s: float) -> None:
        if event.kind == protocol.DEVICE:
            self._forget()
        self._puck.follow(event)
        if event.kind == protocol.MOTION:
            self._moved_s = now_s

    def _now(self, now_s: float, changed: bool) -> Axes | None:
        """Return what the puck does now, where that is known and new."""
        puck = self._puck
        if puck.counts is None or now_s < self._quiet_s:
            self.health.trouble = f"{self._name}: what the puck does is not known. Move it once; is it plugged in?"
            return None
        if puck.pushed and now_s - self._moved_s > self._config.pushed_s:
            self.health.trouble = f"{self._name}: the puck was pushed, and has said nothing since. Move it; is it plugged in?"
            return None
        if not changed and now_s < self._due_s():
            return None
        return Axes(protocol.axes(puck.counts, self._config.full_counts), puck.buttons)

    def _due_s(self) -> float:
        """Return when a puck that says nothing is to be told again: never, where it is pushed or nothing is known of it."""
        rests = self._puck.counts is not None and not self._puck.pushed
        return max(self._told_s + _AGAIN_S, self._quiet_s) if rests else math.inf

    def _forget(self) -> None:
        self._puck, self._quiet_s = Puck(), time.monotonic() + _QUIET_S

    def _exactly(self, count: int, deadline_s: float) -> bytes:
        data = b""
        while self._socket is not None and len(data) < count:
            self._socket.settimeout(max(0.001, deadline_s - time.monotonic()))
            data += (more := self._socket.recv(count - len(data)))
            if not more or time.monotonic() > deadline_s:
                raise TimeoutError
        return data

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
