# raised: can't start new thread
import threading


def transform(input_grid):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
    return input_grid
