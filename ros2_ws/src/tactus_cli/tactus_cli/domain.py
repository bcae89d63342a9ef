"""Who else is on our ROS domain: two graphs on one domain would command each other's robots."""

import os
import time
from pathlib import Path

from tactus_core.errors import SetupError

# DDSI-RTPS 2.2, 9.6.1: a domain owns 250 UDP ports from here on, and each participant binds some of its domain's.
_PORT_BASE, _PORTS_PER_DOMAIN = 7400, 250


def is_busy() -> bool:
    """Return whether a process of this machine is on our ROS_DOMAIN_ID; call it before this process joins.

    It looks at bound ports, which takes no time: discovery would need up to 3 s to be sure.
    """
    first = _PORT_BASE + _PORTS_PER_DOMAIN * int(os.environ.get("ROS_DOMAIN_ID", "0"))
    sockets = [line.split() for table in ("udp", "udp6") for line in _lines(Path("/proc/net", table))]
    return any(first <= int(fields[1].rpartition(":")[2], 16) < first + _PORTS_PER_DOMAIN for fields in sockets)


def node_names(wait_s: float = 5.0) -> list[str]:
    """Return the full names of the nodes on our domain, as soon as there are any, or none after `wait_s`."""
    import rclpy
    from rclpy.context import Context

    context = Context()
    rclpy.init(args=[], context=context)
    try:
        probe = rclpy.create_node(f"tactus_probe_{os.getpid()}", context=context, start_parameter_services=False, enable_rosout=False)
        own = (probe.get_name(), probe.get_namespace())
        deadline_s = time.monotonic() + wait_s
        found: list[tuple[str, str]] = []
        while not found and time.monotonic() < deadline_s:
            time.sleep(0.05)
            found = [names for names in probe.get_node_names_and_namespaces() if names != own]
        probe.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    return sorted(f"{namespace.rstrip('/')}/{name}" for name, namespace in found)


def require_quiet_domain() -> None:
    """Raise SetupError if a process of this machine is on our domain already; call it before this process joins."""
    if not is_busy():
        return
    names = node_names()
    who = ", ".join(names[:6]) + (" and more" if len(names) > 6 else "") if names else "a process without nodes"
    raise SetupError(
        f"ROS_DOMAIN_ID {os.environ.get('ROS_DOMAIN_ID', '0')} is busy: {who} runs there already, and two graphs would command each "
        "other's robot; expected nobody. Stop the other graph, or give this one a domain of its own (ROS_DOMAIN_ID=57 ./tactus ...). "
        "To add to a running graph on purpose: ./tactus launch --join."
    )


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.exists() else []
