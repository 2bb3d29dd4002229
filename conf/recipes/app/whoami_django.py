# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

"""A Django application that says who is signed in: ../proxy-app.conf.

In one file, to show what matters; settings.py and urls.py of a project would
have the same. Any WSGI server can run it, on loopback or a unix socket only:
    WHOAMI_DATABASE=/var/lib/whoami/db \\
    WHOAMI_KEY="a long secret" gunicorn --bind 127.0.0.1:8000 whoami_django
"""

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import re_path

settings.configure(
    SECRET_KEY=os.environ["WHOAMI_KEY"],
    ALLOWED_HOSTS=["*"],                    # httpd knows the site's names
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "openid_user.OpenIDUserMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.RemoteUserBackend"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": os.environ["WHOAMI_DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)


# Plain text: what comes from a provider would have to be escaped in HTML.
def who(request):
    if not request.user.is_authenticated:
        text = "Nobody is signed in.\n"
    else:
        text = f"You are {request.user.get_username()}.\n"
        # Another header, which only httpd can have set.
        mail = request.headers.get("X-OpenID-Email")
        if mail:
            text += f"Your provider says that your mail address is {mail}.\n"
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [re_path("", who)]
django.setup()
call_command("migrate", verbosity=0)
application = get_wsgi_application()
