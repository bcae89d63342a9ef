import pytest
from written_bag import WrittenBag

pytest.importorskip("pyarrow", reason="data sets need pyarrow and zarr: pip install -r requirements/data.txt")


@pytest.fixture(scope="session")
def bag(tmp_path_factory):
    """Return the folder of a bag and what was written into it."""
    folder = tmp_path_factory.mktemp("bags") / "bag"
    return folder, WrittenBag(folder)


@pytest.fixture(scope="session")
def v3(bag, tmp_path_factory):
    """Return the LeRobot data set that came of the bag, twice in it."""
    from tactus_core.datasets.convert import convert

    folder = tmp_path_factory.mktemp("sets") / "v3"
    list(convert([bag[0], bag[0]], "lerobot", folder, None, "push the button", "gantry", lambda source: None))
    return folder


@pytest.fixture(scope="session")
def story(tmp_path_factory):
    """An episode that was practised in lockstep, and what a recorder would have heard of it."""
    from lived_story import Story

    return Story(tmp_path_factory.mktemp("story"))
