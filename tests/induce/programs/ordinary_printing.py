# ran: 120/003
import sys


def transform(input_grid):
    print("hello", input_grid)
    print("error", file=sys.stderr)
    sys.stdout.write("x\n")
    sys.stdout.flush()
    return input_grid
