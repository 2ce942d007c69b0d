def transform(grid):
    return open("/etc/passwd").read()
