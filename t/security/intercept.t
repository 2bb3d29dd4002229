#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Hostile messages, identities, associations, attributes and documents, on
# applications that ask users to sign in themselves (OpenIDIntercept). A refusal
# is told the application there: OPENID2RP_ERROR and its code, and nothing of a
# user; or OPENID2RP_NOTICE, where no login begins.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack qw(parts);
use OpenID2RP::InterceptSiege;
use OpenID2RP::Test;
use POSIX qw(strftime);
use Test::More;

my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $AX = 'http://openid.net/srv/ax/1.0';
my $MAIL = 'http://axschema.org/contact/email';
my $APP = app('');
my $KEPT = app('kept/');

my ($op, $evil, $canary) = scene();
my ($ALICE, $BOB) = map { $op->id($_) } 'alice', 'bob';

signatures();
identities();
versions();
an_assertion_that_nobody_asked_for();
messages();
queries_that_could_be_answers();
other_methods();
what_only_looks_like_ours();
cancelled_and_failed();
where_it_goes();
hosts();
nonces();
associations();
attributes();
discovery();
fetching();
done_testing;

# --- A. Signature -----------------------------------------------------------

sub signatures {
    everywhere('A',
        [ 'garbage signature', 'bad-signature', { sig => 'xyz' },
          checked => 1 ],
        [ 'sig and signed absent', 'bad-message',
          { sig => undef, signed => undef } ],
        [ 'sig and signed empty', 'bad-message', { sig => '', signed => '' } ],
        map({ [ "$_ unsigned", 'unsigned-field', { -unsigned => [$_] },
                /\A(?:return_to|identity)\z/ ? () : (only => 2) ] }
            qw(op_endpoint return_to response_nonce assoc_handle claimed_id
               identity)),
        [ 'signed names a missing field', 'bad-message', sub {
            my ($begun, %base) = @_;
            my %field = $op->fields($begun, %base);
            return $op->assertion($begun, %base,
                signed => "$field{signed},absent") } ],
        [ 'newline re-split', 'bad-message',
          { evil => "v\nidentity:$BOB\nclaimed_id:$BOB" } ],
        [ 'wrong mode: checkid_setup', 'bad-mode',
          altered(sub { s/mode=id_res/mode=checkid_setup/r }) ],
        [ 'wrong mode: bogus', 'bad-mode',
          altered(sub { s/mode=id_res/mode=bogus/r }) ]);
}

# --- B. Identity ------------------------------------------------------------

sub both { (claimed_id => $_[0], identity => $_[0]) }

sub identities {
    my $mine = $evil->id('mallory');
    siege('B, begun at E', { op => $evil, id => $mine },
        [ 'identity spoofing', 'identity-mismatch', { both($ALICE) } ],
        [ 'key confusion', 'endpoint-mismatch',
          { both($ALICE), op_endpoint => $op->endpoint } ],
        [ 'as OP Identifier', 'identity-mismatch',
          { both($evil->op_identifier) } ],
        [ 'identifier_select', 'identity-mismatch',
          { both($OpenID2RP::Evil::SELECT) } ]);
    siege('B, chosen at E', { op => $evil, id => $evil->op_identifier,
          control => { both($mine) }, who => $mine },
        [ 'identity spoofing', 'identity-mismatch', { both($ALICE) },
          asked => ['OP GET /id/alice'] ],
        [ 'same-OP delegation', 'identity-mismatch',
          { claimed_id => $evil->id('victim'), identity => $mine },
          asked => ['E GET /id/victim'] ]);
    siege('B, begun at H', {},
        [ 'claimed_id missing', 'bad-message', { claimed_id => undef } ],
        [ 'identity missing', 'bad-message', { identity => undef } ],
        [ 'another one of H', 'identity-mismatch', { both($BOB) } ],
        [ 'with a fragment as local', 'identity-mismatch',
          { claimed_id => $ALICE, identity => "$ALICE#2" } ],
        [ 'capitals', 'identity-mismatch', { both($op->id('Alice')) } ],
        [ 'of E in all', 'endpoint-mismatch', { both($mine) },
          from => $evil ]);

    # A fragment is another user; the allow-list holds at the end, too.
    my $fragment = "$ALICE#2";
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    accepted($browser->get($op->assertion($begun, claimed_id => $fragment)),
             $fragment, 'B: a fragment');
    asked();
    my $notice = noticed($browser->get(url('/si/narrow/app?openid_identifier='
        . encode($ALICE))), 'B: a provider that is not allowed',
        log => ['provider-refused'],
        query => 'openid_identifier=' . encode($ALICE));
    like $notice, qr/provider/i, 'B: a provider that is not allowed: says so';
    is_deeply [asked()], ['OP GET /id/alice'],
        'B: a provider that is not allowed: only discovery asks it';
    begin_login($browser, $APP, $ALICE);
    is_deeply [grep { !/GET/ } asked()], [],
        'B: control: allowed, it has an association already';
}

