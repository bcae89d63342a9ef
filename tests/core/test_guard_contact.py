"""The guard against what presses on the tool: hard, harder, and out of it again."""

import numpy as np
import pytest
from gantry import pose
from guard_rig import TICK_S, Rig, away

from tactus_core.errors import DeviceError
from tactus_core.guard.types import GuardState, Reason
from tactus_core.types import Target


def test_hard_contact_lets_go_and_resumes_when_it_is_over():
    rig = Rig()
    pressing = ("policy", Target(pose(z=0.26), None))
    rig.run(1.0, pressing)
    rig.force_N = 31.0
    verdicts = rig.run(0.3, pressing)
    assert verdicts[0].state is not GuardState.RUNNING
    assert verdicts[-1].state is GuardState.HOLDING
    np.testing.assert_allclose(verdicts[-1].executed.T_base_tcp, rig.T, atol=1e-6)
    rig.force_N = 25.0
    assert rig.step(pressing).reasons == (Reason.WRENCH,)
    rig.force_N = 10.0
    assert rig.step(pressing).state is GuardState.RUNNING


def test_a_stiff_arm_that_stands_pressed_can_be_moved_out_of_it_and_no_deeper():
    rig = Rig()
    felt_N = []

    def go(z, seconds):
        for _ in range(round(seconds / TICK_S)):
            verdict = rig.step(("human", Target(pose(z=z), None)))
            rig.T = verdict.executed.T_base_tcp  # it is where it was sent, whatever it presses
            rig.force_N = 4000.0 * max(0.28 - rig.T[2, 3], 0.0)
            felt_N.append(rig.force_N)
        return verdict

    stuck = go(0.25, 3.0)
    assert (stuck.state, stuck.reasons[0]) == (GuardState.HOLDING, Reason.WRENCH)
    assert 30.0 < felt_N[-1] < 60.0, "nothing but a human takes it away"
    highest_N = max(felt_N)
    assert go(0.25, 0.5).state is GuardState.HOLDING
    assert go(0.32, 2.0).state is GuardState.RUNNING
    assert rig.force_N == 0.0
    assert max(felt_N) == highest_N


def test_much_too_hard_contact_stops_until_reset():
    rig = Rig()
    moving = ("policy", Target(pose(x=0.52), None))
    rig.run(0.5, moving)
    rig.force_N = 61.0
    assert rig.step(moving).reasons[0] is Reason.WRENCH  # one reading may be a glitch: it ends motion, and no more
    assert rig.step(moving).reasons[0] is Reason.WRENCH_HARD
    with pytest.raises(DeviceError, match="wrench_hard"):
        rig.guard.reset()
    rig.step(moving, blind=True)  # not knowing is no reason to believe that it is over
    with pytest.raises(DeviceError, match="wrench_hard"):
        rig.guard.reset()
    rig.force_N = 0.0
    assert rig.step(moving).state is GuardState.STOPPED
    with pytest.raises(DeviceError, match="just now"):
        rig.guard.reset()
    rig.run(1.0, moving)
    rig.guard.reset()
    assert rig.step(moving).state is GuardState.RUNNING


def test_at_rest_it_yields_to_what_presses_too_hard():
    rig = Rig()
    rig.run(0.3, ("policy", Target(rig.T, None)))
    rig.run(0.5)
    rig.T, rig.force_N = pose(z=0.32), 35.0  # the table comes up
    pressed = rig.run(0.2)
    assert Reason.WRENCH in pressed[0].reasons
    assert away(pressed[-1].executed, rig.T) < 1e-4
    rig.force_N = 5.0
    held = rig.run(0.2)[-1]
    assert away(held.executed, rig.T) < 1e-4
