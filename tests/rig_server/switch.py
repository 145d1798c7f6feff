"""What a labgrid user's script does: switch.py ENVIRONMENT on|off|cycle..."""
import sys

from labgrid import Environment

power = Environment(sys.argv[1]).get_target("main").get_driver("PDUDaemonDriver")
for action in sys.argv[2:]:
    getattr(power, action)()
    print("labgrid:", action, "done", flush=True)
