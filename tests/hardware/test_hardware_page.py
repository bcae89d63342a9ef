"""What docs/hardware.md says of devices, libraries and licences is what the code, the pins and the installed packages say."""

import ast
import re
import sys
from importlib.metadata import distribution, entry_points, packages_distributions
from pathlib import Path

import pytest

from tactus_hardware.ports import WIRES, DeviceKind

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hardware" / "tactus_hardware"
PAGE = (ROOT / "docs" / "hardware.md").read_text()
# Name behind the link in its first cell → the cells.
ROWS = {
    match[2]: [match[1], *(cell.strip() for cell in match[3].split("|"))]
    for match in re.finditer(r"^\| \[[^]]+\]\(([^)]+)\) `(\w+)` \|(.*)\|$", PAGE, re.MULTILINE)
}
LIBRARIES = {(name, version): licence for name, version, licence in re.findall(r"`([\w-]+)` ([\d.]+) \(([\w.-]+)\)", PAGE)}
PINS = {
    tuple(line.split("=="))
    for name in ("hardware.txt", "dev.txt", "ros-wheels.txt")
    for line in (ROOT / "requirements" / name).read_text().splitlines()
    if "==" in line
}
PACKAGES = {**packages_distributions(), "rtde_control": ["ur-rtde"]}  # whose wheel does not list its modules
KINDS = [kind for entry in entry_points(group="tactus.devices") if isinstance(kind := entry.load(), DeviceKind)]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


# Where a file may lie that a page names.
HOMES = (ROOT, ROOT / "hardware", PACKAGE, ROOT / "ros2_ws/src/tactus_nodes")


def imported(file, seen):
    """Return the libraries that a module of a driver imports, by itself and through our own modules; `seen` grows."""
    if file in seen or not file.exists() or file.name.startswith("emulat"):
        return set()
    seen.add(file)
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in getattr(node, "names", [])]
        for name in names if isinstance(node, ast.Import | ast.ImportFrom) else []:
            if name.startswith("tactus_hardware"):
                found |= imported(PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py"), seen)
            else:
                found.add(name.partition(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and not name.startswith(("tactus_", "numpy"))}


def stated_licence(name):
    """Return all that an installed package says of its licence."""
    found = distribution(name)
    fields = [found.metadata[field] or "" for field in ("License", "License-Expression")]
    files = [file.read_text()[:500] for file in found.files or [] if file.name.upper().startswith("LICENSE")]
    return " ".join([*fields, *found.metadata.get_all("Classifier", []), *files]).casefold()


def test_there_is_a_row_for_every_driver_and_for_nothing_else():
    assert set(ROWS) == {kind.name for kind in KINDS}


@EACH
def test_a_row_has_the_wire_that_the_device_is_reached_by_and_says_what_nobody_tried(kind):
    link, _, wire, tested, missing = ROWS[kind.name]
    assert (ROOT / "docs" / link).resolve() == PACKAGE / kind.name / "README.md"
    assert wire.startswith(f"{WIRES[kind.address]}: ")
    assert "our emulator" in tested
    assert "physical" in missing


@pytest.mark.parametrize("page", ["hardware", "adding_a_device"])
def test_files_that_a_page_names_are_there(page):
    named = set(re.findall(r"[` (]((?:[\w.]+/)*\w+\.(?:py|xml|md|txt))\b", (ROOT / "docs" / f"{page}.md").read_text()))
    made = {name for name in named if name.startswith("fingertip/")} | {"entry_points.txt", "README.md"}
    assert len(named - made) > 3
    assert [name for name in named - made if not any((home / name).exists() for home in (*HOMES, ROOT / "docs"))] == []


@EACH
def test_a_row_names_what_its_driver_imports(kind):
    libraries = set()
    for file in (PACKAGE / kind.name).glob("*.py"):
        libraries |= imported(file, set())
    for name in libraries:
        assert any(f"`{package}` " in ROWS[kind.name][1] for package in PACKAGES[name]), f"{kind.name} imports {name}"
    if not libraries:
        assert ROWS[kind.name][1].startswith("none")


def test_libraries_are_those_that_are_pinned():
    assert set(LIBRARIES) <= PINS
    drivers = {line.partition("==")[0] for line in (ROOT / "requirements/hardware.txt").read_text().splitlines() if "==" in line}
    clients = {line.partition("==")[0] for line in (ROOT / "requirements/dev.txt").read_text().partition("# Clients")[2].splitlines()[1:]}
    assert drivers | clients <= {name for name, _ in LIBRARIES}


@pytest.mark.parametrize(("library", "licence"), LIBRARIES.items(), ids=lambda value: value if isinstance(value, str) else value[0])
def test_licences_are_those_that_packages_state(library, licence):
    assert not re.match(r"A?GPL|CC BY-NC", licence)
    family = {"Unlicense": "unlicense"}.get(licence, licence.partition("-")[0].casefold())
    assert family in stated_licence(library[0])
