#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What somebody sees who is not signed in: the login page, a plain 401, or the
# provider; never the protected resource, and never another site's name.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use utf8;
use Digest::SHA qw(sha256_base64);
use Encode qw(encode_utf8);
use OpenID2RP::Test;
use Test::More;

my $FILE = url('/site/as/page/plain.html');
my $APP = url('/site/app/page');
my $ALICE = op_url('/user/alice');
my $ENDPOINT = op_url('/endpoint');
my $EVIL = '"><script>alert(1)</script>';

op_reset();
my $member = browser();
is login($member, $FILE, $ALICE)->status, 200,
    'control: somebody signs in';

# The parameter of that name in the URL that a redirect leads to.
sub in_redirect {
    my ($response, $name) = @_;
    my %have = map { @$_ } pairs_of($response->header('Location') // '');
    return $have{$name};
}

sub is_login_page {
    my ($response, $what) = @_;
    subtest $what => sub {
        is $response->status, 401, 'the status is 401';
        is $response->header('Content-Type'), 'text/html; charset=utf-8',
            'it is HTML';
        like $response->body, qr/name="openid_identifier"/,
            'it asks for an OpenID';
        unlike $response->body, qr/PROTECTED/, 'nothing protected is in it';
    };
}

sub is_plain_401 {
    my ($response, $what) = @_;
    subtest $what => sub {
        is $response->status, 401, 'the status is 401';
        is $response->header('WWW-Authenticate'), 'OpenID',
            'it says how to authenticate';
        unlike $response->body, qr/<form/, 'it has no form';
        unlike $response->body, qr/PROTECTED/, 'nothing protected is in it';
    };
}

# --- who gets what ----------------------------------------------------------

is_login_page(browser()->get($FILE), 'a browser that navigates gets the page');
is_login_page(browser()->post($APP, { a => 1 }),
    'a form that somebody posts gets the page');
is_login_page(browser()->get($FILE, headers => [[ 'Sec-Fetch-Mode',
    'navigate' ]]), 'Sec-Fetch-Mode navigate gets the page');

for my $case (
    [ 'fetch() in a script', 'Sec-Fetch-Mode' => 'cors' ],
    [ 'a picture', 'Sec-Fetch-Mode' => 'no-cors' ],
    [ 'fetch() of the same origin', 'Sec-Fetch-Mode' => 'same-origin' ],
    [ 'XMLHttpRequest', 'X-Requested-With' => 'XMLHttpRequest' ],
) {
    my ($who, @header) = @$case;
    is_plain_401(browser()->get($FILE, headers => [ \@header ]),
        "$who gets 401 without a page");
    is $member->get($FILE, headers => [ \@header ])->status, 200,
        "control: $who gets the file when signed in";
}
for my $accept ('application/json', '*/*', 'image/avif,*/*;q=0.8') {
    is_plain_401(browser(Accept => $accept)->get($FILE),
        "Accept: $accept gets 401 without a page");
}
is_plain_401(exchange(port_of(), raw_request('GET', $FILE, []), $FILE),
    'a client that says nothing of itself gets 401 without a page');

my %action = (
    'page' => [ 1, 0 ], 'page-login' => [ 1, 1 ], 'page-401' => [ 0, 0 ],
);
for my $name (sort keys %action) {
    my @client = ([ 'a browser', browser() ],
                  [ 'a program', browser(Accept => 'application/json') ]);
    for my $i (0, 1) {
        my $answer = $client[$i][1]->get(url("/site/as/$name/plain.html"));
        my $what = "OpenIDUnauthAction of $name, $client[$i][0]";
        $action{$name}[$i] ? is_login_page($answer, "$what: the page")
                           : is_plain_401($answer, "$what: 401");
    }
}

# --- the protected body is in no answer -------------------------------------

my $etag = $member->get($FILE)->header('ETag');
for my $case (
    [ 'GET', undef ],
    [ 'HEAD', undef ],
    [ 'OPTIONS', undef ],
    [ 'PUT', 'something' ],
    [ 'DELETE', undef ],
    [ 'PROPFIND', undef ],
    [ 'NONSENSE', undef ],
    [ 'POST', 'a=1' ],
    [ 'GET', undef, Range => 'bytes=0-9' ],
    [ 'GET', undef, Range => 'bytes=100-' ],
    [ 'GET', undef, 'If-None-Match' => $etag ],
    [ 'GET', undef, 'If-None-Match' => '*' ],
    [ 'GET', undef, 'If-Modified-Since' => 'Fri, 01 Jan 2100 00:00:00 GMT' ],
    [ 'GET', undef, 'If-Match' => '"other"' ],
    [ 'GET', undef, 'Accept-Encoding' => 'gzip' ],
) {
    my ($method, $body, @header) = @$case;
    my %option = (headers => @header ? [ \@header ] : []);
    for my $name ('page', 'page-login', 'page-401') {
        for my $kind ('as', 'app') {
            my $url = url("/site/$kind/$name" . ($kind eq 'as'
                          ? '/plain.html' : ''));
            my $answer = browser()->send($method, $url, $body, %option);
            ok $answer->status == 401 && $answer->body !~ /PROTECTED/
                && !$answer->header('ETag'),
                "nothing protected is in the answer to $method @header "
                . "$kind/$name" or diag $answer->status;
        }
    }
}
like $member->get($FILE)->body, qr/PROTECTED/,
    'control: it is for who is signed in';
like $member->post($APP, 'a=1')->body, qr/PROTECTED/,
    'control: so it is by POST';
is $member->get($FILE, headers => [[ Range => 'bytes=0-9' ]])->status, 206,
    'control: Range gives a part to who is signed in';
is $member->get($FILE, headers => [[ 'If-None-Match' => $etag ]])->status,
    304, 'control: If-None-Match says "unchanged" to who is signed in';
is browser()->send('HEAD', $FILE)->body, '', 'HEAD has no body';
is_login_page(browser()->get(url('/site/as/page/there-is-none')),
    'whether a file exists is not told');

# --- the page ---------------------------------------------------------------

my $page = browser()->get($FILE);
my ($style) = $page->body =~ m{<style>(.*?)</style>}s;
my $csp = $page->header('Content-Security-Policy') // '';
like $csp, qr/\bdefault-src 'none'/, 'the policy allows nothing by default';
like $csp, qr/\bframe-ancestors 'none'/, 'the page may not be framed';
like $csp, qr/\bbase-uri 'none'/, 'no base can be slipped in';
is $csp =~ /'sha256-([^']+)'/ && $1, sha256_base64($style) . '=',
    'the hash in the policy is that of the style in the page';
