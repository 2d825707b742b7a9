"""The terminal: Python and the commands of the backward-pass debugger at one prompt, and the `minitorch` command."""
