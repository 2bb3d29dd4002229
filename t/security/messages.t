#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Hostile inputs, group C: messages that have two readings, or none, or say no.
# What is left of them must be nothing: after each, the true answer to the same
# login signs in. Bodies that are no messages are in bodies.t.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;

my $APP = url('/security/app');
my $FORM = 'application/x-www-form-urlencoded';
my $BAD = [400, 'bad-message'];

op_reset();
my $OP = OpenID2RP::Evil->new;
my $VICTIM = OpenID2RP::Evil->new->id('victim');
my $CANARY = canary();

# How an answer is verified, as arguments of attacks().
my %WAY = (
    'with an association' => [ op => $OP ],
    'by asking' => [ op => $OP,
                     target => url('/security/app', 'security_stateless') ],
    'OpenID 1.1' => [ op => $OP, id => $OP->id1('alice'),
                      control => { -version => 1 } ],
);

# Answers that say no, and what becomes of them.
my %NO = (
    cancel => [401, 'cancelled'],
    setup_needed => [401, 'setup-needed'],
    error => [502, 'provider-error'],
);

duplicate_parameter();
names_that_decode_alike();
names_that_only_look_alike();
query_and_body_split();
the_key_of_the_login();
two_identifiers();
bad_encodings();
bad_encodings_in_an_identifier();
separators_only();
other_methods();
cancel_setup_needed_error();
other_modes();
the_error_of_a_provider();
answers_of_1_1_with_fields_of_2_0();
done_testing;

# ---------------------------------------------------------------------------

