#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept: how logins begin and end before an application that has its
# own form and accounts, and what the application learns.

use v5.14;
use strict;
use warnings;
use JSON::PP ();
use OpenID2RP::Intercept;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep);

my $OPENID2 = 'http://specs.openid.net/auth/2.0';
my $LP = 'http://ns.launchpad.net/2007/openid-teams';
my $FORM = 'application/x-www-form-urlencoded';

op_reset();
my $op = provider();
my $ALICE = $op->id('alice');
my $APP = url('/intercept/app');

every_way_to_begin();
the_query_comes_back();
what_begins_nothing();
a_login_that_cannot_begin();
starts_from_elsewhere();
the_variables();
logins_that_end_badly();
answers_that_nobody_waits_for();
an_answer_by_post();
immediate_requests();
a_long_request();
too_many_starts();
done_testing;

# --- beginning --------------------------------------------------------------

sub every_way_to_begin {
    for my $way (ways()) {
        my $browser = browser();
        my $target = "$APP/path%20info?x=y&z";
        my ($begun) = begin_by($way, $browser, $target, $ALICE);
        is $begun->status, 303, "$way: the browser is sent";
        like $begun->header('Location'), qr/\A\Q@{[ $op->endpoint ]}\E\?/,
            "$way: to the provider";
        my %sent = map { @$_ } pairs_of($begun->header('Location'));
        like $sent{'openid.return_to'},
            qr/\A\Q$APP\E\/path%20info\?openid_return=[\w-]{22}\z/,
            "$way: and is to come back here";
        is_deeply [ session_cookies($begun) ], [], "$way: no session";
        is scalar(grep { /\Aopenid2rp_login_/ } keys %{ $browser->cookie }),
            1, "$way: but a cookie for this login";
        my $back = $browser->get($op->assertion($begun));
        called_at($back, path_of($target), $way);
        is_deeply known($back, $way), who($op, $ALICE), "$way: who it is";
        is_deeply [ grep { /login_/ } keys %{ $browser->cookie } ], [],
            "$way: the login's cookie is gone";
        like $back->header('Cache-Control') // '', qr/no-store/,
            "$way: what the application says of caches stands";
    }
}

sub the_query_comes_back {
    my $id = 'openid_identifier=' . encode($ALICE);
    # with a query of odd escapes, the identifier must be in the form
    for my $query ('', 'a=1&a=2&a=1', 'a=&b&=c&=&&d', '&', 'a&', '%41=%2B+%20',
                   'a=%7e%7E&%61=b', 'a=%c3%A9', 'a=b=c;d', "a=/?:@!\$'()*,",
                   'openid_identifierx=1', 'openid.mode=id_res&openid.x=y',
                   'a=%', '%zz=%2', 'a=%00', "\xc3\xa9=\xff", '<>"{}|\\^`') {
        my $target = $APP . ($query eq '' ? '' : "?$query");
        my $browser = browser();
        my ($begun) = begin_by('a form', $browser, $target, $ALICE);
        my $back = $browser->get($op->assertion($begun));
        my $env = env_of($back);
        is $env->{QUERY_STRING}, $query, "a form at ?$query: the query is back";
        is $env->{REQUEST_URI}, path_of($target), 'in the URL too';
        is $env->{OPENID2RP_IDENTIFIER}, $ALICE, 'with who it is';
    }
    for my $case ([ "$id&a=1&a=2", 'a=1&a=2' ], [ "a=1&$id&a=2", 'a=1&a=2' ],
                  [ "a=&&b&$id", 'a=&&b' ], [ "&$id", '' ],
                  [ "a=%7e&$id&&%41=", 'a=%7e&&%41=' ],
                  [ 'openid%5Fidentifier=' . encode($ALICE) . '&b', 'b' ]) {
        my ($query, $left) = @$case;
        my $browser = browser();
        my $begun = $browser->get("$APP?$query");
        my $back = $browser->get($op->assertion($begun));
        my $env = env_of($back);
        is $env->{QUERY_STRING} =~ s/\A&\z//r, $left,
            "a query $query: comes back without it";
        unlike $env->{REQUEST_URI}, qr/openid/, 'and so does the URL';
    }
}

