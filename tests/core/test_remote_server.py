"""Our server of a bundle: to our own client it is the local policy; to openpi's client, a policy server."""

import contextlib
import re
import socket
import time

import numpy as np
import pytest
from conftest import LOW_DIM, write_bundle
from remote_rig import STATES, answered, serving, tcp, unpacked
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tactus_core.errors import DataError, StaleError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.observation import low_dim
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import DirectSpec, EncoderSpec, ObservationSpec, RemoteSpec
from tactus_core.remote import contract, wire
from tactus_core.remote.client import RemotePolicy, remote_bundle
from tactus_core.remote.server import Session
from tactus_core.types import ChunkKind

FACE = np.full((96, 96, 3), 128, np.uint8)


@pytest.fixture(params=list(ChunkKind))
def bundle(request):
    return Bundle.load(request.getfixturevalue(f"{request.param}_bundle"))


def observation(**more):
    state = low_dim(STATES, 1.0, LOW_DIM).astype(np.float32)
    return {"observation/image": FACE, "observation/state": state, "prompt": "wipe the board"} | more


def assert_same_chunks(one, other):
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_array_equal(one.T_base_anchor, other.T_base_anchor)
    assert (one.kind, one.dt_s, one.bundle, one.sequence) == (other.kind, other.dt_s, other.bundle, other.sequence)


def test_a_remote_bundle_plans_what_the_local_one_does_bit_by_bit(bundle):
    features = OnnxEncoder(bundle).encode({"wrist": FACE[None]})
    local = DiffusionPolicy(bundle, seed=3)
    with serving(bundle, seed=3) as url:
        remote = remote_bundle(bundle.card, url, 1.0, time.monotonic)
        for stamp_s in (1.0, 1.5):
            assert_same_chunks(remote.infer(features, STATES, stamp_s), local.infer(features, STATES, stamp_s))
        remote.close()


def test_what_encoders_that_stand_alone_make_is_sent_with_the_state(tmp_path):
    observation = ObservationSpec({}, LOW_DIM, {"seen": EncoderSpec("a" * 64, 3, (0.0,))})
    bundle = Bundle.load(write_bundle(tmp_path / "observing", ChunkKind.ACTION, observation=observation, generator=DirectSpec()))
    seen, encoded = np.empty(0, np.float32), np.array([0.5, -1.0, 7.0])
    with serving(bundle, seed=3) as url:
        remote = remote_bundle(bundle.card, url, 1.0, time.monotonic)
        chunk = remote.infer(seen, STATES, 1.0, encoded)
        with pytest.raises(DataError, match=r"expects \(3,\) of seen"):
            remote.infer(seen, STATES, 1.0)
        remote.close()
    assert_same_chunks(chunk, DiffusionPolicy(bundle, seed=3).infer(seen, STATES, 1.0, encoded))


def test_an_image_may_be_sent_in_the_place_of_its_features(bundle):
    with serving(bundle, seed=3) as url:
        config = RemoteSpec(url=url, timeout_s=1.0, state="low_dim", actions="anchored")
        remote = RemotePolicy(bundle.card, config, time.monotonic, contract.metadata(bundle.card))
        chunk = remote.infer(FACE, STATES, 1.0)
        remote.close()
    assert_same_chunks(chunk, DiffusionPolicy(bundle, seed=3).infer(OnnxEncoder(bundle).encode({"wrist": FACE[None]}), STATES, 1.0))


BAD = {
    "no image": ({"observation/image": None}, "neither 'observation/image' nor"),
    "another size": ({"observation/image": np.zeros((224, 224, 3), np.uint8)}, r"\(1, 224, 224, 3\)"),
    "an image of floats": ({"observation/image": FACE.astype(np.float32)}, "float32; expected"),
    "a short state": ({"observation/state": np.zeros(8, np.float32)}, r"\(8,\), expected \(76,\)"),
    "NaN": ({"observation/state": np.full(76, np.nan)}, "NaN"),
    "features of another encoder": ({"observation/features": np.zeros(5, np.float32)}, r"\(5,\), expected \(3,\)"),
}


