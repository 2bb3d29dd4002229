#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# F. Simple registration and attribute exchange: what is not signed, or not
# what was asked for, is not there; and the login is as good as without.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;

my $APP = url('/security/attributes/app');
my $FOR_VICTIM = url('/security/attributes/for-victim/app');
my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $SREG10 = 'http://openid.net/sreg/1.0';
my $AX = 'http://openid.net/srv/ax/1.0';
my $MAIL = 'http://axschema.org/contact/email';
my $LAST = 'http://axschema.org/namePerson/last';
my $VICTIM = 'victim@example.com';

op_reset();
my $op = OpenID2RP::Evil->new;

what_is_signed_is_there();
unsigned_ax_email();
unsigned_sreg_field();
alias_rebinding();
the_type_is_not_signed();
two_aliases_for_one_uri();
one_alias_twice();
counts();
an_evil_provider_says_the_mail_address_of_another();
values_that_are_not_text();
values_that_are_too_long();
attributes_that_nobody_asked_for();
attributes_in_other_messages();
done_testing;

# --- logins with attributes -------------------------------------------------

# A mail address by AX: what assertion() takes.
sub ax {
    my (%more) = @_;
    return ('ns.ax' => $AX, 'ax.mode' => 'fetch_response',
            'ax.type.m' => $MAIL, 'ax.value.m' => $VICTIM, %more);
}

sub sreg {
    my (%more) = @_;
    return ('ns.sreg' => $SREG, 'sreg.email' => $VICTIM,
            'sreg.nickname' => 'victim', %more);
}

# A login with these in the answer: the environment of the application, and
# the browser.
sub signed_in {
    my ($name, @how) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $op->id('alice'));
    my $back = $browser->get($op->assertion($begun, @how));
    is $back->header('Location'), $APP, "$name: the login is allowed"
        or diag $back->alert // $back->body;
    my $env = env_of($browser->get($APP));
    is $env->{REMOTE_USER}, $op->id('alice'), "$name: as the identifier";
    return ($env, $browser);
}

# All that a provider says of the user.
sub attributes {
    my ($env) = @_;
    return { map { /\AOPENID2RP_((?:AX|SREG|EMAIL).*)/ ? ($1, $env->{$_}) : () }
             keys %$env };
}

# The login is allowed, and there is nothing of what it says; the one who may
# come in by that mail address may not.
sub without {
    my ($name, @how) = @_;
    my ($env, $browser) = signed_in($name, @how);
    is_deeply attributes($env), {},
        "$name: there is no attribute"
        or diag explain attributes($env);
    is $browser->get($FOR_VICTIM)->status, 403, "$name: Require denies";
    return $env;
}

sub refused_with {
    my ($name, @how) = @_;
    attack($name, [400, 'bad-message'], op => $op, target => $APP,
           change => {@how});
}

# --- the rows ---------------------------------------------------------------

sub what_is_signed_is_there {
    my ($env, $browser) = signed_in('control: AX', ax());
    is $env->{OPENID2RP_EMAIL}, $VICTIM, 'control: AX: the address';
    is $env->{OPENID2RP_AX_EMAIL}, $VICTIM, 'control: AX: the attribute';
    is $browser->get($FOR_VICTIM)->status, 200,
        'control: AX: Require admits it';
    ($env, $browser) = signed_in('control: SREG', sreg());
    is $env->{OPENID2RP_EMAIL}, $VICTIM, 'control: SREG: the address';
    is $env->{OPENID2RP_SREG_NICKNAME}, 'victim', 'control: SREG: the name';
    is $browser->get($FOR_VICTIM)->status, 200,
        'control: SREG: Require admits it';
}

sub unsigned_ax_email {
    without('the value is not signed', ax(), -unsigned => ['ax.value.m']);
    without('nothing of AX is signed', ax(), -unsigned =>
            ['ns.ax', 'ax.mode', 'ax.type.m', 'ax.value.m']);
    without('it stands behind the signed answer', -extra =>
            [ map { [ "openid.$_", {ax()}->{$_} ] } sort keys %{ {ax()} } ]);
    my ($env) = signed_in('a second value is not signed',
        ax('ax.value.m' => undef, 'ax.count.m' => 2,
           'ax.value.m.1' => 'a@example.com', 'ax.value.m.2' => $VICTIM),
        -unsigned => ['ax.value.m.2']);
    ok !grep({ /\Q$VICTIM/ } values %{ attributes($env) }),
        'a second value is not signed: it is not there';
    ($env) = signed_in('control: two values',
        ax('ax.value.m' => undef, 'ax.count.m' => 2,
           'ax.value.m.1' => 'a@example.com', 'ax.value.m.2' => $VICTIM));
    is $env->{OPENID2RP_AX_EMAIL_2}, $VICTIM, 'control: two values: there';
}

