"""The command line and the parameter files of a `node`."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from tactus_cli.launching.process import Process, process
from tactus_cli.launching.substitutions import Scope, find_package
from tactus_cli.launching.values import boolean, value, words
from tactus_cli.launching.xml import Element
from tactus_core.errors import ConfigError

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


def make(element: Element, scope: Scope, parameter_files: Path) -> Process:
    """Return the process of a node; inline parameters are written to files that begin with `parameter_files`."""
    program = _program(element, scope)
    arguments = words(element, "args", scope)
    ros = words(element, "ros_args", scope)
    if name := value(element, "name", scope, ""):
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise element.error(f"'{name}' is no name for a node: letters, digits and _ only, no digit first.")
        ros += ["-r", f"__node:={name}"]
    namespace = join_namespace(scope.namespace, value(element, "namespace", scope, ""))
    if namespace:
        if not re.fullmatch(r"/|(/[A-Za-z_]\w*)+", namespace, re.ASCII):
            raise element.error(f"'{namespace}' is no namespace: names of letters, digits and _, divided by single slashes.")
        ros += ["-r", f"__ns:={namespace}"]
    ros += _parameters(element, scope, parameter_files)
    for remap in element.each("remap"):
        ros += ["-r", f"{value(remap, 'from', scope)}:={value(remap, 'to', scope)}"]
    label = value(element, "exec_name", scope, program.name)
    return process(element, scope, (str(program), *arguments, "--ros-args", *ros), label)


def join_namespace(base: str, name: str) -> str:
    """Return `name` below `base`, absolute; a `name` that begins with a slash stands for itself, an empty one changes nothing."""
    if not name:
        return base
    return name if name.startswith("/") else f"{base.rstrip('/')}/{name}"


def _program(element: Element, scope: Scope) -> Path:
    package, program = value(element, "pkg", scope), value(element, "exec", scope)
    try:
        folder = find_package(package) / "lib" / package
    except ConfigError as error:
        raise element.error(str(error)) from None
    file = folder / program
    if not (file.is_file() and os.access(file, os.X_OK)):
        known = ", ".join(sorted(path.name for path in folder.glob("*") if os.access(path, os.X_OK))) or "none"
        raise element.error(f"the package '{package}' has no executable '{program}'; it has: {known}.")
    return file


def _parameters(element: Element, scope: Scope, files: Path) -> list[str]:
    """Return `--params-file` for each file and each run of inline parameters, in the order of the file: later ones win."""
    arguments: list[str] = []
    inline: dict[str, Any] = {}

    def flush() -> None:
        if inline:
            path = files.with_name(f"{files.name}-{len(arguments) // 2 + 1}.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump({"/**": {"ros__parameters": inline}}))
            arguments.extend(["--params-file", str(path)])
            inline.clear()

    for param in element.each("param"):
        if "from" not in param.attributes:
            inline.update(_inline(param, scope))
            continue
        flush()
        if "name" in param.attributes or param.children:
            raise param.error("has 'from' and parameters of its own; use one <param> for each.")
        if boolean(param, "allow_substs", scope, "false"):
            raise param.error("'allow_substs' is not known here; set what varies by <param name=... value=.../> after the file.")
        path = Path(value(param, "from", scope))
        if path.is_file():
            arguments += ["--params-file", str(path)]
        else:
            print(f"[WARNING] {param.file}, line {param.line}: the parameter file {path} does not exist; it is skipped.", file=sys.stderr)
    flush()
    return arguments


def _inline(param: Element, scope: Scope) -> dict[str, Any]:
    if "name" not in param.attributes or ("value" in param.attributes) == bool(param.children):
        raise param.error("needs 'from', or a 'name' with either a 'value' or <param>s inside.")
    name = value(param, "name", scope)
    if param.children:
        nested: dict[str, Any] = {}
        for child in param.children:
            nested.update(_inline(child, scope))
        return {name: nested}
    return {name: _typed(param, value(param, "value", scope))}


def _typed(param: Element, text: str) -> Any:
    """Return the value of a parameter: by its `type` where it has one, else what YAML makes of the text."""
    kind = param.attributes.get("type")
    if kind == "str":
        return text
    try:
        result = yaml.safe_load(text)
    except yaml.YAMLError:
        result = text
    if result is None:
        result = ""
    if kind is not None:
        listed, scalar = kind.startswith("list_of_"), _TYPES.get(kind.removeprefix("list_of_"))
        if scalar is None:
            raise param.error(f"'type' must be one of {', '.join(_TYPES)}, or list_of_ one of these; got '{kind}'.")
        wanted = (float, int) if scalar is float else (scalar,)
        if listed != isinstance(result, list) or not all(type(item) in wanted for item in (result if listed else [result])):
            raise param.error(f"the value '{text}' is not of type {kind}.")
        if scalar is float:
            return [float(item) for item in result] if listed else float(result)
        return result
    items = result if isinstance(result, list) else [result]
    if len({type(item) for item in items}) > 1 or not all(isinstance(item, tuple(_TYPES.values())) for item in items):
        raise param.error(f"the value '{text}' is neither a number, a boolean, a text, nor a list of one of these.")
    return result
