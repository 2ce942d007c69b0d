# forbidden: where its result belongs
import os

os.write(3, b"\xc8hello")
os._exit(0)
