#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Answers that must not sign anybody in: used before, altered, of another
# login. A refused answer leaves its login as it was; so most tests bring the
# untouched answer at last, and that one must be accepted.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Test;
use Test::More;

my $APP = url('/login/app');
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');

# What an altered field leads to; all others are a matter of the signature.
my %ALTERED = (
    'openid.ns' => [400, 'version-mismatch'],
    'openid.mode' => [400, 'bad-mode'],
    'openid.op_endpoint' => [403, 'endpoint-mismatch'],
    'openid.claimed_id' => [403, 'identity-mismatch'],
    'openid.identity' => [403, 'identity-mismatch'],
    'openid.return_to' => [403, 'return-to-mismatch'],
    'openid.signed' => [400, 'bad-message'],
    'openid_return' => [403, 'no-login'],
);

# Fields without which, or with which empty, there is no message.
my %NEEDED = map { ("openid.$_" => 1) } qw(mode op_endpoint claimed_id identity
    return_to response_nonce assoc_handle signed sig);

op_reset();

the_whole_answer_again();
a_nonce_again();
altered_fields();
dropped_and_doubled_fields();
added_fields();
answers_of_other_logins();
answers_to_nothing();
answers_by_post();
answers_by_post_from_another_site();
answers_that_say_no();
fifty_at_the_same_time();
done_testing;