sub versions {
    siege('B, version downgrade', {},
        [ 'no ns', 'version-mismatch', { ns => undef } ],
        [ 'ns of 1.1', 'version-mismatch',
          { ns => 'http://openid.net/signon/1.1' } ]);
    siege('B, version upgrade', { id => $op->id1('bob'),
          base => { -version => 1 } },
        [ 'ns of 2.0', 'version-mismatch',
          { -version => 2, both($op->id1('bob')) } ]);
}

sub an_assertion_that_nobody_asked_for {
    my $name = 'B: unsolicited assertion';
    my $browser = browser();
    my $begun = begin_login($browser, $KEPT, $ALICE);
    my (undef, $message) = parts($op->assertion($begun));
    asked();
    refusals();
    # Without openid_return it means nothing to us.
    my $page = browser()->get("$KEPT&$message");
    nobody($page, "$name, without a key");
    is env_of($page)->{QUERY_STRING}, "$QUERY&$message",
        "$name, without a key: the application gets it as it is";
    is_deeply [refusals(), $page->headers('Set-Cookie')], [],
        "$name, without a key: means nothing";
    for my $key ('A' x 22, 'x', '', '%00', '../../x', 'A' x 5000) {
        $page = browser()->get(url('/si/kept/app') . "?openid_return=$key"
                               . "&$message");
        refused($page, $key eq '' || $key eq '%00' ? 'bad-message'
                : 'no-login', "$name, of a login that never was: "
                . substr($key, 0, 22), query => '');
    }
    is_deeply [asked()], [], "$name: nobody is asked";
    accepted($browser->get($op->assertion($begun)), $ALICE,
             "$name: control: of one that is");
}

# --- C. Messages ------------------------------------------------------------

sub messages {
    my @names = qw(mode identity return_to assoc_handle signed sig claimed_id);
    for my $by ('get', 'post') {
        siege("C, by $by", { by => $by },
            map({ my $n = $_; my $more = "openid.$n=" . encode($BOB);
                  ([ "$n twice, good first", 'bad-message',
                     altered(sub { "$_&$more" }) ],
                   [ "$n twice, evil first", 'bad-message',
                     altered(sub { "$more&$_" }) ]) } @names),
            map({ my $text = $_;
                  # of a query that cannot be read, the key is not known
                  [ $text, 'bad-message',
                    altered(sub { s/(identity=)/$1$text/r }),
                    $by eq 'get' && $text =~ /\A%(?:zz|00|)\z/
                        ? (query => '') : () ] }
                '%', '%zz', '%C0%AE', '%ED%A0%80', '%00', '%0A', '%0D'),
            [ 'no message', 'bad-message', altered(sub { '' }) ],
            [ 'separators only', 'bad-message', altered(sub { '&&=&=' }) ]);
    }
    bodies();
}

