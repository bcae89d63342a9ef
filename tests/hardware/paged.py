"""The device that docs/adding_a_device.md builds, as the blocks of that page."""

import re
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "adding_a_device.md").read_text()
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def alone(name):
    """Return the module in a block of the page, without the package around it."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(FILES[name])
        file.flush()
        spec = spec_from_file_location("paged", file.name)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
