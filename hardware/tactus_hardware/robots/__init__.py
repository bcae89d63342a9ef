"""Whole robots of devices that have drivers here: what the guard needs to know of them.

assembly.py   URDFs from the numbers that makers publish
franka.py     Franka Research 3 or Panda with an Allegro hand, both by topics
ur5e.py       Universal Robots UR5e with one of the hands
so101.py      SO-101

A hand is one capsule here: its joints have limits, its links no shape. What a hand adds to the arm's tool is its palm's height.
"""
