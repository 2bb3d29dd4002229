# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::RandomRequest;

=head1 NAME

OpenID2RP::RandomRequest - any requests that are no login's

=head1 SYNOPSIS

    use OpenID2RP::RandomRequest;

    srand 42;
    my $request = OpenID2RP::RandomRequest->new('/path');
    $request->head;         # bytes, with the empty line
    $request->body;         # bytes, chunked or not
    $request->bytes_of;      # both
    $request->plain;        # the body as the application gets it
    $request->waits;        # is to send its body after "100 Continue" only
    $request->says;         # one line for people

What can be asked of httpd, none of which begins or ends a login: methods,
targets, headers, types, bodies of up to 5 MB in all framings, and texts that
look like a login's. The same srand() gives the same requests. All of them are
legal; the connection stays open.

=cut

use v5.14;
use strict;
use warnings;

my $FORM = 'application/x-www-form-urlencoded';
my $ALICE = 'http%3A%2F%2Flocalhost%2Fuser%2Falice';
my $NAME = 'openid_identifier';

my @METHODS = (('GET') x 4, ('POST') x 8, ('PUT') x 2, q($!#%&'*+^_`|~),
    qw(PATCH DELETE OPTIONS REPORT PROPFIND MKCOL X FROBNICATE get Post
    M-SEARCH));
# Numbers stand for that many bytes; the others are made below.
my @SIZES = (map({ ($_) x 2 } 0, 1, 2, 16, 100), 8191 .. 8193, 16_303 .. 16_305,
    16_383 .. 16_385, 65_535 .. 65_537, 73_727 .. 73_729, 131_072);
my $BOUNDARY = '----a_boundary\'1';

sub one_of { $_[rand @_] }
sub chance { rand() < $_[0] }
sub between { $_[0] + int rand($_[1] - $_[0] + 1) }

# Bytes of all kinds, without drawing each of them.
my $block;
sub bytes {
    my ($size) = @_;
    $block //= pack 'C*', map { rand 256 } 1 .. 9973;
    my $at = int rand length $block;
    return substr $block x ($size / length($block) + 2), $at, $size;
}

sub size {
    my $kind = rand;
    return $kind < 0.40 ? one_of(@SIZES) : $kind < 0.80 ? between(0, 3000)
        : $kind < 0.97 ? between(3000, 200_000) : between(200_000, 5_000_000);
}

# --- queries and forms ------------------------------------------------------

my @WORDS = ('', 'a', 'b', 'name', 'q', '%41', '%', '%%', '%zz', '%2', '%00',
    '+', '%2B', '%26', '%3D', 'x.y', '[]', 'a[1]', "\xc3\xa9", "\xff", '%C3%A9',
    '~', '!', "'", '(', ')', '*', ';', ':', '@', '$', ',', '/', '?', '"', '<b>',
    '\\', '^', '`', '{}', '|', 'openid', 'identifier', 'openid.', 'mode');

# What comes near to what begins or ends a login.
my @NEAR = ("${NAME}x=$ALICE", "x$NAME=$ALICE", "Openid_Identifier=$ALICE",
    uc($NAME) . "=$ALICE", "openid-identifier=$ALICE", "$NAME=",
    "openid.identifier=$ALICE", "openid_url=$ALICE", "a=$NAME", $NAME,
    "a[$NAME]=$ALICE", "${NAME}[]=$ALICE", "+$NAME=$ALICE", "$NAME+=$ALICE",
    "openid.mode=id_res", "openid.mode=cancel", "openid.ns=x&openid.sig=y",
    "openid.return_to=http%3A%2F%2Flocalhost%2F%3Fopenid_return%3Dx",
    "openid_returns=1", "Openid_Return=1", "a=openid_return%3Dx",
    "openid_return%2520=1", "OPENID2RP_IDENTIFIER=$ALICE");

sub pair {
    my $name = join '', map { one_of(@WORDS) } 0 .. rand 3;
    return chance(0.15) ? $name
        : "$name=" . join '', map { one_of(@WORDS) } 0 .. rand 4;
}

sub pairs {
    my ($count) = @_;
    my @pairs = map { chance(0.08) ? one_of(@NEAR) : pair() } 1 .. $count;
    push @pairs, one_of(@pairs) if @pairs && chance(0.3);
    push @pairs, '' if chance(0.1);
    return join chance(0.05) ? '&&' : '&', @pairs;
}

# httpd is strict: no control characters, and no "#".
sub query {
    return '' if chance(0.35);
    return '?' if chance(0.05);
    return '?' . pairs(between(1, 8)) =~ s/[#\x00-\x20\x7f]/_/gr;
}

sub form {
    my ($size) = @_;
    my $text = pairs(between(0, 12));
    my $n = 0;
    while (length $text < $size) {
        $text .= "&field$n=" . ($n++ * 7919) . one_of(@WORDS);
        $text .= $text if length $text > 5000 && length $text < $size / 2;
    }
    return chance(0.5) ? $text : substr $text, 0, $size;
}

sub part {
    my ($name, $content, @more) = @_;
    return join "\r\n", "--$BOUNDARY",
        qq(Content-Disposition: form-data; name="$name") . join('', @more),
        '', $content, '';
}

# A form in parts. A file may be called as it likes: it is no identifier.
sub multipart {
    my ($size) = @_;
    my @parts = map { part(one_of(@WORDS) =~ s/"/%22/r, pair()) }
        0 .. rand 5;
    push @parts, part('upload', bytes($size), '; filename="a.bin"',
                      "\r\nContent-Type: application/octet-stream");
    push @parts, part($NAME, 'http://localhost/user/alice',
                      "; filename=\"$NAME\"") if chance(0.3);
    push @parts, part("${NAME}x", 'http://localhost/user/alice')
        if chance(0.2);
    push @parts, part($NAME, '') if chance(0.1);
    push @parts, part('text', "name=\"$NAME\"\r\n\r\nhttp://localhost/")
        if chance(0.2);
    @parts = reverse @parts if chance(0.3);
    return join '', @parts, chance(0.9) ? "--$BOUNDARY--\r\n" : ();
}

sub json {
    my ($size) = @_;
    return qq({"$NAME": "http://localhost/user/alice", "openid.mode": "id_res",)
        . qq( "a": ") . 'x' x $size . '"}';
}

# [types, what makes such a body]. Most have their own type, some another.
my @KINDS = (
    [ [ $FORM, "$FORM; charset=UTF-8", uc $FORM, " $FORM ;x=y" ], \&form ],
    [ [ $FORM ], sub { form(66_000) . "&$NAME=$ALICE" } ],
    [ [ $FORM ], \&bytes ],
    [ [ "multipart/form-data; boundary=$BOUNDARY",
        qq(Multipart/Form-Data; boundary="$BOUNDARY") ], \&multipart ],
    [ [ 'multipart/form-data', 'multipart/form-data; boundary=',
        'multipart/form-data; boundary=other',
        "multipart/mixed; boundary=$BOUNDARY" ], \&multipart ],
    [ [ "multipart/form-data; boundary=$BOUNDARY" ], \&bytes ],
    [ [ 'application/json', "$FORM-not", 'text/plain' ], \&json ],
    [ [ 'application/octet-stream', 'image/png', '', '/', 'nonsense' ],
      \&bytes ],
    [ [ undef ], \&bytes ], [ [ undef ], \&form ],
    [ [ 'text/plain', 'application/json' ], sub { "$NAME=$ALICE" } ],
);

# --- the rest of a request --------------------------------------------------

my @HEADERS = (
    [ 'Accept', '*/*' ], [ 'Accept', 'text/html;q=0.3, x/y' ],
    [ 'Accept-Language', '' ], [ 'accept-LANGUAGE', 'de, en;q=0.5' ],
    [ 'User-Agent', 'any/1.0 (x; "y")' ], [ 'User-Agent', '' ],
    [ 'Cookie', 'a=b; openid2rp=nothing; c="d e"' ], [ 'Cookie', 'z' ],
    [ 'Cookie', 'openid2rp_login_x=y' ], [ 'Cache-Control', 'no-cache' ],
    [ 'Referer', 'http://elsewhere.example/?openid_identifier=x' ],
    [ 'X-Requested-With', 'XMLHttpRequest' ], [ 'X-Empty', '' ],
    [ 'X-Tab', "a\tb" ], [ 'X-High', "\xc3\xa9\xff\x80" ],
    [ 'X-Long', 'x' x 4000 ], [ 'X_Under', 'u' ], [ 'X.Dot', 'd' ],
    [ q(X-!#$%&'*+^`|~), 'legal' ], [ 'X-Twice', '1' ], [ 'X-Twice', '2' ],
    [ 'If-None-Match', '"x"' ], [ 'Pragma', '' ],
    [ 'Authorization', 'Bearer x.y' ], [ 'TE', 'trailers' ],
    [ 'Origin', 'http://elsewhere.example' ], [ 'Origin', 'null' ],
    [ 'Sec-Fetch-Site', 'cross-site' ], [ 'Sec-Fetch-Mode', 'navigate' ],
    [ 'Sec-Fetch-Dest', 'iframe' ], [ 'Upgrade-Insecure-Requests', '1' ],
    [ 'X-Forwarded-For', '192.0.2.1' ], [ 'X-Openid2rp', '1' ],
    [ 'Openid-Identifier', 'http://localhost/' ], [ 'X-OPENID2RP-ERROR', 'x' ],
    [ 'Remote-Users', 'x' ], [ 'Content-MD5', 'x' ], [ 'DNT', '1' ],
    [ 'Content-Language', 'en' ], [ 'Content-Disposition', 'form-data' ],
    [ 'X-Folded', "one\r\n two" ], [ 'X-Spaces', '  a   b  ' ]);

# In chunks of any sizes, with what may stand around them.
sub chunked {
    my ($body) = @_;
    my ($text, $most) = ('', one_of(1, 10, 1000, 8192, 100_000));
    $most = 5000 if $most < 1000 && length $body > 3000;
    my $at = 0;
    while ($at < length $body) {
        my $chunk = substr $body, $at, between(1, $most);
        $at += length $chunk;
        my $size = sprintf one_of('%x', '%X', '%06x'), length $chunk;
        $text .= $size . (chance(0.9) ? '' : one_of(';', ';a', ';a=1;b="x;y"',
            ";$NAME=$ALICE")) . "\r\n$chunk\r\n";
    }
    return "${text}0" . (chance(0.1) ? ';last' : '') . "\r\n"
        . (chance(0.1) ? "X-Trailer: t\r\n" : '') . "\r\n";
}

# One empty field is no login; what two of them are, is not for chance.
sub new {
    my ($class, $path) = @_;
    while (1) {
        my $self = $class->any($path);
        my $all = "$self->{target}\n$self->{plain}";
        my $count = () = $all =~ /$NAME(?![\w.\[+]|=\w)/g;
        return $self if $count < 2;
    }
}

sub any {
    my ($class, $path) = @_;
    my $method = one_of(@METHODS);
    my $has_body = $method eq 'GET' ? chance(0.15) : chance(0.9);
    my @headers = map { one_of(@HEADERS) } 1 .. between(0, 7);
    my ($body, $sent, $type) = ('', '');
    if ($has_body) {
        my $kind = one_of(@KINDS);
        $type = one_of(@{ chance(0.85) ? $kind->[0] : one_of(@KINDS)->[0] });
        $body = $kind->[1]->(size());
        # What is our form after all: not with this name.
        $body =~ s/$NAME=$ALICE/x$&/ if length $body <= 65_536
            && defined $type && $type =~ /x-www-form-urlencoded(?!-)/i;
        push @headers, [ 'Content-Type', $type ] if defined $type;
        push @headers, [ 'Content-Encoding', one_of('gzip', 'identity', 'x') ]
            if chance(0.05);
        my $is_chunked = chance(0.4);
        $sent = $is_chunked ? chunked($body) : $body;
        push @headers, $is_chunked ? [ 'Transfer-Encoding', 'chunked' ]
            : [ 'Content-Length', length $body ];
    }
    my $waits = length $sent && chance(0.1);
    push @headers, [ 'Expect', '100-continue' ] if $waits;
    @headers = sort { $a->[2] <=> $b->[2] } map { [ @$_[0, 1], rand ] }
        @headers;
    my $target = $path . one_of('', '/', '/a', '/a%20b/%C3%A9', '/a;b=c/../d',
        '/%7E/', '/a//b', '/openid_identifier=x') . query();
    $target = "http://localhost$target" if chance(0.05);
    return bless { method => $method, target => $target, type => $type,
        plain => $body, body => $sent, waits => $waits,
        head => join("\r\n", "$method $target HTTP/1.1", 'Host: localhost',
            map({ "$_->[0]: $_->[1]" } @headers), '', '') }, $class;
}

sub head { $_[0]{head} }
sub body { $_[0]{body} }
sub plain { $_[0]{plain} }
sub bytes_of { $_[0]{head} . $_[0]{body} }
sub is_chunked { $_[0]{head} =~ /^Transfer-Encoding: chunked/m }
sub waits { $_[0]{waits} }

sub says {
    my ($self) = @_;
    my $text = substr($self->{head}, 0, 1500) . ' + '
        . length($self->{plain}) . ' bytes: ' . substr $self->{plain}, 0, 200;
    return $text =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ger;
}

1;
