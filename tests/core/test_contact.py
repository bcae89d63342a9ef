"""The contact detector on made-up frames; tests/hardware has the real ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import ConfigError, DataError
from tactus_core.perception.contact import ContactConfig, ContactDetector

SHAPE = (48, 64, 3)


def gel(area_px=0, speck=True, seed=0):
    image = np.full(SHAPE, 120, np.uint8)
    image += np.random.default_rng(seed).integers(0, 6, SHAPE, dtype=np.uint8)
    if speck:
        image[5:8, 5:8] = 255
    image.reshape(-1, 3)[1000 : 1000 + area_px] += 60
    return image


def ready(**values):
    detector = ContactDetector(ContactConfig(**({"on_share": 0.01, "off_share": 0.005} | values)))
    for seed in range(detector._config.reference_frames):
        assert detector.step(gel(seed=seed)).touching is None
    return detector


def test_contact_has_hysteresis_and_each_change_is_told_once():
    detector = ready()
    seen = [detector.step(gel(area)) for area in (0, 20, 40, 20, 20, 10, 20, 0)]
    assert [c.touching for c in seen] == [False, False, True, True, True, False, False, False]
    assert [c.changed for c in seen] == [False, False, True, False, False, True, False, False]


def test_defect_cancels_and_area_is_counted():
    contact = ready().step(gel(100))
    assert contact.area_px == 100
    x, y = contact.centroid_px
    assert y == pytest.approx(1000 / 64 + 0.8, abs=1.0)
    assert 0 <= x < 64


def test_reference_waits_until_nothing_moves():
    detector = ContactDetector(ContactConfig(reference_frames=3))
    for area in (0, 500, 500):
        assert detector.step(gel(area)).touching is None
    assert detector.step(gel(500)).touching is None
    assert detector.step(gel(500)).touching is False


@given(st.lists(st.integers(0, 2000), max_size=30))
def test_state_changes_exactly_where_told(areas):
    detector = ready(reference_frames=1)
    touching = False
    for area in areas:
        contact = detector.step(gel(area))
        assert contact.changed == (contact.touching != touching)
        touching = contact.touching
        assert touching or area < 0.01 * 48 * 64
        assert not touching or area >= 0.005 * 48 * 64


@pytest.mark.parametrize("image", [np.zeros((48, 64), np.uint8), np.zeros((40, 64, 3), np.uint8), np.zeros(SHAPE)])
def test_other_shapes_are_refused(image):
    with pytest.raises(DataError, match="touch image"):
        ready().step(image)


def test_shares_the_wrong_way_round_are_refused():
    with pytest.raises(ConfigError, match="flutter"):
        ContactConfig(on_share=0.001, off_share=0.01)
