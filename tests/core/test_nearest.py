"""Nearest points: by brute force, and in the hand's own frame, wherever the robot stands."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.kinematics import HandKinematics, Kinematics
from tactus_core.perception.nearest import HandEncoder, nearest
from tactus_sim.robot import FINGERTIP_LINKS, PANDA_ALLEGRO

HAND = HandEncoder(PANDA_ALLEGRO)
KINEMATICS = HandKinematics(PANDA_ALLEGRO)
TCP = Kinematics(PANDA_ALLEGRO)
few = settings(max_examples=25, deadline=None)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
@few
def test_nearest_is_nearest(seed, count):
    rng = np.random.default_rng(seed)
    points, positions = rng.normal(0.0, 0.5, (count, 3)).astype(np.float32), rng.normal(0.0, 0.5, (17, 3))
    vectors = nearest(points, positions)
    far = np.linalg.norm(points[None].astype(float) - positions[:, None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), far.min(axis=1), atol=1e-7)


def test_the_allegro_has_a_palm_and_sixteen_links():
    assert HAND.links[0] == "palm_link"
    assert len(set(HAND.links)) == 17
    assert not set(HAND.links) & set(FINGERTIP_LINKS), "a tip is fixed to the link before it"


@given(st.integers(0, 2**32 - 1))
@few
def test_a_point_at_a_link_is_at_distance_zero_and_the_arm_carries_the_hands_view_along(seed):
    rng = np.random.default_rng(seed)
    arm = PANDA_ALLEGRO.q_home_rad + rng.uniform(-0.4, 0.4, 7)
    hand = rng.uniform(0.0, 0.5, 16)
    positions_m, R_base_tcp = KINEMATICS.positions(arm, hand)
    T_base_tcp = TCP.tcp_pose(arm)
    np.testing.assert_allclose(R_base_tcp, T_base_tcp[:3, :3], atol=1e-9)
    assert np.linalg.norm(HAND.encode(arm, hand, positions_m).reshape(-1, 3), axis=1).max() < 1e-6
    # A cloud that is fixed to the tcp looks the same to the hand in every posture of the arm.
    cloud_tcp = rng.normal(0.0, 0.1, (50, 3))
    seen = [HAND.encode(q, hand, cloud_tcp @ T[:3, :3].T + T[:3, 3]) for q in (arm, PANDA_ALLEGRO.q_home_rad) for T in [TCP.tcp_pose(q)]]
    np.testing.assert_allclose(*seen, atol=1e-6)


def test_what_is_not_known_is_not_encoded():
    arm, hand = PANDA_ALLEGRO.q_home_rad, PANDA_ALLEGRO.hand_rest_rad
    with pytest.raises(DataError, match="without points"):
        HAND.encode(arm, hand, np.empty((0, 3)))
    for bad in (np.full(7, np.nan), arm[:6]):
        with pytest.raises(DataError, match="finite angles"):
            HAND.encode(bad, hand, np.zeros((1, 3)))
    with pytest.raises(ConfigError, match="no links of a hand"):
        HandKinematics(replace(PANDA_ALLEGRO, hand_joints=()))
