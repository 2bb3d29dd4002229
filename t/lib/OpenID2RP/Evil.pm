# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Evil;

=head1 NAME

OpenID2RP::Evil - a provider that can lie at every step

=head1 SYNOPSIS

    use OpenID2RP::Evil;
    use OpenID2RP::Test;

    my $op = OpenID2RP::Evil->new;
    my $browser = browser();
    my $begun = begin_login($browser, $app, $op->id('alice'));
    $browser->get($op->assertion($begun));              # honest: signed in

    $op->assertion($begun, claimed_id => $victim);      # a lie, well signed
    $op->assertion($begun, sig => 'xyz');               # a bad signature
    $op->assertion($begun, 'ns.sreg' => $SREG, 'sreg.email' => 'a@b.example',
                   -unsigned => ['sreg.email']);
    $op->lies(associate => expires_in => -1);           # one field of a reply
    $op->answers(associate => { status => 500, body => 'no' });
    $op->serves('/id/alice', { status => 302, headers => ["Location: $x"] });
    $op->is_honest;                                     # as it began
    $op->calls;                 # ('GET /id/alice', 'associate')

It is honest until told otherwise, so what it does by itself is the positive
control of each lie. OpenID 2.0 and 1.1, with Diffie-Hellman, both MACs, and
direct verification. Nobody signs in there: the test itself says what a browser
brings back from it. It can be told new things while it runs, by the process
that made it; as many as a test needs run at the same time.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use Digest::SHA qw(hmac_sha1 hmac_sha256 sha1 sha256);
use File::Path qw(make_path);
use Math::BigInt ();
use MIME::Base64 qw(decode_base64 encode_base64);
use OpenID2RP::Test ();
use Storable qw(retrieve store);
use Time::HiRes qw(sleep);

our $OPENID2 = 'http://specs.openid.net/auth/2.0';
our $SELECT = "$OPENID2/identifier_select";

# 2.0, Appendix B: the modulus of every association here; the generator is 2.
my $P = Math::BigInt->from_hex(join '', qw(
    DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E
    F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557
    7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382
    6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB));
# Small, because Perl counts slowly; that it is no secret is the test's luck.
my $PRIVATE = 65_537;

my %SIZE = ('HMAC-SHA1' => 20, 'HMAC-SHA256' => 32);
my @MANDATORY = qw(op_endpoint claimed_id identity return_to response_nonce
                   assoc_handle);

# ---------------------------------------------------------------------------
# What it is

sub new {
    my ($class) = @_;
    my $self = bless {}, $class;
    $self->{url} = OpenID2RP::Test::web_server(\&serve);
    make_path(state_dir($self->{url}));
    return $self;
}

# Its URL, without a slash at the end.
sub url { $_[0]{url} }
sub endpoint { "$_[0]{url}/endpoint" }

# Claimed identifiers, by XRDS: of OpenID 2.0, of 1.1, and the OP Identifier.
sub id { "$_[0]{url}/id/$_[1]" }
sub id1 { "$_[0]{url}/id1/$_[1]" }
sub op_identifier { "$_[0]{url}/op" }

# What it was asked since the last call: "METHOD /path", or for a direct
# request its mode. And the same in full: first lines and bodies.
sub calls {
    my ($self) = @_;
    return map { /openid\.mode=(\w+)/ ? $1 : /\A(\S+ \S+)/ } $self->log;
}

sub log { OpenID2RP::Test::web_log($_[0]{url}) }

# ---------------------------------------------------------------------------
# Lies

# Change fields of its reply to a mode ("associate", "check_authentication");
# undef drops one. Replaces what was said before for that mode. For "associate"
# besides: -key, the key in place of the one that follows from the handle.
sub lies {
    my ($self, $mode, %field) = @_;
    return $self->remember("lie $mode", \%field);
}

