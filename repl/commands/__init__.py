"""The commands. Importing this package enters them all in the registry."""

from repl.commands import draw, expect, look, move, session, stop, teach, whatif, why

__all__ = ["draw", "expect", "look", "move", "session", "stop", "teach", "whatif", "why"]
