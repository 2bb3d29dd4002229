#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The browser's side of applications that ask users to sign in themselves
# (OpenIDIntercept): whose answer it is, cookies, frames, where a browser is
# led; and what httpd's processes must know of each other: used answers,
# sessions, how many logins begin, a store that is away.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack qw(parts);
use OpenID2RP::Httpd;
use OpenID2RP::InterceptSiege;
use OpenID2RP::Process qw(lines_of);
use OpenID2RP::Test;
use Test::More;

my $APP = app('');
my $KEPT = app('kept/');

my ($op) = scene();
my ($ALICE, $BOB) = map { $op->id($_) } 'alice', 'bob';

replays();

login_csrf();
login_csrf_by_a_start();
answers_in_frames();
cookie_tossing();
fixation();
open_redirects();
line_ends();

too_many_starts();
a_store_that_is_away();
done_testing;

# --- D. Replay --------------------------------------------------------------

sub replays {
    for my $of ('', 'kept/') {
        for my $v (2, 1) {
            my $name = "D: $v.x, /si/${of}app";
            my $id = $v == 1 ? $op->id1('alice') : $ALICE;
            my $browser = browser();
            my $begun = begin_login($browser, app($of), $id);
            my $url = $op->assertion($begun, -version => $v);
            my $thief = $browser->twin;
            accepted($browser->get($url), $id, "$name: control: once");
            asked();
            refused($thief->get($url), 'nonce-replayed',
                    "$name: sequential replay, with stolen cookies");
            refused(bring($thief, $url, 'post'), 'nonce-replayed',
                    "$name: sequential replay by POST");
            nobody($thief->get(app($of)), "$name: sequential replay");
            my $again = $browser->get($url);
            if ($of) {          # with a session, it goes on
                is $again->header('Location'), app($of), "$name: a reload "
                    . 'leads to where the login began';
                is_deeply [refusals(), $again->headers('Set-Cookie')],
                    ['nonce-replayed'], "$name: a reload is no login";
            }
            else {
                refused($again, 'nonce-replayed', "$name: a reload");
            }
            is_deeply [asked()], [], "$name: nobody is asked again";
        }
    }
    my $browser = browser();
    my $url = answered($browser);
    my @pages = parallel(port_of(), [ ($browser->request('GET', $url)) x 12 ],
                         $url);
    is scalar(grep { told($_)->{IDENTIFIER} } @pages), 1,
        'D: concurrent replay: one signs in';
    is scalar(grep { (told($_)->{ERROR_CODE} // '') eq 'nonce-replayed' }
              @pages), 11, 'D: concurrent replay: the others do not'
        or diag explain [ map { told($_) } @pages ];
    is_deeply [ grep { my $told = told($_); $told->{ERROR}
                           && ($told->{IDENTIFIER} || $told->{REMOTE_USER}) }
                @pages ], [], 'D: concurrent replay: never both';
    is_deeply [refusals()], [ ('nonce-replayed') x 11 ],
        'D: concurrent replay: a line for each';
}

# --- I. The browser's side --------------------------------------------------

sub fetched {
    my ($site, $mode, $dest) = @_;
    return (headers => [ [ 'Sec-Fetch-Site', $site ],
                         [ 'Sec-Fetch-Mode', $mode // 'navigate' ],
                         [ 'Sec-Fetch-Dest', $dest // 'document' ] ]);
}

# An attacker's complete answer, in the browser of a victim: who has logins of
# her own, or none, or is signed in.
sub login_csrf {
    for my $target ($APP, $KEPT) {
        my $url = answered(my $mallory = browser(), $target, $BOB);
        my $waiting = browser();
        begin_login($waiting, $target, $ALICE);
        asked();
        refusals();
        for my $victim ([ 'a fresh browser', browser() ],
                        [ 'one with a login', $waiting ]) {
            my ($what, $browser) = @$victim;
            $what = "I: login CSRF, $target, $what";
            refused($browser->get($url), 'other-browser', $what);
            refused($browser->get($url, fetched('cross-site')),
                    'other-browser', "$what, by a link elsewhere");
            refused(bring($browser, $url, 'post'), 'other-browser',
                    "$what, by POST");
            nobody($browser->get($target), $what);
        }
        is_deeply [asked()], [], 'I: login CSRF: nobody is asked';
        accepted($mallory->get($url, fetched('cross-site')), $BOB,
                 'I: login CSRF: control: in its own browser');
    }
    # Who is signed in stays who she is.
    my $alice = browser();
    accepted($alice->get(answered($alice, $KEPT)), $ALICE, 'I: alice');
    my $url = answered(browser(), $KEPT, $BOB);
    refused($alice->get($url), 'other-browser', 'I: login CSRF, alice');
    is told($alice->get($KEPT))->{IDENTIFIER}, $ALICE,
        'I: login CSRF: alice stays alice';
    asked();
}

# A start from elsewhere: the application is told, and can ask for a click.
sub login_csrf_by_a_start {
    my $query = "$QUERY&openid_identifier=" . encode($BOB);
    my $get = url("/si/app?$query");
    my $form = 'openid_identifier=' . encode($BOB);
    asked();
    refusals();
    for my $site ('cross-site', 'same-site') {
        noticed(browser()->get($get, fetched($site)),
                "I: a link, $site", query => $query);
        noticed(browser()->post($APP, $form, fetched($site)),
                "I: a form, $site", body => $form);
    }
    for my $origin ('http://evil.example', 'null', '', 'http://localhost') {
        noticed(browser()->post($APP, $form, headers => [
            [ Origin => $origin ] ]), "I: a form of \"$origin\"",
            body => $form);
    }
    for my $dest (qw(iframe frame object embed)) {
        noticed(browser()->get($get, fetched('same-origin', 'navigate',
            $dest)), "I: in $dest", query => $query);
    }
    # A picture or a script is no start at all.
    for my $as ([ 'no-cors', 'image' ], [ 'cors', 'empty' ],
                [ 'no-cors', 'script' ]) {
        for my $by ('GET', 'POST') {
            my $page = $by eq 'GET' ? browser()->get($get,
                fetched('cross-site', @$as))
                : browser()->post($APP, $form, fetched('cross-site', @$as));
            nobody($page, "I: @$as, by $by");
            is_deeply [refusals(), $page->headers('Set-Cookie')], [],
                "I: @$as, by $by: is no start";
        }
    }
    is_deeply [asked()], [], 'I: starts from elsewhere: nobody is asked';
    is browser()->get($get, fetched('same-origin'))->status, 303,
        'I: control: a link of this site';
    is browser()->get($get, fetched('none'))->status, 303,
        'I: control: a bookmark';
    is browser()->post($APP, $form, headers => [
        [ Origin => $APP =~ m{\A(http://[^/]+)} ] ])->status, 303,
        'I: control: a form of this site';
    asked();
}

# A page that embeds an answer, and has given the browser the login's cookies.
sub answers_in_frames {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    asked();
    refusals();
    for my $site ('cross-site', 'same-site', 'same-origin') {
        for my $as ([ 'navigate', 'iframe' ], [ 'navigate', 'object' ],
                    [ 'no-cors', 'image' ], [ 'cors', 'empty' ]) {
            my $page = $browser->get($url, fetched($site, @$as));
            my $told = told($page);
            is_deeply { code => $told->{ERROR_CODE}, log => [refusals()],
                        who => $told->{IDENTIFIER}, sessions =>
                        sessions($page), traces => {asked_with($page)}
                            ->{traces} },
                { code => 'other-browser', log => ['other-browser'],
                  who => undef, sessions => 0, traces => [] },
                "I: an answer as @$as, $site" or diag explain $told;
            my ($key, $message) = parts($url);
            $page = $browser->post($key, $message, fetched($site, @$as));
            is $page->status, 303, "I: by POST as @$as, $site: comes again";
            $page = $browser->get($key, fetched($site, @$as));
            is told($page)->{ERROR_CODE}, 'other-browser',
                "I: by POST as @$as, $site: refused";
            refusals();
        }
    }
    is_deeply [asked()], [], 'I: an answer in frames: nobody is asked';
    nobody($browser->get($KEPT), 'I: an answer in frames');
    accepted($browser->get($url, fetched('cross-site')), $ALICE,
             'I: an answer in frames: control: as a page');
}

sub cookie_tossing {
    for my $case ([ 'a token', 'D' x 22 ], [ 'no token', 'x' ],
                  [ 'a hundred', map { sprintf 'D%021d', $_ } 1 .. 100 ]) {
        my ($what, @bogus) = @$case;
        my $browser = browser();
        my $url = answered($browser);
        my ($own) = values %{ $browser->{jar} };
        my $cookies = join '; ', map { "$own->{name}=$_" } @bogus;
        asked();
        refusals();
        refused(browser()->get($url, headers => [ [ Cookie => $cookies ] ]),
                'other-browser', "I: cookie tossing: $what alone");
        accepted(browser()->get($url, headers => [ [ Cookie =>
            "$cookies; $own->{name}=$own->{value}" ] ]), $ALICE,
            "I: cookie tossing: $what before the login's");
    }
    # The login of one, the cookie of another.
    my ($one, $two) = map { browser() } 1, 2;
    my ($first, $second) = map { answered($_) } $one, $two;
    my ($mine) = values %{ $two->{jar} };
    my ($name) = map { $_->{name} } values %{ $one->{jar} };
    refusals();
    refused(browser()->get($first, headers => [ [ Cookie =>
        "$name=$mine->{value}" ] ]), 'other-browser',
        "I: another browser's KEY, with a cookie of its own");
    accepted($one->get($first), $ALICE, "I: another browser's KEY: control");
    asked();
}

# Whoever sets a cookie before a login knows nothing afterwards.
sub fixation {
    my $known = 'F' x 22;
    my $browser = browser();
    $browser->{jar}{fixed} = { name => 'openid2rp', value => $known,
        host => 'localhost', path => '/', secure => 0, samesite => '' };
    my $page = $browser->get(answered($browser, $KEPT));
    accepted($page, $ALICE, 'I: fixation: control');
    my ($line) = grep { /\Aopenid2rp=/ } $page->headers('Set-Cookie');
    my ($fresh) = $line =~ /\Aopenid2rp=([^;]*)/;
    like $fresh, qr/\A[\w-]{22}\z/, 'I: fixation: 128 bits';
    isnt $fresh, $known, 'I: fixation: a fresh session';
    like $line, qr/; *HttpOnly/i, 'I: its cookie: HttpOnly';
    like $line, qr/; *SameSite=Lax/i, 'I: its cookie: SameSite';
    like $line, qr{; *Path=/(?:;|\z)}i, 'I: its cookie: Path';
    my $of = sub { browser()->get($KEPT, headers => [ [ Cookie =>
        "openid2rp=$_[0]" ] ]) };
    nobody($of->($known), 'I: fixation: the known one');
    is told($of->($fresh))->{IDENTIFIER}, $ALICE, 'I: control: the fresh one';
    is $browser->get(url('/si/kept/out'))->status, 303, 'I: logout';
    nobody($of->($fresh), 'I: logout: on the server');
    # Where sessions are off, none begins, and none is read.
    my $other = browser();
    $page = $other->get(answered($other, $APP));
    is sessions($page), 0, 'I: OpenIDSession off: no session';
    my $kept = browser();
    $kept->get(answered($kept, $KEPT));
    is told($kept->get($KEPT))->{IDENTIFIER}, $ALICE, 'I: control: kept';
    nobody($kept->get($APP), 'I: OpenIDSession off: not that of a neighbour');
    asked();
    refusals();
}

# Every redirect is to this site, but for the one to the provider.
sub open_redirects {
    my $port = port_of();
    my ($origin) = $APP =~ m{\A(http://[^/]+)};
    my $identifier = 'openid_identifier=' . encode($ALICE);
    for my $path ('//evil.example/si/app', '///evil.example/si/app',
                  '/\\evil.example/si/app', '//evil.example/%2e%2e/si/app',
                  '/%09/evil.example/../../si/app', '/si/app//evil.example',
                  '/si/app/\\evil.example', '/si/app;@evil.example') {
        my $browser = browser();
        my $at = sub { exchange($port, $browser->request($_[0],
            "$origin/", $_[1], headers => [ $_[1] ? [ 'Content-Type' =>
                'application/x-www-form-urlencoded' ] : () ])
            =~ s{\A(\w+) / }{$1 $path$_[2] }r, "$origin/") };
        for my $page ($at->('GET', undef, "?$identifier"),
                      $at->('POST', $identifier, ''),
                      $at->('GET', undef, '?openid_return=' . 'A' x 22),
                      $at->('POST', 'openid.mode=cancel',
                            '?openid_return=' . 'A' x 22)) {
            my $to = $page->header('Location');
            next if !defined $to;
            my $good = index($to, "$origin/") == 0
                && $to !~ m{\A\Q$origin\E/[/\\]};
            $good = (OpenID2RP::Evil::asked($page)->{return_to} // '')
                =~ m{\A\Q$origin\E/(?![/\\])}
                if index($to, $op->endpoint) == 0;
            ok $good, "I: open redirect: $path: stays here" or diag $to;
        }
    }
    # Where the login leads to is the path, not what a parameter says.
    asked();
    refusals();
    my $browser = browser();
    my $url = answered($browser, "$APP&target=//evil.example/&openid_target="
                       . '//evil.example/');
    my $page = $browser->get($url);
    accepted($page, $ALICE, 'I: open redirect: parameters', query => "$QUERY&"
             . 'target=//evil.example/&openid_target=//evil.example/');
    is $page->header('Location'), undef, 'I: open redirect: none at all';
    asked();
    refusals();
}

# Line ends and markup, on the way to variables, headers and the log.
sub line_ends {
    OpenID2RP::Test::error_log();
    for my $case ([ 'CR LF', "http://x.example/\r\nSet-Cookie: a=b" ],
                  [ 'LF', "x\n[error] forged line" ],
                  [ 'markup', '"><script>alert(1)</script>' ],
                  [ 'a host with controls', "http://a\x01\x7fb.example/" ],
                  [ 'C1', "http://x\xc2\x85y.example/" ],
                  [ 'long', 'x' x 3000 ], [ 'longer', 'y' x 30_000 ],
                  [ 'wide', "\xe2\x82\xac" x 900 ]) {
        my ($what, $id) = @$case;
        my $form = 'openid_identifier=' . encode($id);
        my $page = browser()->post($APP, $form);
        my @log = error_log();
        my $told = told($page);
        is_deeply [ $page->status, keys %$told ], [ 200, 'NOTICE' ],
            "I: an identifier with $what: a notice";
        ok is_sentence($told->{NOTICE}), "I: an identifier with $what: text"
            or diag $told->{NOTICE};
        is env_of($page)->{BODY}, $form, "I: an identifier with $what: the "
            . 'form arrives';
        is_deeply [ grep { !/\A\[\w\w\w \w\w\w/ } @log ], [],
            "I: an identifier with $what: no forged line";
        is scalar(grep { /login refused/ } @log), 1,
            "I: an identifier with $what: one line";
        is_deeply [ $page->headers('Set-Cookie') ], [],
            "I: an identifier with $what: no header";
    }
    # Of more than one identifier none is taken; what cannot be read, is none.
    my ($one, $two) = map { 'openid_identifier=' . encode($_) } $ALICE, $BOB;
    noticed(browser()->post($APP, "$one&$two"), 'I: two identifiers',
            body => "$one&$two", log => ['bad-identifier']);
    noticed(browser()->post("$APP&$two", $one), 'I: one here, one there',
            body => $one, query => "$QUERY&$two", log => ['bad-identifier']);
    for my $broken ("$one%00", "$one%", "$one&a=%zz") {
        my $page = browser()->post($APP, $broken);
        nobody($page, "I: an identifier that cannot be read: $broken");
        is_deeply [ env_of($page)->{BODY}, refusals(), asked(),
                    $page->headers('Set-Cookie') ], [$broken],
            "I: an identifier that cannot be read: $broken: passes";
    }
    # A path with line ends is no target.
    my $page = browser()->get(url('/si/app/%0d%0aSet-Cookie:%20a=b')
                              . '?openid_identifier=' . encode($ALICE));
    isnt $page->status, 303, 'I: a path with line ends begins no login';
    is_deeply [ $page->headers('Set-Cookie') ], [],
        'I: a path with line ends: no header';
    asked();
    refusals();
}

# --- J. Exhaustion ----------------------------------------------------------

sub too_many_starts {
    my $target = app('', 'si_limit');
    my $browser = browser();
    asked();
    refusals();
    is_deeply [ map { begin_login(browser(), $target, $ALICE)->status }
                1 .. 2 ], [ 303, 303 ], 'J: as many starts as may';
    asked();
    for my $send (sub { begin_login($browser, $target, $ALICE) },
                  sub { $browser->get("$target&openid_identifier="
                                      . encode($ALICE)) }) {
        my $page = $send->();
        is $page->status, 429, 'J: one more does not reach the application';
        like $page->header('Retry-After') // '', qr/\A[1-9]\d*\z/,
            'J: one more: Retry-After';
        unlike $page->body, qr/^QUERY_STRING=/m, 'J: nothing of it';
        is_deeply [asked(), $page->headers('Set-Cookie')], [],
            'J: one more: nobody is asked';
    }
    like join(' ', refusals()), qr/\Arate-limited\b/, 'J: the log says so';
    nobody($browser->get($target), 'J: other requests pass');
}

# Without a store nobody signs in, and the application works.
sub a_store_that_is_away {
    my $headers = join ' ', grep { /\ALoadModule headers_module/ }
        lines_of('t/inherited.conf');
    my $httpd = OpenID2RP::Httpd->new;
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure($headers, "OpenIDStore dbm:$dir/logins",
        'OpenIDAssociate never', '<Location "/">', 'AuthType None',
        'Require all granted', 'OpenIDIntercept On', 'OpenIDSession store',
        map({ "Header always set X-$_ \"%{OPENID2RP_$_}e\"" }
            qw(IDENTIFIER ERROR_CODE NOTICE)), '</Location>');
    ok $httpd->start, 'J: httpd starts' or die $httpd->says;
    my $told = sub {
        my ($page) = @_;
        return { status => $page->status, map { my $v = $page->header("X-$_");
            defined $v && $v ne '(null)' ? ($_ => $v) : () }
            qw(IDENTIFIER ERROR_CODE) };
    };
    my $browser = browser();
    my $member = browser();
    my $in = $told->($member->get($op->assertion(begin_login($member,
        $httpd->page, $ALICE))));
    is_deeply $in, { status => 200, IDENTIFIER => $ALICE },
        'J: control: somebody signs in';
    my $url = $op->assertion(begin_login($browser, $httpd->page, $ALICE));
    chmod 0, glob "$dir/*";
    my $page = begin_login(browser(), $httpd->page, $ALICE);
    is_deeply $told->($page), { status => 200 },
        'J: store outage: a start reaches the application';
    like $page->header('X-NOTICE'), qr/\A[A-Z].*\.\z/,
        'J: store outage: with a notice';
    is_deeply $told->($browser->get($url)),
        { status => 200, ERROR_CODE => 'store-failed' },
        'J: store outage: an answer is refused';
    is_deeply $told->($member->get($httpd->page)), { status => 200 },
        'J: store outage: a session is none meanwhile';
    chmod 0600, glob "$dir/*";
    ok OpenID2RP::Process::wait_for(sub { ($told->($browser->get($url))
        ->{IDENTIFIER} // '') eq $ALICE }), 'J: control: afterwards it is one';
    ok $httpd->stop, 'J: httpd stops';
    is_deeply [ $httpd->crashes ], [], 'J: no child has crashed';
    asked();
}
