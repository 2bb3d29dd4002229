<?php
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A PHP script that says who is signed in: ../php-fpm.conf.

# Plain text: what comes from a provider would have to be escaped in HTML.
header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: private, no-store');

# Set by httpd. HTTP_REMOTE_USER is another thing: a header of the client.
if (isset($_SERVER['REMOTE_USER'])) {
    echo "You are {$_SERVER['REMOTE_USER']}.\n";
}
if (isset($_SERVER['OPENID2RP_EMAIL'])) {
    echo "Your provider says that your mail address is ",
        "{$_SERVER['OPENID2RP_EMAIL']}.\n";
}
