#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Sessions: how long they live, whose they are, and what their cookie says.

use v5.14;
use strict;
use warnings;
use IO::Socket::INET ();
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $FILE = url('/site/as/session/plain.html');
my $LOGOUT = url('/site/as/session/logout');
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');

op_reset();

# A browser in which somebody is signed in, at $FILE unless told.
sub member {
    my ($where, $who) = @_;
    my $browser = browser();
    my $page = login($browser, $where // $FILE, $who // $ALICE);
    $page->status == 200 or BAIL_OUT('nobody can sign in: ' . $page->status);
    return $browser;
}

# The status of a request with these Cookie headers and no others.
sub status_with {
    my ($url, @cookies) = @_;
    return browser()->get($url, headers => [
        map { [ Cookie => $_ ] } @cookies ])->status;
}

# The last line that sets a cookie of this name.
sub set_cookie {
    my ($response, $name) = @_;
    return (grep { /\A\Q$name\E=/ } $response->headers('Set-Cookie'))[-1]
        // '';
}

# The response that completes a login, and sets the session's cookie.
sub completed {
    my ($browser, $where, $who) = @_;
    my $answer = begin_login($browser, $where, $who // $ALICE);
    return $browser->get(ask_op($browser, $answer));
}

# The same at a site that is https for the outside, or sets Secure cookies,
# through what does TLS for it: the responses that begin and complete a login.
sub completed_behind {
    my ($vhost, $host, $origin, $where) = @_;
    my $port = port_of($vhost);
    my @form = ([[ 'Content-Type', 'application/x-www-form-urlencoded' ]],
                'openid_identifier=' . encode($ALICE));
    my $begun = exchange($port, raw_request('POST', "http://$host$where",
        @form), "http://$host/");
    my $back = ask_op(browser(), $begun);
    my $path = $back =~ s/\A\Q$origin\E//r;
    isnt $path, $back, "the provider leads back to $origin";
    my $cookies = join '; ', map { /\A([^;]*)/ } $begun->headers('Set-Cookie');
    return ($begun, exchange($port, raw_request('GET', "http://$host$path",
        [[ Cookie => $cookies ], [ Accept => 'text/html' ]]),
        "http://$host/"));
}

# --- many requests ----------------------------------------------------------

# That many GETs over one connection, some at a time, reconnecting where the
# server has had enough of it: how often each status came.
sub many {
    my ($count, $cookie) = @_;
    my $request = join "\r\n", 'GET /site/as/session/plain.html HTTP/1.1',
        'Host: localhost:' . port_of(), "Cookie: openid2rp=$cookie", '', '';
    my %seen;
    my $done = 0;
    my $until = time + 60;
    while ($done < $count && time < $until) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => port_of(), Timeout => 10) or last;
        my $batch = $count - $done < 50 ? $count - $done : 50;
        syswrite $socket, ($request x $batch)
            =~ s/\r\n\r\n\z/\r\nConnection: close\r\n\r\n/r;
        my $text = '';
        while (time < $until && sysread $socket, $text, 65_536, length $text) {
        }
        my @status = $text =~ m{^HTTP/1\.1 (\d+)}mg or last;
        $seen{$_}++ for @status;
        $done += @status;
    }
    return \%seen;
}

{
    my $cookie = member()->cookie('openid2rp');
    my $start = time;
    is_deeply many(10_000, $cookie), { 200 => 10_000 },
        'one session is good for 10,000 requests';
    diag sprintf '10,000 requests in %.1f s', time - $start
        if time - $start > 20;
    is_deeply many(100, $cookie =~ tr/a-zA-Z/b-zaB-ZA/r), { 401 => 100 },
        'control: another cookie is good for none';
}

# --- the cookie's value -----------------------------------------------------

