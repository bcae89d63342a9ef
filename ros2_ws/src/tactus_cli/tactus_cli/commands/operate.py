"""Sit a scripted operator down beside a simulated robot: episode after episode it watches the policy, loses patience, and helps.

It sees the simulated world, is as late and as rough as a person, and pushes an emulated SpaceMouse: driver, teleoperation, dead-man and
guard are those of a real one. The task needs an expert, as insert has one. The graph is launched with the socket as the device's address:

\b
./tactus launch launch/learn.launch.xml task:=insert robot:=panda_allegro_peg bundle:=insert-base operator:=scripted
                 starts the graph, and this command in it
"""  # noqa: D301 (click reads a backspace)

import itertools
from pathlib import Path

import click

from tactus_cli.options import json_option, write_json

_START_S = 120.0
_WORDS = {True: "success", False: "failure", None: "nobody says how it went"}
_FIRST_SEED = 10_000  # after those of demonstrations, before those for tuning


@click.command(help=__doc__)
@click.option("--socket", type=click.Path(path_type=Path), required=True, help="Where the SpaceMouse's driver looks for spacenavd.")
@click.option("--task", default="insert", show_default=True, help="Task that is simulated.")
@click.option("--shift", default="", help="Other circumstances of it, by name.")
@click.option("--episodes", type=click.IntRange(min=1), help="How many; default: until interrupted.")
@click.option("--seed", type=click.IntRange(min=0), default=_FIRST_SEED, show_default=True, help="Of the first episode.")
@click.option("--keep", is_flag=True, help="Have the recorder (ring_s) write each episode into a bag of its own.")
@json_option
def command(socket: Path, task: str, shift: str, episodes: int | None, seed: int, keep: bool, json_file: Path | None) -> None:
    """Live the episodes; a line for each."""
    from tactus_cli.operating import Operating, puck
    from tactus_cli.quiet import quiet
    from tactus_nodes.client import GraphSession
    from tactus_nodes.plugins import find_task

    with puck(socket) as emulator:
        with quiet():
            from tactus_sim.person import Person, PersonConfig
            from tactus_sim.seat import MOTION

            found = find_task(task, shift)
        successes: list[bool | None] = []
        with GraphSession() as session:
            with quiet():
                operating = Operating(session, found, Person(PersonConfig(), MOTION), emulator)
            session.wait_ready(_START_S)
            operating.sit_down()
            for each in itertools.islice(itertools.count(seed), episodes):
                successes.append(operating.episode(each, keep))
                click.echo(f"episode {each}: {_WORDS[successes[-1]]}")
                write_json(json_file, {"first_seed": seed, "successes": successes})
