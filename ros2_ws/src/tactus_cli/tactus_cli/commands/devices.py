"""List the devices that have a driver, what is plugged in, and the line that launches each."""

import contextlib
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tactus_cli.options import json_option, write_json
from tactus_core.errors import ConfigError, SetupError

if TYPE_CHECKING:
    from tactus_hardware.plugged import Plugged
    from tactus_hardware.ports import DeviceKind

_LAUNCH = "./tactus launch launch/device.launch.xml"


@click.command(help=__doc__)
@json_option
def command(json_file: Path | None) -> None:
    """Look, open nothing, and show what was found."""
    from rich.console import Console
    from rich.table import Column, Table

    from tactus_hardware.plugged import plugged
    from tactus_nodes.plugins import names

    here = plugged()
    known = [row for name in names("tactus.devices") for row in _known(name, here)]
    console = Console()
    table = Table("device", Column("what", overflow="fold"), "measures", "wire", "plugged in here, perhaps")
    for row in known:
        table.add_row(row["device"], row["doc"], row["measures"], row["wire"], "\n".join(row["plugged"]) or "–")
    console.print(table)
    console.print("To launch one (mode:=emulated needs no device, dry_run:=true moves none):")
    for row in filter(lambda row: row["launch"], known):
        console.print(f"  {row['launch']}", highlight=False, soft_wrap=True)
    console.print("\nPlugged in:" if here else "\nNothing is plugged in that a driver could open.")
    for found in here:
        console.print(f"  {found.path}  {found.wire}  {found.usb_id}", highlight=False, soft_wrap=True)
    write_json(json_file, {"devices": known, "plugged": [asdict(found) for found in here]})


def _known(name: str, here: "Sequence[Plugged]") -> list[dict[str, Any]]:
    """Return the row of a kind; none for what is registered and is no device."""
    from tactus_nodes.plugins import find_kind

    with contextlib.suppress(ConfigError):
        try:
            return [_row(find_kind(name), here)]
        except SetupError as error:
            return [{"device": name, "doc": str(error), "measures": "", "wire": "", "joints": [], "plugged": [], "launch": ""}]
    return []


def _row(kind: "DeviceKind", here: "Sequence[Plugged]") -> dict[str, Any]:
    from tactus_hardware.ports import WIRES

    wire = WIRES.get(kind.address, "")
    found = [plug for plug in here if plug.usb_id in kind.usb_ids]
    paths = [plug.path for plug in found if plug.wire == wire]  # a camera may have a device file, and be reached by its number
    default = next((f.default for f in fields(kind.config) if f.name == kind.address), MISSING)
    where = next((text for text in (*paths, default) if text and text is not MISSING), kind.address.upper())
    return {
        "device": kind.name,
        "doc": kind.doc,
        "measures": kind.measures,
        "wire": wire,
        "joints": list(kind.joints),
        "plugged": [plug.path for plug in found],
        "launch": f"{_LAUNCH} device:={kind.name} address:={where}",
    }
