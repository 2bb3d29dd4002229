#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Which providers a section accepts: when a login begins, when it completes,
# and on every request of a session.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Test;
use Test::More;

my $A = url('/protocol/op/a');
my $AB = url('/protocol/op/ab');
my $OPENID2 = 'http://specs.openid.net/auth/2.0';

op_reset();
my $site = id_site();

by_origin();
by_path();
by_regular_expression();
by_several_rules();
by_what_is_denied();
nothing_is_sent_to_a_provider_that_is_refused();
the_next_service_is_taken();
when_a_login_completes();
on_every_request_of_a_session();
a_single_provider();
a_single_provider_and_sessions();
a_single_provider_and_inner_sections();
profiles();
done_testing;

# Is a login begun there, with a provider whose endpoint this is? The provider
# is not contacted, and need not exist.
sub begins {
    my ($section, $endpoint) = @_;
    my $page = begin_login(browser(),
        url("/protocol/$section", 'protocol_anywhere'),
        id_for($site, $endpoint));
    my @codes = refusals();
    return 1 if $page->status == 303 && !@codes;
    return 0 if $page->status == 403 && "@codes" eq 'provider-refused'
        && $page->alert =~ /not accepted here\.\z/;
    return $page->status . " @codes";
}

sub accepts {
    my ($section, @endpoints) = @_;
    is begins($section, $_), 1, "$section accepts $_" for @endpoints;
}

sub refuses {
    my ($section, @endpoints) = @_;
    is begins($section, $_), 0, "$section refuses $_" for @endpoints;
}

