<?php
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A PHP script that signs people in by OpenID, and remembers who they are in a
# session of PHP: ../php-accounts.conf. Accounts themselves, and what to check
# with them, are left out: docs/accounts.md.

session_set_cookie_params(['httponly' => true, 'samesite' => 'Lax',
                           'secure' => !empty($_SERVER['HTTPS'])]);
session_start();
$here = $_SERVER['SCRIPT_NAME'];
$_SESSION['token'] ??= bin2hex(random_bytes(16));

# Back to this page by GET: a reload must not send anything twice.
function done($here)
{
    header("Location: $here", true, 303);
    exit;
}

function is_token($value)
{
    return is_string($value) && hash_equals($_SESSION['token'], $value);
}

# Set by httpd, once: in the request in which somebody comes back from their
# provider. HTTP_OPENID2RP_IDENTIFIER would be a header of the client.
if (isset($_SERVER['OPENID2RP_IDENTIFIER'])) {
    # The login must have begun at the form below, in this browser: nobody is to
    # be signed in as somebody else without noticing.
    if (is_token($_GET['token'] ?? null)) {
        session_regenerate_id(true);
        $_SESSION['user'] = $_SERVER['OPENID2RP_IDENTIFIER'];
    }
    done($here);
}
if (is_token($_POST['sign_out'] ?? null)) {
    session_destroy();
    done($here);
}
$problem = $_SERVER['OPENID2RP_ERROR'] ?? $_SERVER['OPENID2RP_NOTICE'] ?? '';

header('Cache-Control: private, no-store');
echo '<!DOCTYPE html><meta charset="utf-8"><title>Accounts</title>';
echo '<p role="alert">', htmlspecialchars($problem), '</p>';
if (isset($_SESSION['user'])) {
    echo '<p>You are ', htmlspecialchars($_SESSION['user']), '.</p>',
        '<form method="post"><button name="sign_out" value="',
        $_SESSION['token'], '">Sign out</button></form>';
} else {
    # What the module looks for is called openid_identifier. The query comes
    # back with the user; other fields do not.
    echo '<form method="post" action="?token=', $_SESSION['token'], '">',
        '<label>Your OpenID ',
        '<input name="openid_identifier" required></label> ',
        '<button>Sign in</button></form>';
}
