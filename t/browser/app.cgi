#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A page for members, in HTML: who is signed in, and where they are.

use strict;
use warnings;

my %char = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
my ($user, $address) = map { s/([&<>"])/$char{$1}/gr }
    $ENV{REMOTE_USER} // 'nobody', $ENV{REQUEST_URI};
# As an application should, and as one should not.
my $cache = $ENV{PATH_INFO} =~ /cached/ ? '' : "Cache-Control: no-store\r\n";
print "Content-Type: text/html; charset=utf-8\r\n$cache\r\n", <<"HTML";
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Members</title></head>
<body>
<h1>Members</h1>
<p>Signed in: <b id="user">$user</b></p>
<p>Address: <code id="address">$address</code></p>
<p><a id="logout" href="/browser/logout">Sign out</a></p>
</body>
</html>
HTML
