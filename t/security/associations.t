#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# E. Associations and direct verification: what a provider may tell us about
# keys, and when it is believed that a signature is its own.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Math::BigInt ();
use MIME::Base64 qw(encode_base64);
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep);

my $APP = url('/security/app');
my $STATELESS = url('/security/app', 'security_stateless');
my $P = Math::BigInt->from_hex(join '', qw(
    DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E
    F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557
    7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382
    6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB));

op_reset();
my $op = OpenID2RP::Evil->new;

requests_to_others_before_verification();
degenerate_diffie_hellman();
the_length_of_the_key();
no_encryption_over_http();
the_downgrade_loop();
types_that_were_not_asked_for();
expires_in();
handles();
an_expired_association();
invalidate_handle();
key_value_injection();
is_valid_with_another_status();
the_switch_to_direct_verification();
the_flood_of_questions();
the_association_flood();
done_testing;

# --- an endpoint for each case ----------------------------------------------

# Whether a provider makes associations is remembered, so each case has an
# endpoint of its own, at the same provider: an identifier, and the endpoint.
my $cases = 0;

sub fresh {
    my ($type) = @_;
    my $endpoint = $op->endpoint . '?' . ++$cases;
    my $path = "/case/$cases";
    $op->serves($path, $op->xrds({ uri => $endpoint, type => $type }));
    return ($op->url . $path, $endpoint);
}

# What the provider was asked to associate: the types of each request.
sub types_asked {
    my (@log) = @_;
    return map {
        my %field = map { @$_ } pairs_of('?' . (/ (\S*)\z/ ? $1 : ''));
        "$field{'openid.assoc_type'} $field{'openid.session_type'}";
    } grep { /openid\.mode=associate\b/ } @log;
}

# A login with a provider whose answer to "associate" is a lie: there is no
# association, and no second try; but the login is as good as any, verified
# with the provider.
sub no_association {
    my ($name, $lie, %is) = @_;
    my ($id, $endpoint) = fresh($is{type});
    ref $lie eq 'CODE' ? $lie->() : $op->lies(associate => %$lie);
    $op->calls;
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $id);
    my @log = $op->log;
    $op->is_honest;
    $op->serves("/case/$cases", $op->xrds(
        { uri => $endpoint, type => $is{type} }));
    is(OpenID2RP::Evil::asked($begun)->{assoc_handle}, undef,
       "$name: it is not used");
    my @types = types_asked(@log);
    cmp_ok scalar @types, '<=', $is{most} // 1, "$name: no storm";
    cmp_ok scalar @types, '>', 0, "$name: control: it was asked for";
    is $browser->get($op->assertion($begun, op_endpoint => $endpoint,
        -version => $is{type} ? 1 : 2, $is{type}
            ? (op_endpoint => undef) : ()))->header('Location'), $APP,
        "$name: the login goes on without";
    return @types;
}

# The same with an answer that is true, or that may be: there is one.
sub an_association {
    my ($name, %lie) = @_;
    my ($id, $endpoint) = fresh();
    $op->lies(associate => %lie);
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $id);
    $op->lies('associate');
    my $handle = OpenID2RP::Evil::asked($begun)->{assoc_handle};
    ok $handle, "control: $name: it is used";
    $op->calls;
    is $browser->get($op->assertion($begun, op_endpoint => $endpoint,
        defined $lie{assoc_handle} ? (-of => $lie{-of}) : ()))
        ->header('Location'), $APP, "control: $name: the login goes on";
    is_deeply [$op->calls], [], "control: $name: nobody is asked";
}

# --- the rows ---------------------------------------------------------------

sub requests_to_others_before_verification {
    my $canary = canary();
    attack('an endpoint of the attacker, an unknown handle',
           [403, 'endpoint-mismatch'], op => $op,
           change => { op_endpoint => "$canary/",
                       assoc_handle => OpenID2RP::Evil::new_handle('dumb') });
    attack('the same without associations', [403, 'endpoint-mismatch'],
           op => $op, target => $STATELESS,
           change => { op_endpoint => "$canary/" });
    attack('an identifier of the attacker', [403, 'identity-mismatch'],
           op => $op, change => { claimed_id => "$canary/",
                                  identity => "$canary/" });
    attack('a return_to of the attacker', [403, 'return-to-mismatch'],
           op => $op, change => { return_to => "$canary/" });
    is_deeply [web_log($canary)], [], 'and nothing of it was fetched';
    OpenID2RP::Test::exchange($canary =~ /:(\d+)/,
                              "GET /control HTTP/1.0\r\n\r\n");
    is scalar(web_log($canary)), 1, 'control: the canary sees who comes';
}

