"""A film goes on after its episode's end, and its labels are the task's own word at each image."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tactus_core.types import ChunkKind, Outcome
from tactus_sim.filmed import LINGER_S, Filmed


def loaded(path):
    path = Path(__file__).parents[1] / path
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_labels_are_the_tasks_word_and_what_it_takes_back_is_not_known(tmp_path):
    stub = loaded("graph/stub/tactus_stub.py")
    bundle = loaded("core/conftest.py").write_bundle(tmp_path / "stub", ChunkKind.ACTION, stub.ROBOT.name)

    class TakesBack(stub.StubWorld):
        """Is done from 1.05 s on, and not any more from 2.05 s on."""

        def outcome(self):
            return Outcome(self._seed, 1.05 <= self._time_s < 2.05, {"episode_s": self._time_s})

    task = replace(stub.TASK, make_world=lambda viewer: TakesBack(stub.EPISODE_S))
    outcome, arrays, kept = Filmed(task, str(bundle)).demonstrate(7)
    assert (outcome.success, kept) == (True, True)
    # The world adds ticks up, and may round past the end.
    assert outcome.parts["episode_s"] == pytest.approx(stub.EPISODE_S, abs=1.1 * stub.TICK_S)
    assert arrays["t_s"][-1] == pytest.approx(outcome.parts["episode_s"] + LINGER_S - stub.TICK_S)
    at_s = arrays["image_t_s"]
    np.testing.assert_array_equal(arrays["done"], np.where(at_s < 1.05, 0, np.where(at_s < 2.05, 1, -1)))
    assert np.diff(at_s).max() < 0.1 + 1e-6
