"""Commands: thin, one module each, imported when called."""


class UsageError(Exception):
    """Wrong use of the command line; the message says what to write instead."""