sub degenerate_diffie_hellman {
    an_association('true Diffie-Hellman values');
    my $b64 = sub { encode_base64($_[0], '') };
    my %bad = (
        '0' => $b64->("\0"), '1' => $b64->("\1"), 'nothing' => '',
        'p - 1' => $b64->("\0" . ($P - 1)->to_bytes),
        'p' => $b64->("\0" . $P->to_bytes),
        'p + 1' => $b64->("\0" . ($P + 1)->to_bytes),
        'a negative number' => $b64->("\xff\xfe"),
        'p - 2, negative' => $b64->(($P - 2)->to_bytes),
        'a number with a useless zero' => $b64->("\0\2"),
        '128 KB' => $b64->("\1" x 98_304),
        '1 MB' => $b64->("\1" x 786_432),
        'no base64' => 'x y z', 'half of base64' => 'AAA',
    );
    no_association("dh_server_public is $_", { dh_server_public => $bad{$_} })
        for sort keys %bad;
    no_association('no dh_server_public', { dh_server_public => undef });
    no_association('no enc_mac_key', { enc_mac_key => undef });
    no_association("1.1: dh_server_public is $_",
                   { dh_server_public => $bad{$_} },
                   type => 'http://openid.net/signon/1.1') for '0', '1';
}

sub the_length_of_the_key {
    for my $size (0, 1, 19, 20, 31, 33, 64) {
        no_association("HMAC-SHA256 with a key of $size bytes",
            { enc_mac_key => encode_base64('k' x $size, '') });
    }
    for my $size (0, 1, 19, 21, 32) {
        no_association("1.1: HMAC-SHA1 with a key of $size bytes",
            { enc_mac_key => encode_base64('k' x $size, '') },
            type => 'http://openid.net/signon/1.1');
    }
}

sub no_encryption_over_http {
    my $key = encode_base64('k' x 32, '');
    no_association('no-encryption that nobody asked for',
        { session_type => 'no-encryption', mac_key => $key,
          enc_mac_key => undef, dh_server_public => undef });
    no_association('a key in clear beside the other', { mac_key => $key,
        enc_mac_key => undef });
    no_association('1.1: the key in clear, as 1.1 allows',
        { session_type => undef, mac_key => encode_base64('k' x 20, ''),
          enc_mac_key => undef, dh_server_public => undef },
        type => 'http://openid.net/signon/1.1');
    for my $type ('HMAC-SHA256', 'HMAC-SHA1') {
        my @asked = no_association("$type, no-encryption is suggested",
            sub { unsupported($type, 'no-encryption') }, most => 2);
        is scalar(grep { !/ DH-SHA/ } @asked), 0,
            "$type, no-encryption is suggested: and not asked for";
    }
}