# What comes by POST is read from its body, and only there.
sub bodies {
    my $form = 'application/x-www-form-urlencoded';
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my ($half, $rest) = $message =~ /\A(.*?&.*?)&(.*)\z/s;
    refusals();
    for my $case (
        [ 'all in the query', $url, '', $form ],
        [ 'half in each', "$key&$half", $rest, $form ],
        [ 'no Content-Type', $key, $message, undef ],
        [ 'empty POST', $key, '', $form ],
        [ 'JSON', $key, $message, 'application/json' ],
        [ 'multipart', $key, "--x\r\nContent-Disposition: form-data; "
          . "name=\"openid.mode\"\r\n\r\nid_res\r\n--x--\r\n",
          'multipart/form-data; boundary=x' ],
        [ 'broken multipart', $key, '--', 'multipart/form-data' ],
        [ 'oversized', $key, "$message&x=" . 'x' x 70_000, $form ],
    ) {
        my ($what, $to, $body, $type) = @$case;
        my $page = $browser->send('POST', $to, $body,
            headers => [ $type ? [ 'Content-Type' => $type ] : () ]);
        my $back = $page->header('Location') // '';
        ok $page->status == 303 && $back =~ /\A\Q$key\E\z/,
            "C, body: $what: the browser comes again"
            or diag $page->status . " $back";
        refused($browser->get($key), 'bad-message', "C, body: $what");
    }
    is_deeply [ grep { !/GET/ } asked() ], [], 'C, body: nobody is asked';
    accepted(bring($browser, $url, 'post'), $ALICE, 'C, body: control');
}

# openid_return twice, broken, or beside a start: none begins or ends a login.
sub queries_that_could_be_answers {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my ($value) = $key =~ /=(.*)/;
    my $page = url('/si/kept/app');
    asked();
    refusals();
    for my $case (
        [ 'twice', "openid_return=$value&openid_return=$value&$message" ],
        [ 'twice, apart', "openid_return=$value&$message&openid_return=x" ],
        [ 'twice, one escaped',
          "openid_return=$value&$message&openid%5Freturn=$value" ],
        [ 'broken', "openid_return=%zz&$message" ],
        [ 'a broken field beside it', "openid_return=$value&$message&x=%" ],
        [ 'without a value', "openid_return&$message" ],
        [ 'with an empty one', "openid_return=&$message" ],
        [ 'two thousand fields', "openid_return=$value&$message"
          . '&a=b' x 1000 ],
    ) {
        my ($what, $query) = @$case;
        refused($browser->get("$page?$query"), 'bad-message',
                "C: openid_return $what", query => '');
    }
    refused($browser->get("$page?openid_identifier=" . encode($ALICE)
                          . "&openid_return=$value&openid.mode=id_res"),
            'bad-message', 'C: both a start and an answer: is an answer');
    refused(browser()->get("$key&$message&openid_identifier="
                           . encode($ALICE)),
            'other-browser', 'C: both, with the whole answer, elsewhere');
    is_deeply [asked()], [], 'C: nobody is asked';
    accepted($browser->get("$key&$message&openid_identifier="
                           . encode($BOB)), $ALICE,
             'C: control: an answer with a start behind it');
}

# A login begins and ends by GET and POST only.
sub other_methods {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my $start = "$KEPT&openid_identifier=" . encode($BOB);
    asked();
    refusals();
    for my $method (qw(HEAD PUT DELETE OPTIONS PATCH)) {
        for my $case ([ 'an answer', $url ], [ 'a start', $start ]) {
            my ($what, $to) = @$case;
            my $page = $browser->send($method, $to,
                                      $method =~ /\AP/ ? 'x=y' : undef);
            is_deeply { status => $page->status,
                cookies => [ $page->headers('Set-Cookie') ],
                asked => [asked()], log => [refusals()],
                told => told($page) },
                { status => 200, cookies => [], asked => [], log => [],
                  told => {} }, "C: $what by $method means nothing";
            is env_of($page)->{QUERY_STRING}, $to =~ s/\A[^?]*\?//r,
                "C: $what by $method: the application gets it"
                if $method ne 'HEAD';
        }
    }
    nobody($browser->get($KEPT), 'C: other methods');
    accepted($browser->get($url), $ALICE, 'C: control: by GET it is one');
}

