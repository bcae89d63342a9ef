"""Colours and fonts, the same in plots and in the video. Okabe and Ito's palette: it can be told apart with every colour vision."""

from functools import cache
from pathlib import Path
from typing import Any

BLUE, ORANGE, GREEN, VERMILLION, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"
INK, GREY, LIGHT, PAPER = "#222222", "#777777", "#DDDDDD", "#FFFFFF"
TOUCH_MAP = "YlGnBu"  # dark is more, in print as well

MATPLOTLIB = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}


@cache
def font(size_px: int, bold: bool = False) -> Any:
    """Return a Pillow font; matplotlib brings the file, so that it is there on every machine."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size_px)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green, blue (0..255) of '#RRGGBB'."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
