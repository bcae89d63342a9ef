"""Episodes → an MP4: scene, force and touch side by side."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from tactus_cli.quiet import quiet
from tactus_cli.report import style
from tactus_cli.report.panels import HEIGHT_PX, ForcePanel, Picture, ScenePanel, TouchPanel
from tactus_cli.report.plots import verdict
from tactus_cli.report.wiping import Episode
from tactus_core.ports import Camera

FPS = 15
_HEADER_PX, _MARGIN_PX = 76, 8
_LAST_S = 1.5  # how long the last picture of an episode stays
_PANELS = (ScenePanel, ForcePanel, TouchPanel)
_CAPTIONS = ("simulated arm and hand; inset: wrist camera", "force at the wrist, and how the board was moved", "touch on the fingertips")


def overview_camera() -> Camera:
    """Return the camera that looks at the wiping world from outside."""
    with quiet():
        from tactus_sim.camera import OVERVIEW
        from tactus_sim.wipe.camera import WipeCamera

        return WipeCamera(OVERVIEW)


def frame_count(episodes: Sequence[Episode]) -> int:
    """Return how many pictures `frames` makes."""
    return sum(len(_times(episode)) + round(_LAST_S * FPS) for episode in episodes)


def frames(episodes: Sequence[Episode], bundle: str, camera: Camera) -> Iterator[Picture]:
    """Yield the pictures of all episodes, FPS a second."""
    scene, touch = ScenePanel(camera), TouchPanel()
    for number, episode in enumerate(episodes, start=1):
        force = ForcePanel(episode)
        title = f"{bundle}, episode {number} of {len(episodes)} (seed {episode.seed})"
        for t_s in _times(episode):
            panels = (scene.draw(episode, t_s), force.draw(t_s), touch.draw(episode.taxels.at(t_s)))
            state = f"{t_s:4.1f} s   {episode.wiped.at(t_s):4.0%} wiped"
            yield (picture := _compose(panels, title, state, style.INK))
        colour = style.GREEN if episode.outcome and episode.outcome.success else style.VERMILLION
        picture = _compose(panels, title, verdict(episode), colour)
        for _ in range(round(_LAST_S * FPS)):
            yield picture


def _times(episode: Episode) -> np.ndarray:
    return np.arange(0.0, episode.duration_s, 1.0 / FPS)


def _compose(panels: Sequence[Picture], title: str, state: str, colour: str) -> Picture:
    width = sum(panel.WIDTH_PX for panel in _PANELS) + (len(_PANELS) + 1) * _MARGIN_PX
    width += width % 2
    image = Image.new("RGB", (width, _HEADER_PX + HEIGHT_PX + _MARGIN_PX), style.PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN_PX + 2, 22), title, style.INK, style.font(20, bold=True), anchor="lm")
    draw.text((width - _MARGIN_PX - 2, 22), state, colour, style.font(18, bold=True), anchor="rm")
    left = _MARGIN_PX
    for panel, caption in zip(panels, _CAPTIONS, strict=True):
        draw.text((left + 2, 58), caption, style.GREY, style.font(14), anchor="lm")
        image.paste(Image.fromarray(panel), (left, _HEADER_PX))
        left += panel.shape[1] + _MARGIN_PX
    return np.asarray(image)


def encode(path: Path, pictures: Iterable[Picture]) -> None:
    """Write an MP4 that every player and browser shows: H.264, 4:2:0, its index first. An interrupted file is removed."""
    part = path.with_suffix(".part.mp4")
    stream = None
    try:
        with av.open(str(part), "w", options={"movflags": "+faststart"}) as container:
            for picture in pictures:
                if stream is None:
                    stream = container.add_stream("libx264", rate=Fraction(FPS), options={"crf": "20", "preset": "fast"})
                    stream.height, stream.width = picture.shape[:2]
                    stream.pix_fmt = "yuv420p"
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if stream is not None:
                container.mux(stream.encode())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