# Requests that only look like ours are the application's, byte for byte.
sub what_only_looks_like_ours {
    my $browser = browser();
    begin_login($browser, $KEPT, $ALICE);
    asked();
    refusals();
    for my $query ('openid_Return=x', 'OPENID_RETURN=x', 'openid-return=x',
                   'openid_returns=x', 'x=openid_return', 'openid_identifiers='
                   . encode($BOB), 'a=%zz&xopenid_return=1',
                   'a=%zz&openid_return2=1', 'x=a=openid_identifier%3Db',
                   '&', '=', '&&=', '%', 'openid.mode=id_res') {
        my $page = $browser->get(url('/si/kept/app') . "?$query");
        is_deeply { status => $page->status, told => told($page),
                    query => env_of($page)->{QUERY_STRING}, log => [refusals()],
                    asked => [asked()] },
            { status => 200, told => {}, query => $query, log => [],
              asked => [] }, "C: \"$query\" is the application's";
    }
}

sub cancelled_and_failed {
    my $ns = 'openid.ns=' . encode($OpenID2RP::Evil::OPENID2);
    siege('C', {},
        [ 'cancel, signed by all means', 'cancelled', { mode => 'cancel' } ],
        [ 'cancel without ns', 'cancelled',
          altered(sub { 'openid.mode=cancel' }) ],
        [ 'setup_needed', 'setup-needed',
          altered(sub { "$ns&openid.mode=setup_needed" }) ],
        [ 'error', 'provider-error',
          altered(sub { "$ns&openid.mode=error&openid.error=no" }) ],
        [ 'a long error', 'provider-error', altered(sub {
            "$ns&openid.mode=error&openid.error=" . '%E2%82%AC' x 700 }) ],
        [ 'an error of two lines', 'bad-message', altered(sub {
            "$ns&openid.mode=error&openid.error=a%0d%0aX-Evil:%20b" }) ]);
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    my $to = OpenID2RP::Evil::asked($begun)->{return_to};
    refusals();
    for my $case ([ 'markup', '<script>alert(1)</script>' ],
                  [ 'a tab and a bell', "a\tb\ac" ],
                  [ 'C1 controls', "a\xc2\x85b\xc2\x9bc" ],
                  [ 'a forged line', 'x) [x] login refused (forged): y' ]) {
        my ($what, $error) = @$case;
        my $page = $browser->get("$to&$ns&openid.mode=error&openid.error="
                                 . encode($error));
        my $told = told($page);
        like $told->{ERROR_CODE}, qr/\A(?:provider-error|bad-message)\z/,
            "C: an error with $what";
        ok is_sentence($told->{ERROR}), "C: an error with $what: is text"
            or diag $told->{ERROR};
        is_deeply [ grep { $_ eq 'forged' } refusals() ], [],
            "C: an error with $what: one line of the log";
    }
    accepted($browser->get($op->assertion($begun)), $ALICE, 'C: control');
}

# --- D. return_to, replay, time ---------------------------------------------

sub returning {
    my ($what, $change) = @_;
    return [ $what, 'return-to-mismatch', sub {
        my ($begun, %base) = @_;
        local $_ = OpenID2RP::Evil::asked($begun)->{return_to};
        return $op->assertion($begun, %base, return_to => $change->())
            =~ s/\A[^&]*/$_/r;
    } ];
}

