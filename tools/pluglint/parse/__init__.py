"""Parsers: text to typed documents in which every value keeps its span. They never raise on bad input."""
