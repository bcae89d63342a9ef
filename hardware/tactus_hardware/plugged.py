"""What is plugged into this machine that a driver could open. It is looked up in /dev and /sys: nothing is opened, nothing is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Wire (see `ports.WIRES`) → names that do not change when a plug does, plain names, and the class in /sys.
_LOOK = {
    "serial line": (("dev/serial/by-id", "*"), ("dev", "tty[UA][SC][BM]*"), "tty"),
    "video": (("dev/v4l/by-id", "*-index0"), ("dev", "video*"), "video4linux"),
}


@dataclass(frozen=True)
class Plugged:
    """A device file. usb_id: vendor:product of the USB device that it belongs to; empty: of none."""

    wire: str
    path: str
    usb_id: str


def plugged(root: Path = Path("/")) -> list[Plugged]:
    """Return what is plugged in, each device file once, by its lasting name where it has one. `root`: of the file system."""
    return [found for wire, (lasting, plain, kind) in _LOOK.items() for found in _of(root, wire, lasting, plain, kind)]


def _of(root: Path, wire: str, lasting: tuple[str, str], plain: tuple[str, str], kind: str) -> Iterator[Plugged]:
    seen = set()
    for folder, pattern in (lasting, plain):
        for path in sorted((root / folder).glob(pattern)):
            file = path.resolve()
            if file not in seen:
                seen.add(file)
                yield Plugged(wire, f"/{path.relative_to(root)}", _usb_id((root / "sys/class" / kind / file.name).resolve()))


def _usb_id(device: Path) -> str:
    for folder in device.parents:
        if (folder / "idVendor").is_file():
            return f"{(folder / 'idVendor').read_text().strip()}:{(folder / 'idProduct').read_text().strip()}"
    return ""
