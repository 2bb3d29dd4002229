#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# An application with accounts of its own (conf/demo/accounts.cgi), as people
# use it: they make an account with an OpenID, sign in, add another one; they
# cancel, reload, go back, and have two tabs. The site is site.test, the
# provider another one, localhost.

use v5.14;
use strict;
use warnings;
use File::Path qw(remove_tree);
use OpenID2RP::Chromium;
use OpenID2RP::Test;
use Test::More;

my $HOME = url('/accounts/', 'browser_site') =~ s/localhost/site.test/r;
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
my $BOB2 = op_url('/html/bob');
my $chromium = OpenID2RP::Chromium->new;
my $someone = $chromium->browser;

remove_tree(OpenID2RP::Test::var('t_logs') . '/accounts');
op_reset();
op_mode(auto => undef);         # people sign in there, and agree

an_unknown_openid_makes_an_account();
a_known_openid_signs_in();
a_user_adds_and_removes_openids();
what_is_no_openid();
a_cancelled_login();
reload_and_back_before_the_account_is_made();
back_and_return_url_after_the_login();
two_tabs_and_two_people();
two_tabs_of_one_person();
an_answer_by_post();
a_form_of_another_site();
for_everybody();
done_testing;

sub visit {
    my ($browser) = @_;
    $browser->forget;
    $browser->go($HOME);
    $browser->complaints;
}

# At the provider, who may know somebody already.
sub agree {
    my ($browser, $user) = @_;
    ok $browser->wait_for(sub { $browser->count("button[value=$user],"
                                                . 'button[value=approve]') }),
        "at the provider, as $user";
    $browser->click("button[value=$user]")
        if $browser->count("button[value=$user]");
    $browser->wait_for(sub { $browser->count('button[value=approve]') });
    $browser->click('button[value=approve]');
}

sub is_account {
    my ($browser, $name, $openids, $test) = @_;
    ok $browser->arrives($HOME, qr/Hello, $name/), "$test: the page of $name";
    is $browser->text('#account'), $name, "$test: signed in";
    is_deeply [ openids($browser) ], $openids, "$test: the OpenIDs are right"
        if $openids;
    is_deeply [ $browser->complaints ], [], "$test: the console is silent";
}

sub openids {
    my ($browser) = @_;
    return @{ $browser->run('return Array.from(document.querySelectorAll('
        . '"#openids td:first-child"), e => e.textContent)') };
}

sub is_visitor {
    my ($browser, $test) = @_;
    ok $browser->arrives($HOME, qr/With a password/), "$test: the first page";
    is $browser->text('#account'), undef, "$test: nobody is signed in";
}

