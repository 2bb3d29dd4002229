#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# I. Browser side, environment, sessions: what somebody can do with addresses,
# cookies, headers and methods alone. Nobody here has a user's cookie or key.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack;
use OpenID2RP::Httpd;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $APP = url('/sb/app');
my $EVIL = '"><script>alert(1)</script>';
my $KEY = 'A' x 22;
my $FORM = [ 'Content-Type', 'application/x-www-form-urlencoded' ];

op_reset();
my $op = provider();
my ($ALICE, $BOB) = map { $op->id($_) } 'alice', 'bob';
my %late = begun_late();

login_csrf();
login_csrf_by_a_start();
login_csrf_from_a_sibling_host();
an_answer_that_a_page_embeds();
a_single_provider_in_a_frame();
fixation();
cookie_attributes();
cookie_attributes_on_https();
cookies_that_contradict_themselves();
a_cookie_without_the_prefix_does_not_count();
bogus_cookies_before_a_logins();
bogus_cookies_before_a_sessions();
many_logins_in_one_browser();
which_logins_go();
a_session_is_of_one_host();
logout_ends_a_session_on_the_server();

answers_that_nobody_waits_for();
the_back_button();
an_answer_by_post_that_comes_late();
an_answer_by_post_that_is_too_long_to_keep();
too_late(%late);
after_a_restart();

what_the_judge_of_locations_thinks();
open_redirect_by_a_login();
open_redirect_by_a_logout();
open_redirect_by_the_request_line();

xss();
crlf();
every_answer_has_its_headers();
a_form_may_lead_to_any_provider();

protected_bodies();
protected_bodies_in_parts();

header_spoofing();
trailer_spoofing();
environment_spoofing();
one_user_at_a_time();
done_testing;

# --- helpers ----------------------------------------------------------------

