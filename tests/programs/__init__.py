"""Ordinary PyTorch programs, as found in tutorials. They know nothing of minitorch; the tests run them under both imports."""
