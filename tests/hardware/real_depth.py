"""Real depth images, as the data's README says that they are written."""

import numpy as np
from PIL import Image

from tactus_core.perception.cloud import Intrinsics

BIN = "rgbd/bin_two_view"
SHELF = "rgbd/realsense_f200_shelf"


def camera(K):
    return Intrinsics(480, 640, K[0, 0], K[1, 1], K[0, 2], K[1, 2])


def depth_m(path, rotated=False):
    raw = np.asarray(Image.open(path)).astype(np.uint16)
    # The F200's files are rotated right by three bits; both count tenths of a millimetre.
    return ((raw >> 3) | (raw << 13) if rotated else raw).astype(np.float32) / 10_000


def seen_from(folder, number, name):
    K, T = (np.loadtxt(folder / f"camera-{number}.{what}.txt") for what in ("intrinsics", "pose"))
    return depth_m(folder / f"{name}.depth.png"), camera(K), T
