"""Measure this machine: latency of the graph, speed of policy, encoders and simulation, cost of the guard and what it lets through."""

import click

from tactus_cli.benching import core, graph, policy


@click.group(help=__doc__)
def command() -> None:
    """Measure this machine."""


for each in (
    graph.latency, graph.takeover, graph.swap, graph.robots, policy.policy, policy.encoders, policy.engines, policy.cache, core.sim,
    core.guard, core.corrections, core.success,
):  # fmt: skip
    command.add_command(each)
