"""The one exception of this package."""


class DrawError(Exception):
    """A picture could not be made. The message is one sentence: what is wrong and the way out."""
