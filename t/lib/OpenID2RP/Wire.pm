# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Wire;

=head1 NAME

OpenID2RP::Wire - one connection, and the bytes that go over it

=head1 SYNOPSIS

    use OpenID2RP::Wire;

    my $wire = OpenID2RP::Wire->new($port);
    my ($one, $two) = $wire->say($bytes_of_two_requests)->hear(2);
    $wire->say($head);                      # Expect: 100-continue
    $wire->wait_for_100 and $wire->say($body);
    my ($three) = $wire->hear(1);
    $wire->shut;

It writes and reads at the same time, so neither side waits for the other. What
hear() returns are responses of L<OpenID2RP::Test>; undef stands for each
that did not come. C<< $wire->interim >> counts the interim ones (100) so far.

=cut

use v5.14;
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Test ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

sub new {
    my ($class, $port, %option) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Timeout => 10) or die "port $port: $!";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    $socket->blocking(0);
    return bless { socket => $socket, in => '', interim => 0,
                   until => time + ($option{seconds} // 25) }, $class;
}

sub interim { $_[0]{interim} }
sub is_closed { $_[0]{eof} }
sub shut { close delete $_[0]{socket} }

# Read what is there; after so many seconds it is said that there is nothing.
sub listen_for {
    my ($self, $seconds) = @_;
    return 0 if $self->{eof};
    IO::Select->new($self->{socket})->can_read($seconds) or return 0;
    my $got = sysread $self->{socket}, $self->{in}, 65_536,
        length $self->{in};
    return 1 if $got || !defined $got && ($! == EAGAIN || $! == EINTR);
    $self->{eof} = 1;
    return 0;
}

# Send bytes, or what a function returns until that is undef.
sub say {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $next = ref $bytes eq 'CODE' ? $bytes : sub { undef };
    my $out = ref $bytes ? $next->() : $bytes;
    my $at = 0;
    my $socket = $self->{socket};
    while (defined $out && time < $self->{until} && !$self->{eof}) {
        my $sent = syswrite $socket, $out, 65_536, $at;
        last if !defined $sent && $! != EAGAIN && $! != EINTR;
        $at += $sent // 0;
        ($out, $at) = ($next->(), 0) if $at >= length $out;
        next if defined $sent;
        my ($read, undef) = IO::Select->select(IO::Select->new($socket),
            IO::Select->new($socket), undef, $self->{until} - time);
        $self->listen_for(0) if $read && @$read;
    }
    return $self;
}

# The bytes of one response at the start of what was read, or undef.
sub one {
    my ($self) = @_;
    my $end = index $self->{in}, "\r\n\r\n";
    return undef if $end < 0;
    my $head = substr $self->{in}, 0, $end + 4;
    my ($status) = $head =~ m{\AHTTP/1\.\d (\d{3})} or return undef;
    my $size = length $head;
    if ($status =~ /\A1|\A(?:204|304)\z/) {
        # has no body
    }
    elsif ($head =~ /^Transfer-Encoding: *chunked/mi) {
        while (1) {
            pos($self->{in}) = $size;
            $self->{in} =~ /\G([0-9A-Fa-f]+)[^\r]*\r\n/gc or return undef;
            my $chunk = hex $1;
            $size = pos($self->{in}) + $chunk + 2;
            return undef if $size > length $self->{in};
            last unless $chunk;
        }
    }
    elsif ($head =~ /^Content-Length: *(\d+)/mi) {
        $size += $1;
        return undef if $size > length $self->{in};
    }
    elsif (!$self->{eof}) {
        return undef;
    }
    else {
        $size = length $self->{in};
    }
    return substr $self->{in}, 0, $size, '';
}

sub hear {
    my ($self, $count) = @_;
    my @responses;
    while (@responses < $count) {
        my $text = $self->one;
        if (!defined $text) {
            my $left = $self->{until} - time;
            last if $self->{eof} || $left <= 0;
            $self->listen_for($left);
            next;
        }
        if ($text =~ m{\AHTTP/1\.\d 1}) {
            $self->{interim}++;
            next;
        }
        push @responses, OpenID2RP::Test::Response->read($text);
    }
    push @responses, undef while @responses < $count;
    return wantarray ? @responses : $responses[0];
}

# Has the server said that it wants the body?
sub wait_for_100 {
    my ($self) = @_;
    while ($self->{in} !~ /\r\n\r\n/ && time < $self->{until}) {
        $self->listen_for($self->{until} - time);
        last if $self->{eof};
    }
    return $self->{in} =~ m{\AHTTP/1\.\d 100};
}

# Wait until the server closes the connection; false when it does not in time.
sub wait_for_end {
    my ($self, $seconds) = @_;
    my $until = time + $seconds;
    while (!$self->{eof} && time < $until) {
        $self->listen_for($until - time);
    }
    return $self->{eof};
}

1;
