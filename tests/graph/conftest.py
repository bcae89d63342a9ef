"""The shipped launch file around a task without physics and a bundle without sense: what is tested is the graph."""

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from processes import loaded

ROOT = Path(__file__).parents[2]
# Before anything of ROS is imported: no other graph on this machine may hear this one. The middleware is as `./tactus` has it.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 99)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "SYSTEM_DEFAULT"
os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(ROOT / "launch" / "dds" / "loopback.xml")
STUB = ROOT / "tests" / "graph" / "stub"
LAUNCH_FILE = ROOT / "launch" / "sim.launch.xml"


@pytest.fixture(scope="session")
def bundles():
    """The module that writes bundles for core's tests."""
    return loaded("bundles", "core/conftest.py")


@pytest.fixture(scope="session")
def bundle(bundles, tmp_path_factory):
    from tactus_core.types import ChunkKind

    return calmed(bundles.write_bundle(tmp_path_factory.mktemp("bundles") / "stub", ChunkKind.LATENT, "stub_robot"))


@pytest.fixture(scope="session")
def encoder_folders():
    """Return the module that writes encoders."""
    return loaded("encoder_folders", "core/encoder_folders.py")


@pytest.fixture(scope="session")
def encoder(encoder_folders, tmp_path_factory):
    """Return the folder of an encoder of a hand: it listens to most."""
    folder = tmp_path_factory.mktemp("encoder")
    encoder_folders.write_hand(folder, "stub_robot", 17)
    return folder


@pytest.fixture
def card(bundle):
    from tactus_core.policy.card import load_card

    return load_card(bundle / "card.yaml")


def calmed(folder):
    """Scale the actions of a meaningless policy down to millimetres around the anchor: the guard refuses what jumps."""
    from tactus_core.policy.card import dump_card, file_sha256, load_card

    path = folder / "normaliser.json"
    values = json.loads(path.read_text())
    values["action"] = {"offset": [0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5], "scale": [0.001] * 10}
    path.write_text(json.dumps(values))
    card = load_card(folder / "card.yaml")
    dump_card(replace(card, normaliser=replace(card.normaliser, sha256=file_sha256(path))), folder / "card.yaml")
    return folder


def stub_environment(bundle):
    """Return what lets a process find the stub's task, robot and bundle."""
    return {"PYTHONPATH": f"{STUB}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "TACTUS_BUNDLES": str(bundle.parent)}


@pytest.fixture(scope="session")
def launch(bundle, tmp_path_factory):
    """Return a context that runs the launch file with some arguments changed, and gives (launched, session)."""
    from tactus_cli.launching.session import Launched
    from tactus_nodes.client import GraphSession

    @contextlib.contextmanager
    def start(**arguments):
        environment = os.environ | stub_environment(bundle)
        values = {"task": "stub", "robot": "stub_robot", "bundle": str(bundle), "run": "false"} | arguments
        folder = tmp_path_factory.mktemp("logs")
        with Launched(LAUNCH_FILE, values, folder=folder, environment=environment) as launched, GraphSession(launched.check) as session:
            yield launched, session

    return start


@pytest.fixture
def stubbed(bundle, monkeypatch):
    """Return the launch file, to be started from this process' own environment."""
    for name, value in stub_environment(bundle).items():
        monkeypatch.setenv(name, value)
    return LAUNCH_FILE


@pytest.fixture
def robot(monkeypatch):
    """Return the stub's robot; this process finds the stub by its entry points, too."""
    from tactus_nodes.plugins import find_robot

    monkeypatch.syspath_prepend(STUB)
    return find_robot("stub_robot")


@pytest.fixture
def emulate():
    """Return a function that starts an emulator which the test steers."""
    from processes import emulated

    started = []

    def start(device):
        started.append(emulated().Emulated(device))
        return started[-1]

    yield start
    for each in started:
        each.close()
