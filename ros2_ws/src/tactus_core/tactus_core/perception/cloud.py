"""A depth image as points in the robot's base: cropped to where the task is, and thinned to as many as an encoder takes.

Depth is along the optical axis (not along the ray), of a rectified image: lens distortion is not undone here. What the camera could not
see (0, NaN, infinite) is no point; nothing is made up in its place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import ConfigError, DataError
from tactus_core.types import Array

Points = NDArray[np.float32]
_LEVELS = 6  # of the sampler's tree: what was fastest for 20 000 points


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera: focal lengths and principal point, in pixels of images of height × width."""

    height: int
    width: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float


@dataclass(frozen=True)
class CloudConfig:
    """Which part of what a depth camera sees becomes a cloud, and of how many points."""

    points: int = param(512, low=1, high=16_384, doc="Points of a cloud. DP3 takes 512 or 1024.")
    low_m: tuple[float, float, float] = param((0.2, -0.5, -0.1), low=-10.0, high=10.0, doc="Lowest x, y, z in the base that belong to it.")
    high_m: tuple[float, float, float] = param((0.9, 0.5, 0.6), low=-10.0, high=10.0, doc="Highest x, y, z.")
    nearest_m: float = param(0.1, low=0.0, high=10.0, doc="Depth from which on the camera is believed.")
    farthest_m: float = param(2.0, low=0.01, high=100.0, doc="Depth up to which it is.")
    candidates: int = param(20_000, low=1, high=1_000_000, doc="Of more points in the box, every n-th goes on to farthest-point sampling.")

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.low_m, self.high_m, strict=True)):
            raise ConfigError(f"low_m must be below high_m in x, y and z, got {self.low_m} and {self.high_m}. No point could be inside.")
        if not self.nearest_m < self.farthest_m:
            raise ConfigError(f"nearest_m must be below farthest_m, got {self.nearest_m} and {self.farthest_m}.")


class CloudMaker:
    """Depth images of one camera that stands still in the base → clouds. T_base_camera (4,4): optical frame, z forward, x right, y down."""

    def __init__(self, config: CloudConfig, T_base_camera: Array) -> None:
        self._config, self._T_base_camera = config, T_base_camera.astype(np.float32)
        self._camera: Intrinsics | None = None

    def step(self, depth_m: NDArray[np.float32], camera: Intrinsics) -> Points:
        """Return `points` points (points, 3) [m] in the base of a depth image (H, W); where fewer are seen, some stand twice.

        Raises DataError where the image is not what the intrinsics are of, and where nothing is seen in the box.
        """
        config = self._config
        if camera != self._camera:
            self._rays, self._camera = np.tensordot(self._T_base_camera[:3, :3], rays(camera), axes=1), camera
        known = _known(depth_m, camera, config.nearest_m, config.farthest_m)
        inside, axes = known.copy(), []
        with np.errstate(invalid="ignore"):  # infinite depth times 0
            for ray, origin_m, low_m, high_m in zip(self._rays, self._T_base_camera[:3, 3], config.low_m, config.high_m, strict=True):
                axis_m = ray * depth_m + origin_m
                inside &= (axis_m > low_m) & (axis_m < high_m)
                axes.append(axis_m)
        found = np.flatnonzero(inside)
        if not len(found):
            raise DataError(
                f"of {known.sum()} points that the depth camera sees none is in the box from {config.low_m} to {config.high_m} m. Check "
                "the camera's pose in the base, and the box in the encoder's card."
            )
        found = found[:: -(-len(found) // config.candidates)]
        points = np.stack([axis_m.reshape(-1)[found] for axis_m in axes], axis=1)
        # Repeated points change no maximum over points, which is all that a PointNet sees of them.
        return np.resize(farthest(points, config.points), (config.points, 3))


def rays(camera: Intrinsics) -> Points:
    """Return (3, H, W): where a pixel's point is in the optical frame, per metre of its depth."""
    x = (np.arange(camera.width) - camera.cx_px) / camera.fx_px
    y = (np.arange(camera.height) - camera.cy_px) / camera.fy_px
    return np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))]).astype(np.float32)


def deprojected(depth_m: NDArray[np.float32], camera: Intrinsics, nearest_m: float, farthest_m: float) -> Points:
    """Return the points (n, 3) [m], in the optical frame, of those pixels whose depth is known and between the two."""
    known = _known(depth_m, camera, nearest_m, farthest_m)
    return (rays(camera)[:, known] * depth_m[known]).T


def _known(depth_m: NDArray[np.float32], camera: Intrinsics, nearest_m: float, farthest_m: float) -> NDArray[np.bool_]:
    if depth_m.shape != (camera.height, camera.width):
        raise DataError(
            f"depth image is {depth_m.shape}, the camera's intrinsics are of ({camera.height}, {camera.width}). Give those of the depth "
            "stream that is used, or of colour where depth is aligned to it."
        )
    return (depth_m >= max(nearest_m, 1e-6)) & (depth_m <= farthest_m)  # NaN fails both


def farthest(points: Points, count: int) -> Points:
    """Return `count` of the points (n, 3), or all where there are no more: each as far as can be from those before it.

    The same points in the same order give the same.
    """
    if len(points) <= count:
        return points
    import fpsample  # imported on use: only robots with a depth camera need it

    levels = min(_LEVELS, len(points).bit_length() - 1)
    # Without start_idx it begins by chance. With one it begins somewhere else, for it counts in its tree, but always there.
    return points[fpsample.bucket_fps_kdline_sampling(points, count, h=levels, start_idx=0)]