# Answer a mode, or a path, in this way instead (undef: honestly again):
#   status   200
#   headers  a list of lines
#   body     bytes; Content-Length is right
#   raw      bytes in place of all these: nothing is added
#   repeat   [BYTES, N]: behind the body or raw, as often, as long as the other
#            side reads; Content-Length is left out then
#   delay    seconds before the first byte
#   drip     seconds between the bytes
#   hold     seconds to keep the connection open when all is sent
sub answers {
    my ($self, $mode, $answer) = @_;
    return $self->remember("mode $mode", $answer);
}

sub serves {
    my ($self, $path, $answer) = @_;
    return $self->remember("path $path", $answer);
}

sub is_honest {
    my ($self) = @_;
    unlink glob state_dir($self->{url}) . '/*';
    return $self;
}

# An answer that is an XRDS document with these services: each a hash with
# type (or types, a list), uri, local_id, priority, or a string, the XML itself.
sub xrds {
    my ($self, @services) = @_;
    return {
        headers => ['Content-Type: application/xrds+xml'],
        body => xrds_text(@services),
    };
}

sub xrds_text {
    my @services = map { ref $_ ? service($_) : $_ } @_;
    return join "\n", '<?xml version="1.0" encoding="UTF-8"?>',
        '<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"'
        . ' xmlns:openid="http://openid.net/xmlns/1.0"><XRD>',
        @services, '</XRD></xrds:XRDS>', '';
}