unlike $csp, qr/unsafe|\*/, 'the policy has no hole';
unlike $page->body, qr/<script|\son\w+=|\sstyle=/i,
    'the page has no script and no style elsewhere';
is $page->header('Cache-Control'), 'no-store', 'the page is not stored';
is $page->header('X-Content-Type-Options'), 'nosniff',
    'its type is not guessed';
is $page->header('Referrer-Policy'), 'strict-origin',
    'its path is not passed on';
is $page->header('WWW-Authenticate'), 'OpenID',
    'the 401 names a way to authenticate';

like $page->body, qr/<html lang="en">/, 'the language is declared';
like $page->body, qr/<title>[^<]+<\/title>/, 'the page has a title';
like $page->body, qr/<h1>[^<]+<\/h1>/, 'it has one heading';
my ($for) = $page->body =~ /<label for="(\w+)">/;
like $page->body, qr/<input id="\Q$for\E"[^>]* name="openid_identifier"/,
    'the label belongs to the field';
my ($hint) = $page->body =~ /aria-describedby="(\w+)"/;
like $page->body, qr/id="\Q$hint\E">[^<]+</, 'the hint belongs to the field';
is $page->alert, undef, 'nothing is alarming at first';
is $page->action, '/site/as/page/plain.html', 'the form leads back here';

my $failed = browser()->post($FILE, { openid_identifier => 'ftp://nowhere/' });
is $failed->status, 400, 'what is no OpenID is a mistake of the user';
like $failed->body, qr/<p role="alert">[^<]+</,
    'what went wrong stands in an alert';
like $failed->body, qr/value="ftp:\/\/nowhere\/"/,
    'what was typed is there to be corrected';
my ($said) = $failed->body =~ /<div id="(\w+)"><p role="alert">/;
like $failed->body, qr/<input [^>]*aria-invalid="true"/,
    'the field is marked as wrong';
like $failed->body, qr/<input [^>]*aria-describedby="\Q$said\E hint"/,
    'and is described by the alert';
unlike $page->body, qr/aria-invalid|"\Q$said\E/,
    'control: neither is so where nothing is wrong';
