"""Settings for the whole suite."""

from hypothesis import settings

# Machines stall now and then, so no example has a deadline; examples are derived from the test, so failures repeat.
settings.register_profile("minitorch", deadline=None, max_examples=60, derandomize=True, database=None)
settings.register_profile("thorough", deadline=None, max_examples=3000)  # pytest --hypothesis-profile=thorough
settings.load_profile("minitorch")