sub by_origin {
    accepts('allow-origin', qw(https://op.example/ https://op.example
        https://op.example/any/thing?a=b https://OP.Example/
        HTTPS://op.example/ https://op.example:443/x));
    refuses('allow-origin', qw(http://op.example/ https://op.example:8443/
        https://op.example.evil/ https://op.exampl/ https://op.example2/
        https://xop.example/ https://x.op.example/ https://evil.example/
        https://evil.example/?https://op.example/
        https://evil.example/https://op.example/
        https://op.evil.example/));
    accepts('allow-port', 'https://op.example:8443/x');
    refuses('allow-port', qw(https://op.example/x https://op.example:84/3/
        https://op.example:18443/x));
}

sub by_path {
    accepts('allow-path', qw(https://op.example/a https://op.example/a/
        https://op.example/a/b https://op.example/a?b https://op.example/%61
        https://op.example/x/../a/./b));
    refuses('allow-path', qw(https://op.example/ https://op.example/ab
        https://op.example/a.b https://op.example/a%2Fb https://op.example/A
        https://op.example/a;b https://op.example/b/a https://op.example/?/a
        https://op.example/a/../b https://op.example/a/%2E%2E/b
        https://op.example//a https://op.example.evil/a
        http://op.example/a));
    accepts('allow-folder', qw(https://op.example/a/
        https://op.example/a/b));
    refuses('allow-folder', qw(https://op.example/a https://op.example/a?/
        https://op.example/ab/));
}

sub by_regular_expression {
    accepts('allow-regex', qw(https://x.op.example/e
        https://abc.op.example/e));
    refuses('allow-regex', qw(https://x.op.example/e2
        https://x.op.example/e?a=b https://x.op.example/
        http://x.op.example/e https://1.op.example/e https://xopxexample/e
        https://evil.example/?https://x.op.example/e
        https://evil.example/https://x.op.example/e
        https://x.op.example/E));
    accepts('allow-either', qw(https://a.example/ https://b.example/));
    refuses('allow-either', qw(https://a.example/evil
        https://evil.example/?https://b.example/
        https://b.example/evil));
}

sub by_several_rules {
    accepts('allow-several', qw(https://a.example/x https://b.example/x
        https://c.example/x));
    refuses('allow-several', qw(https://d.example/ https://e.example/));
    accepts('allow-several/inner', 'https://d.example/');
    refuses('allow-several/inner', qw(https://a.example/x
        https://c.example/x));
}

sub by_what_is_denied {
    refuses('deny-path', qw(https://op.example/a https://op.example/a/b
        https://op.example/%61 https://OP.example:443/a));
    accepts('deny-path', qw(https://op.example/ab http://op.example/a
        https://other.example/a));
    refuses('deny-regex', qw(https://bad.example/ http://x.bad.example:81/y
        http://BAD.example/));
    accepts('deny-regex', qw(https://good.example/
        https://good.example/?http://bad.example/));
    accepts('deny-some', 'https://op.example/b');
    refuses('deny-some', qw(https://op.example/a https://other.example/));
}

# Everything that the providers of this file were asked directly.
sub talk { grep { / (?:associate|check_authentication) / } op_log() }

sub nothing_is_sent_to_a_provider_that_is_refused {
    op_log();
    for my $id ("$AB/", "$AB/user/alice", "$AB/html/alice",
                "$AB/html11/alice") {
        my $browser = browser();
        my $page = begin_login($browser, url('/protocol/only-a'), $id);
        is $page->status, 403, "$id is refused";
        is_deeply [refusals()], ['provider-refused'], "$id: one line says why";
        is_deeply $browser->cookie, {}, "$id: no cookie is left";
    }
    is_deeply [talk()], [], 'and that provider was not asked anything';
    is begin_login(browser(), url('/protocol/only-a'), "$A/")->status, 303,
        'control: the provider that is allowed';
    isnt scalar(talk()), 0, 'control: it was asked for an association';
    is begin_login(browser(), url('/protocol/not-a'), "$A/")->status, 403,
        'the same provider is denied elsewhere';
    is begin_login(browser(), url('/protocol/not-a'), "$AB/")->status, 303,
        'where the other one is not';
    refusals();
}

sub the_next_service_is_taken {
    for my $case ([ 'allow-path', 1, 'https://evil.example/',
                    'https://op.example/a' ],
                  [ 'deny-path', 1, 'https://op.example/a/x',
                    'https://other.example/' ],
                  [ 'allow-path', 0, 'https://op.example/a',
                    'https://evil.example/' ]) {
        my ($section, $which, @both) = @$case;
        my $to = begin_login(browser(),
            url("/protocol/$section", 'protocol_anywhere'),
            id_for($site, @both))->header('Location') // 'nowhere';
        like $to, qr/\A\Q$both[$which]\E\?/,
            "$section takes service $which of @both";
    }
}

# The section changes its mind between the redirect and the answer.
sub when_a_login_completes {
    my @deny = (headers => [[ 'X-Deny', 'yes' ]]);
    my $target = url('/protocol/changing');
    my $op = provider();
    for my $id ($op->id('alice'), $op->op_identifier) {
        my $browser = browser();
        my $begun = begin_login($browser, $target, $id);
        $op->log;
        my $answer = $op->assertion($begun, claimed_id => $op->id('alice'),
                                    identity => $op->id('alice'));
        my $page = $browser->get($answer, @deny);
        is $page->status, 403, "$id: the answer of a provider that is denied";
        is_deeply [refusals()], ['provider-refused'], "$id: and why";
        is_deeply [$op->log], [], "$id: it was not asked to confirm";
        is $browser->cookie('openid2rp'), undef, "$id: no session";
        is $browser->get($answer)->header('Location'), $target,
            "$id: control: the same answer, when it is not denied";
        is_deeply [refusals()], [], "$id: control: nothing is refused";
        isnt scalar($op->log), 0, "$id: control: it was asked";
    }
    # begun where it is accepted, and brought back to where it is not
    my $browser = browser();
    my $begun = begin_login($browser, url('/protocol/app'), "$A/");
    my $answer = ask_op($browser, $begun);
    is $browser->get($answer =~ s{/app\?}{/not-a?}r)->status, 403,
        'an answer that is brought to another section';
    is_deeply [refusals()], ['provider-refused'], 'which denies its provider';
    is $browser->get($answer =~ s{/app\?}{/changing?}r)->status, 403,
        'or which does not';
    is_deeply [refusals()], ['return-to-mismatch'], 'but is not where it '
        . 'was meant for';
    is $browser->get($answer)->status, 303, 'control: where it belongs';
}

sub on_every_request_of_a_session {
    for my $case ([ $A, 200, 401 ], [ $AB, 401, 200 ]) {
        my ($op, $only, $not) = @$case;
        my $browser = browser();
        is login($browser, url('/protocol/app'), "$op/")->status, 200,
            "$op: signed in where any provider is accepted";
        for (1, 2) {
            is $browser->get(url('/protocol/only-a'))->status, $only,
                "$op: $only where only one is accepted, time $_";
            is $browser->get(url('/protocol/not-a'))->status, $not,
                "$op: $not where that one is denied, time $_";
            is env_of($browser->get(url('/protocol/app')))->{REMOTE_USER},
                "$op/user/alice", "$op: and the session lives on, time $_";
        }
        my $changing = url('/protocol/changing');
        is $browser->get($changing)->status, 200, "$op: a page";
        my $page = $browser->get($changing,
                                 headers => [[ 'X-Deny', 'yes' ]]);
        is $page->status, 401, "$op: when its provider is denied, no page";
        unlike $page->body, qr/REMOTE_USER|alice/, "$op: nor who it was";
        is $page->alert, undef, "$op: but the login page";
        is $browser->get($changing)->status, 200,
            "$op: and when it is not, the page again";
    }
    refusals();
    # who is signed in at the wrong provider can sign in at the right one
    my $browser = browser();
    login($browser, url('/protocol/app'), "$AB/");
    is login($browser, url('/protocol/only-a'), "$A/")->status, 200,
        'a second login, at the provider that is accepted';
    is $browser->get(url('/protocol/not-a'))->status, 401,
        'takes the place of the first';
}

sub a_single_provider {
    my $target = url('/protocol/single');
    my $other = web_server(sub { [ 404 ], 'nothing' });
    op_log();
    for my $id ($other, "$AB/", "$AB/user/alice", '=alice', '', "\xff") {
        for my $way ('post', 'get') {
            my $page = $way eq 'post' ? begin_login(browser(), $target, $id)
                : browser()->get("$target?openid_identifier=" . encode($id));
            my %sent = map { @$_ } pairs_of($page->header('Location') // '');
            like $page->header('Location') // 'nowhere',
                qr/\A\Q$A\E\/endpoint\?/, encode($id) . " by $way leads to "
                . 'the single provider';
            is $sent{'openid.identity'}, "$OPENID2/identifier_select",
                encode($id) . " by $way: which is to say who it is";
        }
    }
    is_deeply [web_log($other)], [], 'no other site was asked';
    is_deeply [ grep { !m{ associate } } talk() ], [],
        'nor a provider about anybody';
    is_deeply [refusals()], [], 'and nothing was refused';
    begin_login(browser(), url('/protocol/app'), $other);
    isnt scalar(web_log($other)), 0, 'control: elsewhere, it is asked';
    refusals();
}

sub a_single_provider_and_sessions {
    my $single = url('/protocol/single');
    my $program = [ headers => [[ 'Sec-Fetch-Mode', 'cors' ]] ];
    for my $case ([ "$A/", 1, 'the same provider' ],
                  [ "$AB/", 0, 'another provider' ],
                  [ "$AB/user/alice", 0, "another provider's user" ]) {
        my ($id, $good, $name) = @$case;
        my $browser = browser();
        is login($browser, url('/protocol/app'), $id)->status, 200,
            "signed in with $name elsewhere";
        my $page = $browser->get($single);
        is $page->status, $good ? 200 : 303,
            $good ? "$name: signed in where it is the single one"
                  : "$name: on the way to the single one";
        is $browser->get($single, @$program)->status, $good ? 200 : 401,
            "$name: a script is told the same";
        unlike $page->body, qr/REMOTE_USER/, "$name: nothing is shown"
            if !$good;
        is $browser->get(url('/protocol/app'))->status, 200,
            "$name: the session is good where it began";
    }
    my $browser = browser();
    is login($browser, $single, 'whatever')->status, 200,
        'control: a login at the single provider';
    is $browser->get(url('/protocol/app'))->status, 200,
        'is good elsewhere too';
}

sub a_single_provider_and_inner_sections {
    my $inner = url('/protocol/single/open');
    my $page = browser()->get($inner);
    is $page->status, 401, '"off" in an inner section: the login page';
    like $page->body, qr/<input [^>]*name="openid_identifier"/,
        'where one may type';
    is login(browser(), $inner, "$AB/user/alice")->status, 200,
        'and any provider will do';
    my $browser = browser();
    login($browser, $inner, "$AB/");
    is $browser->get(url('/protocol/single'))->status, 303,
        'its session is not good outside';
}

sub buttons {
    return $_[0]->body =~
        /<button name="openid_identifier" value="([^"]*)">([^<]*)</g;
}

sub profiles {
    my $steam = 'https://steamcommunity.com/openid';
    is_deeply { reverse buttons(browser()->get(url('/protocol/profiles'))) },
        { 'Steam' => $steam, 'Ubuntu One' => 'https://login.ubuntu.com/' },
        'a profile gives the button the address of its provider';
    my $page = browser()->post(url('/protocol/single-steam'), { a => 1 });
    is_deeply [buttons($page)], [ $steam, 'Sign in' ],
        'a profile as the single provider';

    # what is known of a provider by its endpoint
    my $target = url('/protocol/app', 'protocol_anywhere');
    my $browser = browser();
    my $begun = begin_login($browser, $target,
                            id_for($site, "$steam/login"));
    my %sent = map { @$_ } pairs_of($begun->header('Location') // '');
    is $sent{'openid.mode'}, 'checkid_setup', 'its endpoint is known';
    is_deeply [ grep { /sreg|ax/ } keys %sent ], [],
        'it is not asked for what it never tells';
    my $op = provider();
    $begun = begin_login(browser(), $target, $op->id('alice'));
    %sent = map { @$_ } pairs_of($begun->header('Location') // '');
    isnt scalar(grep { /sreg|ax/ } keys %sent), 0,
        'control: another one is';
    $begun = begin_login($browser, $target, id_for($site, "$steam/login"));
    is $browser->get($op->assertion($begun, op_endpoint => "$steam/login"))
        ->status, 403, 'and speaks for nobody but its own users';
    is_deeply [refusals()], ['identity-mismatch'], 'wherever they are found';
}
