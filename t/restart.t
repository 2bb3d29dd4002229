#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What a restart keeps and what it loses, on an httpd of this test's own.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(wait_for);
use OpenID2RP::Test;
use Test::More;

my $ALICE = op_url('/user/alice');
my $httpd = OpenID2RP::Httpd->new;
my $PAGE = $httpd->page;

op_reset();

sub member {
    my $browser = browser();
    is login($browser, $PAGE, $ALICE)->status, 200, 'somebody signs in';
    return $browser;
}

# A browser that stands before its provider, and where that will send it.
sub half_way {
    my $browser = browser();
    my $begun = begin_login($browser, $PAGE, $ALICE);
    my $back = ask_op($browser, $begun);
    return ($browser, $back);
}

ok $httpd->start, 'httpd starts' or die $httpd->says;

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my ($again, $back_again) = half_way();
    my %before = %{ $again->{jar} };
    $again->get($back_again);

    ok $httpd->graceful, 'a graceful restart comes to an end';
    is $browser->get($PAGE)->status, 200, 'it keeps sessions';
    is $waiting->get($back)->status, 303, 'and a login in progress';
    is $waiting->get($PAGE)->status, 200, 'which ends in a session';
    $again->{jar} = \%before;
    is $again->get($back_again)->status, 403, 'it keeps what is used up:';
    like((grep { /login refused/ } $httpd->log)[-1] // '',
         qr/\(nonce-replayed\)/, 'the log says so');
    is browser()->get($PAGE)->status, 401, 'control: nobody else is let in';

    ok $httpd->graceful && $httpd->graceful && $httpd->graceful,
        'so do some more of them';
    is $browser->get($PAGE)->status, 200, 'and keep sessions';
    is login(browser(), $PAGE, $ALICE)->status, 200, 'one can sign in';

    ok $httpd->restart, 'so does a restart that is not graceful';
    is $browser->get($PAGE)->status, 200, 'and keeps sessions';
    is login(browser(), $PAGE, $ALICE)->status, 200, 'one can sign in';
}

{
    my $browser = member();
    $httpd->configure('OpenIDSessionTimeout 10m', 'OpenIDProvider "New" '
                      . 'https://new.example/');
    ok $httpd->graceful,
        'a graceful restart with other settings comes to an end';
    is $browser->get($PAGE)->status, 200, 'and keeps sessions';
    like browser()->get($PAGE)->body, qr/>New</, 'control: they are in use';
    unlike join('', $httpd->log), qr/O2RP-201/,
        'nothing is said to be lost';

    $httpd->configure('OpenIDStore shm:2M');
    ok $httpd->graceful, 'one with a store of another size does so too';
    like join('', $httpd->log),
        qr/openid2rp:notice.* O2RP-201: store: its size changed/,
        'the log says that sessions are lost';
    is $browser->get($PAGE)->status, 401, 'and so they are';
    is login($browser, $PAGE, $ALICE)->status, 200, 'one can sign in again';
    ok $httpd->graceful, 'the next one';
    is $browser->get($PAGE)->status, 200, 'keeps them';
}

{
    my $browser = member();
    $httpd->configure('OpenIDSessionTimeout never');
    my ($content, $words) = $httpd->command('-k', 'graceful');
    ok !$content, '`httpd -k graceful` with a mistake fails';
    like $words, qr/OpenIDSessionTimeout: "never" is not a time/,
        'and says what is wrong';
    ok $httpd->runs, 'httpd goes on';
    is $browser->get($PAGE)->status, 200, 'as before';
    $httpd->configure();
    my $before = $httpd->generation;
    ($content, $words) = $httpd->command('-k', 'graceful');
    ok $content, 'control: without the mistake it succeeds' or diag $words;
    ok wait_for(sub { $httpd->generation > $before }), 'and restarts';
}

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my @children = $httpd->children;
    cmp_ok scalar(@children), '>', 0, 'httpd has children';
    kill KILL => @children;
    ok wait_for(sub { my $page = eval { $browser->get($PAGE) };
                      $page && $page->status == 200 }),
        'when they are killed, sessions stay';
    is $waiting->get($back)->status, 303, 'and a login in progress';
}

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my $cookie = $browser->cookie('openid2rp');
    ok $httpd->stop, 'httpd stops';
    ok $httpd->start, 'and starts again';
    is $browser->get($PAGE)->status, 401, 'sessions are lost then';
    is $browser->cookie('openid2rp'), $cookie,
        'control: the browser has its cookie still';
    is $waiting->get($back)->status, 403, 'and so are logins in progress';
    is $waiting->get($PAGE)->status, 401, 'which end in no session';
    is login($browser, $PAGE, $ALICE)->status, 200, 'one can sign in again';
}

# Who waits in the background does not keep httpd from stopping.
{
    my $op = provider();
    my $slow = OpenID2RP::Httpd->new('OpenIDFetchTimeout 60s');
    $op->reply(associate => 200, '', 60);
    ok $slow->start, 'another httpd starts' or die $slow->says;
    my $begun = begin_login(browser(), $slow->page, $op->id('alice'));
    ok $begun->is_redirect, 'a login begins there';
    my $asked = 0;
    ok wait_for(sub { $asked ||= grep { /openid\.mode=associate/ } $op->log },
                15), 'its provider is asked for an association, and is silent';
    my $from = time;
    ok $slow->stop, 'httpd stops nevertheless';
    cmp_ok time - $from, '<=', 5, 'soon';
    like join('', $slow->log), qr/O2RP-121: .* was broken off/,
        'for it no longer waits';
    is_deeply [ $slow->crashes ], [], 'no child has crashed';
}

ok $httpd->stop, 'httpd stops at the end';
is_deeply [$httpd->crashes], [], 'and no child of it has crashed';
my @left = grep { !/httpd|site|conf|output|error_log/ } map { s{.*/}{}r }
    glob $httpd->dir . '/*';
is_deeply \@left, [], 'nor has it left anything behind';

done_testing;
