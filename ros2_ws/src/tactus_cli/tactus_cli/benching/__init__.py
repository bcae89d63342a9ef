"""What `./tactus bench` measures, as its subcommands.

graph.py   the shipped launch files, while they run
policy.py  what networks cost, and what makes them cheaper
core.py    the simulated world, the guard, and a policy that is corrected, without a graph
shown.py   figures as tables
"""
