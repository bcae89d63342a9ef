"""Tell a graph that records: an episode begins, how it ended, keep the last seconds, let the policy act.

begin, end, success, failure, note mark the record; keep writes what is in memory (ring_s) and says where; start and stop run the policy.
"""

import click

# Word → service, and what a SetBool is told.
WORDS: dict[str, tuple[str, bool | None]] = {
    "begin": ("recorder/episode", True),
    "end": ("recorder/episode", False),
    "success": ("recorder/success", None),
    "failure": ("recorder/failure", None),
    "note": ("recorder/mark", None),
    "keep": ("recorder/keep", None),
    "start": ("run_policy/start", None),
    "stop": ("run_policy/stop", None),
}


@click.command(help=__doc__)
@click.argument("word", type=click.Choice(list(WORDS)))
def command(word: str) -> None:
    """Call the service."""
    from std_srvs.srv import SetBool, Trigger

    from tactus_nodes.client import KEEP_S, GraphSession

    service, data = WORDS[word]
    with GraphSession() as session:
        session.tolerate_faults()
        if word == "keep":
            said = session.call(Trigger, service, KEEP_S)
        else:
            said = session.call(Trigger, service) if data is None else session.call(SetBool, service, data=data)
    click.echo(said.message or f"{word}: done")