# Attacks for each way to verify an answer and each way to send it:
# ([WHAT, REFUSAL, CHANGE, ...], ...)
sub everywhere {
    my ($name, @cases) = @_;
    for my $way (sort keys %WAY) {
        attacks("$name, $way", [ map { my $how = $_; map {
            [ "$_->[0], by $how", $_->[1], altered($how, $_->[2]),
              @$_[3 .. $#$_] ] } @cases } ways_to_send() ],
            @{ $WAY{$way} });
    }
}

# The true answer of a new login, changed by a function, signs in who it is
# about: for each way to verify it and to send it.
sub accepted_everywhere {
    my ($name, $change) = @_;
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        for my $how (ways_to_send()) {
            my $browser = browser();
            my $target = $is{target} // $APP;
            my $id = $is{id} // $OP->id('alice');
            my $begun = begin_login($browser, $target, $id);
            my ($key, $message)
                = parts($OP->assertion($begun, %{ $is{control} // {} }));
            $OP->calls;
            my $page = sent_by($how)->($browser, $key, $change->($message));
            is $page->header('Location'), $target, "$name, $way, by $how"
                or diag $page->alert // $page->body;
            is_deeply [$OP->calls],
                $way eq 'by asking' ? ['check_authentication'] : [],
                "$name, $way, by $how: nobody is asked more than usual";
            insider($browser, $target, $id, "$name, $way, by $how");
        }
    }
    is_deeply [refusals()], [], "$name: nothing is refused";
}

# A browser with a login, and the true answer to it: the URL, and its parts.
sub fresh {
    my ($vhost, $id) = @_;
    my $browser = browser();
    my $url = $OP->assertion(begin_login($browser,
        url('/security/app', $vhost), $id // $OP->id('alice')));
    $OP->calls;
    refusals();
    return ($browser, $url, parts($url));
}

# A request that must sign nobody in, nor begin a login, nor be an answer.
sub means_nothing {
    my ($page, $status, $name) = @_;
    my $is = $page ? $page->status : 'no answer';
    is_deeply { status => $is =~ $status ? 'good' : $is,
                refused => [refusals()], asked => [$OP->calls],
                cookies => [ $page ? $page->headers('Set-Cookie') : () ] },
        { status => 'good', refused => [], asked => [], cookies => [] },
        "$name: means nothing";
}

# ---------------------------------------------------------------------------
# Two readings

# 2.0, 4.1.1: "A message MUST NOT contain multiple parameters with the same
# name."
sub duplicate_parameter {
    for my $way (sort keys %WAY) {
        my $v1 = $way eq 'OpenID 1.1';
        my @names = map { "openid.$_" } qw(mode identity return_to
            assoc_handle signed sig), $v1 ? () : qw(ns op_endpoint claimed_id
            response_nonce);
        my @cases = map { my $name = $_;
            map { my $order = $_;
                map { [ "$name twice, $order, by $_", $BAD,
                        altered($_, sub { twice($order, $name, $_[0]) }) ] }
                    ways_to_send() } 'good and evil', 'evil and good',
                    'the same', 'at both ends' } @names;
        attacks("duplicate parameter, $way", \@cases, @{ $WAY{$way} });
    }
}

sub twice {
    my ($order, $name, $message) = @_;
    my $evil = "$name=" . ($name =~ /_id|identity/ ? encode($VICTIM)
                           : $name =~ /mode/ ? 'cancel' : 'evil');
    return "$evil&$message" if $order eq 'at both ends';
    return $message =~ s{(\Q$name\E=[^&]*)}{
        $order eq 'good and evil' ? "$1&$evil"
            : $order eq 'evil and good' ? "$evil&$1" : "$1&$1" }er;
}

# Names are compared as they decode.
sub names_that_decode_alike {
    everywhere('names that decode alike', map { my $more = $_;
        [ $more, $BAD, sub { "$_[0]&$more" } ],
        [ "$more before", $BAD, sub { "$more&$_[0]" } ] } (
        'openid%2Emode=cancel', 'openid%2emode=cancel',
        '%6Fpenid.mode=cancel', '%6f%70%65%6e%69%64%2e%6d%6f%64%65=cancel',
        'openid.mode', 'openid.mode=', 'openid.mod%65=id_res',
        'openid.identity%3D=x&openid%2Eidentity=' . encode($VICTIM),
        'openid.x=1&openid%2Ex=1', 'openid.a+b=1&openid.a%20b=2',
        'openid.=1&openid.=2',
        'openid.sreg.email=a%40a.example&openid.sreg.emai%6C=b%40b.example',
    ));
}

# None of these is a field that anybody looks at.
sub names_that_only_look_alike {
    my $victim = encode($VICTIM);
    my $evil = join '&', map { my $name = $_; map { "$_=$victim" }
        "OPENID.\U$name", "openid.\U$name", "Openid.$name", "openid_$name",
        "openid-$name", "openid[$name]", "openid.${name}[]", "openid..$name",
        "openid.$name.", "+openid.$name", "openid.$name+", "openid%252E$name",
        "openid%20.$name", "$name", "openid", "openid.x.openid_$name",
        "x=1;openid.$name" } qw(mode claimed_id identity);
    accepted_everywhere('names that only look alike', sub {
        my %seen;
        return join '&', $_[0], grep { !$seen{ s/=.*//r }++ } split /&/,
            $evil =~ s/x=1;/x1;/gr });
    accepted_everywhere('names that only look alike, before', sub {
        my %seen;
        return join '&', grep({ !$seen{ s/=.*//r }++ } split /&/, $evil),
            $_[0] });
    accepted_everywhere('a semicolon does not separate', sub {
        "x=1;openid.mode=cancel&$_[0]&x=2;openid.identity=$victim" });
}

# 4.1.2: of a POST, the message is the body. Nothing of it is searched for
# anywhere else.
sub query_and_body_split {
    for my $way (sort keys %WAY) {
        attacks("query and body split, $way", [
            [ 'all in the query', $BAD, sub { $_[0]->post($_[1], '') } ],
            [ 'all in the query, something else in the body', $BAD,
              sub { $_[0]->post($_[1], 'a=b') } ],
            [ 'each half in its place', $BAD, sub {
                my ($key, $one, $two) = halves($_[1]);
                $_[0]->post("$key&$one", $two) } ],
            [ 'each half in its place, the other way round', $BAD, sub {
                my ($key, $one, $two) = halves($_[1]);
                $_[0]->post("$key&$two", $one) } ],
            [ 'the mode in the query', $BAD, sub {
                my ($key, $rest) = parts($_[1]);
                $_[0]->post("$key&openid.mode=id_res",
                            $rest =~ s/openid\.mode=id_res&?//r) } ],
            [ 'good in the query, a cancel in the body', [401, 'cancelled'],
              sub { $_[0]->post($_[1], 'openid.mode=cancel') } ],
            [ 'good in the query, no text in the body', $BAD,
              sub { $_[0]->post($_[1], parts_with_evil($_[1])) } ],
            [ 'GET with all in a body', $BAD, sub {
                my ($key, $rest) = parts($_[1]);
                $_[0]->send('GET', $key, $rest,
                            headers => [ [ 'Content-Type' => $FORM ] ]) } ],
        ], @{ $WAY{$way} });
    }
    accepted_beside('evil in the query, good in the body', sub {
        my ($browser, $key, $message) = @_;
        return $browser->post("$key&openid.mode=cancel&openid.identity="
            . encode($VICTIM) . '&openid.sig=evil', $message);
    });
    accepted_beside('the same key in both', sub {
        my ($browser, $key, $message) = @_;
        return $browser->post("$key&$message", $message);
    });
    accepted_beside('good in the query of a GET, evil in its body', sub {
        my ($browser, $key, $message) = @_;
        return $browser->send('GET', "$key&$message", 'openid.mode=cancel',
            headers => [ [ 'Content-Type' => $FORM ] ]);
    });
}

# An answer's message with a broken character somewhere.
sub parts_with_evil { (parts($_[0]))[1] =~ s/(identity=)/$1%C0/r }

sub halves {
    my ($key, $rest) = parts($_[0]);
    my @pairs = split /&/, $rest;
    return ($key, join('&', @pairs[0 .. 4]), join '&', @pairs[5 .. $#pairs]);
}

# One more login, by that function; it signs in Alice, and nobody else.
sub accepted_beside {
    my ($name, $send) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $OP->id('alice'));
    my $page = $send->($browser, parts($OP->assertion($begun)));
    is $page->header('Location'), $APP, "$name: what counts is good"
        or diag $page->alert // $page->body;
    insider($browser, $APP, $OP->id('alice'), $name);
    is_deeply [refusals()], [], "$name: nothing is refused";
}

# openid_return says that a request is an answer: in the query, and once.
sub the_key_of_the_login {
    my $browser = browser();
    my $url = $OP->assertion(begin_login($browser, $APP, $OP->id('alice')));
    my ($key, $message) = parts($url);
    my ($value) = $key =~ /=(.*)/;
    $OP->calls;
    means_nothing($browser->post($APP, "openid_return=$value&$message"),
                  qr/\A401\z/, 'openid_return in the body only');
    outsider($browser, $APP, 'openid_return in the body only');
    means_nothing($browser->get("$APP?$message"), qr/\A401\z/,
                  'no openid_return');
    outsider($browser, $APP, 'no openid_return');
    attacks('the key of a login', [
        map { my $twice = $_; [ $twice, $BAD, sub {
            my ($key, $message) = parts($_[1]);
            my ($value) = $key =~ /=(.*)/;
            my $query = $twice =~ s/KEY/$value/gr;
            $_[0]->get("$APP?$query&$message") } ],
        } 'openid_return=KEY&openid_return=KEY',
          'openid_return=KEY&openid_return=',
          'openid_return=KEY&openid_return',
          'openid_return&openid_return=KEY',
          'openid%5Freturn=KEY&openid_return=AAAAAAAAAAAAAAAAAAAAAA',
          'openid_return=', 'openid_return', 'openid_return=KEY%00',
          'openid_return=KEY%', 'openid_return=%zz',
    ], op => $OP);
    attacks('the key of a login', [
        map { my $no = $_; [ $no, [403, 'no-login'], sub {
            my ($key, $message) = parts($_[1]);
            my ($value) = $key =~ /=(.*)/;
            my $query = $no =~ s/KEY/$value/r;
            $_[0]->get("$APP?openid_return=$query&$message") } ],
        } 'KEY%20', 'KEY+', '+KEY', 'KEYx', 'KEY%0A', '%0AKEY', 'A' x 22,
          '../../../etc/passwd', '%2e%2e%2f' x 7, '%C0%AF' x 11,
          '%3Cscript%3E', '-' x 22, 'x' x 4000,
    ], op => $OP);
    accepted_beside('another openid_return in the body', sub {
        my ($browser, $key, $message) = @_;
        return $browser->post($key,
                              "openid_return=$value&$message&openid_return=x");
    });
    accepted_beside('the name of the key in other letters', sub {
        my ($browser, $key, $message) = @_;
        return $browser->get("$key&OPENID_RETURN=x&openid-return=x&"
                             . "openid.return=x&openid_return+=x&$message");
    });
    accepted_beside('an answer that names an identifier', sub {
        my ($browser, $key, $message) = @_;
        return $browser->post("$key&openid_identifier=" . encode($VICTIM),
                              "$message&openid_identifier=" . encode($VICTIM));
    });
}

# A start that has two readings.
sub two_identifiers {
    my $two = join '&', map { 'openid_identifier=' . encode($_) }
        "$CANARY/one", "$CANARY/two";
    my $alike = $two =~ s/_/%5F/r;
    my $browser = browser();
    for my $form ($two, $alike, "$two&$two", "openid_identifier&$two") {
        refused($browser->get("$APP?$form"), 400, 'bad-identifier',
                "two identifiers in a query: $form");
        refused($browser->post($APP, $form), 400, 'bad-identifier',
                "two identifiers in a form: $form");
    }
    my @one = split /&/, $two;
    for my $form (@one, $two, "$one[0]&openid%5Fidentifier=&a",
                  "$one[1]&a=%zz", $one[1] . '&a' x 600) {
        my $page = $browser->post("$APP?$one[0]", $form);
        my $large = length $form > 1000;
        refused($page, $large ? (413, 'too-big') : (400, 'bad-identifier'),
                'two identifiers, in query and form: ' . substr $form, 0, 90);
    }
    is_deeply [web_log($CANARY)], [], 'two identifiers: none is asked';
    my $query = "$APP?openid_identifier=" . encode($OP->id('alice'));
    is $browser->post($query, 'a=b')->status, 303,
        'control: one identifier, in the query of a POST';
    is begin_login($browser, $APP, $OP->id('alice'))->status, 303,
        'control: one identifier begins a login';
}

# ---------------------------------------------------------------------------
# No reading

# What no value may hold. As they stand in a form.
sub bad_values {
    return (
        'half an escape' => '%', 'an escape of one digit' => '%4~',
        'an escape that is none' => '%zz', 'another one' => '%4g',
        'an escape of Unicode' => '%u0041', 'a NUL' => '%00',
        'a newline' => '%0A', 'a carriage return' => '%0D',
        'both' => '%0D%0A', 'a tab' => '%09', 'an escape character' => '%1B',
        'the last of the controls' => '%1F', 'DEL' => '%7F',
        'an overlong slash' => '%C0%AF', 'an overlong NUL' => '%C0%80',
        'an overlong slash of three bytes' => '%E0%80%AF',
        'an overlong slash of four bytes' => '%F0%80%80%AF',
        'a high surrogate' => '%ED%A0%80', 'a low surrogate' => '%ED%BF%BF',
        'a pair of surrogates' => '%ED%A0%BD%ED%B8%80',
        'beyond Unicode' => '%F4%90%80%80',
        'far beyond Unicode' => '%F8%88%80%80%80',
        'a lone continuation' => '%80', 'a character cut off' => '%C3',
        'a character cut off by a letter' => '%E2%82A',
        'bytes that are never there' => '%FE%FF',
    );
}

sub bad_encodings {
    my %bad = bad_values();
    everywhere('bad encodings', map { my $what = $_; (
        [ "$what in an unknown field", $BAD,
          sub { "$_[0]&openid.x=$bad{$what}" } ],
        [ "$what in an identifier", $BAD,
          sub { $_[0] =~ s/(openid\.identity=[^&]*)/$1$bad{$what}/r } ],
        [ "$what in a name", $BAD,
          sub { "$_[0]&openid.$bad{$what}=1" } ],
    ) } sort keys %bad);
    everywhere('bad encodings', map { my $at = $_; (
        [ "a newline in $at", $BAD,
          sub { $_[0] =~ s/(openid\.$at=[^&]*)/$1%0A/r } ],
        [ "an overlong slash in $at", $BAD,
          sub { $_[0] =~ s/(openid\.$at=[^&]*)/$1%C0%AF/r } ],
    ) } qw(mode return_to assoc_handle signed sig));
    # As they are, not escaped; httpd lets most of them through in a body.
    attacks('bad encodings', [
        map { my $raw = $_;
            [ sprintf('the bytes %vX in a form', $raw), $BAD,
              altered('POST', sub { "$_[0]&openid.x=$raw" }) ] }
        "\0", "\1", "\n", "\r\n", "\x7F", "\xFF", "\xC0\xAF",
        "\xED\xA0\x80", "a\0b", "%0\0A",
    ], op => $OP);
    everywhere('a name with a colon', [ 'it', $BAD,
        sub { "$_[0]&openid.x%3Ay=1" } ]);
    # A parameter of others is none of our business, as long as it can be read.
    accepted_everywhere('bytes in parameters of others', sub {
        "a=%FF&b=%0A&%C0%AF=1&$_[0]&c=%7F" });
    accepted_everywhere('rare characters in a field', sub {
        "$_[0]&openid.x=%C2%80%E2%80%AE%EF%BF%BF%F4%8F%BF%BF%F0%9F%98%80"
        . '&openid.%C3%A9=1' });
}

# At the start as well; and nobody is asked for what cannot be read.
sub bad_encodings_in_an_identifier {
    my %bad = bad_values();
    my $browser = browser();
    my $canary = encode("$CANARY/id/");
    for my $what (sort keys %bad) {
        for my $value ("${canary}a$bad{$what}b", "$bad{$what}$canary",
                       $canary =~ s/%2F%2F/%2F%2F$bad{$what}/r) {
            next if $value =~ /\A(?:%0[9AD])+http/; # white space is dropped
            refused($browser->get("$APP?openid_identifier=$value"), 400,
                    'bad-identifier', "$what in a query: $value");
            refused($browser->post($APP, "openid_identifier=$value"), 400,
                    'bad-identifier', "$what in a form: $value");
        }
        # Broken is the whole form, not only this parameter.
        next unless $bad{$what} =~ /\A%(?:\z|4~|zz|4g|u|00)/;
        refused($browser->post($APP, "a=$bad{$what}&openid_identifier="
            . $canary), 400, 'bad-identifier', "$what beside the identifier");
    }
    is_deeply [web_log($CANARY)], [],
        'bad encodings in an identifier: nobody is asked';
    is begin_login($browser, $APP, $OP->id('alice'))->status, 303,
        'control: an identifier without them begins a login';
}

sub separators_only {
    my $browser = browser();
    $OP->calls;
    for my $form ('&', '=', '&&=', '&=&', '===', '=&=&=', '&' x 3000,
                  '=' x 3000, '&=' x 1500, ';', '+', '%26', '%3D', '?', '??',
                  '&?=', 'openid.', 'openid.=', 'openid.&openid.=&=openid.',
                  '') {
        my $what = 'separators only: ' . substr $form, 0, 30;
        means_nothing($browser->get("$APP?$form"), qr/\A401\z/,
                      "$what in a query");
        means_nothing($browser->post($APP, $form), qr/\A401\z/,
                      "$what in a form");
        means_nothing($browser->post("$APP?$form", $form), qr/\A401\z/,
                      "$what in both");
    }
    for my $form ('openid_return', '&openid_return=&', '=openid_return=&'
                  . 'openid_return', '&&openid_return&=&=') {
        refused($browser->get("$APP?$form"), @$BAD, "separators: $form");
        refused($browser->post("$APP?$form", $form), @$BAD,
                "separators: $form in both");
    }
    for my $form ('openid_identifier', 'openid_identifier=&=',
                  '&&openid_identifier&') {
        refused($browser->get("$APP?$form"), 400, 'bad-identifier',
                "separators: $form");
        refused($browser->post($APP, $form), 400, 'bad-identifier',
                "separators: $form in a form");
    }
    attacks('separators only', [ map { my $form = $_;
        [ "$form as an answer", $BAD, sub {
            my ($key) = parts($_[1]);
            $_[0]->get("$key&$form") } ],
        [ "$form as an answer by POST", $BAD, sub {
            my ($key) = parts($_[1]);
            $_[0]->post($key, $form) } ],
        } '&', '=', '&&=', 'openid.', 'openid.=', 'openid.&=' ], op => $OP);
    accepted_everywhere('separators around a good answer', sub {
        my $message = $_[0] =~ s/&/&&=&=x&/gr;
        return "&&=&$message&=&&" });
}

# ---------------------------------------------------------------------------
# What it is

# An answer comes by GET or POST. A HEAD, which a browser or a link checker may
# send by itself, must not use it up.
sub other_methods {
    my ($browser, $url, $key, $message) = fresh();
    for my $method (qw(HEAD PUT DELETE OPTIONS PATCH PROPFIND EVIL get)) {
        for my $body (undef, $message) {
            my $to = defined $body ? $key : $url;
            my $page = $browser->send($method, $to, $body, headers =>
                [ defined $body ? [ 'Content-Type' => $FORM ] : () ]);
            means_nothing($page, qr/\A(?:4\d\d|501)\z/, "an answer by $method");
            outsider($browser, $APP, "an answer by $method");
        }
        my $page = $browser->send($method, "$APP?openid_identifier="
                                  . encode($OP->id('alice')), undef);
        means_nothing($page, qr/\A(?:4\d\d|501)\z/, "a start by $method");
    }
    is $browser->get($url)->header('Location'), $APP,
        'control: by GET it signs in';
}

# 10.1, 10.2: the mode is not signed; all the rest is as good as can be.
sub cancel_setup_needed_error {
    everywhere('a perfect answer that says no', map { my $mode = $_;
        [ $mode, $NO{$mode},
          sub { $_[0] =~ s/(openid\.mode=)id_res/$1$mode/r } ],
        [ "only $mode", $NO{$mode}, sub { "openid.mode=$mode" } ],
    } sort keys %NO);
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        for my $mode (sort keys %NO) {
            attack("$mode that is signed, $way", $NO{$mode}, %is, change =>
                { %{ $is{control} // {} }, mode => $mode, signed =>
                  'mode,identity,return_to'
                  . ($way eq 'OpenID 1.1' ? '' : ',op_endpoint,claimed_id,'
                     . 'response_nonce,assoc_handle') });
        }
    }
    # 1.1, 4.2.2.1: this is how 1.1 says that it has to ask.
    attack('user_setup_url in 1.1', [401, 'setup-needed'], op => $OP,
           id => $OP->id1('alice'), control => { -version => 1 }, change =>
           { -version => 1, user_setup_url => "$CANARY/setup" });
    is_deeply [web_log($CANARY)], [], 'user_setup_url: it is not fetched';
}

sub other_modes {
    everywhere('another mode', map { my $mode = $_;
        [ "\"$mode\"", [400, 'bad-mode'],
          sub { $_[0] =~ s/(openid\.mode=)id_res/$1$mode/r } ] }
        '', 'ID_RES', 'Id_res', 'id_res+', '+id_res', 'id_res%20', 'idres',
        'id-res', 'id_resx', 'id_re', 'checkid_setup', 'checkid_immediate',
        'check_authentication', 'associate', 'bogus', '1', 'id_res%2Ccancel',
        'x' x 2000, '%C3%AFd_res');
    everywhere('no mode', [ 'at all', $BAD,
        sub { $_[0] =~ s/openid\.mode=id_res&?//r } ]);
}

# 5.2.3: a text for a person, from anybody.
sub the_error_of_a_provider {
    my ($browser, $url, $key, $message) = fresh();
    my $text = '<script>alert("1")</script><img src=x onerror=\'a\'>&lt;'
        . "\x{22}'`" . 'x' x 5000;
    for my $how (ways_to_send()) {
        my $page = sent_by($how)->($browser, $key,
            'openid.ns=' . encode($OpenID2RP::Evil::OPENID2)
            . '&openid.mode=error&openid.error=' . encode($text)
            . '&openid.contact=%3Cb%3E&openid.reference=%3Cb%3E');
        is $page->status, 502, "an error of a provider, by $how";
        is_deeply [refusals()], ['provider-error'],
            "an error of a provider, by $how: it is in the log";
        unlike $page->body, qr/<script|<img|<b>/,
            "an error of a provider, by $how: it is escaped";
        like $page->alert, qr/\Q<script>alert("1")<\E/,
            "an error of a provider, by $how: it can be read";
        cmp_ok length $page->alert, '<', 300,
            "an error of a provider, by $how: it is capped";
        like $page->header('Content-Security-Policy') // '',
            qr/default-src 'none'/,
            "an error of a provider, by $how: and could do nothing";
        outsider($browser, $APP, "an error of a provider, by $how");
    }
    # Capped between characters: each of these has three bytes.
    for my $before (0 .. 3) {
        my $page = $browser->get("$key&openid.mode=error&openid.error="
            . 'x' x $before . '%E2%82%AC' x 500);
        my ($in) = $page->alert =~ /error: (.*)/;
        like $in, qr/\Ax{$before}(?:\xE2\x82\xAC){50,70}\z/,
            "an error of a provider: $before and characters of three bytes";
    }
    refusals();
    attacks('an error of a provider', [
        [ 'with a newline', $BAD, sub {
            $_[0]->get("$key&openid.mode=error&openid.error=a%0Ab") } ],
        [ 'which is empty', [502, 'provider-error'], sub {
            $_[0]->get((parts($_[1]))[0]
                       . '&openid.mode=error&openid.error=') } ],
        [ 'that is not there', [502, 'provider-error'], sub {
            $_[0]->get((parts($_[1]))[0] . '&openid.mode=error') } ],
        [ 'twice', $BAD, sub {
            $_[0]->get((parts($_[1]))[0] . '&openid.mode=error'
                       . '&openid.error=a&openid.error=b') } ],
    ], op => $OP);
    accepted_everywhere('an error in an answer that is good', sub {
        "$_[0]&openid.error=%3Cscript%3E&openid.error_code=x" });
    is $browser->get($url)->header('Location'), $APP,
        'an error of a provider: the login is as it was';
}

# 1.1 does not have them: whose they are is what was asked for. Some providers
# send them in earnest.
sub answers_of_1_1_with_fields_of_2_0 {
    my %v1 = (op => $OP, id => $OP->id1('alice'),
              control => { -version => 1 });
    my %evil = (op_endpoint => "$CANARY/endpoint", claimed_id => $VICTIM,
                response_nonce => 'no nonce', realm => 'http://e.example/',
                trust_root => "$CANARY/");
    for my $signed (0, 1) {
        for my $names ([ 'op_endpoint' ], [ 'claimed_id' ],
                       [ 'response_nonce' ], [ sort keys %evil ]) {
            my $name = 'a 1.1 answer with ' . join(', ', @$names)
                . ($signed ? ', signed' : '');
            my $browser = browser();
            my $begun = begin_login($browser, $APP, $v1{id});
            $OP->calls;
            my $page = $browser->get($OP->assertion($begun, -version => 1,
                map({ ($_ => $evil{$_}) } @$names),
                $signed ? () : (-unsigned => $names)));
            is $page->header('Location'), $APP, "$name: they are ignored"
                or diag $page->alert // $page->body;
            my $env = insider($browser, $APP, $v1{id}, $name);
            is $env->{OPENID2RP_PROVIDER}, $OP->endpoint,
                "$name: the provider is the one that was asked";
            is_deeply [ $OP->calls ], [], "$name: nobody is asked";
        }
    }
    is_deeply [web_log($CANARY)], [], 'a 1.1 answer: the canary is not asked';
    refusals();
    attack('a 1.1 answer about another, with claimed_id as it was asked',
           [403, 'identity-mismatch'], %v1, change => { -version => 1,
           identity => $VICTIM, claimed_id => $v1{id} });
    attack('a 1.1 answer with the namespace of 2.0',
           [400, 'bad-message'], %v1,
           change => { -version => 1, ns => $OpenID2RP::Evil::OPENID2 });
    attack('a 1.1 answer with an unknown namespace',
           [400, 'version-mismatch'], %v1,
           change => { -version => 1, ns => 'http://e.example/' });
    attack('a 1.1 login answered in 2.0', [400, 'version-mismatch'], %v1,
           change => { claimed_id => $v1{id} });
}
