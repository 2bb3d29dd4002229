#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The command openid2rp, from outside, against a small server of its own on
# loopback that is a web site, a provider and a resolver of XRIs. It needs no
# httpd; the core modules of Perl are enough. Stores are a dbm in a folder of
# its own and a redis-server that the test starts.
#
# Any MPM will do.

use strict;
use warnings;
use Digest::SHA qw(sha1 sha256);
use IO::Socket::INET;
use JSON::PP ();
use Math::BigInt;
use MIME::Base64 qw(decode_base64 encode_base64);
use OpenID2RP::Command;
use OpenID2RP::Process qw(slurp);
use OpenID2RP::Server;
use Test::More;

my $SERVER_20 = 'http://specs.openid.net/auth/2.0/server';
my $SIGNON_20 = 'http://specs.openid.net/auth/2.0/signon';
my $SIGNON_11 = 'http://openid.net/signon/1.1';
my $AX = 'http://openid.net/srv/ax/1.0';
my @LOOPBACK = ('--allow', '127.0.0.0/8');

# The keys that the provider gives away; nobody should ever read them.
my %KEY = (SHA1 => 'secret-of-20-bytes!!',
           SHA256 => 'secret-of-the-32-bytes-length-!!');

# The default modulus (OpenID Authentication 2.0, Appendix B); g is 2.
my $P = Math::BigInt->new('0x' . join '', qw(
    DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E
    F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557
    7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382
    6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB));

# ----------------------------------------------------------------------------
# The server

my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1')
    or BAIL_OUT("no port on loopback: $!");
my $SITE = 'http://127.0.0.1:' . $listener->sockport;
my $parent = $$;
my $server = fork // BAIL_OUT("fork: $!");
unless ($server) {
    # Ends with the test, even where that is killed.
    $SIG{ALRM} = sub { exit 0 if getppid != $parent; alarm 1 };
    $SIG{PIPE} = 'IGNORE';
    alarm 1;
    while (1) {
        my $client = $listener->accept or next;
        serve($client);
        close $client;
    }
}
close $listener;

END {
    if ($server && $$ == $parent) {
        my $status = $?;
        kill 'KILL', $server;
        waitpid $server, 0;
        $? = $status;
    }
}

sub serve {
    my ($client) = @_;
    my $head = '';
    while (my $line = readline $client) {
        last if $line =~ /\A\r?\n\z/;
        $head .= $line;
    }
    my ($method, $url) = $head =~ m{\A(GET|POST) (\S+) HTTP/} or return;
    my $body = '';
    read $client, $body, $1 if $head =~ /^Content-Length: *(\d+)/im;
    my ($status, $type, $text, @headers) = answer($method, $url, $body);
    print {$client} "HTTP/1.1 $status -\r\nContent-Type: $type\r\n",
        "Content-Length: ", length $text, "\r\nConnection: close\r\n",
        (map { "$_\r\n" } @headers), "\r\n$text";
    return;
}

sub answer {
    my ($method, $url, $body) = @_;
    return resolver($1, "$2") if $url =~ m{\A/xri/([\w-]+)(/.*)};
    my ($path) = $url =~ m{\A(/[^?]*)};
    return $method eq 'POST' ? provider($path, form($body)) : page($path);
}

