"""What there is to know of a process before it is started."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tactus_cli.launching.substitutions import Scope
from tactus_cli.launching.values import boolean, number, value
from tactus_cli.launching.xml import Element

# Which streams go to the screen. All of it goes to the log file of the process in any case.
SCREEN = {
    "screen": ("stdout", "stderr"),
    "both": ("stdout", "stderr"),
    "full": ("stdout", "stderr"),
    "log": ("stderr",),
    "own_log": (),
}


@dataclass(frozen=True)
class Process:
    """A process to start. `label` is its name on the screen, before it gets a number."""

    label: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str | None
    screen: tuple[str, ...]
    respawn: bool
    respawn_delay_s: float
    respawn_max_retries: int  # negative: without end
    shutdown_on_exit: bool
    sigterm_timeout_s: float
    sigkill_timeout_s: float


def process(element: Element, scope: Scope, command: Sequence[str], label: str) -> Process:
    """Return the process of a `node` or `executable`, from the attributes that both share."""
    output = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT") or value(element, "output", scope, "log")
    if output not in SCREEN:
        raise element.error(f"'output' must be one of {', '.join(SCREEN)}; got '{output}'.")
    if element.attributes.get("on_exit", "shutdown") != "shutdown":
        raise element.error(f"'on_exit' can only be 'shutdown', got '{element.attributes['on_exit']}'.")
    delay_s = number(element, "respawn_delay", float, 0.0)
    if not delay_s >= 0.0:
        raise element.error(f"'respawn_delay' must not be negative, got {delay_s}.")
    own = {value(env, "name", scope): value(env, "value", scope) for env in element.each("env")}
    prefix = shlex.split(value(element, "launch-prefix", scope, scope.variables.get("launch-prefix", "")))
    return Process(
        label=label,
        command=(*prefix, *command),
        environment={**scope.environment, **own},
        cwd=value(element, "cwd", scope, "") or None,
        screen=SCREEN[output],
        respawn=boolean(element, "respawn", scope, "false"),
        respawn_delay_s=delay_s,
        respawn_max_retries=number(element, "respawn_max_retries", int, -1),
        shutdown_on_exit="on_exit" in element.attributes,
        sigterm_timeout_s=_seconds(element, "sigterm_timeout", scope),
        sigkill_timeout_s=_seconds(element, "sigkill_timeout", scope),
    )


def _seconds(element: Element, attribute: str, scope: Scope) -> float:
    text = value(element, attribute, scope, scope.variables.get(attribute, "5"))
    try:
        return float(text)
    except ValueError:
        raise element.error(f"'{attribute}' must be a number of seconds, got '{text}'.") from None
