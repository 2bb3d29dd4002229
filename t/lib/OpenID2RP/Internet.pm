# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Internet;

=head1 NAME

OpenID2RP::Internet - providers under their real names, on this machine

=head1 SYNOPSIS

    use OpenID2RP::Evil;
    use OpenID2RP::Internet;

    my $op = OpenID2RP::Evil->new;
    my $net = OpenID2RP::Internet->new($op, 'op.example', 'users.example');
    $op->serves('/openid', $op->xrds(...));     # of each of these hosts
    OpenID2RP::Httpd->new($net->lines, ...);    # sees https://op.example/openid

For the httpd of a test, the only way out is a forward proxy. That connects it,
whatever host and port it asks for, to a TLS server on loopback, which hands
every request to the provider of the test. Its certificate names these hosts and
no others, and is the only one that httpd trusts.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Evil ();
use OpenID2RP::Httpd;
use OpenID2RP::Recipe ();
use OpenID2RP::Test ();

sub new {
    my ($class, $op, @hosts) = @_;
    my $tls = OpenID2RP::Httpd->new;
    my $cert = $tls->dir . '/cert.pem';
    make_certificate($tls->dir, @hosts);
    $tls->configure(
        OpenID2RP::Recipe::load_lines(qw(ssl proxy proxy_http)),
        # It has the module as well, which would answer for "/" itself.
        'OpenIDPublishXRDS Off',
        'SSLEngine on', "SSLCertificateFile $cert",
        'SSLCertificateKeyFile ' . $tls->dir . '/key.pem',
        'ProxyPass "/" "' . $op->url . '/"');
    $tls->start or croak 'the TLS server does not start: ' . $tls->says;
    my $port = $tls->port;
    return bless {
        tls => $tls, cert => $cert,
        proxy => OpenID2RP::Test::web_server(sub { connect_to($port, @_) }),
    }, $class;
}

# What an httpd needs in its configuration to see these hosts.
sub lines {
    my ($self) = @_;
    return ("OpenIDFetchProxy $self->{proxy}",
            "OpenIDFetchCAFile $self->{cert}");
}

# Whom the proxy was asked to connect to since the last call: "host:port".
sub calls {
    my ($self) = @_;
    return map { /\A\w+ (\S+)/ } OpenID2RP::Test::web_log($self->{proxy});
}

sub make_certificate {
    my ($dir, @hosts) = @_;
    my $names = join ',', map { "DNS:$_" } @hosts;
    open my $out, '-|', 'openssl', qw(req -x509 -nodes -days 2 -newkey ec
        -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=test -addext),
        "subjectAltName=$names", '-keyout', "$dir/key.pem", '-out',
        "$dir/cert.pem" or croak "openssl: $!";
    my @said = <$out>;
    close $out or croak "openssl: @said";
}

# A process of its own, for one connection.
sub connect_to {
    my ($port, $path, $request, $socket) = @_;
    return [ 400, 'Content-Type: text/plain' ], "TLS only.\n"
        unless $request =~ /\ACONNECT /;
    my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) or return;
    syswrite $socket, "HTTP/1.1 200 Connected\r\n\r\n";
    my %other = ($socket => $server, $server => $socket);
    my $both = IO::Select->new($socket, $server);
    while (1) {
        for my $side ($both->can_read) {
            sysread $side, my $bytes, 65_536 or return;
            OpenID2RP::Evil::write_all($other{$side}, $bytes) or return;
        }
    }
}

1;
