"""Lets `python -m photopal` run the command line."""

from photopal.cli import main

if __name__ == "__main__":
    main()
