"""What a soak makes of its samples."""

import os
import signal
import time

import pytest

from tactus_cli.machine import BareTimer, Cores, stolen_and_all_s
from tactus_cli.soak import Sample, growth, quantiles, report
from tactus_core.errors import DataError
from tactus_core.types import Outcome


def summary(bins, most):
    histogram = [0] * 200
    for place, count in bins.items():
        histogram[place] = count
    return {"count": sum(bins.values()), "max": most, "histogram": histogram}


def test_growth_leaves_out_the_warm_up():
    at_s = [30.0 * i for i in range(1, 61)]
    rss = [50.0 + 20.0 * min(t / 180.0, 1.0) for t in at_s]
    assert growth(at_s, rss)["growth_percent"] == pytest.approx(0.0, abs=0.01)
    leaks = [100.0 + 0.01 * t for t in at_s]
    assert growth(at_s, leaks)["growth_percent"] == pytest.approx(100 * 0.01 * (1800 - 180) / 101.8, rel=0.01)


def test_quantiles_of_many_summaries_are_those_of_all_samples():
    found = quantiles([summary({0: 90}, 0.09), summary({5: 9, 30: 1}, 3.05), {"count": 0, "histogram": []}])
    assert found == {"p50": 0.1, "p99": 0.6, "max": 3.05}
    assert quantiles([{}])["p50"] is None


def test_report_names_what_grows_and_what_was_missed():
    samples = []
    for i in range(1, 41):
        device = {"pid": 1, "realtime": True, "counts": {"ticks": 2000, "missed": i % 2, "unanswered": 1}, "timing": {}}
        guard = {"pid": 2, "realtime": False, "counts": {}, "timing": {"tick_lateness_ms": summary({1: 10}, 0.2)}}
        policy = {"pid": 3, "realtime": True, "counts": {}, "timing": {}}
        rss = {"sim_device": 100.0, "guard": 50.0 + 0.5 * i}
        samples.append(Sample(10.0 * i, rss, {"sim_device": device, "guard": guard, "fast_policy": policy}, {"guard": 3, "sim_device": 0}))
    result = report(samples, [Outcome(1, True, {}), Outcome(2, False, {})], {"stolen_percent": 1.5})
    assert result["grows"] == ["guard"]
    assert result["deadlines"]["ticks missed by the device"] == 20
    assert result["deadlines"]["inputs lost by node"] == {"guard": 3}
    assert (result["episodes"], result["successes"]) == (2, 1)
    assert result["machine"] == {"stolen_percent": 1.5}
    assert result["realtime"] == {"sim_device": True, "guard": False, "fast_policy": True}


def test_nothing_seen_is_an_error():
    with pytest.raises(DataError, match="no episode has ended"):
        report([], [], {})


def test_a_bare_timer_tells_how_late_it_came_and_leaves_no_process():
    with BareTimer(realtime=False) as timer:
        stolen_s, all_s = stolen_and_all_s()
        while stolen_and_all_s()[1] < all_s + 1.0:  # of all cores together
            time.sleep(0.05)
        found = timer.summary()
    assert (found["realtime"], 0 <= stolen_s < all_s) == (False, True)
    assert found["count"] > 3
    assert 0.0 <= found["p50"] <= found["p99"] <= found["max"]


def test_a_core_that_was_not_to_be_had_is_told_with_its_time():
    core = min(os.sched_getaffinity(0))
    with BareTimer(realtime=False, period_s=0.002, core=core) as timer:
        assert os.sched_getaffinity(timer.pid) == {core}
        os.kill(timer.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, timer.pid, os.WSTOPPED)
        stopped_s = time.monotonic()
        while time.monotonic() < stopped_s + 0.1:
            time.sleep(0.01)
        os.kill(timer.pid, signal.SIGCONT)
        timer.summary()
    assert any(from_s < stopped_s + 0.01 and to_s > stopped_s + 0.1 for from_s, to_s in timer.stalls)


def test_the_cores_of_a_machine_are_watched_together():
    with Cores() as cores:
        stalls = cores.stalls()
    if stalls is None:
        pytest.skip("SCHED_FIFO is refused here: nobody knows when the machine stood still")
    assert all(abs(from_s - time.time()) < 60.0 and from_s + 0.001 <= to_s + 1e-6 for from_s, to_s in stalls)
