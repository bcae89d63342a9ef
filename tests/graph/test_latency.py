"""The report of `bench latency`: its keys are stable; its numbers depend on the machine and are not judged here."""

from tactus_cli.latency import measure


def test_report_has_the_stable_keys(stubbed, bundle):
    result = measure(stubbed, {"task": "stub", "robot": "stub_robot", "bundle": str(bundle)}, seed=1, seconds=1.0)
    assert set(result) >= {"touch_to_command_ms", "tick_lateness_ms", "hops_ms", "lost_ticks", "realtime_scheduling", "cpu"}
    for row in (result["touch_to_command_ms"], *result["hops_ms"].values()):
        assert 0.0 < row["p50"] <= row["p99"] <= row["max"]
    assert {"sim_device", "fast_policy", "guard", "slow_policy"} <= set(result["cpu"])
    assert result["ticks"] > 100
