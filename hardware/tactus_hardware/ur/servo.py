"""The process that moves the robot through ur-rtde: `python -m tactus_hardware.ur.servo FILE SETTINGS`, started by `Control`.

ur-rtde waits for the robot, for seconds where it has to, and keeps Python's lock meanwhile: nothing else in its process can run, no thread
and no time-out. So it has this process to itself. Three silences are watched: of the driver here (the servo motion is stopped), of this
process by the robot (its watchdog ends the program), and of ur-rtde by a timer that needs no lock (this process ends).
"""

import contextlib
import faulthandler
import json
import math
import socket
import sys
import time
from typing import Any

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.ur.link import ALIVE, FAILED, parse, received

_HANG_S = 10.0
_GUARD_AGAIN_S = 1.0
_ALIVE_AGAIN_S = 0.01


def walk(reference_rad: Array, target_rad: Array, most_rad: float) -> Array:
    """Return the reference, gone on to the target in a straight line by at most so much in any joint."""
    way = target_rad - reference_rad
    longest = float(np.abs(way).max())
    return target_rad if longest <= most_rad else reference_rad + way * (most_rad / longest)


class Servo:
    """Follows what comes over the link, one step per period. `settings`: the fields of UrConfig by name."""

    def __init__(self, link: socket.socket, settings: dict[str, Any]) -> None:
        """Connect, and have the robot run ur-rtde's script; takes seconds. Raises RuntimeError, DeviceError."""
        import rtde_control

        self._link, self._settings, self._period_s = link, settings, 1.0 / settings["frequency_Hz"]
        self._control = rtde_control.RTDEControlInterface(settings["host"], float(settings["frequency_Hz"]))
        if not self._control.setWatchdog(1.0 / settings["process_timeout_s"]):
            raise DeviceError("the robot did not take the watchdog")
        self._reference_rad: Array | None = None
        self._target_rad: Array | None = None

    def run(self) -> None:
        """Follow until the link ends; then stop the motion, and end the script."""
        heard_s = told_s = guarded_s = -math.inf
        while True:
            now_s = time.monotonic()
            messages, there = received(self._link)
            if not there:
                break
            for message in messages:
                heard_s = now_s
                self._take(*parse(message))
            if now_s - heard_s > self._settings["process_timeout_s"]:
                self._stop()
            self._step()
            if now_s - told_s > _ALIVE_AGAIN_S:
                told_s = now_s
                with contextlib.suppress(BlockingIOError):  # a driver that does not listen must not hold this up
                    self._link.send(ALIVE, socket.MSG_DONTWAIT)
            if now_s - guarded_s > _GUARD_AGAIN_S:
                guarded_s = now_s
                guard()
            time.sleep(max(0.0, now_s + self._period_s - time.monotonic()))
        self._stop()
        self._control.stopScript()

    def _take(self, target_rad: Array, measured_rad: Array) -> None:
        if np.isfinite(target_rad).all():
            self._target_rad = target_rad
            if self._reference_rad is None:
                self._reference_rad = measured_rad

    def _step(self) -> None:
        if not self._control.isProgramRunning():
            raise DeviceError("the robot has ended the program: see the teach pendant")
        settings = self._settings
        if self._target_rad is None or self._reference_rad is None:
            self._control.kickWatchdog()
            return
        self._reference_rad = walk(self._reference_rad, self._target_rad, settings["speed_limit_rad_s"] * self._period_s)
        # Velocity and acceleration are not used by the controller yet.
        if not self._control.servoJ(self._reference_rad.tolist(), 0.0, 0.0, self._period_s, settings["lookahead_s"], settings["gain"]):
            raise DeviceError("the robot did not take a servo target")

    def _stop(self) -> None:
        if self._target_rad is not None:
            self._target_rad = self._reference_rad = None
            self._control.servoStop(self._settings["stopping_rad_s2"])


def guard() -> None:
    """End this process if it is not called again for a while, wherever it hangs."""
    faulthandler.dump_traceback_later(_HANG_S, exit=True)


def main() -> None:
    """Serve the link; what went wrong is its last message."""
    guard()
    link = socket.socket(fileno=int(sys.argv[1]))
    try:
        with contextlib.suppress(BrokenPipeError):  # the driver has gone while it was being told something
            Servo(link, json.loads(sys.argv[2])).run()
    except ImportError:
        link.send(FAILED + b"ur-rtde is not installed. Try: pip install -r requirements/hardware.txt")
    except (RuntimeError, DeviceError, OSError) as error:  # ur-rtde raises RuntimeError for all that is wrong
        link.send(FAILED + str(error).encode())


if __name__ == "__main__":
    main()
