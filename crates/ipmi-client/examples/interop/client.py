"""pyghmi's client, one action a call: HOST PORT USER PASSWORD ACTION WORD…"""
import sys
import time

from pyghmi.ipmi import command, console
from pyghmi.ipmi.private import session

host, port, user, password, action, *words = sys.argv[1:]


def serial_over_lan(typed, wanted):
    seen = b''

    def hear(data):
        nonlocal seen
        seen += data if isinstance(data, bytes) else str(data).encode()

    line = console.Console(bmc=host, userid=user, password=password, port=int(port), iohandler=hear)
    end, sent = time.monotonic() + 30, False
    while wanted.encode() not in seen and time.monotonic() < end:
        session.Session.wait_for_rsp(0.2)
        if line.connected and not sent:
            line.send_data(typed.encode() + b'\r')
            sent = True
    print(seen.decode(errors='replace'))
    line.close()


if action == 'sol':
    serial_over_lan(*words)
    sys.exit()

bmc = command.Command(bmc=host, userid=user, password=password, port=int(port))
if action == 'status':
    print(bmc.get_power()['powerstate'])
elif action == 'power':
    print(bmc.set_power(words[0]))
elif action == 'cycle':
    # it has no word for it
    print(bmc.raw_command(netfn=0, command=2, data=(2,)))
elif action == 'boot':
    bmc.set_bootdev(words[0], persist=words[1] == '1', uefiboot=words[2] == '1')
    print(bmc.get_bootdev())
elif action == 'bridge':
    behind = {'addr': int(words[0], 0), 'channel': 0}
    answer = bmc.raw_command(netfn=0, command=2, data=(1,), bridge_request=behind)
    print(answer)
    print(bmc.raw_command(netfn=0, command=1, bridge_request=behind))
bmc.ipmi_session.logout()
