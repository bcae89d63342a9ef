"""Dots on a gel, drawn here: shifted, lost, merged, under uneven light and noise. tests/hardware has real images."""

import copy
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_cli.drawn_gel import drawn_gel
from tactus_core.errors import DataError
from tactus_core.perception.markers import MarkerConfig, MarkerTracker

HEIGHT, WIDTH, SPACING = 150, 190, 28.0
RADIUS = 4.5
REST = np.array([(x, y) for y in np.arange(18.0, 140.0, SPACING) for x in np.arange(20.0, 180.0, SPACING)])
CONFIG = MarkerConfig(reference_frames=2)
# A pixel's noise is two counts of 150; a dot's centre is the mean over some sixty of them.
NEAR_PX = 0.2
few = settings(max_examples=10, deadline=None)


def gel(dots_px, seed=0, light=1.0):
    return drawn_gel((HEIGHT, WIDTH), dots_px, seed, RADIUS, light)


@functools.cache
def _ready():
    tracker = MarkerTracker(CONFIG)
    assert [tracker.step(gel(REST, seed)) for seed in (100, 101)] == [None, None]
    assert tracker.reference_px.shape == REST.shape
    return tracker


def ready():
    return copy.deepcopy(_ready())


def inside(dots_px):
    """Whether each dot is in the image as a whole, with what its blur needs."""
    return ((dots_px >= RADIUS + 2) & (dots_px <= [WIDTH - RADIUS - 3, HEIGHT - RADIUS - 3])).all(axis=1)


def moved(x_px, y_px):
    return REST + np.array([x_px, y_px])


def field(kind, amount_px):
    """Return displacements (dots, 2): of the gel as a whole, twisted, or squeezed outwards from a ball."""
    centred = REST - REST.mean(axis=0)
    match kind:
        case "shear":
            return np.full_like(REST, amount_px / np.sqrt(2))
        case "twist":
            return centred[:, ::-1] * (-1, 1) * amount_px / 80
        case "press":
            return centred / 30 * np.exp(-((np.hypot(*centred.T) / 60) ** 2))[:, None] * amount_px


def never_wrong(markers, truth_px, allowed_px=1.0):
    error_px = np.abs(markers.position_px - truth_px).max(axis=1)
    assert not (error_px > allowed_px).any()
    assert np.array_equal(np.isnan(markers.position_px), np.isnan(markers.displacement_px))


def test_the_reference_is_where_dots_rest_row_by_row():
    tracker = ready()
    assert np.abs(tracker.reference_px - REST).max() < NEAR_PX


@few
@given(st.sampled_from(["shear", "twist", "press"]), st.floats(-9.0, 9.0), st.integers(0, 99))
def test_known_displacements_are_found(kind, amount_px, seed):
    shift_px = field(kind, amount_px)
    markers = ready().step(gel(REST + shift_px, seed))
    whole = inside(REST + shift_px)
    assert np.isfinite(markers.position_px[whole]).all()
    assert np.abs(markers.displacement_px - shift_px)[whole].max() < 2 * NEAR_PX
    never_wrong(markers, REST + shift_px)


def test_dots_keep_their_names_however_far_they_go_step_by_step():
    """A gel that is dragged by more than the dots' spacing: what leaves the image is lost, and comes back as what it was."""
    tracker = ready()
    ways = [*np.arange(0.0, 41.0, 8.0), *np.arange(32.0, -1.0, -8.0)]
    for number, way_px in enumerate(ways):
        truth_px = moved(way_px, 0.0)
        markers = tracker.step(gel(truth_px, number))
        never_wrong(markers, truth_px)
        whole = inside(truth_px)
        assert np.isnan(markers.position_px[truth_px[:, 0] > WIDTH]).all()
        assert np.isfinite(markers.position_px[whole]).all() or number > len(ways) // 2
    assert np.isfinite(markers.position_px).all()


