"""Offer other weights to a running graph: they act from the next episode on, or are refused with the reason. Exit code 1: refused.

BUNDLE is a version of the policy that runs: a folder whose card agrees with the running one in all but version, graphs, normaliser and
training. The graph has to run with swap:=true (launch/learn.launch.xml does) and must have seen the policy act for some seconds: the
weights are first tried on what the robot saw and felt then, and have to propose next to the same as those that act.

\b
./tactus launch launch/learn.launch.xml          the graph
./tactus swap runs/versions/mine-2               offer a version
./tactus swap wipe-rdp                           go back to a version by hand, between two episodes

Where new weights succeed surely less often than those before, by what the task or a person says of each episode, the graph takes
them back by itself. The topic policy/version tells whose weights act; every verdict bears their hash.
"""  # noqa: D301 (click reads a backspace)

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json

_ANSWER_S = 120.0


@click.command(help=__doc__)
@click.argument("bundle")
@json_option
def command(bundle: str, json_file: Path | None) -> int:
    """Ask the graph, and say what it answers."""
    from tactus_core.policy.bundle import find_bundle
    from tactus_msgs.srv import SwapBundle
    from tactus_nodes.client import GraphSession

    folder = find_bundle(bundle).resolve()
    with GraphSession() as session:
        session.tolerate_faults()
        answer = session.ask(SwapBundle, "policy/swap", _ANSWER_S, bundle=str(folder))
    click.echo(f"{'accepted' if answer.success else 'refused'}: {answer.message}")
    write_json(json_file, {"bundle": str(folder), "accepted": answer.success, "message": answer.message})
    return 0 if answer.success else 1