# A proxy resolver (XRI Resolution 2.0, 11) of =name; the folder in its URL is
# what its answer is like.
sub resolver {
    my ($answer, $asked) = @_;
    return (500, 'text/plain', "asked $asked")
        if $asked ne '/=name?_xrd_r=application/xrds%2Bxml;sep=false';
    my $good = '<Query>*name</Query><Status code="100" cid="verified"/>'
        . '<ProviderID>xri://=</ProviderID><CanonicalID>=!1</CanonicalID>';
    my $services = service(2, [$SIGNON_11], "$SITE/old")
        . service(1, [$SIGNON_20], "$SITE/op", "$SITE/me");
    my $xrd = "$good$services";
    my $unverified = $xrd =~ s/ cid="verified"//r;
    my %xrds = (
        'good' => $xrd,
        'no-cid' => $unverified,
        'cid-failed' => $xrd =~ s/verified/failed/r,
        'cid-off' => $xrd =~ s/verified/off/r,
        'code-222' => $xrd =~ s/"100"/"222"/r,
        'no-canonical-id' => $xrd =~ s{<CanonicalID>.*</CanonicalID>}{}r,
        'no-provider-id' => $xrd =~ s{<ProviderID>.*</ProviderID>}{}r,
        'no-service' => $good,
        'chain' => $xrd =~ s/!1/!0/r . "</XRD><XRD>$xrd",
        'own-child' => $unverified =~ s/=!1/=/r . "</XRD><XRD>$unverified",
        'other-child' => $unverified =~ s/!1/!2/r . "</XRD><XRD>$unverified",
        'hostile' => $xrd =~ s/!1/!1&#x9b;31m/r,
        'two-lines' => $xrd =~ s/!1/!1&#10;kind: uri/r,
        'other-root' => $xrd =~ s/=!1/\@!1/r,
        'url' => $xrd =~ s{=!1}{https://example.com/}r,
    );
    return (404, 'application/xrds+xml', xrds($xrd)) if $answer eq '404';
    return (200, 'application/xrds+xml', xrds($xrd) =~ s{</XRD>}{}r)
        if $answer eq 'not-xml';
    return (200, 'application/xrds+xml', xrds($xrds{$answer}));
}

sub page {
    my ($path) = @_;
    my %xrds = (
        '/op-identifier' => [service(0, [$SERVER_20, $AX], "$SITE/op")],
        # the document has them in none of the right orders
        '/many' => [
            service(1, [$SIGNON_11], "$SITE/old", "$SITE/old-me"),
            service(undef, [$SIGNON_20], "$SITE/last"),
            service(20, [$SIGNON_20], "$SITE/second"),
            service(0, ['http://example.com/other'], "$SITE/other"),
            service(10, [$SIGNON_20, $AX], "$SITE/first", "$SITE/me"),
        ],
        '/empty' => [],
        '/hostile' => [
            service(0, [$SIGNON_20, 'http://t/&#x9b;31m'], "$SITE/op",
                    '&quot;me&#10;endpoint: http://x/&#127;\\'),
        ],
    );
    return (200, 'application/xrds+xml', xrds(@{ $xrds{$path} }))
        if $xrds{$path};
    return (302, 'text/plain', '', "Location: $SITE/many")
        if $path eq '/moved';
    return (200, 'text/html', '<html><head><title>-</title>'
            . "<link rel='openid2.provider openid.server' href='$SITE/op'>"
            . "<link rel='openid2.local_id' href='$SITE/me'></head></html>")
        if $path eq '/html';
    return (200, 'text/html', "<html><head><meta http-equiv='X-XRDS-Location'"
            . " content='$SITE/many'></head></html>") if $path eq '/yadis';
    return (200, 'text/html', '<html><head></head><p>Hello.</html>')
        if $path eq '/plain';
    return (404, 'text/html', '<html><p>Nothing.</html>');
}

sub xrds {
    return join '', '<?xml version="1.0"?><xrds:XRDS xmlns:xrds="xri://$xrds"'
        . ' xmlns="xri://$xrd*($v*2.0)"><XRD>', @_, '</XRD></xrds:XRDS>';
}

sub service {
    my ($priority, $types, $endpoint, $local_id) = @_;
    return join '', '<Service',
        defined $priority ? " priority='$priority'>" : '>',
        (map { "<Type>$_</Type>" } @$types), "<URI>$endpoint</URI>",
        defined $local_id ? "<LocalID>$local_id</LocalID>" : '', '</Service>';
}

sub form {
    my ($body) = @_;
    my %form;
    for (split /&/, $body) {
        my ($name, $value) = map { s/\+/ /gr =~ s/%(..)/chr hex $1/ger }
            split /=/, $_, 2;
        $form{$name} = $value;
    }
    return \%form;
}

# A provider that associates (8.2); its path is its character.
sub provider {
    my ($path, $form) = @_;
    my $type = $form->{'openid.assoc_type'} // '';
    my $session = $form->{'openid.session_type'} // '';
    return kv(400, error => 'unsupported', error_code => 'unsupported-type')
        if $path eq '/op/none';
    return kv(400, error => 'unsupported', error_code => 'unsupported-type',
              assoc_type => 'HMAC-SHA1', session_type => 'DH-SHA1')
        if $path eq '/op/sha1' && $type ne 'HMAC-SHA1';
    return (500, 'text/plain', 'oops') if $path eq '/op/broken';
    my $handle = $path eq '/op/hostile' ? "h\e[31m" : "{$type}{1}\"\\";
    my $expires = $path eq '/op/dead' ? 0 : 3600;
    return kv(200, ns => 'http://specs.openid.net/auth/2.0',
              assoc_handle => $handle, assoc_type => $type,
              session_type => $session, expires_in => $expires,
              masked_key($session, $form->{'openid.dh_consumer_public'}));
}

# 8.2.3
sub masked_key {
    my ($session, $public) = @_;
    my ($hash) = $session =~ /\ADH-(SHA1|SHA256)\z/ or return;
    my $digest = $hash eq 'SHA1' ? \&sha1 : \&sha256;
    my $x = Math::BigInt->new(int rand(1 << 30) + 2);
    my $theirs = Math::BigInt->from_hex(unpack 'H*', decode_base64 $public);
    my $shared = $theirs->bmodpow($x, $P);
    my $ours = Math::BigInt->new(2)->bmodpow($x, $P);
    return (dh_server_public => encode_base64(btwoc($ours), ''),
            enc_mac_key => encode_base64($digest->(btwoc($shared))
                                         ^ $KEY{$hash}, ''));
}

sub btwoc {
    my $hex = $_[0]->to_hex;
    $hex = "0$hex" if length($hex) % 2;
    $hex = "00$hex" if $hex =~ /\A[89a-f]/i;
    return pack 'H*', $hex;
}

sub kv {
    my ($status, @pairs) = @_;
    my $text = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $text .= "$name:$value\n";
    }
    return ($status, 'text/plain', $text);
}

# ----------------------------------------------------------------------------
# Calling the command

sub prints_json {
    my ($args, $expected, $name) = @_;
    my ($code, $out, $err) = openid2rp(@$args);
    my $data = eval { JSON::PP->new->utf8->decode($out) };
    is_deeply([$code, $data, $err], [0, $expected, ''], $name)
        or diag($out, $err);
    return;
}

# Exit 1, nothing but one line that says why.
sub refuses {
    my ($args, $like, $name) = @_;
    my ($code, $out, $err) = openid2rp(@$args);
    ok($code == 1 && $out eq '' && $err =~ /\Aopenid2rp: [^\n]*$like[^\n]*\n\z/,
       $name) or diag("exit $code\n$out$err");
    return;
}

# Exit 2, one line that says what is wrong, and the usage.
sub wrong_call {
    my ($args, $like, $name) = @_;
    my ($code, $out, $err) = openid2rp(@$args);
    ok($code == 2 && $out eq ''
       && $err =~ /\Aopenid2rp: [^\n]*$like[^\n]*\nusage: openid2rp /,
       $name) or diag("exit $code\n$out$err");
    return;
}

# ----------------------------------------------------------------------------
# normalize

for (['example.com', 'uri http://example.com/'],
     ['https://example.com', 'uri https://example.com/'],
     [' HTTPS://EXAMPLE.com:443/a/../%7eb?#x ', 'uri https://example.com/~b?'],
     ['example.com:8080/me', 'uri http://example.com:8080/me'],
     ['http://example.com/%E2%82%AC', 'uri http://example.com/%E2%82%AC'],
     ['xri://=name', 'xri =name'],
     ['=name*home', 'xri =name*home'],
     ['@free', 'xri @free']) {
    my ($typed, $expected) = @$_;
    prints(['normalize', $typed], "$expected\n", "normalize $typed");
}
prints_json(['normalize', '--json', 'https://example.com'],
            { kind => 'uri', identifier => 'https://example.com/' },
            'normalize --json, a URL');
prints_json(['normalize', '--json', 'xri://=name'],
            { kind => 'xri', identifier => '=name' },
            'normalize --json, an XRI');
prints_json(['normalize', '--json', '=a"b\\c'],
            { kind => 'xri', identifier => '=a"b\\c' },
            'normalize --json, quotes and backslashes');
prints_json(['normalize', 'example.com', '--json'],
            { kind => 'uri', identifier => 'http://example.com/' },
            'an option may stand behind the operand');
prints(['normalize', "=a\xC2\x9B31m"], "xri =a\\u009b31m\n",
       'a control character above 0x7F is escaped');
prints_json(['normalize', '--json', "=a\xC2\x9B31m"],
            { kind => 'xri', identifier => "=a\x{9B}31m" },
            'and in JSON it stays the same');
