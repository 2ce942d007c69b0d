# time: out of time
import time


def transform(input_grid):
    time.sleep(3600)
