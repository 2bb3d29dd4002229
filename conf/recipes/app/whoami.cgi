#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A CGI script that says who is signed in: ../cgi.conf.

use v5.14;
use strict;
use warnings;

# Plain text: what comes from a provider would have to be escaped in HTML.
print "Content-Type: text/plain; charset=utf-8\r\n",
    "Cache-Control: private, no-store\r\n\r\n";

# Set by httpd. HTTP_REMOTE_USER is another thing: a header of the client.
say "You are $ENV{REMOTE_USER}." if defined $ENV{REMOTE_USER};
say "Your provider says that your mail address is $ENV{OPENID2RP_EMAIL}."
    if defined $ENV{OPENID2RP_EMAIL};