sub unsigned_sreg_field {
    my ($env) = signed_in('one field is not signed', sreg(),
                          -unsigned => ['sreg.email']);
    is_deeply attributes($env),
        { SREG => '{"nickname": "victim"}', SREG_NICKNAME => 'victim' },
        'one field is not signed: only the other one is there'
        or diag explain attributes($env);
    without('no field is signed', sreg(),
            -unsigned => ['sreg.email', 'sreg.nickname']);
    without('an unsigned one behind the signed answer', -extra =>
            [ map { [ "openid.$_", {sreg()}->{$_} ] }
              sort keys %{ {sreg()} } ]);
}

# The namespace says what an alias means, so it must be signed, too.
sub alias_rebinding {
    without('AX: the namespace is not signed', ax(), -unsigned => ['ns.ax']);
    without('SREG: the namespace is not signed', sreg(),
            -unsigned => ['ns.sreg']);
    without('signed under another alias, which is bound to AX', map({
            my $value = {ax()}->{$_}; s/\bax\b/foo/; ($_ => $value)
        } sort keys %{ {ax()} }), -unsigned => ['ns.foo']);
    # The provider signed values of an extension of its own, and the attacker
    # says that its name is AX; or gives the name to another extension.
    without('values of another extension', ax('ns.ax' => 'http://x.example/'));
    without('an alias of SREG is bound to AX', 'ns.sreg' => $AX,
            'sreg.mode' => 'fetch_response', 'sreg.email' => $VICTIM,
            -unsigned => ['ns.sreg']);
    my ($env) = signed_in('control: any alias will do', map({
            my $value = {ax()}->{$_}; s/\bax\b/foo/; ($_ => $value)
        } sort keys %{ {ax()} }));
    is $env->{OPENID2RP_AX_EMAIL}, $VICTIM,
        'control: any alias will do, signed';
}

sub the_type_is_not_signed {
    without('the type is not signed', ax(), -unsigned => ['ax.type.m']);
    my ($env) = signed_in('an unsigned type beside a signed one',
        ax('ax.type.m' => 'http://x.example/hobby'), -extra =>
        [[ 'openid.ax.type.n', $MAIL ], [ 'openid.ax.value.n', $VICTIM ]]);
    is_deeply attributes($env), {},
        'an unsigned type beside a signed one: there is no attribute';
}

sub two_aliases_for_one_uri {
    refused_with('AX under two aliases', ax('ns.ax2' => $AX,
        'ax2.mode' => 'fetch_response', 'ax2.type.m' => $MAIL,
        'ax2.value.m' => 'other@example.com'));
    refused_with('the second alias is not signed', ax('ns.ax2' => $AX),
                 -unsigned => ['ns.ax2']);
    refused_with('SREG under two aliases', sreg('ns.sr' => $SREG,
        'sr.email' => 'other@example.com'));
}

sub one_alias_twice {
    my %twice = (-extra => [[ 'openid.ns.ax', 'http://x.example/' ]]);
    refused_with('an alias twice, other meanings', ax(), %twice);
    refused_with('an alias twice, the same meaning', ax(),
                 -extra => [[ 'openid.ns.ax', $AX ]]);
    refused_with('a value twice', ax(),
                 -extra => [[ 'openid.ax.value.m', 'other@example.com' ]]);
}

sub counts {
    my $most = 10_000;
    my %values = map { ("ax.value.m.$_" => "$_\@example.com") } 1 .. 4;
    for my $count (2_147_483_647, 4_294_967_297, '18446744073709551617',
                   -1, 0, '', '1e3', '0x2', ' 2', '2 ', '+2', 4,
                   'unlimited') {
        my ($env) = signed_in("a count of \"$count\"",
            ax('ax.value.m' => undef, 'ax.count.m' => $count, %values));
        is_deeply attributes($env), {},
            "a count of \"$count\": there is no attribute"
            or diag explain attributes($env);
    }
    my ($env) = signed_in('control: a count of 3',
        ax('ax.value.m' => undef, 'ax.count.m' => 3, %values));
    is $env->{OPENID2RP_AX_EMAIL_COUNT}, 3, 'control: a count of 3';
    is $env->{OPENID2RP_AX_EMAIL_4}, undef, 'and no more than that';

    delete $values{'ax.value.m.2'};
    without('the second of three values is missing',
            ax('ax.value.m' => undef, 'ax.count.m' => 3, %values));
    without('a count that is not signed', ax('ax.value.m' => undef,
        'ax.count.m' => 1, 'ax.value.m.1' => $VICTIM),
        -unsigned => ['ax.count.m']);
    without('as many as it likes, of which there are none',
            ax('ax.type.m' => $LAST, 'ax.value.m' => undef,
               'ax.count.m' => $most));

    my $browser = browser();
    my $begun = begin_login($browser, $APP, $op->id('alice'));
    refusals();
    my @pairs = $op->pairs($begun, ax('ax.type.m' => $LAST,
        'ax.value.m' => undef, 'ax.count.m' => $most,
        map { ("ax.value.m.$_" => 'x') } 1 .. $most));
    my $to = OpenID2RP::Evil::asked($begun)->{return_to};
    my $page = $browser->post($to, \@pairs);
    like $page->status, qr/\A4(?:00|13)\z/, 'an answer of 10,000 values';
    outsider($browser, $APP, 'an answer of 10,000 values');
    refusals();
    is $browser->get($op->assertion($begun))->header('Location'), $APP,
        'control: the same login without them';
}

