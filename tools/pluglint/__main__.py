"""Where the command starts, also as `python -m pluglint`.

`pluglint check TARGET...` without options is what hooks and CI call all day. It needs no option parser,
and leaving typer out halves the time of a small run; everything else goes through cli.py.
"""

import gc

gc.disable()  # a short-lived process that builds one tree and ends: collecting only costs time, in the imports below too

import os  # noqa: E402
import sys  # noqa: E402


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] == ["check"] and not any(argument.startswith("-") for argument in arguments):
        from pluglint.guard import guarded

        status = guarded(lambda: _check(arguments[1:]))
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            pass
        os._exit(status)  # taking a big tree apart object by object would cost more than the report
    from pluglint.cli import app

    app()


def _check(targets: list[str]) -> int:
    from pluglint.commands.check import run, settings

    targets = targets or ["."]
    return run(targets, settings(targets, None))


if __name__ == "__main__":
    main()
