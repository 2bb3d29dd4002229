#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A program that hands the request on to what its path info names, within
# httpd: an internal redirect.

use strict;
use warnings;

print "Location: $ENV{PATH_INFO}\r\n\r\n";
