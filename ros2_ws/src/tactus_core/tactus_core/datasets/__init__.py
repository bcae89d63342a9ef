"""Data sets for learning, made of recordings; without ROS, torch or a GPU. Raw bags stay the truth.

messages.py  decoded messages → arrays
bag.py       MCAP bags → stamped streams
spans.py     which stretches of a bag are episodes
series.py    streams → stamped values by column
rows.py      those on a steady grid: the resampling rule
episode.py   what an episode is, wherever it comes from
lerobot.py   reads LeRobot data sets, v2.1 and v3
v3.py        writes LeRobot v3: Parquet, MP4, metadata
stats.py     the statistics in it
video.py     AV1 in MP4
replay_buffer.py  writes zarr, as Diffusion Policy and RDP read it; replay_data.py: reads it
check.py     gaps, jumps, mis-timed frames: in bags and data sets; findings.py: what it says
convert.py   all of it, from sources to a data set

mcap, pyarrow, av and zarr are imported by the modules that need them: a robot that only runs imports none of this.
"""
