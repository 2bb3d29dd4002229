#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Providers that are down, slow or talk nonsense when they are asked directly:
# for an association, or about a signature.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use IO::Socket::INET ();
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(time);

my $APP = url('/login/app');
my $HASTY = url('/login/app', 'login_hasty');
my $NEVER = url('/login/app', 'login_never');
my $NS = 'ns:http://specs.openid.net/auth/2.0';

op_reset();

no_provider_there();
nonsense_instead_of_an_association();
a_provider_that_confirms();
a_provider_that_does_not_confirm();
a_slow_provider();
done_testing;

sub refused {
    my ($page, $status, $code, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    like $page->alert // '', qr/\A[A-Z\d].*[.]\z/s,
        "$name: a sentence says why" or diag $page->body;
    is scalar(grep { /\Aopenid2rp=[^;]/ } $page->headers('Set-Cookie')), 0,
        "$name: no session";
}

sub accepted {
    my ($page, $to, $name) = @_;
    is $page->header('Location'), $to, "$name: is signed in"
        or diag $page->alert // $page->body;
    is_deeply [refusals()], [], "$name: and nothing is refused";
}

# The modes of the direct requests that a provider has seen.
sub asked { map { /openid\.mode=(\w+)/ ? $1 : () } $_[0]->log }

sub no_provider_there {
    my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $dead = 'http://127.0.0.1:' . $closed->sockport . '/endpoint';
    close $closed;
    my $web = web_server(sub {
        my ($path, undef, undef, $url) = @_;
        my $to = $path eq '/dead' ? $dead : $path eq '/hangs' ? "$url/hang"
            : $path eq '/closes' ? "$url/close" : undef;
        if ($path eq '/hang') { sleep 6; return }
        return if !$to;
        return ([ 200, 'Content-Type: text/html' ],
                "<head><link rel=openid2.provider href='$to'></head>");
    });
    refused(begin_login(browser(), $APP, "$web/dead"), 502, 'unreachable',
            'an endpoint on a closed port');
    refused(begin_login(browser(), $APP, "$web/closes"), 502, 'fetch-failed',
            'an endpoint that hangs up');
    refused(begin_login(browser(), $HASTY, "$web/hangs"), 504, 'timeout',
            'an endpoint that does not answer');
    my $op = provider();
    is begin_login(browser(), $APP, $op->id('alice'))->status, 303,
        'an endpoint that answers: the login begins';
    is_deeply [asked($op)], [qw(associate associate)],
        'it was asked for an association, of two types';
    is begin_login(browser(), $NEVER, "$web/dead")->status, 303,
        'without associations, nobody asks the endpoint before the browser';
}

# A provider without associations is asked about its signatures.
sub nonsense_instead_of_an_association {
    my $good = "$NS\nassoc_handle:h\nassoc_type:HMAC-SHA256\n"
        . "session_type:DH-SHA256\nexpires_in:1000\n"
        . "dh_server_public:Ag==\nenc_mac_key:" . 'A' x 43 . "=\n";
    my %reply = (
        'garbage' => [200, "\0\1\2garbage"],
        'nothing' => [200, ''],
        'a page' => [200, "<html><body>Welcome</body></html>\n"],
        'an error' => [400, "$NS\nerror:no\n"],
        'a failure' => [500, "oops\n"],
        'a redirect' => [302, ''],
        'not there' => [404, "Not found\n"],
        'a lifetime of 0' => [200, $good =~ s/1000/0/r],
        'a lifetime of -1' => [200, $good =~ s/1000/-1/r],
        'no handle' => [200, $good =~ s/assoc_handle:h\n//r],
        'a handle of 256 characters' => [200, $good =~ s/:h\n/':' . 'h' x 256
            . "\n"/er],
        'another type' => [200, $good =~ s/HMAC-SHA256/HMAC-SHA1/r],
        'no encryption' => [200, "$NS\nassoc_handle:h\nassoc_type:HMAC-SHA256"
            . "\nsession_type:no-encryption\nexpires_in:1000\nmac_key:"
            . 'A' x 43 . "=\n"],
        'a public value of 1' => [200, $good =~ s/Ag==/AQ==/r],
        'a public value of 0' => [200, $good =~ s/Ag==/AA==/r],
        'a key of 20 bytes' => [200, $good =~ s/A{43}=/'A' x 27 . '='/er],
        'an unknown type that is suggested' => [400, "$NS\nerror:x\n"
            . "error_code:unsupported-type\nassoc_type:HMAC-MD5\n"
            . "session_type:DH-MD5\n"],
    );
    my $op;
    for my $name (sort keys %reply) {
        $op = provider();
        $op->reply(associate => @{ $reply{$name} });
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $op->id('alice'));
        is $begun->status, 303, "$name: the login begins";
        my %sent = map { @$_ } pairs_of($begun->header('Location') // '?');
        is $sent{'openid.assoc_handle'}, undef, "$name: without a handle";
        accepted($browser->get($op->assertion($begun)), $APP, $name);
        my @asked = asked($op);
        is_deeply [ grep { $_ ne 'associate' } @asked ],
            ['check_authentication'], "$name: the provider was asked";
        cmp_ok scalar @asked, '<=', 3, "$name: at most two tries before";
    }
    # The control: the same text, with nothing wrong in it.
    $op = provider();
    $op->reply(associate => 200, $good =~ s/Ag==/BA==/r);
    my $begun = begin_login(browser(), $APP, $op->id('alice'));
    my %sent = map { @$_ } pairs_of($begun->header('Location'));
    is $sent{'openid.assoc_handle'}, 'h', 'an association that is in order';
    my $browser = browser();
    $begun = begin_login($browser, $APP, $op->id('alice'));
    refused($browser->get($op->assertion($begun, assoc_handle => 'h')), 403,
            'bad-signature', 'what is not signed with it');
}

sub a_provider_that_confirms {
    my $op = provider();
    for my $id ($op->id('alice'), $op->id('bob')) {
        my $browser = browser();
        accepted($browser->get($op->assertion(
            begin_login($browser, $NEVER, $id))), $NEVER, $id);
        is env_of($browser->get($NEVER))->{REMOTE_USER}, $id, "$id: it is";
        is_deeply [asked($op)], ['check_authentication'],
            "$id: one question, no association";
    }
    my $browser = browser();
    my $begun = begin_login($browser, $NEVER, $op->op_identifier);
    my %id = map { ($_ => $op->id('carol')) } qw(claimed_id identity);
    refused($browser->get($op->assertion($begun)), 403, 'identity-mismatch',
            'a provider that selects nobody');
    refused($browser->get($op->assertion($begun, claimed_id =>
        op_url('/user/alice'), identity => op_url('/user/alice'))), 403,
        'identity-mismatch', 'a provider that speaks for others');
    accepted($browser->get($op->assertion($begun, %id)), $NEVER,
             'a user that the provider selects');
    is env_of($browser->get($NEVER))->{REMOTE_USER}, $op->id('carol'),
        'is who it says';
}

# After each refusal the login can still be completed.
sub a_provider_that_does_not_confirm {
    my %reply = (
        'false' => [200, "$NS\nis_valid:false\n"],
        'nothing' => [200, ''],
        'another word' => [200, "$NS\nis_valid:TRUE\n"],
        'a blank before' => [200, "$NS\nis_valid: true\n"],
        'a blank behind' => [200, "$NS\nis_valid:true \n"],
        'a carriage return' => [200, "$NS\r\nis_valid:true\r\n"],
        'no newline' => [200, "$NS\nis_valid:true"],
        'false, then true' => [200, "is_valid:false\nis_valid:true\n"],
        'true, then false' => [200, "is_valid:true\nis_valid:false\n"],
        'true, with status 400' => [400, "$NS\nis_valid:true\n"],
        'true, with status 500' => [500, "$NS\nis_valid:true\n"],
        'true, with status 302' => [302, "$NS\nis_valid:true\n"],
        'a page' => [200, "<html>\nis_valid:true\n</html>\n"],
        'garbage' => [200, "\0\1\2is_valid:true"],
    );
    my $op = provider();
    for my $name (sort keys %reply) {
        refused_and_confirmed($op, $name, $reply{$name}, 403, 'bad-signature');
    }
    refused_and_confirmed($op, 'a provider that hangs up', [0], 502,
                          'fetch-failed');
}

sub refused_and_confirmed {
    my ($op, $name, $reply, $status, $code) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $NEVER, $op->id('alice'));
    asked($op);
    $op->reply(check_authentication => @$reply);
    refused($browser->get($op->assertion($begun)), $status, $code, $name);
    my @asked = asked($op);
    is_deeply [ grep { $_ ne 'check_authentication' } @asked ], [],
        "$name: asked to confirm, and nothing else";
    is scalar @asked, 1, "$name: asked once" if $status != 502;
    $op->reply(check_authentication => 200, "$NS\nis_valid:true\n");
    accepted($browser->get($op->assertion($begun)), $NEVER,
             "$name: the word true, in the same login");
    is_deeply [asked($op)], ['check_authentication'], "$name: asked once";
}

sub a_slow_provider {
    my $op = provider();
    my $browser = browser();
    my $begun = begin_login($browser, $HASTY, $op->id('alice'));
    my $answer = $op->assertion($begun);
    $op->reply(check_authentication => 200, "$NS\nis_valid:true\n", 4);
    my $start = time;
    refused($browser->get($answer), 504, 'timeout',
            'a provider that does not confirm in time');
    cmp_ok time - $start, '<', 3, 'it is not waited for any longer';
    $op->reply(check_authentication => 200, "$NS\nis_valid:true\n");
    accepted($browser->get($answer), $HASTY, 'the same answer a moment later');
}
