"""Fault injection through the real node graph: what is broken, what passes on, and how the answer is judged.

kinds        what can go wrong, and what has to happen then
injections   the ways to make it go wrong: signals, altered messages, a stepped clock, a full disk
alterations  what happens to the messages of one stream
tap          a process of its own between publishers and subscribers: relays, alters, records
tapping      its other end, in the command's process
observation  what the tap recorded, as numbers
limits       whether commands kept the guard's limits: written anew, not the guard's own code
score        how long it took to be safe, and what happened on the way
graph        the launched graph, its tap, and how it is brought back to motion
trial        one fault at one moment
report       table, Markdown, figure
"""