# A whole login: the page at its end.
sub signs_in {
    my ($browser, $where, $who) = @_;
    my $back = $browser->get(answered($browser, $where, $who));
    return $browser->get($back->header('Location') // return $back);
}

# A browser in which somebody is signed in.
sub member {
    my $page = signs_in(my $browser = browser(), @_);
    $page->status == 200 or BAIL_OUT('nobody can sign in: ' . $page->status);
    return $browser;
}

# A login as far as the provider's answer: the URL that it leads back to.
sub answered {
    my ($browser, $where, $who) = @_;
    return $op->assertion(begin_login($browser, $where // $APP,
                                                $who // $ALICE));
}

# A response that signs in: to this page.
sub accepted {
    my ($page, $to, $name) = @_;
    is $page->header('Location'), $to, "$name: signed in"
        or diag $page->status . ' ' . ($page->alert // '');
    is sessions($page), 1, "$name: with a session";
}

# How many sessions a response begins.
sub sessions {
    return scalar grep { /\A(?:__Host-)?openid2rp=[^;]/ }
        $_[0]->headers('Set-Cookie');
}

# The name and value of the first cookie of a response whose line fits.
sub pair {
    my ($response, $like) = @_;
    my ($line) = grep { $_ =~ $like } $response->headers('Set-Cookie');
    return ($line // '') =~ /\A([^=]*)=([^;]*)/ ? ($1, $2) : ('', '');
}

# The attributes of that cookie.
sub attributes {
    my ($response, $like) = @_;
    my ($line) = grep { $_ =~ $like } $response->headers('Set-Cookie');
    my (undef, @all) = split /; */, $line // '';
    return { map { /\A([^=]+)(?:=(.*))?\z/ ? (lc $1 => $2 // 'yes') : () }
             @all };
}

# A GET with this Cookie header and no other.
sub with_cookie {
    my ($url, $cookie, @more) = @_;
    return browser()->get($url, headers => [ [ Cookie => $cookie ], @more ]);
}

sub user { env_of($_[0])->{REMOTE_USER} // 'nobody' }

# A browser of https sites that something before this httpd does TLS for. It
# keeps to what the prefixes of cookies' names promise.
package Tls {
    BEGIN { our @ISA = ('OpenID2RP::Test::Browser') }

    sub send {
        my ($self, $method, $url, $body, %option) = @_;
        $url =~ s{\Ahttps://}{http://}
            or return $self->SUPER::send($method, $url, $body, %option);
        my $response = OpenID2RP::Test::exchange(
            OpenID2RP::Test::port_of('sb_https'),
            $self->request($method, $url, $body, %option), $url);
        $self->keep($response);
        return $response;
    }

    sub keep {
        my ($self, $response) = @_;
        my @good = grep { $_->[0] ne 'Set-Cookie' || $_->[1] !~ /\A__Host-/i
            || ($_->[1] =~ /; Secure/ && $_->[1] =~ m{; Path=/(?:;|\z)}
                && $_->[1] !~ /; Domain/) } @{ $response->{headers} };
        $self->SUPER::keep(bless { %$response, headers => \@good },
                           ref $response);
    }

    sub cookies {
        my ($self, $url, $none_lax) = @_;
        local $_->{secure} = 0 for values %{ $self->{jar} };
        my @all = sort { $a->{name} cmp $b->{name} } values %{ $self->{jar} };
        return $none_lax ? ''
            : join '; ', map { "$_->{name}=$_->{value}" } @all;
    }
}

sub tls { Tls->new }

# --- login CSRF -------------------------------------------------------------

# Mallory begins a login, answers it, and has the victim's browser open what
# the provider sent him back with.
sub login_csrf {
    my $mallory = browser();
    my $trap = answered($mallory, "$APP?trap", $BOB);
    my ($to, $form) = split /&/, $trap, 2;
    refusals();
    refused(browser()->get($trap), 403, 'other-browser',
            'login CSRF: in a browser without cookies');
    my $busy = browser();
    my $own = answered($busy);
    refusals();
    refused($busy->get($trap), 403, 'other-browser',
            'login CSRF: in a browser with a login of its own');
    outsider($busy, $APP, 'login CSRF: in such a browser');
    is $busy->post($to, $form, cross_site => 1)->header('Location'), $to,
        'login CSRF: by a form on another site: the browser comes again';
    refused($busy->get($to), 403, 'other-browser',
            'login CSRF: by a form on another site');
    accepted($busy->get($own), $APP, 'login CSRF: control: its own login');
    refusals();
    refused($busy->get($trap), 403, 'other-browser',
            'login CSRF: where somebody is signed in');
    insider($busy, $APP, $ALICE, 'login CSRF: who stays who they are');
    my $stolen = join '; ', map { "$_->{name}=" . 'B' x 22 }
        values %{ $mallory->{jar} };
    refusals();
    refused(with_cookie($trap, $stolen), 403, 'other-browser',
            'login CSRF: with a cookie of that name');
    accepted($mallory->get($trap), "$APP?trap",
             'login CSRF: control: where it was begun');
}

# Where browsers do not say Sec-Fetch-Site: on http, but for localhost.
sub login_csrf_by_a_start {
    my $member = member();
    my ($origin) = $APP =~ m{\A(http://[^/]+)};
    my $post = sub {
        my ($browser, @headers) = @_;
        return $browser->post($APP, { openid_identifier => $BOB },
                              headers => \@headers);
    };
    my $http = $origin =~ s/:\d+//r;
    for my $foreign ('http://evil.example', 'null', '', $http, "$origin/",
                     $origin =~ s/http/https/r, "$origin.evil.example",
                     "http://evil.example $origin", "\U$origin.EVIL") {
        my $page = $post->(browser(), [ Origin => $foreign ]);
        is $page->status, 401, "a start of another origin: $foreign";
        like $page->body, qr/value="\Q$BOB\E"/,
            "a start of another origin: $foreign: one click begins it";
        is_deeply [ $page->headers('Set-Cookie') ], [],
            "a start of another origin: $foreign: nothing has begun";
    }
    is $post->($member, [ Origin => 'http://evil.example' ])->status, 401,
        'a start of another origin: also for who is signed in';
    insider($member, $APP, $ALICE, 'a start of another origin: stays');
    for my $case ([ 'of this origin', [ Origin => $origin ] ],
                  [ 'of this origin, in other letters',
                    [ Origin => uc $origin ] ], [ 'without an origin' ],
                  [ 'whose Sec-Fetch-Site says more than its origin',
                    [ Origin => 'null' ],
                    [ 'Sec-Fetch-Site' => 'same-origin' ] ]) {
        my ($what, @headers) = @$case;
        is $post->(browser(), @headers)->status, 303,
            "control: a start $what begins a login";
    }
    is $post->(browser(), [ Origin => $origin ],
               [ 'Sec-Fetch-Site' => 'cross-site' ])->status, 401,
        'a start that is cross-site, whatever its origin';
    is browser()->get("$APP?openid_identifier=" . encode($BOB), headers => [
        [ Origin => 'http://evil.example' ] ])->status, 303,
        'control: the origin of a GET does not count';
    my $base = tls();
    my $of = sub { $base->post('https://sb.example/x',
        { openid_identifier => $BOB }, headers => [ [ Origin => $_[0] ] ]) };
    is $of->('https://sb.example')->status, 303,
        'control: behind something that does TLS, the public origin counts';
    is $of->('http://sb.example')->status, 401,
        'a start of another origin: that of this httpd is one then';
}

# login CSRF from a sibling host: evil.example.com, for www.example.com. To
# browsers it is the same site, so that all cookies come along.
sub login_csrf_from_a_sibling_host {
    my $name = 'login CSRF from a sibling host';
    my $member = member();
    my ($own) = $APP =~ m{\A(http://[^/]+)};
    my $evil = [ Origin => 'http://evil.localhost' ];
    my $start = sub {
        my ($method, @headers) = @_;
        return $method eq 'GET'
            ? $member->get("$APP?openid_identifier=" . encode($BOB),
                           headers => \@headers)
            : $member->post($APP, { openid_identifier => $BOB },
                            headers => \@headers);
    };
    for my $case (
        [ 'a link', 'GET', fetched('same-site') ],
        [ 'a link in other letters', 'GET', fetched('Same-Site') ],
        [ 'a word that nobody knows', 'GET', fetched('near') ],
        [ 'an empty word', 'GET', fetched('') ],
        map({ my $site = $_;
              map { [ "$_, $site", 'GET', fetched($site, 'navigate', $_) ],
                    [ "$_ by POST, $site", 'POST',
                      fetched($site, 'navigate', $_) ] }
              qw(iframe frame object embed fencedframe) }
            'same-site', 'cross-site', 'same-origin', 'none'),
        [ 'a frame of a browser that says no more', 'GET',
          [ 'Sec-Fetch-Dest', 'iframe' ] ],
        [ 'a form', 'POST', $evil, fetched('same-site') ],
        [ 'a form without an origin', 'POST', fetched('same-site') ],
        [ 'a form with the origin of nobody', 'POST', [ Origin => 'null' ],
          fetched('same-site') ],
        [ 'a form with our origin', 'POST', [ Origin => $own ],
          fetched('same-site') ],
        [ 'a form that says same-origin', 'POST', $evil,
          fetched('same-origin') ],
        [ 'a form that says none', 'POST', $evil, fetched('none') ],
    ) {
        my ($what, @request) = @$case;
        my $page = $start->(@request);
        is $page->status, 401, "$name: $what: the login page";
        like $page->body, qr/value="\Q$BOB\E"/, "$name: $what: to click on";
        is_deeply [ $page->headers('Set-Cookie') ], [],
            "$name: $what: nothing has begun";
    }
    for my $dest ('image', 'script', 'empty') {
        my $page = $start->('GET', fetched('same-site', 'no-cors', $dest));
        is $page->status, 200, "$name: $dest: is no start at all";
        is_deeply [ $page->headers('Set-Cookie') ], [],
            "$name: $dest: nothing has begun";
    }
    for my $site ('same-site', 'cross-site') {
        for my $as ([ 'no-cors', 'image' ], [ 'navigate', 'iframe' ]) {
            is $member->get(url('/sb/logout'), headers => [
                fetched($site, @$as) ])->status, 403,
                "$name: @$as, $site: signs nobody out";
        }
    }
    insider($member, $APP, $ALICE, "$name: alice stays");

    for my $case (
        [ 'a link of this site', 'GET', fetched('same-origin') ],
        [ 'a link in other letters', 'GET', fetched('Same-Origin') ],
        [ 'a bookmark', 'GET', fetched('none') ],
        [ 'a page by a service worker', 'GET',
          fetched('same-origin', 'navigate', 'empty') ],
        [ 'a form', 'POST', [ Origin => $own ], fetched('same-origin') ],
        [ 'a form without an origin', 'POST', fetched('same-origin') ],
        [ 'a form that is sent again', 'POST', fetched('none') ],
        [ 'a form of a page without referrers', 'POST', [ Origin => 'null' ],
          fetched('same-origin') ],
        [ 'an old browser', 'GET' ],
    ) {
        my ($what, @request) = @$case;
        is $start->(@request)->status, 303,
            "$name: control: $what begins a login";
    }
}

# What browsers say of a request.
sub fetched {
    my ($site, $mode, $dest) = @_;
    return ([ 'Sec-Fetch-Site', $site ],
            [ 'Sec-Fetch-Mode', $mode // 'navigate' ],
            [ 'Sec-Fetch-Dest', $dest // 'document' ]);
}

# A sibling host can give alice's browser the cookie of mallory's login as well.
sub an_answer_that_a_page_embeds {
    my $name = 'login CSRF from a sibling host: an answer';
    my $back = answered(my $mallory = browser(), "$APP?trap", $BOB);
    my $member = member();
    $member->{jar}{$_} = $mallory->{jar}{$_} for keys %{ $mallory->{jar} };
    my ($key, $form) = split /&/, $back, 2;
    refusals();
    for my $site ('same-site', 'cross-site', 'same-origin') {
        for my $as ([ 'no-cors', 'image' ], [ 'no-cors', 'script' ],
                    [ 'cors', 'empty' ], [ 'same-origin', 'empty' ],
                    [ 'navigate', 'iframe' ], [ 'navigate', 'frame' ],
                    [ 'navigate', 'object' ], [ 'navigate', 'embed' ]) {
            my @headers = (headers => [ fetched($site, @$as) ]);
            refused($member->get($back, @headers), 403, 'other-browser',
                    "$name: @$as, $site");
            refused($member->post($key, $form, @headers), 403,
                    'other-browser', "$name: @$as, $site, POST");
        }
    }
    refused($member->get($back, headers => [ [ 'Sec-Fetch-Mode', 'cors' ] ]),
            403, 'other-browser', "$name: a mode alone");
    refused($member->get($back, headers => [ [ 'Sec-Fetch-Dest', 'iframe' ] ]),
            403, 'other-browser', "$name: a frame alone");
    insider($member, $APP, $ALICE, "$name: alice stays");
    accepted($mallory->get($back, headers => [ fetched('cross-site') ]),
             "$APP?trap", "$name: control: a page that is opened");

    my $browser = browser();
    ($key, $form) = split /&/, answered($browser), 2;
    my $page = $browser->post($key, $form, cross_site => 1,
                              headers => [ fetched('cross-site') ]);
    is $page->header('Location'), $key,
        "$name: control: by a form: the browser comes again";
    accepted($browser->get($key, headers => [ fetched('cross-site') ]), $APP,
             "$name: control: by a form");
    my $script = $browser->get("$APP?openid_return=submit.js", headers => [
        fetched('same-origin', 'no-cors', 'script') ]);
    is $script->status, 200, "$name: control: the script of our form";
}

sub a_single_provider_in_a_frame {
    my $page = url('/protocol/single');
    for my $dest ('iframe', 'document') {
        for my $query ('', '?openid_identifier=x') {
            is browser()->get("$page$query", headers => [
                fetched('same-origin', 'navigate', $dest) ])->status,
                $dest eq 'iframe' ? 401 : 303,
                "a single provider: $dest $query: "
                . ($dest eq 'iframe' ? 'no login' : 'control: a login');
        }
    }
}

# --- fixation, cookie attributes --------------------------------------------

sub fixation {
    my $preset = 'C' x 22;
    my $browser = browser();
    my $plant = sub {
        $browser->keep(OpenID2RP::Test::Response->read("HTTP/1.1 200 OK\r\n"
            . "Set-Cookie: openid2rp=$_[0]; Path=/\r\n\r\n", $APP));
    };
    my %seen;
    for my $value ($preset, member()->cookie('openid2rp')) {
        $plant->($value);
        my $end = $browser->get(answered($browser, $APP, $BOB));
        my ($name, $fresh) = pair($end, qr/\Aopenid2rp=/);
        like $fresh, qr/\A[\w-]{22}\z/,
            'fixation: a login makes 128 random bits';
        ok !$seen{$fresh}++ && $fresh ne $value,
            'fixation: which were never there before';
        is user($browser->get($APP)), $BOB, 'fixation: control: signed in';
        is with_cookie($APP, "openid2rp=$value")->status, 401,
            'fixation: what was planted opens nothing';
    }
}

sub cookie_attributes {
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    my ($name, $value) = pair($begun, qr/_login_/);
    like $name, qr/\Aopenid2rp_login_[\w-]{12}\z/,
        'cookie attributes: the name of a login on an http site';
    like $value, qr/\A[\w-]{22}\.\d{10}\z/,
        'cookie attributes: its value is a token and a time';
    is_deeply attributes($begun, qr/_login_/), { httponly => 'yes',
        path => '/', samesite => 'Lax', 'max-age' => 600 },
        'cookie attributes: of a login on an http site';
    my $end = $browser->get($op->assertion($begun));
    is_deeply attributes($end, qr/\Aopenid2rp=/),
        { httponly => 'yes', path => '/', samesite => 'Lax' },
        'cookie attributes: of a session on an http site';
    is attributes($end, qr/\A\Q$name\E=;/)->{'max-age'}, 0,
        'cookie attributes: that of the login is removed at its end';
    is_deeply [ sort keys %{ $browser->cookie } ], ['openid2rp'],
        'cookie attributes: only the session is left';
}

sub cookie_attributes_on_https {
    my $origin = 'https://sb.example';
    my $browser = tls();
    my $begun = begin_login($browser, "$origin/x", $ALICE);
    my ($name) = pair($begun, qr/_login_/);
    like $name, qr/\A__Host-openid2rp_login_[\w-]{12}\z/,
        'cookie attributes: the name of a login on an https site';
    is_deeply attributes($begun, qr/_login_/), { httponly => 'yes',
        secure => 'yes', path => '/', samesite => 'Lax', 'max-age' => 600 },
        'cookie attributes: of a login on an https site';
    my $end = $browser->get($op->assertion($begun));
    is $end->header('Location'), "$origin/x",
        'cookie attributes: control: it is completed';
    is_deeply attributes($end, qr/\Aopenid2rp=/), { httponly => 'yes',
        secure => 'yes', path => '/', samesite => 'Lax' },
        'cookie attributes: of a session on an https site';
    is_deeply [ keys %{ $browser->cookie } ], ['openid2rp'],
        'cookie attributes: and that of the login is removed';

    $end = signs_in($browser = tls(), "$origin/host", $ALICE);
    is user($end), $ALICE,
        'cookie attributes: OpenIDCookie __Host-...: signed in';
    is_deeply [ keys %{ $browser->cookie } ], ['__Host-session'],
        'cookie attributes: OpenIDCookie __Host-...: that is its name';
    is $browser->get("$origin/x")->status, 401,
        'cookie attributes: which is not that of another section';
    $browser->get("$origin/logout");
    is user($browser->get("$origin/host")), $ALICE,
        'cookie attributes: nor does its logout end it';
}

# Sections add up to what no single line may say.
sub cookies_that_contradict_themselves {
    my %is = (
        '/sb/host' => { httponly => 'yes', path => '/sb', samesite => 'Lax',
                        domain => 'localhost' },
        '/sb/host/inner' => { httponly => 'yes', path => '/', secure => 'yes',
                              samesite => 'Lax' },
        '/sb/none' => { httponly => 'yes', path => '/', secure => 'yes',
                        samesite => 'None' },
        '/sb/none/inner' => { httponly => 'yes', path => '/', secure => 'yes',
                              samesite => 'None' },
    );
    for my $path (sort keys %is) {
        my $browser = browser();
        my $back = answered($browser, url($path));
        # the login's own is Secure as well, and this site is an http one
        $_->{secure} = 0 for values %{ $browser->{jar} };
        error_log();
        my $end = $browser->get($back);
        my ($name) = $path eq '/sb/host' ? 'name' : $path =~ /none/ ? 'none'
            : '__Host-inner';
        is_deeply attributes($end, qr/\A\Q$name\E=/), $is{$path},
            "cookie attributes: $path: those that browsers keep";
        is scalar(grep { /O2RP-253: .*"\Q$name\E"/ } error_log()),
            $path eq '/sb/host' ? 0 : 1,
            "cookie attributes: $path: the log says where they will not";
    }
}

sub a_cookie_without_the_prefix_does_not_count {
    my $browser = tls();
    my $back = answered($browser, 'https://sb.example/x');
    my ($cookie) = values %{ $browser->{jar} };
    $cookie->{name} =~ s/\A__Host-//;
    refusals();
    refused($browser->get($back), 403, 'other-browser',
            'cookie tossing: a name without __Host- on an https site');
    $cookie->{name} = "__Secure-$cookie->{name}";
    refused($browser->get($back), 403, 'other-browser',
            'cookie tossing: another prefix');
    $cookie->{name} =~ s/\A__Secure-/__Host-/;
    is $browser->get($back)->header('Location'), 'https://sb.example/x',
        'cookie tossing: control: the right name';

    my $plain = browser();
    $back = answered($plain);
    my ($own) = values %{ $plain->{jar} };
    refusals();
    refused(with_cookie($back, "__Host-$own->{name}=$own->{value}"), 403,
            'other-browser', 'cookie tossing: a prefix on an http site');
    accepted(with_cookie($back, "$own->{name}=$own->{value}"), $APP,
             'cookie tossing: control: without it');
}

# A neighbour's cookies come first where their path is longer.
sub bogus_cookies_before_a_logins {
    for my $case ([ 'one token' => 'D' x 22 ],
                  [ 'twenty tokens' => map { sprintf 'D%021d', $_ } 1 .. 20 ],
                  [ 'a hundred tokens, as many as fit'
                    => map { sprintf 'D%021d', $_ } 1 .. 100 ],
                  [ 'a token of that time' => 'D' x 22 . '.' . int time ],
                  [ 'a hundred of no shape' => map { "x$_" } 1 .. 100 ],
                  [ 'the same a hundred times' => ('D' x 22) x 100 ],
                  [ 'an empty one' => '' ]) {
        my ($what, @bogus) = @$case;
        my $browser = browser();
        my $back = answered($browser);
        my ($own) = values %{ $browser->{jar} };
        my @cookies = map { "$own->{name}=$_" } @bogus;
        refusals();
        refused(with_cookie($back, join '; ', @cookies), 403,
                'other-browser', "cookie tossing: $what alone");
        my ($to, $form) = split /&/, $back, 2;
        my $page = browser()->post($to, $form, headers => [
            [ Cookie => join '; ', @cookies ] ]);
        is $page->header('Location'), $to,
            "cookie tossing: $what with a POST: the browser comes again";
        accepted(with_cookie($back, join '; ', @cookies,
            "$own->{name}=$own->{value}"), $APP,
            "cookie tossing: $what before the login's");
    }
}

sub bogus_cookies_before_a_sessions {
    my $cookie = 'openid2rp=' . member()->cookie('openid2rp');
    my @tokens = map { sprintf 'openid2rp=E%021d', $_ } 1 .. 200;
    my %before = (
        'seven tokens' => [ @tokens[0 .. 6] ],
        'the same a hundred times' => [ ($tokens[0]) x 100 ],
        'two hundred of no shape' => [ map { "openid2rp=x$_" } 1 .. 200 ],
        'empty ones' => [ ('openid2rp=') x 50 ],
    );
    for my $what (sort keys %before) {
        my $all = join '; ', @{ $before{$what} };
        is user(with_cookie($APP, "$all; $cookie")), $ALICE,
            "cookie tossing: $what before a session's";
        is with_cookie($APP, $all)->status, 401,
            "cookie tossing: control: $what alone";
    }
    is with_cookie($APP, join '; ', @tokens, $cookie)->status, 401,
        'cookie tossing: not more than eight are looked up';
    is user(with_cookie($APP, join '; ', $cookie, @tokens)), $ALICE,
        'cookie tossing: whatever stands behind them';
}

# Tabs that are restored, again and again. The jar keeps the order.
sub many_logins_in_one_browser {
    my $browser = browser();
    my ($most, @back) = (0);
    for my $n (1 .. 20) {
        my $begun = begin_login($browser, "$APP?$n", $ALICE);
        push @back, [ $n, $begun ];
        my $have = grep { /_login_/ } keys %{ $browser->cookie };
        $most = $have if $have > $most;
    }
    is $most, 8, 'parallel logins: a browser has eight cookies of logins';
    my ($n, $begun) = @{ pop @back };
    accepted($browser->get($op->assertion($begun)), "$APP?$n",
             'parallel logins: the newest one');
    is scalar(grep { /_login_/ } keys %{ $browser->cookie }), 7,
        'parallel logins: which takes its cookie with it';
    my %in = (refused => 0, in => 0);
    refusals();
    for (@back) {
        my $page = $browser->get($op->assertion($_->[1]));
        $in{ $page->is_redirect ? 'in' : 'refused' }++;
    }
    is_deeply \%in, { in => 7, refused => 12 },
        'parallel logins: as many can be completed, the others begin again';
    my %why = map { ($_ => 1) } refusals();
    is_deeply \%why, { 'other-browser' => 1 },
        'parallel logins: for they have lost their cookies';
}

sub which_logins_go {
    my $now = int time;
    my $name = sub { sprintf 'openid2rp_login_N%011d', $_[0] };
    my $cookie = sub { $name->($_[0]) . '=' . 'F' x 22 . $_[1] };
    my $removed = sub {
        my (@cookies) = @_;
        my $begun = browser()->post($APP, { openid_identifier => $ALICE },
            headers => [ [ Cookie => join '; ', @cookies ] ]);
        is $begun->status, 303, 'parallel logins: control: one begins';
        my @gone = map { /\A(\w+)=;.*Max-Age=0/ ? $1 : () }
            $begun->headers('Set-Cookie');
        return [ sort @gone ];
    };
    my $old = sub { '.' . ($now - $_[0]) };
    # the third one is older than all, the first one next
    my @seven = map { $cookie->($_, $old->(100 - $_)) } 1 .. 6;
    is_deeply $removed->(@seven, $cookie->(7, $old->(500))), [],
        'parallel logins: seven and a new one have room';
    is_deeply $removed->(@seven, $cookie->(7, $old->(500)),
                         $cookie->(8, $old->(3))), [ $name->(7) ],
        'parallel logins: of eight the oldest goes, wherever it stands';
    is_deeply $removed->($cookie->(9, $old->(400)), @seven,
                         $cookie->(7, $old->(500)), $cookie->(8, $old->(3))),
        [ $name->(7), $name->(9) ], 'parallel logins: of nine the oldest two';
    for my $odd ('', '.', '.x', '.-5', '.' . ($now + 1000), '.99999999999999',
                 '.1e9', 'x', '=') {
        is_deeply $removed->(@seven, $cookie->(7, $old->(500)),
                             $cookie->(8, $odd)), [ $name->(8) ],
            "parallel logins: what has no time (\"$odd\") goes first";
    }
    is_deeply $removed->(map { $cookie->($_, '.' . ($now - 50)) } 1 .. 9),
        [ $name->(1), $name->(2) ],
        'parallel logins: of one second, those that stand in front';
    is scalar(@{ $removed->(map { $cookie->($_, '') } 1 .. 100) }), 16,
        'parallel logins: sixteen go at a time';
    is_deeply $removed->(map({ ("other$_=x", "openid2rp_login_=$_",
        "openid2rp_login_$_=x", $name->($_) . "x=y", "a=" . $name->($_)) }
        1 .. 20), 'openid2rp=' . 'F' x 22), [],
        'parallel logins: other cookies stay';
}

sub a_session_is_of_one_host {
    my $here = member();
    my $there = url('/sb/app', 'sb_late');
    my $cookie = 'openid2rp=' . $here->cookie('openid2rp');
    is with_cookie($there, $cookie)->status, 401,
        'sessions: one of a host is not good at another';
    is user(with_cookie($APP, $cookie)), $ALICE,
        'sessions: control: it is where it began';
    is user(signs_in(browser(), $there, $ALICE)), $ALICE,
        'sessions: control: one can sign in there';
    is exchange(port_of('sb_https'), raw_request('GET', 'http://sb.example/x',
        [[ Cookie => $cookie ], [ Accept => 'text/html' ]]))->status, 401,
        'sessions: nor at an https site';
}

sub logout_ends_a_session_on_the_server {
    my $browser = member();
    my $cookie = 'openid2rp=' . $browser->cookie('openid2rp');
    is user(with_cookie($APP, $cookie)), $ALICE,
        'logout: control: the cookie signs in';
    my $out = $browser->get(url('/sb/logout'));
    is $out->header('Location'), url('/sb/open'), 'logout: leads away';
    is attributes($out, qr/\Aopenid2rp=;/)->{'max-age'}, 0,
        'logout: removes the cookie';
    is with_cookie($APP, $cookie)->status, 401,
        'logout: which is good for nothing from then on';
}

# --- late, again, and from nowhere ------------------------------------------

# A GET, a POST and a HEAD to the same address; of a POST the fields are in its
# body.
sub by {
    my ($method, $browser, $url, @more) = @_;
    my ($to, $form) = $url =~ /\A([^&]*)&?(.*)\z/s;
    return $method eq 'POST' ? $browser->post($to, $form, @more)
        : $browser->send($method, $url, undef, @more);
}

# The login page, to begin again at this page.
sub begins_again {
    my ($page, $status, $target, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    like $page->alert // '', qr/\A[A-Z].{20,}[.]\z/s, "$name: a sentence";
    is $page->action, $target, "$name: and the form";
    is sessions($page), 0, "$name: no session";
}

# What is no answer to a login of ours, and the code that the log has for it.
sub answers_that_nobody_waits_for {
    my $rest = 'openid.mode=id_res&openid.ns='
        . encode('http://specs.openid.net/auth/2.0');
    my %case = (
        'an unknown key' => [ 403, 'no-login', "openid_return=$KEY&$rest" ],
        'no answer either' => [ 403, 'no-login', "openid_return=$KEY" ],
        'a short key' => [ 403, 'no-login', "openid_return=x&$rest" ],
        'a long key' => [ 403, 'no-login', 'openid_return='
                          . 'x' x 3000 . "&$rest" ],
        'a key of 22 odd characters'
            => [ 403, 'no-login', 'openid_return=' . '.%2F' x 11 . "&$rest" ],
        'a cancel' => [ 403, 'no-login',
                        "openid_return=$KEY&openid.mode=cancel" ],
        'an empty key' => [ 400, 'bad-message', "openid_return=&$rest" ],
        'a key that cannot be read'
            => [ 400, 'bad-message', 'openid_return=%zz' ],
        'two keys'
            => [ 400, 'bad-message', "openid_return=$KEY&openid_return=x" ],
    );
    my $alice = member();
    for my $what (sort keys %case) {
        my ($status, $code, $query) = @{ $case{$what} };
        for my $method ('GET', 'POST') {
            # in the body, a second key is no key
            next if $method eq 'POST' && $what eq 'two keys';
            my $name = "late return: $what by $method";
            refusals();
            begins_again(by($method, browser(), "$APP?$query"), $status,
                         '/sb/app', $name);
            is_deeply [refusals()], [$code], "$name: $code is in the log";
            my $on = by($method, $alice, "$APP?$query");
            is $on->status, 303, "$name: who is signed in goes on";
            is $on->header('Location'), $APP, "$name: to the page";
            is_deeply [refusals()], [$code], "$name: $code is in the log too";
            is sessions($on), 0, "$name: with the same session";
        }
        is browser()->send('HEAD', "$APP?$query")->status, 401,
            "late return: $what by HEAD: nobody is signed in";
        is $alice->send('HEAD', "$APP?$query")->status, 200,
            "late return: $what by HEAD: is the application's";
    }
    insider($alice, $APP, $ALICE, 'late return: control: after all these');
}

sub the_back_button {
    my $browser = browser();
    my $back = answered($browser, "$APP?back");
    my %before = %{ $browser->{jar} };
    accepted($browser->get($back), "$APP?back", 'back button: control');
    my ($key) = split /&/, $back;
    refusals();
    for my $url ($back, $key, "$key&openid.mode=cancel", "$key&x=%zz") {
        for my $method ('GET', 'POST') {
            next if $url =~ /zz/ && $method eq 'GET';   # cannot be read
            my $page = by($method, $browser, $url);
            is $page->header('Location'), "$APP?back",
                "back button: signed in, $method: on to the page";
            is_deeply [refusals()], ['nonce-replayed'],
                "back button: signed in, $method: and into the log";
            is sessions($page), 0,
                "back button: signed in, $method: as they are";
        }
    }
    is $browser->send('HEAD', $back)->status, 200,
        'back button: signed in, HEAD: the application answers';

    # signed out meanwhile; or another tab was first
    for my $jar ({}, \%before) {
        my $code = %$jar ? 'nonce-replayed' : 'other-browser';
        for my $url ($back, $key) {
            for my $method ('GET', 'POST') {
                my $other = browser();
                $other->{jar} = {%$jar};
                refusals();
                begins_again(by($method, $other, $url), 403, '/sb/app?back',
                             "back button: not signed in, $code, $method");
                is_deeply [refusals()], [$code],
                    "back button: not signed in, $method: $code in the log";
            }
        }
        my $other = browser();
        $other->{jar} = {%$jar};
        is $other->send('HEAD', $back)->status, 401,
            "back button: not signed in, $code, HEAD: 401";
    }

    # a login that is not over: its answer cannot be read, or says no
    my $fresh = browser();
    $back = answered($fresh, "$APP?fresh");
    ($key) = split /&/, $back;
    for my $url ($key, "$key&openid.mode=nonsense&openid.ns="
                 . encode('http://specs.openid.net/auth/2.0')) {
        begins_again(by($_, $fresh, $url), 400, '/sb/app?fresh',
                     "second tab: no good answer, $_") for 'GET', 'POST';
    }
    accepted($fresh->get($back), "$APP?fresh", 'second tab: control');
}

# What is kept until the browser comes with its cookie: anybody can have it kept.
sub an_answer_by_post_that_is_too_long_to_keep {
    my $browser = browser();
    my ($key, $form) = split /&/, answered($browser, "$APP?long"), 2;
    my $post = sub { $browser->post($key, "$form&x=" . 'x' x $_[0],
                                    cross_site => 1) };
    my $room = 8000 - length "$form&x=";
    refusals();
    refused($post->($room + 1), 400, 'bad-message', 'long POST: 8001 bytes');
    refused($browser->get($key), 400, 'bad-message',
            'long POST: nothing is kept');
    is $post->($room)->header('Location'), $key,
        'long POST: control: 8000 bytes';
    accepted($browser->get($key), "$APP?long", 'long POST: control');
}

# The provider's form is sent again, from another site: browsers hide that
# somebody is signed in, and say that they come from elsewhere.
sub an_answer_by_post_that_comes_late {
    my $browser = browser();
    my $back = answered($browser, "$APP?form");
    my ($key, $form) = split /&/, $back, 2;
    my $post = sub { $_[0]->post($_[1], $form, cross_site => 1, headers => [
        [ 'Sec-Fetch-Site', 'cross-site' ],
        [ 'Sec-Fetch-Mode', 'navigate' ] ]) };
    my $page = $post->($browser, $key);
    is $page->header('Location'), $key, 'late POST: control: in time';
    accepted($browser->get($key), "$APP?form", 'late POST: control: in time');

    refusals();
    $page = $post->($browser, $key);
    is $page->header('Location'), $key, 'late POST: the browser comes again';
    is_deeply [refusals()], [], 'late POST: nothing is decided yet';
    is $browser->get($key)->header('Location'), "$APP?form",
        'late POST: and goes on, if signed in';
    is_deeply [refusals()], ['nonce-replayed'], 'late POST: says the log';
    my $unknown = "$APP?openid_return=$KEY";
    is $post->($browser, $unknown)->header('Location'), $unknown,
        'late POST: of an unknown login: the browser comes again';
    is $browser->get($unknown)->header('Location'), $APP,
        'late POST: and goes on, if signed in';

    my $other = browser();
    is $post->($other, $key)->header('Location'), $key,
        'late POST: likewise if not signed in';
    refusals();
    refused($other->get($key), 403, 'other-browser',
            'late POST: and sees why it cannot go on');
    refused($other->get($unknown), 403, 'no-login',
            'late POST: of an unknown login, likewise');
    for my $bad ('x', '', "\r\nX-Injected:1", '//evil.example') {
        my $odd = $post->($other, "$APP?openid_return=" . encode($bad));
        is $odd->header('Location'), undef,
            'late POST: no address is made of what is no key: ' . encode($bad);
    }
}

# The logins that too_late() comes back for.
sub begun_late {
    my %late;
    my $target = url('/sb/app', 'sb_late') . '?late';
    $late{$_} = [ my $browser = browser() ] for qw(out in);
    for my $who (qw(out in)) {
        push @{ $late{$who} }, answered($late{$who}[0], $target);
    }
    $late{at} = time;
    return %late;
}

sub too_late {
    my (%is) = @_;
    sleep 0.1 while time - $is{at} < 2.1;
    my ($browser, $back) = @{ $is{out} };
    for my $method ('GET', 'POST') {
        refusals();
        begins_again(by($method, $browser, $back), 403, '/sb/app',
                     "timeout: not signed in, $method");
        is_deeply [refusals()], ['no-login'],
            "timeout: not signed in, $method: into the log";
    }
    ($browser, $back) = @{ $is{in} };
    signs_in($browser, url('/sb/app', 'sb_late'), $ALICE);
    for my $method ('GET', 'POST') {
        is by($method, $browser, $back)->header('Location'),
            url('/sb/app', 'sb_late'), "timeout: signed in, $method: on";
    }
    is user($browser->get(url('/sb/app', 'sb_late'))), $ALICE,
        'timeout: control: signed in';
}

# What was in shared memory is gone.
sub after_a_restart {
    my $httpd = OpenID2RP::Httpd->new;
    $httpd->start or die $httpd->says;
    my ($browser, $late) = (browser(), browser());
    is signs_in($browser, $httpd->page, $ALICE)->status, 200,
        'restart: control: signed in';
    my $back = answered($late, $httpd->page . '?a');
    $httpd->stop;
    $httpd->start or die $httpd->says;
    is $browser->get($httpd->page)->status, 401,
        'restart: with an empty store, nobody is signed in any more';
    begins_again(by($_, $late, $back), 403, '/page.html',
                 "restart: with an empty store, $_") for 'GET', 'POST';
    is signs_in($late, $httpd->page, $ALICE)->status, 200,
        'restart: one can sign in again';
    is by($_, $late, $back)->header('Location'), $httpd->page,
        "restart: and then goes on, $_" for 'GET', 'POST';
    is scalar($httpd->crashes), 0, 'restart: nothing has crashed';
    $httpd->stop;
}

# --- open redirect ----------------------------------------------------------

# The origin that a browser ends at, for a Location or a form's action (URL
# Standard): white space around it goes, tabs and line ends go, a backslash is
# a slash, and "http:" without slashes is as good as with them.
sub origin_of {
    my ($text, $base) = @_;
    my ($origin) = $base =~ m{\A(https?://[^/?#]+)};
    my ($scheme) = $base =~ /\A(https?):/;
    $text =~ s/\A[\0-\x20]+|[\0-\x20]+\z//g;
    $text =~ tr/\t\r\n//d;
    if ($text =~ s/\A([A-Za-z][A-Za-z0-9+.-]*)://) {
        my $own = lc $1;
        return "$own:" if $own !~ /\Ahttps?\z/;
        return "$own://" . lc(authority($text)) if $own ne $scheme
            || $text =~ m{\A[/\\]};
    }
    return "$scheme://" . lc(authority($text)) if $text =~ m{\A[/\\]{2}};
    return $origin;
}

sub authority {
    my ($text) = @_;
    $text =~ s{\A[/\\]+}{};
    my ($authority) = $text =~ m{\A([^/\\?#]*)};
    return $authority =~ s/\A.*\@//sr;
}

sub what_the_judge_of_locations_thinks {
    my $base = 'http://a.example:81/x/y?z';
    for my $evil ('//e.example', '///e.example', '/\\e.example',
        '\\\\e.example', '\\/e.example', "/\t/e.example", "/\n/e.example",
        "\t//e.example", ' //e.example', 'http://e.example',
        'http:\\\\e.example', 'HTTP:///e.example',
        'http://a.example:81@e.example/',
        'http://e.example:81', "h\ntt\tp://e.example/", 'https:e.example',
        'https:\\\\e.example', 'javascript:alert(1)', 'data:text/html,x',
        'http://a.example', 'https://a.example:81/') {
        isnt origin_of($evil, $base), 'http://a.example:81',
            'open redirect: control: elsewhere: ' . encode($evil);
    }
    for my $good ('', '/', '/e', '/.//e', '/..//e', '/%09/e', '/%5ce', '?//e',
        '#//e', 'e//e', '/x\\e', 'http://a.example:81', 'HTTP://A.example:81/e',
        'http://a.example:81//e', 'http://b@a.example:81/', 'http:e') {
        is origin_of($good, $base), 'http://a.example:81',
            'open redirect: control: here: ' . encode($good);
    }
}

my @PATHS;
BEGIN {
    @PATHS = ('//e', '///e', '////e/', '/\\e', '\\\\e', '/\\/e', '//\\e',
        '/%09/e', '/%0a/e', '/%5ce', '/%5c%5ce', '/%2fe', '/%2f%2fe', '/.//e',
        '/..//e', '/x/..//e', '/x/../\\e', '/%2e%2e//e', '/;//e', '/@e',
        '/:80@e', '//e@localhost', '/http:e', '/http://e', '/https:%5c%5ce',
        '/javascript:alert(1)', '//localhost.e', '/.e', '/?//e',
        '/?u=http://e', '/?%0d%0a//e', '//?//e', '//e?x', '/#//e');
}

# Where a login that begins with this request line leads to, and the form of
# the page that comes before it. Either is here, or there is none.
sub stays_here {
    my ($line, $name) = @_;
    my $port = port_of('sb_whole');
    my $base = "http://localhost:$port";
    my @head = ("Host: localhost:$port", 'Accept: text/html',
                'Connection: close');
    my $page = exchange($port, join("\r\n", "GET $line HTTP/1.1", @head,
                                    '', ''), "$base/");
    my $action = $page ? $page->action : undef;
    is origin_of($action // '', "$base/"), $base,
        "open redirect: $name: the form" if !$page || $page->status == 401;
    my $form = 'openid_identifier=' . encode($ALICE);
    my $begun = exchange($port, join("\r\n", "POST $line HTTP/1.1", @head,
        join(': ', @$FORM), 'Content-Length: ' . length $form, '', $form),
        "$base/");
    my ($end, %sent);
    if ($begun && $begun->is_redirect) {
        %sent = map { @$_ } pairs_of($begun->header('Location'));
        my $browser = browser();
        $browser->keep($begun);
        $end = $browser->get($op->assertion($begun));
    }
    my $bad = !$begun || $begun->status =~ /\A4(?:00|04|14|21)\z/;
    ok $bad || ($sent{'openid.return_to'}
                && origin_of($sent{'openid.return_to'}, $base) eq $base),
        "open redirect: $name: return_to is here, or there is no login"
        or diag $begun->status;
    # a refusal leads nowhere: "/.//e" is "//e" to the provider, "/e" to us
    my $to = $end ? $end->header('Location') // '' : '';
    ok $bad || $end->status == 403
        || ($end->status == 303 && origin_of($to, "$base/") eq $base),
        "open redirect: $name: and the way on" or diag explain $end;
    return $to =~ s/\A\Q$base\E//r;
}

sub open_redirect_by_a_login {
    my $count = 0;
    $count += stays_here($_, "login at $_") =~ m{\A/} ? 1 : 0 for @PATHS;
    cmp_ok $count, '>', @PATHS * .6,
        'open redirect: control: most of them are logins that succeed';
    is stays_here('/a/b?c=/d', 'a good one'), '/a/b?c=/d',
        'open redirect: control: a good one leads back';
    my $whole = url('', 'sb_whole');
    for my $query ('openid_target=//e', 'target=http://e', 'next=//e',
                   'openid.return_to=http://e', 'return_to=//e') {
        my $browser = browser();
        my $end = $browser->get(answered($browser, "$whole/x?$query"));
        is $end->header('Location'), "$whole/x?$query",
            "open redirect: $query is nothing to us";
    }
}

sub open_redirect_by_a_logout {
    my $port = port_of('sb_whole');
    my $base = "http://localhost:$port";
    my $out = sub {
        return exchange($port, "GET $_[0] HTTP/1.1\r\nHost: localhost:$port"
            . "\r\nAccept: text/html\r\nConnection: close\r\n\r\n", "$base/");
    };
    is $out->('/logout')->header('Location'), "$base/bye",
        'open redirect: control: logout leads to its target';
    for my $line (map({ "/logout?$_" } '//e', '/\\e', 'openid_target=//e',
        'target=http://e', 'next=//e', '%0d%0aLocation:http://e'),
        map({ ($_ =~ s{/e}{/logout}r, "/logout$_", "$_/../logout") } @PATHS),
        '//e/../logout', '/x/../logout', '/.//logout', '/%6cogout',
        '/logout/', '/logout#//e') {
        my $page = $out->($line);
        my $to = $page && $page->header('Location') // '';
        is origin_of($to, "$base/"), $base,
            "open redirect: logout at $line: here";
        is $to, "$base/bye", "open redirect: logout at $line: its target"
            if $page && $page->status == 303;
    }
}

# A request line may have a whole URL in it.
sub open_redirect_by_the_request_line {
    my $port = port_of('sb_whole');
    for my $line ('http://e/', 'http://e/logout', 'http://e:80/x',
        "http://e\@localhost:$port/", "http://localhost:$port\@e/",
        "http://localhost:$port.e/", 'http:///e', 'http:/e', 'http:e', '//e/',
        'https://e/', 'ftp://e/', "http://localhost:${port}e/", '*', 'e',
        "http://localhost:$port//e", "http://localhost:$port/\\e",
        "http://localhost:$port\\\@e/", "http://LOCALHOST:$port/x//e") {
        stays_here($line, "the request line $line");
    }
    is stays_here("http://localhost:$port/x", 'a whole URL of ours'), '/x',
        'open redirect: control: a whole URL of ours';
}

# --- XSS, CRLF --------------------------------------------------------------

# A page of ours that runs nothing.
sub harmless {
    my ($page, $name) = @_;
    my $body = $page->body;
    unlike $body, qr/<script|<img|<svg|\son\w+=|javascript:/i,
        "XSS: $name: nothing is markup that was none";
    like $page->header('Content-Security-Policy') // '',
        qr/\Adefault-src 'none'; style-src 'sha256-[^']+'; form-action/,
        "XSS: $name: and nothing would run";
    is scalar(() = $body =~ /"/g) % 2, 0, "XSS: $name: quotes are in pairs";
}

sub xss {
    my $id = encode($EVIL);
    my $path = $id =~ s/%2F//ir;            # httpd has none of these in paths
    my %get = (
        'the identifier' => "$APP?openid_identifier=$id",
        'the path' => "$APP/$EVIL", 'the path, encoded' => "$APP/$path",
        'the query' => "$APP?x=$EVIL",
        'a parameter name' => "$APP?$EVIL=1",
        'a parameter name beside an identifier'
            => "$APP?$EVIL=1&openid_identifier=x:",
        'a key' => "$APP?openid_return=$EVIL",
        'a name beside a key' => "$APP?openid_return=$KEY&openid.$EVIL=1",
        'single quotes' => "$APP?x=' onmouseover='alert(1)",
        'an attribute' => "$APP?x=\"onmouseover=\"alert(1)" =~ s/ /%20/gr,
    );
    for my $what (sort keys %get) {
        my $url = $get{$what} =~ s/ /%20/gr;
        my $page = browser()->get($url);
        like $page->status, qr/\A40[013]\z/, "XSS: $what: a login page";
        harmless($page, $what);
    }
    my $typed = browser()->post($APP, { openid_identifier => $EVIL });
    harmless($typed, 'what was typed');
    like $typed->body, qr/value="&quot;&gt;&lt;script&gt;/,
        'XSS: control: what was typed is there, escaped';

    my $browser = browser();
    my ($key) = split /&/, answered($browser);
    for my $mode ('error', 'cancel', $EVIL, 'setup_needed') {
        my $page = $browser->get("$key&" . query_of(
            [ 'openid.ns', 'http://specs.openid.net/auth/2.0' ],
            [ 'openid.mode', $mode ], [ 'openid.error', "words $EVIL" ],
            [ 'openid.contact', $EVIL ], [ 'openid.reference', $EVIL ]));
        harmless($page, 'an answer with the mode ' . encode($mode));
        like $page->alert, qr/words "><script>/,
            'XSS: control: what the provider says is there, escaped'
            if $mode eq 'error';
    }
    my $host = exchange(port_of(), "GET /sb/app HTTP/1.1\r\nHost: e<script>\r\n"
        . "Accept: text/html\r\nConnection: close\r\n\r\n", 'http://e/');
    unlike $host->body, qr/<script/, 'XSS: a Host with markup';
    my $buttons = browser()->get(url('/site/as/page-buttons'));
    unlike $buttons->body, qr/<b>/, 'XSS: labels of providers';
    like $buttons->body, qr/&lt;b&gt;bold/, 'XSS: control: they are there';
}

sub crlf {
    my $cut = '%0d%0aX-Injected:%201%0d%0a%0d%0a<b>';
    my $raw = "\r\nX-Injected: 1\r\n\r\n<b>";
    my $whole = sub {
        my ($page, $name) = @_;
        is $page->header('X-Injected'), undef, "CRLF: $name: no header";
        unlike $page->body, qr/<b>|\AX-Injected/, "CRLF: $name: no body";
        is scalar(grep { $_->[1] =~ /[\r\n]/ } @{ $page->{headers} }), 0,
            "CRLF: $name: no line end in a header";
    };
    my %refused = (
        'the path' => "$APP/$cut", 'half of it' => "$APP/x%0dy",
        'the other half' => "$APP/x%0ay", 'a tab' => "$APP/x%09y",
        'the identifier' => "$APP?openid_identifier=http://a$cut",
        'an answer' => "$APP?openid_return=$KEY&openid.mode=$cut",
    );
    for my $what (sort keys %refused) {
        my $page = browser()->get($refused{$what});
        like $page->status, $what eq 'an answer' ? qr/\A403\z/ : qr/\A400\z/,
            "CRLF: $what: refused";
        $whole->($page, $what);
        my $begun = begin_login(browser(), $refused{$what}, $ALICE);
        is $begun->header('Location'), undef,
            "CRLF: $what: and no login begins" if $what !~ /answer/;
        $whole->($begun, "$what, a login");
    }
    my $alice = member();
    is $alice->get("$APP/x%0dy")->status, 200,
        'CRLF: control: such a path is the application\'s';
    for my $key ($cut, "$KEY$cut", $KEY . '%0d%0aX-Injected:1') {
        $whole->(by($_, browser(), "$APP?openid_return=$key"), "a key, $_"),
        $whole->(by($_, $alice, "$APP?openid_return=$key"),
                 "a key, signed in, $_") for 'GET', 'POST';
    }
    $whole->($alice->get(url("/sb/logout?x=$cut")), 'a logout');
    $whole->($alice->get(url("/sb/logout/$cut")), 'a path behind a logout');

    # a query is the application's, byte for byte: a field of several lines
    my $browser = browser();
    my $end = $browser->get(answered($browser, "$APP?x=a%0d%0ab"));
    $whole->($end, 'a query');
    is $end->header('Location'), "$APP?x=a%0d%0ab",
        'CRLF: control: and comes back as it was';
    my $typed = begin_login(browser(), $APP, "http://a.example/$raw");
    is $typed->status, 400, 'CRLF: in what was typed: refused';
    $whole->($typed, 'what was typed');
}

# --- headers ----------------------------------------------------------------

sub safe {
    my ($page, $status, $name) = @_;
    is $page->status, $status, "headers: $name: control: the status";
    is_deeply [ map { join ', ', $page->headers($_) } 'Cache-Control',
                'X-Content-Type-Options', 'Referrer-Policy' ],
        [ 'no-store', 'nosniff', 'strict-origin' ],
        "headers: $name: not stored, not guessed, not passed on";
    my $csp = $page->header('Content-Security-Policy') // '';
    my @must = ("default-src 'none'", "base-uri 'none'",
                "frame-ancestors 'none'");
    is_deeply [ grep { index($csp, $_) < 0 } @must ], [],
        "headers: $name: the policy"
        if $page->body =~ /<form/ || $page->is_redirect;
    unlike $csp, qr/unsafe|\*|data:/, "headers: $name: without a hole";
    is $page->header($_), undef, "headers: $name: no $_"
        for 'ETag', 'Last-Modified', 'Accept-Ranges';
}

sub every_answer_has_its_headers {
    my $browser = browser();
    safe($browser->get($APP), 401, 'the login page');
    safe($browser->send('HEAD', $APP), 401, 'HEAD of it');
    safe(browser(Accept => 'application/json')->get($APP), 401, 'a plain 401');
    safe($browser->post($APP, { openid_identifier => 'ftp://x/' }), 400,
         'what is no OpenID');
    safe($browser->get("$APP?openid_return=$KEY"), 403, 'no login');
    safe($browser->get("$APP?openid_return="), 400, 'no message');
    safe(begin_login($browser, $APP, url('/nothing-here')), 502,
         'a provider that is none');
    safe(begin_login($browser, url('/sb/realm'), $ALICE), 503,
         'what we cannot do');
    safe($browser->get("$APP/%0d"), 400, 'a path that is none');
    my $limited = url('/sb/app', 'sb_limited');
    begin_login($browser, $limited, $ALICE);
    my $many = begin_login($browser, $limited, $ALICE);
    safe($many, 429, 'too many logins');
    like $many->header('Retry-After'), qr/\A\d+\z/,
        'headers: too many logins: when to come back';
    safe(exchange(port_of(), "GET /sb/app HTTP/1.1\r\nHost: e.example\r\n"
        . "Accept: text/html\r\nConnection: close\r\n\r\n", 'http://e/'),
        421, 'another host');
    safe(exchange(port_of(), "GET /sb/logout HTTP/1.1\r\nHost: e.example\r\n"
        . "Connection: close\r\n\r\n", 'http://e/'), 421,
        'another host, logout');
    my $begun = begin_login($browser, $APP, $ALICE);
    safe($begun, 303, 'to the provider');
    my $back = $op->assertion($begun);
    my ($key, $form) = split /&/, $back, 2;
    safe(browser()->post($key, $form), 303, 'a POST that comes again');
    safe($browser->get("$key&openid.mode=cancel"), 401, 'a cancel');
    safe($browser->get($back), 303, 'signed in');
    safe($browser->get($back), 303, 'the back button');
    safe($browser->get(url('/sb/logout'), headers => [
        [ 'Sec-Fetch-Mode', 'no-cors' ], [ 'Sec-Fetch-Site', 'cross-site' ] ]),
        403, 'a logout that is embedded elsewhere');
    safe($browser->get(url('/sb/logout')), 303, 'a logout');
    safe($browser->get("$APP?openid_return=submit.js"), 200, 'the script');
    safe($browser->get(url('/status/open')), 200, 'the status');
    safe($browser->get(url('/status/open?auto')), 200,
         'the status for programs');
    safe($browser->post(url('/status/open'), 'a=b'), 405,
         'the status, by POST');
    safe(browser()->post($APP, 'openid_identifier=x&' . 'x' x 70_000), 413,
         'a form that is too large');
    safe(browser()->post("$APP?openid_return=$KEY", 'x' x 70_000), 413,
         'an answer that is too large');
    my $xrds = browser(Accept => 'application/xrds+xml')
        ->get(url('/', 'sb_whole'));
    is $xrds->header('Content-Type'), 'application/xrds+xml',
        'headers: the XRDS document: control: it is sent';
    is $xrds->header('X-Content-Type-Options'), 'nosniff',
        'headers: the XRDS document: its type is not guessed';
}

# Chromium applies form-action to the redirect that answers a form, too; and a
# provider can be anywhere.
sub a_form_may_lead_to_any_provider {
    my ($sources) = (browser()->get($APP)->header('Content-Security-Policy')
        // '') =~ /form-action ([^;]*)/;
    is $sources, "'self' http: https:",
        'headers: a form may lead here and to the web, and nowhere else';
    my ($redirect) = begin_login(browser(), $APP, $ALICE)
        ->header('Content-Security-Policy') =~ /form-action ([^;]*)/;
    is $redirect, "'none'", 'headers: the page of a redirect has no form';
}

# --- login page with protected body -----------------------------------------

my %RESOURCE;
BEGIN {
    %RESOURCE = (
        file => '/sb/file/plain.html', program => '/sb/app',
        folder => '/sb/dir/', 'proxied program' => '/sb/proxied/x',
        'cached file' => '/sb/cached/plain.html',
        'rewritten' => '/sb/rewritten',
    );
}

sub protected_bodies {
    my $alice = member();
    for my $what (sort keys %RESOURCE) {
        my $url = url($RESOURCE{$what});
        # for the cache, twice
        my ($seen) = reverse map { $alice->get($url) } 1, 2;
        like $seen->body, qr/PROTECTED/,
            "protected body: $what: control: for who is signed in";
        my $etag = $seen->header('ETag') // '"x"';
        my $when = $seen->header('Last-Modified')
            // 'Fri, 01 Jan 2100 00:00:00 GMT';
        my $size = $seen->header('Content-Length') // 'none';
        for my $case ([ 'GET' ], [ 'HEAD' ], [ 'OPTIONS' ], [ 'TRACE' ],
            [ 'POST', 'a=1', $FORM ], [ 'POST', 'a' ], [ 'PUT', 'a' ],
            [ 'DELETE' ], [ 'PATCH', 'a' ], [ 'CONNECT' ], [ 'BREW' ],
            [ 'GET', undef, [ 'Range', 'bytes=0-4' ] ],
            [ 'GET', undef, [ 'Range', 'bytes=0-4,6-9' ] ],
            [ 'GET', undef, [ 'Range', 'bytes=0-4' ], [ 'If-Range', $etag ] ],
            [ 'GET', undef, [ 'If-None-Match', $etag ] ],
            [ 'GET', undef, [ 'If-None-Match', '*' ] ],
            [ 'HEAD', undef, [ 'If-None-Match', $etag ] ],
            [ 'GET', undef, [ 'If-Modified-Since', $when ] ],
            [ 'GET', undef, [ 'If-Unmodified-Since', $when ] ],
            [ 'GET', undef, [ 'If-Match', '"other"' ] ],
            [ 'GET', undef, [ 'Cache-Control', 'only-if-cached' ] ],
            [ 'GET', undef, [ 'X-HTTP-Method-Override', 'HEAD' ] ],
        ) {
            my ($method, $body, @headers) = @$case;
            my $name = "protected body: $what: $method "
                . join ' ', map { $_->[0] } @headers;
            my $page = exchange(port_of(), browser()->request($method, $url,
                $body, headers => \@headers), $url);
            # a trace says what was sent, and httpd refuses odd methods
            my $ok = $method eq 'TRACE' ? qr/\A(?:200|401|405)\z/
                : $method eq 'CONNECT' ? qr/\A4\d\d\z/ : qr/\A401\z/;
            like $page->status, $ok, "$name: $method";
            my @told = grep { defined $page->header($_) } 'ETag',
                'Last-Modified', 'Content-Range', 'Accept-Ranges', 'Age';
            ok $page->body !~ /PROTECTED/ && !@told
                && ($page->header('Content-Length') // 'another') ne $size,
                "$name: nothing of it is told"
                or diag explain \@told, $page->body;
        }
    }
    my $cached = $alice->get(url('/sb/cached/plain.html'));
    like $cached->body, qr/PROTECTED/, 'protected body: control: after all';
}

# In a public page, in the place of an error, of a missing file.
sub protected_bodies_in_parts {
    my $alice = member();
    for my $case ([ 'a public page includes a file',
                    '/site/public/include.shtml', 200 ],
                  [ 'a public page includes a program',
                    '/site/public/include-cgi.shtml', 200 ],
                  [ 'a document of an error', '/site/public/missing', 404 ]) {
        my ($what, $path, $status) = @$case;
        like $alice->get(url($path))->body, qr/PROTECTED/,
            "protected body: $what: control: for who is signed in";
        for my $method ('GET', 'POST', 'HEAD') {
            my $page = browser()->send($method, url($path),
                                       $method eq 'POST' ? 'a=1' : undef);
            is $page->status, $status, "protected body: $what, $method";
            unlike $page->body, qr/PROTECTED|<form/,
                "protected body: $what, $method: it is not there";
        }
    }
    is $alice->get(url('/sb/file/missing'))->status, 404,
        'protected body: a missing file is missing for who is signed in';
    is browser()->get(url('/sb/file/missing'))->status, 401,
        'protected body: and a login page for others';
}

# --- header and environment spoofing ----------------------------------------

my @SPOOFED;
BEGIN {
    @SPOOFED = ('OPENID2RP-IDENTIFIER', 'OPENID2RP_IDENTIFIER',
        'openid2rp.identifier', 'OpenID2RP-Email', 'Openid2rp.X', 'OPENID2RP',
        'openid2rp_Sreg_Email', 'OPENID2RP--', 'OpenID2rp~x', "OpenID2RP'x",
        'OPENID2RP!', 'Remote-User', 'REMOTE_USER', 'remote.user',
        'Remote~User', 'Auth-Type', 'AUTH_TYPE');
}

# What a program got of these headers.
sub spoofed {
    my ($env) = @_;
    return [ map { "$_=$env->{$_}" } grep { $env->{$_} =~ /spoofed/ }
             sort keys %$env ];
}

sub header_spoofing {
    my $alice = member();
    my @headers = map { [ $_, 'spoofed-value' ] } @SPOOFED;
    my @control = map { [ $_, 'control' ] } 'X-Control', 'OpenID2RPx',
        'Remote-Users', 'X-Remote-User';
    my %path = (
        'a program' => '/sb/app', 'path info' => '/sb/app/x/y',
        'an index' => '/sb/dir/', 'a rewritten path' => '/sb/rewritten',
        'an error document' => '/sb/file/missing',
        'a backend' => '/sb/proxied/', 'all granted' => '/sb/open',
        'by address' => '/sb/ip',
        'a public program that leads on' => '/sb-away/sb/app',
        'a public page with a part' => '/site/public/include-cgi.shtml',
        'a public error with a part' => '/site/public/missing',
    );
    for my $what (sort keys %path) {
        for my $method ('GET', 'POST', 'PUT', 'OPTIONS') {
            # only the main request of such a page has the method
            next if $what =~ /part|document|index|leads/
                && $method ne 'GET';
            my $page = $alice->send($method, url($path{$what}),
                $method =~ /\AP/ ? 'a=1' : undef,
                headers => [ @headers, @control ]);
            my $env = env_of($page);
            next if $what =~ /error with/;  # a file: it has no environment
            is_deeply spoofed($env), [],
                "spoofing: $what, $method: these headers do not arrive";
            is_deeply [ @$env{qw(HTTP_X_CONTROL HTTP_OPENID2RPX
                                 HTTP_REMOTE_USERS HTTP_X_REMOTE_USER)} ],
                [ ('control') x 4 ], "spoofing: $what, $method: control: "
                . 'others do' or diag $page->status, $page->body;
        }
    }
    is $alice->send('HEAD', $APP, undef, headers => \@headers)->status, 200,
        'spoofing: HEAD: control: is answered';

    is $alice->get(url('/sb/expr'), headers => \@headers)->status, 403,
        'spoofing: Require expr beside valid-user does not see these headers';
    is $alice->get(url('/sb/expr'), headers => \@control)->status, 200,
        'spoofing: control: it sees others';

    # nobody is signed in where nobody must be
    for my $path ('/sb/open', '/sb/ip') {
        my $env = env_of(browser()->get(url($path), headers => \@headers));
        is_deeply [ grep { /\A(?:OPENID2RP|REMOTE_USER|AUTH_TYPE)/ }
                    keys %$env ], [], "spoofing: $path: no variable of ours";
        is $env->{BODY_SIZE}, 0, "spoofing: $path: control: it was asked";
    }
    # names that no program sees, but a backend might
    my $dotted = sub {
        my ($path, @more) = @_;
        return $alice->get(url($path, 'sb_trailers'), headers => [ @more,
            map { [ $_, 'spoofed' ] } 'remote.user', 'Openid2rp.X' ])
            ->header('X-Seen');
    };
    for my $path ('/sb/app', '/sb/open') {
        is $dotted->($path), '', "spoofing: $path: nor with dots";
        is $dotted->($path, [ 'X.Dot', 'control' ]), 'control',
            "spoofing: $path: control: others do";
    }
    is $dotted->('/sb-backend'), 'spoofedspoofed',
        'spoofing: control: dots, elsewhere';
    # where the module is off, it is: httpd hands on what it understands
    my $env = env_of(browser()->get(url('/sb-backend'), headers => \@headers));
    is $env->{HTTP_OPENID2RP_EMAIL}, 'spoofed-value',
        'spoofing: control: elsewhere it is up to the site';
}

# A body in chunks, and headers behind it.
sub trailer_spoofing {
    my $browser = member(url('/sb/app', 'sb_trailers'));
    my $cookie = 'openid2rp=' . $browser->cookie('openid2rp');
    my $port = port_of('sb_trailers');
    my $ask = sub {
        my ($path, $type, $body, @trailers) = @_;
        return exchange($port, join("\r\n", "POST $path HTTP/1.1",
            "Host: localhost:$port", "Cookie: $cookie", 'Connection: close',
            "Content-Type: $type", 'Transfer-Encoding: chunked', '',
            sprintf('%x', length $body), $body, 0, @trailers, '', ''),
            "http://localhost:$port/");
    };
    my @evil = map { "$_: spoofed" } @SPOOFED;
    for my $case ([ 'a form', 'application/x-www-form-urlencoded', 'a=1' ],
                  [ 'a long form', 'application/x-www-form-urlencoded',
                    'a=' . 'x' x 100_000 ],
                  [ 'a text', 'text/plain', 'words' ]) {
        my ($what, @body) = @$case;
        for my $path ('/sb/app', '/sb/open') {
            my $page = $ask->($path, @body, @evil, 'X-Behind: control');
            is $page->status, 200, "trailers: $path, $what: control: answered";
            is_deeply spoofed(env_of($page)), [],
                "trailers: $path, $what: no variable";
            is $page->header('X-Seen'), 'control',
                "trailers: $path, $what: nor a header at last; control: one";
        }
    }
    is $ask->('/sb-backend', 'text/plain', 'words', @evil)->header('X-Seen'),
        'spoofed' x 4, 'trailers: control: where the module is off';
}

sub environment_spoofing {
    my $basic = [ 'Authorization', 'Basic bWFsbG9yeTp4' ];
    my $bearer = [ 'Authorization', 'Bearer x' ];
    my $alice = member();
    for my $auth ($basic, $bearer, [ 'Authorization', 'OpenID alice' ],
                  [ 'Proxy-Authorization', 'Basic bWFsbG9yeTp4' ]) {
        my $name = "Authorization: $auth->[0] $auth->[1]";
        is browser()->get($APP, headers => [$auth])->status, 401,
            "$name: signs nobody in";
        is user(browser()->get(url('/sb/open'), headers => [$auth])),
            'nobody', "$name: nor where all may pass";
        is user($alice->get($APP, headers => [$auth])), $ALICE,
            "$name: nor makes somebody else of who is signed in";
    }
    my $port = port_of();
    my $env = env_of(exchange($port, "GET http://mallory\@localhost:$port"
        . "/sb/open HTTP/1.1\r\nHost: localhost:$port\r\nConnection: close"
        . "\r\n\r\n", 'http://x/'));
    is $env->{REMOTE_USER}, undef, 'a user in the request line is none';
}

# A page of one section and a part of another, with a session each: of the
# user of the part, nothing is known that only the other one's provider said.
sub one_user_at_a_time {
    my @email = ('ns.ax' => 'http://openid.net/srv/ax/1.0',
        'ax.mode' => 'fetch_response', 'ax.value.e' => 'alice@a.example',
        'ax.type.e' => 'http://axschema.org/contact/email',
        signed => 'op_endpoint,claimed_id,identity,return_to,response_nonce,'
            . 'assoc_handle,ns.ax,ax.mode,ax.type.e,ax.value.e');
    my $page = url('/sb/ssi/include-cgi.shtml');
    my $browser = browser();
    $browser->get($op->assertion(begin_login($browser, $page, $ALICE),
                                 @email));
    is_deeply [ keys %{ $browser->cookie } ], ['ssi'],
        'one user: control: a session for the page';
    unlike $browser->get($page)->body, qr/PROTECTED/,
        'one user: control: which does not open its part';
    $browser->get($op->assertion(begin_login($browser, $APP, $ALICE),
                                 @email));
    is env_of($browser->get($APP))->{OPENID2RP_EMAIL}, 'alice@a.example',
        'one user: control: alice has an address';
    $browser->get(answered($browser, $APP, $BOB));
    my $env = env_of($browser->get($page));
    is $env->{REMOTE_USER}, $BOB, 'one user: the part is for bob';
    is_deeply [ grep { $env->{$_} =~ /alice/ } keys %$env ], [],
        'one user: who is not said to have her address';
}
