# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Process;

=head1 NAME

OpenID2RP::Process - a program that a test runs, and that ends with the test

=head1 SYNOPSIS

    package OpenID2RP::Something;
    use parent 'OpenID2RP::Process';

    my $self = $class->prepare('something');    # ->dir exists now
    $self->spawn('program', '--port', $self->port);
    $self->runs;                            # true until it ends
    $self->stop;                            # TERM, and wait
    $self->crash;                           # KILL, it and its children
    $self->pause; $self->resume;            # STOP, CONT

What L<OpenID2RP::Httpd> and L<OpenID2RP::Server> have in common. Every program
leads a process group of its own, has a folder of its own, which goes away with
the test, and writes what it says to the file "output" there. Only the process
that made the object ends it.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(free_port lines_of slurp wait_for write_file);

use constant SECONDS => 20;     # for a program to start, restart or stop

# t/run ends what takes too long by TERM. Then END must run.
$SIG{$_} ||= sub { exit 1 } for qw(HUP INT TERM);

# ---------------------------------------------------------------------------
# Small things

# Below the ports that connections get by themselves: whoever asks a port there
# again and again, while nobody listens, can in the end get himself.
sub free_port {
    for (1 .. 200) {
        my $port = 10_000 + int rand 9_000;
        return $port if IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
            LocalAddr => '127.0.0.1', LocalPort => $port);
    }
    croak 'no free port';
}

# True as soon as the condition is; false when it has not become so in time.
sub wait_for {
    my ($condition, $seconds) = @_;
    my $until = time + ($seconds // SECONDS);
    while (1) {
        return 1 if $condition->();
        return 0 if time > $until;
        sleep 0.05;
    }
}

sub lines_of {
    my ($file) = @_;
    open my $in, '<', $file or return;
    return <$in>;
}

# All of a file that must be there.
sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or croak "$file: $!";
    local $/;
    return scalar <$in>;
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or croak "$file: $!";
    print $out $text;
    close $out or croak "$file: $!";
}

# ---------------------------------------------------------------------------
# A process

my @all;                        # every object that still is; weak

# An object with a folder and a free port, which runs nothing yet.
sub prepare {
    my ($class, $name) = @_;
    my $self = bless {
        name => $name, owner => $$, port => free_port(),
        dir => tempdir("$name.XXXXXX", TMPDIR => 1, CLEANUP => 1),
    }, $class;
    push @all, $self;
    weaken $all[-1];
    return $self;
}

sub dir { $_[0]{dir} }
sub port { $_[0]{port} }
sub pid { $_[0]{pid} }

# What it has said on its standard output and error.
sub output { join '', lines_of("$_[0]{dir}/output") }

# Run a program as this process.
sub spawn {
    my ($self, @command) = @_;
    croak "$self->{name} runs already" if $self->runs;
    my $pid = fork // croak "fork: $!";
    if (!$pid) {
        setpgrp;
        # Not to keep what reads the output of the test waiting.
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        { no warnings 'exec'; exec { $command[0] } @command }
        print "$command[0]: $!\n";
        POSIX::_exit(127);
    }
    $self->{pid} = $pid;
}

sub runs {
    my ($self) = @_;
    return 0 unless $self->{pid};
    return 1 if waitpid($self->{pid}, WNOHANG) == 0;
    undef $self->{pid};
    return 0;
}

# Does anybody listen at its port?
sub answers {
    my ($self) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 1,
                                 PeerPort => $self->{port}) ? 1 : 0;
}

# End it, and wait. False where it had to be killed.
sub stop {
    my ($self) = @_;
    my $pid = $self->runs ? $self->{pid} : return 1;
    kill TERM => $pid;
    $self->resume;              # or it would never see that
    my $gone = wait_for(sub { !$self->runs });
    kill KILL => -$pid;
    waitpid $pid, 0 unless $gone;
    undef $self->{pid};
    return $gone;
}

# End it and all its children at once, as a power cut would.
sub crash {
    my ($self) = @_;
    my $pid = $self->runs ? $self->{pid} : return;
    kill KILL => -$pid;
    waitpid $pid, 0;
    undef $self->{pid};
}

# It stays, and so do its connections, but it does nothing.
sub pause {
    my ($self) = @_;
    my $pid = $self->{pid} or return;
    kill STOP => -$pid;
    # Its threads stop one after the other, a moment later.
    wait_for(sub {
        !grep { join('', lines_of($_)) !~ /\) [TZ] / }
            glob "/proc/$pid/task/*/stat"
    });
}

sub resume { kill CONT => -$_[0]{pid} if $_[0]{pid} }

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    $self->crash if $self->{owner} == $$;
}

END {
    local ($?, $!, $@);
    for my $self (grep { defined } @all) {
        $self->crash if $self->{owner} == $$;
    }
}

1;
