"""What the samples share: settings, run folder, progress, plots and data sets."""

from samples.kit.errors import SampleError
from samples.kit.run import Epoch, Run
from samples.kit.settings import Settings, option

__all__ = ["Epoch", "Run", "SampleError", "Settings", "option"]
