# raised: subprocess
import subprocess

subprocess.run(["/bin/true"])