is $failed->header('Cache-Control'), 'no-store', 'an error is not stored';
like $failed->header('Content-Security-Policy') // '', qr/sha256-/,
    'an error page has the policy too';
is_deeply [ refusals() ], [ 'bad-identifier' ],
    'one line in the log says why';
unlike browser()->get("$FILE?openid_return=")->body, qr/aria-invalid/,
    'control: the field is not wrong where it is the answer of a provider';
refusals();

my $two = browser()->post($FILE, [[ 'openid_identifier', $ALICE ],
                                  [ 'openid_identifier', $ALICE ]]);
is $two->status, 400, 'two OpenIDs are one too many';
like $two->alert, qr/one OpenID/, 'and the page says so';

# --- buttons ----------------------------------------------------------------

my $buttons = browser()->get(url('/site/as/page-buttons'))->body;
my @button = $buttons =~ 
    /<button name="openid_identifier" value="([^"]*)">(.*?)<\/button>/g;
is_deeply \@button, [
    'https://one.example/?a=1&amp;b=%22',
    'Plain &quot;quoted&quot; &lt;b&gt;bold&lt;/b&gt; &amp; more',
    op_url('/'), encode_utf8('Zweiter Knopf für dich') ],
    'each provider has a button, and labels and addresses are escaped';
like $buttons, qr/<label for="openid">/,
    'beside the buttons, an OpenID can be typed';
is login(browser(), url('/site/as/page-buttons/plain.html'), $button[2])
    ->status, 200, 'the button of a provider signs in';

# --- a single provider ------------------------------------------------------

my $elsewhere = web_server(sub { [ 404 ], 'nothing' });
my $single = url('/site/as/page-single/plain.html');
my $direct = browser()->get("$single?a=1");
is $direct->status, 303, 'with a single provider there is no page';
like $direct->header('Location'), qr/\A\Q$ENDPOINT\E\?/,
    'but its endpoint at once';
for my $way ('get', 'post') {
    my $answer = $way eq 'get'
        ? browser()->get("$single?openid_identifier=" . encode($elsewhere))
        : begin_login(browser(), $single, $elsewhere);
    like $answer->header('Location'), qr/\A\Q$ENDPOINT\E\?/,
        "another identifier is not taken by $way";
    is in_redirect($answer, 'openid.identity'),
        'http://specs.openid.net/auth/2.0/identifier_select',
        "nor is the provider asked about it by $way";
}
is_deeply [ web_log($elsewhere) ], [], 'and the other site is not asked';
begin_login(browser(), $FILE, $elsewhere);
isnt scalar(web_log($elsewhere)), 0,
    'control: where any is taken, the other site is asked';
{
    my $browser = browser();
    my $answer = $browser->get("$single?a=1&b=");
    my ($url) = ask_op($browser, $answer);
    is $browser->get($url)->header('Location'), "$single?a=1&b=",
        'it leads back to where somebody wanted to go';
}
is_plain_401(browser(Accept => 'application/json')->get($single),
    'a program is not sent to the single provider');
{
    my $answer = browser()->send('HEAD', $single);
    is $answer->status, 401, 'HEAD does not begin a login';
    my $dead = browser()->get(url('/site/as/page-dead/plain.html'));
    is $dead->status, 502, 'a single provider that is gone: a page, no loop';
    ok defined $dead->alert, 'which says what went wrong';
    like $dead->body, qr/<button[^>]*>Sign in</, 'and lets one try again';
    unlike $dead->body, qr/<input/, 'but not with another provider';
}

# --- what is written is escaped ---------------------------------------------

for my $path ("$FILE?x=$EVIL", "$FILE/$EVIL", "$FILE?openid_identifiex=$EVIL",
              "$FILE?$EVIL=1", "$FILE?openid_return=$EVIL",
              "$FILE?openid_identifier=$EVIL",
              "$FILE?openid_return=x&openid.mode=error&openid.error=$EVIL") {
    my $answer = browser()->get($path);
    unlike $answer->body, qr/<script/, 'a script in the address is escaped: '
        . substr $path, length $FILE;
    is $answer->header('Location'), undef, 'and leads nowhere';
}
{
    my $browser = browser();
    my $begun = begin_login($browser, $FILE, $ALICE);
    my $answer = $browser->get(in_redirect($begun, 'openid.return_to') . '&'
        . query_of([ 'openid.ns', 'http://specs.openid.net/auth/2.0' ],
                   [ 'openid.mode', 'error' ],
                   [ 'openid.error', "<b>words</b>$EVIL" ]));
    unlike $answer->body, qr/<script|<b>/,
        'so is what a provider says of an error';
    like $answer->alert, qr/words/, 'control: it is told';
}
my $typed = browser()->post($FILE, { openid_identifier => $EVIL });
unlike $typed->body, qr/<script/, 'a script that was typed is escaped';
like $typed->body, qr/value="&quot;&gt;&lt;script/, 'control: it is there';
is browser()->get("$FILE?x=\"%3E")->action,
    '/site/as/page/plain.html?x="%3E', 'control: so is the address';
