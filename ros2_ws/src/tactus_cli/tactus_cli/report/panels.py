"""The panels of the video: what the robot does, what the wrist feels, what the fingertips feel. Images are rgb uint8."""

from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tactus_cli.report import plots, style
from tactus_cli.report.wiping import Episode
from tactus_core.ports import Camera

Picture = NDArray[np.uint8]
HEIGHT_PX = 360
_DPI = 100
_FINGERS = (("index", 62, 92), ("middle", 170, 92), ("ring", 278, 92), ("thumb", 170, 232))  # name, centre of the tip [px]
_TIP_PX = 46
_DARKEST_N = 3.0  # the force on one taxel that is drawn darkest


class ScenePanel:
    """The scene from outside, and in a corner what the wrist's camera shows the policy."""

    WIDTH_PX = 480
    _INSET_PX = 120

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def draw(self, episode: Episode, t_s: float) -> Picture:
        """Return the panel at `t_s`."""
        picture = self._camera.render(episode.world_at(t_s))
        if len(episode.images.t_s):
            size, edge = self._INSET_PX, 2
            inset = cv2.resize(episode.images.at(t_s), (size, size), interpolation=cv2.INTER_CUBIC)
            picture[8 : 8 + size + 2 * edge, 8 : 8 + size + 2 * edge] = style.rgb(style.INK)
            picture[8 + edge : 8 + edge + size, 8 + edge : 8 + edge + size] = inset
        return picture


class ForcePanel:
    """The force trace against its band, and the board's displacement under it, up to now.

    Axes and lines are drawn once, without and with the lines; a frame takes the columns up to now from the second picture.
    """

    WIDTH_PX = 440

    def __init__(self, episode: Episode) -> None:
        with matplotlib.rc_context(style.MATPLOTLIB):
            figure = Figure(figsize=(self.WIDTH_PX / _DPI, HEIGHT_PX / _DPI), dpi=_DPI)
            force, board = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 1.0))
            figure.subplots_adjust(left=0.13, right=0.98, top=0.98, bottom=0.12, hspace=0.12)
            plots.draw_force(force, episode)
            plots.draw_board(board, episode)
            force.legend(loc="upper right", fontsize=8, ncols=3, columnspacing=0.8, handlelength=1.0)
            force.set_ylabel("normal force [N]", fontsize=9)
            board.set_ylabel("board [mm]", fontsize=9)
            board.set(xlim=(0, episode.duration_s))
            board.set_xlabel("time [s]", fontsize=9, labelpad=1)
            for axes in (force, board):
                axes.tick_params(labelsize=9)
            figure.align_ylabels()
            self._full = _pixels(figure)
            for axes in (force, board):
                axes.lines[-1].set_visible(False)
            self._bare = _pixels(figure)
        self._left_px, self._right_px = (float(x) for x in force.transData.transform([(0, 0), (episode.duration_s, 0)])[:, 0])
        self._duration_s = episode.duration_s

    def draw(self, t_s: float) -> Picture:
        """Return the panel at `t_s`."""
        now_px = round(self._left_px + min(t_s / self._duration_s, 1.0) * (self._right_px - self._left_px))
        picture = self._bare.copy()
        picture[:, :now_px] = self._full[:, :now_px]
        return picture


class TouchPanel:
    """The taxels of the four fingertips, seen along the mean direction that they face; larger and darker is more force."""

    WIDTH_PX = 340

    def __init__(self) -> None:
        self._colours = (matplotlib.colormaps[style.TOUCH_MAP](np.linspace(0.08, 1.0, 256))[:, :3] * 255).astype(np.uint8)
        self._background = self._draw_background()

    def _draw_background(self) -> Picture:
        image = Image.new("RGB", (self.WIDTH_PX, HEIGHT_PX), style.PAPER)
        draw = ImageDraw.Draw(image)
        for i, colour in enumerate(self._colours[::2]):
            draw.line([(92 + i, 318), (92 + i, 330)], fill=tuple(int(c) for c in colour))
        draw.text((84, 324), "0", style.INK, style.font(12), anchor="rm")
        draw.text((228, 324), f"{_DARKEST_N:g} N on a taxel", style.INK, style.font(12), anchor="lm")
        return np.array(image)

    def draw(self, taxels: NDArray[Any]) -> Picture:
        """Return the panel for `taxels` (4, n, 6)."""
        from tactus_core.perception.fingertips import fingertip_force_N

        picture = self._background.copy()
        for finger, (_, x, y) in zip(taxels, _FINGERS, strict=True):
            cv2.circle(picture, (x, y), _TIP_PX, style.rgb(style.LIGHT), -1, cv2.LINE_AA)
            share = np.clip(np.linalg.norm(finger[:, 3:], axis=1) / _DARKEST_N, 0.0, 1.0)
            for at, s in zip(_project(finger[:, :3]), share, strict=True):
                centre = (round(x + (_TIP_PX - 12) * at[0]), round(y + (_TIP_PX - 12) * at[1]))
                colour = tuple(int(c) for c in self._colours[round(255 * s)])
                cv2.circle(picture, centre, round(4 + 8 * np.sqrt(s)), colour, -1, cv2.LINE_AA)
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        for (name, x, y), force_N in zip(_FINGERS, fingertip_force_N(taxels), strict=True):
            draw.text((x, y + _TIP_PX + 12), f"{name} {force_N:4.1f} N", style.INK, style.font(13), anchor="mm")
        return np.array(image)


def _project(positions_m: NDArray[Any]) -> NDArray[Any]:
    """Return (n, 2) in −1..1: positions across the mean direction that a fingertip's patch faces."""
    facing = positions_m.mean(axis=0) / np.linalg.norm(positions_m.mean(axis=0))
    across = np.array([0.0, 1.0, 0.0])
    flat = positions_m @ np.stack([across, np.cross(facing, across)], axis=1)
    return flat / np.abs(flat).max()


def _pixels(figure: Figure) -> Picture:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
