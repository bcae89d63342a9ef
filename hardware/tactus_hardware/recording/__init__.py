"""Recordings of sensors as timed samples, whatever their format; which one it is, the file's first bytes say.

port.py  what a recording offers
gif.py   frames of an optical touch sensor
mat.py   a Panda's force trace, MATLAB 5
bag.py   a bag of the recorder, MCAP
lerobot.py  an episode of a LeRobot data set
"""

import importlib
from pathlib import Path

from tactus_core.errors import DataError
from tactus_hardware.recording.port import Recording

# The first bytes of a format → its module, whose `read(path, take, rate_Hz)` returns a Recording; imported when it is wanted.
_FORMATS = {b"GIF8": "gif", b"MATLAB 5.0": "mat", b"\x89MCAP0": "bag"}


def open_recording(source: str | Path, take: int = 0, rate_Hz: float = 0.0) -> Recording:
    """Return the recording at `source`, a file, or the folder of a bag or data set; raises DataError where it is missing or damaged.

    take: which recording of a file that holds several, from 1. rate_Hz: sample rate of a file that states none. 0 is the reader's
    choice; a format that knows better looks at neither.
    """
    path = Path(source)
    if (path / "meta" / "info.json").is_file():
        return importlib.import_module(f"{__name__}.lerobot").read(path, take, rate_Hz)
    if path.is_dir():
        path = _only_bag(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise DataError(f"cannot read the recording {source}: {error.strerror}. Check the spelling of the path.") from None
    for magic, module in _FORMATS.items():
        if start.startswith(magic):
            return importlib.import_module(f"{__name__}.{module}").read(path, take, rate_Hz)
    raise DataError(
        f"{source} is of no known format: it begins with {start!r}; expected a GIF of an optical touch sensor, a MATLAB 5 file with a "
        "'symbol_data' of pos, vel and F, or the folder of a bag (MCAP) of the recorder."
    )


def _only_bag(folder: Path) -> Path:
    files = sorted(folder.glob("*.mcap"))
    if len(files) != 1:
        raise DataError(
            f"{folder} holds {len(files)} MCAP files; expected one, as the recorder writes it. Name the folder of one bag, or one file."
        )
    return files[0]
