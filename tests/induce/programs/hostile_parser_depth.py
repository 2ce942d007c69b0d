# raised: 
def transform(input_grid):
    eval("(" * 100000 + ")" * 100000)
