"""Real depth cameras → clouds: holes, cropping, what an empty bin lacks, and two views that have to agree where their poses say so."""

import numpy as np
import pytest
from real_depth import BIN, SHELF, camera, depth_m, seen_from
from scipy.spatial import cKDTree

from tactus_core.perception.cloud import CloudConfig, CloudMaker, deprojected


def apart_m(cloud, other):
    """Return the distance of each point (n,) to the nearest of another cloud."""
    return cKDTree(other).query(cloud)[0]


@pytest.mark.parametrize("number", [0, 1])
def test_a_bin_becomes_a_cloud_of_what_is_in_it(data, number):
    """Cropped to the bin, its points are on its floor, its walls, and things that lie there; a glass shows as holes, not as points."""
    folder = data(BIN)
    depth, intrinsics, T = seen_from(folder, number, f"input-{number}")
    assert 0.2 < (depth == 0.0).mean() < 0.5
    middle = np.loadtxt(folder / "bin-position.txt")
    low_m, high_m = map(tuple, middle + np.array([[-0.25, -0.2, -0.1], [0.25, 0.2, 0.3]]))
    points = CloudMaker(CloudConfig(points=512, low_m=low_m, high_m=high_m), T).step(depth, intrinsics)
    assert points.shape == (512, 3)
    assert ((points > low_m) & (points < high_m)).all()
    apart = apart_m(points, deprojected(depth, intrinsics, 0.1, 2.0) @ T[:3, :3].T + T[:3, 3])
    assert apart.max() < 1e-6, "each is a point that the camera saw"
    separation = cKDTree(points).query(points, k=2)[0][:, 1]
    assert separation.min() > 0.3 * np.median(separation), "spread out evenly"


def test_what_was_put_into_an_empty_bin_is_what_the_cloud_gained(data):
    folder = data(BIN)
    clouds = []
    for name in ("input-0", "background-0"):
        depth, intrinsics, T = seen_from(folder, 0, name)
        clouds.append(deprojected(depth, intrinsics, 0.1, 2.0)[::4] @ T[:3, :3].T + T[:3, 3])
    new = clouds[0][apart_m(*clouds) > 0.015]
    middle = np.loadtxt(folder / "bin-position.txt")
    assert 0.01 < len(new) / len(clouds[0]) < 0.2
    assert (np.abs(np.median(new, axis=0) - middle)[:2] < 0.1).all()


def test_two_views_of_a_moving_camera_join_where_its_poses_say(data):
    folder = data(SHELF)
    text = (folder / "cam.info.txt").read_text()

    def matrix(title, rows):
        return np.array([line.split() for line in text[text.index(title) :].splitlines()[1 : 1 + rows]], dtype=float)

    intrinsics = camera(matrix("# Depth camera intrinsic matrix", 3))
    T_colour_depth = matrix("# Depth-to-color camera extrinsic matrix", 4)
    poses = [matrix(f"# Camera-to-world extrinsic matrix (camera pose) for frame-00000{n}", 4) @ T_colour_depth for n in (2, 4)]
    depths = [depth_m(folder / f"frame-00000{n}.depth.png", rotated=True) for n in (2, 4)]
    assert np.percentile(depths[0][depths[0] > 0], (1, 50, 99)) == pytest.approx([0.10, 0.49, 0.78], abs=0.01)
    seen = [deprojected(depth, intrinsics, 0.2, 0.75)[::7] for depth in depths]

    def apart(poses):
        first, second = (points @ T[:3, :3].T + T[:3, 3] for points, T in zip(seen, poses, strict=True))
        return np.median(apart_m(second, first))

    assert apart(poses) < 0.025
    assert apart(poses[::-1]) > 2 * apart(poses)
