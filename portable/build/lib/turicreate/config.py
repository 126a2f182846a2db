"""Settings of Turi Create that mean nothing here are accepted; the others are refused."""

from .missing import lacks


def set_num_gpus(num_gpus):
    """Accept 0: the portable edition computes on the CPU."""
    if num_gpus != 0:
        raise lacks("config.set_num_gpus", "the portable edition computes on the CPU")


def get_num_gpus():
    """Return 0: the portable edition computes on the CPU."""
    return 0


def set_runtime_config(name, value):
    """Refused: none of these settings has a meaning here."""
    raise lacks("config.set_runtime_config")


def get_runtime_config():
    """Return no settings."""
    return {}


def get_client_log_location():
    """Refused: this edition writes no log."""
    raise lacks("config.get_client_log_location")


def get_environment_config():
    """Return no settings."""
    return {}


def init_logger():
    """Do nothing: this edition writes no log."""


def set_log_level(level):
    """Do nothing: this edition writes no log."""
