"""How fast encoders are on one core, and how right the tracker of dots is, by the classes that nodes use."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.drawn_gel import dots_in_rows, drawn_gel, pressed
from tactus_cli.speed import quantiles
from tactus_core.errors import BundleError
from tactus_core.perception.cloud import CloudConfig, CloudMaker, Intrinsics, farthest
from tactus_core.perception.contact import ContactConfig, ContactDetector
from tactus_core.perception.embedding import MarkerEmbedding
from tactus_core.perception.encoder_card import CARD, EncoderKind, load_encoder_card
from tactus_core.perception.encoders import CloudEncoder, ImageConfig, ImageEncoder
from tactus_core.perception.markers import MarkerConfig, MarkerTracker
from tactus_core.perception.nearest import HandEncoder
from tactus_core.types import RobotDescription

_GEL, _ROWS, _COLUMNS, _FRAMES = (240, 320), 7, 9, 60
_CANDIDATES, _POINTS, _COMPONENTS = 20_000, 512, 15
_CAMERA = Intrinsics(480, 640, 600.0, 600.0, 320.0, 240.0)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process to one core meanwhile: libraries of mathematics spread out over all of them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def encoder_speed(robot: str, folders: Sequence[Path], repetitions: int, seed: int) -> dict[str, Any]:
    """Return p50 and p99 [ms] of each step on one core, by name, and the error of the dots' places.

    folders: encoders that are graphs, which are timed from what a sensor gives to features.
    """
    from tactus_nodes.plugins import find_robot

    rng, description = np.random.default_rng(seed), find_robot(robot)
    steps = _steps(description, rng) | {f"encoder {folder}": _folder(folder, rng) for folder in folders}
    with one_core():
        tracked, errors_px = _markers(repetitions, seed)
        rows = {name: quantiles({name: [step] * repetitions})[name] for name, step in steps.items()} | {"63 dots tracked, 320×240": tracked}
    return {
        "ms": rows,
        "dots_error_px": {"mean": round(float(errors_px.mean()), 3), "max": round(float(errors_px.max()), 3)},
        "dots_frames_per_s": round(1e3 / tracked["p50"]),
    }


def _steps(description: RobotDescription, rng: np.random.Generator) -> dict[str, Callable[[], Any]]:
    depth_m, hand = _depth_m(rng), HandEncoder(description)
    maker = CloudMaker(CloudConfig(points=_POINTS, low_m=(-1.0, -1.0, 0.0), high_m=(1.0, 1.0, 2.0), candidates=_CANDIDATES), np.eye(4))
    cloud = rng.uniform(-0.3, 0.3, (_CANDIDATES, 3)).astype(np.float32)
    detector, image = ContactDetector(ContactConfig(reference_frames=1)), drawn_gel(_GEL, np.empty((0, 2)), 0)
    detector.step(image)
    dots = 2 * _ROWS * _COLUMNS
    embedding = MarkerEmbedding(np.zeros(dots), np.linalg.qr(rng.normal(size=(dots, _COMPONENTS)))[0])
    shares = rng.normal(0.0, 0.01, (_ROWS * _COLUMNS, 2))
    return {
        f"farthest points, {_CANDIDATES} to {_POINTS}": lambda: farthest(cloud, _POINTS),
        f"depth 480×640 to {_POINTS} points": lambda: maker.step(depth_m, _CAMERA),
        f"nearest of {_POINTS} points, {len(hand.links)} links": lambda: hand.encode(
            description.q_home_rad, description.hand_rest_rad, cloud[:_POINTS]
        ),
        "contact on a gel, 320×240": lambda: detector.step(image),
        "embedding of 63 dots": lambda: embedding.embed(shares),
    }


def _depth_m(rng: np.random.Generator) -> Any:
    """Return what a depth camera sees of a table with things on it: a tilted plane, boxes, and holes."""
    depth_m = 0.8 + 0.0005 * np.mgrid[: _CAMERA.height, : _CAMERA.width][0]
    for _ in range(6):
        y, x = rng.integers(0, 400), rng.integers(0, 560)
        depth_m[y : y + 80, x : x + 80] -= rng.uniform(0.02, 0.15)
    depth_m[rng.random(depth_m.shape) < 0.3] = 0.0
    return depth_m.astype(np.float32)


def _markers(repetitions: int, seed: int) -> tuple[dict[str, float], Any]:
    rest_px = dots_in_rows(_GEL, _ROWS, _COLUMNS)
    moves_px = [pressed(rest_px, phase) for phase in np.linspace(0.0, 2.0 * np.pi, _FRAMES)]
    frames = [drawn_gel(_GEL, rest_px + move_px, seed + i) for i, move_px in enumerate(moves_px)]
    tracker = MarkerTracker(MarkerConfig(reference_frames=2))
    for i in range(2):
        tracker.step(drawn_gel(_GEL, rest_px, seed + _FRAMES + i))
    errors_px: list[Any] = []

    def step(i: int) -> None:
        markers = tracker.step(frames[i % _FRAMES])
        if markers is not None:
            errors_px.append(np.hypot(*(markers.displacement_px - moves_px[i % _FRAMES]).T))

    row = quantiles({"": [lambda i=i: step(i) for i in range(repetitions)]})[""]
    return row, np.concatenate(errors_px)


def _folder(folder: Path, rng: np.random.Generator) -> Callable[[], Any]:
    card = load_encoder_card(folder)
    if card.kind == EncoderKind.IMAGE:
        size, encoder = card.part(ImageConfig, str(folder / CARD)), ImageEncoder(folder, card)
        image = rng.integers(0, 256, (size.height, size.width, 3)).astype(np.uint8)
        return lambda: encoder.encode(image)
    if card.kind == EncoderKind.CLOUD:
        config, depth_m = card.part(CloudConfig, str(folder / CARD)), _depth_m(rng)
        above = np.eye(4)
        above[:3, 3] = (np.array(config.low_m) + config.high_m) / 2.0 - (0.0, 0.0, 0.8)  # the middle of what is seen, in that of the box
        clouds = CloudEncoder(folder, card, above)
        return lambda: clouds.encode(depth_m, _CAMERA)
    raise BundleError(f"{folder}: kind '{card.kind}' is no graph; it is measured without a folder. Give encoders of images or clouds.")
