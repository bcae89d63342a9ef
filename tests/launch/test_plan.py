"""What a launch file is resolved into: scopes, conditions, includes, nodes, and errors with their lines."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tactus_cli.launching import plan
from tactus_cli.launching.plan import Log
from tactus_cli.launching.process import Process
from tactus_cli.launching.substitutions import Scope
from tactus_cli.launching.values import words
from tactus_cli.launching.xml import Element
from tactus_core.errors import ConfigError

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "KEPT": "outer"}


def logged(file: Path, **arguments: str) -> list[str]:
    """Return the messages of the file's `log` tags."""
    return [step.message for step in plan.make(file, arguments, ENVIRONMENT, file.parent / "run") if isinstance(step, Log)]


def processes(file: Path, **arguments: str) -> list[Process]:
    return [step for step in plan.make(file, arguments, ENVIRONMENT, file.parent / "run") if isinstance(step, Process)]


def test_argument_takes_its_value_or_its_default(write):
    file = write('<arg name="a" default="1"/><arg name="b" default="$(var a)0"/><log message="$(var a) $(var b)"/>')
    assert logged(file) == ["1 10"]
    assert logged(file, a="2", undeclared="is accepted") == ["2 20"]


def test_group_is_scoped_unless_it_says_otherwise(write):
    inner = '<let name="x" value="in"/><set_env name="KEPT" value="in"/>'
    shown = '<log message="$(var x) $(env KEPT)"/>'
    assert logged(write(f'<let name="x" value="out"/><group>{inner}{shown}</group>{shown}')) == ["in in", "out outer"]
    assert logged(write(f'<let name="x" value="out"/><group scoped="false">{inner}</group>{shown}')) == ["in in"]


def test_group_hides_what_it_introduced(write):
    with pytest.raises(ConfigError, match=r"has no value"):
        logged(write('<group><let name="new" value="1"/></group><log message="$(var new)"/>'))


def test_include_is_not_scoped(write, tmp_path):
    write('<arg name="x" default="default"/><let name="set_inside" value="1"/><log message="$(dirname) $(var x)"/>', "inner.launch.xml")
    include = '<include file="$(dirname)/inner.launch.xml"><arg name="x" value="given"/></include>'
    after = '<log message="$(var x) $(var set_inside)"/>'
    assert logged(write(include + after)) == [f"{tmp_path} given", "given 1"]
    assert logged(write(f'<let name="x" value="out"/><let name="set_inside" value="0"/><group>{include}</group>{after}'))[-1] == "out 0"


def test_dirname_is_that_of_the_file_it_stands_in(write, tmp_path):
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "inner.launch.xml").write_text('<launch><log message="$(dirname)"/></launch>')
    file = write('<include file="$(dirname)/sub/inner.launch.xml"/><log message="$(dirname)"/>')
    assert logged(file) == [str(folder), str(tmp_path)]


