"""What a human does with an input device becomes targets of the robot.

axes.py      a stick's or a puck's axes and buttons: which is which, dead band, curve
keys.py      the keys of a terminal as axes
twist.py     axes move the tcp (SpaceMouse, gamepad, keyboard)
pose.py      a hand in space moves the tcp (headset)
buttons.py   buttons that say something when they are pressed
deliberate.py  axes as a switch: a push takes control, rest gives it back
leader.py    an arm that is led by hand moves the arm's joints
hand.py      the robot's hand: by buttons along the grasp synergy, or as a led hand
resolved.py  which of them an input needs, and tcp targets for an arm that is commanded by joints
operator.py  the clutch: who holds the dead-man's switch has control, who lets go gives it back, who is not heard loses it
"""