for my $octets ("\xff\xfe", "\xc0\xaf", "a\0b", "a\r\nb: c") {
    my $answer = begin_login(browser(), $FILE, $octets);
    like $answer->status, qr/\A40[01]\z/,
        'what is no text is refused: ' . encode($octets);
    like $answer->body, qr/ value="">/, 'and does not come back';
}

# --- whose site this is -----------------------------------------------------

my $port = port_of();
my $form = 'openid_identifier=' . encode($ALICE);

# A login that is begun with these headers; Host as given, or none.
sub start_at {
    my ($uri, $to, @header) = @_;
    my $version = (grep { $_->[0] eq 'Host' } @header) ? '1.1' : '1.0';
    return exchange($to, join("\r\n", "POST $uri HTTP/$version",
        map({ "$_->[0]: $_->[1]" } @header), 'Accept: text/html',
        'Connection: close',
        'Content-Type: application/x-www-form-urlencoded',
        'Content-Length: ' . length $form, '', $form), "http://x:$to/");
}

my $path = '/site/as/page/plain.html';
my @ours = ([ Host => "localhost:$port" ]);
for my $case (
    [ 'another host', $path, [ Host => 'evil.example' ] ],
    [ 'another host with our port', $path, [ Host => "evil.example:$port" ] ],
    [ 'our host with another port', $path, [ Host => 'localhost:1' ] ],
    [ 'our host as a part', $path, [ Host => "localhost.evil.example:$port" ] ],
    [ 'another host in the request line', "http://evil.example$path", @ours ],
    [ 'a wildcard', $path, [ Host => '*' ] ],
    [ 'an address', $path, [ Host => "192.0.2.1:$port" ] ],
) {
    my ($what, $uri, @header) = @$case;
    my $answer = start_at($uri, $port, @header);
    like $answer->status, qr/\A4(?:21|00)\z/, "$what: no login is begun";
    is $answer->header('Location'), undef, "$what: nobody is sent anywhere";
    unlike join("\n", map { @$_ } @{ $answer->{headers} }), qr/evil/,
        "$what: and no header repeats it";
}
is start_at($path, $port, [ Host => 'evil.example' ])->status, 421,
    'a login for another host is misdirected';
