"""Who plans: the bundle itself, a server of it, or the server that a card without networks names."""

import time
from dataclasses import fields, replace

import numpy as np
import pytest
from conftest import write_bundle
from remote_rig import STATES, Independent, answered, packed

from tactus_core.errors import BundleError, ConfigError, DataError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import dump_card, load_card
from tactus_core.policy.planner import make_planner
from tactus_core.policy.signals import CommandedSpec, ObservedSpec
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import CameraSpec, FileSpec, ObservationSpec, RemoteSpec
from tactus_core.remote import contract
from tactus_core.types import ChunkKind

URL = "ws://127.0.0.1:9"


def vla(folder, url, **changes):
    """Write the bundle of a policy that another project serves: a card, and nothing beside it."""
    draft = load_card(write_bundle(folder / "draft", ChunkKind.ACTION) / "card.yaml")
    seen = ObservationSpec({"scene": CameraSpec((48, 64, 3), (0.0,))}, (ObservedSpec("arm_position", (0.0,)),))
    server = RemoteSpec(url=url, timeout_s=1.0, state="low_dim", actions="anchored", retry_first_s=0.01, retry_longest_s=0.02)
    action = (CommandedSpec("arm", "arm_position"), CommandedSpec("hand", "press"))
    streams = {name: draft.streams[name] for name in ("image", "joint_states")}
    parts = {"observation": seen, "generator": server, "action": action, "graphs": {}, "normaliser": None, "streams": streams}
    (folder / "vla").mkdir()
    dump_card(replace(draft, name="vla", **(parts | changes)), folder / "vla" / "card.yaml")
    return folder / "vla"


def planner(folder, instruction="", remote=""):
    return make_planner(
        load_card(folder / "card.yaml"), lambda: DiffusionPolicy(Bundle.load(folder)), time.monotonic, instruction, remote, 0.3
    )


def test_a_card_alone_is_a_bundle_whose_server_gets_the_image_the_joints_and_the_words(tmp_path):
    rows = np.linspace(0.0, 1.0, 32 * 8, dtype=np.float32).reshape(32, 8)
    with Independent(lambda server, connection, seen: connection.send(packed({"actions": rows}))) as server:
        folder = vla(tmp_path, server.url)
        assert Bundle.load(folder).engines == {}
        policy = planner(folder, "put the peg into the hole")
        image = np.full((48, 64, 3), 9, np.uint8)
        joints = replace(STATES, arm_position_rad=np.tile(np.arange(7.0), (400, 1)))
        with pytest.raises(DataError, match=r"image has shape \(96, 96, 3\).*expects \(48, 64, 3\)"):
            policy.infer(np.zeros((96, 96, 3), np.uint8), joints, 1.0)
        chunk = answered(policy, image, states=joints)
        policy.close()
    np.testing.assert_array_equal(chunk.data, rows)
    assert (chunk.kind, chunk.bundle, chunk.dt_s) == (ChunkKind.ACTION, "vla@1", 0.05)
    (seen,) = server.seen
    np.testing.assert_array_equal(seen["observation/image"], image)
    np.testing.assert_array_equal(seen["observation/state"], np.arange(7, dtype=np.float32))
    assert seen["prompt"] == "put the peg into the hole"


def test_what_contradicts_itself_is_refused_with_the_way_out(tmp_path):
    folder = write_bundle(tmp_path / "local", ChunkKind.ACTION)
    assert isinstance(planner(folder), DiffusionPolicy)
    with pytest.raises(ConfigError, match="understands no words"):
        planner(folder, "wipe")
    with pytest.raises(ConfigError, match="names its server itself"):
        planner(vla(tmp_path, URL), remote=URL)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"normaliser": FileSpec("normaliser.json", "0" * 64)}, "contradict each other"),
        ({"generator": RemoteSpec(url=URL, timeout_s=2.0)}, "less than validity_s"),
    ],
)
def test_a_card_that_lies_about_its_server_is_refused(tmp_path, changes, said):
    with pytest.raises(BundleError, match=said):
        vla(tmp_path, URL, **changes)


def test_the_words_of_a_card_are_those_that_the_client_knows():
    choices = {field.name: field.metadata["param"].choices for field in fields(RemoteSpec)}
    assert (set(choices["state"]), set(choices["actions"])) == (set(contract.STATES), set(contract.MEANINGS))
