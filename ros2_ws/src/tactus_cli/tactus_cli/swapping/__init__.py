"""How well weights are swapped while the policy moves the robot (`./tactus bench swap`).

versions.py  other versions of a bundle, good and bad ones
bench.py     the graph, and the offers that are made to it
score.py     what is made of the record
"""
