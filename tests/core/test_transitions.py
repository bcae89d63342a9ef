"""An episode's transitions come back as they were written, or not at all; versions appear whole."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError
from tactus_core.learning.transitions import Experience, Transitions, load, save
from tactus_core.learning.versions import Versions


@st.composite
def episodes(draw):
    count, rng = draw(st.integers(0, 12)), np.random.default_rng(draw(st.integers(0, 2**32)))
    intervened = rng.random(count) < 0.5
    success = draw(st.sampled_from([True, False, None]))
    rows = {"observed": (count, 82), "correction": (count, 6), "executed": (count, 6)}
    source = "none" if success is None else draw(st.sampled_from(["label", "classifier"]))
    return Transitions(
        **{name: rng.standard_normal(shape) for name, shape in rows.items()},
        intervened=intervened,
        onset=intervened & (~np.append(False, intervened[:-1])[:count] | (rng.random(count) < 0.5)),
        stamp_s=np.cumsum(rng.uniform(0.01, 0.1, count)),
        success=success,
        ended=draw(st.booleans()),
        reward_source=source,
        bundle=draw(st.text(max_size=20).filter(lambda text: not text.endswith("\0"))),
        bundle_hash="0" * 64,
        seed=draw(st.integers(-1, 2**53)),
        episode=draw(st.integers(0, 999_999)),
    )


@settings(max_examples=25, deadline=None)
@given(episodes())
def test_what_is_written_comes_back(tmp_path_factory, episode):
    experience = Experience(tmp_path_factory.mktemp("experience"))
    save(episode, experience.path(episode.episode))
    (path,) = experience.paths()
    again = load(path)
    for field in fields(Transitions):
        one, other = getattr(episode, field.name), getattr(again, field.name)
        np.testing.assert_array_equal(one, other)
        assert type(one) is type(other), field.name


def whole(count=5):
    rows = {name: np.zeros((count, width)) for name, width in (("observed", 82), ("correction", 6), ("executed", 6))}
    flags = {name: np.zeros(count, bool) for name in ("intervened", "onset")}
    told = {"success": True, "ended": True, "reward_source": "label", "bundle": "b", "bundle_hash": "h", "seed": 1, "episode": 0}
    return Transitions(**rows, **flags, stamp_s=np.arange(float(count)), **told)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"correction": np.zeros((4, 6))}, "'correction'"),
        ({"executed": np.full((5, 6), np.nan)}, "'executed'"),
        ({"observed": np.zeros((5, 6))}, "'observed'"),
        ({"intervened": np.zeros(5)}, "'intervened'"),
        ({"stamp_s": np.zeros(5)}, "stamps go back"),
        ({"onset": np.ones(5, bool)}, "do not belong together"),
        ({"intervened": np.arange(5) > 2}, "do not belong together"),
        ({"success": None}, "nobody said"),
        ({"reward_source": "guess"}, "expected one of"),
    ],
)
def test_rows_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(DataError, match=words):
        replace(whole(), **wrong)


def test_a_file_that_is_no_episode_is_refused(tmp_path):
    save(whole(), tmp_path / "000000.npz")
    data = (tmp_path / "000000.npz").read_bytes()
    for name, text in (("cut", data[: len(data) // 2]), ("empty", b""), ("other", b"PK\3\4 and so on")):
        (tmp_path / f"{name}.npz").write_bytes(text)
        with pytest.raises(DataError, match="not an episode"):
            load(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "later.npz", format=99)
    with pytest.raises(DataError, match="format 99"):
        load(tmp_path / "later.npz")
    np.savez(tmp_path / "pickled.npz", format=1, observed=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="not an episode"):
        load(tmp_path / "pickled.npz")


def test_a_version_that_was_cut_short_is_none(tmp_path):
    versions = Versions(tmp_path)

    def write(folder, number, card=True):
        (folder / "graph").write_text(str(number))
        assert not [path for path in versions.paths() if path.name == f"{number:06d}"]
        if not card:
            raise KeyboardInterrupt
        (folder / "card.yaml").write_text("")

    first = versions.publish(write)
    with pytest.raises(KeyboardInterrupt):
        versions.publish(lambda folder, number: write(folder, number, card=False))
    assert versions.paths() == [first]
    second = versions.publish(write)
    assert [path.name for path in versions.paths()] == ["000000", "000001"]
    assert (second / "graph").read_text() == "1"
