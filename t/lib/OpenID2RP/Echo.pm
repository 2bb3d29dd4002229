# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Echo;

=head1 NAME

OpenID2RP::Echo - backends that say what they were asked

=head1 SYNOPSIS

    use OpenID2RP::Echo;

    my $http = OpenID2RP::Echo->http;       # runs, on a free loopback port
    my $fcgi = OpenID2RP::Echo->fcgi;
    # ProxyPass "/raw" "http://127.0.0.1:@{[ $http->port ]}"
    # ProxyPass "/fcgi" "fcgi://127.0.0.1:@{[ $fcgi->port ]}"
    my $seen = env_of($response);           # of Test.pm
    my $count = $http->asked;               # how often, since the last call

The answer is t/cgi/site.cgi's: a line NAME=value each, with all but letters and
digits as %HH. Of a FastCGI responder these are its parameters, BODY_SIZE and
BODY_MD5; of an HTTP server LINE (the request line), HEAD (all header lines as
they came), BODY_SIZE, BODY_MD5, and FRAMING: "length", "chunked" or "none".
BODY is there too where it is short. A parameter ECHO, or a header X-Echo, has
lines of its own for the head of the answer, separated by "|".

It is an L<OpenID2RP::Process>.

=cut

use v5.14;
use strict;
use warnings;
use parent 'OpenID2RP::Process';
use Carp qw(croak);
use Digest::MD5 ();
use IO::Socket::INET ();
use OpenID2RP::Process qw(wait_for);
use POSIX ();

use constant SHORT => 2000;
use constant PIECE => 65_536;

sub http { $_[0]->begin('http') }
sub fcgi { $_[0]->begin('fcgi') }

sub begin {
    my ($class, $kind) = @_;
    my $self = $class->prepare("echo-$kind");
    $self->{asked} = 0;
    $self->spawn($^X, (map { "-I$_" } grep { !ref } @INC),
                 '-MOpenID2RP::Echo', '-e', 'OpenID2RP::Echo::serve(@ARGV)',
                 $kind, $self->port, $self->dir . '/asked');
    wait_for(sub { !$self->runs || $self->answers });
    croak "echo $kind does not start: " . $self->output unless $self->runs;
    return $self;
}

sub asked {
    my ($self) = @_;
    my $before = $self->{asked};
    $self->{asked} = -s $self->dir . '/asked' || 0;
    return $self->{asked} - $before;
}

# ---------------------------------------------------------------------------
# The process itself: a process of its own for each connection

sub serve {
    my ($kind, $port, $asked) = @_;
    my $parent = getppid;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 50, ReuseAddr => 1) or die "$port: $!";
    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = 'DEFAULT';
    # Whatever became of the test, this ends with it.
    $SIG{ALRM} = sub { getppid == $parent ? alarm 1 : kill KILL => -$$ };
    alarm 1;
    while (1) {
        my $socket = $listener->accept or next;
        next if fork;
        $SIG{ALRM} = 'DEFAULT';
        alarm 100;
        my $buffer = '';
        my $source = sub { sysread $socket, $buffer, PIECE, length $buffer };
        my $seen = $kind eq 'http' ? http_request($socket, \$buffer, $source)
            : fcgi_request(\$buffer, $source);
        if ($seen) {
            open my $out, '>>', $asked;
            syswrite $out, '.';
            answer($kind, $socket, $seen);
        }
        close $socket;
        POSIX::_exit(0);
    }
}

# A body that comes in pieces, of any size.
sub body { return { size => 0, md5 => Digest::MD5->new, text => '' } }

sub add {
    my ($body, $bytes) = @_;
    $body->{size} += length $bytes;
    $body->{md5}->add($bytes);
    $body->{text} .= $bytes if $body->{size} <= SHORT;
}

sub seen {
    my ($body, @pairs) = @_;
    return { @pairs, BODY_SIZE => $body->{size},
             BODY_MD5 => $body->{md5}->hexdigest,
             $body->{size} <= SHORT ? (BODY => $body->{text}) : () };
}