sub what_begins_nothing {
    my $id = 'openid_identifier=' . encode($ALICE);
    for my $case (
        [ 'HEAD', 'HEAD', "?$id" ], [ 'PUT', 'PUT', "?$id", '' ],
        [ 'PROPFIND', 'PROPFIND', "?$id" ],
        [ 'a picture', 'GET', "?$id", undef, [ 'Sec-Fetch-Mode', 'no-cors' ] ],
        [ 'a fetch()', 'GET', "?$id", undef, [ 'Sec-Fetch-Mode', 'cors' ] ],
        [ 'an empty one', 'GET', '?openid_identifier=' ],
        [ 'an empty form', 'POST', '', 'openid_identifier=',
          [ 'Content-Type', $FORM ] ],
        [ 'text', 'POST', '', $id, [ 'Content-Type', 'text/plain' ] ],
    ) {
        my ($name, $method, $query, $body, @headers) = @$case;
        my $page = browser()->send($method, "$APP$query", $body,
                                   headers => \@headers);
        is $page->status, 200, "$name: the application answers";
        is_deeply ours(env_of($page)), {}, "$name: and learns nothing";
    }
    is browser()->get("$APP?$id", headers => [
        [ 'Sec-Fetch-Mode', 'navigate' ], [ 'Sec-Fetch-Site', 'same-origin' ],
        [ 'Sec-Fetch-Dest', 'document' ] ])->status, 303,
        'control: a link on this site begins a login';
}

# Whose OpenID cannot be used gets to the application, and not to a page of
# ours.
sub a_login_that_cannot_begin {
    for my $case (
        [ url('/no/such/thing'), 'http-error', qr/404|error/ ],
        [ url('/intercept/off'), 'not-openid', qr/no OpenID/ ],
        [ 'http://10.0.0.1/', 'address-refused', qr/address/ ],
        [ 'http://no.such.host.invalid/', 'unknown-host', qr/server/ ],
        [ 'ftp://example.com/', 'bad-identifier', qr/./ ],
        [ '=name', 'xri-unsupported', qr/i-name/ ],
        [ "a\x01b", 'bad-identifier', qr/./ ],
        [ 'http://<b>&"/', 'bad-identifier', qr/./ ],
        [ "http://x\xc3\xa9\xff/", 'bad-identifier', qr/./ ],
        [ 'x' x 5000, 'bad-identifier', qr/at most/ ],
    ) {
        my ($id, $code, $like) = @$case;
        for my $way (ways()) {
            my $name = "$way, $code";
            refusals();
            my ($page, $body, $url) = begin_by($way, browser(),
                url('/intercept/xri', 'intercept_xri')
                    =~ s/xri\z/app?a=%3D&&b/r, $id);
            told_notice($page, $like, $name);
            my $env = env_of($page);
            is $env->{BODY}, $body, "$name: with its body";
            is $env->{REQUEST_URI}, path_of($url), "$name: and its URL";
            is $env->{REQUEST_METHOD}, length $body ? 'POST' : 'GET',
                "$name: by its method";
            is_deeply [refusals()], [$code], "$name: the log has the reason";
        }
    }
    my $page = browser()->post($APP, [ map { [ openid_identifier => $_ ] }
                                       $ALICE, op_url('/user/bob') ]);
    told_notice($page, qr/one OpenID/, 'two OpenIDs');
}

