#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Hostile inputs, group D: answers that have been used before, that are too old,
# or whose nonce says no time. All of them are signed as well as they can be.
# Those for another site, page or login are in return_to.t.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep);

my $APP = url('/security/app');
my $STATELESS = url('/security/app', 'security_stateless');
my $FORM = 'application/x-www-form-urlencoded';
my $ELSEWHERE = [403, 'return-to-mismatch'];
my $REPLAYED = [403, 'nonce-replayed'];
my $OLD = [403, 'nonce-expired'];
my $DAY = 24 * 60 * 60;

op_reset();
my $OP = OpenID2RP::Evil->new;
my $ALICE = $OP->id('alice');
my $BOB = $OP->id('bob');

# How an answer is verified, as arguments of attacks().
my %WAY = (
    'with an association' => [ op => $OP ],
    'by asking' => [ op => $OP, target => $STATELESS ],
    'OpenID 1.1' => [ op => $OP, id => $OP->id1('alice'),
                      control => { -version => 1 } ],
);

# Some wait for something to end: it does while the others run.
my @later = (a_session_that_ends(), a_login_that_ends());

sequential_replay();
replay_after_logout();
a_second_answer();
concurrent_replay();
old_nonce();
the_window_of_a_nonce();
malformed_nonce();
nonce_burning();
the_same_nonce_elsewhere();
replay_of_1_1();
$_->() for @later;
done_testing;

# ---------------------------------------------------------------------------

# A login that waits for its answer: the browser, the redirect to the provider.
sub begun {
    my ($target, $id) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $target // $APP, $id // $ALICE);
    $OP->calls;
    return ($browser, $begun);
}

sub accepted {
    my ($page, $target, $name) = @_;
    is_deeply [ scalar $page->header('Location'), refusals() ], [ $target ],
        $name
        or diag $page->alert // $page->body;
}

# An attack of attacks(): an answer with these fields, signed.
sub signed {
    my ($what, $refusal, $change, @asked) = @_;
    return [ $what, $refusal, sub {
        my ($browser, undef, $begun) = @_;
        my $asked = OpenID2RP::Evil::asked($begun);
        my $v1 = !defined $asked->{ns};
        $browser->get($OP->assertion($begun, $v1 ? (-version => 1) : (),
            ref $change eq 'CODE' ? $change->($asked) : %$change));
    }, @asked ];
}

# ---------------------------------------------------------------------------
# Used before