sub answer {
    my ($kind, $socket, $seen) = @_;
    my ($more) = $kind eq 'fcgi' ? $seen->{ECHO}
        : ($seen->{HEAD} // '') =~ /^X-Echo: *([^\r]*)/mi;
    my @lines = ('Content-Type: text/plain',
        defined $more && length $more ? split /\|/, $more
                                      : 'Cache-Control: no-store');
    my $text = "PROTECTED-BODY\n" . join '', map {
        "$_=" . $seen->{$_} =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger
            . "\n" } sort keys %$seen;
    if ($kind eq 'http') {
        print $socket join "\r\n", 'HTTP/1.1 200 OK', @lines,
            'Content-Length: ' . length $text, 'Connection: close', '', $text;
        return;
    }
    my $out = join "\r\n", @lines, '', $text;
    my $record = sub {
        my ($type, $content) = @_;
        return pack 'CCnnCCa*', 1, $type, 1, length $content, 0, 0, $content;
    };
    my $all = '';
    $all .= $record->(6, substr $out, 0, 60_000, '') while length $out;
    print $socket $all, $record->(6, ''), $record->(3, pack 'NCCCC', (0) x 5);
}

# --- HTTP -------------------------------------------------------------------

# Make sure of so many bytes in the buffer; take them out.
sub need {
    my ($buffer, $source, $size) = @_;
    while (length $$buffer < $size) {
        $source->() or return undef;
    }
    return substr $$buffer, 0, $size, '';
}

sub line {
    my ($buffer, $source) = @_;
    my $end;
    while (($end = index $$buffer, "\r\n") < 0) {
        $source->() or return undef;
    }
    my $line = substr $$buffer, 0, $end + 2, '';
    return substr $line, 0, -2;
}

# So many bytes into the body, without holding them all.
sub pass {
    my ($body, $buffer, $source, $size) = @_;
    while ($size > 0) {
        length $$buffer or $source->() or return 0;
        my $bytes = substr $$buffer, 0, $size, '';
        $size -= length $bytes;
        add($body, $bytes);
    }
    return 1;
}

sub http_request {
    my ($socket, $buffer, $source) = @_;
    my ($line, $head, $body) = (line($buffer, $source) // return, '', body());
    while (length(my $next = line($buffer, $source) // return)) {
        $head .= "$next\r\n";
    }
    syswrite $socket, "HTTP/1.1 100 Continue\r\n\r\n"
        if $head =~ /^Expect: *100-continue/mi;
    my $framing = 'none';
    if ($head =~ /^Transfer-Encoding: *chunked/mi) {
        $framing = 'chunked';
        while (my $size = hex(line($buffer, $source) // return)) {
            pass($body, $buffer, $source, $size) or return;
            line($buffer, $source) // return;
        }
    }
    elsif ($head =~ /^Content-Length: *(\d+)/mi) {
        $framing = 'length';
        pass($body, $buffer, $source, $1) or return;
    }
    return seen($body, LINE => $line, HEAD => $head, FRAMING => $framing);
}

# --- FastCGI ----------------------------------------------------------------

use constant { ABORT => 2, PARAMS => 4, STDIN_ => 5 };

# Until standard input ends.
sub fcgi_request {
    my ($buffer, $source) = @_;
    my ($params, $body) = ('', body());
    while (1) {
        my (undef, $type, undef, $size, $padding)
            = unpack 'CCnnC', need($buffer, $source, 8) // return;
        my $content = need($buffer, $source, $size + $padding) // return;
        substr($content, $size) = '';
        return if $type == ABORT;
        $params .= $content if $type == PARAMS;
        last if $type == STDIN_ && !$size;
        add($body, $content) if $type == STDIN_;
    }
    my @pairs;
    while (length $params) {
        my ($name, $value) = map {
            my $size = ord $params;
            $size < 128 ? ord substr $params, 0, 1, ''
                : (unpack 'N', substr $params, 0, 4, '') & 0x7fffffff;
        } 1 .. 2;
        push @pairs, substr($params, 0, $name, ''),
            substr($params, 0, $value, '');
    }
    return seen($body, @pairs);
}

1;
