"""The command line: words in, calls down, words out; knows nothing of how the work is done."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program on this process's arguments.

    The program is imported here, so that Ctrl-C and a broken installation end in a line and an exit code
    from the first moment on.
    """
    from photopal.cli.crash import describe_crash, is_interrupt, write_report
    from photopal.cli.streams import take_over, talk_stream
    from photopal.errors import ExitCode

    words = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    try:
        take_over(is_debug="--debug" in words)
        from photopal.cli.app import app

        app(prog_name="photopal")
    except (Exception, KeyboardInterrupt) as error:
        if is_interrupt(error):
            sys.exit(ExitCode.INTERRUPTED)
        if "--debug" in words:
            raise
        report = write_report(error, None, doing="photopal startup")
        talk_stream().write(describe_crash(error, doing="photopal startup", report=report) + "\n")
        talk_stream().flush()
        sys.exit(ExitCode.ERROR)


__all__ = ["main"]
