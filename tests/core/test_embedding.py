"""Dots as principal components: exact where all are found, the best fit where some are lost, refused where too many are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_cli.drawn_gel import dots_in_rows, drawn_gel, pressed
from tactus_core.errors import BundleError, DataError
from tactus_core.perception.embedding import MarkerEmbedding, MarkerEncoder
from tactus_core.perception.markers import MarkerConfig

DOTS, SIZE = 63, 15
SHAPE, ROWS, COLUMNS = (240, 320), 7, 9


def components(seed, dots=DOTS, size=SIZE):
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.01, 2 * dots), np.linalg.qr(rng.normal(size=(2 * dots, size)))[0]


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, DOTS - 1), max_size=DOTS // 5))
@settings(max_examples=50, deadline=None)
def test_what_lies_in_the_components_is_found_with_dots_lost(seed, lost):
    mean, matrix = components(seed)
    numbers = np.random.default_rng(seed).normal(0.0, 0.05, SIZE)
    displacement = (mean + matrix @ numbers).reshape(-1, 2)
    displacement[sorted(lost)] = np.nan
    np.testing.assert_allclose(MarkerEmbedding(mean, matrix).embed(displacement), numbers, atol=1e-5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_with_all_dots_it_is_the_projection_of_the_paper(seed):
    mean, matrix = components(seed)
    displacement = np.random.default_rng(seed).normal(0.0, 0.05, (DOTS, 2))
    np.testing.assert_allclose(MarkerEmbedding(mean, matrix).embed(displacement), (displacement.ravel() - mean) @ matrix, atol=1e-6)


def test_too_many_lost_and_another_gel_are_refused():
    embedding = MarkerEmbedding(*components(0))
    displacement = np.zeros((DOTS, 2))
    displacement[: DOTS // 5 + 1] = np.nan
    with pytest.raises(DataError, match="Missing is not zero"):
        embedding.embed(displacement)
    with pytest.raises(DataError, match="25 dots; the embedding is of 63"):
        embedding.embed(np.zeros((25, 2)))


MEAN, MATRIX = components(0)


@pytest.mark.parametrize(
    ("mean", "matrix"),
    [
        (MEAN[:-2], MATRIX),
        (MEAN[:, None], MATRIX),
        (MEAN[:125], MATRIX[:125]),
        (MEAN, 2.0 * MATRIX),
        (MEAN * np.nan, MATRIX),
        (MEAN, MATRIX * np.nan),
    ],
)
def test_what_are_no_principal_components_is_refused(mean, matrix):
    with pytest.raises(BundleError, match=r"both of one sensor|no principal components"):
        MarkerEmbedding(mean, matrix)


def test_dots_on_drawn_frames_are_placed_within_a_third_of_a_pixel():
    """The contract: a mean error of at most 0.3 px over frames with known displacements, 63 dots on 240×320 pixels."""
    rest_px = dots_in_rows(SHAPE, ROWS, COLUMNS)
    encoder = MarkerEncoder(MarkerConfig(reference_frames=2), MarkerEmbedding(np.zeros(126), MATRIX))
    assert [encoder.encode(drawn_gel(SHAPE, rest_px, seed)) for seed in (1, 2)] == [None, None]
    errors_px = []
    for number, phase in enumerate(np.linspace(0.0, 2.0 * np.pi, 12)):
        moved_px = pressed(rest_px, phase)
        markers, features = encoder.encode(drawn_gel(SHAPE, rest_px + moved_px, 10 + number))
        errors_px.append(np.hypot(*(markers.displacement_px - moved_px).T))
        np.testing.assert_allclose(features, (moved_px / (320, 240)).ravel() @ MATRIX, atol=2e-3)
    assert np.mean(errors_px) <= 0.3
    assert np.max(errors_px) <= 1.0


def test_a_gel_with_other_dots_begins_anew_and_says_so():
    encoder = MarkerEncoder(MarkerConfig(reference_frames=1), MarkerEmbedding(*components(0, 25)))
    with pytest.raises(DataError, match="63 dots are on the gel, the embedding is of 25"):
        encoder.encode(drawn_gel(SHAPE, dots_in_rows(SHAPE, ROWS, COLUMNS), 1))
    few = drawn_gel(SHAPE, dots_in_rows(SHAPE, 5, 5), 1)
    assert encoder.encode(few) is None
    assert np.abs(encoder.encode(few)[0].displacement_px).max() < 0.1
