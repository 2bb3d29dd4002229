#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What other sites and other modules could do to a login: links that sign
# somebody else in, caches, negotiation, floods, values without end.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Test;
use Test::More;

my $PAGE = url('/foreign/cached/page.html');
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');

op_reset();

a_link_elsewhere_signs_nobody_in();
what_a_page_embeds_changes_nothing();
a_cache_hands_nothing_out();
negotiation_finds_the_login_page();
failed_starts_leave_no_records();
long_values_are_left_out();
a_login_that_no_record_has_room_for();
done_testing;

sub user { $_[0]->body =~ /(SECRET-\w+)/ ? $1 : 'nothing' }

sub a_link_elsewhere_signs_nobody_in {
    my $browser = browser();
    is user(login($browser, $PAGE, $ALICE)), 'SECRET-CACHED',
        'control: alice is signed in';
    my $session = $browser->cookie('openid2rp');
    my $link = "$PAGE?openid_identifier=" . encode($BOB);
    my @from = ([ 'Sec-Fetch-Mode', 'navigate' ]);
    my $page = $browser->get($link, headers => [
        @from, [ 'Sec-Fetch-Site', 'cross-site' ] ]);
    is $page->status, 401, 'a link elsewhere gets the login page';
    like $page->body, qr/value="\Q$BOB\E"/, 'with its identifier filled in';
    is $browser->cookie('openid2rp'), $session, 'and alice stays signed in';
    $page = $browser->get($link, headers => [
        @from, [ 'Sec-Fetch-Site', 'same-origin' ] ]);
    is $page->status, 303, 'control: a link on the site itself begins a login';
}

sub what_a_page_embeds_changes_nothing {
    my $browser = browser();
    login($browser, $PAGE, $ALICE);
    my $embedded = [ [ 'Sec-Fetch-Mode', 'no-cors' ],
                     [ 'Sec-Fetch-Site', 'cross-site' ] ];
    my $start = "$PAGE?openid_identifier=" . encode($BOB);
    is $browser->get($start, headers => $embedded)->status, 200,
        'a picture begins no login';
    is $browser->get(url('/foreign/out'), headers => $embedded)->status, 403,
        'nor does one sign out';
    is user($browser->get($PAGE)), 'SECRET-CACHED', 'alice is signed in';
    is $browser->get(url('/foreign/out'))->status, 303,
        'control: she can sign out herself';
    is $browser->get($PAGE)->status, 401, 'control: and then is not';
}

sub a_cache_hands_nothing_out {
    my $browser = browser();
    is user(login($browser, $PAGE, $ALICE)), 'SECRET-CACHED',
        'control: alice reads the page';
    is user($browser->get($PAGE)), 'SECRET-CACHED', 'control: and again';
    for my $accept ('text/html', '*/*') {
        my $page = browser()->get($PAGE, headers => [[ 'Accept', $accept ]]);
        is $page->status, 401, "nobody, Accept $accept: 401";
        unlike $page->body, qr/SECRET/, "nobody, Accept $accept: not the page";
    }
}

sub negotiation_finds_the_login_page {
    my $browser = browser();
    my $page = $browser->get(url('/foreign/doc'));
    is $page->status, 401, 'a page of several languages: the login page';
    like $page->body, qr/openid_identifier/, 'with its form';
    like user(login($browser, url('/foreign/doc'), $ALICE)), qr/\ASECRET-/,
        'and the page behind it';
}

# Far more than the store has room for records of logins.
sub failed_starts_leave_no_records {
    my $web = web_server(sub { [ 404 ], '' });
    my $bad = 0;
    for (1 .. 60) {
        my $page = begin_login(browser(), "$PAGE?" . 'x' x 7000, $web);
        $bad++ if $page->status != 502;
    }
    is $bad, 0, 'each of many failing starts is told why';
    is begin_login(browser(), $PAGE, $ALICE)->status, 303,
        'and there is room for a login';
    web_log($web);
}

sub long_values_are_left_out {
    my $op = provider();
    my %email = ('ns.ax' => 'http://openid.net/srv/ax/1.0',
                 'ax.mode' => 'fetch_response',
                 'ax.type.e' => 'http://axschema.org/contact/email',
                 signed => 'op_endpoint,claimed_id,identity,return_to,'
                     . 'response_nonce,assoc_handle,ns.ax,ax.mode,'
                     . 'ax.type.e,ax.value.e');
    for my $size (1024, 1025) {
        my $browser = browser();
        my $begun = begin_login($browser, url('/login/app'), $op->id('x'));
        my $answer = $op->assertion($begun, %email,
                                    'ax.value.e' => 'v' x $size);
        my $page = $browser->get($browser->get($answer)->header('Location'));
        my $seen = env_of($page)->{OPENID2RP_AX_EMAIL} // '';
        is length $seen, $size == 1024 ? 1024 : 0,
            "a value of $size bytes: " . ($size == 1024 ? 'kept' : 'left out');
    }
}

# Each sign of an identifier takes up to seven in the record, more than once.
sub a_login_that_no_record_has_room_for {
    my $op = web_server(sub {
        my ($path, undef, undef, $url) = @_;
        return ([ 200, 'Content-Type: application/xrds+xml' ],
            '<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">'
            . '<XRD><Service>'
            . '<Type>http://specs.openid.net/auth/2.0/signon</Type>'
            . "<URI>$url/endpoint</URI></Service></XRD></xrds:XRDS>");
    });
    my $page = url('/login/app');
    my $start = sub { browser()->post($_[0], { openid_identifier => $_[1] }) };
    refusals();
    my $answer = $start->($page, "$op/" . '!' x 1900);
    is $answer->status, 400, 'an OpenID of 1900 signs that are encoded';
    is $answer->alert, 'This OpenID is too long.', 'the page says why';
    is_deeply [refusals()], ['too-big'], 'as does one line of the log';
    is_deeply [ $answer->headers('Set-Cookie') ], [], 'nothing has begun';
    is $start->($page, "$op/" . 'x' x 1900)->status, 200,
        'control: one of 1900 letters is on its way, by a form';
    is_deeply [refusals()], [], 'and not refused';
    my $long = "$page?" . '/' x 7900;
    $answer = $start->($long, "$op/" . '!' x 900);
    is $answer->status, 400, 'a long one on a page with a long address';
    is $answer->alert, 'The address of this page is too long to come back to.',
        'the page says why';
    is_deeply [refusals()], ['too-big'], 'as does one line of the log';
    is $start->($long, "$op/x")->status, 303, 'control: a short one';
}
