"""A BMC on pyghmi's server: PORT SERIAL_PORT PASSWORD LOG. The host's power and boot flags are kept here, for the BMC itself and for
every controller behind it; what the host is told goes to LOG. Serial over LAN goes to a TCP port."""
import socket
import sys
import threading

from pyghmi.ipmi.bmc import Bmc

APP, CHASSIS = 6, 0
SEND_MESSAGE = 0x34


class Host(Bmc):
    def __init__(self, port, serial, password, log):
        super().__init__({'admin': password}, port=port, address='127.0.0.1')
        self.serial_port, self.log, self.line = serial, log, None
        self.on, self.flags = {}, {}

    def tell(self, path, *words):
        # controllers behind the BMC are not the host
        if not path:
            with open(self.log, 'a') as log:
                print(*words, file=log)

    def perform(self, path, netfn, command, data):
        """One controller's commands; path is () for the BMC, or the (channel, address) of every hop."""
        if (netfn, command) == (APP, 0x01):
            return 0, [0x20, 1, 1, 0, 2, 0xbf, 0, 0, 0, 0, 0]
        if (netfn, command) == (CHASSIS, 0x01):
            return 0, [1 if self.on.get(path) else 0, 0, 0]
        if (netfn, command) == (CHASSIS, 0x02):
            if data[0] in (2, 3, 5) and not self.on.get(path):
                return 0xd5, []
            if data[0] in (0, 1, 5):
                self.on[path] = data[0] == 1
            self.tell(path, 'power', data[0])
            return 0, []
        if (netfn, command) == (CHASSIS, 0x08):
            if data[0] & 0x7f == 5:
                self.flags[path] = list(data[1:6])
                self.tell(path, 'boot', bytes(data[1:6]).hex())
            return 0, []
        if (netfn, command) == (CHASSIS, 0x09):
            if data[0] & 0x7f == 5:
                return 0, [1, 5] + self.flags.get(path, [0] * 5)
            return 0, [1, data[0] & 0x7f, 0, 0]
        return 0xc1, []

    def handle_raw_request(self, request, session):
        netfn, command, data = request['netfn'], request['command'], list(request['data'])
        if (netfn, command) == (APP, 0x48):
            return self.activate_payload(request, session)
        if (netfn, command) == (APP, 0x49):
            return self.deactivate_payload(request, session)
        path = ()
        while (netfn, command) == (APP, SEND_MESSAGE):
            channel, address, function = data[:3]
            netfn, command, data = function >> 2, data[6], data[7:-1]
            path += ((channel & 0xf, address),)
        code, answer = self.perform(path, netfn, command, data)
        if not path:
            return session.send_ipmi_response(code=code, data=answer)
        # as a real chassis: an empty acknowledgement for each hop, then the answer as a message of its own
        for _ in path:
            session._send_ipmi_net_payload(netfn=APP + 1, command=SEND_MESSAGE, code=0)
        return session._send_ipmi_net_payload(netfn=netfn + 1, command=command, data=answer, code=code)

    def is_active(self):
        return True

    def activate_payload(self, request, session):
        if self.line is None:
            self.line = socket.create_connection(('127.0.0.1', self.serial_port))
            threading.Thread(target=self.print_to_console, daemon=True).start()
        self.iohandler = self.type_to_host
        super().activate_payload(request, session)

    def type_to_host(self, data):
        if isinstance(data, str):
            data = data.encode()
        if isinstance(data, (bytes, bytearray)):
            self.line.sendall(data)

    def print_to_console(self):
        while printed := self.line.recv(4096):
            if self.sol:
                self.sol.send_data(printed)


Host(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]).listen(30)
