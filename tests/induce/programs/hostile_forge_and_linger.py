# time: out of time
import os

os.write(3, b"\x00\x01\x01\x05")
while True:
    pass