sub service {
    my ($is) = @_;
    my @types = @{ $is->{types} // [ $is->{type} // "$OPENID2/signon" ] };
    my $v1 = grep { m{//openid\.net/signon/} } @types;
    my $local = $v1 ? 'openid:Delegate' : 'LocalID';
    return join '', defined $is->{priority}
            ? "<Service priority=\"$is->{priority}\">" : '<Service>',
        map({ '<Type>' . xml($_) . '</Type>' } @types),
        '<URI>', xml($is->{uri}), '</URI>', defined $is->{local_id}
            ? "<$local>" . xml($is->{local_id}) . "</$local>" : '',
        '</Service>';
}

sub xml { $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/"/&quot;/gr }

# ---------------------------------------------------------------------------
# Assertions

# The URL that a browser would bring back: a positive assertion that answers a
# redirect to a provider. By default it is true and well signed, with the
# association of the request or else with a handle for direct verification.
# Then some fields are changed before it is signed; undef drops one. What is
# added is signed too. A "sig" or "signed" that is given stays as it is, and
# what "signed" names is signed. Besides:
#   -unsigned  a list of fields that "signed" leaves out
#   -key       sign with this key
#   -of        sign with the key of this handle
#   -extra     pairs ([name, value], ...) behind all others, not signed
#   -version   1: a response of OpenID 1.1
sub assertion {
    my ($self, $begun, %how) = @_;
    my $to = asked($begun)->{return_to};
    return $to . ($to =~ /\?/ ? '&' : '?')
        . OpenID2RP::Test::query_of($self->pairs($begun, %how));
}

# The same as pairs, in order, for a form: ([name, value], ...).
sub pairs {
    my ($self, $begun, %how) = @_;
    my %field = $self->fields($begun, %how);
    return map({ [ "openid.$_", $field{$_} ] } sort keys %field),
        @{ $how{-extra} // [] };
}

sub fields {
    my ($self, $begun, %how) = @_;
    my $asked = asked($begun);
    my $v1 = ($how{-version} // 2) == 1;
    my %change = map { $_ => $how{$_} } grep { !/\A-/ } keys %how;
    my %field = (mode => 'id_res', identity => $asked->{identity},
        return_to => $asked->{return_to},
        assoc_handle => $asked->{assoc_handle} // new_handle('dumb'),
        $v1 ? () : (ns => $OPENID2, op_endpoint => $self->endpoint,
            claimed_id => $asked->{claimed_id},
            response_nonce => new_nonce()),
        %change);
    my %unsigned = map { $_ => 1 } @{ $how{-unsigned} // [] };
    my %seen;
    $field{signed} = join ',', grep {
        defined $field{$_} && !$unsigned{$_} && !$seen{$_}++
    } $v1 ? qw(identity return_to) : @MANDATORY,
        grep({ !/\A(?:ns|mode|sig|signed)\z/ } sort keys %change)
        unless exists $change{signed};
    delete @field{ grep { !defined $field{$_} } keys %field };
    $field{sig} = signature($how{-key}
            // key_of($how{-of} // $field{assoc_handle} // ''), %field)
        unless exists $change{sig};
    return %field;
}

# What a redirect to a provider says, without "openid.".
sub asked {
    my ($begun) = @_;
    my $to = ref $begun ? $begun->header('Location')
        // croak 'no redirect: ' . $begun->status . ' ' . $begun->body
        : $begun;
    return { map { $_->[0] =~ /\Aopenid\.(.*)\z/s ? ($1, $_->[1]) : () }
             OpenID2RP::Test::pairs_of($to) };
}

my $nonces = 0;

sub new_nonce {
    my ($time) = @_;
    my @t = gmtime($time // time);
    return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ%d.%d.%d',
        $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0], $$, ++$nonces, rand 1e9;
}

# A handle of an association of that type that was never made, or ("dumb") for
# direct verification. The key of each handle follows from its name.
sub new_handle {
    my ($what, $type) = @_;
    return join '-', $what, lc($type // 'HMAC-SHA256') =~ s/hmac-//r,
        sprintf '%08x%08x', rand 2**32, rand 2**32;
}

sub key_of {
    my ($handle) = @_;
    my $size = $SIZE{ type_of($handle) };
    return substr hmac_sha256($handle, 'no secret'), 0, $size;
}

sub type_of { $_[0] =~ /-sha1-/ ? 'HMAC-SHA1' : 'HMAC-SHA256' }

# 2.0, 6.1: the signature of a message, in base64.
sub signature {
    my ($key, %field) = @_;
    my $text = join '', map { "$_:" . ($field{$_} // '') . "\n" }
        split /,/, $field{signed} // '';
    my $mac = length $key == 20 ? hmac_sha1($text, $key)
        : hmac_sha256($text, $key);
    return encode_base64($mac, '');
}

# ---------------------------------------------------------------------------
# The server's side: a process for each request

sub state_dir {
    my ($url) = @_;
    my ($port) = $url =~ /:(\d+)/;
    return OpenID2RP::Test::var('t_logs') . "/evil.$port";
}

sub state_file { state_dir($_[0]) . '/' . unpack 'H*', $_[1] }

sub remember {
    my ($self, $name, $what) = @_;
    my $file = state_file($self->{url}, $name);
    if (!defined $what) {
        unlink $file;
        return $self;
    }
    # In one step: it may be reading.
    store($what, "$file.new");
    rename "$file.new", $file or croak "$file: $!";
    return $self;
}

sub told {
    my ($url, $name) = @_;
    my $file = state_file($url, $name);
    return -e $file ? retrieve($file) : undef;
}

sub serve {
    my ($path, $request, $socket, $url) = @_;
    srand;                      # each process, or they make the same handles
    my ($body) = $request =~ /\r\n\r\n(.*)\z/s;
    my %field = map { $_->[0] =~ /\Aopenid\.(.*)\z/ ? ($1, $_->[1]) : () }
        OpenID2RP::Test::pairs_of('?' . ($body // ''));
    my $mode = $field{mode} // '';
    my $answer = told($url, "path $path") // told($url, "mode $mode")
        // honest($path, $url, \%field);
    send_answer($socket, $answer);
    return;
}

sub honest {
    my ($path, $url, $field) = @_;
    my $endpoint = "$url/endpoint";
    return xrds(undef, { uri => $endpoint }) if $path =~ m{\A/id/};
    return xrds(undef, { uri => $endpoint,
        type => 'http://openid.net/signon/1.1' }) if $path =~ m{\A/id1/};
    return xrds(undef, { uri => $endpoint, type => "$OPENID2/server" })
        if $path eq '/op';
    my %lie = %{ told($url, 'lie ' . ($field->{mode} // '')) // {} };
    my $key = delete $lie{-key};
    my %reply = ($field->{mode} // '') eq 'associate' ? associate($field, $key)
        : ($field->{mode} // '') eq 'check_authentication' ? check($field)
        : return { status => 404, body => "Nothing.\n" };
    $reply{ns} = $OPENID2 if defined $field->{ns};
    @reply{ keys %lie } = values %lie;
    return {
        status => exists $reply{error} ? 400 : 200,
        headers => ['Content-Type: text/plain'],
        body => join '', map { "$_:$reply{$_}\n" }
            grep { defined $reply{$_} } sort keys %reply,
    };
}

# 2.0, 8.2.
sub associate {
    my ($field, $key) = @_;
    my $type = $field->{assoc_type} // 'HMAC-SHA1';
    my $session = $field->{session_type} // '';
    return (error => 'no such type', error_code => 'unsupported-type')
        unless $SIZE{$type};
    my $handle = new_handle('assoc', $type);
    $key //= key_of($handle);
    my %reply = (assoc_handle => $handle, assoc_type => $type,
                 expires_in => 3600);
    return (%reply, session_type => $session, mac_key =>
            encode_base64($key, ''))
        unless $session =~ /\ADH-SHA(1|256)\z/;
    my $public = Math::BigInt->from_bytes(
        decode_base64($field->{dh_consumer_public}));
    my $shared = btwoc($public->bmodpow($PRIVATE, $P));
    my $hash = $1 eq '1' ? sha1($shared) : sha256($shared);
    return (%reply, session_type => $session,
        dh_server_public => encode_base64(
            btwoc(Math::BigInt->new(2)->bmodpow($PRIVATE, $P)), ''),
        enc_mac_key => encode_base64($hash ^ $key, ''));
}

# 2.0, 4.2: two's complement, big-endian, the shortest.
sub btwoc {
    my $bytes = $_[0]->to_bytes;
    return ord $bytes > 127 ? "\0$bytes" : $bytes;
}

# 2.0, 11.4.2.
sub check {
    my ($field) = @_;
    my $good = ($field->{assoc_handle} // '') =~ /\Adumb-/
        && signature(key_of($field->{assoc_handle}),
                     %$field, mode => 'id_res') eq ($field->{sig} // '');
    return (is_valid => $good ? 'true' : 'false');
}

sub send_answer {
    my ($socket, $is) = @_;
    my $body = $is->{body} // '';
    my $text = $is->{raw} // join "\r\n",
        'HTTP/1.1 ' . ($is->{status} // 200) . ' X', @{ $is->{headers} // [] },
        $is->{repeat} ? () : 'Content-Length: ' . length $body,
        'Connection: close', '', $body;
    local $SIG{PIPE} = 'DEFAULT';
    sleep $is->{delay} if $is->{delay};
    if ($is->{drip}) {
        for my $byte (split //, $text) {
            syswrite $socket, $byte or return;
            sleep $is->{drip};
        }
    }
    else {
        write_all($socket, $text) or return;
    }
    my ($piece, $count) = @{ $is->{repeat} // [ '', 0 ] };
    for (1 .. $count) {
        write_all($socket, $piece) or return;
        sleep $is->{drip} if $is->{drip};
    }
    sleep $is->{hold} if $is->{hold};
}

sub write_all {
    my ($socket, $text) = @_;
    my $at = 0;
    while ($at < length $text) {
        my $n = syswrite $socket, $text, length($text) - $at, $at;
        return 0 unless $n;
        $at += $n;
    }
    return 1;
}

1;
