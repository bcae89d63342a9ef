"""Who else is on our ROS domain: two graphs on one domain would command each other's robots."""

import os
import time

from tactus_core.errors import SetupError


def foreign_nodes(wait_s: float = 0.7) -> list[str]:
    """Return the full names of the nodes that others run on this ROS_DOMAIN_ID, as soon as there are any, or after `wait_s`."""
    import rclpy
    from rclpy.context import Context

    context = Context()
    rclpy.init(args=[], context=context)
    try:
        node = rclpy.create_node(f"tactus_probe_{os.getpid()}", context=context, start_parameter_services=False, enable_rosout=False)
        own = (node.get_name(), node.get_namespace())
        deadline_s = time.monotonic() + wait_s
        found: list[tuple[str, str]] = []
        while not found and time.monotonic() < deadline_s:
            time.sleep(0.05)
            found = [names for names in node.get_node_names_and_namespaces() if names != own and not names[0].startswith("tactus_probe_")]
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    return sorted(f"{namespace.rstrip('/')}/{name}" for name, namespace in found)


def require_quiet_domain() -> None:
    """Raise SetupError if others have nodes on our domain."""
    if nodes := foreign_nodes():
        raise SetupError(
            f"ROS_DOMAIN_ID {os.environ.get('ROS_DOMAIN_ID', '0')} is busy: {', '.join(nodes[:6])}{' and more' if len(nodes) > 6 else ''} "
            "run there already, and two graphs would command each other's robot; expected none. Stop the other graph, or give this one "
            "a domain of its own (ROS_DOMAIN_ID=57 ./tactus ...). To add to a running graph on purpose: ./tactus launch --join."
        )
