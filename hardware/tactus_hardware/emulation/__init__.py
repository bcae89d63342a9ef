"""What every emulator does alike: a process of its own that fakes a device's bytes, with switches for what a wire can do to them.

faults.py     the switches
emulator.py   the loop: switches from standard input, answers to standard output, frames that are sent late
lines.py      ptys and UDP, and what the loop has to know of a line
servers.py    servers by TCP, or by a socket in the file system
signals.py    what an emulated force/torque sensor feels: a wrench with noise, or a recording
stream.py     frames that are sent one by one, whether anybody asks or not
servos.py     servos on a serial line, of whichever maker
dynamixel.py  Dynamixel servos
feetech.py    Feetech servos
modbus.py     registers that answer Modbus requests
"""
