"""Against openpi's own client and server, where they are installed: requirements/remote.txt says how."""

import time

import numpy as np
import pytest
from conftest import LOW_DIM, write_bundle
from remote_rig import IMAGE, STATES, answered, openpis_server, serving

from tactus_core.errors import DataError, StaleError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.observation import low_dim
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import RemoteSpec
from tactus_core.remote import contract
from tactus_core.remote.client import RemotePolicy
from tactus_core.types import ChunkKind

FACE = np.full((96, 96, 3), 128, np.uint8)
TIMEOUT_S = 0.4
ABSENT = "not installed; requirements/remote.txt says how"

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager")  # as openpi's client does not


@pytest.fixture
def bundle(tmp_path):
    return Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION))


def test_openpis_client_is_answered(bundle):
    openpi = pytest.importorskip("openpi_client.websocket_client_policy", reason=ABSENT)
    observation = {
        "observation/image": FACE,
        "observation/state": low_dim(STATES, 1.0, LOW_DIM).astype(np.float32),
        "prompt": "wipe the board",
    }
    with serving(bundle, seed=3) as url:
        client = openpi.WebsocketClientPolicy(host="127.0.0.1", port=int(url.rpartition(":")[2]))
        assert client.get_server_metadata() == contract.metadata(bundle.card)
        local = DiffusionPolicy(bundle, seed=3)
        for _ in range(2):
            answer = client.infer(observation)
            expected = local.infer(OnnxEncoder(bundle).encode({"wrist": FACE[None]}), STATES, 1.0)
            np.testing.assert_array_equal(answer["actions"], expected.data)
            assert answer["server_timing"]["infer_ms"] > 0.0
        with pytest.raises(RuntimeError, match=r"\(8,\), expected \(76,\)"):
            client.infer(observation | {"observation/state": np.zeros(8)})
        assert client.infer(observation)["actions"].shape == (32, 10)
        client._ws.close()


class Policy:
    """What openpi's server serves: does as the prompt says, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def infer(self, observation):
        self.asked.append(observation)
        if observation["prompt"] == "fail":
            raise RuntimeError("no camera")
        if observation["prompt"] == "sleep":
            time.sleep(2 * TIMEOUT_S)  # on the server's event loop: it hears nobody meanwhile
        return {"actions": np.full((32, 7), 0.25), "state": observation["observation/state"]}


def test_openpis_server_is_asked_fails_stalls_and_is_asked_again(bundle):
    module = pytest.importorskip("openpi_server.websocket_policy_server", reason=ABSENT)
    policy = Policy()
    with openpis_server(module.WebsocketPolicyServer(policy, metadata={"reset_pose": np.zeros(7)})) as url:
        config = RemoteSpec(url=url, timeout_s=TIMEOUT_S, retry_first_s=0.01, retry_longest_s=0.02)
        asking = RemotePolicy(bundle.card, config, time.monotonic)
        asking.instruct("wipe the board")
        first = answered(asking)
        np.testing.assert_array_equal(asking.metadata["reset_pose"], np.zeros(7))
        np.testing.assert_array_equal(policy.asked[0]["observation/image"], IMAGE)
        assert policy.asked[0]["prompt"] == "wipe the board"
        assert (first.data.shape, first.data[0, 9]) == ((32, 10), 0.25)
        asking.instruct("fail")
        with pytest.raises(DataError, match="RuntimeError: no camera"):
            asking.infer(IMAGE, STATES, 1.0)
        asking.instruct("sleep")
        while asking.counts["late"] == 0:  # openpi's server hangs up after an error: that may be found out first
            with pytest.raises(StaleError):
                asking.infer(IMAGE, STATES, 1.0)
        asking.instruct("wipe the board")
        assert answered(asking, stamp_s=1.5).stamp_s == 1.5
        asking.close()
