"""The rules that a program can check: imports point inwards (docs/architecture.md), files stay small, nothing is unpickled or evaluated."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "tactus_core": ROOT / "ros2_ws/src/tactus_core",
    "tactus_nodes": ROOT / "ros2_ws/src/tactus_nodes",
    "tactus_cli": ROOT / "ros2_ws/src/tactus_cli",
    "tactus_sim": ROOT / "sim",
    "tactus_hardware": ROOT / "hardware",
    "tactus_models": ROOT / "models",
}
# Which packages of ours each may import. `tactus_cli` may import any.
INWARDS = {
    "tactus_core": set(),
    "tactus_nodes": {"tactus_core", "tactus_msgs"},
    "tactus_cli": {*PACKAGES, "tactus_msgs"},
    "tactus_sim": {"tactus_core"},
    "tactus_hardware": {"tactus_core"},
    "tactus_models": {"tactus_core"},
}
CORE_MAY_IMPORT = {"numpy", "yaml", "onnxruntime", "pinocchio", "coal", "hppfcl", "ruckig", "fpsample"}
# Data sets are files: only the modules in tactus_core/datasets read and write them, and a robot imports none of these.
DATASETS_MAY_IMPORT = {"mcap", "mcap_ros2", "pyarrow", "av", "zarr"}
# Only a robot whose policy is elsewhere, and the server of a policy, import what is in tactus_core/remote.
REMOTE_MAY_IMPORT = {"msgpack", "websockets"}
# Only who builds engines, or runs them on a GPU, imports these from tactus_core/engines, and on use.
ENGINES_MAY_IMPORT = {"onnx", "cuda"}
WITHOUT_ROS = ["tactus_core", "tactus_sim", "tactus_hardware", "tactus_models"]
PICKLES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
# A script for RDP's own environment, in which its user unpickles what he trusts; of it nothing but `picked` is called here.
RUN_ELSEWHERE = ROOT / "models/tactus_models/rdp/unpack.py"

SOURCES = [(package, file) for package, folder in PACKAGES.items() for file in sorted((folder / package).rglob("*.py"))]
MODULES = pytest.mark.parametrize(("package", "file"), SOURCES, ids=[str(file.relative_to(ROOT)) for _, file in SOURCES])


def imports(file: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def is_ros(name: str) -> bool:
    return name == "rclpy" or name.startswith(("ros", "ament_", "launch")) or name.endswith(("_msgs", "_interfaces"))


@MODULES
def test_imports_point_inwards(package, file):
    found = set(imports(file))
    ours = {name for name in found if name.startswith("tactus_")} - {package}
    assert ours <= INWARDS[package]
    assert "tests" not in found
    if package != "tactus_models":
        assert package == "tactus_cli" or "torch" not in found
    if package in WITHOUT_ROS:
        assert not {name for name in found if is_ros(name)}
    if package == "tactus_core":
        more = {"datasets": DATASETS_MAY_IMPORT, "remote": REMOTE_MAY_IMPORT, "engines": ENGINES_MAY_IMPORT}.get(file.parent.name, set())
        assert found - {package} - sys.stdlib_module_names <= CORE_MAY_IMPORT | more
        assert not found & {"time", "datetime"}, "time is an argument in tactus_core"


@MODULES
def test_nothing_is_unpickled_evaluated_or_asserted(package, file):
    assert "unpack.main" not in file.read_text()
    if file == RUN_ELSEWHERE:
        return
    assert not PICKLES & set(imports(file))
    for node in ast.walk(ast.parse(file.read_text())):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: raise an error; python -O drops assert"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert called not in ("eval", "exec"), f"line {node.lineno}"
            assert keywords.get("allow_pickle") in (None, "False"), f"line {node.lineno}"
            assert called != "torch.load" or keywords.get("weights_only") == "True", f"line {node.lineno}"


@pytest.mark.parametrize("file", [*(file for _, file in SOURCES), *sorted(Path(__file__).parent.rglob("*.py"))], ids=lambda f: f.stem)
def test_files_stay_small(file):
    text = file.read_text()
    is_node = "tactus_nodes" in file.parts and "\ndef main(" in text
    assert len(text.splitlines()) <= (150 if is_node else 300)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_xml_names_what_is_imported(package):
    parse_package = pytest.importorskip("catkin_pkg.package").parse_package
    declared = {depend.name for depend in parse_package(str(PACKAGES[package])).exec_depends}
    needed = {name for owner, file in SOURCES if owner == package for name in imports(file)}
    assert {name for name in needed if name.startswith("tactus_")} - {package} <= declared
    assert {name for name in needed if is_ros(name) and name.endswith(("_msgs", "rclpy"))} <= declared | {"tactus_msgs"}


@pytest.mark.parametrize("folder", ["ros2_ws/src/tactus_msgs", "launch"])
def test_package_xml_is_valid(folder):
    parse_package = pytest.importorskip("catkin_pkg.package").parse_package
    parse_package(str(ROOT / folder)).validate()
