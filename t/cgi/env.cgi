#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Prints its environment and the body of the request, a line each:
# NAME=value, with all but letters and digits of the value as %HH.

use strict;
use warnings;

my %out = %ENV;
binmode STDIN;
local $/;
$out{BODY} = <STDIN> // '';
print "Content-Type: text/plain\r\nCache-Control: no-store\r\n\r\n";
print "$_=", $out{$_} =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger, "\n"
    for sort keys %out;
