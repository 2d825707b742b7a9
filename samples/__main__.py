"""`python -m samples` lists the samples, `python -m samples run NAME` runs one."""

import sys

from samples.main import main

sys.exit(main(sys.argv[1:] or ["samples"], prog="python -m samples"))
