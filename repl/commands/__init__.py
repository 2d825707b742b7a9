"""The commands. Importing this package enters them all in the registry."""

from repl.commands import check, draw, look, move, session, stop, teach, whatif

__all__ = ["check", "draw", "look", "move", "session", "stop", "teach", "whatif"]
