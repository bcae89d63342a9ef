"""What raw touch and force mean: contact and the motion of dots in images of a gel, forces free of bias and glitches. Pure; time is an argument."""
