"""The freshness contract of a launch file: what each node that it starts promises of its inputs."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tactus_cli.launching import plan
from tactus_cli.launching.process import Process
from tactus_core.config import load_yaml
from tactus_core.errors import ConfigError
from tactus_nodes.contract import Row, table

_PACKAGE = "tactus_nodes"


def contract_of(launch_file: Path, arguments: Mapping[str, str]) -> list[Row]:
    """Return the inputs of all nodes of a launch file with these arguments, in its order; raises ConfigError or BundleError."""
    with tempfile.TemporaryDirectory() as folder:
        steps = plan.make(launch_file, arguments, os.environ, Path(folder))
        return table(node for step in steps if isinstance(step, Process) for node in _node(step))


def _node(process: Process) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (name, executable, parameters) of a process that is a node of Tactus; of others no contract is known."""
    words = iter(process.command)
    executable = next((Path(word).name for word in words if Path(word).parent.name == _PACKAGE), None)
    if executable is None:
        return
    name, namespace, given = executable, "/", []
    for word in words:
        if word in ("-r", "--remap"):
            source, _, value = next(words).partition(":=")
            name, namespace = (value if source == "__node" else name), (value if source == "__ns" else namespace)
        elif word in ("-p", "--param", "--params-file"):
            given.append((word, next(words)))
    path = f"{namespace.rstrip('/')}/{name}"
    parameters: dict[str, Any] = {}
    for option, text in given:
        if option == "--params-file":
            parameters.update(_of_file(Path(text), path))
        else:
            key, _, value = text.partition(":=")
            parameters[key] = yaml.safe_load(value)
    yield path.removeprefix("/"), executable, parameters


def _of_file(file: Path, node: str) -> dict[str, Any]:
    """Return the parameters that a ROS 2 parameter file gives to the node with this full name."""
    found: dict[str, Any] = {}
    for pattern, section in load_yaml(file).items():
        if not isinstance(section, dict) or not isinstance(section.get("ros__parameters"), dict):
            raise ConfigError(f"{file}: '{pattern}' holds no 'ros__parameters'. Write a node's full name, such as /arm/guard, there.")
        if fnmatchcase(node, f"/{pattern.lstrip('/')}"):
            found.update(section["ros__parameters"])
    return found
