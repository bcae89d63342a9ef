"""Profiles of other drivers: those that are shipped can be used, and what could not be heard or commanded is refused."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.config import from_mapping
from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import ConfigError

SHIPPED = sorted((Path(__file__).parents[2] / "launch" / "params" / "profiles").glob("*.yaml"))


def values_of(path):
    (node,) = yaml.safe_load(path.read_text()).items()
    assert node[0] == "/**"
    return node[1]["ros__parameters"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_fits_and_an_unknown_key_fails(path):
    values = values_of(path) | {"robot": "any"}
    profile = from_mapping(DriverProfile, values, path.name)
    assert all(topic.startswith("/") for topic in (profile.states, profile.wrench, profile.commands) if topic)
    with pytest.raises(ConfigError, match="state_topic"):
        from_mapping(DriverProfile, {**values, "state_topic": "/joint_states"}, path.name)


def test_the_drivers_of_the_issue_are_shipped():
    assert {"ur", "franka", "xarm", "allegro"} <= {path.stem for path in SHIPPED}


ARM = {"measures": "arm", "robot": "any", "states": "/joint_states", "controller_manager": "/controller_manager"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measures": "smell"}, "must be one of arm, hand, wrench"),
        ({"robot": ""}, "needs: robot"),
        ({"states": ""}, "needs: states"),
        ({"controller_manager": ""}, "one of controller_manager and commands"),
        ({"commands": "/commands"}, "not both"),
        ({"controller_manager": "", "commands": "/commands", "poses": True}, "Cartesian"),
        ({"measures": "hand"}, "needs: commands"),
        ({"measures": "wrench"}, "needs: wrench"),
        ({"horizon_s": 0.0}, "at least 0.01"),
        ({"joints": "one"}, "must be a list"),
    ],
)
def test_what_cannot_be_used_is_refused_and_says_what_it_needs(change, said):
    with pytest.raises(ConfigError, match=said):
        from_mapping(DriverProfile, {**ARM, **change}, "the test")
    from_mapping(DriverProfile, ARM, "the test")


angles = st.lists(st.floats(-10.0, 10.0), min_size=3, max_size=3).map(np.array)


@given(angles, angles, st.floats(0.01, 0.5), st.floats(0.01, 3.2))
def test_no_arm_is_asked_for_more_than_its_speed_reaches_nor_away_from_where_it_should_go(wanted, measured, horizon_s, speed_rad_s):
    profile = from_mapping(DriverProfile, {**ARM, "horizon_s": horizon_s, "speed_limit_rad_s": speed_rad_s}, "the test")
    sent = profile.reachable(wanted, measured)
    assert (abs(sent - measured) <= horizon_s * speed_rad_s + 1e-12).all()
    assert ((sent - measured) * (wanted - measured) >= 0.0).all()
    near = abs(wanted - measured) <= horizon_s * speed_rad_s
    assert sent[near] == pytest.approx(wanted[near])
