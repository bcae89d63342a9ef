"""The slow policy's node asks elsewhere: a server of its own bundle with features, and the server that a card names with images."""

import contextlib
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from feeding import Feeler
from solo import solo, stamp_of

from tactus_core.policy.card import dump_card, load_card
from tactus_core.policy.specs import RemoteSpec
from tactus_core.types import ChunkKind
from tactus_msgs.msg import Features
from tactus_nodes import convert_seen, topics
from tactus_nodes.slow_policy import SlowPolicyNode


@pytest.fixture(scope="module")
def served(bundles, tmp_path_factory):
    return bundles.write_bundle(tmp_path_factory.mktemp("served") / "served", ChunkKind.ACTION, "stub_robot")


@contextlib.contextmanager
def serving(bundle):
    """Give the address of a server of a bundle, and its process."""
    server = subprocess.Popen([sys.executable, "-m", "tactus_cli", "serve", str(bundle), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().split(" at ")[1].split()[0], server
    finally:
        server.kill()
        server.communicate()


def of_a_server(folder, served, url):
    """Write a bundle that is a card alone: its server gets what the served one observes."""
    card = load_card(served / "card.yaml")
    server = RemoteSpec(url=url, state="low_dim", actions="anchored", retry_first_s=0.01, retry_longest_s=0.02)
    folder.mkdir()
    dump_card(replace(card, name="elsewhere", generator=server, graphs={}, normaliser=None), folder / "card.yaml")
    return folder


def features_of(node, card, stamp_s):
    message = Features(
        encoder=topics.encoder_name(card.id), bundle_hash=node._made_by["bundle_hash"], data=np.zeros(card.feature_size, np.float32)
    )
    message.header.stamp = stamp_of(stamp_s)
    return message


def image_of(node, card, stamp_s):
    return convert_seen.to_image(np.full((96, 96, 3), 7, np.uint8), stamp_of(stamp_s))


@pytest.mark.parametrize(("by_card", "see"), [(False, features_of), (True, image_of)], ids=["features", "images"])
def test_chunks_come_from_a_server_and_none_when_it_dies_until_it_is_back(by_card, see, served, robot, tmp_path):
    with contextlib.ExitStack() as stack:
        url, server = stack.enter_context(serving(served))
        bundle = of_a_server(tmp_path / "elsewhere", served, url) if by_card else served
        card, named = load_card(bundle / "card.yaml"), {} if by_card else {"remote": url}
        with solo(SlowPolicyNode, "slow_policy", bundle=str(bundle), run="true", **named) as bench:
            assert not bench.node.trouble
            topic = topics.IMAGE if by_card else topics.FEATURES
            assert set(bench.node.streams) == {"joint_states", "wrench", "tactile", "verdict", "sim/outcome", "episode/mark", topic.name}
            chunks = bench.hear(topics.CHUNK)
            feeler = Feeler(bench, robot, lambda: bench.node._replanning._felt_s)

            def asked():
                feeler.feel(2)
                bench.send(topic, see(bench.node, card, feeler.stamp_s))

            feeler.feel(70)
            bench.until(lambda: asked() or any(len(chunk.data) for chunk in chunks), "a chunk")
            chunk = next(chunk for chunk in chunks if len(chunk.data))
            assert (chunk.bundle, chunk.steps, len(chunk.data)) == (card.id, 32, 320)
            server.send_signal(signal.SIGKILL)
            server.wait()
            bench.until(lambda: asked() or "policy server" in bench.node.trouble, "the loss of the server")
            count = len(chunks)
            asked()
            assert len(chunks) == count
