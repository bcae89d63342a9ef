"""Moves and reads a Robotiq gripper."""

import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.linked import LinkedHand
from tactus_hardware.ports import HandState, Reading
from tactus_hardware.robotiq import links, protocol
from tactus_hardware.robotiq.config import RobotiqConfig
from tactus_hardware.robotiq.links import Link
from tactus_hardware.robotiq.protocol import Status

_ACTIVATING = "its activation is not over: its fingers close and open all the way"
_INACTIVE = "it is not activated. Activating moves its fingers ALL THE WAY: clear them, then open it with 'activate' set to true."
_STOPPED = "another program stopped it. See to that, then close and open it here."


class RobotiqGripper(LinkedHand[Link]):
    """A `Hand` of one joint: rad, 0 is open (2F); m of one finger's way, 0 is closed (Hand-E).

    It holds by itself, and has no watchdog: where this process dies it ends its last motion. What it grips it goes on gripping when
    commands stop: to hold the measured posture instead would let go. `counts["gripped"]`: its fingers met something; `counts["dropped"]`:
    they lost it, though their goal stayed.
    """

    FAULTS = ("timeout", "damaged", "refused", "alert", "gripped", "dropped")

    def __init__(self, config: RobotiqConfig) -> None:
        links.check(config)
        self._config, self._model = config, protocol.MODELS[config.model]
        place = config.port if config.wire == "rtu" else f"{config.host}:{config.tcp_port}"
        super().__init__(f"Robotiq {self._model.name} at {place}", config, self._model.limits())
        self._pace = protocol.scaled(config.speed_m_s, self._model.speed_m_s), protocol.scaled(config.force_N, self._model.force_N)
        self._may_activate = self._stopped = self._following = self._rising = False
        self._gripped: int | None = None  # the goal towards which its fingers were stopped

    def open(self) -> None:
        """See `Sensor`. Only here a gripper may be activated or started: one that lost its power, or was stopped, waits for a person."""
        self._may_activate, self._stopped = self._config.activate, False
        super().open()

    def _connect(self, deadline_s: float) -> None:
        if self._stopped:
            raise DeviceError(_STOPPED)
        self._link, self._gripped = links.connect(self._config, deadline_s), None
        self._following = self._rising = False
        status = self._exchange(self._link.status, deadline_s)
        if not status.activated or status.failed:
            if not self._may_activate:
                raise DeviceError(status.trouble if status.failed else _INACTIVE)
            self._exchange(self._link.act, False)
            self._rising = True
        self._may_activate = False
        self._settle(status)

    def _receive(self, deadline_s: float) -> Reading[HandState] | None:
        asked_s = time.monotonic()
        status = self._exchange(self._linked().status, max(deadline_s, asked_s + self._config.answer_limit_s))
        if not self._following:
            self._settle(status)
            self._heard()
            return None
        self._stopped = status.ready and not status.following and not status.trouble
        if not status.ready or self._stopped:
            raise DeviceError(_STOPPED if self._stopped else _INACTIVE)
        self._notice(status)
        unknown = np.full(1, np.nan)
        position = np.array([self._model.joint(status.position)])
        return Reading(asked_s, HandState(position, unknown, np.array([status.current_A]), unknown))

    def _settle(self, status: Status) -> None:
        """Take the next step towards a gripper that follows a goal, which is where it is; one per status, for each takes its time."""
        if self._rising:
            if not status.activated:
                self._exchange(self._linked().act, True)
                self._rising = False
        elif status.ready:
            self._exchange(self._linked().goal, status.requested if status.gripping else status.position, self._pace, True)
            self._following, self._fault = True, status.trouble
            return
        elif not status.activated or status.failed:
            raise DeviceError(f"its activation ended: {status.trouble or 'it was switched off'}. See to it, then close and open it here.")
        self._fault = _ACTIVATING
        self.health.trouble = f"{self._name}: {_ACTIVATING}"

    def _notice(self, status: Status) -> None:
        self._fault = status.trouble
        self.health.count("alert", bool(self._fault))
        self.health.count("gripped", status.gripping and self._gripped is None)
        self.health.count("dropped", not status.gripping and self._gripped == status.requested)
        self._gripped = status.requested if status.gripping else None

    def _hold(self, state: HandState) -> None:
        if self._gripped is None:
            super()._hold(state)

    def _write(self, position_rad: Array) -> None:
        self._exchange(self._linked().goal, self._model.count(position_rad[0]), self._pace)

    def _leave(self) -> None:
        status = self._exchange(self._linked().status, time.monotonic() + self._config.answer_limit_s)
        if self._following and not status.gripping:
            self._exchange(self._linked().goal, status.position, self._pace)
