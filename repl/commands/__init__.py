"""The commands. Importing this package enters them all in the registry."""

from repl.commands import draw, look, move, session, stop, teach

__all__ = ["draw", "look", "move", "session", "stop", "teach"]
