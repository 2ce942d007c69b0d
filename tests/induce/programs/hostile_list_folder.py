# forbidden: PermissionError
import os

os.listdir("/")
