#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# app.cgi - the application of the demo: it knows nothing of OpenID, and reads
# who the user is from its environment.

use v5.14;
use strict;
use warnings;

my $logout = $ENV{DEMO_LOGOUT} // '/logout';
my ($name) = grep { length } map { $ENV{$_} // '' } qw(
    OPENID2RP_SREG_NICKNAME OPENID2RP_AX_NICKNAME OPENID2RP_SREG_FULLNAME
    OPENID2RP_AX_FIRST OPENID2RP_EMAIL REMOTE_USER);
$name //= 'stranger';

my $rows = join '', map {
    "<tr><th scope=row>" . esc($_) . "</th><td>" . esc($ENV{$_})
        . "</td></tr>\n"
} 'REMOTE_USER', 'AUTH_TYPE', sort grep { /\AOPENID2RP_/ } keys %ENV;

binmode STDOUT;
print "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n",
      "X-Content-Type-Options: nosniff\r\n\r\n", <<"HTML";
<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>The private page</title>
<link rel=stylesheet href=/style.css>
</head>
<body>
<main>
<h1>Hello, <span id=name>@{[ esc($name) ]}</span></h1>
<p>You are signed in with OpenID. This application found the following in its
environment; the OpenID part is all the module's work.</p>
<div class=wide><table>
<caption>What the application knows</caption>
<tr><th scope=col>Variable</th><th scope=col>Value</th></tr>
$rows</table></div>
<p class=row><a class=button href="@{[ esc($logout) ]}">Sign out</a>
<a href="/">Back to the start</a></p>
</main>
</body>
</html>
HTML

# Values are UTF-8 already; what is not text becomes visible.
sub esc {
    my ($text) = @_;
    $text //= '';
    my $copy = $text;
    $text =~ s/[^ -~]/?/g unless utf8::decode($copy);
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
                  '"' => '&quot;', "'" => '&#39;');
    return $text =~ s/([&<>"'])/$entity{$1}/gr =~ s/[\x00-\x1f\x7f]/?/gr;
}
