"""Runs ROS 2 XML launch files where `ros2 launch` is not installed.

The real thing stays the standard: our launch files load unchanged there, and a file does the same here or is refused, with its line.

    xml.py            file → elements that know their lines, checked against the tags and attributes that are known
    template.py       `text $(with substitutions)` → a tree
    substitutions.py  tree → text, in a scope of variables and environment
    expression.py     the expressions of `$(eval)`
    plan.py           elements + arguments → what to start, with every value resolved; nothing has been started until all of it is known
    node.py           the command line and parameter files of a `node`
    running.py        processes: output, respawn, signals
    session.py        `Launched`: a running launch file as a context, for Python
"""
