# time: out of time
import re


def transform(input_grid):
    return [[len(re.match(r"(a+)+$", "a" * 60 + "b"))]]
