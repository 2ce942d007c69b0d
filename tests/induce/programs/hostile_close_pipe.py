# forbidden: PermissionError
import os

os.close(3)
