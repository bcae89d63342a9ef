"""What has to be known of a driver that speaks ROS 2 to stand on it: its topics, its names, its words. One YAML file is one driver."""

from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.errors import ConfigError
from tactus_core.perception.mounting import MountingConfig
from tactus_core.types import Array

_NEEDS = {"arm": ("robot", "states"), "hand": ("robot", "states", "commands"), "wrench": ("wrench",), "camera": ("images",)}


@dataclass(frozen=True, kw_only=True)
class DriverProfile(MountingConfig):
    """A driver of an arm or a hand, of a force/torque sensor or of a camera; the mounting is that of the wrench that it tells."""

    measures: str = param(choices=tuple(_NEEDS), doc="What its device is.")
    robot: str = param("", doc="Robot that the device is a part of, by its entry point in 'tactus.robots'; a sensor needs none.")
    joints: tuple[str, ...] = param((), doc="What the driver calls the robot's joints, in the robot's order; empty: as the robot does.")
    states: str = param("", doc="The driver's topic of joint states.")
    wrench: str = param("", doc="The driver's topic of the wrench; empty: it tells none.")
    zero_is_unknown: bool = param(False, doc="The driver says zero, to the bit, for a wrench that it does not know.")
    images: str = param("", doc="The driver's topic of a camera's images, rgb8 or bgr8.")
    latency_s: float = param(0.0, low=0.0, high=0.5, doc="From the capture of an image to what its stamp says otherwise.")
    controller_manager: str = param("", doc="Name of an arm's controller manager; empty: it takes joint commands on the topic `commands`.")
    commands: str = param("", doc="The driver's own topic of joint commands, of an arm or a hand without a controller manager.")
    poses: bool = param(False, doc="Command the pose of the tcp, for a Cartesian controller, and not the joints.")
    horizon_s: float = param(0.05, low=0.01, high=0.5, doc="Time in which a trajectory controller gets to a command.")
    speed_limit_rad_s: float = param(1.0, low=0.01, high=3.2, doc="An arm is asked for no more than what this speed reaches in horizon_s.")
    command_timeout_s: float = param(0.1, low=0.01, high=1.0, doc="Silence of commands after which the device is made to hold.")
    state_timeout_s: float = param(
        0.1, low=0.01, high=1.0, doc="Silence of the driver, or age of an image, from which nothing is passed on."
    )

    def __post_init__(self) -> None:
        """Refuse a profile of what could not be heard, or commanded in no way or two."""
        missing = [name for name in _NEEDS[self.measures] if not getattr(self, name)]
        if self.measures == "arm" and bool(self.controller_manager) is bool(self.commands):
            missing.append("one of controller_manager and commands, not both")
        if self.poses and not self.controller_manager:
            missing.append("controller_manager, for a Cartesian controller takes poses")
        if missing:
            raise ConfigError(
                f"the profile of a driver that measures '{self.measures}' needs: {', '.join(missing)}. Name a profile, or set it."
            )

    def reachable(self, wanted_rad: Array, measured_rad: Array) -> Array:
        """Return as much of the way to `wanted_rad` as an arm may be asked for at once, each (joints,).

        Its controller goes wherever it is told in `horizon_s`, however far that is: nobody else behind the guard would limit the speed.
        """
        reach_rad = self.speed_limit_rad_s * self.horizon_s
        return measured_rad + np.clip(wanted_rad - measured_rad, -reach_rad, reach_rad)
