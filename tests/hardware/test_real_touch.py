"""Perception on real sensors: contact where it is seen, every jump of force handled as the filter promises."""

import numpy as np
import pytest
from PIL import Image

from tactus_cli.drawn_gel import dots_in_rows, drawn_gel
from tactus_core.errors import DataError
from tactus_core.perception.contact import ContactConfig, ContactDetector
from tactus_core.perception.embedding import MarkerEmbedding, MarkerEncoder
from tactus_core.perception.encoder_card import MATRIX, MEAN
from tactus_core.perception.markers import MarkerConfig, MarkerTracker
from tactus_core.perception.wrench_filter import WrenchEventKind, WrenchFilter, WrenchFilterConfig
from tactus_hardware.recording import open_recording
from tactus_hardware.recording.mat import load_takes

ONE_REFERENCE = ContactConfig(reference_frames=1)


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_press_and_release_of_a_gel(data):
    """The source's own description: first contact in frame 32, gone by 51, none before and after."""
    detector = ContactDetector(ContactConfig())
    recording = open_recording(data("tactile/gelsight_mini_touch_seq/touch_real_seq_320x240.gif"))
    contacts = [detector.step(sample.value) for sample in recording.samples()]
    assert [i for i, c in enumerate(contacts) if c.touching] == list(range(32, 51))
    assert [i for i, c in enumerate(contacts) if c.changed] == [32, 51]


# Where the ball stands, as read from the images by eye: (x, y) in pixels.
@pytest.mark.parametrize(
    ("name", "centre_px"),
    [
        ("6.310mm/00", (274, 206)),
        ("6.310mm/05", (273, 43)),
        ("6.310mm/08", (228, 92)),
        ("6.310mm/14", (189, 118)),
        ("9.500mm/06", (205, 98)),
    ],
)
def test_ball_is_felt_where_it_is(data, name, centre_px):
    folder = data("tactile/gelsight_mini_ball_press")
    detector = ContactDetector(ONE_REFERENCE)
    background = read(folder / "background.png")
    detector.step(background)
    assert not detector.step(background).touching
    contact = detector.step(read(folder / f"{name}.png"))
    assert contact.touching
    assert contact.centroid_px == pytest.approx(centre_px, abs=12)


MM_PER_PX = 0.0634  # of a GelSight Mini at 320×240


@pytest.mark.parametrize(("diameter_mm", "largest_mm"), [(6.310, 4.7), (9.500, 5.4)])
def test_an_imprint_is_as_wide_as_a_ball_that_is_pressed_in_can_make_it(data, diameter_mm, largest_mm):
    """A ball touches inside of its own circle; pressed firmly it leaves an imprint of about half to three quarters of its diameter."""
    folder = data("tactile/gelsight_mini_ball_press")
    widths_mm = []
    for path in sorted((folder / f"{diameter_mm:.3f}mm").glob("*.png")):
        detector = ContactDetector(ONE_REFERENCE)
        detector.step(read(folder / "background.png"))
        contact = detector.step(read(path))
        assert contact.touching
        widths_mm.append(2.0 * np.sqrt(contact.area_px / np.pi) * MM_PER_PX)
    assert max(widths_mm) < diameter_mm
    assert max(widths_mm) == pytest.approx(largest_mm, abs=0.2)


def test_a_speck_on_the_gel_cancels_and_would_count_without_the_reference(data):
    folder = data("tactile/gelsight_mini_ball_press")
    background, pressed = read(folder / "background.png"), read(folder / "6.310mm/14.png")
    clean = background.copy()
    speck = np.s_[18:25, 190:195]
    clean[speck] = np.median(background[10:33, 182:203], axis=(0, 1))
    areas_px = []
    for reference in (background, clean):
        detector = ContactDetector(ONE_REFERENCE)
        detector.step(reference)
        areas_px.append((detector.step(background).area_px, detector.step(pressed).area_px))
    (untouched, touched), (specked, both) = areas_px
    assert untouched == 0
    assert specked >= 13
    assert both - touched >= 10, "the speck is in every frame"


