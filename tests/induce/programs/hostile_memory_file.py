# forbidden: PermissionError
import os

os.memfd_create("code")
