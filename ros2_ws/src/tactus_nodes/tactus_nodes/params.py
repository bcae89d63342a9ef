"""ROS parameters, declared from the frozen dataclasses that define them (`tactus_core.config`)."""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from tactus_core.config import info

T = TypeVar("T")

# Overrides that ROS itself understands on any node.
_OF_ROS = ("use_sim_time", "start_type_description_service")


def own(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides that are not ROS' own."""
    return {name: value for name, value in overrides.items() if name not in _OF_ROS and not name.startswith("qos_overrides.")}


def parameters_of(node: str) -> str:
    """Return what errors call the parameters of a node."""
    return f"parameters of node '{node}'"


def declare(node: Node, make: Callable[[Mapping[str, Any], str], T]) -> T:
    """Declare every field of the config that `make` builds of what `node` was started with, and return it.

    Parameters are read-only: a node is configured once. Raises ConfigError for an override that is unknown, mistyped or out of range.
    """
    overrides = own({name: parameter.value for name, parameter in node._parameter_overrides.items()})
    config = make(overrides, parameters_of(node.get_name()))
    for f in fields(config):  # type: ignore[arg-type]
        value = getattr(config, f.name)
        node.declare_parameter(f.name, list(value) if isinstance(value, tuple) else value, _descriptor(f), ignore_override=True)
    return config


def _descriptor(f: "Field[Any]") -> ParameterDescriptor:
    declared = info(f)
    out = ParameterDescriptor(name=f.name, description=declared.doc, read_only=True, dynamic_typing=True)
    if declared.choices:
        out.additional_constraints = f"one of {', '.join(declared.choices)}"
    if declared.low is None or declared.high is None:
        return out  # a ROS range has both ends
    if f.type is int:
        out.integer_range = [IntegerRange(from_value=int(declared.low), to_value=int(declared.high))]
    elif f.type is float:
        out.floating_point_range = [FloatingPointRange(from_value=float(declared.low), to_value=float(declared.high))]
    return out
