# forbidden: PermissionError
import os

os.open("/proc/self/mem", os.O_RDWR)
