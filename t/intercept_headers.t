#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDPassHeaders: what a backend is told in request headers, and that no
# client can say it instead.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Cwd ();
use JSON::PP ();
use OpenID2RP::Echo;
use OpenID2RP::Httpd;
use OpenID2RP::Intercept;
use OpenID2RP::Test;
use OpenID2RP::Twins ();
use Test::More;

op_reset();
my $op = provider();
my $ALICE = $op->id('alice');
my $http = OpenID2RP::Echo->http;
my $fcgi = OpenID2RP::Echo->fcgi;
my $httpd = server();
my $SITE = $httpd->origin;

headers_for_backends();
headers_in_protect_mode();
headers_that_clients_make_up();
headers_behind_a_body();
ok $httpd->stop, 'httpd stops';
is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

sub server {
    my ($to, $fcgi_at) = map { '127.0.0.1:' . $_->port } $http, $fcgi;
    my $cgi = Cwd::getcwd() . '/t/cgi/env.cgi';
    my $httpd = OpenID2RP::Httpd->new(OpenID2RP::Twins::loads(
        qw(alias proxy proxy_fcgi proxy_http)), split /\n/, <<"END");
OpenIDIntercept On
OpenIDAssociate never
OpenIDSReg off
OpenIDAX required email last
MergeTrailers On
ScriptAlias "/cgi" "$cgi"
ProxyPass "/fcgi" "fcgi://$fcgi_at/app"
ProxyPass "/told" "http://$to/app"
<Location "/told">
    OpenIDPassHeaders X-Id-
</Location>
<Location "/told/other">
    OpenIDPassHeaders Who
</Location>
<Location "/told/not">
    OpenIDPassHeaders off
</Location>
ProxyPass "/members" "http://$to/app"
<Location "/members">
    AuthType OpenID
    Require valid-user
    OpenIDPassHeaders X-Id-
</Location>
ProxyPass "/off" "http://$to/app"
<Location "/off">
    OpenIDIntercept Off
    OpenIDPassHeaders X-Id-
</Location>
END
    $httpd->start or die $httpd->says;
    return $httpd;
}

sub headers_like {
    my ($page, $like) = @_;
    return sort grep { $_ =~ $like } map { /\A([^:]+):/ }
        split /\r\n/, env_of($page)->{HEAD} // '';
}

# An answer with attributes, all signed.
sub with_attributes {
    my ($begun, $email, $last) = @_;
    my %more = ('ns.ax' => 'http://openid.net/srv/ax/1.0',
        'ax.mode' => 'fetch_response',
        'ax.type.e' => 'http://axschema.org/contact/email',
        'ax.type.l' => 'http://axschema.org/namePerson/last',
        'ax.value.e' => $email, 'ax.value.l' => $last);
    return $op->assertion($begun, %more, signed => join ',',
        qw(op_endpoint claimed_id identity return_to response_nonce
           assoc_handle), sort keys %more);
}

sub headers_for_backends {
    my $last = "O'Neil \xc3\xa9 \"<,;";
    my $browser = browser();
    my $begun = begin_login($browser, "$SITE/told/x?a=b", $ALICE);
    my $back = $browser->get(with_attributes($begun, 'a@b.example', $last));
    is_deeply [ headers_like($back, qr/\AX-Id-/i) ],
        [ map { "X-Id-$_" } qw(AUTH-TIME AX AX-EMAIL AX-LAST DISPLAY EMAIL
                               IDENTIFIER PROVIDER) ],
        'headers: these and no others' or diag env_of($back)->{HEAD};
    is header_of($back, 'X-Id-Identifier'), $ALICE, 'headers: who it is';
    is header_of($back, 'X-Id-Ax-Last'), $last, 'headers: bytes as they are';
    is header_of($back, 'X-Id-Email'), 'a@b.example', 'headers: mail';
    my $json = JSON::PP->new->latin1->decode(header_of($back, 'X-Id-AX'));
    is_deeply $json, { 'http://axschema.org/contact/email' => ['a@b.example'],
          'http://axschema.org/namePerson/last' => [$last] },
        'headers: JSON';
    $begun = begin_login($browser, "$SITE/told/x", $ALICE);
    $back = $browser->get(answer_of_mode($begun, 'cancel'));
    is_deeply [ headers_like($back, qr/\AX-Id-/i) ],
        [ 'X-Id-ERROR', 'X-Id-ERROR-CODE' ], 'headers: an error';
    is header_of($back, 'X-Id-Error-Code'), 'cancelled', 'headers: its code';
    is_deeply [ headers_like($browser->get("$SITE/told/x"), qr/\AX-Id-/i) ],
        [], 'headers: none later';

    # no line of a value can begin another header
    $begun = begin_login($browser, "$SITE/told/x", $ALICE);
    $back = $browser->get(with_attributes($begun, "a\r\nX-Evil: 1", $last));
    is_deeply [ headers_like($back, qr/\AX-(?:Evil|Id-(?:AX|EMAIL))/i) ], [],
        'headers: none of a value with a line end';
    $back = $browser->get("$SITE/told/x");
    is_deeply [ headers_like($back, qr/\AX-Evil/i) ], [], 'nor later';
    for my $typed ("$ALICE\n", "\r\n$ALICE", "$ALICE\t", " $ALICE ") {
        $begun = begin_login($browser, "$SITE/told/x", $typed);
        $back = $browser->get($op->assertion($begun));
        is header_of($back, 'X-Id-Identifier'), $ALICE, 'headers: who it is';
        is header_of($back, 'X-Id-Display'), $typed =~ /[\r\n\t]/ ? undef
            : $typed, 'headers: but not what was typed with a line end';
        my ($at_cgi) = (signed_in($op, "$SITE/cgi", $typed))[1];
        is env_of($at_cgi)->{OPENID2RP_DISPLAY}, $typed,
            'control: the variable has it';
    }
    (undef, $back) = signed_in($op, "$SITE/told/other/x", $ALICE);
    is header_of($back, 'WhoIDENTIFIER'), $ALICE, 'headers: another prefix';
    (undef, $back) = signed_in($op, "$SITE/told/not/x", $ALICE);
    is_deeply [ headers_like($back, qr/Identifier/i) ], [],
        'headers: none where they are off';
}

