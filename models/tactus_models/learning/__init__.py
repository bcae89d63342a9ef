"""Learning from corrections: what a human did when he took over changes a base, or the residual on it.

recipes.py      what each method is rewarded for, and what it draws from
residual.py     a residual by off-policy reinforcement learning with interventions (HIL-SERL, RLIF, WSRL)
base.py         a base by imitation of corrections (DAgger)
follow.py       the process: takes episodes as they come, writes bundle versions
"""
