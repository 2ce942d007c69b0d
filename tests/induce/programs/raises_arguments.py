# raised: TypeError
def transform():
    return [[1]]
