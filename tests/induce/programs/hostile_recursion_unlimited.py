# forbidden: died of signal 11
import sys

sys.setrecursionlimit(1 << 30)


class Deep:
    def __repr__(self):
        return repr(self)


def transform(input_grid):
    return repr(Deep())
