"""What somebody said of episodes while they were recorded: their spans, their labels, and the moments that were marked."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from written_bag import START_NS, STEP_NS, WrittenBag

from tactus_core.datasets.bag import Bag
from tactus_core.datasets.check import check_bag
from tactus_core.datasets.rows import episodes
from tactus_core.datasets.spans import _marked

kinds = st.lists(st.sampled_from(["begin", "end", "success", "failure", "note"]), max_size=12)


@given(kinds)
def test_an_episode_lasts_from_a_beginning_to_whatever_comes_next(said):
    found = _marked(list(enumerate(said)), 100)
    words = [(at, kind) for at, kind in enumerate(said) if kind != "note"] + [(100, "end")]
    expected = [(at, *after) for (at, kind), after in itertools.pairwise(words) if kind == "begin"]
    assert [(span.start_ns, span.end_ns) for span in found] == [(start, end) for start, end, _ in expected]
    assert [span.success for span in found] == [{"success": True, "failure": False}.get(kind) for *_, kind in expected]


def test_marks_become_episodes_labels_and_a_column(tmp_path):
    marks = [(30, "begin"), (55, "note"), (60, "note"), (80, "success"), (90, "begin"), (120, "failure"), (130, "begin")]
    WrittenBag(tmp_path / "bag", marks=marks, without=["/camera/image"])
    found = list(episodes(Bag(tmp_path / "bag"), 30, "press"))
    assert [set(episode.values["success"]) for episode in found] == [{1}, {0}, {-1}]
    first = found[0].values
    assert START_NS + 30 * STEP_NS <= first["time_ns"][0] < first["time_ns"][-1] <= START_NS + 80 * STEP_NS + 1_000_000
    noted_ns = first["time_ns"][np.flatnonzero(first["mark"])]
    for row_ns, step in zip(noted_ns, (55, 60), strict=True):
        # It counts from the first verdict after it, in the first row after that.
        assert 0 <= row_ns - (START_NS + step * STEP_NS) <= 2 * STEP_NS + 1e9 / 30
    assert not any(episode.values["mark"].any() for episode in found[1:])


def test_a_bag_without_a_beginning_is_one_episode_with_the_last_label(tmp_path):
    WrittenBag(tmp_path / "bag", marks=[(20, "failure"), (60, "success")], without=["/camera/image"])
    (episode,) = episodes(Bag(tmp_path / "bag"), 30, "press")
    assert set(episode.values["success"]) == {1}
    assert set(episode.values["guard.bundle"]) == {"wipe@1", ""}
    assert episode.values["guard.age"][-1].tolist() == [0.25, 0.5, 1.0, 0.0]


def test_what_was_lost_on_the_way_into_the_bag_is_found_and_marks_have_no_rate(tmp_path):
    marks = [(20, "begin"), (21, "note"), (140, "success")]
    WrittenBag(tmp_path / "lossy", marks=marks, lost={"/wrench": 3, "/verdict": 4}, without=["/camera/image"])
    found = [(finding.kind, finding.column, finding.what.split()[0]) for finding in check_bag(Bag(tmp_path / "lossy"))]
    assert found == [("lost", "/wrench", "the"), ("lost", "/verdict", "the"), ("lost", "/verdict", "7")]
    WrittenBag(tmp_path / "whole", marks=marks, without=["/camera/image"])
    assert not list(check_bag(Bag(tmp_path / "whole")))