sub headers_in_protect_mode {
    my ($browser, $back) = signed_in($op, "$SITE/members/x", $ALICE);
    is $back->status, 303, 'protect mode: somebody signs in';
    my $page = $browser->get("$SITE/members/x",
        headers => [ [ 'X-Id-Email', 'forged' ] ]);
    is header_of($page, 'X-Id-Identifier'), $ALICE,
        'protect mode: the backend is told';
    is header_of($page, 'X-Id-Email'), undef, 'protect mode: by us alone';
}

# The names of the headers that say so, which a backend has got.
sub forged {
    return join ' ', map { /\A([^:]+): forged/ ? $1 : () }
        split /\r\n/, env_of($_[0])->{HEAD} // '';
}

sub headers_that_clients_make_up {
    my @forged = qw(X-Id-Identifier X_Id_Identifier
        X.Id.Identifier X-Id_Identifier X-ID-ERROR X-Id-Error-Code
        X-Id-Error_Code X-Id-Notice X-Id-Email X-Id-Sreg X-Id-Sreg-Email
        X-Id-Sreg_Anything X-Id-Ax X-Id-Ax-Any X-Id-Auth-Time X-Id-Teams
        X-Id-Provider x-id-display OPENID2RP-Identifier Openid2rp_Identifier
        openid2rp.anything Remote-User REMOTE_USER Auth-Type AUTH_TYPE
        X!Id!Identifier X~Id-Identifier);
    my @honest = qw(X-Id-Other X-Ident X-Idx X-Id X-Identifier Identifier
        Remote-Users X-Remote-User Auth-Types X-Openid2rp);
    my @headers = map { [ $_, 'forged' ] } @forged, @honest;
    is forged(browser()->get("$SITE/told/x", headers => \@headers)),
        "@honest", 'forged headers: are removed, and no others';
    is forged(browser()->get("$SITE/off/x", headers => \@headers)),
        "@forged @honest", 'control: not where the module is off';
    my $browser = browser();
    my $begun = begin_login($browser, "$SITE/told/x", $ALICE);
    my $back = $browser->get($op->assertion($begun), headers => \@headers);
    is forged($back), "@honest", 'forged headers: nor beside true ones';
    is header_of($back, 'X-Id-Identifier'), $ALICE, 'which are there';
    $begun = begin_login($browser, "$SITE/told/x", $ALICE);
    $back = $browser->get(answer_of_mode($begun, 'cancel'),
                          headers => \@headers);
    is forged($back), "@honest", 'forged headers: nor beside an error';

    for my $kind ('cgi', 'fcgi') {
        my $env = env_of(browser()->get("$SITE/$kind/x", headers => [
            map { [ $_, 'forged' ] } 'OPENID2RP-Identifier',
            'Openid2rp_Identifier', 'Remote-User', 'Auth-Type', 'X-Honest' ]));
        is_deeply [ grep { $env->{$_} eq 'forged' } keys %$env ],
            ['HTTP_X_HONEST'], "forged headers: no variables at $kind";
    }
}

# With MergeTrailers, what stands behind a body becomes headers: of forms, which
# we read ahead, and of others.
sub headers_behind_a_body {
    my ($member) = signed_in($op, "$SITE/members/x", $ALICE);
    for my $path ('/told/x', '/members/x') {
        for my $type ('application/x-www-form-urlencoded',
                      'multipart/form-data; boundary=x', 'text/plain') {
            my $bytes = $member->request('POST', "$SITE$path", undef,
                headers => [ [ 'Transfer-Encoding', 'chunked' ],
                             [ 'Content-Type', $type ] ])
                . "3\r\na=b\r\n0\r\n" . join('', map { "$_: forged\r\n" }
                    qw(X-Id-Identifier OPENID2RP-Email Remote-User X-Honest))
                . "\r\n";
            my $page = exchange($httpd->port, $bytes);
            is env_of($page)->{BODY}, 'a=b', "$path, $type: a body arrives";
            # a backend gets those that come before its request is made
            my $come = $type =~ /form/ ? qr/\AX-Honest\z/
                : qr/\A(?:X-Honest)?\z/;
            like forged($page), $come, "$path, $type: and of the headers "
                . 'behind it, none that is ours';
        }
    }
}
