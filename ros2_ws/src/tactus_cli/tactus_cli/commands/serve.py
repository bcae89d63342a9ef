"""Serve a bundle to robots and to openpi's clients: WebSocket and msgpack, an observation in, a chunk out. No ROS.

BUNDLE is a name in models/bundles, or a folder. A robot asks where the parameters of its slow_policy say `remote: ws://HOST:8000`;
its own copy of the bundle must be the same, file by file.

Any openpi client may ask as well. An observation has "observation/image" (uint8, rgb, the bundle's size) or "observation/features",
and "observation/state" (the numbers of `observation.low_dim` in its card, then what the encoders that stand alone make, where it
observes such). The answer's "actions" are the chunk's rows,
relative to the tcp pose in that state: docs/architecture.md, Policy.

The protocol has no passwords and no encryption, so only this machine is listened to. For another one, a tunnel is the way, on the
robot: `ssh -N -L 8000:localhost:8000 GPU_MACHINE`, and `remote: ws://localhost:8000`.
"""

import asyncio
import ipaddress
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tactus_cli.options import engine_options, seed_option
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError, SetupError

if TYPE_CHECKING:
    from tactus_core.remote.server import PolicyServer


@click.command(help=__doc__)
@click.argument("bundle")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0: one that is free.")
@click.option("--open-to-network", is_flag=True, help="Allow a --host that others reach: whoever does may ask, and listen in.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads of each network.")
@engine_options
@seed_option
def command(bundle: str, host: str, port: int, open_to_network: bool, threads: int, engine: EngineConfig, seed: int) -> None:
    """Load, listen, and serve until Ctrl-C."""
    if not (open_to_network or is_loopback(host)):
        raise ConfigError(
            f"--host {host} may be reached by other machines, and anybody there could ask and listen in: the protocol has no passwords "
            "and no encryption. Use a tunnel (--help shows one), or say --open-to-network."
        )
    from tactus_core.policy.bundle import Bundle

    try:
        from tactus_core.remote.server import PolicyServer
    except ImportError as error:
        raise SetupError(f"serving needs '{error.name}', which is not installed. Install requirements/remote.txt.") from None
    loaded = Bundle.load(bundle, replace(engine, threads=threads))
    asyncio.run(_serve(PolicyServer(loaded, seed, time.monotonic), loaded.card.id, host, port))


def is_loopback(host: str) -> bool:
    """Return whether an address is this machine's alone. Names other than localhost may mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(server: "PolicyServer", name: str, host: str, port: int) -> None:
    try:
        listening = await server.listen(host, port)
    except OSError as error:
        raise SetupError(f"cannot listen at {host}, port {port}: {error}. Choose another --port, or end what listens there.") from None
    async with listening:
        for socket in listening.sockets:
            at, number = socket.getsockname()[:2]
            click.echo(f"serving {name} at ws://{f'[{at}]' if ':' in at else at}:{number} until Ctrl-C")
        await listening.serve_forever()