# Whatever it says of the user, the user is the identifier.
sub an_evil_provider_says_the_mail_address_of_another {
    my ($env) = signed_in('the address of another', ax(), sreg(
        'sreg.identity' => 'http://victim.example/',
        'sreg.fullname' => 'http://victim.example/'));
    is $env->{REMOTE_USER}, $op->id('alice'),
        'the address of another: REMOTE_USER is the identifier';
    is $env->{OPENID2RP_IDENTIFIER}, $op->id('alice'),
        'the address of another: and so is OPENID2RP_IDENTIFIER';
    is $env->{OPENID2RP_PROVIDER}, $op->endpoint,
        'the address of another: the provider is told beside it';
}

sub values_that_are_not_text {
    my ($env) = signed_in('control: letters of all sorts',
                          ax('ax.value.m' => "\xc3\xa9\xe2\x82\xac"));
    is $env->{OPENID2RP_AX_EMAIL}, "\xc3\xa9\xe2\x82\xac",
        'control: letters of all sorts';
    refused_with('a value that is ' . $_->[0], ax('ax.value.m' => $_->[1]))
        for [ 'two lines', "$VICTIM\nidentity:x" ], [ 'no UTF-8', "\xff\xfe" ],
            [ 'an overlong form', "\xc0\xae" ],
            [ 'half a pair', "\xed\xa0\x80" ], [ 'with a NUL', "a\0b" ];
    # What else may stand in it must not end a header or a variable.
    for ([ 'a carriage return', "a\rb" ], [ 'an escape', "a\eb" ]) {
        my ($what, $value) = @$_;
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $op->id('alice'));
        my $back = $browser->get(
            $op->assertion($begun, ax('ax.value.m' => $value)));
        refusals();
        my $env = env_of($browser->get($APP));
        ok(!grep({ /[\r\n\0]/ } values %$env),
           "$what: no variable has more than a line");
    }
}

sub values_that_are_too_long {
    for ([ 512, 'it is there' ], [ 4_097, 'it is not there' ]) {
        my ($size, $what) = @$_;
        my ($env) = signed_in("SREG: a value of $size bytes",
            sreg('sreg.email' => 'x' x $size));
        is $env->{OPENID2RP_SREG_EMAIL} // '', $size == 512 ? 'x' x $size : '',
            "SREG: a value of $size bytes: $what";
        is $env->{OPENID2RP_SREG_NICKNAME}, 'victim',
            "SREG: a value of $size bytes: others are there";
    }
    for ([ 1_024, 'it is there' ], [ 1_025, 'it is not there' ]) {
        my ($size, $what) = @$_;
        my ($env) = signed_in("AX: a value of $size bytes",
            ax('ax.value.m' => 'x' x $size));
        is $env->{OPENID2RP_AX_EMAIL} // '', $size == 1_024 ? 'x' x $size : '',
            "AX: a value of $size bytes: $what";
    }
}

sub attributes_that_nobody_asked_for {
    my ($env) = signed_in('attributes that nobody asked for', ax(
        'ax.type.x' => 'http://x.example/', 'ax.value.x' => 'x'),
        sreg('sreg.gender' => 'F', 'sreg.REMOTE_USER' => 'root'));
    is_deeply [ sort grep { /AX_|SREG_/ } keys %{ attributes($env) } ],
        [qw(AX_EMAIL SREG_EMAIL SREG_NICKNAME)],
        'attributes that nobody asked for are not there, the others are';
    unlike join("\n", values %{ attributes($env) }),
        qr/x\.example|gender|REMOTE_USER/, 'nor in the objects';
}

sub attributes_in_other_messages {
    without('a fetch_request', ax('ax.mode' => 'fetch_request'));
    without('a store_response', ax('ax.mode' => 'store_response_success'));
    without('no mode', ax('ax.mode' => undef));
    # 1.1 has no namespaces: SREG has its name by itself there.
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $op->id1('bob'));
    is $browser->get($op->assertion($begun, -version => 1,
        'sreg.email' => $VICTIM, 'sreg.nickname' => 'victim',
        -unsigned => ['sreg.email']))->header('Location'), $APP,
        '1.1: the login is allowed';
    my $env = env_of($browser->get($APP));
    is $env->{OPENID2RP_SREG_NICKNAME}, 'victim',
        'control: 1.1: what is signed is there';
    is $env->{OPENID2RP_EMAIL}, undef, '1.1: what is not signed is not';
}
