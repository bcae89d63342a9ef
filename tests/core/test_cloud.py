"""Depth to points and back, and farthest-point sampling by what defines it; tests/hardware has real cameras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.perception.cloud import CloudConfig, CloudMaker, Intrinsics, deprojected, farthest

HEIGHT, WIDTH = 30, 40
CAMERA = Intrinsics(HEIGHT, WIDTH, 50.0, 55.0, 19.0, 16.0)
EVERYWHERE = {"low_m": (-9.0, -9.0, -9.0), "high_m": (9.0, 9.0, 9.0), "nearest_m": 0.0, "farthest_m": 8.0}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_points_are_seen_where_their_pixels_are_and_holes_are_none(seed):
    rng = np.random.default_rng(seed)
    depth_m = rng.uniform(0.2, 3.0, (HEIGHT, WIDTH)).astype(np.float32)
    unknown = rng.random((HEIGHT, WIDTH)) < 0.3
    depth_m[unknown] = rng.choice([0.0, np.nan, np.inf, -1.0], unknown.sum())
    points = deprojected(depth_m, CAMERA, 0.1, 5.0)
    assert len(points) == (~unknown).sum()
    columns = np.rint(points[:, 0] / points[:, 2] * CAMERA.fx_px + CAMERA.cx_px).astype(int)
    rows = np.rint(points[:, 1] / points[:, 2] * CAMERA.fy_px + CAMERA.cy_px).astype(int)
    assert np.array_equal(depth_m[rows, columns], points[:, 2])
    assert len({*zip(rows, columns, strict=True)}) == len(points)


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 64))
@settings(max_examples=60, deadline=None)
def test_sampled_points_are_apart_by_more_than_any_other_is_from_them(seed, count, wanted):
    """What makes farthest-point sampling: its covering radius does not exceed its separation."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.3, 0.3, (count, 3)).astype(np.float32)
    chosen = farthest(points, wanted)
    assert len(chosen) == min(count, wanted)
    assert {tuple(p) for p in chosen} <= {tuple(p) for p in points}
    apart = np.linalg.norm(chosen[:, None].astype(float) - chosen[None], axis=2) + np.diag(np.full(len(chosen), np.inf))
    covered = np.linalg.norm(points[:, None].astype(float) - chosen[None], axis=2).min(axis=1)
    assert covered.max() <= apart.min() + 1e-6


def test_sampling_is_not_by_chance():
    points = np.random.default_rng(0).normal(0.0, 0.1, (400, 3)).astype(np.float32)
    np.random.seed(1)  # the sampler's own generator, if it used one
    chosen = farthest(points, 50)
    np.random.seed(2)
    assert np.array_equal(chosen, farthest(points, 50))


def test_a_cloud_is_in_the_base_inside_the_box_and_as_large_as_wanted():
    """A table, seen from above through a camera that looks down, with a block on it."""
    T_base_camera = rigid(np.array([0.5, 0.0, 1.0]), rotation_matrix(np.array([np.pi, 0.0, 0.0])))
    depth_m = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    depth_m[10:20, 15:25] = 0.9
    config = CloudConfig(points=64, low_m=(0.0, -1.0, 0.05), high_m=(1.0, 1.0, 0.5))
    points = CloudMaker(config, T_base_camera).step(depth_m, CAMERA)
    assert points.shape == (64, 3)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[:, 2], 0.1, atol=1e-6)
    assert np.abs(points[:, 0] - 0.5).max() < 0.9 * 6 / 50 + 1e-6
    few = CloudMaker(CloudConfig(points=1000, low_m=(0.0, -1.0, 0.05), high_m=(1.0, 1.0, 0.5)), T_base_camera).step(depth_m, CAMERA)
    assert few.shape == (1000, 3)
    assert len(np.unique(few, axis=0)) == 100, "the block has a hundred pixels: they are repeated, and nothing is made up"


def test_more_points_than_are_looked_at_are_thinned_evenly():
    depth_m = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    points = CloudMaker(CloudConfig(points=100, candidates=100, **EVERYWHERE), np.eye(4)).step(depth_m, CAMERA)
    assert len(np.unique(points, axis=0)) == 100
    assert np.ptp(points[:, 1]) > 0.4


def test_nothing_in_the_box_and_another_cameras_intrinsics_are_told():
    maker = CloudMaker(CloudConfig(points=8), np.eye(4))
    with pytest.raises(DataError, match=r"of 0 points .* none is in the box"):
        maker.step(np.zeros((HEIGHT, WIDTH), np.float32), CAMERA)
    with pytest.raises(DataError, match="intrinsics are of"):
        maker.step(np.ones((HEIGHT, WIDTH + 1), np.float32), CAMERA)
    with pytest.raises(ConfigError, match="nearest_m"):
        CloudConfig(nearest_m=2.0, farthest_m=1.0)
