"""One file per rule; the file name is the rule's id. See pluglint/rule.py for what a file holds."""
