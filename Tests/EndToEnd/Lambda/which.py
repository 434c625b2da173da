"""Says which Python runs it."""

import sys

print(sys.executable)
