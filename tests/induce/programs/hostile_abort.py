# forbidden: died of signal
import os

os.abort()
