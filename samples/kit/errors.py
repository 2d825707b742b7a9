"""The one exception of the samples: its text is a sentence for the person at the terminal."""


class SampleError(Exception):
    """Something the user can put right, said in one sentence; shown without a traceback."""


class UsageError(SampleError):
    """A wrong name, option or value on the command line (exit code 2)."""