sub starts_from_elsewhere {
    my $site = [ 'Sec-Fetch-Site', 'cross-site' ];
    $op->log;
    for my $case ([ 'a link elsewhere', $site,
                    [ 'Sec-Fetch-Mode', 'navigate' ] ],
                  [ 'a neighbour', [ 'Sec-Fetch-Site', 'same-site' ] ],
                  [ 'a frame', [ 'Sec-Fetch-Dest', 'iframe' ] ],
                  [ 'an object', [ 'Sec-Fetch-Dest', 'object' ] ]) {
        my ($name, @headers) = @$case;
        for my $way (ways()) {
            my ($page, $body) = begin_by($way, browser(), $APP, $ALICE,
                                             @headers);
            told_notice($page, qr/another site/, "$name, $way");
            is env_of($page)->{BODY}, $body, "$name, $way: with its body";
        }
    }
    for my $way ('a form', 'a form in parts') {
        my ($page) = begin_by($way, browser(), $APP, $ALICE,
                                  [ 'Origin', 'http://elsewhere.example' ]);
        told_notice($page, qr/another site/, "an Origin, $way");
        ($page) = begin_by($way, browser(), $APP, $ALICE,
                               [ 'Origin', url('') ]);
        is $page->status, 303, "control: our own origin, $way";
    }
}

# --- ending -----------------------------------------------------------------

