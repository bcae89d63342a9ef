"""Where the guard has an arm come to rest at the edge of its box."""

import numpy as np
import pytest
from gantry import pose
from guard_rig import Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Reason
from tactus_core.types import Target

CONFIG = GuardConfig()
CORNER = (0.6, 0.1, 0.4)  # of a box about the pose at which the rig begins


def beyond(T):
    """Return how far a pose is outside of that box [m]."""
    return max(0.0, *(T[:3, 3] - CORNER))


@given(out_m=st.floats(0.0, 0.12), axis=st.integers(0, 2), inside=st.tuples(*[st.floats(0.0, 0.05)] * 3))
@settings(max_examples=40, deadline=None)
def test_it_rests_within_where_a_command_may_lead_there_and_else_where_it_is(out_m, axis, inside):
    rig = Rig(workspace_high_m=CORNER)
    at = np.array(CORNER) - inside
    at[axis] = CORNER[axis] + out_m
    rig.T = pose(*at)
    edge = ("policy", Target(pose(*np.minimum(at, CORNER)), None))
    rig.run(0.5, edge)
    held = rig.run(1.5)[-1]
    assert held.state is GuardState.HOLDING
    reach_m = CONFIG.max_normal_error_m if axis == 2 else CONFIG.max_tangential_error_m
    if out_m <= reach_m - 1e-6:
        assert beyond(held.executed.T_base_tcp) <= 1e-6
        np.testing.assert_allclose(held.executed.T_base_tcp, pose(*np.minimum(at, CORNER)), atol=1e-5)
    elif out_m >= reach_m + 1e-6:
        np.testing.assert_allclose(held.executed.T_base_tcp, rig.T, atol=1e-5)


@given(out_m=st.floats(0.0, 0.12))
@settings(max_examples=20, deadline=None)
def test_what_nobody_has_moved_yet_stays_outside(out_m):
    rig = Rig(workspace_high_m=CORNER)
    rig.T = pose(CORNER[0] + out_m, *CORNER[1:])
    assert max(np.abs(verdict.executed.T_base_tcp - rig.T).max() for verdict in rig.run(0.5)) <= 1e-9


def test_what_presses_it_out_of_its_box_is_yielded_to():
    rig = Rig(workspace_high_m=CORNER)
    rig.T = pose(*CORNER)
    rig.run(0.5, ("policy", Target(rig.T, None)))
    rig.run(1.0)
    rig.T, rig.force_N = pose(CORNER[0] + 0.004, *CORNER[1:]), 31.0
    pushed = rig.run(0.5)[-1]
    assert Reason.WRENCH in pushed.reasons
    assert beyond(pushed.executed.T_base_tcp) == pytest.approx(0.004, abs=1e-5)