{
    my $cookie = member()->cookie('openid2rp');
    like $cookie, qr/\A[\w-]{22}\z/, 'the cookie is 128 random bits';
    is status_with($FILE, "openid2rp=$cookie"), 200,
        'control: the cookie alone signs in';
    my @passed;
    for my $i (0 .. length($cookie) - 1) {
        my $other = $cookie;
        substr($other, $i, 1) = substr($other, $i, 1) eq 'A' ? 'Q' : 'A';
        push @passed, $other if status_with($FILE, "openid2rp=$other") != 401;
    }
    is_deeply \@passed, [], 'no character of it may be another';
    for my $case (
        [ 'an empty value', 'openid2rp=' ],
        [ 'no value', 'openid2rp' ],
        [ 'one character less', 'openid2rp=' . substr $cookie, 0, -1 ],
        [ 'one character more', "openid2rp=${cookie}A" ],
        [ 'a character in front', "openid2rp=A$cookie" ],
        [ 'very many characters', 'openid2rp=' . 'A' x 4000 ],
        [ 'quotes', qq{openid2rp="$cookie"} ],
        [ 'percent signs', 'openid2rp=%41' . substr $cookie, 1 ],
        [ 'another case', 'openid2rp=' . ($cookie =~ tr/a-zA-Z/A-Za-z/r) ],
        [ 'a path', 'openid2rp=../../../../etc/passwd' ],
        [ 'bytes', "openid2rp=\xff\xfe" . substr $cookie, 2 ],
        [ 'another name', "openid2rq=$cookie" ],
        [ 'a longer name', "xopenid2rp=$cookie" ],
        [ 'a name that goes on', "openid2rpx=$cookie" ],
        [ 'a name without an end', "openid2rp-$cookie" ],
        [ 'a name in another case', "OpenID2RP=$cookie" ],
        [ 'the name in a value', "a=openid2rp=$cookie" ],
    ) {
        my ($what, $header) = @$case;
        is status_with($FILE, $header), 401, "$what: nobody is signed in";
    }
    for my $case (
        [ 'behind another cookie', "a=b; openid2rp=$cookie" ],
        [ 'before another cookie', "openid2rp=$cookie; a=b" ],
        [ 'without a space', "a=b;openid2rp=$cookie;c=d" ],
        [ 'behind a bad one of its name',
          'openid2rp=' . 'A' x 22 . "; openid2rp=$cookie" ],
        [ 'behind an empty one', "openid2rp=; openid2rp=$cookie" ],
        [ 'before a bad one', "openid2rp=$cookie; openid2rp=" . 'A' x 22 ],
        [ 'behind oddities', ";; =; a; =b; openid2rp=$cookie" ],
    ) {
        my ($what, $header) = @$case;
        is status_with($FILE, $header), 200, "$what: the session is found";
    }
    is status_with($FILE, join '; ', ('openid2rp=' . 'A' x 22) x 200), 401,
        'many cookies of the name: nobody is signed in';
}

# --- how long it lives ------------------------------------------------------

{
    my $idle = url('/site/as/session-idle/plain.html');
    my $max = url('/site/as/session-max/plain.html');
    my ($still, $busy, $old) = (member($idle), member($idle), member($max));
    my $start = time;
    my (@busy, @old);
    while (time - $start < 4.5) {
        sleep 0.75;
        push @busy, $busy->get($idle)->status;
        push @old, [ time - $start, $old->get($max)->status ];
    }
    is_deeply [ grep { $_ != 200 } @busy ], [],
        'a session that is used does not end by itself';
    is $still->get($idle)->status, 401,
        'a session that is not used ends after its first time';
    is_deeply [ grep { $_->[0] < 2.4 && $_->[1] != 200 } @old ], [],
        'a session that is used lives on at first';
    is_deeply [ grep { $_->[0] > 3.2 && $_->[1] != 401 } @old ], [],
        'but no longer than its second time';
    is login($still, $idle, $ALICE)->status, 200,
        'control: one can sign in again';
}

# --- logout -----------------------------------------------------------------

