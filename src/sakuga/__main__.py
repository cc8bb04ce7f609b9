"""`python -m sakuga` is the command `sakuga`."""

import sys

from sakuga.cli import main

sys.exit(main())