@pytest.mark.parametrize(("name", "columns", "rows"), [("GelSight", 9, 7), ("McTAC_v1", 5, 5)])
def test_principal_components_of_real_gels_are_of_dots_in_rows_and_found_again(data, name, columns, rows):
    """Drawn dots that are displaced by known components of the real matrices: tracking and embedding give these back."""
    folder = data(f"tactile/rdp_marker_pca/PCA_Transform_{name}")
    embedding = MarkerEmbedding.load(folder)
    assert (embedding.dots, embedding.size) == (rows * columns, 15)
    mean, matrix = (np.load(folder / file).astype(float) for file in (MEAN, MATRIX))
    means = mean.reshape(rows, columns, 2)
    assert (np.diff(means[..., 0].mean(axis=0)) > 0).all(), "a gel that is pressed moves apart: to the right from left to right"
    shape = (240, 320)
    rest_px = dots_in_rows(shape, rows, columns)
    encoder = MarkerEncoder(MarkerConfig(reference_frames=1), embedding)
    assert encoder.encode(drawn_gel(shape, rest_px, 0)) is None
    numbers, share = np.random.default_rng(1).normal(0.0, 0.05, 15), np.array([320, 240])
    for frame, part in enumerate((0.5, 1.0)):
        moved_px = (mean + part * matrix @ numbers).reshape(-1, 2) * share
        markers, features = encoder.encode(drawn_gel(shape, rest_px + moved_px, 1 + frame))
        assert np.hypot(*(markers.displacement_px - moved_px).T).mean() < 0.3
        np.testing.assert_allclose(features, part * numbers, atol=2e-3)


def test_another_sensor_shows_contact_as_a_dark_spot(data):
    folder = data("tactile/9dtact_sensor_1/depth_calibration")
    detector = ContactDetector(ONE_REFERENCE)
    reference, sample = read(folder / "ref.png"), read(folder / "sample.png")
    detector.step(reference)
    assert not detector.step(reference).touching
    assert detector.step(sample).touching


def test_a_ball_of_eight_millimetres_in_a_9dtact_is_as_wide(data):
    """Its gel slopes down to the ball from all sides and darkens there too: only the darkest is contact, by a threshold of its own."""
    folder = data("tactile/9dtact_sensor_1/depth_calibration")
    mm_per_px = np.load(folder.parent / "camera_calibration" / "position_scale.npy")[2]
    detector = ContactDetector(ContactConfig(reference_frames=1, threshold=60.0))
    detector.step(read(folder / "rectify_crop_ref.png"))
    width_mm = 2.0 * np.sqrt(detector.step(read(folder / "rectify_crop_sample.png")).area_px / np.pi) * mm_per_px
    assert 6.0 < width_mm < 8.0


def test_force_trace_loses_repeats_and_lone_jumps_and_nothing_else(data):
    lone = 0
    for _, _, force_N in load_takes(data("force/panda_ft_trace/symbol_17_data.mat")):
        config = WrenchFilterConfig()
        wrench_filter = WrenchFilter(config)
        results = [wrench_filter.step(i / 694.0, record) for i, record in enumerate(force_N)]
        passed = np.array([out.value for out, _ in results if out])
        repeats = int((np.diff(force_N, axis=0) == 0.0).all(axis=1).sum())
        spikes = [event for _, events in results for event in events if event.kind is WrenchEventKind.SPIKE]
        counts = wrench_filter.counts
        assert counts["repeats"] == repeats
        assert counts["spikes"] == len(spikes)
        assert counts["out_of_range"] == counts["late"] == 0
        assert len(passed) == counts["passed"] == len(force_N) - repeats - len(spikes) - config.bias_readings - 2
        assert np.isfinite(passed).all()
        # Blows are real: the hardest moment of the take has passed, less the bias.
        assert np.abs(passed + wrench_filter.bias).max() == pytest.approx(np.abs(force_N).max(), abs=config.spike_N)
        assert all(config.spike_N < event.excess < 0.6 for event in spikes)
        lone += len(spikes)
    assert lone == 4


# How far the camera would have moved over the pins of the real image: whole pixels, for which nothing is made up between its own.
@pytest.mark.parametrize("shift_px", [(0, 0), (7, -4), (-12, 12)])
def test_spots_on_a_real_gel_are_followed(data, shift_px):
    """Sixty-three pins in a 9DTact, blurred and with little contrast, stand in for dots: no recording with a marked gel was to be had."""
    image = read(data("tactile/9dtact_sensor_1/camera_calibration") / "sample.png")
    tracker = MarkerTracker(MarkerConfig(diameter_px=30.0, contrast=0.05, reference_frames=1))
    assert tracker.step(image) is None
    assert len(tracker.reference_px) == 63
    (x, y), height, width = shift_px, *image.shape[:2]
    rows, columns = np.clip(np.arange(height) - y, 0, height - 1), np.clip(np.arange(width) - x, 0, width - 1)
    markers = tracker.step(image[rows][:, columns])
    error_px = np.abs(markers.displacement_px - shift_px)
    assert np.median(error_px) < 0.1
    assert error_px.max() < 1.5, "near the edge, where the image darkens; a twentieth of a spot"


@pytest.mark.parametrize("name", ["background", "6.310mm/14"])
def test_a_real_gel_without_dots_is_told_from_one_with(data, name):
    with pytest.raises(DataError, match="Has this gel markers"):
        MarkerTracker(MarkerConfig()).step(read(data("tactile/gelsight_mini_ball_press") / f"{name}.png"))
