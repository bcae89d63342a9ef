"""What `tactus doctor` reads about the kernel that it runs on."""

import pytest

from tactus_cli.health import preemption, quota

CONFIG = "# CONFIG_PREEMPT_LAZY is not set\nCONFIG_PREEMPT_BUILD=y\n{}=y\nCONFIG_PREEMPT_DYNAMIC=y\n"


@pytest.mark.parametrize(
    ("version", "command_line", "option", "model"),
    [
        ("#1 SMP PREEMPT_RT Debian", "quiet preempt=none", "CONFIG_PREEMPT_NONE", "rt"),
        ("#1 SMP PREEMPT_DYNAMIC", "quiet preempt=full panic=1", "CONFIG_PREEMPT_NONE", "full"),
        ("#1 SMP PREEMPT_DYNAMIC", "quiet", "CONFIG_PREEMPT_NONE", "none"),
        ("#1 SMP PREEMPT_DYNAMIC", "quiet", "CONFIG_PREEMPT_VOLUNTARY", "voluntary"),
        ("#1 SMP PREEMPT_DYNAMIC", "", "CONFIG_PREEMPT", "full"),
        ("#1 SMP PREEMPT_DYNAMIC", "", "CONFIG_NUMA", None),
    ],
)
def test_how_a_kernel_preempts_is_read_from_what_it_says_of_itself(version, command_line, option, model):
    assert preemption(version, command_line, CONFIG.format(option)) == model


@pytest.mark.parametrize(("cpu_max", "cores"), [("max 100000\n", None), ("", None), ("150000 100000\n", 1.5)])
def test_a_containers_quota_is_told_in_cores(cpu_max, cores):
    assert quota(cpu_max) == cores
