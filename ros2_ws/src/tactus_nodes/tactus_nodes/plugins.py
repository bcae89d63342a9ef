"""Robots, tasks and devices, found by entry point: the nodes import none of them."""

from importlib.metadata import entry_points
from typing import Any

from tactus_core.errors import ConfigError, SetupError
from tactus_core.ports import SimRobot, SimTask
from tactus_core.types import RobotDescription


def find(group: str, name: str) -> Any:
    """Return what is registered as `name` in the entry point group; raises ConfigError that lists what is known."""
    known = {entry.name: entry for entry in entry_points(group=group)}
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"no '{name}' in entry point group '{group}'; installed: {names}. Check the spelling, or install its package.")
    return known[name].load()


def names(group: str) -> list[str]:
    """Return what is registered in an entry point group, sorted; nothing is loaded."""
    return sorted(entry.name for entry in entry_points(group=group))


def find_robot(name: str) -> RobotDescription:
    """Return the robot `name`; raises ConfigError."""
    return find("tactus.robots", name)


def find_task(name: str, shift: str = "") -> SimTask:
    """Return the simulated task `name`, under other circumstances where a shift is named; raises ConfigError that lists what is known."""
    task: SimTask = find("tactus.tasks", name)
    if shift and shift not in task.shifts:
        raise ConfigError(f"task '{name}' has no shift '{shift}'; it knows {', '.join(sorted(task.shifts)) or 'none'}. Check the spelling.")
    return task.shifts[shift] if shift else task


def find_sim(robot: str) -> SimRobot:
    """Return what simulates the robot of that name; raises ConfigError."""
    if robot not in (known := names("tactus.sims")):
        raise ConfigError(f"no simulation of robot '{robot}'; of {', '.join(known) or 'none'} there is one. Launch it with mode:=emulated.")
    return find("tactus.sims", robot)


def find_kind(name: str) -> Any:
    """Return the `DeviceKind` (`tactus_hardware.ports`) `name`; raises ConfigError, or SetupError where its library is missing."""
    try:
        kind = find("tactus.devices", name)
    except ImportError as error:
        raise SetupError(f"device '{name}' needs a library that is not installed: {error}. Install requirements/hardware.txt.") from None
    if not hasattr(kind, "measures"):
        raise ConfigError(f"'{name}' is no device that has a driver. See ./tactus devices for those that have.")
    return kind
