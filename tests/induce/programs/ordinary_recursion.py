# ran: 7
import sys

sys.setrecursionlimit(20000)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def transform(input_grid):
    return [[depth(5007) % 1000]]
