"""Touch → command latency of a running graph, from the stamps that its messages carry."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from std_srvs.srv import SetBool

from tactus_cli.launching.session import Launched
from tactus_core.errors import DeviceError
from tactus_msgs.srv import ResetEpisode
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.timing import cpu_s

# What each hop is called in the report, and which node measures it under which name.
HOPS = {
    "touch to fast policy": ("fast_policy", "touch_to_fast_policy_ms"),
    "fast policy": ("fast_policy", "fast_policy_work_ms"),
    "touch to guard": ("guard", "touch_to_guard_ms"),
    "guard": ("guard", "guard_work_ms"),
    "world step": ("sim_device", "world_step_ms"),
}
_START_S = 60.0
_MOTION_S = 20.0


def measure(file: Path, arguments: Mapping[str, str], seed: int, seconds: float) -> dict[str, Any]:
    """Start the launch file and return the report on `seconds` of it; see `measure_session`."""
    with Launched(file, {**arguments, "run": "false"}) as launched, GraphSession(launched.check) as session:
        session.wait_ready(_START_S)
        return measure_session(session, seed, seconds)


def measure_session(session: GraphSession, seed: int, seconds: float) -> dict[str, Any]:
    """Start the episode of `seed` in a graph that is ready, let the policy move the robot, and return the report on `seconds` of it.

    lost_ticks: ticks that the device missed, and touches whose command had not arrived when the next touch was sampled. cpu: cores in use.
    Raises DeviceError where the graph does not come up, or the robot does not move.
    """
    newest = session.newest(topics.VERDICT)
    session.call(SetBool, "slow_policy/run", data=False)
    session.call(ResetEpisode, "sim/reset", seed=seed)
    session.call(SetBool, "slow_policy/run", data=True)
    session.wait_for(lambda: newest().state == "running", _MOTION_S, "the policy to move the robot")
    nodes = sorted(session.alive)
    before = session.timing(nodes)
    used_s = {name: cpu_s(before[name]["pid"]) for name in nodes}
    began_s = time.monotonic()
    session.listen_for(seconds)
    after = session.timing(nodes)
    span_s = time.monotonic() - began_s
    cpu = {name: round((cpu_s(after[name]["pid"]) - used_s[name]) / span_s, 3) for name in nodes}
    return report(after) | {"cpu": {name: cores for name, cores in cpu.items() if math.isfinite(cores)}}


def report(timing: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the stable keys of `bench latency`, without `cpu`, from what the nodes said of themselves."""
    device = timing["sim_device"]
    if not device["timing"]["touch_to_command_ms"]["count"]:
        raise DeviceError(
            "no command answered a touch while it was measured. Look at the guard's verdicts: ./tactus launch launch/sim.launch.xml"
        )
    return {
        "touch_to_command_ms": _three(device["timing"]["touch_to_command_ms"]),
        "tick_lateness_ms": _three(device["timing"]["tick_lateness_ms"]),
        "hops_ms": {hop: _three(timing[node]["timing"][name]) for hop, (node, name) in HOPS.items()},
        "lost_ticks": device["counts"]["missed"] + device["counts"]["unanswered"],
        "ticks": device["counts"]["ticks"],
        "realtime_scheduling": all(timing[name]["realtime"] for name in ("sim_device", "fast_policy", "guard")),
        "histogram_ms": device["timing"]["touch_to_command_ms"]["histogram"],
    }


def _three(summary: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: None if summary[name] is None else round(summary[name], 3) for name in ("p50", "p99", "max")}