for my $case (
    [ 'our own host' ],
    [ 'X-Forwarded-Host', 'X-Forwarded-Host' => 'evil.example' ],
    [ 'X-Forwarded-Proto', 'X-Forwarded-Proto' => 'https' ],
    [ 'X-Forwarded-Port', 'X-Forwarded-Port' => '1' ],
    [ 'Forwarded', Forwarded => 'host=evil.example;proto=https' ],
    [ 'X-Host', 'X-Host' => 'evil.example' ],
) {
    my ($what, @header) = @$case;
    my $answer = start_at($path, $port, @ours, @header ? \@header : ());
    is $answer->status, 303, "$what: a login is begun";
    like in_redirect($answer, 'openid.return_to'),
        qr{\Ahttp://localhost:$port/}, "$what: which returns to us";
    is in_redirect($answer, 'openid.realm'), "http://localhost:$port/",
        "$what: in our name";
}
{
    my $answer = start_at($path, $port);
    is $answer->status, 303, 'HTTP/1.0 without Host: a login is begun';
    like in_redirect($answer, 'openid.return_to'),
        qr{\Ahttp://[^/]+\Q$path\E\?}, 'and returns to ServerName';
}
unlike exchange($port, "GET $path HTTP/1.1\r\nHost: evil.example\r\n"
    . "Accept: text/html\r\nConnection: close\r\n\r\n")->body, qr/evil/,
    'the login page of another host does not name it';
unlike exchange($port, "GET /site/as/page-single/ HTTP/1.1\r\n"
    . "Host: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
    ->header('Location') // '', qr/./,
    'a single provider is not asked in the name of another host';

my $names = port_of('site_names');
for my $host ('www.site.example', 'site.example', 'a.alias.example',
              'WWW.Site.Example', 'a.b.alias.example') {
    my $answer = start_at('/plain.html', $names, [ Host => "$host:$names" ]);
    is in_redirect($answer, 'openid.realm'), "http://\L$host\E:$names/",
        "ServerName and ServerAlias: $host is ours";
    $answer = start_at('/plain.html', $names, [ Host => $host ]);
    is in_redirect($answer, 'openid.realm'), "http://\L$host\E:$names/",
        "$host without the port is ours too";
}
for my $host ('alias.example', 'alias.example.evil.example', 'site.example2',
              'xsite.example', "a.alias.example:1") {
    is start_at('/plain.html', $names, [ Host => $host ])->status, 421,
        "$host is not ours";
}
{
    my $base = port_of('site_base');
    for my $host ('inside.example', 'evil.example', 'public.example:1') {
        my $answer = start_at('/plain.html', $base, [ Host => $host ]);
        is in_redirect($answer, 'openid.realm'), 'https://public.example/',
            "with OpenIDBaseURL the Host plays no part: $host";
        like in_redirect($answer, 'openid.return_to'),
            qr{\Ahttps://public\.example/plain\.html\?openid_return=},
            "nor in the return URL: $host";
    }
    my $answer = start_at('/plain.html', port_of('site_https'),
        [ Host => 'secure.example' ]);
    is in_redirect($answer, 'openid.realm'), 'https://secure.example/',
        'ServerName with https:// is what the outside sees';
}

# --- where the browser is sent in the end -----------------------------------

# The whole login at a path of the site that is protected everywhere; where it
# leads to in the end, without our origin.
sub arrival {
    my ($uri) = @_;
    my $origin = "http://www.site.example:$names";
    my $browser = browser();
    my $answer = $browser->post("$origin$uri", $form);
    return $answer->status . ' at once' unless $answer->is_redirect;
    my $end = $browser->get(ask_op($browser, $answer));
    my $to = $end->header('Location') // return $end->status . ' at last';
    return $to =~ s/\A\Q$origin\E(?=\/)// ? $to : "ANOTHER SITE: $to";
}

for my $uri ('/', '/plain.html', '/?', '/?a', '/?a=&a=&b', '/a%20b', '/%C3%A9',
    '/%25', '/a;b=1/c,d', '/?q=%26&x=+&y=%2B', '/?%zz', '/a%3Fb?c',
    '/~x/!$\'()*',
    '/?u=http://evil.example/', '/?a=%0d%0aSet-Cookie:%20x=1', '/.hidden',
    '/' . 'x' x 200 . '?' . 'y' x 1000) {
    is arrival($uri), $uri, 'a login leads back to ' . substr $uri, 0, 40;
}
for my $uri ('//evil.example', '//evil.example/%2e%2e', '///evil.example',
    '/\\evil.example', '/\\/evil.example', '\\\\evil.example',
    '/%09/evil.example', '/%5cevil.example', '/%2f/evil.example',
    '/;//evil.example', '/@evil.example', '/.evil.example', '/..//evil.example',
    '//', '/%0d%0aSet-Cookie:%20x=1') {
    unlike arrival($uri), qr{ANOTHER|\A/[/\\]|[\r\n]},
        "$uri leads to no other site";
    my $answer = exchange($names, "GET $uri HTTP/1.1\r\nHost: site.example\r\n"
        . "Accept: text/html\r\nConnection: close\r\n\r\n", 'http://x:1/');
    unlike $answer->action // '', qr{\A(?!/)|\A/[/\\]},
        "nor does the form, which is shown at $uri"
        if $answer->status == 401;
}
{
    my $answer = browser()->post("$FILE?" . 'y' x 7900, $form);
    like $answer->status, qr/\A(?:303|400)\z/,
        'a very long address: a login, or a clear refusal'
        or diag $answer->body;
    ok defined $answer->alert || $answer->is_redirect, 'with a reason';
    is browser()->post("$FILE?" . 'y' x 20_000, $form)->status, 414,
        'what is too long for httpd is refused there';
    is login(browser(), $FILE, $ALICE)->status, 200,
        'control: the server goes on';
}

done_testing;
