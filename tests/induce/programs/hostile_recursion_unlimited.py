# stopped: it depends on the interpreter what ends first, memory or stack
import sys

sys.setrecursionlimit(1 << 30)


def transform(input_grid):
    return transform(input_grid)
