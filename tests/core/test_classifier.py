"""A classifier of success says what its graph says, refuses what it was not made for, and one image alone is never enough."""

import numpy as np
import pytest
import yaml
from classifier_folder import write_classifier
from conftest import write_bundle
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import BundleError, DataError
from tactus_core.learning.classifier import CARD, GRAPH, SuccessClassifier, load_classifier_card
from tactus_core.policy.bundle import Bundle
from tactus_core.types import ChunkKind

FELT = np.zeros(21)


def image(value):
    return np.full((96, 96, 3), value, np.uint8)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return SuccessClassifier(write_classifier(tmp_path_factory.mktemp("classifier") / "bright"))


def test_it_says_what_its_graph_says(classifier):
    assert classifier.card.id == "bright@1"
    assert classifier.probability(image(199), FELT) == pytest.approx(0.5)
    assert classifier.probability(image(200), FELT) == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-6)
    assert classifier.probability(image(0), FELT) < 1e-20


@pytest.mark.parametrize(
    ("seen", "felt", "says"),
    [
        (image(0)[:-1], FELT, "Set the camera to that size"),
        (image(0).astype(np.float32), FELT, "expects uint8"),
        (image(0), FELT[:-1], "beside it"),
        (image(0), np.full(21, np.nan), "measure tcp_pose, wrench"),
    ],
)
def test_what_it_was_not_made_for_is_refused(classifier, seen, felt, says):
    with pytest.raises(DataError, match=says):
        classifier.probability(seen, felt)


ALTERED = [
    ({"format": 1}, "no classifier of success"),
    ({"colour": "red"}, "unknown parameter 'colour'"),
    ({"threshold": 1.5}, "at most 1"),
    ({"threshold": float("nan")}, "at least 0"),
    ({"frames": 0}, "at least 1"),
    ({"image": [96, 96, 4]}, "expected .height, width, 3."),
    ({"image": [64, 96, 3]}, "the card says"),
    ({"low_dim": []}, "at least one"),
    ({"low_dim": [{"signal": "smell", "at_s": [0.0]}]}, "one of tcp_pose"),
    ({"graph": {"file": GRAPH, "sha256": "0" * 64}}, "altered or cut short"),
    ({"graph": {"file": "other.onnx", "sha256": "0" * 64}}, "missing, though"),
]


@pytest.mark.parametrize(("values", "says"), ALTERED)
def test_a_card_that_lies_is_refused(values, says, tmp_path):
    path = write_classifier(tmp_path / "bright") / CARD
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))
    with pytest.raises(BundleError, match=says):
        SuccessClassifier(path.parent)


def test_weights_that_are_not_finite_are_refused_before_anything_is_judged(tmp_path):
    with pytest.raises(BundleError, match="expected a finite logit"):
        SuccessClassifier(write_classifier(tmp_path / "broken", value=float("nan")))


def test_it_is_not_taken_for_a_policy_nor_a_policy_for_it(tmp_path):
    with pytest.raises(BundleError, match="format: success-1"):
        Bundle.load(write_classifier(tmp_path / "bright"))
    with pytest.raises(BundleError, match="no classifier of success"):
        SuccessClassifier.load(write_bundle(tmp_path / "policy", ChunkKind.ACTION))


def test_a_card_survives_writing_and_reading(tmp_path):
    card = load_classifier_card(write_classifier(tmp_path / "bright", frames=4, gap_s=0.25) / CARD)
    assert (card.frames, card.gap_s, card.lookback_s, card.low_dim_size) == (4, 0.25, 0.1, 21)


said = st.lists(st.tuples(st.floats(0.0, 1.0) | st.just(float("nan")), st.sampled_from([0.05, 0.1, 0.29, 0.31, 1.0])), max_size=30)


@given(said=said)
def test_success_is_said_at_the_first_image_that_completes_enough_in_a_row(classifier, said):
    probability, steps_s = np.array([p for p, _ in said]), np.array([s for _, s in said])
    stamps_s, frames = np.cumsum(steps_s), classifier.card.frames
    expected = [
        stamps_s[i]
        for i in range(frames - 1, len(said))
        if all(probability[i - k] >= 0.8 for k in range(frames)) and all(steps_s[i - k] <= 0.3 for k in range(frames - 1))
    ]
    assert classifier.done_at(probability, stamps_s) == (expected[0] if expected else None)


@given(before=st.floats(0.0, 0.79), alone=st.floats(0.8, 1.0), after=st.floats(0.0, 0.79))
def test_one_image_alone_is_never_enough(classifier, before, alone, after):
    assert classifier.done_at(np.array([before, alone, after, alone]), 0.1 * np.arange(4)) is None
