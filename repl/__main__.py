"""`python -m repl` is the `minitorch` command."""

import sys

from repl.main import main

sys.exit(main())
