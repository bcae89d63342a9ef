"""A classifier of success labels the episodes of a bag that nobody labelled, and no others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lived_story import MS, changed, loaded

from tactus_cli.bags import Agreement
from tactus_core.errors import BundleError
from tactus_core.learning.bags import lived
from tactus_core.learning.classifier import SuccessClassifier
from tactus_core.learning.labels import labelled, said


@pytest.fixture(scope="module")
def bright(tmp_path_factory):
    """Says success of images above 210: in the story those of the ticks 220 and 240."""
    folders = loaded("core/classifier_folder.py")
    at = tmp_path_factory.mktemp("classifier")
    robot = loaded("graph/stub/tactus_stub.py").TASK.robot.name
    return {frames: SuccessClassifier(folders.write_classifier(at / f"bright-{frames}", 209.0, robot, frames=frames)) for frames in (2, 3)}


def test_an_episode_without_a_label_ends_where_a_classifier_saw_success(story, bright, tmp_path):
    (found,) = lived(story.bag(tmp_path / "bag", changed(story, "/episode/mark", 1, kind="end")), story.find, bright[2])
    told, expected = found.transitions, story.practised
    assert (told.success, told.reward_source, told.ended) == (True, "classifier", True)
    assert (found.label, found.judgement.at_s) == (None, pytest.approx(1.2))
    assert told.stamp_s[-1] <= 1.2 < expected.stamp_s[len(told)]
    np.testing.assert_allclose(told.observed, expected.observed[: len(told)], atol=1e-6)


def test_an_episode_that_shows_no_success_is_a_failure_of_unknown_end(story, bright, tmp_path):
    heard = changed(story, "/episode/mark", 1, kind="end")
    end_ns, topic, end = heard[-1]
    (found,) = lived(story.bag(tmp_path / "bag", [*heard, (end_ns + 600 * MS, topic, {**end, "kind": "note"})]), story.find, bright[3])
    assert (found.transitions.success, found.transitions.reward_source, found.transitions.ended) == (False, "classifier", False)
    assert len(found.transitions) == len(story.practised)


def test_where_the_bag_ends_before_success_would_have_shown_nothing_is_said(story, bright, tmp_path):
    told, found = lived(story.bag(tmp_path / "bag", changed(story, "/episode/mark", 1, kind="end")), story.find, bright[3])
    assert "Record for 0.5 s more" in told.what
    assert (found.transitions.success, found.transitions.reward_source, found.judgement) == (None, "none", None)


def test_a_label_stands_and_who_says_otherwise_is_counted(story, bright, tmp_path):
    from tactus_cli.bags import Collecting
    from tactus_core.learning.transitions import Experience, load

    collecting = Collecting(Experience(tmp_path / "experience"), story, bright[2])
    heard = changed(story, "/episode/mark", 1, kind="failure")
    (found,) = collecting.take(story.bag(tmp_path / "bag", heard).source)
    assert (found.label, found.judgement.success) == (False, True)
    kept = load(collecting._experience.paths()[0])
    assert (kept.success, kept.reward_source, len(kept)) == (False, "label", len(story.practised))
    assert collecting.agreement == Agreement(labelled=0, alike=0, too_good=1, too_bad=0)
    assert "success of 1 failures" in str(collecting.agreement)


def test_what_a_classifier_cannot_see_stays_without_a_label_and_is_told(story, bright, tmp_path):
    heard = [row for row in changed(story, "/episode/mark", 1, kind="end") if row[1] != "/camera/image"]
    told, found = lived(story.bag(tmp_path / "bag", heard), story.find, bright[2])
    assert "Record the camera" in told.what
    assert (found.transitions.success, found.transitions.reward_source, found.judgement) == (None, "none", None)


def test_a_classifier_of_another_robot_is_refused(story, tmp_path):
    other = SuccessClassifier(loaded("core/classifier_folder.py").write_classifier(tmp_path / "bright", robot="another"))
    with pytest.raises(BundleError, match="Choose the classifier of that task and robot"):
        list(lived(story.bag(tmp_path / "bag"), story.find, other))


def test_images_are_labelled_by_what_was_said_of_their_episode(story, tmp_path):
    card, told = story.bundle.card, {}
    for kind in ("success", "failure"):
        # Said at 1.2 s, while all goes on until 1.5 s.
        heard = [
            (1200 * MS, topic, {**message, "kind": kind}) if message.get("kind") == "success" else (at_ns, topic, message)
            for at_ns, topic, message in story.heard
        ]
        ((_, arrays),) = labelled(story.bag(tmp_path / kind, heard), story.robot, card)
        assert arrays["image"].shape == (len(arrays["done"]), 96, 96, 3)
        told[kind] = arrays["done"].tolist()
    # When in the second before it came true nobody said.
    assert told == {"success": [0] * 3 + [-1] * 9 + [1] * 4, "failure": [0] * 12 + [-1] * 4}
    (finding,) = labelled(story.bag(tmp_path / "end", changed(story, "/episode/mark", 1, kind="end")), story.robot, card)
    assert "Label it: ./tactus record success" in finding.what


@given(at_s=st.lists(st.floats(0.0, 10.0), max_size=20), label_s=st.floats(0.0, 10.0), success=st.booleans())
def test_nothing_before_a_label_is_taken_for_a_success(at_s, label_s, success):
    stamps_s = np.sort(at_s)
    labels = said(stamps_s, label_s, success)
    assert set(labels[stamps_s < label_s].tolist()) <= {0, -1}
    assert (labels[stamps_s >= label_s] == (1 if success else -1)).all()
    assert (labels[stamps_s < label_s - 1.0] == 0).all()
