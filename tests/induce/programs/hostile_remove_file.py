# forbidden: PermissionError
import os

os.unlink("/tmp/escaped")
