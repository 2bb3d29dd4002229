# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Server;

=head1 NAME

OpenID2RP::Server - a redis-server or memcached of a test's own

=head1 SYNOPSIS

    use OpenID2RP::Server;

    my $redis = OpenID2RP::Server->redis;   # runs, on a free loopback port
    my $place = $redis->place;              # redis://127.0.0.1:12345
    my $long = $redis->place('timeout=2s'); # the same, and ?timeout=2s
    my @keys = $redis->cli('KEYS', '*');
    $redis->crash; $redis->start;           # empty now, on the same port
    $redis->pause; $redis->resume;

    my $lasting = OpenID2RP::Server->redis(keep => 1);
    my $closed = OpenID2RP::Server->redis(password => 'secret');
    my $near = OpenID2RP::Server->redis(socket => 1);
    my $cache = OpenID2RP::Server->memcached;

With C<keep>, redis has its data again after a crash; without, it keeps nothing.
It is an L<OpenID2RP::Process>: see there for stop, crash, pause, resume, dir
and port. A program that is not installed is the end of the test.

=cut

use v5.14;
use strict;
use warnings;
use parent 'OpenID2RP::Process';
use Carp qw(croak);
use OpenID2RP::Process qw(wait_for);
use POSIX ();

sub redis {
    my ($class, %option) = @_;
    my $self = $class->prepare('redis');
    my $socket = $option{socket} ? "$self->{dir}/socket" : undef;
    # What is not said is as redis has it without a configuration file.
    my @command = (program('redis-server'), '--dir', $self->{dir},
        '--save', '', '--appendonly', $option{keep} ? 'yes' : 'no',
        $socket ? ('--port', 0, '--unixsocket', $socket)
                : ('--bind', '127.0.0.1', '--port', $self->{port}),
        defined $option{password} ? ('--requirepass', $option{password})
                                  : ());
    @$self{qw(socket password command)}
        = ($socket, $option{password}, \@command);
    $self->{place} = $socket ? "redis://$socket"
        : "redis://127.0.0.1:$self->{port}";
    $self->{ready} = sub { ($_[0]->cli('PING') // '') eq 'PONG' };
    return $self->start;
}

sub memcached {
    my ($class) = @_;
    my $self = $class->prepare('memcached');
    $self->{command} = [ program('memcached'), '-l', '127.0.0.1',
        '-p', $self->{port}, '-U', 0, '-t', 2,
        $> == 0 ? ('-u', 'nobody') : () ];
    $self->{place} = "memcache://127.0.0.1:$self->{port}";
    $self->{ready} = sub { $_[0]->answers };
    return $self->start;
}

sub program {
    my ($name) = @_;
    for my $dir (split(/:/, $ENV{PATH} // ''), qw(/usr/bin /usr/sbin)) {
        return "$dir/$name" if -x "$dir/$name";
    }
    croak "$name is not installed: see conf/install-packages";
}

# What OpenIDStore and --store are told, with options.
sub place {
    my ($self, @options) = @_;
    return join '?', $self->{place}, @options ? join('&', @options) : ();
}

# Also again after stop() or crash().
sub start {
    my ($self) = @_;
    $self->spawn(@{ $self->{command} });
    wait_for(sub { !$self->runs || $self->{ready}->($self) });
    croak "$self->{command}[0] does not start: " . $self->output
        unless $self->runs && $self->{ready}->($self);
    return $self;
}

# Ask redis: the lines of its answer; nothing where there is none.
sub cli {
    my ($self, @words) = @_;
    my @command = ('timeout', 10, program('redis-cli'), '--raw',
        $self->{socket} ? ('-s', $self->{socket})
                        : ('-h', '127.0.0.1', '-p', $self->{port}), @words);
    my $child = open(my $out, '-|') // croak "fork: $!";
    if (!$child) {
        open STDERR, '>>', "$self->{dir}/output";
        $ENV{REDISCLI_AUTH} = $self->{password} if defined $self->{password};
        exec @command or POSIX::_exit(127);
    }
    chomp(my @lines = <$out>);
    close $out;
    return wantarray ? @lines : $lines[0];
}

1;
