#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The body of a request: the module reads some forms ahead, and the application
# must not notice. And bodies that are none.

use v5.14;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(time);

my $APP = url('/site/app/body');
my $ALICE = op_url('/user/alice');
my $FORM = 'application/x-www-form-urlencoded';
my $LIMIT = 64 * 1024;          # OPENID2RP_FORM_MAX

op_reset();
my $browser = browser();
is login($browser, $APP, $ALICE)->status, 200, 'control: somebody signs in';
my $cookie = 'openid2rp=' . $browser->cookie('openid2rp');

# A form of exactly that many bytes, none like the next.
sub form_of {
    my ($size) = @_;
    my ($text, $n) = ('', 0);
    $text .= 'field' . $n . '=' . $n++ * 7919 . '&' while length $text < $size;
    return substr $text, 0, $size;
}

# Bytes of all kinds.
sub bytes_of {
    my ($size) = @_;
    my $block = join '', map { chr($_ * 167 % 256) } 0 .. 4999;
    return substr $block x ($size / 5000 + 1), 0, $size;
}

# A multipart form with fields and files; a part is [name, value] or [name,
# bytes, filename].
my $PARTS = 'multipart/form-data; boundary=----WebKitFormBoundaryAaB03x';

sub parts_of {
    return join '', map({ "------WebKitFormBoundaryAaB03x\r\n"
        . qq(Content-Disposition: form-data; name="$_->[0]")
        . (defined $_->[2] ? qq(; filename="$_->[2]"\r\n)
           . 'Content-Type: application/octet-stream' : '')
        . "\r\n\r\n$_->[1]\r\n" } @_), "------WebKitFormBoundaryAaB03x--\r\n";
}

# One with these fields and a file, of exactly that many bytes.
sub parts_of_size {
    my ($size, @fields) = @_;
    my $rest = length parts_of(@fields, [ 'photo', '', 'me.png' ]);
    return parts_of(@fields, [ 'photo', bytes_of($size - $rest), 'me.png' ]);
}

# The response to a POST whose headers and body are as given; the body in
# pieces where it is a list.
sub post {
    my ($url, $type, $body, @headers) = @_;
    return exchange(port_of(), raw_request('POST', $url, [
        [ Cookie => $cookie ], [ Accept => 'text/html' ],
        defined $type ? [ 'Content-Type' => $type ] : (), @headers,
        ref $body ? [ 'Transfer-Encoding' => 'chunked' ] : () ],
        ref $body ? undef : $body)
        . (ref $body ? chunked(@$body) : ''), $url);
}

sub chunked {
    return join '', map({ sprintf "%x\r\n%s\r\n", length $_, $_ } @_),
        "0\r\n\r\n";
}