sub the_variables {
    my $browser = browser();
    my $begun = begin_login($browser, url('/intercept/all?a=b'), $ALICE);
    my $last = "Li\xc3\xb0 \"x\" <b>";
    my %more = ('ns.sreg' => 'http://openid.net/extensions/sreg/1.1',
        'sreg.nickname' => 'ally', 'sreg.email' => 'a@sreg.example',
        'ns.ax' => 'http://openid.net/srv/ax/1.0',
        'ax.mode' => 'fetch_response',
        'ax.type.e' => 'http://axschema.org/contact/email',
        'ax.value.e' => 'a@ax.example',
        'ax.type.l' => 'http://axschema.org/namePerson/last',
        'ax.value.l' => $last, 'ns.lp' => $LP,
        'lp.is_member' => 'canonical,other');
    my $back = $browser->get($op->assertion($begun, %more, signed => join ',',
        qw(op_endpoint claimed_id identity return_to response_nonce
           assoc_handle), sort keys %more));
    my $ours = known($back, 'all variables');
    my %json = map { $_ => JSON::PP->new->latin1->decode(
        delete $ours->{"OPENID2RP_$_"} // '{}') } qw(SREG AX);
    is_deeply $ours, who($op, $ALICE, OPENID2RP_EMAIL => 'a@sreg.example',
        OPENID2RP_SREG_NICKNAME => 'ally',
        OPENID2RP_SREG_EMAIL => 'a@sreg.example',
        OPENID2RP_AX_EMAIL => 'a@ax.example', OPENID2RP_AX_LAST => $last,
        OPENID2RP_TEAMS => 'canonical'), 'all variables: these and no others';
    is_deeply \%json, {
        SREG => { nickname => 'ally', email => 'a@sreg.example' },
        AX => { 'http://axschema.org/contact/email' => ['a@ax.example'],
                'http://axschema.org/namePerson/last' => [$last] } },
        'all variables: and as JSON';
    called_at($back, '/intercept/all?a=b', 'all variables');
}

# The answer of a provider to a login, changed.
sub come_back {
    my ($browser, $target, $change) = @_;
    my $begun = begin_login($browser, $target, $ALICE);
    refusals();
    return $browser->get($change->($begun));
}

sub logins_that_end_badly {
    my $target = "$APP/x?a=1&&a=%7e";
    for my $case (
        [ 'cancelled', 'cancelled', sub {
            answer_of_mode($_[0], 'cancel') } ],
        [ 'an error of the provider', 'provider-error', sub {
            answer_of_mode($_[0], 'error',
                [ 'openid.error', 'no ' . 'x' x 3000 ]) } ],
        [ 'one with line ends', 'bad-message', sub {
            answer_of_mode($_[0], 'error', [ 'openid.error', "a\r\nb: c" ])
            } ],
        [ 'setup needed', 'setup-needed', sub {
            answer_of_mode($_[0], 'setup_needed') } ],
        [ 'another identity', 'identity-mismatch', sub {
            $op->assertion($_[0], claimed_id => $op->id('eve')) } ],
        [ 'another endpoint', 'endpoint-mismatch', sub {
            $op->assertion($_[0], op_endpoint => 'http://evil.example/') } ],
        [ 'no nonce', 'bad-message', sub {
            $op->assertion($_[0], response_nonce => undef) } ],
        [ 'an unknown mode', 'bad-mode', sub {
            $op->assertion($_[0], mode => 'bogus') } ],
        [ 'two modes', 'bad-message', sub {
            $op->assertion($_[0]) . '&openid.mode=id_res' } ],
        [ 'a broken message', 'bad-message', sub {
            $op->assertion($_[0]) . '&openid.x=%zz' } ],
    ) {
        my ($name, $code, $change) = @$case;
        my $browser = browser();
        my $page = come_back($browser, $target, $change);
        told_error($page, $code, $name);
        called_at($page, path_of($target), $name)
            unless $name eq 'a broken message';
        is_deeply ours(env_of($browser->get($APP))), {},
            "$name: nobody is signed in afterwards";
        is_deeply known(come_back(browser(), $target, sub {
            $op->assertion($_[0]) }), $name), who($op, $ALICE),
            "$name: control: the true answer";
    }
    $op->reply(check_authentication => 200,
               "ns:$OPENID2\nis_valid:false\n");
    told_error(come_back(browser(), $target, sub { $op->assertion($_[0]) }),
               'bad-signature', 'a signature that is not confirmed');
    $op->reply(check_authentication => 200, "ns:$OPENID2\nis_valid:true\n");
    told_error(come_back(browser(), $target, sub {
        browser()->get($op->assertion($_[0]));
        refusals();
        $op->assertion($_[0], response_nonce => '2000-01-01T00:00:00Zx') }),
        'nonce-expired', 'an old nonce');
}

sub answers_that_nobody_waits_for {
    my $key = 'A' x 22;
    refusals();
    for my $query ("openid_return=$key",
                   "openid_return=$key&openid.mode=id_res",
                   'openid_return=', "openid_return=../x&a=b",
                   "a=b&openid_return=$key", "openid_return=a&openid_return=b",
                   "openid_return=$key&openid_identifier=" . encode($ALICE)) {
        my $page = browser()->get("$APP?$query");
        my $code = $query =~ /=A{22}/ || $query =~ /\.\./ ? 'no-login'
            : 'bad-message';
        told_error($page, $code, "unknown: $query");
        called_at($page, '/intercept/app', "unknown: $query");
    }
    my $browser = browser();
    my $begun = begin_login($browser, "$APP?a=b", $ALICE);
    my $url = $op->assertion($begun);
    my $stranger = browser()->get($url);
    told_error($stranger, 'other-browser', 'another browser');
    my $astray = $browser->get($url =~ s{/app\?}{/app/astray?}r);
    told_error($astray, 'return-to-mismatch', 'an answer at another page');
    called_at($astray, '/intercept/app/astray', 'an answer at another page');
    is env_of($browser->get($url))->{OPENID2RP_IDENTIFIER}, $ALICE,
        'control: its own browser and page';
    refusals();
    for my $again (1, 2) {
        my $page = $browser->get($url);
        my $ours = ours(env_of($page));
        like $ours->{OPENID2RP_ERROR_CODE} // 'none',
            qr/\A(?:other-browser|nonce-replayed|no-login)\z/,
            'a reload: an error';
        told_error($page, $ours->{OPENID2RP_ERROR_CODE} // '', 'a reload');
        called_at($page, '/intercept/app?a=b', 'a reload');
    }

    $browser = browser();
    my $brief = url('/intercept/app?a=b', 'intercept_brief');
    $begun = begin_login($browser, $brief, $ALICE);
    sleep 2.1;
    refusals();
    my $page = $browser->get($op->assertion($begun));
    told_error($page, 'no-login', 'a login that has expired');
    called_at($page, '/intercept/app', 'a login that has expired');
    $begun = begin_login($browser, $brief, $ALICE);
    is_deeply known($browser->get($op->assertion($begun)), 'in time'),
        who($op, $ALICE), 'control: one in time';
}

sub an_answer_by_post {
    for my $cross_site (1, 0) {
        my $browser = browser();
        my $name = $cross_site ? 'a POST of the provider\'s site'
            : 'a POST with cookies';
        my $begun = begin_login($browser, "$APP?a=b&c", $ALICE);
        my ($to, $message) = $op->assertion($begun) =~ /\A([^&]*)&(.*)\z/s;
        my $page = $browser->post($to, $message, cross_site => $cross_site);
        is $page->status, 303, "$name: is kept";
        is $page->header('Location'), $to, "$name: the browser comes again";
        $page = $browser->get($to);
        is_deeply known($page, $name), who($op, $ALICE), "$name: by GET";
        called_at($page, '/intercept/app?a=b&c', $name);
    }
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    my ($to, $message) = $op->assertion($begun, claimed_id => $op->id('eve'))
        =~ /\A([^&]*)&(.*)\z/s;
    $browser->post($to, $message, cross_site => 1);
    refusals();
    told_error($browser->get($to), 'identity-mismatch', 'a false POST');
}

sub immediate_requests {
    my $target = url('/intercept/immediate?a=b');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    like $begun->header('Location'), qr/checkid_immediate/,
        'immediate: the user is not asked at first';
    my $again = $browser->get(answer_of_mode($begun,
        'setup_needed'));
    is $again->status, 303, 'immediate: if need be, the browser goes again';
    like $again->header('Location'),
        qr/\A\Q@{[ $op->endpoint ]}\E.*checkid_setup/,
        'immediate: to the provider, for a question';
    my $back = $browser->get($op->assertion($again));
    is_deeply known($back, 'immediate'), who($op, $ALICE), 'immediate: who';
    called_at($back, '/intercept/immediate?a=b', 'immediate');
}

sub a_long_request {
    my $endpoint = $op->endpoint . '?' . 'x' x 800;
    my $browser = browser();
    my $page = begin_login($browser, "$APP?a=b",
                           id_for(id_site(), $endpoint));
    is $page->status, 200, 'a long request: is a page of ours';
    my ($action) = $page->body =~ /<form method="post" action="([^"]*)"/;
    is unescape_html($action // ''), $endpoint,
        'a long request: a form for the provider';
    my ($src) = $page->body =~ /<script src="([^"]*)"/;
    my $script = $browser->get(url($src));
    is $script->header('Content-Type'), 'text/javascript; charset=utf-8',
        'a long request: its script comes from us';
    like $script->body, qr/submit\(\)/, 'a long request: and sends the form';
    my @fields = map { [ map { unescape_html($_) } @$_ ] }
        map { /name="([^"]*)" value="([^"]*)"/ ? [ $1, $2 ] : () }
        $page->body =~ /<input type="hidden" [^>]*>/g;
    my $begun = bless { headers => [ [ 'Location', 'http://x/?'
        . query_of(@fields) ] ] }, 'OpenID2RP::Test::Response';
    my $back = $browser->get($op->assertion($begun,
                                            op_endpoint => $endpoint));
    is env_of($back)->{OPENID2RP_IDENTIFIER},
        { map { @$_ } @fields }->{'openid.claimed_id'},
        'a long request: the login ends well';
}

sub too_many_starts {
    my $target = url('/intercept/app', 'intercept_limit');
    is begin_login(browser(), $target, $ALICE)->status, 303,
        'control: a start within the limit' for 1, 2;
    for my $way (ways()) {
        my ($page) = begin_by($way, browser(), $target, $ALICE);
        is $page->status, 429, "$way: one more is answered by us";
        like $page->header('Retry-After') // '', qr/\A\d+\z/,
            "$way: with Retry-After";
        unlike $page->body, qr/^REQUEST_METHOD=/m,
            "$way: and the application does not run";
    }
    is browser()->get($target)->status, 200, 'all else passes';
}