sub sign_out {
    my ($browser, $test) = @_;
    $browser->click('#leave');
    is_visitor($browser, $test // 'a sign-out');
}

# From the first page to the own one.
sub sign_in {
    my ($browser, $openid, $user, $name, $test) = @_;
    $browser->sign_in($openid);
    agree($browser, $user);
    is_account($browser, $name, undef, $test);
}

# --- the three scenarios ----------------------------------------------------

sub an_unknown_openid_makes_an_account {
    visit($someone);
    $someone->sign_in($ALICE);
    agree($someone, 'alice');
    ok $someone->arrives("${HOME}register", qr/is new here/),
        'an unknown OpenID: asked for a name';
    is $someone->text('#new'), $ALICE, 'the page says which OpenID it is';
    is $someone->property('#name', 'value'), 'alice', 'a name is proposed';
    is $someone->property('#email', 'value'), 'alice@example.com',
        'and a mail address';
    $someone->fill('#name', 'Not a name!');
    $someone->click('#register');
    ok $someone->arrives("${HOME}register", qr/name has/), 'a wrong name';
    is $someone->property('#name', 'value'), 'Not a name!',
        'can be mended';
    $someone->fill('#name', 'alice');
    $someone->click('#register');
    is_account($someone, 'alice', [$ALICE], 'a new account');
    is $someone->text('[role=status]'), 'You are signed in by OpenID.',
        'which is said';
    $someone->reload;
    is_account($someone, 'alice', [$ALICE], 'a reload');
    is $someone->count('[role=status]'), 0, 'which is not said again';
    my ($cookie) = grep { $_->{name} eq 'accounts' } $someone->cookies;
    is_deeply [ @$cookie{qw(domain path sameSite)} ],
        [ 'site.test', '/', 'Lax' ], 'the cookie is for this host alone';
    ok $cookie->{httpOnly}, 'and for no script';
    sign_out($someone);
}

sub a_known_openid_signs_in {
    $someone->go($HOME);
    sign_in($someone, $ALICE, 'alice', 'alice', 'a known OpenID');
    $someone->reload;
    is_account($someone, 'alice', [$ALICE], 'a reload after it');
}

sub a_user_adds_and_removes_openids {
    $someone->sign_in($BOB);
    agree($someone, 'bob');
    is_account($someone, 'alice', [ $ALICE, $BOB ], 'an OpenID is added');
    is $someone->text('[role=status]'),
        'The OpenID was added to your account.', 'which is said';
    $someone->reload;
    is_account($someone, 'alice', [ $ALICE, $BOB ], 'a reload of that');
    sign_out($someone);
    sign_in($someone, $BOB, 'bob', 'alice', 'by the added one');
    $someone->click(qq(input[value="$ALICE"] ~ button));
    ok $someone->arrives($HOME, qr/was removed/), 'one is removed';
    is_account($someone, 'alice', [$BOB], 'one is removed');
    $someone->click(qq(input[value="$BOB"] ~ button));
    ok $someone->arrives($HOME, qr/last way in/), 'the last one';
    is_account($someone, 'alice', [$BOB], 'the last one stays');
    $someone->sign_in($ALICE);
    agree($someone, 'alice');
    is_account($someone, 'alice', [ $ALICE, $BOB ], 'added again');

    # An account of somebody else, who would have it too.
    visit($someone);
    $someone->sign_in($BOB2);
    agree($someone, 'bob');
    ok $someone->arrives("${HOME}register", qr/is new here/), 'somebody else';
    is $someone->property('#name', 'value'), 'bob', 'bob, they say';
    $someone->click('#register');
    is_account($someone, 'bob', [$BOB2], 'somebody else');
    $someone->sign_in($ALICE);
    agree($someone, 'alice');
    ok $someone->arrives($HOME, qr/belongs to another account/),
        'what belongs to alice';
    is_account($someone, 'bob', [$BOB2], 'is not added to bob');
}

# --- what can go wrong ------------------------------------------------------

sub what_is_no_openid {
    visit($someone);
    my $typed = 'http://localhost:1/"><b>';
    $someone->sign_in($typed);
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        'no OpenID: the page says so';
    is $someone->property('#openid', 'value'), $typed,
        'what was typed is still in the field';
    is $someone->role('[role=alert]'), 'alert', 'it is said aloud';
    $someone->reload;
    is $someone->count('[role=alert]'), 0, 'but once';
    is_deeply [ $someone->complaints ], [], 'and the console is silent';
    $someone->sign_in('http://localhost:1/');
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        'no OpenID, once more';
    sign_in($someone, $ALICE, 'alice', 'alice', 'mended');

    $someone->sign_in('http://localhost:1/');
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        'no OpenID to add';
    is $someone->property('#openid', 'value'), 'http://localhost:1/',
        'what was typed is still there';
    is_account($someone, 'alice', [ $ALICE, $BOB ], 'nothing is added');
}

sub a_cancelled_login {
    visit($someone);
    $someone->sign_in($ALICE);
    ok $someone->wait_for(sub { $someone->count('button[value=cancel]') }),
        'the provider can be told no';
    $someone->click('button[value=cancel]');
    ok $someone->arrives($HOME, qr/cancelled/), 'which the page says';
    is_visitor($someone, 'a cancel');
    $someone->reload;
    is_visitor($someone, 'a reload of that');
    is $someone->count('[role=alert]'), 0, 'does not say it again';
    is_deeply [ $someone->complaints ], [], 'and the console is silent';
    sign_in($someone, $ALICE, 'alice', 'alice', 'after a cancel');

    $someone->sign_in($BOB2);
    ok $someone->wait_for(sub { $someone->count('button[value=cancel]') }),
        'neither need one be added';
    $someone->click('button[value=cancel]');
    ok $someone->arrives($HOME, qr/cancelled/), 'which the page says';
    is_account($someone, 'alice', [ $ALICE, $BOB ], 'and nothing is added');
}

sub reload_and_back_before_the_account_is_made {
    my $openid = op_url('/html/alice');
    visit($someone);
    $someone->sign_in($openid);
    agree($someone, 'alice');
    ok $someone->arrives("${HOME}register", qr/is new here/), 'a new one';
    $someone->reload;
    ok $someone->arrives("${HOME}register", qr/is new here/),
        'a reload of the form: still the form';
    is $someone->text('#new'), $openid, 'for the same OpenID';
    $someone->back;
    ok $someone->wait_for(sub { $someone->count('button[value=approve]') }),
        'back: the page where it was approved';
    $someone->click('button[value=approve]');
    ok $someone->arrives($HOME, qr/With a password/), 'approved once more';
    like $someone->text('[role=alert]'), qr/\w/, 'which says that it was used';
    $someone->go("${HOME}register");
    is $someone->text('#new'), $openid, 'the OpenID is not lost';
    $someone->click('#leave');
    is_visitor($someone, 'no account');
    $someone->go("${HOME}register");
    is $someone->text('#new'), undef, 'then it is forgotten';
}

sub back_and_return_url_after_the_login {
    my @log = OpenID2RP::Test::var('t_logs') . '/access_log';
    OpenID2RP::Test::new_lines(@log);
    visit($someone);
    sign_in($someone, $ALICE, 'alice', 'alice', 'a login');
    my ($path) = map { m{"GET /accounts/(\?openid_return=\S+)} ? $1 : () }
        OpenID2RP::Test::new_lines(@log);
    like $path // '', qr/openid\.sig=/, 'control: this is where it came back';
    $someone->back;
    ok $someone->wait_for(sub { $someone->count('button[value=approve]') }),
        'back: the page where it was approved';
    $someone->click('button[value=approve]');
    is_account($someone, 'alice', undef, 'approved once more');
    like $someone->text('[role=alert]'), qr/\w/, 'which says that it was used';
    for (1 .. 5) {
        $someone->back;
        last if $someone->url !~ m{/op/};
    }
    $someone->reload;
    is_account($someone, 'alice', undef, 'back to where the form was');
    $someone->go("$HOME$path");
    is_account($someone, 'alice', undef, 'the return URL once more');
    like $someone->text('[role=alert]'), qr/\w/, 'which says that it was used';
    sign_out($someone);
    $someone->back;
    $someone->reload;
    is_visitor($someone, 'back after the sign-out');
    $someone->go("$HOME$path");
    is_visitor($someone, 'the return URL after the sign-out');
}

# One tab is with alice at the provider while the other one signs somebody in.
sub two_tabs {
    my ($openid, $name) = @_;
    visit($someone);
    my $one = $someone->tab;
    $someone->sign_in($ALICE);
    ok $someone->arrives(qr{/op/endpoint}), 'one tab is at the provider';
    my $two = $someone->new_tab;
    $someone->go($HOME);
    sign_in($someone, $openid, $name, $name, 'the other tab');
    $someone->to_tab($one);
    $someone->reload;
    agree($someone, 'alice');
    return ($one, $two);
}

sub two_tabs_and_two_people {
    my ($one, $two) = two_tabs($BOB2, 'bob');
    ok $someone->arrives($HOME, qr/Nothing was changed/), 'the first tab';
    is_account($someone, 'bob', [$BOB2], 'the first tab: still bob');

    # One begins to add; then somebody else signs in.
    $someone->sign_in(op_url('/html11/alice'));
    ok $someone->arrives(qr{/op/endpoint}), 'an addition is at the provider';
    $someone->to_tab($two);
    $someone->go($HOME);
    sign_out($someone);
    sign_in($someone, $ALICE, 'alice', 'alice', 'somebody else');
    $someone->to_tab($one);
    $someone->reload;
    agree($someone, 'alice');
    ok $someone->arrives($HOME, qr/Nothing was changed/), 'the addition';
    is_account($someone, 'alice', [ $ALICE, $BOB ],
               'the addition: not to alice');
    $someone->close_tab($two);
}

sub two_tabs_of_one_person {
    my ($one, $two) = two_tabs($ALICE, 'alice');
    is_account($someone, 'alice', undef, 'the same login in two tabs');
    is $someone->count('[role=alert]'), 0, 'is nothing to complain about';

    my @new = (op_url('/html11/alice'), op_url('/html11/bob'));
    $someone->sign_in($new[0]);
    ok $someone->wait_for(sub { $someone->count('button[value=approve]') }),
        'one tab adds';
    $someone->to_tab($two);
    $someone->sign_in($new[1]);
    agree($someone, 'bob');
    ok $someone->arrives($HOME, qr/was added/), 'the other tab adds, too';
    $someone->to_tab($one);
    $someone->reload;
    agree($someone, 'alice');
    is_account($someone, 'alice', [ sort $ALICE, $BOB, @new ],
               'both are added, for nobody else has them');
    $someone->close_tab($two);
}

# The provider's form comes from another site, without the cookies.
sub an_answer_by_post {
    op_mode(answer => 'post');
    visit($someone);
    # The provider's own address: the user is chosen there.
    sign_in($someone, op_url('/'), 'alice', 'alice', 'an answer by POST');
    op_mode(answer => undef);
}

# It knows all names, but no token.
sub a_form_of_another_site {
    my $evil = web_server(sub {
        my ($path) = @_;
        my ($name, $method) = $path =~ m{/(\w+)/(\w+)}
            or return ([ 204 ], q());
        my %field = (openid => "name=openid_identifier value=$BOB2",
                     leave => 'name=do value=leave');
        my $to = $HOME . ($name eq 'openid' && '?do=add&amp;token=x');
        return ([ 200, 'Content-Type: text/html' ],
            "<form method=$method action=\"$to\"><input type=hidden "
            . "$field{$name}><button>Win</button></form>");
    }) =~ s/127\.0\.0\.1/evil.test/r;
    visit($someone);
    sign_in($someone, $ALICE, 'alice', 'alice', 'before the other site');
    my @before = openids($someone);
    for my $name ('openid', 'leave') {
        $someone->go("$evil/$name/post");
        $someone->click('button');
        ok $someone->arrives(qr/\A\Q$HOME/, qr/Hello, alice/),
            "$name of another site: still signed in";
        like $someone->text('[role=alert]'), qr/from here/,
            "$name of another site: one is to do it here";
    }
    $someone->go("$evil/openid/post");
    $someone->click('button');
    ok $someone->wait_for(sub { $someone->count('#openid') }), 'once more';
    is $someone->property('#openid', 'value'), $BOB2,
        'an OpenID of another site is in the field';

    # By GET, an http site does not learn where it comes from: a login begins.
    $someone->go("$evil/openid/get");
    $someone->click('button');
    agree($someone, 'bob');
    ok $someone->arrives(qr/\A\Q$HOME/, qr/Hello, alice/), 'a link of it';
    is_deeply [ openids($someone) ], \@before, 'but nothing is added';
    $someone->go($HOME);
    is_account($someone, 'alice', \@before, 'after the other site');
    $someone->sign_in(op_url('/user/alice'));
    agree($someone, 'alice');
    ok $someone->arrives($HOME, qr/yours already/),
        'control: from here, there is one';
}

# --- for everybody ----------------------------------------------------------

sub overflow { $_[0]->run('var d = document.documentElement;
    return d.scrollWidth - d.clientWidth') }

sub for_everybody {
    $someone->width(320);
    is overflow($someone), 0, '320 pixels: the own page fits';
    is $someone->count('h1'), 1, 'it has one heading';
    is $someone->name('#openid'), 'Your OpenID', 'its field has a name';
    $someone->devtools('Emulation.clearDeviceMetricsOverride');
    sign_out($someone);
    $someone->width(320);
    is overflow($someone), 0, '320 pixels: the first page fits';
    is $someone->name('#password'), 'Password', 'its fields have names';
    $someone->go("${HOME}register");
    is overflow($someone), 0, '320 pixels: the form fits';
    is $someone->name('#name'), 'Name', 'its fields have names';
    is $someone->run('return getComputedStyle(document.querySelector("main"))
        .borderTopStyle'), 'solid', 'control: the style sheet is there';
    $someone->devtools('Emulation.clearDeviceMetricsOverride');
}
