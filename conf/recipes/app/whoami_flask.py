# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

"""A Flask application that says who is signed in: ../proxy-app.conf.

Any WSGI server can run it, on loopback or a unix socket only:
    gunicorn --bind 127.0.0.1:8000 whoami_flask:application
"""

from flask import Flask, request

application = Flask(__name__)


# Plain text: what comes from a provider would have to be escaped in HTML.
@application.route("/", defaults={"path": ""})
@application.route("/<path:path>", methods=["GET", "POST"])
def who(path):
    # Set by httpd, which removes what a client sends under these names.
    user = request.headers.get("Remote-User")
    mail = request.headers.get("X-OpenID-Email")
    text = f"You are {user}.\n" if user else "Nobody is signed in.\n"
    if user and mail:
        text += f"Your provider says that your mail address is {mail}.\n"
    return text, {"Content-Type": "text/plain; charset=utf-8",
                  "Cache-Control": "private, no-store"}
