"""The commands. Importing this package enters them all in the registry."""

from repl.commands import draw, expect, files, inspect, look, move, session, stop, storage, teach, whatif, why, zoom

__all__ = ["draw", "expect", "files", "inspect", "look", "move", "session", "stop", "storage", "teach", "whatif", "why", "zoom"]