@few
@given(st.sets(st.integers(0, len(REST) - 1), min_size=1, max_size=12), st.integers(0, 99))
def test_lost_dots_are_missing_and_found_again_where_their_neighbours_went(lost, seed):
    tracker, lost = ready(), sorted(lost)
    for way_px in (4.0, 8.0):
        truth_px = moved(0.0, way_px)
        truth_px[lost] = np.nan
        markers = tracker.step(gel(truth_px, seed))
        assert np.isnan(markers.position_px[lost]).all(), "missing is not zero"
        assert np.isfinite(np.delete(markers.position_px, lost, axis=0)[inside(np.delete(truth_px, lost, axis=0))]).all()
    markers = tracker.step(gel(moved(0.0, 10.0), seed + 1))
    never_wrong(markers, moved(0.0, 10.0))
    assert np.isfinite(markers.position_px[inside(moved(0.0, 10.0))]).all()


@few
@given(st.sampled_from([n for n in range(len(REST) - 1) if REST[n, 1] == REST[n + 1, 1]]), st.integers(0, 99))
def test_dots_that_merge_are_lost_and_never_mistaken(first, seed):
    tracker, truth_px = ready(), REST.copy()
    together_px = REST[[first, first + 1]].mean(axis=0)
    for share in np.linspace(0.0, 1.0, 5):
        truth_px[[first, first + 1]] = (1 - share) * REST[[first, first + 1]] + share * together_px
        markers = tracker.step(gel(truth_px, seed))
        found = np.isfinite(markers.position_px).all(axis=1)
        assert np.abs(markers.position_px - truth_px)[found].max() < 2.0
    assert not found[[first, first + 1]].any()


@few
@given(st.integers(0, 2**32), st.lists(st.tuples(st.floats(-11, 11), st.floats(-11, 11)), min_size=1, max_size=4))
def test_whatever_moves_no_dot_is_reported_where_it_is_not(seed, steps):
    random, tracker = np.random.default_rng(seed), ready()
    truth_px = REST.copy()
    for number, step in enumerate(steps):
        truth_px = truth_px + step + random.uniform(-1.0, 1.0, REST.shape)
        drawn_px = np.where(random.random(len(REST))[:, None] < 0.1, np.nan, truth_px)
        markers = tracker.step(gel(drawn_px, number))
        found = np.isfinite(markers.position_px).all(axis=1)
        assert not found[np.isnan(drawn_px[:, 0])].any()
        assert np.abs(markers.position_px - truth_px)[found].max(initial=0.0) < 1.0


def test_a_gel_that_moved_unseen_is_not_taken_for_its_neighbour():
    tracker, dark = ready(), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for frame in (dark, gel(moved(SPACING - 6.0, 0.0)), gel(moved(SPACING, 0.0))):
        assert np.isnan(tracker.step(frame).position_px).all(), "it would seem to have moved by 6 px the other way, or not at all"
    assert np.abs(tracker.step(gel(REST + 3.0)).displacement_px - 3.0).max() < 2 * NEAR_PX, "until it is let go"


def test_dimmer_light_moves_nothing_and_darkness_loses_all():
    tracker = ready()
    assert np.abs(tracker.step(gel(REST, light=0.6)).displacement_px).max() < 2 * NEAR_PX
    assert np.isnan(tracker.step(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).position_px).all()
    assert np.abs(tracker.step(gel(REST)).displacement_px).max() < NEAR_PX


def test_the_reference_waits_until_nothing_moves():
    tracker = MarkerTracker(MarkerConfig(reference_frames=3))
    for way_px in (0.0, 0.1, 4.0, 4.1):
        assert tracker.step(gel(REST + way_px)) is None
    assert tracker.reference_px is None
    assert tracker.step(gel(REST + 4.0)) is None
    assert np.abs(tracker.reference_px - REST - 4.03).max() < NEAR_PX


def test_a_gel_without_dots_is_told_and_loses_no_reference():
    tracker = MarkerTracker(CONFIG)
    with pytest.raises(DataError, match="0 dots of 9 px"):
        tracker.step(gel(np.empty((0, 2))))
    assert tracker.step(gel(REST)) is None
    for image in (np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH + 1, 3), np.uint8), np.zeros((HEIGHT, WIDTH, 3))):
        with pytest.raises(DataError, match="touch image"):
            tracker.step(image)
    assert tracker.step(gel(REST, 1)) is None
    assert len(tracker.reference_px) == len(REST)