my (undef, $raw) = openid2rp('normalize', '--json', "=a\xC2\x9B31m");
unlike($raw, qr/[^\x20-\x7E\n]/, 'but is escaped there as well');
prints(['normalize', "=\xC3\xA9"], "xri =\xC3\xA9\n",
       'a letter is not');

# Hosts in other scripts, as UTF-8, and addresses of IPv6
for (["http://b\xC3\xBCcher.example/", 'http://xn--bcher-kva.example/'],
     ["b\xC3\xBCcher.example", 'http://xn--bcher-kva.example/'],
     ["HTTPS://B\xC3\x9CCHER.Example:8080/\xC3\x9C?\xC3\xBC",
      'https://xn--bcher-kva.example:8080/%C3%9C?%C3%BC'],
     ["http://bu\xCC\x88cher.example/", 'http://xn--bcher-kva.example/'],
     ["http://b\xC3\xBCcher\xE3\x80\x82example/",
      'http://xn--bcher-kva.example/'],
     ["http://stra\xC3\x9Fe.example/", 'http://xn--strae-oqa.example/'],
     ['http://XN--BCHER-KVA.example/', 'http://xn--bcher-kva.example/'],
     ['http://[0::1]/', 'http://[::1]/'],
     ['http://[2001:0DB8:0:0::A]:80/', 'http://[2001:db8::a]/']) {
    my ($typed, $expected) = @$_;
    prints(['normalize', $typed], "uri $expected\n", "normalize $typed");
}
for (['a direction override', "http://b\xE2\x80\xAEd.example/"],
     ['a hyphen at the start', "http://-b\xC3\xBCcher.example/"],
     ['what looks converted', "http://xn--b\xC3\xBCcher.example/"],
     ['a label of 80 letters', 'http://' . "\xC3\xBC" x 80 . '.example/'],
     ['a full-width slash', "http://b\xC3\xBCcher\xEF\xBC\x8Fme.example/"],
     ['a full-width colon', "http://b\xC3\xBCcher.example\xEF\xBC\x9A80/"],
     ['nothing but a soft hyphen', "http://\xC2\xAD/"],
     ['escapes', 'http://b%C3%BCcher.example/'],
     ['an open bracket', 'http://[::1/'],
     ['no address in brackets', 'http://[1::2::3]/'],
     ['a zone', 'http://[fe80::1%25eth0]/']) {
    my ($what, $typed) = @$_;
    refuses(['normalize', $typed], 'bad-identifier: .*host name',
            "normalize refuses a host with $what");
}

for (['ftp://example.com/', 'http'],
     ['mailto:me@example.com', 'http'],
     ['http://me:secret@example.com/', 'user name'],
     ['http:///path', 'no host'],
     ["example.com/\x01", 'characters'],
     ["example.com/\xFF", 'characters'],
     ['http://example.com/%zz', '"%"'],
     ['', 'enter'],
     ['xri://name', 'i-name'],
     ['x' x 5000, 'long']) {
    my ($typed, $like) = @$_;
    (my $shown = substr $typed, 0, 40) =~ s/[^ -~]/?/g;
    refuses(['normalize', $typed], $like, "normalize refuses '$shown'");
}
refuses(['normalize', '--json', 'ftp://x/'], 'bad-identifier: ',
        'the reason begins with its code, also with --json');

# ----------------------------------------------------------------------------
# discover

my %second = (types => [$SIGNON_20], local_id => undef);
my %many = (
    claimed_id => "$SITE/many",
    kind => 'uri',
    services => [
        { types => [$SIGNON_20, $AX], endpoint => "$SITE/first",
          local_id => "$SITE/me" },
        { %second, endpoint => "$SITE/second" },
        { %second, endpoint => "$SITE/last" },
        { types => [$SIGNON_11], endpoint => "$SITE/old",
          local_id => "$SITE/old-me" },
    ],
);
prints_json(['discover', @LOOPBACK, '--json', "$SITE/many"], \%many,
            'discover: XRDS, in the order of use');
prints_json(['discover', @LOOPBACK, '--json', "$SITE/moved"], \%many,
            'discover: the claimed identifier is where redirects lead');
prints_json(['discover', @LOOPBACK, '--json', "$SITE/yadis"],
            { %many, claimed_id => "$SITE/yadis" },
            'discover: a page that names its XRDS');
prints_json(['discover', @LOOPBACK, '--json', "$SITE/op-identifier#x"],
            { claimed_id => "$SITE/op-identifier", kind => 'uri',
              services => [{ types => [$SERVER_20, $AX],
                             endpoint => "$SITE/op", local_id => undef }] },
            'discover: an OP Identifier');
prints_json(['discover', @LOOPBACK, '--json', "$SITE/html"],
            { claimed_id => "$SITE/html", kind => 'uri',
              services => [{ types => [$SIGNON_20], endpoint => "$SITE/op",
                             local_id => "$SITE/me" },
                           { types => [$SIGNON_11], endpoint => "$SITE/op",
                             local_id => undef }] },
            'discover: HTML, 2.0 before 1.1');
prints(['discover', @LOOPBACK, "$SITE/html"], <<"TEXT", 'discover: as text');
claimed id: $SITE/html
kind: uri

service: 1
type: $SIGNON_20
endpoint: $SITE/op
local id: $SITE/me

service: 2
type: $SIGNON_11
endpoint: $SITE/op
TEXT
prints(['discover', @LOOPBACK, "$SITE/hostile"], <<"TEXT",
claimed id: $SITE/hostile
kind: uri

service: 1
type: $SIGNON_20
type: http://t/\\u009b31m
endpoint: $SITE/op
local id: "me\\u000aendpoint: http://x/\\u007f\\
TEXT
       'discover: what a stranger wrote cannot begin a line');
prints_json(['discover', @LOOPBACK, '--json', "$SITE/hostile"],
            { claimed_id => "$SITE/hostile", kind => 'uri',
              services => [{ types => [$SIGNON_20, "http://t/\x{9B}31m"],
                             endpoint => "$SITE/op", local_id =>
                             "\"me\nendpoint: http://x/\x7F\\" }] },
            'discover: nor end a JSON string');

refuses(['discover', @LOOPBACK, "$SITE/plain"], 'not-openid: ',
        'discover refuses a page that is no OpenID');
refuses(['discover', @LOOPBACK, '--json', "$SITE/empty"], 'not-openid: ',
        'and an XRDS document without a service');
refuses(['discover', @LOOPBACK, "$SITE/gone"], '404', 'and what is not there');
refuses(['discover', "$SITE/html"], 'address-refused: ',
        'discover refuses a private address without --allow');
