# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

"""For Django behind ../proxy-app.conf: users by the header Remote-User.

In settings.py, behind django.contrib.auth.middleware.AuthenticationMiddleware
in MIDDLEWARE: "openid_user.OpenIDUserMiddleware". And
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
"""

from django.contrib.auth.middleware import RemoteUserMiddleware


class OpenIDUserMiddleware(RemoteUserMiddleware):
    # The header Remote-User, not the variable REMOTE_USER: that is set by a
    # web server that Django runs in, and here it runs in one of its own.
    header = "HTTP_REMOTE_USER"
