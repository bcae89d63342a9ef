"""Start an emulator of a device; it prints the address that leads to it, and serves until Ctrl-C.

`tactus emulate DEVICE --help` has the faults of the wire that it can play.
"""

import click


@click.command(help=__doc__, context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Hand everything on: `tactus_hardware.emulate` knows the options."""
    from tactus_hardware import emulate

    emulate.main(arguments, "tactus emulate")
