# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Command;

=head1 NAME

OpenID2RP::Command - the command openid2rp, from outside

=head1 SYNOPSIS

    use OpenID2RP::Command;

    my ($code, $out, $err) = openid2rp('normalize', 'example.com');
    prints(['normalize', '=name'], "xri =name\n", 'an XRI');
    # files: "$scratch/NAME"; they go away with the test

Everything is exported always. $COMMAND is the built program.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use OpenID2RP::Process qw(slurp);
use Test::More;

our @EXPORT = qw($COMMAND $scratch openid2rp prints);

our $COMMAND = $ENV{COMMAND} // '';
-x $COMMAND or BAIL_OUT('COMMAND must name the built command');
our $scratch = tempdir(CLEANUP => 1);

# Returns exit code (or 128 + signal), standard output and standard error.
sub openid2rp {
    my (@args) = @_;
    my $pid = fork // die "fork: $!";
    unless ($pid) {
        open STDOUT, '>', "$scratch/out" or die "$scratch/out: $!";
        open STDERR, '>', "$scratch/err" or die "$scratch/err: $!";
        no warnings 'exec';
        exec { $COMMAND } 'openid2rp', @args;
        die "$COMMAND: $!";
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($code, map { slurp("$scratch/$_") } qw(out err));
}

# Exit 0, this on standard output, and nothing else.
sub prints {
    my ($args, $expected, $name) = @_;
    my ($code, $out, $err) = openid2rp(@$args);
    is_deeply([$code, $out, $err], [0, $expected, ''], $name);
    return;
}

1;
