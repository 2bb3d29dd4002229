# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

"""serve.py MODULE PORT|SOCKET - runs a WSGI application, as a server would
that knows nothing of proxies and believes every header."""

import importlib
import os
import socket
import sys
from wsgiref import simple_server

sys.path.insert(0, os.path.join(os.path.dirname(__file__),
                                "../../conf/recipes/app"))
sys.dont_write_bytecode = True


class UnixServer(simple_server.WSGIServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 80
        self.setup_environ()

    def get_request(self):
        return self.socket.accept()[0], ("127.0.0.1", 0)


def main(module, place):
    application = importlib.import_module(module).application
    server, address = ((simple_server.WSGIServer, ("127.0.0.1", int(place)))
                       if place.isdigit() else (UnixServer, place))
    httpd = server(address, simple_server.WSGIRequestHandler)
    httpd.set_app(application)
    httpd.serve_forever()


main(*sys.argv[1:])
