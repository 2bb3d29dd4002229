#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# People go back, reload, open two tabs, come late. All of it ends somewhere
# useful: on the page, for who is signed in; else on the login page, with a
# sentence where something went wrong.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Chromium;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(time);

my $SITE = url('/browser', 'browser_site') =~ s/localhost/site.test/r;
my $LATE = url('/browser', 'browser_late') =~ s/localhost/site.test/r;
my $BYE = "$SITE/public/bye.html";
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
my $chromium = OpenID2RP::Chromium->new;
my $someone = $chromium->browser;
# Chromium has a cache of whole pages, with all that was in them, which does not
# ask whether somebody has signed out meanwhile. This one has none.
my $late = $chromium->browser(
    switches => ['--disable-features=BackForwardCache']);

op_reset();
op_mode(auto => undef);
my $began = somebody_goes_to_lunch();   # and the others do not wait for them
back_while_the_login_is_on();
back_after_the_login();
two_tabs();
the_return_url_again();
a_refused_return_again();
op_mode(auto => 'any');
back_after_the_logout();
back_after_the_logout_by_the_cache_of_pages();
the_login_page_is_not_kept();
somebody_comes_back_from_lunch($began);
done_testing;

sub visit {
    my ($page) = @_;
    $someone->forget;
    $someone->go($page);
}

sub is_member {
    my ($page, $user, $name) = @_;
    ok $someone->arrives($page, qr/Signed in/), "$name: on the page";
    is $someone->text('#user'), $user, "$name: signed in";
}

# Is it a page to go on from?
sub is_login_page {
    my ($browser, $name, $sentence) = @_;
    ok $browser->wait_for(sub { $browser->count('#openid') }),
        "$name: the login page";
    like $browser->text('[role=alert]') // '', $sentence // qr/\A\z/,
        "$name: with the right sentence";
    is $browser->text('#user'), undef, "$name: not the page itself";
}

