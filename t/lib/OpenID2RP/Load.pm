# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Load;

=head1 NAME

OpenID2RP::Load - processes that ask a server over and over

=head1 SYNOPSIS

    use OpenID2RP::Load;

    my $load = OpenID2RP::Load->start(
        map { my $browser = $_; sub {
            my ($ask) = @_;
            $ask->(page => sub { $browser->get($url) });
        } } @browsers);
    ...                                     # pull out a plug
    $load->since;                           # seconds that it has been running
    for my $seen ($load->stop) {            # in the order of time
        $seen->{what};                      # "page"
        $seen->{status};                    # 200; 0 where there was no answer
        $seen->{at}; $seen->{took};         # seconds, like since()
        $seen->{error};                     # where there was no answer, why
    }

Each function is called in a process of its own, again and again. What goes
through $ask is written down; $ask returns the response, or undef.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant PAUSE => 0.02;     # seconds between two calls
use constant SECONDS => 60;     # for the last calls to come to an end

sub start {
    my ($class, @functions) = @_;
    my $self = bless { began => time, owner => $$, pids => [],
                       dir => tempdir(CLEANUP => 1) }, $class;
    for my $n (0 .. $#functions) {
        my $pid = fork // croak "fork: $!";
        push @{ $self->{pids} }, $pid if $pid;
        next if $pid;
        eval { $self->run($n, $functions[$n]); 1 } or print STDERR "# $@";
        POSIX::_exit(0);
    }
    return $self;
}

sub since { time - $_[0]{began} }

sub run {
    my ($self, $n, $function) = @_;
    open my $out, '>', "$self->{dir}/$n" or die "$self->{dir}/$n: $!\n";
    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
    alarm 110;
    srand;                      # or all would take the same nonces
    my $ask = sub {
        my ($what, $request) = @_;
        my $at = $self->since;
        my $response = eval { $request->() };
        my $error = $response ? '' : $@ =~ s/\s+/ /gr;
        syswrite $out, join("\t", $what, $response ? $response->status : 0,
                            $at, $self->since - $at, $error) . "\n";
        return $response;
    };
    until (-e "$self->{dir}/stop") {
        $function->($ask);
        sleep PAUSE;
    }
}

# End it; all that was seen.
sub stop {
    my ($self) = @_;
    open my $out, '>', "$self->{dir}/stop" or croak "$self->{dir}/stop: $!";
    my $until = time + SECONDS;
    while (my $pid = shift @{ $self->{pids} }) {
        until (waitpid $pid, POSIX::WNOHANG) {
            sleep 0.05;
            next if time < $until;
            unshift @{ $self->{pids} }, $pid;
            $self->end;
            croak 'the load does not come to an end';
        }
    }
    return sort { $a->{at} <=> $b->{at} } map {
        open my $in, '<', $_ or croak "$_: $!";
        map { chomp; my %seen;
              @seen{qw(what status at took error)} = split /\t/, $_, 5;
              \%seen } <$in>;
    } glob "$self->{dir}/[0-9]*";
}

sub end {
    my ($self) = @_;
    return unless $self->{owner} == $$;
    while (my $pid = shift @{ $self->{pids} }) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    $self->end;
}

1;