refuses(['discover', '--allow', '::1/128', '--allow', '10.0.0.0/8',
         "$SITE/html"], 'address-refused: ', 'and with --allow for others');
prints_json(['discover', "$SITE/many", '--allow=10.0.0.0/8', '--json',
             '--allow=127.0.0.1'], \%many,
            'one of several --allow is enough, and "=" may stand in it');
refuses(['discover', 'ftp://example.com/'], 'bad-identifier: ',
        'discover refuses what normalize refuses');

my $free = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
    or die "no port: $!";
my $nowhere = 'http://127.0.0.1:' . $free->sockport;
close $free;
refuses(['discover', @LOOPBACK, "$nowhere/"], 'cannot be reached',
        'discover: a server that is not there');

for my $name (qw(http_proxy HTTP_PROXY all_proxy ALL_PROXY)) {
    local $ENV{$name} = $nowhere;
    prints_json(['discover', @LOOPBACK, '--json', "$SITE/many"], \%many,
                "$name in the environment means nothing");
}

my ($code, $out, $err) = openid2rp('discover', @LOOPBACK, '--verbose',
                                   "$SITE/html");
is($code, 0, '--verbose is taken');
like($err, qr/\A(?:\[openid2rp:\w+\] O2RP-\d+: [^\n]+\n)*\z/,
     'and standard error has log lines only');

# ----------------------------------------------------------------------------
# XRIs: resolve-xri, and discover with --proxy

my $found = [{ types => [$SIGNON_20], endpoint => "$SITE/op",
               local_id => "$SITE/me" },
             { types => [$SIGNON_11], endpoint => "$SITE/old",
               local_id => undef }];
my %resolved = (canonical_id => '=!1', services => $found);
my %discovered = (claimed_id => '=!1', kind => 'xri', services => $found);

sub by_proxy {
    my ($command, $answer, @args) = @_;
    return [$command, @LOOPBACK, '--proxy', "$SITE/xri/$answer", @args,
            'xri://=name'];
}

prints_json(by_proxy('resolve-xri', 'good', '--json'), \%resolved,
            'resolve-xri: its i-number, and services in the order of use');
prints_json(by_proxy('discover', 'good', '--json'), \%discovered,
            'discover --proxy: the i-number is the claimed identifier');
prints(by_proxy('resolve-xri', 'good'), <<"TEXT", 'resolve-xri: as text');
canonical id: =!1

service: 1
type: $SIGNON_20
endpoint: $SITE/op
local id: $SITE/me

service: 2
type: $SIGNON_11
endpoint: $SITE/old
TEXT
prints_json(['resolve-xri', @LOOPBACK, '--json',
             "--proxy=$SITE/xri/good/", '=name'], \%resolved,
            'resolve-xri: a slash may end the URL of the proxy');
prints_json(by_proxy('resolve-xri', 'no-cid', '--json'), \%resolved,
            'resolve-xri: a resolver may say nothing of the CanonicalID');
prints_json(by_proxy('resolve-xri', 'chain', '--json'), \%resolved,
            'resolve-xri: the last of several XRDs counts');
prints_json(by_proxy('resolve-xri', 'own-child', '--json'), \%resolved,
            'resolve-xri: unverified, an i-number below its parent');
prints(by_proxy('resolve-xri', 'hostile') =>
       (openid2rp(@{ by_proxy('resolve-xri', 'good') }))[1]
       =~ s/=!1/=!1\\u009b31m/r,
       'resolve-xri: what a stranger wrote cannot give the terminal an order');

# Each of these answers differs in one thing from the good one.
my %unlike = ('404' => ' 404 ', 'not-xml' => 'bad-xml: ',
              map { $_ => 'xri-unsupported: ' }
              qw(no-canonical-id no-provider-id cid-failed cid-off code-222
                 other-child two-lines other-root url));
for my $answer (sort keys %unlike) {
    my $like = $unlike{$answer};
    prints_json(by_proxy('resolve-xri', 'good', '--json'), \%resolved,
                "resolve-xri takes an answer without this: $answer");
    refuses(by_proxy('resolve-xri', $answer, '--json'), $like,
            "resolve-xri refuses the answer $answer");
    refuses(by_proxy('discover', $answer, '--json'), $like,
            'and so does discover');
}

prints_json(by_proxy('resolve-xri', 'no-service', '--json'),
            { %resolved, services => [] },
            'resolve-xri: an i-name without a service');
refuses(by_proxy('discover', 'no-service'), 'not-openid: ',
        'but for discover it is no OpenID');
refuses(['discover', @LOOPBACK, '=name'], 'xri-unsupported: ',
        'discover refuses an XRI without --proxy');
prints_json(['discover', @LOOPBACK, '--json', '--proxy', $nowhere,
             "$SITE/many"], \%many, 'discover: a URL needs no resolver');
refuses([$_, @LOOPBACK, '--proxy', $nowhere, '=name'], 'cannot be reached',
        "$_: a resolver that is not there")
    for 'resolve-xri', 'discover';
refuses([$_, '--proxy', "$SITE/xri/good", '=name'], 'address-refused: ',
        "$_: a resolver at a private address without --allow")
    for 'resolve-xri', 'discover';
refuses(['resolve-xri', $_], 'bad-identifier: ', "resolve-xri refuses '$_'")
    for "$SITE/many", 'example.com', 'xri://name', '';

# ----------------------------------------------------------------------------
# associate

my $op = "$SITE/op";
sub association {
    my ($type) = @_;
    return { handle => "{$type}{1}\"\\", type => $type, lifetime => 3600 };
}

prints(['associate', @LOOPBACK, $op], <<'TEXT', 'associate: the best types');
handle: {HMAC-SHA256}{1}"\
type: HMAC-SHA256
lifetime: 3600
TEXT
prints_json(['associate', @LOOPBACK, '--json', $op],
            association('HMAC-SHA256'), 'associate --json');
prints_json(['associate', $op, @LOOPBACK, '--json', '--type', 'HMAC-SHA1'],
            association('HMAC-SHA1'), 'associate --type');
prints_json(['associate', $op, @LOOPBACK, '--json', '--session=DH-SHA1'],
            association('HMAC-SHA1'), 'associate --session');
prints_json(['associate', $op, @LOOPBACK, '--json', '--type', 'HMAC-SHA256',
             '--session', 'DH-SHA256'], association('HMAC-SHA256'),
            'associate with both');