{
    my $browser = member();
    my $cookie = $browser->cookie('openid2rp');
    my $answer = $browser->get($LOGOUT);
    is $answer->status, 303, 'logout leads away';
    is $answer->header('Location'), url('/site/public/denied.html'),
        'to its target';
    is $answer->header('Cache-Control'), 'no-store', 'and is not stored';
    my $set = set_cookie($answer, 'openid2rp');
    like $set, qr/\Aopenid2rp=;/, 'the cookie is emptied';
    like $set, qr/; Max-Age=0(?:;|\z)/, 'and removed';
    like $set, qr/; Path=\/(?:;|\z)/, 'at the path where it is';
    is $browser->cookie('openid2rp'), undef, 'the browser has it no more';
    is $browser->get($FILE)->status, 401, 'and nobody is signed in';
    is status_with($FILE, "openid2rp=$cookie"), 401,
        'nor is the old cookie good for anything';

    is $browser->get($LOGOUT)->status, 303,
        'logout works when nobody is signed in';
    is $browser->get("$LOGOUT?a=1")->header('Location'),
        url('/site/public/denied.html'), 'and takes no target from outside';
    is $browser->get("$LOGOUT?openid_target=//evil.example/")
        ->header('Location'), url('/site/public/denied.html'),
        'by no name';
    is browser()->get($LOGOUT, headers => [[ 'X-Forwarded-Host',
        'evil.example' ]])->header('Location'),
        url('/site/public/denied.html'), 'nor a host';
    is exchange(port_of(), "GET /site/as/session/logout HTTP/1.1\r\n"
        . "Host: evil.example\r\nConnection: close\r\n\r\n")->status, 421,
        'at another host there is no logout';

    my ($one, $two) = (member(), member());
    $one->get($LOGOUT);
    is $two->get($FILE)->status, 200,
        'logout ends one session, not all of a user';
    is $two->post($LOGOUT, 'a=1')->status, 303, 'logout works by POST';
    is $two->get($FILE)->status, 401, 'and ends the session';
    my $three = member();
    is $three->get(url('/site/public/logout'))->header('Location'), url('/'),
        'logout works where nothing is protected';
    is $three->get($FILE)->status, 401, 'and ends the session there too';
    my $four = member();
    $four->get(url('/site/as/session/logout/'));
    $four->get(url('/site/as/session/logout2'));
    is $four->get($FILE)->status, 200,
        'control: what is not the path of the logout does nothing';
}

# --- a new login ------------------------------------------------------------

{
    my $browser = member();
    my $first = $browser->cookie('openid2rp');
    is env_of(login($browser, url('/site/app/session'), $BOB))->{REMOTE_USER},
        $BOB, 'somebody else can sign in over it';
    my $second = $browser->cookie('openid2rp');
    isnt $second, $first, 'a login makes a new cookie';
    is status_with($FILE, "openid2rp=$first"), 401,
        'and ends the session that was before';
    is status_with($FILE, "openid2rp=$second"), 200,
        'control: the new one is good';

    my $preset = 'A' x 22;
    my $victim = browser();
    $victim->keep(OpenID2RP::Test::Response->read("HTTP/1.1 200 OK\r\n"
        . "Set-Cookie: openid2rp=$preset; Path=/\r\n\r\n", $FILE));
    my $end = completed($victim, $FILE);
    is $victim->cookie('openid2rp') eq $preset, '',
        'a cookie from before is replaced';
    is $end->status, 303, 'control: a login with a cookie from before works';
    unlike set_cookie($end, 'openid2rp'), qr/$preset/,
        'but that cookie is not taken over';
    is status_with($FILE, "openid2rp=$preset"), 401, 'nor is it good';

    my @all = map { member()->cookie('openid2rp') } 1 .. 5;
    my %different = map { ($_ => 1) } @all;
    is scalar(keys %different), 5, 'every login has a cookie of its own';

    my $mate = member();
    begin_login($mate, $FILE, $BOB);
    is env_of($mate->get(url('/site/app/session')))->{REMOTE_USER}, $ALICE,
        'a login that is only begun ends nothing';
    op_mode(auto => 'cancel');
    login($mate, $FILE, $BOB);
    op_mode(auto => 'any');
    is env_of($mate->get(url('/site/app/session')))->{REMOTE_USER}, $ALICE,
        'nor does one that is cancelled';
}

# --- the cookie's attributes ------------------------------------------------

