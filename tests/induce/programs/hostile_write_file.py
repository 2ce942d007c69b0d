# forbidden: PermissionError
open("/tmp/escaped", "w").write("x")
