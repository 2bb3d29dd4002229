#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Who we say that we are: the realm, the origin behind a proxy, and the
# document by which a provider can make sure of both.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $RETURN_TO = 'http://specs.openid.net/auth/2.0/return_to';
my $XRDS = 'application/xrds+xml';

# What a proxy says, and clients too.
my %HEADER = (
    'X-Forwarded-Proto' => 'https',
    'X-Forwarded-Host' => 'public.example',
    'Forwarded' => 'for=192.0.2.1;host=rfc.example;proto=https',
);
my @ALL = map { [ $_, $HEADER{$_} ] } sort keys %HEADER;

op_reset();
my $op = provider();
my $ID = $op->id('alice');

the_realm();
a_realm_that_does_not_cover_the_page();
a_realm_with_a_wildcard();
nobody_forwards_unless_trusted();
each_header_is_trusted_by_its_name();
the_last_one_counts();
values_in_quotes();
hosts_that_are_none();
a_login_behind_tls();
a_base_url_wins();
a_document_for_providers();
a_document_where_all_is_protected();
no_document();
a_document_for_another_host();
the_log_is_not_flooded();
done_testing;

# A login that is begun with these headers: what the provider is told of us.
sub asked {
    my ($url, @headers) = @_;
    my $page = begin_login_with(browser(), $url, @headers);
    my %sent = map { @$_ } pairs_of($page->header('Location') // '');
    return { status => $page->status, return_to => $sent{'openid.return_to'},
             realm => $sent{'openid.realm'} };
}

sub begin_login_with {
    my ($browser, $url, @headers) = @_;
    return $browser->post($url, { openid_identifier => $ID },
                          headers => [@headers]);
}

sub origin_is {
    my ($asked, $origin, $name) = @_;
    is $asked->{status}, 303, "$name: the login begins";
    is $asked->{realm}, "$origin/", "$name: the realm";
    like $asked->{return_to}, qr{\A\Q$origin\E/protocol/[^?]*\?openid_return=},
        "$name: the way back";
}

# --- OpenIDRealm ------------------------------------------------------------

sub the_realm {
    is asked(url('/protocol/app'))->{realm}, url('/'),
        'by default, the realm is the whole site';
    for my $path ('/protocol/realm', '/protocol/realm/below',
                  '/protocol/realm/below/?a=b') {
        is asked(url($path))->{realm}, url('/protocol/realm'),
            "a realm with a path covers $path";
    }
    is asked(url('/protocol/realm-folder/x'))->{realm},
        url('/protocol/realm-folder/'), 'so does one that ends in a slash';
    is asked(url('/protocol/realm-above/x'))->{realm}, url('/protocol/'),
        'and one above its section';
    is_deeply [refusals()], [], 'nothing was refused';
}

sub a_realm_that_does_not_cover_the_page {
    my $site = web_server(sub { [ 404 ], 'nothing' });
    for my $name (qw(path part scheme port host folder)) {
        my $path = "/protocol/realm-$name";
        my $browser = browser();
        my $page = begin_login($browser, url($path), $site);
        is $page->status, 503, "another $name: the login page";
        is $page->action, $path, "another $name: with its form";
        like $page->alert, qr{\AThe realm "https?://\S+" does not cover http},
            "another $name: and a sentence";
        is_deeply [refusals()], ['realm-mismatch'],
            "another $name: one line says why";
        is_deeply [web_log($site)], [], "another $name: nothing is fetched";
        is_deeply $browser->cookie, {}, "another $name: no cookie is left";
    }
    begin_login(browser(), url('/protocol/realm'), $site);
    isnt scalar(web_log($site)), 0,
        'control: where the realm fits, it is fetched';
    is begin_login_with(browser(), url('/protocol/realm-folder/'))->status,
        303, 'control: the folder itself is covered';
    refusals();
}

sub a_realm_with_a_wildcard {
    my %good = ('wild' => '/', 'wild-path' => '/protocol');
    for my $name (sort keys %good) {
        my $asked = asked(url("/protocol/$name", 'protocol_wildcard'));
        is $asked->{realm}, "https://*.realm.example$good{$name}",
            "$name: it is sent as it is";
        like $asked->{return_to},
            qr{\Ahttps://www\.realm\.example/protocol/\Q$name\E\?},
            "$name: which covers the way back";
    }
    is asked(url('/protocol/wild-below', 'protocol_wildcard'))->{realm},
        'https://*.www.realm.example/', 'it covers the name itself';
    is_deeply [refusals()], [], 'nothing was refused';
    for my $name (qw(wild-sibling wild-part wild-other)) {
        is asked(url("/protocol/$name", 'protocol_wildcard'))->{status}, 503,
            "$name: a wildcard for others";
        is_deeply [refusals()], ['realm-mismatch'], "$name: does not cover us";
    }
}

# --- OpenIDForwarded --------------------------------------------------------

sub nobody_forwards_unless_trusted {
    for my $vhost (undef, 'protocol_no_proxy') {
        my $name = $vhost // 'the main server';
        origin_is(asked(url('/protocol/app', $vhost), @$_), url('', $vhost),
                  "$name with " . join ', ', map { $_->[0] } @$_)
            for [], (map { [$_] } @ALL), [@ALL],
            [[ 'X-Forwarded-Port', '1' ], [ 'X-Forwarded-Server', 'x.y' ]];
    }
}

sub each_header_is_trusted_by_its_name {
    my ($port) = url('', 'protocol_proxy_proto') =~ /:(\d+)\z/;
    # Who believes what: [vhost, headers, origin]; undef is the vhost's own.
    my @cases = (
        [ proto => [], undef ],
        [ proto => ['X-Forwarded-Proto'], "https://localhost:$port" ],
        [ proto => ['X-Forwarded-Host'], undef ],
        [ proto => ['Forwarded'], undef ],
        [ proto => [sort keys %HEADER], "https://localhost:$port" ],
        [ host => [], undef ],
        [ host => ['X-Forwarded-Proto'], undef ],
        [ host => ['X-Forwarded-Host'], 'http://public.example' ],
        [ host => ['Forwarded'], undef ],
        [ host => [sort keys %HEADER], 'http://public.example' ],
        [ rfc => [], undef ],
        [ rfc => ['X-Forwarded-Proto', 'X-Forwarded-Host'], undef ],
        [ rfc => ['Forwarded'], 'https://rfc.example' ],
        [ all => [], undef ],
        [ all => ['X-Forwarded-Host'], 'http://public.example' ],
        [ all => ['X-Forwarded-Proto', 'X-Forwarded-Host'],
          'https://public.example' ],
        [ all => [sort keys %HEADER], 'https://rfc.example' ],
    );
    for my $case (@cases) {
        my ($name, $headers, $origin) = @$case;
        my $vhost = "protocol_proxy_$name";
        origin_is(asked(url('/protocol/app', $vhost),
                        map { [ $_, $HEADER{$_} ] } @$headers),
                  $origin // url('', $vhost), "$vhost with @$headers");
    }
    my $base = url('/protocol/app', 'protocol_proxy_all');
    for my $case ([ 'public.example:8443', 'https', ':8443' ],
                  [ 'public.example:443', 'https', '' ],
                  [ 'public.example:80', 'http', '' ],
                  [ 'public.example:443', 'http', ':443' ],
                  [ 'PUBLIC.example', 'HTTPS', '' ],
                  [ '192.0.2.1:81', 'http', ':81', '192.0.2.1' ],
                  [ '[2001:DB8::0:1]:81', 'http', ':81', '[2001:db8::1]' ]) {
        my ($host, $proto, $more, $plain) = @$case;
        origin_is(asked($base, [ 'X-Forwarded-Host', $host ],
                        [ 'X-Forwarded-Proto', $proto ]),
                  lc($proto) . '://' . ($plain // 'public.example') . $more,
                  "$proto and $host");
    }
}

# A client can send such a header too; a proxy adds its own behind it.
sub the_last_one_counts {
    my $url = url('/protocol/app', 'protocol_proxy_all');
    my $good = 'https://good.example';
    origin_is(asked($url, [ 'X-Forwarded-Host', 'evil.example, good.example' ],
                    [ 'X-Forwarded-Proto', 'http,https' ]), $good,
              'the last element of each');
    origin_is(asked($url, [ 'X-Forwarded-Host', 'evil.example' ],
                    [ 'X-Forwarded-Proto', 'http' ],
                    [ 'X-Forwarded-Host', 'good.example' ],
                    [ 'X-Forwarded-Proto', 'https' ]), $good,
              'the last header of each');
    for my $evil ('host=evil.example;proto=http', 'host=evil.example',
                  'for="x,y";host="evil.example"', 'for="a\\"b"', ',', ';',
                  'host=evil.example;for="a;b"') {
        origin_is(asked($url, [ Forwarded => $_ ]), $good, $_)
            for "$evil, host=good.example;proto=https",
            qq{$evil,for="[2001:db8::1]:47011";Host=good.example; PROTO=https};
    }
    # a quote that is left open would make the proxy's part one with it
    for my $evil ('host=evil.example;for="', 'host=evil.example;for="a\\"',
                  'for="host=evil.example;', '"') {
        for my $proxy ('host=good.example;proto=https',
                       'for="[2001:db8::1]";host=good.example;proto=https') {
            my $asked = asked($url, [ Forwarded => "$evil, $proxy" ]);
            is $asked->{status}, 421, "$evil, $proxy: no login";
        }
    }
    origin_is(asked($url, [ Forwarded => 'host=evil.example' ],
                    [ Forwarded => 'host=good.example;proto=https' ]), $good,
              'the last header Forwarded');
    # what the last element does not say, no other one says
    my $asked = asked($url, [ Forwarded =>
        'host=evil.example;proto=https, for=192.0.2.1' ]);
    origin_is($asked, url('', 'protocol_proxy_all'), 'an element without host');
}

sub values_in_quotes {
    my $url = url('/protocol/app', 'protocol_proxy_rfc');
    for my $case (
        [ 'host="good.example";proto="https"', 'https://good.example' ],
        [ 'host="good.example:8443";proto=https',
          'https://good.example:8443' ],
        [ 'host="good\\.example"', 'http://good.example' ],
        [ 'for="x,host=evil.example";host=good.example',
          'http://good.example' ],
        [ 'for="x;host=evil.example;y";host=good.example',
          'http://good.example' ],
        [ 'for="x\\";host=evil.example;y";host=good.example',
          'http://good.example' ],
        [ 'xhost=evil.example;host=good.example;hosts=evil.example',
          'http://good.example' ],
        [ 'for=192.0.2.1;by="_x,y"', url('', 'protocol_proxy_rfc') ],
        [ 'host="[2001:db8::1]:81"', 'http://[2001:db8::1]:81' ],
    ) {
        my ($value, $origin) = @$case;
        origin_is(asked($url, [ Forwarded => $value ]), $origin, $value);
    }
}

sub hosts_that_are_none {
    my $url = url('/protocol/app', 'protocol_proxy_all');
    my @bad = ('', 'evil example', 'evil/x', 'evil.example/', 'evil?x',
        'evil#', 'user@evil', 'evil:99999', 'evil:x', 'evil:80:80', '[::1',
        '[::g]', '-evil', '.evil', 'evil\\x', 'evil%20x', '"', '<evil>',
        'http://evil/', "evil\xff", '*', 'good.example,');
    for my $host (@bad) {
        my $page = begin_login_with(browser(), $url,
                                    [ 'X-Forwarded-Host', $host ]);
        is $page->status, 421, "X-Forwarded-Host \"$host\": no login";
        is $page->header('Location'), undef, "\"$host\" leads nowhere";
        unlike $page->body, qr/evil|good/, "\"$host\" is not repeated";
    }
    for my $proto ('', 'ftp', 'javascript', 'https://evil', 'https://evil/',
                   'https://evil?', 'https://evil#', 'htt ps', '"https"') {
        for my $more ([], [[ 'X-Forwarded-Host', 'good.example' ]]) {
            is asked($url, [ 'X-Forwarded-Proto', $proto ], @$more)->{status},
                421, "X-Forwarded-Proto \"$proto\": no login";
        }
    }
    for my $value ('host=', 'host=""', 'host="a b"', 'host=a/b',
                   'host="a', 'host=x;proto=ftp') {
        is asked($url, [ Forwarded => $value ])->{status}, 421,
            "Forwarded \"$value\": no login";
    }
    origin_is(asked($url, [ 'X-Forwarded-Host', 'good.example' ]),
              'http://good.example', 'control: a host');
}

sub a_login_behind_tls {
    my $vhost = 'protocol_proxy_all';
    my $app = url('/protocol/app', $vhost);
    for my $proto ('https', 'http') {
        my $secure = $proto eq 'https';
        my @proxy = ([ 'X-Forwarded-Proto', $proto ],
                     [ 'X-Forwarded-Host', 'public.example' ]);
        my $browser = browser();
        my $begun = begin_login_with($browser, $app, @proxy);
        my $answer = $op->assertion($begun);
        like $answer, qr{\A$proto://public\.example/}, "$proto: the way back";
        $answer =~ s{\A\w+://[^/]+}{url('', $vhost)}e;
        my $get = sub {     # this browser knows of no TLS
            $_->{secure} = 0 for values %{ $browser->{jar} };
            return $browser->get($_[0], headers => $_[1]);
        };
        my $back = $get->($answer, \@proxy);
        is $back->header('Location'), "$proto://public.example/protocol/app",
            "$proto: the login completes, in the name of the proxy";
        my @set = map { $_->headers('Set-Cookie') } $begun, $back;
        is scalar @set, 3, "$proto: control: three cookies are set";
        is scalar(grep { /; Secure(;|\z)/ } @set), $secure ? 3 : 0,
            $secure ? 'https: all of them for TLS only'
                    : 'http: none of them for TLS only';
        is $get->($app, \@proxy)->status, 200, "$proto: signed in";
        my @other = ([ 'X-Forwarded-Proto', $secure ? 'http' : 'https' ],
                     $proxy[1]);
        is $get->($app, \@other)->status, 401,
            "$proto: but not under the other scheme";
        is $get->($app, [])->status, 401, "$proto: nor past the proxy";
        is $get->($app, [ $proxy[0], [ 'X-Forwarded-Host', 'b.example' ] ])
            ->status, 401, "$proto: nor under another name";
        is $get->($app, [ $proxy[0], [ 'X-Forwarded-Host', 'a b' ] ])
            ->status, 421, "$proto: nor under none";
    }
}

sub a_base_url_wins {
    my $url = url('/protocol/app', 'protocol_proxy_base');
    origin_is(asked($url, @$_), 'https://base.example',
              'OpenIDBaseURL and ' . join ', ', map { "@$_" } @$_)
        for [], [@ALL], [[ 'X-Forwarded-Proto', 'http' ]],
        [[ 'X-Forwarded-Host', 'a b' ]], [[ Forwarded => 'host="' ]];
}

# --- OpenIDPublishXRDS ------------------------------------------------------

sub get_xrds {
    my ($url, %option) = @_;
    return browser(Accept => $option{accept} // $XRDS)
        ->send($option{method} // 'GET', $url, undef,
               headers => $option{headers} // []);
}

# The elements of a small document without attributes that matter, as
# "PATH=TEXT"; it dies where a tag is not closed in its place.
sub elements {
    my ($xml) = @_;
    my (@open, @found);
    $xml =~ s/\A<\?xml version="1.0" encoding="UTF-8"\?>\s*//
        or die "no declaration: $xml";
    while ($xml =~ s/\A([^<]*)<(\/?)([A-Za-z:]+)((?:\s+[\w:]+="[^"<]*")*)>//) {
        my ($text, $end, $name) = ($1, $2, $3);
        die "a stray \"&\": $text" if $text =~ /&(?!\w+;)/;
        if (!$end) {
            push @open, $name;
            next;
        }
        push @found, join('/', @open) . "=$text" if $text =~ /\S/;
        die "</$name> closes nothing" if pop @open ne $name;
    }
    die "not well-formed: $xml" if @open || $xml =~ /\S/;
    return @found;
}

sub is_document {
    my ($page, $uri, $name) = @_;
    is $page->status, 200, "$name: there it is";
    is $page->header('Content-Type'), $XRDS, "$name: as XRDS";
    like $page->header('Vary') // '', qr/\bAccept\b/i,
        "$name: which depends on Accept";
    my $service = 'xrds:XRDS/XRD/Service';
    is_deeply [ eval { elements($page->body) } ],
        [ "$service/Type=$RETURN_TO", "$service/URI=$uri" ],
        "$name: well-formed, with one service" or diag $@, $page->body;
    like $page->body, qr/xmlns:xrds="xri:\/\/\$xrds"/, "$name: namespaces";
    like $page->body, qr/xmlns="xri:\/\/\$xrd\*\(\$v\*2\.0\)"/,
        "$name: of XRDS";
}

sub is_no_document {
    my ($page, $name) = @_;
    unlike $page->header('Content-Type') // '', qr/xrds/, "$name: no XRDS";
    unlike $page->body, qr/xrds|return_to/, "$name: nor in the body";
}

sub a_document_for_providers {
    is_document(get_xrds(url('/')), url('/'), 'a site that is open');
    is_document(get_xrds(url('/'), accept => $_), url('/'), "Accept: $_")
        for "text/html;q=0.3, $XRDS", "$XRDS;q=0.9", uc $XRDS;
    is_document(get_xrds(url('/?a=b')), url('/'), 'with a query');
    my $realm = '/protocol/realm';
    is_document(get_xrds(url($realm)), url($realm),
                'the path of a realm that is set');
    is_no_document(get_xrds(url("$realm/below")), 'below that path');
    is_document(get_xrds(url('/', 'protocol_proxy_all'), headers => \@ALL),
                'https://rfc.example/', 'behind a proxy');
    is_document(get_xrds(url('/', 'protocol_proxy_base'), headers => \@ALL),
                'https://base.example/', 'with OpenIDBaseURL');
    my $head = get_xrds(url('/'), method => 'HEAD');
    is $head->header('Content-Type'), $XRDS, 'HEAD: the type of it';
    is $head->status, 200, 'HEAD: and its status';
    is $head->body, '', 'HEAD: but no body';
}

sub a_document_where_all_is_protected {
    my $root = url('/', 'protocol_whole');
    is_document(get_xrds($root), $root, 'nobody is signed in');
    is get_xrds($root, method => 'HEAD')->header('Content-Type'), $XRDS,
        'nobody is signed in: HEAD';
    my $browser = browser();
    my $begun = $browser->post(url('/protocol/app', 'protocol_whole'),
                               { openid_identifier => $ID });
    $browser->get($op->assertion($begun));
    is $browser->get(url('/protocol/app', 'protocol_whole'))->status, 200,
        'control: somebody is';
    is_document($browser->get($root, headers => [[ Accept => $XRDS ]]), $root,
                'somebody is signed in');
    for my $path ('/index.html', '/protocol/app', '/x', '//x') {
        my $page = get_xrds(url($path, 'protocol_whole'));
        is_no_document($page, "the path $path");
        is $page->status, 401, "the path $path is protected";
    }
    is browser()->get($root)->status, 401, 'to a browser, so is "/"';
}

sub no_document {
    for my $accept ('*/*', 'application/*', 'application/xml', 'text/html',
                    'application/xrds', 'text/html, */*;q=0.1') {
        is_no_document(get_xrds(url('/'), accept => $accept),
                       "Accept: $accept");
        my $page = get_xrds(url('/', 'protocol_whole'), accept => $accept);
        is_no_document($page, "protected, Accept: $accept");
        is $page->status, 401, "protected, Accept: $accept: still";
    }
    my $root = url('/', 'protocol_unpublished');
    my $page = get_xrds($root);
    is_no_document($page, 'OpenIDPublishXRDS Off');
    is $page->status, 401, 'Off: the path is protected';
    for my $method (qw(POST PUT OPTIONS)) {
        is_no_document(get_xrds(url('/', 'protocol_whole'),
                                method => $method), $method);
    }
    is get_xrds(url('/', 'protocol_whole'))->status, 200, 'control: GET';
}

sub a_document_for_another_host {
    for my $vhost (undef, 'protocol_whole') {
        my $port = port_of($vhost);
        my $name = $vhost // 'the main server';
        for my $host ('evil.example', "evil.example:$port", 'localhost:1',
                      'localhost.evil.example') {
            my $page = exchange($port, "GET / HTTP/1.1\r\nHost: $host\r\n"
                . "Accept: $XRDS\r\nConnection: close\r\n\r\n");
            is $page->status, 421, "$name as $host: misdirected";
            unlike join("\n", $page->body, map { @$_ } @{ $page->{headers} }),
                qr/evil|return_to/, "$name as $host: and not repeated";
        }
        is exchange($port, "GET / HTTP/1.1\r\nHost: localhost:$port\r\n"
            . "Accept: $XRDS\r\nConnection: close\r\n\r\n")->status, 200,
            "$name: control: its own name";
    }
    is_document(get_xrds(url('/'), headers => \@ALL), url('/'),
                'headers that are not trusted');
}

# Anybody can name any host: 60 lines a minute, and the rest as a number.
sub the_log_is_not_flooded {
    my $httpd = OpenID2RP::Httpd->new;
    $httpd->start or BAIL_OUT($httpd->says);
    my $browser = browser();
    is login($browser, $httpd->page, op_url('/user/alice'))->status, 200,
        'flood: control: somebody is signed in';
    my $ask = sub {
        my (@more) = @_;
        return exchange($httpd->port, join("\r\n", 'GET /page.html HTTP/1.1',
            'Host: evil.example', 'Accept: text/html', 'Connection: close',
            @more, '', ''), $httpd->page)->status;
    };
    my $lines = sub { grep { /\ O2RP-210:\ .*"evil\.example".*\ since\ the\ 
        last\ such\ line,\ \d+\ other\ requests\ had\ none/x } $httpd->log };
    my $began = time;
    is $ask->('Cookie: openid2rp=' . $browser->cookie('openid2rp')), 421,
        'flood: a request with a session, for another host';
    is scalar(my @one = $lines->()), 1, 'flood: has one line';
    my $asked = 1;
    my %status;
    for (1 .. 99) {
        $status{ $ask->() }++;
        $asked++;
    }
    is_deeply \%status, { 421 => 99 }, 'flood: all are refused';
    my $said = $lines->();
    ok $said >= 60 && $said <= 61 + time - $began,
        'flood: 60 lines, and one for each second since'
        or diag "$said lines in ", time - $began, ' seconds';
    my $deadline = time + 20;
    for (my $now = $said; $now == $said && time < $deadline; $asked++) {
        sleep 0.3;
        $ask->();
        $now = $lines->();
    }
    my ($all, $unsaid) = (0, 0);
    for ($lines->()) {
        $all++;
        $unsaid += $1 if /, (\d+) other requests/;
    }
    is $all + $unsaid, $asked, 'flood: what had no line is counted';
    is $browser->get($httpd->page)->status, 200,
        'flood: control: who was signed in is';
    $httpd->stop;
}
