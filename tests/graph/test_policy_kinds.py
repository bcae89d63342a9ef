"""Every kind of policy on every backend, all the way: demonstrations, training, export, an episode in lockstep, one in the graph."""

import importlib.util
from itertools import product
from pathlib import Path

import pytest
import yaml
from conftest import calmed, stub_environment

pytest.importorskip("torch", reason="policies are trained with torch, which is not installed here: pip install -r requirements/train.txt")

from tactus_core.policy.bundle import Bundle
from tactus_models import train
from tactus_nodes.plugins import find_task
from tactus_sim.lockstep import Lockstep

# What is distilled runs as its teacher's kind does, by the networks of another: both are here.
KINDS = [kind for kind, (stage, _) in train.POLICIES["wipe"].items() if stage != "distil"]
# By name: what `Bundle.load` is told, and the launch arguments that say the same.
BACKENDS = {"onnxruntime": ({}, {})}
SETTINGS = {
    "threads": 1,
    "card": {"robot": "stub_robot"},
    "tokenizer": {"steps": 5, "further_steps": 2, "hidden": 8, "gru_hidden": 8, "batch": 8},
    "diffusion": {
        "steps": 3, "further_steps": 2, "batch": 4, "features": 16, "encoder_widths": [8, 16], "unet_widths": [16, 32],
        "transformer": {"width": 16, "layers": 1, "heads": 2},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("wiping_data", Path(__file__).parents[1] / "models" / "wiping_data.py")
    wiping_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wiping_data)
    folder = tmp_path_factory.mktemp("kinds")
    wiping_data.write(folder / "data", 2, 2.5)
    wiping_data.write(folder / "data" / "slow", 2, 2.5)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    return folder


@pytest.fixture(params=product(KINDS, BACKENDS), ids="-".join)
def trained(request, demonstrations, monkeypatch):
    """Return a bundle, made as `./tactus train --policy` makes it, whose motion is small, and its backend."""
    kind, backend = request.param
    folder = demonstrations
    places = {"--data": folder / "data", "--work": folder / "work", "--bundles": folder / "bundles", "--config": folder / "config.yaml"}
    if not (made := folder / "bundles" / train.POLICIES["wipe"][kind][1]).exists():
        assert train.main([*(str(word) for pair in places.items() for word in pair), "--policy", kind]) == 0
        calmed(made)
    for name, value in stub_environment(made).items():
        monkeypatch.setenv(name, value)
    return made, backend


def test_a_kind_of_policy_goes_all_the_way(trained, launch, robot):
    folder, backend = trained
    loading, arguments = BACKENDS[backend]
    outcome = Lockstep(find_task("stub"), Bundle.load(folder, **loading)).run(7)
    assert outcome.success, outcome
    with launch(bundle=str(folder), **arguments) as (_, session):
        session.wait_ready(60.0)
        assert session.run_episode(7).success
