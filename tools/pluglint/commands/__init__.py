"""Commands: thin, one module each, imported when called."""
