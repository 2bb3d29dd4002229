#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The application of the site tests: env.cgi for bodies of any size. It prints
# its environment, BODY_SIZE and BODY_MD5, in the same form.

use strict;
use warnings;
use Digest::MD5 ();

my %out = (%ENV, BODY_SIZE => 0);
my $md5 = Digest::MD5->new;
binmode STDIN;
while (my $size = sysread STDIN, my $bytes, 65_536) {
    $out{BODY_SIZE} += $size;
    $md5->add($bytes);
}
$out{BODY_MD5} = $md5->hexdigest;
# The marker as it is, so that its absence can be seen in any answer.
print "Content-Type: text/plain\r\nCache-Control: no-store\r\n\r\n",
    "PROTECTED-BODY\n";
print "$_=", $out{$_} =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger, "\n"
    for sort keys %out;