sub attributes {
    my ($line) = @_;
    my (undef, @all) = split /; */, $line;
    return { map { /\A([^=]+)(?:=(.*))?\z/ ? (lc $1 => $2 // 'yes') : () }
             @all };
}

{
    my $browser = browser();
    my $begun = begin_login($browser, $FILE, $ALICE);
    my ($login) = $begun->headers('Set-Cookie');
    like $login, qr/\Aopenid2rp_login_[\w-]{12}=[\w-]{22}\.\d+;/,
        'a login has a cookie of its own';
    is_deeply attributes($login), { httponly => 'yes', path => '/',
        samesite => 'Lax', 'max-age' => 600 }, 'for as long as it may take';
    my $end = $browser->get(ask_op($browser, $begun));
    is_deeply attributes(set_cookie($end, 'openid2rp')),
        { httponly => 'yes', path => '/', samesite => 'Lax' },
        'the cookie is HttpOnly, Lax, for the site, until the browser closes';
    my ($name) = $login =~ /\A([^=]+)/;
    like set_cookie($end, $name), qr/\A$name=;.*Max-Age=0/,
        'the cookie of the login is removed';
    is_deeply [ sort keys %{ $browser->cookie } ], [ 'openid2rp' ],
        'and no other stays';

    my (undef, $own) = completed_behind(undef, 'localhost:' . port_of(),
        url(''), '/site/as/session-cookie/plain.html');
    is_deeply attributes(set_cookie($own, 'my.cookie')),
        { httponly => 'yes', path => '/site', samesite => 'Strict',
          domain => 'localhost', secure => 'yes' },
        'OpenIDCookie sets name, path, domain, SameSite and Secure';
    my ($value) = set_cookie($own, 'my.cookie') =~ /=([^;]*)/;
    my $where = url('/site/as/session-cookie/plain.html');
    is status_with($where, "my.cookie=$value"), 200,
        'control: under that name it is good';
    is status_with($where, "openid2rp=$value"), 401, 'under no other';
    my $out = browser()->get(url('/site/app/session-cookie/logout'),
        headers => [[ Cookie => "my.cookie=$value" ]]);
    is_deeply attributes(set_cookie($out, 'my.cookie')),
        { httponly => 'yes', path => '/site', samesite => 'Strict',
          domain => 'localhost', secure => 'yes', 'max-age' => 0 },
        'logout removes it where it is';
    is status_with($where, "my.cookie=$value"), 401, 'and ends it';
}

for my $case ([ 'site_https', 'secure.example', 'https://secure.example' ],
              [ 'site_base', 'inside.example', 'https://public.example' ]) {
    my ($vhost, $host, $origin) = @$case;
    my ($begun, $end) = completed_behind($vhost, $host, $origin,
                                         '/plain.html');
    is $end->header('Location'), "$origin/plain.html",
        "$vhost: a login is completed";
    is attributes(set_cookie($end, 'openid2rp'))->{secure}, 'yes',
        "$vhost: the cookie of an https site is Secure";
    is attributes(($begun->headers('Set-Cookie'))[0])->{secure}, 'yes',
        "$vhost: so is that of the login";
    my ($pair) = set_cookie($end, 'openid2rp') =~ /\A([^;]*)/;
    is exchange(port_of($vhost), raw_request('GET', "http://$host/plain.html",
        [[ Cookie => $pair ]]))->status, 200, "$vhost: and it is good";
}
is exchange(port_of('site_base'), raw_request('GET',
    'http://inside.example/logout', []))->header('Location'),
    'https://public.example/', 'logout leads to the public address';

# --- of one site only -------------------------------------------------------

{
    my $here = member();
    my $cookie = 'openid2rp=' . $here->cookie('openid2rp');
    my $two = url('/plain.html', 'site_two');
    is status_with($two, $cookie), 401,
        'a session is not good at another port of the host';
    is status_with($FILE, $cookie), 200, 'control: it is where it began';
    my $there = browser();
    is login($there, $two, $ALICE)->status, 200,
        'control: one can sign in there';
    is status_with($two, 'openid2rp=' . $there->cookie('openid2rp')), 200,
        'control: with a session of its own';
    is status_with($FILE, 'openid2rp=' . $there->cookie('openid2rp')), 401,
        'which is not good here';

    my $port = port_of('site_names');
    my $www = browser();
    is login($www, "http://www.site.example:$port/plain.html", $ALICE)
        ->status, 200, 'control: one can sign in at a name';
    my $named = 'openid2rp=' . $www->cookie('openid2rp');
    is status_with("http://www.site.example:$port/plain.html", $named), 200,
        'control: the session is good at that name';
    is status_with("http://site.example:$port/plain.html", $named), 401,
        'a session is not good at another name of the site';
    is status_with("http://evil.example:$port/plain.html", $named), 421,
        'nor at one that is not its own';
}

done_testing;