sub unsupported {
    my ($type, $session, $status) = @_;
    my $text = "ns:$OpenID2RP::Evil::OPENID2\nerror:no\n"
        . "error_code:unsupported-type\n";
    $text .= "assoc_type:$type\n" if defined $type;
    $text .= "session_type:$session\n" if defined $session;
    $op->answers(associate => { status => $status // 400, body => $text });
}

sub the_downgrade_loop {
    for ([ 'HMAC-MD5', 'DH-SHA256' ], [ 'HMAC-SHA256', 'DH-MD5' ],
         [ '', '' ], [ undef, undef ], [ 'HMAC-SHA256', 'DH-SHA256' ],
         [ 'HMAC-SHA1', 'DH-SHA1' ], [ 'HMAC-SHA1', 'DH-SHA256' ],
         [ 'HMAC-SHA256', undef ], [ 'hmac-sha1', 'dh-sha1' ]) {
        my ($type, $session) = @$_;
        for my $status (400, 200) {
            my $name = join ', ', "always unsupported, status $status",
                $type // 'nothing', $session // 'nothing';
            my @asked = no_association($name,
                sub { unsupported($type, $session, $status) }, most => 2);
            is_deeply [ grep { !/\AHMAC-(SHA1|SHA256) DH-\1\z/ } @asked ], [],
                "$name: only types that are allowed";
        }
    }
}

sub types_that_were_not_asked_for {
    no_association("the reply has $_->[0]", { $_->[1] => $_->[2] }) for
        [ 'another MAC', assoc_type => 'HMAC-SHA1' ],
        [ 'an unknown MAC', assoc_type => 'HMAC-MD5' ],
        [ 'a MAC in small letters', assoc_type => 'hmac-sha256' ],
        [ 'no MAC', assoc_type => undef ],
        [ 'another session', session_type => 'DH-SHA1' ],
        [ 'an empty session', session_type => '' ],
        [ 'no session', session_type => undef ];
    no_association('1.1: a MAC of 2.0', { assoc_type => 'HMAC-SHA256' },
                   type => 'http://openid.net/signon/1.1');
}

sub expires_in {
    an_association("expires_in is $_", expires_in => $_)
        for 60, 1_000_000_000, '9223372036854775807';
    no_association('expires_in is "' . ($_ // 'missing') . '"',
                   { expires_in => $_ })
        for -1, 0, '', '10abc', '0x10', ' 10', '10 ', '+10', '1e9', '3600.0',
            '9223372036854775808', '18446744073709551617', '9' x 400, undef;
}

sub handles {
    # The key of a handle is a function of its name in our provider.
    no_association('a handle that is ' . $_->[0],
                   { assoc_handle => $_->[1] }) for
        [ 'empty', '' ], [ 'missing', undef ], [ 'too long', 'h' x 256 ],
        [ 'a space', ' ' ], [ 'two words', 'a b' ], [ 'a tab', "a\tb" ],
        [ 'not ASCII', "h\xc3\xa9" ], [ 'a control character', "a\x01b" ],
        [ 'with a NUL', "a\0b" ];
}

sub an_expired_association {
    my ($id, $endpoint) = fresh();
    $op->lies(associate => expires_in => 3);
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $id);
    my $handle = OpenID2RP::Evil::asked($begun)->{assoc_handle};
    ok $handle, 'there is an association for 3 seconds';
    my $twin = browser();
    my $soon = begin_login($twin, $APP, $id);
    is $twin->get($op->assertion($soon, op_endpoint => $endpoint))
        ->header('Location'), $APP, 'control: in time, it signs in';
    $op->calls;
    refusals();
    sleep 3.2;
    my $answer = $op->assertion($begun, op_endpoint => $endpoint);
    refused($browser->get($answer), 403, 'bad-signature',
            'an association that has expired');
    is_deeply [$op->calls], ['check_authentication'],
        'the provider was asked, and said no';
    outsider($browser, $APP, 'an association that has expired');
    $op->lies(check_authentication => is_valid => 'true');
    is $browser->get($answer)->header('Location'), $APP,
        'control: with its confirmation, it is accepted';
    $op->is_honest;
}

sub invalidate_handle {
    my ($id, $endpoint) = fresh();
    my $handle = handle_of_login($id);
    ok $handle, 'there is an association';

    my $login = sub {
        my ($said) = @_;
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $id);
        is $browser->get($op->assertion($begun, op_endpoint => $endpoint,
            assoc_handle => OpenID2RP::Evil::new_handle('dumb'),
            invalidate_handle => $said))->header('Location'), $APP,
            'a login by direct verification that calls it invalid';
        is_deeply [grep { !/GET/ } $op->calls], ['check_authentication'],
            'the provider is asked';
    };
    $op->calls;
    $login->($handle);
    is handle_of_login($id), $handle, 'not confirmed: it is kept';
    $op->calls;
    $op->lies(check_authentication => invalidate_handle => "$handle-other");
    $login->($handle);
    is handle_of_login($id), $handle, 'confirmed for another: it is kept';
    $op->calls;
    $op->lies(check_authentication => invalidate_handle => $handle);
    $login->("$handle-other");
    is handle_of_login($id), $handle, 'nobody called it invalid: it is kept';
    $op->calls;
    $login->($handle);
    isnt handle_of_login($id), $handle, 'control: confirmed: it is gone';

    my $other = OpenID2RP::Evil->new;
    my $theirs = handle_of_login($other->id('alice'));
    $op->lies(check_authentication => invalidate_handle => $theirs);
    $op->calls;
    $login->($theirs);
    is handle_of_login($other->id('alice')), $theirs,
        'a provider says nothing of the handles of another';
    $op->is_honest;
}

sub handle_of_login {
    my ($id) = @_;
    return OpenID2RP::Evil::asked(begin_login(browser(), $APP, $id))
        ->{assoc_handle};
}

# All in one login: a refused answer leaves it as it was. But then others are
# not asked for its sake any more: so it is a new one now and then.
sub direct_answers {
    my ($name, @answers) = @_;
    direct_answers($name, splice @answers, 0, 8) while @answers > 8;
    my $browser = browser();
    my $begun = begin_login($browser, $STATELESS, $op->id('kv'));
    $op->calls;
    refusals();
    for (@answers) {
        my ($what, $answer) = @$_;
        $op->answers(check_authentication => $answer);
        refused($browser->get($op->assertion($begun)), 403, 'bad-signature',
                "$name: $what");
        is_deeply [$op->calls], ['check_authentication'],
            "$name: $what: asked once";
        outsider($browser, $STATELESS, "$name: $what");
    }
    return ($browser, $begun);
}

sub confirmed {
    my ($name, $browser, $begun) = @_;
    is $browser->get($op->assertion($begun))->header('Location'), $STATELESS,
        "control: $name";
    $op->is_honest;
}

sub key_value_injection {
    my $ns = "ns:$OpenID2RP::Evil::OPENID2\n";
    my @login = direct_answers('the answer', map {
        [ $_->[0], { body => $_->[1] } ]
    }   [ 'false', "${ns}is_valid:false\n" ],
        [ 'false, then true', "${ns}is_valid:false\nis_valid:true\n" ],
        [ 'true, then false', "${ns}is_valid:true\nis_valid:false\n" ],
        [ 'true twice', "${ns}is_valid:true\nis_valid:true\n" ],
        [ 'a space before the value', "${ns}is_valid: true\n" ],
        [ 'a space after it', "${ns}is_valid:true \n" ],
        [ 'a space before the colon', "${ns}is_valid :true\n" ],
        [ 'a space before the name', "${ns} is_valid:true\n" ],
        [ 'TRUE', "${ns}is_valid:TRUE\n" ],
        [ 'Is_Valid', "${ns}Is_Valid:true\n" ],
        [ 'yes', "${ns}is_valid:yes\n" ], [ '1', "${ns}is_valid:1\n" ],
        [ 'truer', "${ns}is_valid:truer\n" ],
        [ 'nothing behind the colon', "${ns}is_valid:\n" ],
        [ 'no colon', "${ns}is_valid\n" ],
        [ 'CR LF', "${ns}is_valid:true\r\n" ],
        [ 'CR', "${ns}is_valid:true\r" ],
        [ 'a CR between', "${ns}is_valid:false\ris_valid:true\n" ],
        [ 'a NUL behind', "${ns}is_valid:true\0\n" ],
        [ 'a NUL, and false', "${ns}is_valid:true\0:false\n" ],
        [ 'a NUL first', "\0${ns}is_valid:true\n" ],
        [ 'a byte order mark', "\xef\xbb\xbfis_valid:true\n" ],
        [ 'an empty line first', "\n${ns}is_valid:true\n" ],
        [ 'with openid.', "${ns}openid.is_valid:true\n" ],
        [ 'percent-encoded', "${ns}is_valid:%74rue\n" ],
        [ 'a form', 'is_valid=true' ],
        [ 'JSON', '{"is_valid": true}' ],
        [ 'HTML', "<html><body>\nis_valid:true\n</body></html>\n" ],
        [ 'HTML with lines', "<p>a: b</p>\n" ],
        [ 'no final newline', "${ns}is_valid:true" ],
        [ 'nothing', '' ], [ 'only the namespace', $ns ],
        [ 'a mode', "${ns}mode:id_res\n" ]);
    $op->answers(check_authentication => { body => "is_valid:true\n" });
    confirmed('exactly one is_valid:true', @login);
}

sub is_valid_with_another_status {
    my $canary = canary();
    my $true = "ns:$OpenID2RP::Evil::OPENID2\nis_valid:true\n";
    my @login = direct_answers('is_valid:true',
        map({ [ "with $_", { status => $_, body => $true } ] }
            201, 203, 204, 206, 400, 401, 403, 404, 500, 503));
    # A redirect is followed by nobody, or the form would go to others.
    for my $status (301, 302, 303, 307, 308) {
        $op->answers(check_authentication => { status => $status,
            headers => ["Location: $canary/"], body => $true });
        my $page = $login[0]->get($op->assertion($login[1]));
        like $page->status, qr/\A(?:403|502)\z/,
            "is_valid:true with $status: refused";
        is scalar(refusals()), 1, "is_valid:true with $status: one line";
        is_deeply [$op->calls], ['check_authentication'],
            "is_valid:true with $status: asked once";
        outsider($login[0], $STATELESS, "is_valid:true with $status");
    }
    is_deeply [web_log($canary)], [], 'where it points to is not asked';
    $op->is_honest;
    confirmed('with 200', @login);
}

sub the_switch_to_direct_verification {
    my %other = (assoc_handle => OpenID2RP::Evil::new_handle('assoc'));
    attack('a handle that nobody knows, which the provider does not confirm',
           [403, 'bad-signature'], op => $op, change => \%other,
           calls => ['check_authentication']);
    attack('a handle for direct verification, with a wrong signature',
           [403, 'bad-signature'], op => $op, change => {
               assoc_handle => OpenID2RP::Evil::new_handle('dumb'),
               sig => encode_base64('s' x 32, '') },
           calls => ['check_authentication']);
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $op->id('alice'));
    ok(OpenID2RP::Evil::asked($begun)->{assoc_handle},
       'the login began with an association');
    $op->calls;
    is $browser->get($op->assertion($begun,
        assoc_handle => OpenID2RP::Evil::new_handle('dumb')))
        ->header('Location'), $APP,
        'control: confirmed by the provider, it is accepted';
    is_deeply [$op->calls], ['check_authentication'],
        'control: by one request';
    # A signature that its own association refutes is no matter for the
    # provider: it would be asked about any forgery.
    $op->lies(check_authentication => is_valid => 'true');
    attack('a live handle with a wrong signature is not asked about',
           [403, 'bad-signature'], op => $op,
           change => { sig => encode_base64('s' x 32, '') });
    $op->is_honest;
}

