"""What a device measures, as messages; tests/graph has the node around it."""

import numpy as np

from tactus_hardware.ports import HandState, Reading, Taxels
from tactus_nodes import convert, topics
from tactus_nodes.measures import measure_of
from tactus_nodes.plugins import find_kind


def test_a_hands_taxels_are_told_in_their_unit_by_their_own_stamp_when_they_come():
    ((topic, part, make),) = measure_of(find_kind("inspire")).parts
    assert topic is topics.TAXELS_RAW
    assert part(HandState(*[np.zeros(6)] * 4)) is None
    taxels = Taxels.of_one_axis(np.array([0.0, 5.0]), "counts", ("a", "b"))
    found = part(HandState(*[np.zeros(6)] * 4, Reading(7.0, taxels)))
    message = make(found.value, (), convert.to_stamp(found.stamp_s))
    assert message.header.stamp.sec == 7
    assert [field.name for field in message.fields] == ["x", "y", "z", "vx_counts", "vy_counts", "vz_counts"]
    numbers = np.frombuffer(message.data, "<f4").reshape(2, 6)
    assert numbers[:, 5].tolist() == [0.0, 5.0]
    assert np.isnan(numbers[:, :5]).all(), "neither a place nor another axis is made up"
