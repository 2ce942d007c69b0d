# forbidden: PermissionError
import socket

socket.socketpair()