# Any number of answers can come to a login; others are asked ten times.
sub the_flood_of_questions {
    my $browser = browser();
    my $begun = begin_login($browser, $STATELESS, $op->id('alice'));
    $op->calls;
    my @codes = map {
        refusals();
        $browser->get($op->assertion($begun, sig => "bad$_"));
        refusals();
    } 1 .. 12;
    is "@codes", join(' ', ('bad-signature') x 10, ('no-login') x 2),
        '12 bad answers to one login are refused';
    is_deeply [$op->calls], [ ('check_authentication') x 10 ],
        'the provider is asked about ten of them';
    my $page = $browser->get($op->assertion($begun));
    is $page->status, 403, 'then the login is lost';
    ok $page->action, 'and can begin again';
    refusals();
    $begun = begin_login($browser, $STATELESS, $op->id('alice'));
    is $browser->get($op->assertion($begun))->header('Location'), $STATELESS,
        'control: another login is not';
}

sub the_association_flood {
    for ([  'is broken', { status => 500, body => 'no' } ],
         [ 'says nonsense', { body => "<html>\n" } ],
         [ 'says an error',
           { status => 400, body => "error:no\nerror_code:broken\n" } ],
         [ 'makes none', { status => 400, body =>
             "error:no\nerror_code:unsupported-type\n" } ]) {
        my ($what, $answer) = @$_;
        my ($id) = fresh();
        $op->answers(associate => $answer);
        $op->calls;
        my @begun = map { begin_login(browser(), $APP, $id) } 1 .. 10;
        is scalar(grep { $_->is_redirect } @begun), 10,
            "10 logins begin with a provider that $what";
        cmp_ok scalar(grep { $_ eq 'associate' } $op->calls), '<=',
            $what eq 'makes none' ? 2 : 1, 'it was asked for it once';
        $op->answers('associate');
    }
    my ($id) = fresh();
    $op->calls;
    begin_login(browser(), $APP, $id);
    is scalar(grep { $_ eq 'associate' } $op->calls), 1,
        'control: another one is asked';
}
