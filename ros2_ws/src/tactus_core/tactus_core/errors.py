"""Every error that Tactus raises on purpose.

    TactusError
    ├── ConfigError      a parameter, a file of parameters, or a launch argument is wrong
    ├── BundleError      a policy bundle is missing, altered, or does not fit
    ├── DataError        a recording, a message or an array is not what it should be
    ├── StaleError        an input is missing or older than its contract allows
    ├── DeviceError      a device (real, emulated or simulated) cannot do what was asked
    └── SetupError       something that the machine needs is missing

Each message is one paragraph: what happened, what was got, what was expected, and what to do next.
"""


class TactusError(Exception):
    """Base of all errors that a user may meet; the command line prints it without a traceback."""


class ConfigError(TactusError):
    """A parameter, a file of parameters, or a launch argument is wrong."""


class BundleError(TactusError):
    """A policy bundle is missing, altered, or does not fit this robot."""


class DataError(TactusError):
    """A recording, a message or an array is not what it should be."""


class StaleError(TactusError):
    """An input is missing, or older than its contract allows."""


class DeviceError(TactusError):
    """A device, real, emulated or simulated, cannot do what was asked."""


class SetupError(TactusError):
    """Something that the machine needs is missing."""