# The application has got this body, from Alice; a backend knows no
# users.
sub arrives {
    my ($response, $body, $what) = @_;
    my $env = env_of($response);
    my $knows_users = ($env->{REQUEST_URI} // '') !~ m{^/site/app/backend};
    is join(' ', $env->{BODY_SIZE} // 'nothing', $env->{BODY_MD5} // '',
            $knows_users ? $env->{REMOTE_USER} // 'nobody' : $ALICE),
        join(' ', length $body, md5_hex($body), $ALICE), $what
        or diag $response->status, ' ', substr $response->body, 0, 300;
}

# In pieces of these sizes, over and over.
sub pieces {
    my ($body, @sizes) = @_;
    my ($i, @pieces) = (0);
    push @pieces, substr $body, 0, $sizes[$i++ % @sizes], '' while length $body;
    return \@pieces;
}

# --- what arrives -----------------------------------------------------------

my %place = (
    'the application' => $APP,
    'an index' => url('/site/dir/'),
    'a front controller' => url('/site/front/some/page'),
    'a backend' => url('/site/proxied/'),
);
for my $where (sort keys %place) {
    my $url = $place{$where};
    for my $size (0, 1, 100, 8191, 8192, 8193, $LIMIT - 1, $LIMIT, $LIMIT + 1,
                  $LIMIT + 8192, $LIMIT + 8193, 300_000) {
        my $form = form_of($size);
        arrives(post($url, $FORM, $form), $form,
                "$where gets a form of $size bytes");
        arrives(post($url, $FORM, pieces($form, 1000, 1, 7919)),
                $form, "$where gets a chunked form of $size bytes");
    }
    my $large = form_of(5_000_000);
    arrives(post($url, $FORM, $large), $large, "$where gets a form of 5 MB");
    arrives(post($url, $FORM, pieces($large, 100_000)), $large,
            "$where gets a chunked form of 5 MB");
    my $bytes = bytes_of(5_000_000);
    arrives(post($url, 'application/octet-stream', $bytes), $bytes,
            "$where gets 5 MB of bytes");
    for my $case (
        [ 'multipart', $PARTS, parts_of([ 'a', 'b' ], [ 'c', "\0", 'd' ]) ],
        [ 'JSON', 'application/json',
          qq({"openid_identifier": "$ALICE", "openid.mode": "id_res"}) ],
        [ 'text', 'text/plain', "openid_identifier=$ALICE" ],
        [ 'no content type', undef, "openid_identifier=$ALICE" ],
        [ 'an empty content type', '', "openid_identifier=$ALICE" ],
        [ 'a type that begins like a form\'s', "${FORM}x",
          "openid_identifier=$ALICE" ],
        [ 'bytes that are called a form', $FORM, bytes_of(10_000) ],
        [ 'broken escapes', $FORM, 'a=%&b=%zz&c=%u1234' ],
        [ 'zero bytes', $FORM, "a=\0\0&b=%00" ],
        [ 'separators only', $FORM, '&&=&=&&;' ],
        [ 'many parameters', $FORM, join '&', map { "p$_=$_" } 1 .. 5000 ],
        [ 'a form with a charset', "$FORM; charset=utf-8", 'a=%C3%A9' ],
        [ 'a form in upper case', uc $FORM, 'a=b' ],
    ) {
        my ($what, $type, $body) = @$case;
        arrives(post($url, $type, $body), $body, "$where gets $what");
        arrives(post($url, $type, pieces($body, 3, 1)), $body,
                "$where gets $what, chunked");
    }
}
for my $where ('a backend', 'the application') {
    my $url = $place{$where};
    for my $size ($LIMIT - 1, $LIMIT, $LIMIT + 1, $LIMIT + 8193, 300_000) {
        my $parts = parts_of_size($size, [ 'a', 'b' ]);
        arrives(post($url, $PARTS, $parts), $parts,
                "$where gets a multipart form of $size bytes");
        arrives(post($url, $PARTS, pieces($parts, 1000, 1, 7919)), $parts,
                "$where gets a chunked multipart form of $size bytes");
    }
    next if $where ne 'the application';
    for my $case (
        [ 'a file of that name', $PARTS,
          parts_of([ 'openid_identifier', $ALICE, 'id.txt' ]) ],
        [ 'a file that holds a form', 'multipart/form-data; boundary=xx',
          "--xx\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n"
          . parts_of([ 'openid_identifier', $ALICE ]) . "\r\n--xx--" ],
        [ 'multipart without a part', $PARTS, parts_of() ],
        [ 'multipart of nothing', $PARTS, '' ],
        [ 'bytes that are called multipart', $PARTS, bytes_of(10_000) ],
        [ 'a broken multipart form', $PARTS,
          substr parts_of([ 'a', 'b' ]), 0, -10 ],
        [ 'a multipart form that is called a form', $FORM,
          parts_of([ 'openid_identifier', $ALICE ]) ],
        [ 'a form that is called multipart', $PARTS,
          "openid_identifier=$ALICE" ],
        [ 'other multipart', 'multipart/mixed; boundary=xx',
          "--xx\r\nContent-Disposition: form-data; name="
          . qq("openid_identifier"\r\n\r\n$ALICE\r\n--xx--) ],
        [ 'many parts', $PARTS, parts_of(map { [ "p$_", $_ ] } 1 .. 600) ],
    ) {
        my ($what, $type, $body) = @$case;
        arrives(post($url, $type, $body), $body, "$where gets $what");
    }
}
{
    my $body = 'a=1&openid_identifie=x&b=openid_identifier';
    arrives(post($APP, $FORM, $body), $body,
        'control: only that name begins a login');
    for my $form ("openid_identifier=" . encode($ALICE),
                  "a=1&b=2&openid_identifier=" . encode($ALICE),
                  "openid_identifier=" . encode($ALICE) . '&a=' . 'x' x 50_000,
                  'openid%5Fidentifier=' . encode($ALICE)) {
        is post($APP, $FORM, $form)->status, 303,
            'a login begins: ' . substr $form, 0, 30;
        is post($APP, $FORM, pieces($form, 10))->status, 303,
            'and does so when it is chunked';
    }
    my $late = form_of($LIMIT) . '&openid_identifier=' . encode($ALICE);
    arrives(post($APP, $FORM, $late), $late,
        'a login does not begin behind the limit');
    my $early = 'openid_identifier=' . encode($ALICE) . '&' . form_of($LIMIT);
    arrives(post($APP, $FORM, $early), $early,
        'nor in a form that is beyond it, for who is signed in');
    arrives(post($APP, $FORM, pieces($early, 5000)), $early,
        'nor where that is chunked');
    my $sent = post($APP, $FORM, 'a=1', [ 'Expect' => '100-continue' ]);
    like $sent->status, qr/\A(?:100|200)\z/, 'Expect: 100-continue is no trap';
    for my $method ('PUT', 'PATCH', 'DELETE') {
        for my $case ([ $FORM, 'openid_identifier=' . encode($ALICE) ],
                      [ $PARTS, parts_of([ 'openid_identifier', $ALICE ]) ]) {
            my ($type, $form) = @$case;
            arrives(exchange(port_of(), raw_request($method, $APP, [
                [ Cookie => $cookie ], [ 'Content-Type' => $type ] ], $form)),
                $form, "$method begins no login: $type");
        }
    }
    is env_of(post("$APP?x=y", $FORM, 'a=1'))->{QUERY_STRING}, 'x=y',
        'the query of a POST is as it was';
    is env_of(post($APP, $FORM, 'a=1'))->{CONTENT_LENGTH}, 3,
        'so is its Content-Length';
    is env_of(post($APP, $FORM, 'a=1'))->{CONTENT_TYPE}, $FORM,
        'and its type';
}

# --- multipart forms that begin a login -------------------------------------

my @id = ([ 'openid_identifier', $ALICE ]);
{
    my $quoted = 'multipart/form-data; boundary="----WebKitFormBoundaryAaB03x"';
    for my $case (
        [ 'alone', $PARTS, parts_of(@id) ],
        [ 'a quoted boundary', $quoted, parts_of(@id) ],
        [ 'other letters', ucfirst $PARTS, parts_of(@id) ],
        [ 'before a file', $PARTS, parts_of_size(50_000, @id) ],
        [ 'behind a file', $PARTS,
          parts_of([ 'photo', bytes_of(9000), 'a.png' ], @id) ],
        [ 'behind an empty one', $PARTS, parts_of([ 'photo', '', '' ], @id) ],
        [ 'at the limit', $PARTS, parts_of_size($LIMIT, @id) ],
        [ 'as many parts as may be', $PARTS, parts_of(@id, map {
            [ "p$_", '' ] } 2 .. 512) ],
    ) {
        my ($what, $type, $body) = @$case;
        is post($APP, $type, $body)->status, 303, "parts begin a login: $what";
        is post($APP, $type, pieces($body, 1000, 1))->status, 303,
            "and do so when they are chunked: $what";
        is browser()->send('POST', $APP, $body, headers => [
            [ 'Content-Type' => $type ] ])->status, 303,
            "and where nobody is signed in: $what";
    }
    for my $size ($LIMIT + 1, 1_000_000) {
        # the second field is what is looked for in a large form
        my $parts = parts_of_size($size, @id, [ 'b', 'openid_identifier=x' ]);
        arrives(post($APP, $PARTS, $parts), $parts,
                "none begins by parts of $size bytes");
        arrives(post($APP, $PARTS, pieces($parts, 5000)), $parts,
                "nor by chunked ones of $size bytes");
        for my $headers ([], [ [ 'Transfer-Encoding' => 'chunked' ] ]) {
            error_log();
            my $page = exchange(port_of(), browser()->request('POST', $APP,
                @$headers ? undef : $parts, headers =>
                [ [ 'Content-Type' => $PARTS ], @$headers ])
                . (@$headers ? chunked(@{ pieces($parts, 5000) }) : ''), $APP);
            is $page->status, 401, "$size bytes of parts, and nobody is signed"
                . ' in' . (@$headers ? ', chunked' : '') . ': a login page';
            is scalar(refusals()), 0, 'and no login is refused';
        }
    }
}

# What is named in a form that cannot be read may have been meant for us.
for my $case (
    [ 'an escape', $FORM, "openid_identifier=$ALICE&b=%zz", 400 ],
    [ 'a NUL', $FORM, "a=\0&openid_identifier=$ALICE", 400 ],
    [ 'parts without an end', $PARTS, substr(parts_of(@id), 0, -4), 400 ],
    [ 'parts with a NUL', $PARTS, parts_of([ 'a', "\0" ], @id), 400 ],
    [ 'too many parts', $PARTS,
      parts_of(@id, map { [ "p$_", '' ] } 2 .. 513), 413 ],
) {
    my ($what, $type, $body, $status) = @$case;
    refusals();
    is post($APP, $type, $body)->status, $status,
        "broken, and it names an identifier: $what";
    is scalar(refusals()), 1, 'which the log says once';
}

for my $case ([ $FORM, 'openid_identifier=' . encode($ALICE) ],
              [ $PARTS, parts_of(@id) ]) {
    my ($type, $body) = @$case;
    for my $coding ('gzip', 'identity, gzip') {
        arrives(post($APP, $type, $body, [ 'Content-Encoding' => $coding ]),
            $body, "what is coded is not looked into: $coding");
    }
    is post($APP, $type, $body, [ 'Content-Encoding' => 'Identity' ])->status,
        303, 'what is coded by nothing is';
    my $sent = post($APP, $type, $body, [ 'Expect' => '100-continue' ]);
    like $sent->status, qr/\A(?:100|303)\z/, 'nor is Expect: 100-continue '
        . 'a trap for a start';
    my $old = raw_request('POST', $APP, [ [ Cookie => $cookie ],
        [ 'Content-Type' => $type ] ]) =~ s{HTTP/1\.1}{HTTP/1.0}r;
    arrives(exchange(port_of(), $old . $body, $APP), '',
        'HTTP/1.0 without a length has no body');
}

# --- two requests on one connection -----------------------------------------

# All that the server sends in return, headers and all.
sub all_of {
    my ($bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => port_of(), Timeout => 10) or return 'no connection';
    syswrite $socket, $bytes;
    my ($text, $until) = ('', time + 15);
    while (IO::Select->new($socket)->can_read($until - time)) {
        sysread $socket, $text, 65_536, length $text or last;
    }
    return $text;
}

{
    my $one = raw_request('POST', $APP, [[ Cookie => $cookie ],
        [ 'Content-Type' => $FORM ]], 'a=1') =~ s/Connection: close\r\n//r;
    my $two = raw_request('POST', $APP, [[ Cookie => $cookie ],
        [ 'Content-Type' => $FORM ]], 'b=22');
    my @sizes = all_of($one . $two) =~ /BODY_SIZE=(\d+)/g;
    is_deeply \@sizes, [ 3, 4 ],
        'each request on a connection gets its own body';
    my $parts = parts_of([ 'a', 'b' ]);
    my $first = raw_request('POST', $APP, [[ Cookie => $cookie ],
        [ 'Content-Type' => $PARTS ]], $parts) =~ s/Connection: close\r\n//r;
    is_deeply [ all_of($first . $two) =~ /BODY_SIZE=(\d+)/g ],
        [ length $parts, 4 ], 'also behind a multipart form';
    my $nobody = raw_request('POST', $APP, [[ Accept => 'text/html' ],
        [ 'Content-Type' => $FORM ]], form_of(60_000))
        =~ s/Connection: close\r\n//r;
    my $both = all_of($nobody . $two);
    is_deeply [ $both =~ m{^HTTP/1\.1 (\d+)}mg ], [ 401, 200 ],
        'a body for nobody does not become the next request';
    like $both, qr/BODY_SIZE=4\n/, 'which gets its own';
    for my $case ([ 'a large body' => form_of(100_000) ],
                  [ 'a large start', 'openid_identifier='
                    . encode($ALICE) . '&' . form_of(100_000) ],
                  [ 'a large chunked body', [ form_of(100_000) ] ]) {
        my ($what, $body) = @$case;
        my $bytes = raw_request('POST', $APP, [[ Accept => 'text/html' ],
            [ 'Content-Type' => $FORM ],
            ref $body ? [ 'Transfer-Encoding' => 'chunked' ] : () ],
            ref $body ? undef : $body) =~ s/Connection: close\r\n//r;
        my $all = all_of($bytes . (ref $body ? chunked(@$body) : '') . $two);
        is_deeply [ $all =~ m{^HTTP/1\.1 (\d+)}mg ],
            [ $what =~ /start/ ? 413 : 401 ],
            "$what for nobody ends the connection";
        like $all, qr/^Connection: close\r$/m, 'and the answer says so';
    }
    my $mine = raw_request('POST', $APP, [[ Cookie => $cookie ],
        [ 'Content-Type' => $FORM ]], form_of(100_000))
        =~ s/Connection: close\r\n//r;
    is_deeply [ all_of($mine . $two) =~ /BODY_SIZE=(\d+)/g ], [ 100_000, 4 ],
        'control: not one that arrives';
}

# --- bodies that are none ---------------------------------------------------

# Send this, and no more, and wait that long for an answer: the status, "closed"
# or "open".
sub send_part {
    my ($bytes, $shut) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => port_of(), Timeout => 10) or return 'no connection';
    syswrite $socket, $bytes;
    if ($shut) {
        shutdown $socket, 1;
    }
    my $text = '';
    my $until = time + ($shut ? 10 : 0.5);
    while (IO::Select->new($socket)->can_read($until - time)) {
        sysread $socket, $text, 65_536, length $text
            or return $text =~ m{\AHTTP/1\.1 (\d+)} ? $1 : 'closed';
        last if time > $until;
    }
    return $text =~ m{\AHTTP/1\.1 (\d+)} ? $1 : 'open';
}

sub post_head {
    my (@lines) = @_;
    my $type = $lines[0] =~ /:/ ? $FORM : shift @lines;
    return join "\r\n", 'POST /site/app/body HTTP/1.1', 'Host: localhost:'
        . port_of(), 'Connection: close', "Cookie: $cookie",
        "Content-Type: $type", @lines, '', '';
}

is send_part(post_head('Content-Length: 3') . 'a=1', 1), 200,
    'control: a body that is whole';
is send_part(post_head('Content-Length: 3') . 'a=1'), 200,
    'control: also where the client waits';
is send_part(post_head('Transfer-Encoding: chunked') . chunked('a=1'), 1), 200,
    'control: a chunked body that is whole';
for my $case (
    [ 'a body that is shorter than it should be', 'Content-Length: 1000' ],
    [ 'a body that is far shorter', 'Content-Length: 60000' ],
    [ 'a chunk that is broken off', 'Transfer-Encoding: chunked',
      "400\r\nopenid_identifier=" ],
    [ 'chunks without an end', 'Transfer-Encoding: chunked',
      "3\r\na=1\r\n" ],
    [ 'no chunk at all', 'Transfer-Encoding: chunked', '' ],
    [ 'a chunk of nonsense', 'Transfer-Encoding: chunked', "zz\r\na=1\r\n" ],
    [ 'a negative chunk', 'Transfer-Encoding: chunked', "-5\r\na=1\r\n" ],
    [ 'a chunk of a huge size', 'Transfer-Encoding: chunked',
      "ffffffffffffffff\r\na=1\r\n" ],
    [ 'a negative length', 'Content-Length: -1' ],
    [ 'a length that is no number', 'Content-Length: many' ],
    [ 'a length beyond all', 'Content-Length: 99999999999999999999999' ],
) {
    my ($what, $header, $body) = @$case;
    for my $type ($FORM, $PARTS) {
        my $start = time;
        my $result = send_part(post_head($type, $header)
                               . ($body // 'openid_identifier=x'), 1);
        like $result, qr/\A(?:4\d\d|closed)\z/, "$what is refused: $type";
        cmp_ok time - $start, '<', 5, 'and nothing hangs';
    }
}
{
    # As many as there are workers in one process, and a few.
    my @stuck = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => port_of());
        syswrite $socket, post_head('Content-Length: 1000') . 'a=1';
        $socket;
    } 1 .. 14;
    is $browser->get($APP)->status, 200,
        'some bodies that do not come keep nobody else waiting';
    close $_ for @stuck;
}
arrives(post($APP, $FORM, 'a=1'), 'a=1', 'control: the server goes on');

done_testing;