# Each is a thief who has seen the answer; some have the cookies as well.
sub sequential_replay {
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        my $target = $is{target} // $APP;
        my $id = $is{id} // $ALICE;
        my ($browser, $begun) = begun($target, $id);
        my $url = $OP->assertion($begun, %{ $is{control} // {} });
        my ($key, $message) = parts($url);
        my $before = $browser->twin;
        my $name = "sequential replay, $way";
        accepted($browser->get($url), $target, "$name: control: once, in");
        my $session = $browser->cookie('openid2rp');
        $OP->calls;
        refused($before->twin->get($url), @$REPLAYED,
                "$name: with stolen cookies");
        refused($before->twin->post($key, $message), @$REPLAYED,
                "$name: with stolen cookies, by POST");
        outsider($before, $target, "$name: with stolen cookies");
        refused(browser()->get($url), 403, 'other-browser',
                "$name: in another browser");
        my $again = $browser->get($url);
        is $again->header('Location'), $target,
            "$name: whoever is signed in by it is sent on";
        is_deeply [ refusals(), $again->headers('Set-Cookie') ],
            ['nonce-replayed'], "$name: which is no second login";
        is $browser->cookie('openid2rp'), $session,
            "$name: the session is the same";
        is_deeply [$OP->calls], [], "$name: nobody is asked again";
        insider($browser, $target, $id, $name);
    }
}

sub replay_after_logout {
    my $app = url('/security_logout/app');
    for my $id ($ALICE, $OP->id1('alice')) {
        my @sign = $id eq $ALICE ? () : (-version => 1);
        my ($browser, $begun) = begun($app, $id);
        my $url = $OP->assertion($begun, @sign);
        my $before = $browser->twin;
        accepted($browser->get($url), $app, "logout, $id: control: in");
        my $inside = $browser->twin;
        is $browser->get(url('/security_logout/out'))->status, 303,
            "logout, $id: out";
        outsider($inside, $app, "logout, $id: with the cookie from before");
        refused($browser->get($url), 403, 'other-browser',
                "replay after logout, $id");
        refused($before->get($url), @$REPLAYED,
                "replay after logout, $id: with stolen cookies");
        $inside->{jar} = { %{ $inside->{jar} }, %{ $before->{jar} } };
        refused($inside->get($url), @$REPLAYED,
                "replay after logout, $id: with all cookies there were");
        outsider($_, $app, "replay after logout, $id")
            for $browser, $before, $inside;
    }
}

# When its time is up. The second half runs at the end.
sub a_session_that_ends {
    my $app = url('/security_logout/app');
    my ($browser, $begun) = begun($app);
    my $url = $OP->assertion($begun);
    my $before = $browser->twin;
    accepted($browser->get($url), $app, 'a session that ends: control: in');
    return sub {
        for (1 .. 100) {
            last if $browser->get($app)->status == 401;
            sleep 0.1;
        }
        outsider($browser, $app, 'a session that ends');
        refused($browser->get($url), 403, 'other-browser',
                'replay after a session has ended');
        refused($before->get($url), @$REPLAYED,
                'replay after a session has ended, with stolen cookies');
    };
}

# An answer that comes too late: its login is not there any more.
sub a_login_that_ends {
    my $app = url('/security/app', 'security_brief');
    my ($used, $answered) = begun($app);
    my $first = $OP->assertion($answered);
    my $before = $used->twin;
    accepted($used->get($first), $app, 'a login that ends: control: in time');
    my ($browser, $begun) = begun($app);
    return sub {
        sleep 3;
        refused($browser->get($OP->assertion($begun)), 403, 'no-login',
                'an answer to a login that has ended');
        refused($before->get($first), 403, 'no-login',
                'a replay for a login that has ended');
        outsider($_, $app, 'a login that ends') for $browser, $before;
    };
}

# A provider may sign as often as it likes: a login ends once.
sub a_second_answer {
    for my $id ($ALICE, $OP->id1('alice')) {
        my @sign = $id eq $ALICE ? () : (-version => 1);
        my ($browser, $begun) = begun($APP, $id);
        my $before = $browser->twin;
        accepted($browser->get($OP->assertion($begun, @sign)), $APP,
                 "a second answer, $id: control: the first one");
        refused($before->twin->get($OP->assertion($begun, @sign)), @$REPLAYED,
                "a second answer, $id: as good as the first");
        refused($before->twin->get($OP->assertion($begun, @sign,
            mode => 'cancel')), @$REPLAYED,
            "a second answer, $id: a cancel");
        outsider($before, $APP, "a second answer, $id");
        is $browser->get($APP)->status, 200,
            "a second answer, $id: whoever is signed in does not notice";
    }
    refusals();
}

# Many at once; more of them, and two httpds, are in processes.t.
sub concurrent_replay {
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        my $target = $is{target} // $APP;
        my ($browser, $begun) = begun($target, $is{id} // $ALICE);
        my $url = $OP->assertion($begun, %{ $is{control} // {} });
        my ($key, $message) = parts($url);
        my @requests = map { ($browser->request('GET', $url, undef),
            $browser->request('POST', $key, $message,
                headers => [ [ 'Content-Type' => $FORM ] ])) } 1 .. 5;
        refusals();
        my @pages = parallel(($target =~ /:(\d+)/)[0], \@requests, $url);
        my %count;
        $count{ $_ ? $_->status : 'none' }++ for @pages;
        is_deeply \%count, { 303 => 1, 403 => 9 },
            "concurrent replay, $way: one of ten signs in";
        is scalar(grep { /\Aopenid2rp=[^;]|\A__Host-openid2rp=[^;]/ }
                  map { $_->headers('Set-Cookie') } grep { $_ } @pages), 1,
            "concurrent replay, $way: one session begins";
        is_deeply [refusals()], [ ('nonce-replayed') x 9 ],
            "concurrent replay, $way: the others were late";
    }
    $OP->calls;
}

# ---------------------------------------------------------------------------
# Its time

sub nonce { OpenID2RP::Evil::new_nonce(time + $_[0]) }

sub old_nonce {
    my %age = ('6 minutes' => 360, '1 hour' => 3600, '5 hours' => 5 * 3600,
        '6 hours' => 6 * 3600, '1 day' => $DAY, '10 years' => 3653 * $DAY,
        '50 years' => 50 * 365 * $DAY, 'in 3 minutes' => -180,
        'in 1 hour' => -3600, 'in 1 day' => -$DAY,
        'in 10 years' => -3653 * $DAY);
    attacks('old nonce', [
        map({ my $age = $age{$_};
              signed($_, $OLD, sub { (response_nonce => nonce(-$age)) }) }
            sort keys %age),
        map({ signed($_, $OLD, { response_nonce => $_ }) }
            '1970-01-01T00:00:00Z', '1999-12-31T23:59:59Zx',
            '2000-02-29T00:00:00Z', '2038-01-19T03:14:08Z',
            '2106-02-07T06:28:16Z', '2262-04-12T00:00:00Z'),
    ], op => $OP);
    for my $age (360, 3600, $DAY, -180) {
        attack("old nonce, by asking: $age seconds", $OLD,
               op => $OP, target => $STATELESS,
               change => { response_nonce => nonce(-$age) });
    }
}

# OpenIDNonceLifetime into the past, two minutes into the future: twenty seconds
# on either side of it, for the test's own time.
sub the_window_of_a_nonce {
    my %lifetime = (security_nonce_short => 60, security_nonce_long => 3600,
                    security_other => 300);
    for my $vhost (sort keys %lifetime) {
        my $target = url('/security/app', $vhost);
        my $lifetime = $lifetime{$vhost};
        attacks("outside the window, $vhost", [
            map { my $ahead = $_;
                  signed("$ahead seconds ahead", $OLD,
                         sub { (response_nonce => nonce($ahead)) }) }
            -$lifetime - 20, -2 * $lifetime - 20, -10 * $lifetime, 140, 600,
            3700 ], op => $OP, target => $target);
        for my $ahead (-$lifetime + 20, -1, 0, 1, 100) {
            my ($browser, $begun) = begun($target);
            my $nonce = nonce($ahead);
            accepted($browser->get($OP->assertion($begun,
                response_nonce => $nonce)), $target,
                "inside the window, $vhost: $ahead seconds ahead");
            # It is kept as long as it would be accepted.
            attack("inside the window, $vhost: $ahead seconds ahead, again",
                   $REPLAYED, op => $OP, target => $target,
                   change => { response_nonce => $nonce }, control => 0);
        }
    }
}

# 10.1: a time as in RFC 3339, in UTC, with a Z; printable characters; 255.
sub malformed_nonce {
    my $now = nonce(0);
    my ($date, $time) = $now =~ /\A(.{10})T(.{8})Z/;
    my ($year) = $date =~ /\A(.{4})/;
    my @bad = (
        "9999-12-31T23:59:59Z", "3000-01-01T00:00:00Z",
        "$year-13-01T00:00:00Z", "$year-00-01T00:00:00Z",
        "$year-01-00T00:00:00Z", "$year-01-32T00:00:00Z",
        "$year-02-30T00:00:00Z", "$year-04-31T00:00:00Z",
        '2023-02-29T00:00:00Z', '2100-02-29T00:00:00Z',
        "${date}T24:00:00Z", "${date}T25:00:00Z", "${date}T00:60:00Z",
        "${date}T00:00:60Z", "${date}T23:59:60Z", "${date}T00:00:61Z",
        "${date}T${time}+1:00", "${date}T${time}+01:00",
        "${date}T${time}-00:00", "${date}T${time}+00:00", "${date}T${time}",
        "${date}T${time}.5Z", "${date}T${time}.000000Z", "${date}T${time},5Z",
        "${date}T${time}z", "${date}t${time}Z", "${date} ${time}Z",
        "${date}${time}Z", "${date}T${time} Z", " $now", "$now ",
        "$now with spaces", "${date}Z", "T${time}Z", 'Z', 'x', '0',
        substr($now, 1), "0$now", "+$now", "-$now", substr($now, 2),
        '1969-12-31T23:59:59Z', '1900-01-01T00:00:00Z',
        '0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z',
        '10000-01-01T00:00:00Z', '-001-01-01T00:00:00Z',
        "$year-1-1T0:0:0Z", "$year-+1-01T00:00:00Z", "$year/01/01T00:00:00Z",
        "$year-W01-1T00:00:00Z", "$year-001T00:00:00Z",
        "0x7E-01-01T00:00:00Z", '20260101T000000Z', '1234567890',
        'Mon, 01 Jan 2026 00:00:00 GMT', "$date T${time}Z",
        $now . 'x' x (256 - length $now), $now . 'x' x 1000,
        "$now\xC3\xA9", "$now\xE2\x80\x8B",
        "\xD9\xA2\xD9\xA0\xD9\xA2\xD9\xA6-01-01T00:00:00Z",
        "${date}T${time}\xEF\xBC\xBA",
    );
    for my $target ($APP, $STATELESS) {
        attacks("malformed nonce at $target", [
            map({ signed('"' . substr($_, 0, 40) . '"', [400, 'bad-nonce'],
                         { response_nonce => $_ }) } @bad),
            map({ signed(sprintf('with the bytes %vX', $_),
                         [400, 'bad-message'],
                         { response_nonce => "$now$_" }) }
                "\0", "\1", "\t", "\n", "\r\n", "\x1B[2J", "\x7F", "\xFF",
                "\xC0\x80"),
            signed('empty', [400, 'bad-message'], { response_nonce => '' }),
            signed('missing', [400, 'bad-message'],
                   { response_nonce => undef }),
        ], op => $OP, target => $target);
    }
    for my $good ($now . 'x' x (255 - length $now), "${date}T${time}Z",
                  "$now!\"#\$%&'()*+,-./:;<=>?\@[\\]^_`{|}~") {
        my ($browser, $begun) = begun();
        accepted($browser->get($OP->assertion($begun,
            response_nonce => $good)), $APP,
            'control: a good nonce of ' . length($good) . ' characters');
    }
}

# What fails uses nothing up: neither in its own login nor in another.
sub nonce_burning {
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        my $target = $is{target} // $APP;
        my $id = $is{id} // $ALICE;
        my @sign = %{ $is{control} // {} };
        my @asked = $way eq 'by asking' ? ['check_authentication'] : [];
        my ($browser, $begun) = begun($target, $id);
        my $url = $OP->assertion($begun, @sign);
        my ($nonce) = map { decode($_) }
            $url =~ /openid\.response_nonce=([^&]*)/;
        my ($thief, $own) = begun($target, $id);
        refusals();
        for my $who ([ 'in its own login', $browser, $begun ],
                     [ 'in the login of a thief', $thief, $own ]) {
            my ($what, $with, $from) = @$who;
            for my $lie ([ sig => 'xyz' ], [ sig => 'A' x 43 . '=' ],
                         [ -key => 'x' x 32 ]) {
                my $page = $with->get($OP->assertion($from, @sign,
                    $nonce ? (response_nonce => $nonce) : (), @$lie));
                refused($page, 403, 'bad-signature',
                        "nonce burning, $way: $what, $lie->[0]");
                is_deeply [$OP->calls], @asked,
                    "nonce burning, $way: $what: who is asked";
            }
        }
        refused(browser()->get($url), 403, 'other-browser',
                "nonce burning, $way: in another browser");
        accepted($browser->get($url), $target,
                 "nonce burning, $way: the real one signs in");
        insider($browser, $target, $id, "nonce burning, $way");
        $OP->calls;
    }
}

# A nonce is one of a provider, however that writes its address.
sub the_same_nonce_elsewhere {
    my $nonce = nonce(0);
    my ($browser, $begun) = begun();
    accepted($browser->get($OP->assertion($begun, response_nonce => $nonce)),
             $APP, 'the same nonce: control: once, in');
    my $host = $OP->endpoint =~ s/http:/HTTP:/r;
    my $path = $OP->endpoint =~ s/endpoint/%65ndpoint/r;
    for my $change ({}, { op_endpoint => $host }, { op_endpoint => $path }) {
        attack('the same nonce in another login, ' . ($change->{op_endpoint}
               // 'as it was'), $REPLAYED, op => $OP,
               change => { %$change, response_nonce => $nonce });
    }
    attack('the same nonce in a login of another user', $REPLAYED, op => $OP,
           id => $BOB, change => { response_nonce => $nonce });
    attack('the same nonce, verified in another way', $REPLAYED, op => $OP,
           target => $STATELESS, change => { response_nonce => $nonce },
           calls => ['check_authentication']);
    # Another one is another one.
    ($browser, $begun) = begun();
    accepted($browser->get($OP->assertion($begun,
        response_nonce => $nonce =~ s/(.)\z/$1 eq '1' ? 2 : 1/er)), $APP,
        'the same time, another nonce');
    my $other = OpenID2RP::Evil->new;
    $browser = browser();
    accepted($browser->get($other->assertion(
        begin_login($browser, $APP, $other->id('alice')),
        response_nonce => $nonce)), $APP,
        'the same nonce from another provider');
}

# 1.1 has no nonce: the login itself can be used once. That some providers send
# one all the same makes no difference.
sub replay_of_1_1 {
    my $id = $OP->id1('alice');
    for my $target ($APP, $STATELESS) {
        for my $nonce (undef, nonce(0), nonce(-$DAY), 'no nonce') {
            my ($browser, $begun) = begun($target, $id);
            my $url = $OP->assertion($begun, -version => 1,
                defined $nonce ? (response_nonce => $nonce) : ());
            my $before = $browser->twin;
            my $name = '1.1 replay with ' . ($nonce // 'no field')
                . " at $target";
            accepted($browser->get($url), $target, "$name: control: once, in");
            refused($before->get($url), @$REPLAYED, $name);
            outsider($before, $target, $name);
            my ($there, $next) = begun($target, $id);
            refused($there->get($OP->assertion($next) =~ s/&.*//sr
                . '&' . (parts($url))[1]), @$ELSEWHERE,
                "$name: in another login");
        }
    }
}