# The addresses that somebody has returned by since it was asked last.
sub returns {
    return map { m{"GET (\S+\?openid_return=\S+) } ? $1 =~ s{\A/browser}{}r
                     : () }
        OpenID2RP::Test::new_lines(OpenID2RP::Test::var('t_logs')
                                   . '/access_log');
}

sub back_while_the_login_is_on {
    visit("$SITE/back?a=1");
    $someone->sign_in($ALICE);
    ok $someone->arrives(qr{/op/endpoint}), 'at the provider';
    my $provider = $someone->url;
    $someone->back;
    is_login_page($someone, 'back from the provider');
    $someone->sign_in($BOB);
    $someone->agree('bob');
    is_member("$SITE/back?a=1", $BOB, 'another login, begun there');

    $someone->go($provider);
    ok $someone->wait_for(sub { $someone->count('button[value=alice]') }),
        'the page of the first one is still in the history';
    $someone->agree('alice');
    is_member("$SITE/back?a=1", $ALICE, 'it completes, too');
}

sub back_after_the_login {
    visit($BYE);
    $someone->go("$SITE/back?b=1");
    $someone->sign_in($ALICE);
    $someone->agree('alice');
    is_member("$SITE/back?b=1", $ALICE, 'a login');
    $someone->back;
    ok $someone->wait_for(sub { $someone->count('button[value=approve]') }),
        'back: the page where it was approved';
    $someone->click('button[value=approve]');
    is_member("$SITE/back?b=1", $ALICE, 'approved once more');
    for (1 .. 5) {
        $someone->back;
        last if $someone->url !~ m{/op/};
    }
    is_member("$SITE/back?b=1", $ALICE,
              'back to where the login page was');
    $someone->forward;
    $someone->back;
    is_member("$SITE/back?b=1", $ALICE, 'there and back again');
}

sub two_tabs {
    visit("$SITE/one");
    $someone->sign_in($ALICE);
    ok $someone->arrives(qr{/op/endpoint}), 'one tab is at the provider';
    my $one = $someone->tab;
    my $two = $someone->new_tab;
    $someone->go("$SITE/two?a=1");
    $someone->sign_in($BOB);
    ok $someone->arrives(qr{/op/endpoint}), 'so is the other';
    $someone->to_tab($one);
    $someone->agree('alice');
    is_member("$SITE/one", $ALICE, 'the first tab');
    $someone->to_tab($two);
    $someone->agree('bob');
    is_member("$SITE/two?a=1", $BOB, 'the second tab');
    $someone->close_tab($one);
    $someone->reload;
    is_member("$SITE/one", $BOB, 'the last one counts for both, which');
}

sub the_return_url_again {
    visit("$SITE/again?a=1&a=2");
    returns();
    $someone->sign_in($ALICE);
    $someone->agree('alice');
    is_member("$SITE/again?a=1&a=2", $ALICE, 'a login');
    my ($return) = returns();
    like $return // '', qr{\A/again\?openid_return=.*openid\.sig=},
        'control: this is where it came back';
    error_log();
    $someone->go("$SITE$return");
    is_member("$SITE/again?a=1&a=2", $ALICE, 'the return URL once more');
    is_deeply [refusals()], ['nonce-replayed'], 'though nobody signs in by it';
    $someone->click('#logout');
    ok $someone->arrives($BYE), 'signed out';
    $someone->go("$SITE$return");
    is_login_page($someone, 'the return URL after the sign-out', qr/\w/);
    is_deeply [ $someone->cookies ], [], 'and no session';
    $someone->reload;
    is_login_page($someone, 'a reload of that', qr/\w/);
    op_mode(auto => 'any');
    $someone->sign_in($ALICE);
    is_member("$SITE/again?a=1&a=2", $ALICE, 'a login from there');
    op_mode(auto => undef);
}

sub a_refused_return_again {
    visit("$SITE/refused?a=1");
    $someone->sign_in($ALICE);
    ok $someone->wait_for(sub { $someone->count('button[value=cancel]') }),
        'at the provider';
    $someone->click('button[value=cancel]');
    is_login_page($someone, 'a cancel', qr/cancelled/);
    $someone->reload;
    is_login_page($someone, 'a reload of that', qr/\w/);
    op_mode(auto => 'any');
    $someone->sign_in($ALICE);
    is_member("$SITE/refused?a=1", $ALICE, 'a login from there');
    op_mode(auto => undef);
}

# The application says no-store.
sub back_after_the_logout {
    my $at_lunch = $late->tab;
    $late->new_tab;
    $late->go("$SITE/secret");
    $late->sign_in($ALICE);
    ok $late->arrives("$SITE/secret", qr/Signed in/), 'a login';
    $late->go("$SITE/public/bye.html");
    $late->back;
    is $late->text('#user'), $ALICE, 'control: back without a sign-out';
    $late->click('#logout');
    ok $late->arrives($BYE), 'signed out';
    $late->back;
    ok $late->arrives("$SITE/secret"), 'back after the sign-out';
    is_login_page($late, 'back after the sign-out');
    $late->close_tab($at_lunch);
}

# Where Chromium has kept the page, which is what it does with the last one
# before a sign-out, also with no-store: what is asked for again, is refused.
sub back_after_the_logout_by_the_cache_of_pages {
    visit("$SITE/secret");
    $someone->sign_in($ALICE);
    is_member("$SITE/secret", $ALICE, 'a login');
    $someone->click('#logout');
    ok $someone->arrives($BYE), 'signed out';
    $someone->back;
    ok $someone->arrives("$SITE/secret"), 'back';
    note 'from the cache of pages: ', $someone->text('#user') // 'nothing';
    is_deeply [ $someone->cookies ], [], 'there is no session';
    $someone->reload;
    is_login_page($someone, 'a reload of what Chromium has kept');
}

sub the_login_page_is_not_kept {
    visit("$SITE/kept");
    is_login_page($someone, 'a first visit');
    my $one = $someone->tab;
    $someone->go($BYE);
    $someone->new_tab;
    $someone->go("$SITE/other");
    $someone->sign_in($ALICE);
    is_member("$SITE/other", $ALICE, 'a login in another tab');
    $someone->close_tab($one);
    $someone->back;
    is_member("$SITE/kept", $ALICE, 'back to where the login page was');
}

sub somebody_goes_to_lunch {
    $late->go("$LATE/lunch");
    $late->sign_in($ALICE);
    ok $late->arrives(qr{/op/endpoint}), 'somebody is at the provider';
    return time;
}

sub somebody_comes_back_from_lunch {
    my ($since) = @_;
    op_mode(auto => undef);
    OpenID2RP::Process::wait_for(sub { time > $since + 6.5 });
    error_log();
    $late->agree('alice');
    is_login_page($late, 'too late', qr/taken too long/);
    is_deeply [refusals()], ['no-login'], 'too late: refused';
    op_mode(auto => 'any');
    $late->sign_in($ALICE);
    ok $late->arrives("$LATE/lunch", qr/Signed in/),
        'a login from there ends on the page';
    is $late->text('#user'), $ALICE, 'and is in time';
}
