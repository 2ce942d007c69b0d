# forbidden: PermissionError
def transform(input_grid):
    return [[len(open("/etc/passwd").read())]]
