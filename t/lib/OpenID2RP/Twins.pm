# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Twins;

=head1 NAME

OpenID2RP::Twins - one site on two ports, with OpenIDIntercept and without

=head1 SYNOPSIS

    use OpenID2RP::Twins;

    my $httpd = twins();                    # an OpenID2RP::Httpd that runs
    my $request = form('POST /cgi?a=b', 'c=d');
    passes('a form', $request);             # the same on both ports
    my ($seen) = views(port_on(), 0, $request);
    my @differences = differences($seen, ...);

The application is the same on both: a CGI program at /cgi, a FastCGI responder
at /fcgi, an HTTP backend at /raw; each says what it was asked. Nothing but
OpenIDIntercept differs, not even the port that the application is told.
Functions are exported always.

=cut

use v5.14;
use strict;
use warnings;
use Cwd qw(getcwd);
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use OpenID2RP::Echo;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(free_port lines_of);
use OpenID2RP::RandomRequest;
use OpenID2RP::Test;
use OpenID2RP::Wire;
use Test::More;

our @EXPORT = qw(twins port_on port_off kinds stall_seconds view differences
    views request form parts part passes);

use constant STALL => 2;        # of a body, by RequestReadTimeout
use constant FORM => 'application/x-www-form-urlencoded';
use constant PARTS => 'multipart/form-data; boundary=xx';

my (%echo, $on, $off);
sub port_on { $on }
sub port_off { $off }
sub kinds { qw(cgi fcgi raw) }
sub stall_seconds { STALL }

# Where the modules are, and which one runs CGI programs with this MPM.
sub loads {
    my $inherited = join '', lines_of('t/inherited.conf');
    my ($dir) = $inherited =~ m{^LoadModule \S+ (/\S+)/mod_alias\.so}m
        or die 'no modules';
    my ($cgi) = $inherited =~ /^LoadModule (cgid?)_module/m;
    return map { "LoadModule ${_}_module $dir/mod_$_.so" } $cgi, @_;
}

sub twins {
    %echo = (raw => OpenID2RP::Echo->http, fcgi => OpenID2RP::Echo->fcgi);
    ($on, $off) = map { free_port() } 1 .. 2;
    my $httpd = OpenID2RP::Httpd->new(
        loads(qw(alias env proxy proxy_http proxy_fcgi reqtimeout)),
        'ScriptAlias "/cgi" "' . getcwd() . '/t/cgi/site.cgi"',
        'ProxyPass "/fcgi" "fcgi://127.0.0.1:' . $echo{fcgi}->port . '/app"',
        'ProxyPass "/raw" "http://127.0.0.1:' . $echo{raw}->port . '/app"',
        # more for who goes on sending
        'RequestReadTimeout header=0 body=' . STALL . ',MinRate=500',
        'MaxKeepAliveRequests 0', 'KeepAliveTimeout 30',
        'OpenIDAssociate never', @_,
        map {
            ("Listen 127.0.0.1:$_->[0]", "<VirtualHost *:$_->[0]>",
             "ServerName http://localhost:$on", "OpenIDIntercept $_->[1]",
             'OpenIDRateLimit off', '</VirtualHost>')
        } [ $on, 'On' ], [ $off, 'Off' ]);
    $httpd->start or die $httpd->says;
    return $httpd;
}

# --- comparing --------------------------------------------------------------

# What the application saw, without what no two requests have in common. How a
# body that came in chunks goes on, in chunks or with a length, depends in httpd
# on how much of it has arrived. And who has been told to continue does not ask
# a backend whether to.
sub view {
    my ($request, $response, $interim) = @_;
    return { status => 'no answer' } if !$response;
    my $seen = env_of($response);
    delete $seen->{REMOTE_PORT};
    if ($request->is_chunked) {
        delete @$seen{qw(CONTENT_LENGTH HTTP_TRANSFER_ENCODING FRAMING)};
        $seen->{HEAD} =~ s/^(?:Transfer-Encoding|Content-Length):[^\n]*\n//gmi
            if defined $seen->{HEAD};
    }
    $seen->{HEAD} =~ s/^Expect:[^\n]*\n//gmi if defined $seen->{HEAD};
    return { %$seen, status => $response->status, interim => $interim };
}

sub differences {
    my ($one, $two) = @_;
    my %names = (%$one, %$two);
    return map { "$_: " . ($one->{$_} // 'undef') . ' / '
                 . ($two->{$_} // 'undef') }
        grep { ($one->{$_} // "\0") ne ($two->{$_} // "\0") }
        sort keys %names;
}

# Several requests over one connection: one after the other, or all at once. If
# httpd did not wait for a body that was announced, it may close it.
sub views {
    my ($port, $pipelined, @requests) = @_;
    $pipelined = 0 if grep { $_->waits } @requests;
    my $wire = OpenID2RP::Wire->new($port);
    if ($pipelined) {
        my @bytes = map { $_->bytes_of } @requests;
        $wire->say(sub { shift @bytes });
        my @responses = $wire->hear(scalar @requests);
        return map { view($requests[$_], $responses[$_], '') }
            0 .. $#requests;
    }
    return map {
        my $before = $wire->interim;
        my $text = $_->bytes_of;
        if ($_->waits) {
            $wire->say($_->head)->wait_for_100;
            $text = $_->body;
        }
        my $response = $wire->say($text)->hear(1);
        view($_, $response, $wire->interim - $before);
    } @requests;
}

# A request of a test: method and target, headers, and a body; in chunks of
# these sizes, over and over, if there are any.
sub request {
    my ($line, $headers, $body, @sizes) = @_;
    my $sent = $body // '';
    if (@sizes) {
        my ($rest, $n) = ($sent, 0);
        $sent = '';
        while (length $rest) {
            my $chunk = substr $rest, 0, $sizes[$n++ % @sizes], '';
            $sent .= sprintf "%x\r\n%s\r\n", length $chunk, $chunk;
        }
        $sent .= "0\r\n\r\n";
    }
    my @all = ('Host: localhost', @$headers, !defined $body ? ()
        : @sizes ? 'Transfer-Encoding: chunked'
        : 'Content-Length: ' . length $body);
    return bless { head => join("\r\n", "$line HTTP/1.1", @all, '', ''),
                   body => $sent, plain => $body // '' },
        'OpenID2RP::RandomRequest';
}

sub form { request($_[0], ['Content-Type: ' . FORM], @_[1 .. $#_]) }
sub parts { request($_[0], ['Content-Type: ' . PARTS], @_[1 .. $#_]) }

sub part {
    my ($name, $value) = @_;
    return "--xx\r\nContent-Disposition: form-data; name=\"$name\"\r\n\r\n"
        . "$value\r\n";
}

# The application sees the same on both ports, and this body.
sub passes {
    my ($name, $request) = @_;
    my ($one, $two) = map { views($_, 0, $request) } $on, $off;
    is $one->{BODY_MD5} // $one->{status}, md5_hex($request->plain),
        "$name: the body arrives";
    is_deeply [ differences($one, $two) ], [], "$name: all else as without us";
}

1;