def test_a_bad_question_gets_a_text_and_the_connection_lives(action_bundle):
    bundle = Bundle.load(action_bundle)
    with serving(bundle) as url, connect(url, compression=None) as connection:
        assert unpacked(connection.recv()) == contract.metadata(bundle.card)
        bad = [(wire.pack(observation(**more)), message) for more, message in BAD.values()]
        for question, message in [*bad, (b"\xc1", "msgpack"), ("hello", "hello")]:
            connection.send(question)
            assert re.search(message, answer := connection.recv()), answer
        connection.send(wire.pack(observation()))
        assert unpacked(connection.recv())["actions"].shape == (32, 10)


def test_clients_do_not_disturb_each_other(action_bundle):
    bundle = Bundle.load(action_bundle)
    features = OnnxEncoder(bundle).encode({"wrist": FACE[None]})
    with serving(bundle) as url:
        one, other = (remote_bundle(bundle.card, url, 1.0, time.monotonic) for _ in range(2))
        first = one.infer(features, STATES, 1.0)
        with socket.create_connection(url.removeprefix("ws://").split(":")) as stranger:
            stranger.sendall(b"\0\xff" * 4000 + b"\r\n\r\n")
        with connect(url, compression=None) as cut:
            cut.recv()
            cut.socket.sendall(b"\x82\xfe\x03\xe8abcdhalf a message")
            assert_same_chunks(other.infer(features, STATES, 1.0), first)  # the same seed, and nothing of the other's episode
            cut.socket.close()
        local = DiffusionPolicy(bundle)
        assert_same_chunks(first, local.infer(features, STATES, 1.0))
        assert_same_chunks(one.infer(features, STATES, 1.1), local.infer(features, STATES, 1.1))


def test_a_server_that_goes_and_comes_back_is_found_again(action_bundle):
    bundle = Bundle.load(action_bundle)
    features = OnnxEncoder(bundle).encode({"wrist": FACE[None]})
    with tcp(lambda connection: None) as free:
        pass
    port = int(free.rpartition(":")[2])
    config = RemoteSpec(
        url=f"ws://127.0.0.1:{port}", timeout_s=0.5, retry_first_s=0.01, retry_longest_s=0.02,
        seen_key=contract.FEATURES, state="low_dim", actions="anchored",
    )  # fmt: skip
    remote = RemotePolicy(bundle.card, config, time.monotonic, contract.metadata(bundle.card))
    with pytest.raises(StaleError):
        remote.infer(features, STATES, 1.0)
    for _ in range(2):
        with serving(bundle, port):
            answered(remote, features)
        with pytest.raises(StaleError):
            remote.infer(features, STATES, 1.0)
    assert remote.counts["connections"] == 2


def test_a_page_in_a_browser_may_not_ask_and_health_is_told(action_bundle):
    with serving(Bundle.load(action_bundle)) as url:
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, origin="http://evil.example")
        with pytest.raises(InvalidStatus, match="200"):
            connect(url + "/healthz")


def test_too_many_clients_are_turned_away_and_the_rest_served(action_bundle):
    bundle = Bundle.load(action_bundle)
    with serving(bundle) as url, contextlib.ExitStack() as opened:
        held = [opened.enter_context(connect(url, compression=None)) for _ in range(8)]
        for connection in held:
            connection.recv()
        late = remote_bundle(bundle.card, url, 1.0, time.monotonic)
        with pytest.raises(StaleError, match="8 clients"):
            late.infer(np.zeros(3, np.float32), STATES, 1.0)
        held[0].send(wire.pack(observation()))
        assert isinstance(held[0].recv(), bytes)


def test_the_time_of_inference_is_told(action_bundle):
    times = iter([10.0, 10.25])
    session = Session(Bundle.load(action_bundle), 0, lambda: next(times))
    assert unpacked(session.answer(wire.pack(observation())))["server_timing"]["infer_ms"] == pytest.approx(250.0)
