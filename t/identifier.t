#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What people type that is no OpenID, and what is at the addresses that they
# type: each time the login page comes again, with one sentence and the way
# to where they wanted to go.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use IO::Socket::INET ();
use OpenID2RP::Test;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

my $QUERY = q{?a=%22%3E%3Cb%3E&a=&"><script>&b};
my $APP = url("/login/app$QUERY");
my $HASTY = url("/login/app$QUERY", 'login_hasty');
my $ALICE = op_url('/user/alice');
my $NS = 'xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"';
my $XRDS = 'Content-Type: application/xrds+xml';
my $HTML = 'Content-Type: text/html';

op_reset();
my $web = web_server(\&answer);
my $GOOD = "$web/good";

what_is_typed();
where_nothing_may_be_asked();
where_nobody_answers();
what_is_there();
slow_servers();
many_redirects();
several_at_once();
done_testing;

# What a site of this test has at a path.
sub answer {
    my ($path, $request, $socket, $url) = @_;
    my $link = "<link rel=openid2.provider href='$url/endpoint'>";
    my %page = (
        '/good' => [$HTML, "<head>$link</head>"],
        '/empty' => [$HTML, ''],
        '/plain' => [$HTML, '<title>A page</title><p>Hello.'],
        '/image' => ['Content-Type: image/png', "\x89PNG\r\n" . "\0" x 500],
        '/body-link' => [$HTML, "<head></head><body>$link</body>"],
        '/bad-endpoint' => [$HTML,
            q{<head><link rel=openid2.provider href="javascript:x"></head>}],
        '/xrds-broken' => [$XRDS, '<XRDS><XRD><Service>'],
        '/xrds-empty' => [$XRDS, "<xrds:XRDS $NS><XRD></XRD></xrds:XRDS>"],
        '/xrds-garbage' => [$XRDS, "\xff\xfe\0garbage"],
        '/xrds-doctype' => [$XRDS, '<!DOCTYPE x [<!ENTITY u "' . "$url/e"
            . qq{">]><xrds:XRDS $NS><XRD><Service><Type>}
            . 'http://specs.openid.net/auth/2.0/signon</Type><URI>&u;</URI>'
            . '</Service></XRD></xrds:XRDS>'],
        '/xrds-elsewhere' => [$HTML, "<head><meta http-equiv=X-XRDS-Location "
            . "content='$url/missing'></head>"],
        '/big' => [$HTML, "<head>$link</head>" . 'x' x 400_000],
        '/below-limit' => [$HTML, "<head>$link</head>" . 'x' x 20_000],
    );
    return ([ 200, $page{$path}[0] ], $page{$path}[1]) if $page{$path};
    return ([ $1, $HTML ], "<head>$link</head>")
        if $path =~ m{\A/status/(\d+)\z};
    if ($path =~ m{\A/hop/(\d+)\z}) {
        my $to = $1 ? '/hop/' . ($1 - 1) : '/good';
        return ([ 302, "Location: $url$to" ], '');
    }
    return ([ 302, "Location: $1" =~ s/%2F/\//gr ], '')
        if $path =~ m{\A/to/(.*)\z};
    return ([ 302, "Location: $url/loop" ], '') if $path eq '/loop';
    if ($path eq '/close') { return }
    if ($path eq '/reset') {
        setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        return;
    }
    if ($path eq '/garbage') { print $socket "\0\1\2 garbage\n" x 100; return }
    if ($path eq '/half') {
        print $socket "HTTP/1.1 200 OK\r\n$HTML\r\nContent-Length: 5000\r\n"
            . "\r\n<head>$link";
        return;
    }
    $socket->autoflush(1);
    local $SIG{PIPE} = 'IGNORE';
    if ($path eq '/never') { sleep 8; return }
    if ($path eq '/slow-headers') {
        print $socket "HTTP/1.1 200 OK\r\n" or return;
        for (1 .. 30) { print $socket "X-$_: x\r\n" or return; sleep 0.3 }
        return;
    }
    if ($path eq '/drip' || $path eq '/endless') {
        print $socket "HTTP/1.1 200 OK\r\n$HTML\r\n\r\n<head>$link";
        my $size = $path eq '/drip' ? 1 : 50_000;
        for (1 .. 30) {
            print $socket ' ' x $size or return;
            sleep 0.3 if $size == 1;
        }
        return;
    }
    return ([ 404, $HTML ], "<head>$link</head>");
}

# The identifier is refused, and the page is what it has to be.
sub refused {
    my ($target, $id, $status, $code, $name) = @_;
    refused_page(begin_login(my $browser = browser(), $target, $id),
                 $status, $name);
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    is_deeply $browser->cookie, {}, "$name: no cookie is left";
}

sub refused_page {
    my ($page, $status, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    my @alerts = $page->body =~ /role="alert"/g;
    is scalar @alerts, 1, "$name: one alert";
    like $page->alert // '', qr/\A\S.{8}.*[.]\z/s,
        "$name: with a sentence" or diag $page->body;
    is $page->action, "/login/app$QUERY",
        "$name: the form goes to where the user wanted to go";
    unlike $page->body, qr/<script|"><b>/, "$name: all is escaped";
}

sub found {
    my ($target, $id, $name) = @_;
    is begin_login(browser(), $target, $id)->status, 303,
        "$name: the login begins";
    is_deeply [refusals()], [], "$name: and nothing is refused";
}

sub what_is_typed {
    found($APP, $ALICE, 'an OpenID');
    my @bad = (
        ['nothing', ''], ['blanks', " \t "],
        ['3,000 characters', $ALICE . 'x' x 3000],
        ['2,001 characters', 'http://localhost/' . 'x' x 1984],
        ['no host', 'http://'], ['no host, but a path', 'http:///x'],
        ['a bracket', 'http://['], ['a broken IPv6 address', 'http://[::g]/'],
        ['a port that is none', 'http://localhost:99999/'],
        ['half an escape', 'http://localhost/%4'],
        ['a space', 'http://localhost/a b'],
        ['a newline', "http://localhost/\nx"],
        ['a carriage return', "http://localhost/\r\nX-Evil: 1"],
        ['a bell', "local\ahost"],
        ['bytes that are not UTF-8', "http://localhost/\xff\xfe"],
        ['ftp', 'ftp://localhost/x'], ['a file', 'file:///etc/passwd'],
        ['gopher', 'gopher://localhost/_x'],
        ['javascript', 'javascript:alert(1)'],
        ['an address of mail', 'mailto:alice@example.com'],
        ['a user', 'http://alice@localhost/'],
        ['a user and a password', 'http://a:b@localhost/'],
        ['a host in no letters', "http://\xef\xbf\xbd.example/"],
        ['markup', '"><script>alert(1)</script>'],
    );
    refused($APP, $_->[1], 400, 'bad-identifier', $_->[0]) for @bad;
    refused($APP, $_, 400, 'xri-unsupported', "the i-name $_")
        for '=alice', '@example*alice', 'xri://=alice', '(x)';

    my $page = begin_login(browser(), $APP, 'ftp://"><script>');
    like $page->body, qr/value="ftp:\/\/&quot;&gt;&lt;script&gt;"/,
        'what was typed is in the form again, escaped';
    is_deeply [refusals()], ['bad-identifier'], 'and refused';
    $page = browser()->post($APP, [ [ openid_identifier => $ALICE ],
                                    [ openid_identifier => $GOOD ] ]);
    refused_page($page, 400, 'two identifiers');
    is_deeply [refusals()], ['bad-identifier'], 'two identifiers are none';
    $page = begin_login(browser(), $APP, "http://localhost/\0x");
    refused_page($page, 400, 'a NUL: a form that cannot be read');
    is_deeply [refusals()], ['bad-identifier'], 'a NUL is no identifier';
    my $get = browser()->get("$APP&openid_identifier=ftp%3A%2F%2Fx");
    refused_page($get, 400, 'the same by GET');
    is_deeply [refusals()], ['bad-identifier'], 'GET or POST, the same';
}

# Nobody is contacted: it would take longer, and end otherwise. (The numbers are
# ways to write 10.0.0.1; 192.0.2.1 belongs to nobody.)
sub where_nothing_may_be_asked {
    my ($port) = $web =~ /:(\d+)/;
    for my $host (qw(10.0.0.1 0.0.0.0 192.0.2.1 224.0.0.1 [fe80::1] [fc00::1]
                     [::ffff:10.0.0.1] 167772161 0x0a000001 012.0.0.1)) {
        my $start = time;
        refused($APP, "http://$host:$port/", 400, 'address-refused', $host);
        cmp_ok time - $start, '<', 1.5, "$host: at once";
    }
    web_log($web);
    refused($APP, "$web/to/http://10.0.0.1/", 400, 'address-refused',
            'a redirect to 10.0.0.1');
    is_deeply [ map { (split)[1] } web_log($web) ],
        ['/to/http://10.0.0.1/'], 'one request, and no second one';
    found($APP, "http://127.0.0.1:$port/good", 'an address that is allowed');
}

sub where_nobody_answers {
    refused($HASTY, 'http://no-such-host.invalid/', 400, 'unknown-host',
            'a host that does not exist');
    my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $port = $closed->sockport;
    close $closed;
    refused($APP, "http://127.0.0.1:$port/", 502, 'unreachable',
            'a port that is closed');
    refused($APP, "$web/close", 502, 'fetch-failed',
            'a server that says nothing');
    refused($APP, "$web/reset", 502, 'fetch-failed',
            'a server that hangs up');
    refused($APP, "$web/half", 502, 'fetch-failed',
            'a server that breaks off');
    refused($APP, "$web/garbage", 502, 'fetch-failed',
            'a server that speaks no HTTP');
    found($APP, $GOOD, 'a server that answers');
}

sub what_is_there {
    refused($APP, "$web/status/$_", 502, 'http-error', "the status $_")
        for 201, 204, 403, 404, 410, 500, 503;
    refused($APP, "$web/$_", 400, 'not-openid', "a page: $_")
        for qw(empty plain image body-link bad-endpoint);
    refused($APP, "$web/$_", 400, 'not-openid', "a document: $_")
        for qw(xrds-broken xrds-empty xrds-garbage xrds-doctype);
    refused($APP, "$web/xrds-elsewhere", 400, 'not-openid',
            'a page that names a document that is not there');
    refused($APP, "$web/big", 502, 'too-big', 'a page of 400,000 characters');
    refused($HASTY, "$web/endless", 502, 'too-big', 'a page without end');
    found($HASTY, "$web/below-limit", 'a page that is not too big');
}

sub slow_servers {
    for my $path (qw(never slow-headers drip)) {
        my $start = time;
        refused($HASTY, "$web/$path", 504, 'timeout', $path);
        my $took = time - $start;
        cmp_ok $took, '>', 0.9, "$path: it was waited for";
        cmp_ok $took, '<', 3, "$path: and not longer than was configured";
    }
    found($HASTY, $GOOD, 'the same server when it is quick');
}

sub many_redirects {
    found($APP, "$web/hop/4", 'five redirects');
    refused($APP, "$web/hop/5", 502, 'redirect-refused', 'six redirects');
    refused($APP, "$web/loop", 502, 'redirect-refused', 'a loop');
    refused($APP, "$web/to/$_", 502, 'redirect-refused',
            "a redirect to $_") for 'file:///etc/passwd',
        'ftp://127.0.0.1/', 'javascript:alert(1)', 'http://a@127.0.0.1/',
        'http://';
}

# A server that does not answer holds up its own logins only.
sub several_at_once {
    my $form = sub {
        return browser()->request('POST', $HASTY,
            query_of({ openid_identifier => $_[0] }), headers =>
            [ [ 'Content-Type', 'application/x-www-form-urlencoded' ] ]);
    };
    my $start = time;
    my @all = parallel(port_of('login_hasty'),
                       [ map { $form->("$web/$_") } ('never') x 3, 'good' ]);
    is_deeply [ map { $_ ? $_->status : 0 } @all ], [ 504, 504, 504, 303 ],
        'three logins at a dead server, one at a good one';
    cmp_ok time - $start, '<', 3, 'do not wait for one another';
    is_deeply [refusals()], [('timeout') x 3], 'and are told apart';
}
