"""Optical touch in a replay: when contact began and ended, and a figure of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tactus_cli.report import replay_motion, style
from tactus_cli.report.replayed import Replayed
from tactus_core.perception.contact import ContactConfig
from tactus_nodes import topics

_DPI = 130
_GAIN = 3


@dataclass(frozen=True)
class Touch:
    """Contact by frame. area_px: touched pixels, NaN where the frame was not seen or the reference was being made."""

    area_px: NDArray[np.float64]
    reference_frames: int
    contacts: tuple[tuple[int, int | None], ...]  # first frame with contact, first frame without; None: it lasted to the end
    peak_frame: int | None


def read_touch(replayed: Replayed) -> Touch:
    """Return what the monitor told of each frame; its stamps say which frame it was."""
    seen = replayed[topics.CONTACT]
    frames = replayed.info.counts[topics.TOUCH_IMAGE.name]
    area_px = np.full(frames, np.nan)
    waiting, began, contacts = 0, None, []
    for t_s, (state, values) in zip(seen.t_s, seen.values, strict=True):
        frame = round(t_s * replayed.info.rate_Hz)
        waiting += state == "waiting"
        if state != "waiting":
            area_px[frame] = values["area_px"]
        if values["changed"]:
            if state == "contact":
                began = frame
            elif began is not None:
                contacts.append((began, frame))
                began = None
    if began is not None:
        contacts.append((began, None))
    peak = int(np.nanargmax(area_px)) if contacts else None
    return Touch(area_px, waiting, tuple(contacts), peak)


def summarise(touch: Touch) -> dict[str, Any]:
    """Return the figures of the report."""
    return {
        "frames": len(touch.area_px),
        "frames_judged": int(np.isfinite(touch.area_px).sum()),
        "reference_frames": touch.reference_frames,
        "onset_frames": [onset for onset, _ in touch.contacts],
        "release_frames": [release for _, release in touch.contacts if release is not None],
        "peak_frame": touch.peak_frame,
        "peak_area_px": None if touch.peak_frame is None else int(touch.area_px[touch.peak_frame]),
    }


def figure(replayed: Replayed, touch: Touch, images: Sequence[NDArray[np.uint8]], title: str, path: Path) -> None:
    """Write the figure: touched area and the guard over frames, and the frames at the moments that matter."""
    moments = _moments(touch)
    with matplotlib.rc_context(style.MATPLOTLIB):
        fig = Figure(figsize=(11.0, 8.6), layout="constrained")
        fig.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
        grid = fig.add_gridspec(4, len(moments), height_ratios=(3.0, 0.6, 2.0, 2.0))
        area = fig.add_subplot(grid[0, :])
        _draw_area(area, touch, ContactConfig(), images[0].shape[0] * images[0].shape[1])
        guard = fig.add_subplot(grid[1, :])
        replay_motion.draw_guard(guard, replayed, replayed.info.rate_Hz)
        guard.set(xlim=area.get_xlim(), xlabel="frame")
        reference = np.median(images[: max(touch.reference_frames, 1)], axis=0)
        for column, (name, frame) in enumerate(moments):
            _draw_frame(fig.add_subplot(grid[2, column]), images[frame], f"{name}: frame {frame}")
            change = np.clip(128 + _GAIN * (images[frame] - reference), 0, 255).astype(np.uint8)
            _draw_frame(fig.add_subplot(grid[3, column]), change, f"change since the reference, × {_GAIN}")
        fig.savefig(path, dpi=_DPI)


def _moments(touch: Touch) -> list[tuple[str, int]]:
    if not touch.contacts or touch.peak_frame is None:
        return [("first", 0), ("last", len(touch.area_px) - 1)]
    onset, release = touch.contacts[0]
    moments = [("before", max(onset - 1, 0)), ("onset", onset), ("largest", touch.peak_frame)]
    return moments if release is None else [*moments, ("last contact", release - 1), ("released", release)]


def _draw_area(axes: Axes, touch: Touch, config: ContactConfig, pixels: int) -> None:
    frames = np.arange(len(touch.area_px))
    axes.set_yscale("symlog", linthresh=10)
    if touch.reference_frames:
        axes.axvspan(-0.5, touch.reference_frames - 0.5, color=style.LIGHT, alpha=0.6, linewidth=0, label="reference")
    for onset, release in touch.contacts:
        end = len(frames) if release is None else release
        axes.axvspan(onset - 0.5, end - 0.5, color=style.SKY, alpha=0.2, linewidth=0)
        axes.axvline(onset, color=style.GREEN, linewidth=1.6, label=f"onset: frame {onset}")
        if release is not None:
            axes.axvline(release, color=style.VERMILLION, linewidth=1.6, label=f"release: frame {release}")
    axes.axhline(
        config.on_share * pixels, color=style.GREEN, linestyle="--", linewidth=1, label=f"on from {config.on_share * pixels:.0f} px"
    )
    axes.axhline(
        config.off_share * pixels,
        color=style.VERMILLION,
        linestyle="--",
        linewidth=1,
        label=f"off below {config.off_share * pixels:.0f} px",
    )
    axes.plot(frames, touch.area_px, color=style.BLUE, marker="o", markersize=3.5, linewidth=1.1)
    axes.set(xlim=(-1, len(frames)), ylim=(-1, None), ylabel="touched pixels")
    axes.set_yticks((0, 10, 100, 1000, 10000), ("0", "10", "100", "1000", "10 000"))
    axes.legend(loc="upper left", ncols=2, fontsize=9)


def _draw_frame(axes: Axes, image: NDArray[np.uint8], title: str) -> None:
    axes.imshow(image)
    axes.set_title(title, fontsize=9)
    axes.set(xticks=(), yticks=())
    axes.grid(False)
