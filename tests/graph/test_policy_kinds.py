"""Every kind of policy, all the way: demonstrations, training, export; an episode in lockstep on every backend, and one in the graph."""

import importlib.util
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import yaml
from conftest import calmed, stub_environment

pytest.importorskip("torch", reason="policies are trained with torch, which is not installed here: pip install -r requirements/train.txt")

from tactus_cli.engines import make_engines
from tactus_core.engines.port import EngineConfig
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import file_sha256, load_card
from tactus_models import train
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics
from tactus_nodes.plugins import find_task
from tactus_sim.lockstep import Lockstep

# What is distilled runs as its teacher's kind does, by the networks of another: both are here.
KINDS = [kind for kind, (stage, _) in train.POLICIES["wipe"].items() if stage != "distil"]
INT8 = EngineConfig(precision="int8")
BACKENDS = {"onnxruntime": EngineConfig(), "int8": INT8, "torch": EngineConfig("torch")}
SETTINGS = {
    "threads": 1,
    "card": {"robot": "stub_robot"},
    "tokenizer": {"steps": 5, "further_steps": 2, "hidden": 8, "gru_hidden": 8, "batch": 8},
    "diffusion": {
        "steps": 3, "further_steps": 2, "batch": 4, "features": 16, "encoder_widths": [8, 16], "unet_widths": [16, 32],
        "transformer": {"width": 16, "layers": 1, "heads": 2},
    },
}  # fmt: skip
OBSERVED_S = 0.8  # of episodes, for int8's scales
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with demonstrations and settings, an empty cache of engines, and an environment in which the stub is found."""
    spec = importlib.util.spec_from_file_location("wiping_data", Path(__file__).parents[1] / "models" / "wiping_data.py")
    wiping_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wiping_data)
    folder = tmp_path_factory.mktemp("kinds")
    wiping_data.write(folder / "data", 2, 2.5)
    wiping_data.write(folder / "data" / "slow", 2, 2.5)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"XDG_CACHE_HOME": str(folder), **stub_environment(folder / "bundles" / "any")}.items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="module")
def trained(folder):
    """Return a function that gives the bundle of a kind, made as `./tactus train --policy` makes it, whose motion is small."""

    def bundle(kind):
        places = {"--data": folder / "data", "--work": folder / "work", "--bundles": folder / "bundles", "--config": folder / "config.yaml"}
        if not (made := folder / "bundles" / train.POLICIES["wipe"][kind][1]).exists():
            assert train.main([*(str(word) for pair in places.items() for word in pair), "--policy", kind]) == 0
            calmed(made)
        return made

    return bundle


def engines(bundle, config, compute_capability=""):
    """Return what `./tactus engine` makes of a bundle; the stub stands for its task where something has to be observed."""
    card = replace(load_card(bundle / "card.yaml"), task="stub")
    return [] if config.is_reference else list(make_engines(bundle, card, config, compute_capability, OBSERVED_S, pytest.fail))


@pytest.mark.parametrize(("kind", "backend"), [*product(KINDS, BACKENDS)])
def test_a_kind_of_policy_runs_on_every_backend(trained, robot, kind, backend):
    bundle, config = trained(kind), BACKENDS[backend]
    assert not any(made.failed for made in engines(bundle, config))
    outcome = Lockstep(find_task("stub"), Bundle.load(bundle, config)).run(7)
    assert outcome.success, outcome


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_for_a_gpu_that_is_elsewhere_is_built_of_every_kind(trained, kind):
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: 230 MB, in requirements/gpu.txt")
    assert all(made.error is None for made in engines(trained(kind), EngineConfig("tensorrt-rtx"), "8.9"))


@pytest.fixture(scope="module")
def graph(trained, launch):
    """A graph whose nodes run int8, its session, and whose weights have moved the robot."""
    bundle, moved = trained(KINDS[0]), set()
    engines(bundle, INT8)
    with launch(bundle=str(bundle), precision=INT8.precision) as (launched, session):
        session.listen(topics.VERDICT.deeper(100), lambda verdict: moved.add(verdict.bundle_hash))
        session.wait_ready(60.0)
        yield launched, session, moved


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_policy_runs_in_the_graph(trained, graph, kind):
    """Each takes the place of the one before it, as other weights do: starting seven processes for each took half a minute."""
    bundle, (launched, session, moved) = trained(kind), graph
    engines(bundle, INT8)
    weights = {"bundle": str(bundle), "bundle_hash": file_sha256(bundle / "card.yaml")}
    for service in ("perception/prepare", "fast_policy/prepare", "slow_policy/prepare", "slow_policy/swap"):
        answer = session.ask(SwapBundle, service, PATIENCE_S, **weights)
        assert answer.success, f"{service}: {answer.message}"
    moved.clear()
    assert session.run_episode(7).success
    assert weights["bundle_hash"] in moved
    assert not any("In its place" in process.log.read_text() for process in launched.processes), "a node could not have its engine"