prints_json(['associate', "$op/sha1", @LOOPBACK, '--json'],
            association('HMAC-SHA1'),
            'associate takes the types that the provider suggests');
my $shown = join '', map { (openid2rp('associate', @LOOPBACK, @$_, $op))[1, 2] }
    [], ['--json'], ['--verbose'];
my $keys = join '|', map { quotemeta }
    map { ($_, encode_base64($_, ''), unpack 'H*', $_) } values %KEY;
ok($shown =~ /HMAC-SHA256/ && $shown !~ /$keys/i,
   'associate never shows the key');

refuses(['associate', @LOOPBACK, "$op/sha1", '--type', 'HMAC-SHA256'],
        'no-association: ', 'types that were asked for are not changed');
refuses(['associate', @LOOPBACK, "$op/none"], 'no-association: ',
        'associate: a provider that makes none');
refuses(['associate', @LOOPBACK, "$op/dead"], 'lifetime',
        'associate: a lifetime of 0');
refuses(['associate', @LOOPBACK, "$op/hostile"], 'association-failed: ',
        'associate: a handle with a control character');
refuses(['associate', @LOOPBACK, "$op/broken"], 'association-failed: ',
        'associate: an answer that is none');
refuses(['associate', @LOOPBACK, $op, '--session', 'no-encryption'],
        'cannot be used', 'associate: no plain key over http');
refuses(['associate', @LOOPBACK, $op, '--type', 'HMAC-SHA1', '--session',
         'DH-SHA256'], 'cannot be used',
        'associate: types that do not go together');
refuses(['associate', $op], 'address-refused: ',
        'associate: a private address without --allow');
refuses(['associate', @LOOPBACK, "$nowhere/op"], 'cannot be reached',
        'associate: a server that is not there');
refuses(['associate', @LOOPBACK, 'op.example.com'], 'scheme-refused: ',
        'associate: an endpoint that is no URL');
refuses(['associate', 'ftp://op.example.com/'], 'scheme-refused: ',
        'associate: an endpoint of another scheme');

# ----------------------------------------------------------------------------
# realm-match (9.2)

# A realm, a URL that it covers, and one like it that it does not.
for (['http://example.com/', 'http://example.com/', 'https://example.com/'],
     ['https://example.com/', 'https://example.com/', 'http://example.com/'],
     ['http://example.com/', 'http://example.com:80/',
      'http://example.com:8080/'],
     ['http://example.com:8080/', 'http://example.com:8080/a',
      'http://example.com/a'],
     ['http://example.com', 'http://EXAMPLE.com/a', 'http://example.org/a'],
     ['http://example.com/', 'http://example.com/a',
      'http://www.example.com/a'],
     ['http://*.example.com/', 'http://www.example.com/',
      'http://example.org/'],
     ['http://*.example.com/', 'http://a.b.example.com/x',
      'http://a.bexample.com/x'],
     ['http://*.example.com/', 'http://example.com/', 'http://badexample.com/'],
     ['http://*.example.com/', 'http://a.example.com/',
      'http://a.example.com.evil.org/'],
     ['http://*.example.co.uk/', 'http://a.example.co.uk/',
      'http://a.other.co.uk/'],
     ["http://*.b\xC3\xBCcher.example/", 'http://a.xn--bcher-kva.example/',
      'http://a.bucher.example/'],
     ['http://example.com/foo', 'http://example.com/foo',
      'http://example.com/foobar'],
     ['http://example.com/foo', 'http://example.com/foo/bar',
      'http://example.com/'],
     ['http://example.com/foo', 'http://example.com/foo?a=b',
      'http://example.com/Foo?a=b'],
     ['http://example.com/foo/', 'http://example.com/foo/bar',
      'http://example.com/foo'],
     ['http://example.com/foo', 'http://example.com/foo/./bar',
      'http://example.com/foo/../bar']) {
    my ($realm, $covered, $other) = @$_;
    prints(['realm-match', $realm, $covered], '', "$realm covers $covered");
    refuses(['realm-match', $realm, $other], 'realm-mismatch: .*not cover',
            "but not $other");
}
# What would cover more than one site, or is no realm, matches nothing.
for (['http://*.com/', 'http://example.com/', 'http://*.example.com/'],
     ['http://*.COM./', 'http://example.com./', 'http://*.example.com./'],
     ['http://*.co.uk/', 'http://example.co.uk/', 'http://*.example.co.uk/'],
     ['http://*/', 'http://example.com/', 'http://example.com/'],
     ['http://*.*.example.com/', 'http://a.b.example.com/',
      'http://*.b.example.com/'],
     ['http://www*.example.com/', 'http://www1.example.com/',
      'http://*.example.com/'],
     ['http://a.*.com/', 'http://a.example.com/', 'http://*.example.com/'],
     ['http://example.com/#x', 'http://example.com/', 'http://example.com/'],
     ['http://me@example.com/', 'http://example.com/', 'http://example.com/'],
     ['*.example.com', 'http://a.example.com/', 'http://*.example.com/']) {
    my ($realm, $url, $better) = @$_;
    refuses(['realm-match', $realm, $url], 'realm-mismatch: ',
            "the realm $realm matches nothing");
    prints(['realm-match', $better, $url], '', "but $better does");
}
refuses(['realm-match', 'http://example.com/', $_], 'refused: |bad-url: ',
        "'$_' is no URL that could match")
    for 'ftp://example.com/', 'http://me@example.com/', '/', '';
prints_json(['realm-match', '--json', 'http://example.com/',
             'http://example.com/a'], { matches => JSON::PP::true },
            'realm-match --json');
{
    my ($code, $out, $err) = openid2rp('realm-match', '--json',
                                       'http://example.com/',
                                       'http://example.org/a');
    is_deeply([$code, JSON::PP->new->decode($out)],
              [1, { matches => JSON::PP::false }],
              'realm-match --json, where it does not match');
    like($err, qr/\Aopenid2rp: realm-mismatch: [^\n]+\n\z/, 'says why as well');
}

# ----------------------------------------------------------------------------
# refresh and store, on a redis

my $redis = OpenID2RP::Server->redis(socket => 1, password => 'sesame');
write_secret("$scratch/password", "sesame\n");
my $PLACE = $redis->place("password-file=$scratch/password");
my @REFRESH = ('refresh', '--store', $PLACE, @LOOPBACK);
my @STORE = ('store', '--store', $PLACE);

sub write_secret {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    chmod 0600, $file or die "$file: $!";
    print {$out} $text;
    close $out or die "$file: $!";
    return;
}

