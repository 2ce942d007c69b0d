# forbidden: PermissionError
try:
    import subprocess
except ImportError:  # unless something has loaded it before, there is none
    raise PermissionError

subprocess.run(["/bin/true"])