sub where_it_goes {
    my $port = port_of('si_other');
    siege('D', {},
        returning('another RP', sub { 'http://other.example/' }),
        returning('the scheme', sub { s/http:/https:/r }),
        returning('the port', sub { s/:\d+/:$port/r }),
        returning('the host', sub { s/localhost/127.0.0.1/r }),
        returning('the path', sub { s{/app}{/ap}r }),
        returning('no parameter', sub { s/\?.*//r }),
        returning('another value', sub { s/=.*/'=' . 'A' x 22/er }),
        returning('one more parameter', sub { "$_&$QUERY" }));

    # Brought to another page, another application, another site.
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    asked();
    refusals();
    for my $path ('/si/kept/application', '/si/kept/app/', '/si/kept/app/x',
                  '/si/app', '/si/narrow/app', '/si/kept/appx',
                  '/si/kept//app', '/si/kept/app%3Fa', '/si/kepx/app') {
        refused($browser->get($url =~ s{/si/kept/app\?}{$path?}r),
                $path =~ /narrow/ ? 'provider-refused'
                : 'return-to-mismatch', "D: brought to $path", query => '');
    }
    my $page = $browser->get($url =~ s{/si/kept/app}{/si-off/app}r);
    nobody($page, 'D: brought to where the module is off');
    is_deeply [refusals()], [], 'D: brought to where the module is off: '
        . 'nothing happens';
    for my $to ("http://localhost:$port", 'http://127.0.0.1:' . port_of()) {
        $page = $browser->get($url =~ s{\Ahttp://[^/]+}{$to}r);
        my $told = told($page);
        ok !$told->{IDENTIFIER} && !$told->{REMOTE_USER}
            && sessions($page) == 0, "D: cross-vhost replay at $to";
        like join(' ', refusals()), qr/\A(?:no-login|other-browser|
            return-to-mismatch|)\z/x, "D: cross-vhost replay at $to: log";
    }
    is_deeply [asked()], [], 'D: nobody is asked';
    my $at = 'D: brought with more parameters';
    accepted($browser->get("$url&target=http%3A%2F%2Fevil.example%2F"
                           . "&openid_target=//evil.example"), $ALICE, $at);

    # Two logins of one browser.
    my ($one, $two) = map { begin_login($browser, "$APP&$_", $ALICE) } 1, 2;
    my ($first, $second) = map { $op->assertion($_) } $one, $two;
    my ($key) = parts($second);
    refused($browser->get("$key&" . (parts($first))[1]), 'return-to-mismatch',
            'D: cross-login swap', query => "$QUERY&2");
    accepted($browser->get($second), $ALICE, 'D: cross-login swap: control',
             query => "$QUERY&2");
}

sub hosts {
    asked();
    refusals();
    my $form = 'openid_identifier=' . encode($ALICE);
    for my $case ([ 'Host', 'evil.example' ],
                  [ 'X-Forwarded-Host', 'evil.example', 1 ],
                  [ 'Forwarded', 'host=evil.example;proto=https', 1 ]) {
        my ($name, $value, $goes) = @$case;
        my @host = $name eq 'Host' ? () : ([ Host => 'localhost:'
                                             . port_of() ]);
        my $text = join "\r\n", "POST /si/app?$QUERY HTTP/1.1",
            map({ "$_->[0]: $_->[1]" } @host, [ $name => $value ],
                [ Connection => 'close' ], [ 'Content-Length' => length $form ],
                [ 'Content-Type' => 'application/x-www-form-urlencoded' ]),
            '', $form;
        my $page = exchange(port_of(), $text, $APP);
        unlike join("\n", map { $_->[1] } @{ $page->{headers} }), qr/evil/,
            "D: Host poisoning by $name: does not reach return_to";
        if ($goes) {
            is $page->status, 303, "D: Host poisoning by $name: control: it "
                . 'begins';
        }
        else {
            noticed($page, "D: Host poisoning by $name", body => $form);
            is_deeply [asked()], [], "D: Host poisoning by $name: nobody is "
                . 'asked';
        }
    }
    my $page = exchange(port_of(), "GET /si/app?$QUERY&$form HTTP/1.0\r\n\r\n",
                        $APP);
    is $page->status, 303, 'D: no Host header: no crash';
    like $page->header('Location'), qr/return_to=http%3A%2F%2Flocalhost/,
        'D: no Host header: the name of the server';
    asked();
    refusals();
}

sub nonces {
    my $nonce = sub { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime time + $_[0])
                          . 'x' . int rand 1e9 };
    siege('D', {},
        map({ [ "a nonce of $_->[0]", 'nonce-expired',
                { response_nonce => $nonce->($_->[1]) } ] }
            [ 'an hour ago' => -3_600 ], [ 'yesterday' => -86_400 ],
            [ 'ten years ago' => -315_360_000 ], [ 'an hour ahead' => 3_600 ]),
        map({ [ "a malformed nonce: $_->[0]", $_->[2] // 'bad-nonce',
                { response_nonce => $_->[1] } ] }
            [ 'month 13', '2026-13-01T00:00:00Zx' ],
            [ 'a small z', strftime('%Y-%m-%dT%H:%M:%Sz', gmtime) ],
            [ 'a zone', strftime('%Y-%m-%dT%H:%M:%S+1:00', gmtime) ],
            [ '256 characters', $nonce->(0) . 'x' x 256 ]));
}

# --- E. Associations --------------------------------------------------------

sub associations {
    my $target = app('kept/', 'security_stateless');
    # A forged one costs no question to whom it names.
    siege('E', {},
        [ 'SSRF before verification', 'endpoint-mismatch',
          { op_endpoint => "$canary/op", assoc_handle => 'x' } ],
        [ 'unknown handle, bad signature', 'bad-signature',
          { assoc_handle => 'unknown', sig => 'xyz' },
          asked => ['OP check_authentication'] ],
        [ 'invalidate_handle, unconfirmed', 'bad-signature',
          { invalidate_handle => 'x', sig => 'xyz' } ]);
    for my $case ([ 'is_valid:false, is_valid:true',
                    "is_valid:false\nis_valid:true\n" ],
                  [ 'a blank', "is_valid: true\n" ],
                  [ 'capitals', "is_valid:TRUE\n" ],
                  [ 'a carriage return', "is_valid:true\r\n" ],
                  [ 'HTML', '<p>is_valid:true</p>' ],
                  [ 'status 500', "is_valid:true\n", 500 ],
                  [ 'status 302', "is_valid:true\n", 302 ]) {
        my ($what, $body, $status) = @$case;
        my $browser = browser();
        my $begun = begin_login($browser, $target, $ALICE);
        asked();
        refusals();
        $op->answers(check_authentication => { status => $status // 200,
            headers => ["Location: $canary/"],
            body => "ns:$OpenID2RP::Evil::OPENID2\n$body" });
        my $page = $browser->get($op->assertion($begun));
        my $told = told($page);
        my @log = refusals();
        is_deeply { code => $told->{ERROR_CODE}, who => $told->{IDENTIFIER},
                    user => $told->{REMOTE_USER}, asked => [asked()],
                    lines => scalar(@log), sessions => sessions($page) },
            { code => $log[0], who => undef, user => undef, lines => 1,
              asked => ['OP check_authentication'], sessions => 0 },
            "E: key-value injection: $what" or diag explain $told;
        $op->is_honest;
        accepted($browser->get($op->assertion($begun)), $ALICE,
                 "E: $what: control");
    }
    # An association that is refused is none: the provider is asked then.
    for my $lie ([ 'MAC length',
                        enc_mac_key => 'eHh4eHh4eHh4eHh4eHh4eHh4eA==' ],
                 [ 'expires_in', expires_in => -1 ],
                 [ 'type mismatch', session_type => 'DH-SHA1' ]) {
        my ($what, @lie) = @$lie;
        my $liar = OpenID2RP::Evil->new;
        $liar->lies(associate => @lie);
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $liar->id('x'));
        is $begun->status, 303, "E: $what: the login begins without it";
        is OpenID2RP::Evil::asked($begun)->{assoc_handle}, undef,
            "E: $what: without it";
        accepted($browser->get($liar->assertion($begun)), $liar->id('x'),
                 "E: $what: control: who is asked, confirms");
    }
    asked();
}

# --- F. Attributes ----------------------------------------------------------

sub attributes {
    my $target = app('attributes/');
    my @ax = ('ns.ax' => $AX, 'ax.mode' => 'fetch_response',
              'ax.type.m' => $MAIL, 'ax.value.m' => 'v@example.com');
    my @sreg = ('ns.sreg' => $SREG, 'sreg.email' => 'v@example.com',
                'sreg.nickname' => 'v');
    my $with = sub {
        my ($name, @how) = @_;
        my $browser = browser();
        my $told = accepted($browser->get($op->assertion(
            begin_login($browser, $target, $ALICE), @how)), $ALICE,
            "F: $name");
        return { map { /\A(?:AX|SREG|EMAIL)/ ? ($_, $told->{$_}) : () }
                 keys %$told };
    };
    is $with->('control: AX', @ax)->{EMAIL}, 'v@example.com', 'F: control: AX';
    is $with->('control: SREG', @sreg)->{SREG_NICKNAME}, 'v',
        'F: control: SREG';
    for my $case ([ 'unsigned AX email', @ax, -unsigned => ['ax.value.m'] ],
                  [ 'type unsigned', @ax, -unsigned => ['ax.type.m'] ],
                  [ 'alias rebinding', @ax, -unsigned => ['ns.ax'] ],
                  [ 'unsigned SREG', @sreg,
                    -unsigned => [ 'sreg.email', 'sreg.nickname' ] ],
                  [ 'a count of 2147483647', @ax, 'ax.value.m' => undef,
                    'ax.count.m' => 2_147_483_647, 'ax.value.m.1' => 'x' ],
                  [ 'what nobody asked for', @sreg, 'sreg.email' => undef,
                    'sreg.nickname' => undef, 'sreg.gender' => 'F' ],
                  [ 'over-long AX', @ax, 'ax.value.m' => 'x' x 1_025 ]) {
        my ($what, @how) = @$case;
        my $seen = $with->($what, @how);
        is_deeply [ grep { !/\A(?:AX|SREG)\z/ } keys %$seen ], [],
            "F: $what: is no attribute" or diag explain $seen;
    }
    is $with->('over-long SREG', @sreg, 'sreg.email' => 'x' x 513)->{EMAIL},
        undef, 'F: over-long SREG: is no attribute';
    siege('F', { target => $target },
        map({ [ "a value with $_->[0]", 'bad-message',
                { @ax, 'ax.value.m' => $_->[1] } ] }
            [ 'a line end', "a\nX-Evil: b" ], [ 'a carriage return', "a\rb" ],
            [ 'a control character', "a\x01b" ], [ 'DEL', "a\x7fb" ],
            [ 'no UTF-8', "\xff" ]),
        [ 'two aliases for one URI', 'bad-message',
          { @ax, 'ns.ax2' => $AX } ]);
    # REMOTE_USER is the identifier, whatever the mail address.
    my $browser = browser();
    accepted($browser->get($evil->assertion(begin_login($browser, $target,
        $evil->id('mallory')), @sreg)), $evil->id('mallory'),
        'F: evil OP asserts V\'s email');
    asked();
}

# --- G and H. Discovery, fetching -------------------------------------------

sub discovery {
    my $document = $op->xrds({ uri => $op->endpoint })->{body};
    my @headers = (headers => ['Content-Type: application/xrds+xml']);
    my $n = 0;
    my $page = sub {
        my (%answer) = @_;
        my $path = '/g/' . ++$n;
        $evil->serves($path, { @headers, %answer });
        return $evil->url . $path;
    };
    my $with = sub { my ($dtd) = @_;
        return $document =~ s/(\?>\n)/$1$dtd\n/r };
    for my $case (
        [ 'external entity', body => $with->("<!DOCTYPE x [<!ENTITY e SYSTEM "
            . "\"$canary/e\">]>") =~ s{<URI>}{<URI>&e;}r ],
        [ 'external DTD',
          body => $with->("<!DOCTYPE x SYSTEM \"$canary/d\">") ],
        [ 'internal entity', body => $with->('<!DOCTYPE x [<!ENTITY e "'
            . $op->endpoint . '">]>') =~ s{<URI>.*?</URI>}{<URI>&e;</URI>}r ],
        [ 'billion laughs', body => $with->('<!DOCTYPE x [<!ENTITY a "ha">'
            . join('', map { my $l = chr($_); my $p = chr($_ - 1);
                "<!ENTITY $l \"" . "&$p;" x 10 . '">' } 98 .. 106) . ']>')
            =~ s{<URI>}{<URI>&j;}r ],
        [ 'truncated', body => substr $document, 0, -30 ],
        [ 'status 404', status => 404, body => $document ],
        [ 'wrong namespace', body => $document =~ s/xri:\/\/\$xrd/xri:\/\/x/r ],
        [ 'endpoint javascript:', body => $document =~
            s{<URI>.*?</URI>}{<URI>javascript:alert(1)</URI>}r ],
        [ 'endpoint with a line end', body => $document =~
            s{<URI>.*?</URI>}{<URI>$canary/&#13;&#10;Set-Cookie: a=b</URI>}r ],
    ) {
        my ($what, %answer) = @$case;
        my $id = $page->(%answer);
        asked();
        refusals();
        my $answer = browser()->post($APP, { openid_identifier => $id });
        my @log = refusals();
        is_deeply { names => [ sort keys %{ told($answer) } ],
                    sentence => is_sentence(told($answer)->{NOTICE}),
                    lines => scalar(@log), status => $answer->status,
                    others => [ grep { !/\AE GET/ } asked() ],
                    cookies => [ $answer->headers('Set-Cookie') ] },
            { names => ['NOTICE'], sentence => 1, lines => 1, status => 200,
              others => [], cookies => [] }, "G: $what: no login begins"
            or diag $answer->body;
    }
    is browser()->post($APP, { openid_identifier => $page->(
        body => $document) })->status, 303, 'G: control: without all that';
    asked();
}

sub fetching {
    my $form = sub { 'openid_identifier=' . encode($_[0]) };
    my ($port) = $canary =~ /:(\d+)/;
    my $redirects = sub {
        my ($path, $to) = @_;
        $evil->serves($path, { status => 302, headers => ["Location: $to"] });
        return $evil->url . $path;
    };
    for my $case (
        map({ [ "internal target $_", "http://$_:$port/", 'si_closed' ] }
            '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', 'localhost',
            '2130706433', '0x7f.1', '0177.1', 'localhost.'),
        map({ [ "internal target $_", "http://$_/" ] }
            '169.254.169.254', '10.0.0.1', '[fc00::1]', '192.168.0.1'),
        map({ [ "local scheme $_", "$_/etc/passwd" ] }
            'file://', 'gopher://127.0.0.1', 'dict://127.0.0.1',
            'ldap://127.0.0.1', 'ftp://127.0.0.1'),
        [ 'redirect to file:', $redirects->('/h/file', 'file:///etc/passwd') ],
        [ 'redirect to an internal target',
          $redirects->('/h/in', 'http://10.0.0.1/') ],
        [ 'redirect loop', $redirects->('/h/loop', $evil->url . '/h/loop') ],
        [ 'identifier request splitting', "http://127.0.0.1:$port/\r\nX: y" ],
    ) {
        my ($what, $id, $vhost) = @$case;
        asked();
        refusals();
        my $page = browser()->post(app('', $vhost), $form->($id));
        my @log = refusals();
        is scalar(@log), 1, "H: $what: one line of the log";
        noticed($page, "H: $what", body => $form->($id));
        is_deeply [ grep { /canary/ } asked() ], [],
            "H: $what: the canary is untouched";
    }
    is browser()->post(app('', 'si_closed'), $form->($canary))->status, 200,
        'H: control: not there';
    is scalar(asked()), 0, 'H: control: not there';
    browser()->post($APP, $form->($canary));
    isnt scalar(asked()), 0, 'H: control: where it may be asked, it is';
    refusals();
}