@given(st.sampled_from(["true", "True", "TRUE", "1", "false", "False", "0", " true "]))
def test_if_and_unless_are_opposites(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("launch") / "a.launch.xml"
    file.write_text(f'<launch><log if="{text}" message="if"/><log unless="{text}" message="unless"/></launch>')
    assert logged(file) == ["if" if text.strip().lower() in ("true", "1") else "unless"]


def test_condition_covers_what_is_inside(write):
    assert logged(write('<group if="false"><log message="$(var missing)"/></group><include if="0" file="missing.launch.xml"/>')) == []


def test_unset_environment(write):
    assert logged(write('<unset_env name="KEPT"/><log message="$(env KEPT gone)"/>')) == ["gone"]


def test_node_command_line(write, package):
    file = write("""
        <push_ros_namespace namespace="robot"/>
        <node pkg="demo" exec="show" name="eye" namespace="left" args="--fast --task=$(var what)" ros_args="--log-level debug"
              launch-prefix="nice -n 5">
          <remap from="in" to="/out"/>
          <env name="MODE" value="test"/>
        </node>""")
    (node,) = processes(file, what="two words")
    assert node.command == (
        *("nice", "-n", "5", str(package / "lib" / "demo" / "show"), "--fast", "--task=two words"),
        *("--ros-args", "--log-level", "debug", "-r", "__node:=eye", "-r", "__ns:=/robot/left", "-r", "in:=/out"),
    )
    assert node.environment == {**ENVIRONMENT, "MODE": "test"}
    assert node.label == "show"


@pytest.mark.parametrize(
    ("pushed", "own", "expected"),
    [("a", "b", "/a/b"), ("/a", "/b", "/b"), ("", "b", "/b"), ("a", "", "/a"), ("", "", None), ("/", "b", "/b")],
)
def test_namespaces(write, package, pushed, own, expected):
    (node,) = processes(write(f'<push_ros_namespace namespace="{pushed}"/><node pkg="demo" exec="show" namespace="{own}"/>'))
    assert [word for word in node.command if word.startswith("__ns:=")] == ([f"__ns:={expected}"] if expected else [])


def test_parameters_keep_their_order_and_types(write, package, tmp_path):
    (tmp_path / "file.yaml").write_text("/**: {ros__parameters: {a: 1}}")
    (node,) = processes(
        write("""
        <node pkg="demo" exec="show">
          <param name="count" value="3"/>
          <param name="text" value="3" type="str"/>
          <param name="rate" value="2" type="float"/>
          <param name="flags" value="[true, false]"/>
          <param name="empty" value=""/>
          <param name="outer"><param name="inner" value="$(eval '1 / 2')"/></param>
          <param from="$(dirname)/file.yaml"/>
          <param from="$(dirname)/missing.yaml"/>
          <param name="count" value="4"/>
        </node>"""),
    )
    files = [Path(node.command[i + 1]) for i, word in enumerate(node.command) if word == "--params-file"]
    first, second, third = (yaml.safe_load(file.read_text())["/**"]["ros__parameters"] for file in files)
    assert first == {"count": 3, "text": "3", "rate": 2.0, "flags": [True, False], "empty": "", "outer": {"inner": 0.5}}
    assert isinstance(first["rate"], float)
    assert (second, third) == ({"a": 1}, {"count": 4})


@given(st.lists(st.text(min_size=1, max_size=8)))
def test_values_of_substitutions_are_never_split(values):
    scope = Scope({f"v{i}": value for i, value in enumerate(values)}, {})
    text = " ".join(f"$(var v{i})" for i in range(len(values)))
    assert words(Element("node", {"args": text}, Path("f"), 1), "args", scope) == values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("--x=$(var v)", ["--x=one two"]),
        ("$(var v)/end next", ["one two/end", "next"]),
        ("'a b'$(var v)", ["a bone two"]),
        ("a $(var v) b", ["a", "one two", "b"]),
        ("$(var v)$(var v)", ["one twoone two"]),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(Element("node", {"args": text}, Path("f"), 1), "args", Scope({"v": "one two"}, {})) == expected


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ('<arg name="a"/>', 2, "neither a value nor a default"),
        ('\n<arg name="a" default="x"><choice value="y"/><choice value="z"/></arg>', 3, "must be one of y, z; got 'x'"),
        ("\n\n<nod/>", 4, "unknown tag inside <launch>. Did you mean 'node'?"),
        ('<timer period="1"/>', 2, "unknown tag"),
        ('<group>\n<let name="a" valu="b"/></group>', 3, "unknown attribute 'valu'. Did you mean 'value'?"),
        ('<let name="a"/>', 2, "needs the attribute 'value'"),
        ('<log if="1" unless="1" message=""/>', 2, "both 'if' and 'unless'"),
        ('<log if="maybe" message=""/>', 2, "'if' must be true, false, 1 or 0; got 'maybe'"),
        ('<log message="$(var x)"/>', 2, "in 'message', $(var x) has no value"),
        ('<include file="missing.launch.xml"/>', 2, "does not exist"),
        ('<include file="/bin/sh"/>', 2, "not an XML launch file"),
        ('<node pkg="no_such" exec="x"/>', 2, "not installed"),
        ('<node pkg="demo" exec="x"/>', 2, "has no executable 'x'; it has: show"),
        ('<node pkg="demo" exec="show" name="a-b"/>', 2, "no name for a node"),
        ('<node pkg="demo" exec="show" namespace="a//b"/>', 2, "no namespace"),
        ('<node pkg="demo" exec="show">\n<param name="x"/></node>', 3, "needs 'from'"),
        ('<node pkg="demo" exec="show">\n<param name="x" value="[1, a]"/></node>', 3, "neither a number"),
        ('<node pkg="demo" exec="show">\n<param name="x" value="1.5" type="int"/></node>', 3, "not of type int"),
        ('<executable cmd="no-such-program-here"/>', 2, "was not found"),
        ('<executable cmd="true" output="nowhere"/>', 2, "'output' must be one of"),
        ('<executable cmd="true" respawn_delay="-1"/>', 2, "must not be negative"),
        ('<executable cmd="true" respawn_delay="nan"/>', 2, "must not be negative"),
        ('<executable cmd="true" on_exit="restart"/>', 2, "can only be 'shutdown'"),
        ("<log\n message='a'>text</log>", 2, "unexpected text"),
        ("<log></launch>", 2, "not valid XML"),
    ],
)
def test_errors_name_file_line_and_tag(write, package, body, line, message):
    file = write(body)
    with pytest.raises(ConfigError) as caught:
        plan.make(file, {}, ENVIRONMENT, file.parent / "run")
    assert f"{file}, line {line}" in str(caught.value)
    assert message in str(caught.value)


def test_error_in_an_included_file_names_that_file(write, tmp_path):
    write("\n<lett/>", "inner.launch.xml")
    with pytest.raises(ConfigError, match=r"inner\.launch\.xml, line 3, <lett>"):
        logged(write('<include file="$(dirname)/inner.launch.xml"/>'))


def test_endless_include_is_refused(write):
    with pytest.raises(ConfigError, match="include itself"):
        logged(write('<include file="$(filename)"/>'))


def test_arguments_are_listed_with_those_of_included_files(write):
    write('<arg name="a" default="hidden"/><arg name="deep" description="Deep."><choice value="x"/></arg>', "inner.launch.xml")
    file = write(
        '<arg name="a" default="$(env HOME)"/><group><include file="$(dirname)/inner.launch.xml"/></group><include file="$(var a)"/>'
    )
    assert [(a.name, a.default, a.description, a.choices) for a in plan.arguments(file, ENVIRONMENT)] == [
        ("a", "$(env HOME)", "no description given", ()),
        ("deep", None, "Deep.", ("x",)),
    ]
