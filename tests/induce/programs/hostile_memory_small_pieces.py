# memory: out of memory
hoard = []
while True:
    hoard.append([None] * 1000)
