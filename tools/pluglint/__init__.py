"""pluglint checks a Claude Code plugin package before release."""

__version__ = "0.1.0"
