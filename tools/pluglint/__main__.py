"""`python -m pluglint`."""

from pluglint.cli import main

main()
