"""What is shown of episodes after they have been run: rates and tables from outcomes, plots and a video from the bag.

results.py   outcomes → success rate, interval, figures per part, tables
wiping.py    what a report has to know of the wiping task: its limits, and how an episode is read from a bag
bag.py       an MCAP bag of ours → numpy
style.py     colours and fonts, the same in plots and video
plots.py     one figure per episode; the latency histogram
panels.py    the panels of the video, one image at a time
video.py     episodes → MP4
"""
