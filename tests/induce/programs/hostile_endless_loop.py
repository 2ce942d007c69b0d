# time: out of time
while True:
    pass
