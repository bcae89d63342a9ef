"""Robots, tasks and devices, found by entry point: the nodes import none of them."""

from importlib.metadata import entry_points
from typing import Any

from tactus_core.errors import ConfigError
from tactus_core.ports import SimTask
from tactus_core.types import RobotDescription


def find(group: str, name: str) -> Any:
    """Return what is registered as `name` in the entry point group; raises ConfigError that lists what is known."""
    known = {entry.name: entry for entry in entry_points(group=group)}
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"no '{name}' in entry point group '{group}'; installed: {names}. Check the spelling, or install its package.")
    return known[name].load()


def find_robot(name: str) -> RobotDescription:
    """Return the robot `name`; raises ConfigError."""
    return find("tactus.robots", name)


def find_task(name: str) -> SimTask:
    """Return the simulated task `name`; raises ConfigError."""
    return find("tactus.tasks", name)
