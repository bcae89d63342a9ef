"""Who plans for a bundle: its own networks, a server of the same bundle, or the server that its card names."""

from collections.abc import Callable

from tactus_core.errors import ConfigError
from tactus_core.policy.card import Card
from tactus_core.policy.specs import RemoteSpec
from tactus_core.ports import SlowPolicy


def make_planner(
    card: Card, own: Callable[[], SlowPolicy], clock: Callable[[], float], instruction: str, remote: str, remote_timeout_s: float
) -> SlowPolicy:
    """Return the slow policy of a bundle. Raises ConfigError where it is to be asked somewhere else, or in words.

    own: makes the one that plans by itself. clock: the caller's steady one [s], by which servers are judged. instruction: what is
    sent to a server. remote: address of a server of the same bundle, which answers within remote_timeout_s; empty: there is none.
    """
    server = card.generator if isinstance(card.generator, RemoteSpec) else None
    if server and remote:
        raise ConfigError(f"bundle '{card.id}' names its server itself, {server.url}; leave `remote` empty.")
    if not (server or remote):
        if instruction:
            raise ConfigError(f"bundle '{card.id}' plans by itself, and understands no words: leave `instruction` empty.")
        return own()
    from tactus_core.remote.client import RemotePolicy, remote_bundle  # a robot that plans by itself needs none of it

    policy = RemotePolicy(card, server, clock) if server else remote_bundle(card, remote, remote_timeout_s, clock)
    policy.instruct(instruction)
    return policy
