"""The commands, one file each, named as the command is; `COMMANDS` in `photopal/cli/app.py` lists them.

The files `eval_*.py` hold further commands of `photopal eval`.
"""
