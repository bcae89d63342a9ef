"""A card that promises what its folder does not hold is refused, each time with a way out."""

import numpy as np
import pytest
import yaml
from encoder_folders import write_cloud, write_hand, write_image, write_markers

from tactus_core.errors import BundleError, DataError
from tactus_core.perception.cloud import CloudConfig
from tactus_core.perception.embedding import MarkerEmbedding
from tactus_core.perception.encoder_card import CARD, GRAPH, MATRIX, load_encoder_card
from tactus_core.perception.encoders import CloudEncoder, ImageEncoder


@pytest.mark.parametrize("write", [write_image, write_cloud, write_markers, lambda folder: write_hand(folder, "testbot", 17)])
def test_what_was_written_is_what_is_read(write, tmp_path):
    card = write(tmp_path)
    assert load_encoder_card(tmp_path) == card
    assert card.id == f"{card.name}@1"


def test_an_image_is_encoded_and_another_size_is_refused(tmp_path):
    encoder = ImageEncoder(tmp_path, write_image(tmp_path))
    image = np.zeros((24, 32, 3), np.uint8)
    image[..., 1] = 7
    assert encoder.encode(image) == pytest.approx([0.0, 7.0, 0.0])
    for other in (image[:-1], image.astype(np.float32)):
        with pytest.raises(DataError, match="Set the camera to that size"):
            encoder.encode(other)


ALTERED = [
    ({"format": 2}, "format: 1"),
    ({"kind": "smell"}, "one of image"),
    ({"colour": "red"}, "unknown parameter 'colour'"),
    ({"features": 0}, "at least 1"),
    ({"features": 4}, "the card says"),
    ({"max_age_s": {"depth": 0.1}}, "needs image or touch_image"),
    ({"max_age_s": {"image": 0.0}}, "above 0"),
    ({"max_age_s": {"image": float("nan")}}, "above 0"),
    ({"max_age_s": None}, "must be a mapping"),
    ({"files": {GRAPH: "0" * 64}}, "altered or cut short"),
    ({"files": {"../other.onnx": "0" * 64}}, "files are"),
    ({"settings": {"height": 24}}, "width"),
    ({"settings": {"height": 24, "width": 33}}, "the card says"),
    ({"settings": {"height": 24, "width": 32, "depth": 1}}, "unknown parameter 'depth'"),
]


@pytest.mark.parametrize(("values", "says"), ALTERED)
def test_a_card_that_lies_is_refused(values, says, tmp_path):
    write_image(tmp_path)
    path = tmp_path / CARD
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))
    with pytest.raises(BundleError, match=says):
        ImageEncoder(tmp_path, load_encoder_card(tmp_path))


def test_missing_and_damaged_files_are_named(tmp_path):
    with pytest.raises(BundleError, match=r"no such file.* made by ./tactus export"):
        load_encoder_card(tmp_path)
    card = write_markers(tmp_path)
    (tmp_path / MATRIX).write_bytes((tmp_path / MATRIX).read_bytes()[:100])
    with pytest.raises(BundleError, match="cut short"):
        load_encoder_card(tmp_path)
    with pytest.raises(BundleError, match="no array of numbers"):
        MarkerEmbedding.load(tmp_path)
    (tmp_path / MATRIX).unlink()
    with pytest.raises(BundleError, match="missing, though the card lists it"):
        load_encoder_card(tmp_path)
    assert card.features == 15


def test_objects_in_an_array_are_not_unpickled(tmp_path):
    write_markers(tmp_path)
    np.save(tmp_path / MATRIX, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BundleError, match="without pickle"):
        MarkerEmbedding.load(tmp_path)


def test_features_that_are_not_finite_are_not_used(tmp_path):
    encoder = CloudEncoder(tmp_path, write_cloud(tmp_path, points=4), np.eye(4))
    with pytest.raises(DataError, match="not finite"):
        encoder._network(np.full((4, 3), np.inf, np.float32))


def test_a_box_without_room_is_refused(tmp_path):
    card = write_cloud(tmp_path, low_m=[0.0, 0.0, 0.0], high_m=[1.0, 0.0, 1.0])
    with pytest.raises(BundleError, match="No point could be inside"):
        card.part(CloudConfig, "card")
