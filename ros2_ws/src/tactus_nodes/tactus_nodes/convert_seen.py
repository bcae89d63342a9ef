"""Standard messages of what is seen and touched ↔ arrays: images, depth, clouds, taxels. Readers check what they get (DataError)."""

import array
from collections.abc import Sequence
from math import isfinite

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

from tactus_core.errors import DataError
from tactus_core.perception.cloud import Intrinsics
from tactus_core.types import Array

TAXEL_FIELDS = ("x", "y", "z", "fx", "fy", "fz")
POINT_FIELDS = ("x", "y", "z")
_DEPTHS = {"16UC1": ("<u2", 0.001), "32FC1": ("<f4", 1.0)}  # how a depth is written, and its unit [m]


def taxel_cloud(fingers: int, taxels: int, names: Sequence[str] = TAXEL_FIELDS) -> PointCloud2:
    """Return a message for taxels (fingers, taxels, fields), to be filled again and again. names: of the fields."""
    fields = [PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, name in enumerate(names)]
    step = 4 * len(names)
    return PointCloud2(height=fingers, width=taxels, fields=fields, point_step=step, row_step=step * taxels, is_dense=True)


def put_taxels(taxels: Array, message: PointCloud2) -> None:
    """Write taxels (fingers, taxels, fields) into `message`."""
    message.data = array.array("B", taxels.astype("<f4").tobytes())


def taxels(message: PointCloud2) -> NDArray[np.float32]:
    """Return taxels (fingers, taxels, 6): x y z [m], fx fy fz [N]; raises DataError for another layout."""
    return _cells(message, TAXEL_FIELDS, "touch")


def points(message: PointCloud2) -> NDArray[np.float32]:
    """Return the points (n, 3) [m] of a cloud of x, y, z alone; raises DataError for another layout, and for what is not finite."""
    values = _cells(message, POINT_FIELDS, "cloud").reshape(-1, 3)
    if not np.isfinite(values).all():
        raise DataError(f"cloud of {len(values)} points: some are not finite. It was not used; have its sender leave out what is unknown.")
    return values


def _cells(message: PointCloud2, names: Sequence[str], what: str) -> NDArray[np.float32]:
    got = tuple(field.name for field in message.fields if field.datatype == PointField.FLOAT32)
    step = 4 * len(names)
    if got != names or message.point_step != step or len(message.data) != step * message.height * message.width or message.is_bigendian:
        raise DataError(
            f"{what} has fields {got}, point step {message.point_step} and {len(message.data)} bytes for {message.height}×{message.width}; "
            f"expected {names} as little-endian float32, {step} bytes each. Check who sends it."
        )
    return np.frombuffer(message.data, dtype="<f4").reshape(message.height, message.width, len(names))


def image(message: Image) -> NDArray[np.uint8]:
    """Return an rgb image (H, W, 3); raises DataError for another encoding or a wrong size."""
    if message.encoding != "rgb8" or message.step != 3 * message.width or len(message.data) != message.height * message.step:
        raise DataError(
            f"image is {message.encoding} {message.height}×{message.width}, step {message.step}, {len(message.data)} bytes; expected rgb8 "
            "without padding. Set the camera driver to rgb8."
        )
    return np.frombuffer(message.data, dtype=np.uint8).reshape(message.height, message.width, 3)


def depth_m(message: Image) -> NDArray[np.float32]:
    """Return a depth image (H, W) [m]; raises DataError for another encoding or a wrong size. Not known: 0 or NaN, as it came."""
    written, unit_m = _DEPTHS.get(message.encoding, ("<u2", 0.0))
    pixel = np.dtype(written).itemsize
    size = message.height * message.width * pixel
    if not unit_m or message.is_bigendian or message.step != message.width * pixel or len(message.data) != size:
        raise DataError(
            f"depth image is {message.encoding} {message.height}×{message.width}, step {message.step}, {len(message.data)} bytes; expected "
            f"{' or '.join(_DEPTHS)}, little-endian, without padding. Set the camera's driver to one of these."
        )
    return np.frombuffer(message.data, dtype=written).reshape(message.height, message.width).astype(np.float32) * np.float32(unit_m)


def intrinsics(message: CameraInfo) -> Intrinsics:
    """Return a pinhole camera; raises DataError for one that is none. Its distortion is not read: images have to be rectified."""
    fx, skew, cx, _, fy, cy, *_ = message.k.tolist()
    # Written so that NaN fails as well.
    if not (0.0 < fx < np.inf and 0.0 < fy < np.inf and skew == 0.0 and isfinite(cx) and isfinite(cy)):
        raise DataError(f"camera_info has K {message.k.tolist()}; expected focal lengths above 0 and no skew. Calibrate the camera.")
    return Intrinsics(message.height, message.width, fx, fy, cx, cy)


def to_image(pixels: NDArray[np.uint8], stamp: Time) -> Image:
    """Return the message of an rgb image (H, W, 3)."""
    height, width, _ = pixels.shape
    out = Image(height=height, width=width, encoding="rgb8", step=3 * width, data=array.array("B", pixels.tobytes()))
    out.header.stamp, out.header.frame_id = stamp, "camera_optical"
    return out
