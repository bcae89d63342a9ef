"""What `tactus doctor` looks at. Each check returns one finding; a check that fails says what mends it."""

import gzip
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tactus_core.errors import TactusError

_ENOUGH_DISK_GB = 5.0


@dataclass
class Finding:
    """One line of the report. state: ok, missing (Tactus needs it), or optional (wanted for one purpose only)."""

    part: str
    state: str
    found: str
    remedy: str = ""


def findings() -> list[Finding]:
    """Return the findings of all checks, in order."""
    return [finding for check in _CHECKS for finding in check()]


def _python() -> list[Finding]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = "" if fits else "sudo apt install python3.11 python3.11-venv python3.11-dev, then rm -rf .venv"
    return [Finding("Python", "ok" if fits else "missing", f"{platform.python_version()} ({sys.executable})", remedy)]


def _ros() -> list[Finding]:
    source = os.environ.get("TACTUS_ROS")
    if source is None:
        result = [Finding("ROS 2", "missing", "not set up by ./tactus", "start through ./tactus")]
    else:
        result = [Finding("ROS 2", "ok", "Jazzy, from PyPI" if source == "wheels" else f"{source}, installed")]
    for part, module in (("rclpy", "rclpy"), ("messages", "tactus_msgs.msg")):
        try:
            importlib.import_module(module)
            result.append(Finding(part, "ok", _version("ros-rclpy") if part == "rclpy" else "tactus_msgs is built"))
        except ImportError as error:
            result.append(Finding(part, "missing", str(error), "rm -rf ros2_ws/install && ./tactus doctor"))
    return result


def _domain() -> list[Finding]:
    from tactus_cli.domain import is_busy, node_names

    number = os.environ.get("ROS_DOMAIN_ID", "0")
    if is_busy():
        who = ", ".join(node_names()[:3]) or "a process without nodes"
        return [Finding("ROS domain", "optional", f"{number} is in use by {who}", "stop that graph, or set ROS_DOMAIN_ID")]
    return [Finding("ROS domain", "ok", f"{number}, nobody else is on it")]


def _compiler() -> list[Finding]:
    missing = [tool for tool in ("cc", "c++", "make") if shutil.which(tool) is None]
    if missing:
        return [Finding("compiler", "missing", f"no {', '.join(missing)}", "sudo apt install build-essential")]
    return [Finding("compiler", "ok", str(shutil.which("c++")))]


def _inference() -> list[Finding]:
    try:
        import onnxruntime
    except ImportError as error:
        return [Finding("ONNX Runtime", "missing", str(error), "rm -rf .venv && ./tactus doctor")]
    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    return [Finding("ONNX Runtime", "ok", f"{onnxruntime.__version__}: {', '.join(providers)}")]


def _packages() -> list[Finding]:
    result = []
    for part, module, needed, remedy in (
        ("simulator", "pybullet", True, "rm -rf .venv && ./tactus doctor"),
        ("training", "torch", False, "installed by ./tactus train and ./tactus test; a robot needs none"),
    ):
        if importlib.util.find_spec(module) is not None:
            result.append(Finding(part, "ok", f"{module} {_version(module)}"))
        else:
            result.append(Finding(part, "missing" if needed else "optional", f"no {module}", remedy))
    return result


def _realtime() -> list[Finding]:
    before = os.sched_getscheduler(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        remedy = (
            "echo '@realtime - rtprio 60' | sudo tee /etc/security/limits.d/realtime.conf; add yourself to group realtime; log in again"
        )
        return [Finding("real-time scheduling", "optional", "SCHED_FIFO is refused; latency grows beside busy processes", remedy)]
    os.sched_setscheduler(0, before, os.sched_param(0))
    return [Finding("real-time scheduling", "ok", "SCHED_FIFO is allowed")]


def _kernel() -> list[Finding]:
    """See docs/safety.md: what keeps the fastest thread waiting, whatever its priority."""
    remedy = "boot with preempt=full, or take a kernel with PREEMPT_RT"
    model = preemption(platform.version(), _text("/proc/cmdline"), _configuration())
    if model is None:
        preempts = Finding("kernel", "optional", f"{platform.release()}; whether it preempts system calls cannot be read", remedy)
    elif model in ("full", "lazy", "rt"):
        preempts = Finding("kernel", "ok", f"{platform.release()}, preemption: {model}")
    else:
        preempts = Finding("kernel", "optional", f"preemption: {model}; one long system call keeps a core from everybody", remedy)
    if (share := quota(_text("/sys/fs/cgroup/cpu.max"))) is None:
        return [preempts]
    remedy = "docker run --cpuset-cpus in the place of --cpus"
    return [preempts, Finding("CPU quota", "optional", f"{share:g} cores; once they are used up everything stands still", remedy)]


def preemption(version: str, command_line: str, config: str) -> str | None:
    """Return how a kernel preempts: none, voluntary, lazy, full or rt, by its version, boot parameters and configuration; None: unknown."""
    if "PREEMPT_RT" in version:
        return "rt"
    for word in command_line.split():
        if word.startswith("preempt="):
            return word.removeprefix("preempt=")
    models = {
        "CONFIG_PREEMPT_NONE": "none",
        "CONFIG_PREEMPT_VOLUNTARY": "voluntary",
        "CONFIG_PREEMPT_LAZY": "lazy",
        "CONFIG_PREEMPT": "full",
    }
    lines = config.splitlines()
    return next((model for option, model in models.items() if f"{option}=y" in lines), None)


def quota(cpu_max: str) -> float | None:
    """Return how many cores a control group may use, by its `cpu.max`; None: all."""
    allowed, _, period = cpu_max.partition(" ")
    return None if allowed in ("", "max") else float(allowed) / float(period)


def _configuration() -> str:
    try:
        with gzip.open("/proc/config.gz", "rt") as file:
            return file.read()
    except OSError:
        return _text(f"/boot/config-{platform.release()}")


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _machine() -> list[Finding]:
    free_gb = shutil.disk_usage(os.environ.get("TACTUS_ROOT", ".")).free / 1e9
    enough = free_gb >= _ENOUGH_DISK_GB
    disk = Finding("disk", "ok" if enough else "missing", f"{free_gb:.0f} GB free", "" if enough else f"free {_ENOUGH_DISK_GB:.0f} GB")
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display:
        return [disk, Finding("display", "ok", display)]
    return [disk, Finding("display", "optional", "none", "only --viewer needs one")]


def _bundles() -> list[Finding]:
    from tactus_core.learning.classifier import SuccessClassifier, is_classifier
    from tactus_core.policy.bundle import Bundle, bundles_folder

    try:
        folders = sorted(path.parent for path in bundles_folder().glob("*/card.yaml"))
    except TactusError as error:
        return [Finding("bundles", "missing", str(error), "git checkout -- models/bundles")]
    if not folders:
        return [
            Finding("bundles", "missing", f"none in {bundles_folder()}", "git checkout -- models/bundles, or ./tactus train --task wipe")
        ]
    result = []
    for folder in folders:
        try:
            (SuccessClassifier if is_classifier(folder) else Bundle.load)(folder)
            result.append(Finding(f"bundle {folder.name}", "ok", "loads, and every file has the hash of its card"))
        except TactusError as error:
            result.append(Finding(f"bundle {folder.name}", "missing", str(error), f"git checkout -- models/bundles/{folder.name}"))
    return result


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"


_CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _python,
    _ros,
    _domain,
    _compiler,
    _inference,
    _packages,
    _realtime,
    _kernel,
    _machine,
    _bundles,
)