# As a login writes it that wants an association with this endpoint.
sub queue {
    my ($number, $endpoint) = @_;
    my $escaped = $endpoint =~ s/([^\w.])/sprintf '%%%02X', ord $1/ger;
    put("queue:wanted $number",
        "endpoint=$escaped&version=2&site=&used=1");
    return;
}

# A record begins with its expiry, microseconds in 8 bytes.
my $EXPIRES = time + 3600;

sub put {
    my ($key, $value, $expires) = @_;
    my ($high, $low) = unpack 'NN', pack 'Q>', ($expires // $EXPIRES) * 1e6;
    $redis->cli('EVAL', q{return redis.call('SET', KEYS[1],
                struct.pack('>I4I4', ARGV[2], ARGV[3]) .. ARGV[1], 'EX', 60)},
                1, "openid2rp:$key", $value, $high, $low);
    return;
}

sub there { scalar grep { $_ ne '' } $redis->cli('KEYS', $_[0] // '*') }

prints(\@REFRESH, '', 'refresh says nothing where nothing is wanted');
is(there(), 0, 'and leaves nothing, not even its lease');
prints_json([@REFRESH, '--json'],
            { queued => 0, made => 0, failed => 0,
              elsewhere => JSON::PP::false, endpoints => [] },
            'refresh --json, where nothing is wanted');

queue(0, "$SITE/op");
prints([@REFRESH], '', 'nor does it where all went well');
is(there('openid2rp:association:*'), 2, 'but made an association');
is(there('openid2rp:queue:state *'), 1, 'and remembers when');
unlike(join('', map { $redis->cli('GET', $_) }
            $redis->cli('KEYS', 'openid2rp:queue:*')),
       qr/secret-of/, 'the key is not in the queue');
prints([@REFRESH, '--json'],
       qq({"queued": 1, "made": 0, "failed": 0, "elsewhere": false, )
       . qq("endpoints": []}\n), 'what is fresh is not asked for again');

queue(1, "$SITE/op/none");
queue(63, "$SITE/op/broken");
queue(64, "$SITE/op/sha1");     # there is no such number
{
    my ($code, $out, $err) = openid2rp(@REFRESH);
    is_deeply([$code, $err], [0, ''], 'providers that fail are no failure');
    like($out, qr{\Afailed \Q$SITE\E/op/broken: [^\n]*key-value[^\n]*\n\z},
         'who failed is shown, and who makes none is not');
}
prints(\@REFRESH, '', 'which are not asked again at once');

$redis->cli('FLUSHALL');
queue(5, "$SITE/op");
queue(6, "$SITE/op/none");
queue(7, "$SITE/op/broken");
{
    my ($code, $out, $err) = openid2rp(@REFRESH, '--verbose');
    is($code, 0, 'refresh --verbose');
    is($out =~ s/ \d+ ms$/ N ms/mr =~ s/(\/(?:none|broken): ).*$/$1why/mgr,
       join("\n", "made $SITE/op N ms", "none $SITE/op/none: why",
            "failed $SITE/op/broken: why",
            "3 in the queue, 1 made, 2 not made\n"),
       'shows everybody, and a summary');
    like($err, qr/^\[openid2rp:info\] O2RP-$_: /m, "and logs O2RP-$_")
        for 120, 121, 122;
    unlike($out . $err, qr/secret-of/, 'but no key');
    unlike($out . $err, qr/sesame/, 'and no password');
}
$redis->cli('FLUSHALL');
queue(5, "$SITE/op");
queue(7, "$SITE/op/broken");
{
    my ($code, $out, $err) = openid2rp(@REFRESH, '--json');
    my $data = eval { JSON::PP->new->utf8->decode($out) };
    is_deeply([$code, $err], [0, ''], 'refresh --json');
    is_deeply([@$data{qw(queued made failed)}], [2, 1, 1], 'counts');
    is_deeply([map { [@$_{qw(endpoint outcome)}] } @{ $data->{endpoints} }],
              [["$SITE/op", 'made'], ["$SITE/op/broken", 'failed']],
              'and tells of each');
    like($data->{endpoints}[1]{sentence}, qr/key-value/, 'why it failed');
    is($data->{endpoints}[0]{sentence}, undef, 'or not');
    like($data->{endpoints}[0]{milliseconds}, qr/\A\d+\z/, 'how long it took');
}
$redis->cli('FLUSHALL');
queue(5, "$SITE/op");
{
    my ($code, $out) = openid2rp('refresh', '--store', $PLACE);
    like($out, qr/\Afailed \S+: .*address/, 'without --allow it is refused');
    is($code, 0, 'which is no failure of the command');
    is(there('openid2rp:association:*'), 0, 'and there is no association');
}

# Somebody else has the lease.
$redis->cli('FLUSHALL');
queue(5, "$SITE/op");
put('queue:lease', 'httpd, elsewhere, 1');
prints(\@REFRESH, '', 'refresh says nothing where somebody else does it');
prints_json([@REFRESH, '--json'],
            { queued => 0, made => 0, failed => 0,
              elsewhere => JSON::PP::true, endpoints => [] },
            'tells so with --json');
like((openid2rp(@REFRESH, '--verbose'))[1], qr/^Somebody else/,
     'or with --verbose');
is(there('openid2rp:association:*'), 0, 'and makes nothing');
like($redis->cli('GET', 'openid2rp:queue:lease'), qr/httpd, elsewhere, 1\z/,
     'nor takes the lease');
$redis->cli('DEL', 'openid2rp:queue:lease');
openid2rp(@REFRESH);
is(there('openid2rp:association:*'), 2, 'until it is free');

# stats, list, purge
$redis->cli('FLUSHALL');
put('session:0123456789abcdef', 'the secret of a session');
put("session:a\e[31m\n\"b", '');
put('login:KEY', 'typed=me');
put('nonce:n', '');
put('queue:wanted 7', 'x');
put('cache:old', 'x', time - 1);
$redis->cli('SET', 'other:session:1', 'not ours');
{
    my ($code, $out, $err) = openid2rp(@STORE, 'stats');
    is_deeply([$code, $err], [0, ''], 'store stats');
    is_deeply([map { [(split)[0, 1]] } split /\n/, $out],
              [[qw(kind live)], ['login', 1], ['nonce', 1],
               ['association', 0], ['session', 2], ['queue', 1],
               ['cache', 0]], 'shows each kind');
    is((() = $out =~ /^\w+(?: +\S+){4}$/mg), 7, 'in five columns');
    ($code, $out) = openid2rp(@STORE, '--json', 'stats');
    my $data = eval { JSON::PP->new->utf8->decode($out) };
    is_deeply([map { "$_->{kind} $_->{live}" } @{ $data->{kinds} }],
              ['login 1', 'nonce 1', 'association 0', 'session 2', 'queue 1',
               'cache 0'], 'store stats --json');
    is_deeply([sort keys %{ $data->{kinds}[0] }],
              [qw(kind live refused room used)], 'has all of them');
}
{
    my ($code, $out, $err) = openid2rp(@STORE, 'list', 'session');
    is_deeply([$code, $err], [0, ''], 'store list KIND');
    my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/;
    is_deeply([sort map { s/$time/TIME/r } split /\n/, $out],
              ['session TIME 0 a\u001b[31m\u000a"b',
               'session TIME 23 0123456789abcdef'],
              'shows its records, a line each');
    ($code, $out) = openid2rp(@STORE, 'list');
    is_deeply([sort map { /\A(\w+) $time \d+ \S/ ? $1 : "?$_" }
               split /\n/, $out],
              [qw(login nonce queue session session)], 'store list: all kinds');
    unlike($out, qr/secret|typed=me/, 'never values');
    ($code, $out) = openid2rp(@STORE, 'list', 'session', '--json');
    my $data = eval { JSON::PP->new->utf8->decode($out) };
    is_deeply([sort map { "$_->{kind} $_->{bytes} $_->{key}" }
               @{ $data->{records} }],
              ["session 0 a\e[31m\n\"b", 'session 23 0123456789abcdef'],
              'store list --json');
    is((() = $out =~ /\n/g), 1, 'is one line');
    prints([@STORE, 'list', 'association', '--json'], qq({"records": []}\n),
           'also of a kind that has none');
    prints([@STORE, 'list', 'association'], '', 'which is empty as text');
}
{
    my (undef, $out) = openid2rp(@STORE, 'list', 'login');
    my @t = gmtime $EXPIRES;
    my $time = sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900,
        $t[4] + 1, @t[3, 2, 1, 0];
    is($out, "login $time 8 KEY\n", 'the time is when it expires');
}
refuses([@STORE, 'purge', 'nonce'], 'Nonces', 'nonces are not purged');
is(there('openid2rp:nonce:*'), 1, 'and are still there');
prints([@STORE, 'purge', 'session'], "2 records were removed\n",
       'store purge KIND');
is(there('openid2rp:session:*'), 0, 'removes them');
is(there('openid2rp:*'), 4, 'and no others');
is(there('other:*'), 1, 'nor what is another prefix\'s');
prints([@STORE, '--json', 'purge', 'login'], qq({"removed": 1}\n),
       'store purge --json');
like((openid2rp(@STORE, 'purge'))[1], qr/expired/, 'store purge');
like((openid2rp(@STORE, 'purge', '--json'))[1], qr/\A\{"freed": (?:\d+|null)\}/,
     'store purge --json, of what has expired');
is(there('openid2rp:[nq]*'), 2, 'removes nothing that is alive');

# A store that is away, or another's
my $gone = "redis://127.0.0.1:" . OpenID2RP::Process::free_port();
for (['refresh'], ['store', 'stats'], ['store', 'list'], ['store', 'purge',
                                                          'session']) {
    my ($command, @operands) = @$_;
    refuses([$command, '--store', $gone, @operands],
            "store-failed: .*\Q$gone\E", "@$_ where there is no server");
    refuses([$command, '--store', $redis->place, @operands],
            'store-failed: ', "@$_ without its password");
    refuses([$command, '--store', 'shm', @operands], 'httpd', "@$_ of a shm");
    refuses([$command, '--store', "dbm:$scratch/none/store", @operands],
            'store-failed: ', "@$_ of a dbm without a folder");
}
{
    my ($code, $out, $err) = openid2rp('store', '--store', $gone, '--verbose',
                                       'stats');
    is_deeply([$code, $out], [1, ''], 'with --verbose it fails too');
    like($err, qr/^\[openid2rp:error\] O2RP-301: /m, 'and the log says why');
}
my $cache = OpenID2RP::Server->memcached;
refuses(['store', '--store', $cache->place, 'list'], 'cannot tell',
        'a memcache cannot be listed');
refuses(['store', '--store', $cache->place, 'list', '--json'], 'cannot tell',
        'nor with --json');
refuses(['store', '--store', $cache->place, 'purge', 'session'],
        'cannot tell', 'nor purged');
prints(['refresh', '--store', $cache->place], '', 'but refresh works there');
$cache->stop;
$redis->stop;

# ----------------------------------------------------------------------------
# refresh and store, on a dbm

my $DBM = "$scratch/dbm/store";
mkdir "$scratch/dbm", 0700 or die "$scratch/dbm: $!";
@STORE = ('store', '--store', "dbm:$DBM?size=4M");
refuses([@STORE, @$_], "store-failed: There is no store .*\Q$DBM\E\\.state",
        "@$_ of a dbm that is not there")
    for ['stats'], ['list'], ['list', 'session', '--json'], ['purge'],
        ['purge', 'session'];
is_deeply([glob "$DBM*"], [], 'and makes none');
prints(['refresh', '--store', "dbm:$DBM?size=4M"], '', 'refresh on a dbm');
prints([@STORE, 'list'], '', 'which has nothing in it');
{
    my ($code, $out, $err) = openid2rp(@STORE, 'stats');
    is_deeply([$code, $err], [0, ''], 'store stats on a dbm');
    is((() = $out =~ /^\w+ +0 +\d+ +[1-9]\d* +0$/mg), 6,
       'knows its room') or diag($out);
}
like((openid2rp(@STORE, 'purge'))[1], qr/expired/, 'store purge on a dbm');
prints([@STORE, 'purge', $_], "0 records were removed\n",
       "store purge $_ on a dbm") for qw(login association session queue cache);
is_deeply([map { (stat)[2] & 077 } glob "$DBM.*"],
          [map { 0 } glob "$DBM.*"], 'its files are for us alone');

# ----------------------------------------------------------------------------
# Calls

wrong_call([], 'missing', 'no command');
wrong_call(['frobnicate'], '"frobnicate"', 'an unknown command');
wrong_call(["a\e[31m\nb"], '"a\\\\u001b\[31m\\\\u000ab"',
           'an unknown command of control characters');
wrong_call(['normalize'], 'takes 1', 'a missing operand');
wrong_call(['normalize', 'a', 'b'], 'got 2', 'two operands');
wrong_call(['discover', @LOOPBACK], 'takes 1', 'options are no operand');
wrong_call(['normalize', '--frob', 'a'], '--frob', 'an unknown option');
wrong_call(['normalize', '--jso', 'a'], '--jso', 'options are not guessed');
wrong_call(['normalize', '-j', 'a'], '-j', 'an unknown short option');
wrong_call(['normalize', @LOOPBACK, 'a'], '--allow',
           'an option of another command');
wrong_call(['normalize', '--json=yes', 'a'], 'no value',
           'a value for an option without');
wrong_call(['discover', 'a', '--allow'], 'needs a value', 'a missing value');
wrong_call(['discover', '--allow', $_, "$SITE/html"], 'range',
           "the range '$_'")
    for '127.0.0.1/33', '127.0.0.1/8', 'localhost', '', '::/129', '10/8';
wrong_call(['discover', '--proxy', $_, "$SITE/html"], 'proxy',
           "the proxy '$_'")
    for 'socks5://127.0.0.1/', '127.0.0.1:3128', '', "$SITE/?a", "$SITE/#a";
wrong_call([@$_, '--proxy', $SITE, 'a'], '--proxy', "no --proxy for $$_[0]")
    for ['associate'], ['normalize'], ['realm-match', 'a'];
wrong_call(['realm-match', 'http://example.com/'], 'takes 2 arguments',
           'a realm without a URL');
wrong_call(['associate', '--type', 'HMAC-MD5', $op], 'HMAC-MD5',
           'an unknown association type');
wrong_call(['associate', '--session', 'dh', $op], '"dh"',
           'an unknown session type');
wrong_call([@$_], 'needs the option --store', "no store for $$_[0]")
    for ['refresh'], ['store', 'stats'], ['store'];
wrong_call(['refresh', '--store', 'shm', 'a'], 'no arguments',
           'an operand for refresh');
wrong_call(['store', '--store', 'shm'], 'takes 1 or 2', 'nothing to do');
wrong_call(['store', '--store', 'shm', 'list', 'login', 'nonce'], 'got 3',
           'two kinds');
wrong_call(['store', '--store', 'shm', 'clear'], '"clear"',
           'an unknown thing to do');
wrong_call(['store', '--store', 'shm', $_, 'logins'], '"logins"',
           "$_ of an unknown kind") for qw(list purge);
wrong_call(['store', '--store', 'shm', 'stats', 'login'], '"login"',
           'stats of a kind');
wrong_call(['store', '--store', $_, 'stats'], '', "the store '$_'")
    for '', 'redis', 'dbm:', 'sqlite:/tmp/a', 'redis://';
wrong_call(['store', '--store', 'redis://:sesame@:x/', 'stats'], '',
           'a store with a wrong port');
unlike((openid2rp('store', '--store', 'redis://:sesame@:x/', 'stats'))[2],
       qr/sesame/, 'shows no password');
wrong_call(['store', '--store', 'shm', @LOOPBACK, 'stats'], '--allow',
           'no --allow for store');
prints(['normalize', '--', '=name'], "xri =name\n", 'an operand behind "--"');
wrong_call(['normalize', '--', '--json', 'a'], 'got 2',
           'what stands behind "--" is never an option');

for my $args (['help'], ['--help'], ['discover', '--help'],
              ['normalize', '--help', 'a', 'b'], ['help', 'associate']) {
    my ($status, $text, $errors) = openid2rp(@$args);
    ok($status == 0 && $text =~ /\Ausage: openid2rp / && $errors eq '',
       "openid2rp @$args");
}
my (undef, $help) = openid2rp('help');
my @commands = $help =~ /^  ([a-z-]+) /mg;
is_deeply(\@commands, [qw(normalize discover resolve-xri associate
                          realm-match refresh store links)],
          'help lists the commands');
my %taken;                      # command => { option => name of its value }
for my $name (@commands) {
    my (undef, $text) = openid2rp($name, '--help');
    my ($usage, $list) = split /\n\n/, $text;
    my %usage = $usage =~ /--([a-z]+)(?: ([A-Z]+))?(?=\]|\s)/g;
    my %list = $list =~ /^  --([a-z]+) +([A-Z]+ )?/mg;
    $list{$_} &&= $list{$_} =~ s/ //r for keys %list;
    is_deeply(\%usage, \%list, "$name --help: usage and list agree");
    unlike($text, qr/^.{81}/m, 'and fit a terminal');
    $taken{$name} = \%list;
}
unlike($help, qr/^.{81}/m, 'help fits a terminal');

# The man page says the same, no less and no more.
my (undef, %section) = split /^\.Sh (.*)\n/m, slurp('docs/openid2rp.1');
my %synopsis;
for (split /^\.Nm\n/m, $section{SYNOPSIS}) {
    my ($name) = /\A\.Cm (\S+)\n/ or next;
    $synopsis{$name} = { /\bFl -([a-z]+)(?: Ar ([A-Z]+))?/g };
}
delete $synopsis{help};
is_deeply(\%synopsis, \%taken, 'the man page has each command and its options');
my %told = map { $_ => 1 } $section{COMMANDS} =~ /^\.It Cm (\S+)/mg;
is_deeply([sort keys %told], [sort @commands, 'help'],
          'tells what each command does');
is_deeply([sort $section{OUTPUT} =~ /^\.It Cm (\S+)/mg], [sort @commands],
          'and prints');
my %described = $section{OPTIONS} =~ /^\.It Fl -([a-z]+)(?: Ar ([A-Z]+))?/mg;
is_deeply(\%described, { help => undef, version => undef,
                         map { %$_ } values %taken },
          'and what each option means');

my ($version) = slurp('configure.ac') =~ /^AC_INIT\(\[\w+\], \[([\d.]+)\]\)/m;
ok($version, 'configure.ac has a version');
prints(['--version'], "openid2rp $version\n", '--version is that');

SKIP: {
    skip('there is no /dev/full', 1) unless -c '/dev/full';
    my $pid = fork // die "fork: $!";
    unless ($pid) {
        open STDOUT, '>', '/dev/full' or die "/dev/full: $!";
        open STDERR, '>', "$scratch/err" or die "$scratch/err: $!";
        exec { $COMMAND } 'openid2rp', 'normalize', 'example.com';
    }
    waitpid $pid, 0;
    is($? >> 8, 1, 'output that cannot be written is a failure');
}

done_testing();
