# forbidden: ended its process
import os
import sys

# A worker that gets back into the server's loop and would serve in its place.
os._exit = lambda *ignored: None
frame = sys._getframe()
while "finish" not in frame.f_globals:
    frame = frame.f_back
worker = frame.f_globals
worker["finish"] = lambda *ignored: None
while "control" not in frame.f_locals:
    frame = frame.f_back
worker["serve"](worker["Settings"], frame.f_locals["control"])