# A login as far as the provider's answer.
sub answered {
    my ($browser, $target, $id) = @_;
    return scalar ask_op($browser, begin_login($browser, $target // $APP,
                                               $id // $ALICE));
}

# The URL with its parameters changed by a function of the list of pairs.
sub changed {
    my ($url, $change) = @_;
    my ($base) = $url =~ /\A([^?]*)/;
    return "$base?" . query_of($change->(pairs_of($url)));
}

# The URL with new values of some parameters; undef drops one.
sub with {
    my ($url, %new) = @_;
    return changed($url, sub {
        map { !exists $new{$_->[0]} ? $_
              : defined $new{$_->[0]} ? [ $_->[0], $new{$_->[0]} ] : () } @_;
    });
}

sub refused {
    my ($response, $status, $code, $name) = @_;
    is $response->status, $status, "$name: the status is $status";
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    my @set = grep { /\Aopenid2rp=[^;]/ } $response->headers('Set-Cookie');
    is_deeply \@set, [], "$name: no session";
    like $response->alert // '', qr/\A[A-Z].{10}/s,
        "$name: a sentence says why";
}

sub accepted {
    my ($response, $to, $name) = @_;
    is $response->header('Location'), $to, "$name: is accepted"
        or diag $response->alert // $response->body;
    is scalar(grep { /\Aopenid2rp=[\w-]{22};/ }
              $response->headers('Set-Cookie')), 1, "$name: with a session";
    is_deeply [refusals()], [], "$name: and no refusal is in the log";
}

sub the_whole_answer_again {
    for my $id ($ALICE, op_url('/'), op_url('/html11/alice')) {
        my $browser = browser();
        my $url = answered($browser, "$APP?q=1", $id);
        my $before = $browser->twin;
        refused(browser()->get($url), 403, 'other-browser',
                "$id: no cookies");
        my $other = browser();
        begin_login($other, $APP, $ALICE);
        refused($other->get($url), 403, 'other-browser',
                "$id: a browser with a login of its own");
        accepted($browser->get($url), "$APP?q=1",
                 "$id: the browser that began");

        my $session = $browser->cookie('openid2rp');
        my $again = $browser->get($url);
        is $again->header('Location'), "$APP?q=1",
            "$id: the back button of who is signed in leads on";
        is_deeply [refusals()], ['nonce-replayed'],
            "$id: and is in the log as a replay";
        is $browser->cookie('openid2rp'), $session,
            "$id: the session is the same";
        refused($before->twin->get($url), 403, 'nonce-replayed',
                "$id: again, with the cookies from before the login");
        refused(browser()->get($url), 403, 'other-browser',
                "$id: again, without cookies");
        login($other, $APP, $BOB);
        refusals();
        my $as_bob = $other->get($url);
        is env_of($other->get($APP))->{REMOTE_USER}, $BOB,
            "$id: in a browser where bob is signed in, he stays bob";
        is scalar(refusals()), 1, "$id: which is in the log";
        is $as_bob->header('Set-Cookie') // '', '',
            "$id: and sets no cookie there";
    }
}

sub a_nonce_again {
    my $op = provider();
    my @t = gmtime;
    my $nonce = sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ+/=salt',
        $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
    my $browser = browser();
    my $begin = sub { begin_login($browser, $APP, $op->id('alice')) };
    accepted($browser->get($op->assertion($begin->(),
        response_nonce => $nonce)), $APP, 'a nonce');
    my $fresh = $begin->();
    refused($browser->get($op->assertion($fresh, response_nonce => $nonce)),
            403, 'nonce-replayed', 'the same nonce in a fresh login');
    accepted($browser->get($op->assertion($fresh)), $APP,
             'a new nonce in that login');
    my $elsewhere = provider();
    accepted($browser->get($elsewhere->assertion(
        begin_login($browser, $APP, $elsewhere->id('alice')),
        response_nonce => $nonce)), $APP,
        'the same nonce from another provider');

    $fresh = $begin->();
    for my $case (['2020-01-01T00:00:00Zold', 403, 'nonce-expired'],
                  ['2037-01-01T00:00:00Znew', 403, 'nonce-expired'],
                  ['2024-13-01T00:00:00Z', 400, 'bad-nonce'],
                  ['not a time', 400, 'bad-nonce'],
                  [$nonce . 'x' x 256, 400, 'bad-nonce']) {
        my ($text, $status, $code) = @$case;
        refused($browser->get($op->assertion($fresh,
            response_nonce => $text)), $status, $code,
            'the nonce ' . substr $text, 0, 30);
    }
    accepted($browser->get($op->assertion($fresh)), $APP,
             'a good nonce after all these');
}

# Every field of an answer is altered, in turn. With and without association:
# each provider is another one for the module. Where there is none, the provider
# is asked each time, and for one login not as often: each has its own.
sub altered_fields {
    for my $assoc (qw(all none)) {
        my $browser = browser();
        my $id = url("/login/op-$assoc-altered/user/alice");
        my $url = answered($browser, $APP, $id);
        my $altered = sub {
            my ($name, $change, $status, $code, $what) = @_;
            $url = answered($browser = browser(), $APP, $id)
                if $assoc eq 'none';
            my %field = map { @$_ } pairs_of($url);
            refused($browser->get(with($url,
                $name => $change->($field{$name}))), $status, $code, $what);
        };
        for my $name (map { $_->[0] } pairs_of($url)) {
            my ($status, $code) = @{ $ALTERED{$name}
                                     // [403, 'bad-signature'] };
            $altered->($name, sub { "$_[0]x" }, $status, $code,
                       "$assoc: altered $name");
        }
        for my $sig ('xyz', 'A' x 43 . '=', '%', '=') {
            $altered->('openid.sig', sub { $sig }, 403, 'bad-signature',
                       "$assoc: the signature \"$sig\"");
        }
        for my $name (qw(op_endpoint claimed_id identity return_to
                         response_nonce assoc_handle)) {
            $altered->('openid.signed', sub {
                join ',', grep { $_ ne $name } split /,/, $_[0]
            }, 400, 'unsigned-field',
                "$assoc: $name is not in the list of what is signed");
        }
        $altered->('openid.signed', sub {
            join ',', reverse split /,/, $_[0]
        }, 403, 'bad-signature', "$assoc: signed in another order");
        accepted($browser->get($url), $APP, "$assoc: the untouched answer");
    }
}

sub dropped_and_doubled_fields {
    my $browser = browser();
    my $url = answered($browser);
    for my $pair (pairs_of($url)) {
        my ($name, $value) = @$pair;
        my $empty = $name eq 'openid.mode' ? [400, 'bad-mode']
            : $name eq 'openid.ns' ? [400, 'version-mismatch']
            : $name eq 'openid_return' || $NEEDED{$name}
                ? [400, 'bad-message']
            : [403, 'bad-signature'];
        refused($browser->get(with($url, $name => '')), @$empty,
                "$name is empty");
        # without openid_return it is no answer at all: see below
        refused($browser->get(with($url, $name => undef)), 400,
                $name eq 'openid.ns' ? 'version-mismatch' : 'bad-message',
                "$name is missing") if $name ne 'openid_return';
        for my $double ([$pair, [ $name, 'evil' ]], [[ $name, 'evil' ], $pair],
                        [$pair, $pair]) {
            refused($browser->get(changed($url, sub {
                map { $_->[0] eq $name ? @$double : $_ } @_ })), 400,
                'bad-message', "$name is there twice");
        }
    }
    refused($browser->get(with($url, 'openid.ns'
                               => 'http://openid.net/signon/1.1')),
            400, 'version-mismatch', 'the namespace of 1.1');
    refused($browser->get(with($url, 'openid.ns' => 'http://e.example/')),
            400, 'version-mismatch', 'an unknown namespace');
    refused($browser->get(with($url, 'openid.sig' => undef,
                               'openid.signed' => undef)),
            400, 'bad-message', 'neither sig nor signed');
    accepted($browser->get($url), $APP, 'the untouched answer');
}

sub added_fields {
    my $browser = browser();
    my $url = answered($browser);
    my ($key) = $url =~ /openid_return=([\w-]+)/;
    my %bad = (
        'a control character' => '&openid.x=a%0Ab',
        'a NUL' => '&openid.x=a%00b',
        'text that is not UTF-8' => '&openid.x=%C0%AF',
        'half an escape' => '&openid.x=%4',
        'a name with a colon' => '&openid.x:y=1',
        'a name with a newline' => '&openid.x%0Ay=1',
        'an extension under two names'
            => '&openid.ns.evil=http://openid.net/extensions/sreg/1.1',
        'two keys' => "&openid_return=$key",
        'six hundred fields' => join '', map { "&a$_" } 1 .. 600,
    );
    refused($browser->get($url . $bad{$_}), 400, 'bad-message', $_)
        for sort keys %bad;
    refused($browser->get($url . '&openid.sreg.email=v%40v.example'), 400,
            'bad-message', 'a second address of mail');

    accepted($browser->get($url), $APP, 'the answer without them');

    # Bob has told his provider no date of birth; the site asks for it.
    my $there = url('/login/optional');
    $url = answered($browser, $there, $BOB);
    accepted($browser->get($url . '&openid.sreg.dob=1900-01-01&openid.x=1'
                           . '&target=http%3A%2F%2Fe.example%2F&a=b'), $there,
             'an answer with unsigned fields and other parameters');
    my $env = env_of($browser->get($there));
    is $env->{REMOTE_USER}, $BOB, 'it signs in who it is about';
    is $env->{OPENID2RP_SREG_DOB}, undef, 'but an unsigned field is no news';
    like $env->{OPENID2RP_SREG_FULLNAME}, qr/\ABob/, 'as a signed one is';
}

sub answers_of_other_logins {
    my $browser = browser();
    my ($one, $two) = (answered($browser, "$APP?one"),
                       answered($browser, "$APP?two", $BOB));
    my %key = map { ($_ => $_ =~ /openid_return=([\w-]+)/) } $one, $two;
    refused($browser->get(with($one, openid_return => $key{$two})), 403,
            'return-to-mismatch', 'the answer of one login for another');
    refused($browser->get(with($one, openid_return => $key{$two},
        'openid.return_to' => "$APP?openid_return=$key{$two}")),
        403, 'identity-mismatch', 'with return_to made to fit');
    my $three = answered($browser, "$APP?three");
    my ($key) = $three =~ /openid_return=([\w-]+)/;
    refused($browser->get(with($one, openid_return => $key,
        'openid.return_to' => "$APP?openid_return=$key")), 403,
        'bad-signature', 'the same for two logins of one user');
    accepted($browser->get($one), "$APP?one", 'the first answer');
    accepted($browser->get($two), "$APP?two", 'the second answer');
    accepted($browser->get($three), "$APP?three", 'the third answer');

    my $url = answered($browser, "$APP?q");
    my $other = port_of('login_other');
    (my $there = $url) =~ s{\A(http://localhost:)\d+}{$1$other};
    refused($browser->get($there), 403, 'no-login',
            'an answer that is brought to another host');
    refused($browser->get(with($there, 'openid.return_to' => url('/login/app'
        . "?openid_return=" . ($url =~ /openid_return=([\w-]+)/)[0],
        'login_other'))), 403, 'no-login', 'with return_to made to fit');
    for my $path ('/login/off', '/login/app/x', '/login/app/') {
        (my $to = $url) =~ s{/login/app}{$path};
        refused($browser->get($to), 403, 'return-to-mismatch',
                "an answer that is brought to $path");
    }
    accepted($browser->get($url), "$APP?q", 'brought to where it belongs');
}

sub answers_to_nothing {
    my $browser = browser();
    my $url = answered($browser);
    op_log();
    refused($browser->get(with($url, openid_return => 'A' x 22)), 403,
            'no-login', 'an answer to no login');
    refused($browser->get(with($url, openid_return => "../../etc'\"<")), 403,
            'no-login', 'an answer with a strange key');
    refused($browser->get(with($url, openid_return => '')), 400,
            'bad-message', 'an answer with an empty key');
    refused($browser->get($APP . '?openid_return=%zz'), 400, 'bad-message',
            'a key that cannot be read');
    my $page = $browser->get(with($url, openid_return => undef));
    is $page->status, 401, 'openid.* alone: nobody is signed in';
    is $page->alert, undef, 'openid.* alone mean nothing';
    is_deeply [refusals()], [], 'and are no answer';
    (my $key = $url) =~ s/&.*//;
    refused($browser->get($key), 400, 'bad-message', 'a key alone');
    is_deeply [op_log()], [], 'the provider is asked for none of this';
    accepted($browser->get($url), $APP, 'the answer itself');
}

sub answers_by_post {
    my $browser = browser();
    my $url = answered($browser);
    my ($key, $rest) = $url =~ /\A([^&]*)&(.*)\z/;
    my @pairs = split /&/, $rest;
    my ($half, $other) = (join('&', @pairs[0 .. 4]),
                          join '&', @pairs[5 .. $#pairs]);
    refused($browser->post($url, ''), 400, 'bad-message',
            'POST with all in the query');
    refused($browser->post("$key&$half", $other), 400, 'bad-message',
            'POST with one half in the query');
    refused($browser->post("$key&$other", $half), 400, 'bad-message',
            'POST with the other half in the query');
    refused($browser->send('POST', $key, $rest), 400, 'bad-message',
            'POST without a type');
    refused($browser->send('POST', $key, $rest, headers =>
        [ [ 'Content-Type', 'text/plain' ] ]), 400, 'bad-message',
        'POST as text');
    refused($browser->post($key, $rest . '&x=' . 'x' x 70_000), 413,
            'too-big', 'POST of 70,000 characters');
    accepted($browser->post("$key&openid.sig=evil", $rest), $APP,
             'POST with all in the body, whatever the query says');
}

# Without cookies: it is kept, and nothing is believed of it until the browser
# that began comes for it.
sub answers_by_post_from_another_site {
    my $browser = browser();
    my $url = answered($browser, "$APP?post");
    my ($key, $rest) = $url =~ /\A([^&]*)&(.*)\z/;
    my $post = sub {
        my ($who, $body, $name) = @_;
        my $page = $who->post($key, $body, cross_site => 1);
        is $page->header('Location'), $key, "$name: the browser comes again";
        is $page->header('Set-Cookie'), undef, "$name: with no new cookie";
        is_deeply [error_log()], [], "$name: and nothing is decided yet";
        return $who->get($key);
    };
    refused($browser->get($key), 400, 'bad-message', 'nothing is kept yet');
    refused($post->($browser, $rest =~ s/alice/bob/gr, 'an altered one'), 403,
            'identity-mismatch', 'a kept answer that was altered');
    refused($post->($browser, $rest =~ s/(openid.sig=)/$1x/r, 'a forged one'),
            403, 'bad-signature', 'a kept answer with a forged signature');
    refused($post->(browser(), $rest, "a stranger's"), 403, 'other-browser',
            'a kept answer that another browser comes for');
    refused($browser->post($key, "$rest&openid.x=1&openid.x=2",
                           cross_site => 1),
            400, 'bad-message', 'a doubled field');
    refused($browser->post($key, "$rest&x=" . '%25' x 15_000,
                           cross_site => 1),
            400, 'bad-message', 'more than can be kept');
    refused($browser->get("$key&openid.mode=cancel"), 401, 'cancelled',
            'an answer in the query comes before one that is kept');
    accepted($post->($browser, $rest, 'a good one'), "$APP?post",
             'a kept answer, in the browser that began');
    refused($browser->post($key, $rest, cross_site => 1), 403,
            'other-browser', 'the same a second time, without cookies');
    is env_of($browser->get($APP))->{REMOTE_USER}, $ALICE,
        'changes nothing for who is signed in';
}

sub answers_that_say_no {
    my $browser = browser();
    my $url = answered($browser);
    my %no = (
        cancel => [401, 'cancelled'],
        setup_needed => [401, 'setup-needed'],
        error => [502, 'provider-error'],
        checkid_setup => [400, 'bad-mode'],
        bogus => [400, 'bad-mode'],
    );
    for my $mode (sort keys %no) {
        my $page = $browser->get(with($url, 'openid.mode' => $mode));
        refused($page, @{ $no{$mode} },
                "a perfect answer, but with the mode $mode");
        is $page->action, '/login/app', "$mode: the way back is in the form";
    }
    my ($key) = $url =~ /\A([^&]*)/;
    my $ns = encode('http://specs.openid.net/auth/2.0');
    refused($browser->get("$key&openid.mode=cancel"), 401, 'cancelled',
            'a cancel without ns, as some send it');
    my $text = '<script>alert("1")</script>&amp; ' . 'x' x 5000;
    my $page = $browser->get("$key&openid.ns=$ns&openid.mode=error"
                             . '&openid.error=' . encode($text));
    refused($page, 502, 'provider-error', 'an error with markup in it');
    unlike $page->body, qr/<script/, 'the markup is escaped';
    like $page->alert, qr/\Q<script>alert("1")<\E/, 'and can be read';
    cmp_ok length $page->alert, '<', 1000, 'and is not all there';

    op_mode(auto => 'cancel');
    refused(login(browser(), "$APP?a=b", $ALICE), 401, 'cancelled',
            'the user cancels at the provider');
    op_mode(auto => 'any');
    accepted($browser->get($url), $APP, 'the answer that was altered so');
}

# POST, so that nothing may repeat it; the provider takes no part. In 1.1 there
# is no nonce, and the login itself is what can be used once.
sub fifty_at_the_same_time {
    for my $id ($ALICE, op_url('/html11/alice')) {
        my $browser = browser();
        my $url = answered($browser, "$APP?race", $id);
        my ($key, $rest) = $url =~ /\A([^&]*)&(.*)\z/;
        my $request = $browser->request('POST', $key, $rest, headers => [
            [ 'Content-Type', 'application/x-www-form-urlencoded' ] ]);
        error_log();
        my @responses = parallel(port_of(), [ ($request) x 50 ], $url);
        is scalar(grep { defined } @responses), 50, "$id: 50 are answered";
        my %count;
        $count{ $_->status }++ for @responses;
        is_deeply \%count, { 303 => 1, 403 => 49 },
            "$id: of 50 that come at once, one signs in";
        is scalar(grep { /\Aopenid2rp=[^;]/ }
                  map { $_->headers('Set-Cookie') } @responses), 1,
            "$id: and one session begins";
        my @log = error_log();
        is scalar(grep { /login completed/ } @log), 1,
            "$id: as the log says";
        is scalar(grep { /login refused \(nonce-replayed\)/ } @log), 49,
            "$id: and 49 times that it was used before";
    }
}
