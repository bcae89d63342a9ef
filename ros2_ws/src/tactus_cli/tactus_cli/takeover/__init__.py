"""`./tactus bench takeover`: a human takes a policy's robot over, again and again, through a real input.

bench.py   runs the graph and pushes the device
record.py  the bag's verdicts, and the device's own log of what reached it
score.py   how fast, how smooth, and whether the record is whole
"""
