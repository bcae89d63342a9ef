"""What client and server must agree on before anything is asked, and what a server's numbers mean."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remote_rig import ANCHOR, IMAGE, STATES, Independent, packed, policy, vla_card

from tactus_core.errors import ConfigError, StaleError
from tactus_core.geometry import from_rot6d, rigid, rotation_matrix
from tactus_core.policy.card import load_card
from tactus_core.remote import contract
from tactus_core.remote.client import remote_bundle


@pytest.fixture
def card(tmp_path):
    return vla_card(tmp_path)


@given(st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6))
@settings(max_examples=50, deadline=None)
def test_a_pose_in_the_base_is_the_same_pose_from_the_anchor(pose):
    rows = np.array([[*pose, 0.3]], np.float32)
    row = contract.MEANINGS["pose"][1](rows, ANCHOR)[0].astype(float)
    expected = rigid(rows[0, :3].astype(float), rotation_matrix(rows[0, 3:6].astype(float)))
    np.testing.assert_allclose(ANCHOR @ rigid(row[:3], from_rot6d(row[3:9])), expected, atol=1e-5)
    assert row[9] == pytest.approx(0.3)


def unasked(server, connection, observation):
    """Never comes to it."""


def test_a_server_of_another_policy_is_not_asked(card):
    told = contract.metadata(card) | {"sha256": np.zeros(3)}
    with Independent(unasked, packed(told)) as server:
        asking = remote_bundle(card, server.url, 1.0, time.monotonic)
        with pytest.raises(StaleError, match="another policy: sha256 is array"):
            asking.infer(IMAGE, STATES, 1.0)
        assert not server.seen
    with Independent(unasked, packed([1, 2])) as server, pytest.raises(StaleError, match="expected a mapping"):
        policy(card, server.url).infer(IMAGE, STATES, 1.0)


BAD_CONFIGS = {
    "TLS is not spoken": {"url": "wss://gpu:8000"},
    "no address of a policy server": {"url": "http://gpu:8000"},
    "ws://HOST:PORT": {"url": "ws://gpu:port"},
    "cannot be looked up": {"url": "ws://name.invalid:8000"},
    "of no use any more": {"url": "ws://127.0.0.1:8000", "timeout_s": 1.2},
}


@pytest.mark.parametrize("message", BAD_CONFIGS)
def test_a_configuration_that_cannot_work_is_refused(card, message):
    with pytest.raises(ConfigError, match=message):
        policy(card, **BAD_CONFIGS[message])


def test_a_latent_is_never_taken_for_poses(latent_bundle):
    with pytest.raises(ConfigError, match="latent"):
        policy(load_card(latent_bundle / "card.yaml"), "ws://127.0.0.1:1")
