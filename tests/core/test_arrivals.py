"""What appears in a folder of versions is new until somebody knows it, and once more if that is taken back."""

import os

from tactus_core.learning.versions import Arrivals


def appear(folder, age_s):
    folder.mkdir(parents=True)
    (folder / "card.yaml").touch()
    os.utime(folder, (1e9 - age_s, 1e9 - age_s))
    return folder


def test_only_what_appeared_since_is_new_and_only_until_it_is_known(tmp_path):
    appear(tmp_path / "before", 9.0)
    arrivals = Arrivals(str(tmp_path))
    assert arrivals.fresh() == []
    late, early = appear(tmp_path / "a", 1.0), appear(tmp_path / "b", 5.0)
    appear(tmp_path / ".c.partial", 0.0)
    (tmp_path / "empty").mkdir()
    assert arrivals.fresh() == [early, late]
    arrivals.know([early, late])
    assert arrivals.fresh() == []
    arrivals.forget([late])
    assert arrivals.fresh() == [late]
    assert Arrivals("").fresh() == []
