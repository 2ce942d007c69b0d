# memory: out of memory
import os

os._exit(4)  # a lie, and its loss
