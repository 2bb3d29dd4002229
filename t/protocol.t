#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The less common ways of a login: immediate requests, long ones, extensions,
# OpenID 1.1, several services, i-names, and browsers that come late or twice.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use File::Path qw(make_path);
use IO::Socket::INET ();
use OpenID2RP::Test;
use POSIX qw(strftime);
use Test::More;

my $OPENID2 = 'http://specs.openid.net/auth/2.0';
my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $SREG10 = 'http://openid.net/sreg/1.0';
my $AX = 'http://openid.net/srv/ax/1.0';
my $PAPE = 'http://specs.openid.net/extensions/pape/1.0';
my $LP = 'http://ns.launchpad.net/2007/openid-teams';
my $POLICIES = 'http://schemas.openid.net/pape/policies/2007/06';
my $MAIL = 'http://axschema.org/contact/email';
my @ONE = qw(identity return_to);   # what 1.1 signs

op_reset();
my $op = provider();
my $site = id_site();
my $ALICE = $op->id('alice');
my $V1 = id_for($site, 1, $op->endpoint);   # for OpenID 1.1
my $APP = url('/protocol/app');

immediate_requests();
immediate_requests_of_1_1();
immediate_requests_that_are_not_ours();
long_requests();
long_requests_to_all_sorts_of_endpoints();
policies();
the_age_of_a_sign_in();
teams();
names_of_extensions();
names_that_no_extension_may_have();
types_of_attributes();
openid_1_1();
several_services();
i_names();
i_names_that_are_none();
hosts_in_other_scripts();
the_back_button();
late_answers();
done_testing;

# --- answers ----------------------------------------------------------------

sub sent { return { map { @$_ } pairs_of($_[0]->header('Location') // '') } }

# An answer with these fields as well, all of them signed, unless "signed" or
# "unsigned" (an array of names) says otherwise.
sub answer {
    my ($begun, %field) = @_;
    my %not = map { $_ => 1 } @{ delete $field{unsigned} // [] };
    my @signed = (qw(op_endpoint claimed_id identity return_to response_nonce
                     assoc_handle), grep { !$not{$_} } sort keys %field);
    my %seen;
    return $op->assertion($begun,
        signed => join(',', grep { !$seen{$_}++ } @signed), %field);
}

# The same in OpenID 1.1.
sub answer_1 {
    my ($begun, %field) = @_;
    return $op->assertion($begun,
        (map { $_ => undef } qw(ns op_endpoint claimed_id response_nonce)),
        signed => join(',', @ONE, sort keys %field), %field);
}

# What it takes to sign in there, with such an answer: the environment of the
# application.
sub signed_in {
    my ($target, $name, %field) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    my $back = $browser->get(answer($begun, %field));
    is $back->header('Location'), $target, "$name: signed in"
        or diag $back->alert // $back->body;
    return env_of($browser->get($target));
}

sub refused {
    my ($page, $status, $code, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    like $page->alert // '', qr/\A(?:[A-Z\d]|i-name).*[.]\z/s,
        "$name: a sentence";
    is scalar(grep { /\Aopenid2rp=[^;]/ } $page->headers('Set-Cookie')), 0,
        "$name: no session";
}

# --- OpenIDImmediate --------------------------------------------------------

# The answer of a provider that has to ask the user.
sub setup_needed {
    my ($begun) = @_;
    return sent($begun)->{'openid.return_to'} . '&'
        . query_of([ 'openid.ns', $OPENID2 ],
                   [ 'openid.mode', 'setup_needed' ]);
}

sub setup_needed_1 {
    my ($begun, $url) = @_;
    return sent($begun)->{'openid.return_to'} . '&'
        . query_of([ 'openid.mode', 'id_res' ],
                   [ 'openid.user_setup_url', $url // 'http://evil.example/' ]);
}

sub immediate_requests {
    my $target = url('/protocol/immediate?a=1&b=2');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    is sent($begun)->{'openid.mode'}, 'checkid_immediate',
        'the provider is not to ask the user at first';
    $browser->get(answer($begun));
    is $browser->get($target)->status, 200, 'if it need not, that is all';

    is sent(begin_login(browser(), $APP, $ALICE))->{'openid.mode'},
        'checkid_setup', 'control: elsewhere it may ask at once';

    for my $way ('get', 'post') {
        $browser = browser();
        $begun = begin_login($browser, $target, $ALICE);
        my $again = come_back($browser, setup_needed($begun), $way);
        is $again->status, 303, "$way: if it has to, it is asked again";
        like $again->header('Location'), qr/\A\Q@{[ $op->endpoint ]}\E\?/,
            "$way: at the same endpoint";
        is_deeply sent($again),
            { %{ sent($begun) }, 'openid.mode' => 'checkid_setup' },
            "$way: the same in all but the mode";
        is_deeply [refusals()], [], "$way: that is no refusal";
        refused($browser->get(sent($begun)->{'openid.return_to'}), 400,
                'bad-message', "$way: the first answer is forgotten");
        my $back = come_back($browser, answer($again), $way);
        is $back->header('Location'), $target,
            "$way: and the login that began ends there";
        is env_of($browser->get($target))->{REMOTE_USER}, $ALICE,
            "$way: with the user";
    }

    $browser = browser();
    $begun = begin_login($browser, $target, $ALICE);
    is $browser->get(setup_needed($begun))->status, 303, 'asked again';
    my $page = $browser->get(setup_needed($begun));
    refused($page, 401, 'setup-needed', 'but not for ever');
    is $page->action, '/protocol/immediate?a=1&b=2',
        'the page has a form to try again';
    $page = $browser->get(setup_needed($begun));
    refused($page, 401, 'setup-needed', 'nor the third time');
    is $browser->get(answer($begun))->header('Location'), $target,
        'while an answer is still good';
}

# Bring a browser back by GET, or by a POST from the provider's site.
sub come_back {
    my ($browser, $url, $way) = @_;
    return $browser->get($url) if $way eq 'get';
    my ($to) = $url =~ /\A([^&]*)/;
    my $back = $browser->post($to, [ pairs_of($url) ], cross_site => 1);
    return $back if !$back->is_redirect || $back->header('Location') ne $to;
    return $browser->get($to);
}

sub immediate_requests_of_1_1 {
    my $target = url('/protocol/immediate');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $V1);
    is sent($begun)->{'openid.mode'}, 'checkid_immediate', '1.1: immediate';
    my $again = $browser->get(setup_needed_1($begun));
    is_deeply sent($again),
        { %{ sent($begun) }, 'openid.mode' => 'checkid_setup' },
        '1.1: user_setup_url: the same in all but the mode';
    like $again->header('Location'), qr/\A\Q@{[ $op->endpoint ]}\E\?/,
        '1.1: at the endpoint, whatever user_setup_url is';
    is_deeply [refusals()], [], '1.1: that is no refusal';
    refused($browser->get(setup_needed_1($begun)), 401, 'setup-needed',
            '1.1: a second user_setup_url');
    refused($browser->get(answer_1($begun, user_setup_url => 'http://x/')),
            401, 'setup-needed', '1.1: one in a signed answer');
    is $browser->get(answer_1($begun))->header('Location'), $target,
        '1.1: an answer without it completes the login';
}

sub immediate_requests_that_are_not_ours {
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    refused($browser->get(setup_needed($begun)), 401, 'setup-needed',
            'setup_needed where nothing immediate was asked');
    is $browser->get(answer($begun, user_setup_url => 'http://x.example/'))
        ->status, 303, 'in 2.0, user_setup_url means nothing';
    is_deeply [refusals()], [], 'and refuses nobody';

    my $target = url('/protocol/immediate');
    $browser = browser();
    $begun = begin_login($browser, $target, $ALICE);
    refused(browser()->get(setup_needed($begun)), 403, 'other-browser',
            'setup_needed in another browser');
    is $browser->get(setup_needed($begun))->status, 303,
        'control: in its own, it is asked again';
}

# --- requests that are too long for a redirect ------------------------------

sub fields_of {
    return map { [ map { unescape_html($_) } @$_ ] }
        map { /name="([^"]*)" value="([^"]*)"/ ? [ $1, $2 ] : () }
        $_[0]->body =~ /<input type="hidden" [^>]*>/g;
}

sub form_of {
    my ($page) = @_;
    my ($action) = $page->body =~ /<form method="post" action="([^"]*)">/;
    return (unescape_html($action // ''), fields_of($page));
}

# As sent(), and without what differs from login to login.
sub question {
    my %field = map { @$_ } @_;
    delete @field{qw(openid.claimed_id openid.identity)};
    s/(\?openid_return=)[\w-]{22}\z/$1KEY/ for $field{'openid.return_to'};
    return \%field;
}

sub long_requests {
    my $target = url('/protocol/long');
    my $short = $op->endpoint;
    my $long = "$short?" . join '&', map { "a$_=" . 'x' x 100 } 1 .. 7;
    my $redirect = begin_login(browser(), $target, id_for($site, $short));
    is $redirect->status, 303, 'a request of less than 2,048 bytes redirects';
    my $size = length $redirect->header('Location');
    cmp_ok $size, '<=', 2048, "control: it has $size";
    cmp_ok $size + 700, '>', 2048, 'control: and no more than 700 are missing';

    my $browser = browser();
    my $page = begin_login($browser, $target, id_for($site, $long));
    is $page->status, 200, 'a longer one is a page';
    is $page->header('Location'), undef, 'and no redirect';
    my ($action, @fields) = form_of($page);
    is $action, $long, 'with a form for the endpoint';
    is_deeply question(@fields),
        question(pairs_of($redirect->header('Location'))),
        'and all the fields that a redirect would have';
    is_deeply [ map { $_->[0] } @fields ],
        [ map { $_->[0] } pairs_of($redirect->header('Location')) ],
        'in the same order, each once';
    is { map { @$_ } @fields }->{'openid.ax.type.odd'},
        qq{http://example.com/?a=1&b=<"'>+%2B \xc3\xa9},
        'characters that mean something are escaped';
    like $page->body, qr/<button>[^<]+<\/button>/, 'there is a button';
    unlike $page->body, qr/<script>|<script [^>]*>[^<]|\son\w+=|javascript:/,
        'nothing in the page is a script';

    my $csp = $page->header('Content-Security-Policy') // '';
    like $csp, qr/(?:\A|; )script-src 'self'(?:;|\z)/,
        'its policy allows the scripts of this site';
    like $csp, qr/\Adefault-src 'none'/, 'and nothing else by default';
    unlike $csp, qr/unsafe|script-src [^;]*(?:\*|http)/, 'without a hole';
    is $page->header('Cache-Control'), 'no-store', 'it is not stored';
    is $page->header('Referrer-Policy'), 'strict-origin', 'nor passed on';

    my @src = $page->body =~ /<script src="([^"]*)"><\/script>/g;
    is_deeply \@src, ['/protocol/long?openid_return=submit.js'],
        'there is one script, of this page';
    my $script = $browser->get(url($src[0]));
    is $script->status, 200, 'the script is there';
    is $script->header('Content-Type'), 'text/javascript; charset=utf-8',
        'it is a script';
    is $script->header('X-Content-Type-Options'), 'nosniff',
        'and nothing else';
    like $script->body, qr/\Adocument\.forms\[0\]\.submit\(\);\n\z/,
        'it sends the form';
    is scalar(() = $page->body =~ /<form/g), 1, 'of which there is one';
    unlike begin_login(browser(), $APP, '')->header(
        'Content-Security-Policy'), qr/script-src/,
        'control: other pages allow no script';
    refusals();

    my %field = map { @$_ } @fields;
    my $back = $browser->get(long_answer(\%field, $long));
    is $back->header('Location'), $target, 'the login completes';
}

# assertion() wants a redirect.
sub long_answer {
    my ($field, $endpoint) = @_;
    my $begun = bless { headers => [[ 'Location', "$endpoint&"
        . query_of($field) ]] }, 'OpenID2RP::Test::Response';
    return answer($begun, op_endpoint => $endpoint);
}

sub long_requests_to_all_sorts_of_endpoints {
    my $target = url('/protocol/long-immediate');
    my $base = 'http://127.0.0.1:' . ($op->endpoint =~ /:(\d+)/)[0];
    for my $path ('/endpoint', '/endpoint?', '/endpoint?a', '/endpoint?a=b&',
                  '/endpoint?a=%22%3E&b=c', '/endpoint/', '/') {
        my $browser = browser();
        my $page = begin_login($browser, $target, id_for($site, "$base$path"));
        my ($action, @fields) = form_of($page);
        is $action, "$base$path", "$path: the form goes there";
        my %field = map { @$_ } @fields;
        is $field{'openid.ns'}, $OPENID2, "$path: the first field";
        is $field{'openid.mode'}, 'checkid_immediate', "$path: and another";
        like $field{'openid.ax.required'} // '', qr/\Aone,two,/,
            "$path: and the last one";
        is_deeply [ grep { !/\Aopenid\./ } keys %field ], [],
            "$path: nothing else is in it";
        my $again = $browser->get($field{'openid.return_to'}
            . '&openid.mode=setup_needed&openid.ns=' . encode($OPENID2));
        is_deeply { map { @$_ } fields_of($again) },
            { %field, 'openid.mode' => 'checkid_setup' },
            "$path: after setup_needed, there is such a form too";
    }
}

# --- PAPE -------------------------------------------------------------------

# The login is refused with this answer, and only that: then it goes on.
sub policy_not_met {
    my ($target, $name, %field) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    refused($browser->get(answer($begun, %field)), 403, 'policy-not-met',
            $name);
    return ($browser, $begun);
}

sub policies {
    my $target = url('/protocol/pape');
    my $want = "$POLICIES/multi-factor";
    my %asked = %{ sent(begin_login(browser(), $target, $ALICE)) };
    is_deeply { map { $_ => $asked{$_} } grep { /pape/ } keys %asked },
        { 'openid.ns.pape' => $PAPE,
          'openid.pape.preferred_auth_policies' => $want },
        'a policy is asked for';
    is_deeply [ grep { /pape/ } keys
                %{ sent(begin_login(browser(), $APP, $ALICE)) } ], [],
        'control: elsewhere, none is';

    my %met = ('ns.pape' => $PAPE, 'pape.auth_policies' => $want);
    signed_in($target, 'the policy is met', %met);
    signed_in($target, 'among others', %met,
              'pape.auth_policies' => "$POLICIES/none $want $want/x");
    signed_in($target, 'under another name', 'ns.p' => $PAPE,
              'p.auth_policies' => $want);

    my ($browser, $begun);
    for my $case (
        [ 'nothing is said' ],
        [ 'another policy', %met,
          'pape.auth_policies' => "$POLICIES/phishing-resistant" ],
        [ 'no policy', %met, 'pape.auth_policies' => "$POLICIES/none" ],
        [ 'an empty list', %met, 'pape.auth_policies' => '' ],
        [ 'no list', %met, 'pape.auth_policies' => undef,
          unsigned => ['pape.auth_policies'] ],
        [ 'a longer policy', %met, 'pape.auth_policies' => "$want-physical" ],
        [ 'a shorter policy', %met,
          'pape.auth_policies' => "$POLICIES/multi" ],
        [ 'with commas', %met, 'pape.auth_policies' => "$want,$want" ],
        [ 'in capitals', %met, 'pape.auth_policies' => uc $want ],
        [ 'unsigned', %met, unsigned => ['pape.auth_policies'] ],
        [ 'a name that is not signed', %met, unsigned => ['ns.pape'] ],
        [ 'no name', 'pape.auth_policies' => $want ],
        [ 'the name of something else', 'ns.pape' => $AX,
          'pape.auth_policies' => $want ],
        [ 'under another name than it says', 'ns.p' => $PAPE,
          'pape.auth_policies' => $want ],
    ) {
        my ($name, %field) = @$case;
        ($browser, $begun) = policy_not_met($target, $name, %field);
    }
    is $browser->get(answer($begun, %met))->header('Location'), $target,
        'after a refusal, the same login can still complete';

    $target = url('/protocol/pape-two');
    my @two = map { "http://example.com/$_" } 'one', 'two';
    is sent(begin_login(browser(), $target, $ALICE))
        ->{'openid.pape.preferred_auth_policies'}, "@two", 'two policies';
    signed_in($target, 'both are met', %met,
              'pape.auth_policies' => "$two[1] $two[0]");
    policy_not_met($target, "one of two: $_", %met,
                   'pape.auth_policies' => $_) for @two;
    signed_in($APP, 'where nothing is asked', %met,
              'pape.auth_policies' => '');
}

sub ago { return strftime '%Y-%m-%dT%H:%M:%SZ', gmtime time - $_[0] }

sub the_age_of_a_sign_in {
    my $target = url('/protocol/pape-age');
    my %asked = %{ sent(begin_login(browser(), $target, $ALICE)) };
    is_deeply { map { $_ => $asked{$_} } grep { /pape/ } keys %asked },
        { 'openid.ns.pape' => $PAPE, 'openid.pape.max_auth_age' => 600,
          'openid.pape.preferred_auth_policies' => '' },
        'an age is asked for';
    my %pape = ('ns.pape' => $PAPE,
                'pape.auth_policies' => "$POLICIES/none");
    signed_in($target, "$_ seconds ago", %pape, 'pape.auth_time' => ago($_))
        for 0, 500, 600, -60;
    for my $case (
        [ 'too long ago', 'pape.auth_time' => ago(800) ],
        [ 'a day ago', 'pape.auth_time' => ago(86_400) ],
        [ 'in an hour', 'pape.auth_time' => ago(-3600) ],
        [ 'it is not said when' ],
        [ 'unsigned', 'pape.auth_time' => ago(0),
          unsigned => ['pape.auth_time'] ],
        [ 'an empty time', 'pape.auth_time' => '' ],
        [ 'a number', 'pape.auth_time' => time ],
        [ 'another zone', 'pape.auth_time' => ago(0) =~ s/Z/+00:00/r ],
        [ 'more than a time', 'pape.auth_time' => ago(0) . 'x' ],
        [ 'no such day', 'pape.auth_time' => '2026-02-30T00:00:00Z' ],
        [ 'no such month', 'pape.auth_time' => ago(0) =~ s/-\d\d/-13/r ],
    ) {
        my ($name, %field) = @$case;
        policy_not_met($target, $name, %pape, %field);
    }
}

# --- teams ------------------------------------------------------------------

sub teams {
    my $target = url('/protocol/teams');
    my %asked = %{ sent(begin_login(browser(), $target, $ALICE)) };
    is_deeply { map { $_ => $asked{$_} } grep { /lp/ } keys %asked },
        { 'openid.ns.lp' => $LP, 'openid.lp.query_membership' =>
          'canonical,ubuntu-core,a.b+c' }, 'membership is asked for';
    my %lp = ('ns.lp' => $LP, 'lp.is_member' => 'ubuntu-core,canonical');
    my @cases = (
        [ 'two teams', 'canonical ubuntu-core', %lp ],
        [ 'one team', 'a.b+c', %lp, 'lp.is_member' => 'a.b+c' ],
        [ 'a team that was not asked for', 'canonical', %lp,
          'lp.is_member' => 'admins,canonical,root' ],
        [ 'only such', undef, %lp, 'lp.is_member' => 'admins' ],
        [ 'similar names', undef, %lp,
          'lp.is_member' => 'canonica,canonical2,Canonical,xcanonical' ],
        [ 'a name with spaces', undef, %lp,
          'lp.is_member' => 'canonical ubuntu-core' ],
        [ 'a team twice', 'canonical', %lp,
          'lp.is_member' => 'canonical,canonical' ],
        [ 'no team', undef, %lp, 'lp.is_member' => '' ],
        [ 'no answer', undef ],
        [ 'unsigned', undef, %lp, unsigned => ['lp.is_member'] ],
        [ 'a name that is not signed', undef, %lp, unsigned => ['ns.lp'] ],
        [ 'another name', 'canonical', 'ns.t' => $LP,
          't.is_member' => 'canonical' ],
        [ 'the name of something else', undef, %lp, 'ns.lp' => $AX ],
        [ 'no name', undef, %lp, 'ns.lp' => undef, unsigned => ['ns.lp'] ],
    );
    for my $case (@cases) {
        my ($name, $teams, %field) = @$case;
        is signed_in($target, $name, %field)->{OPENID2RP_TEAMS}, $teams,
            "$name: " . ($teams // 'none');
    }
    is signed_in($APP, 'where none are asked for', %lp)->{OPENID2RP_TEAMS},
        undef, 'where none are asked for, none are told';
}

# --- the names that a provider gives to extensions --------------------------

sub names_of_extensions {
    my $mail = 'alice@example.com';
    my @cases = (
        [ 'sreg', $mail, 'ns.sreg' => $SREG, 'sreg.email' => $mail ],
        [ 'sreg 1.0', $mail, 'ns.sreg' => $SREG10, 'sreg.email' => $mail ],
        [ 'sreg, which is not declared', undef, 'sreg.email' => $mail ],
        [ 'a declaration that is not signed', undef, 'ns.sreg' => $SREG,
          'sreg.email' => $mail, unsigned => ['ns.sreg'] ],
        [ 'a value that is not signed', undef, 'ns.sreg' => $SREG,
          'sreg.email' => $mail, unsigned => ['sreg.email'] ],
        [ 'sreg for something else', undef, 'ns.sreg' => 'http://x.example/',
          'sreg.email' => $mail ],
        [ 'sreg for AX', undef, 'ns.sreg' => $AX, 'sreg.email' => $mail ],
        [ 'sreg beside the name that counts', $mail,
          'ns.ext1' => $SREG, 'ext1.email' => $mail,
          'ns.sreg' => 'http://x.example/', 'sreg.email' => 'evil@evil' ],
        [ 'sreg without a declaration beside it', $mail,
          'ns.ext1' => $SREG, 'ext1.email' => $mail,
          'sreg.email' => 'evil@evil' ],
        [ 'a name rebound without a signature', undef, 'ns.ext1' => $SREG,
          'ext1.email' => $mail, unsigned => ['ns.ext1'] ],
        [ 'a name in other letters', undef, 'ns.Sreg' => $SREG,
          'sreg.email' => $mail ],
    );
    push @cases, map { [ qq(the name "$_"), $mail, "ns.$_" => $SREG,
                         "$_.email" => $mail ] }
        'ext1', '1', 'a-b', 'SREG', 'sreg~', 'x' x 200, 'a b', 'a&b', 'a=b',
        "\xc3\xa9", '%41', '<b>', 'nss', 'modes', 'Mode';
    for my $case (@cases) {
        my ($name, $value, %field) = @$case;
        my $env = signed_in($APP, $name, %field);
        is $env->{OPENID2RP_SREG_EMAIL}, $value, "$name: "
            . ($value // 'nothing');
        is $env->{OPENID2RP_EMAIL}, $value, "$name: OPENID2RP_EMAIL";
    }
}

sub names_that_no_extension_may_have {
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    my @bad = map { [ qq("ns.$_"), "ns.$_" => $SREG, "$_.email" => 'x' ] }
        'a.b', 'a.', '.a', '.', '', qw(assoc_handle assoc_type claimed_id
        contact delegate dh_consumer_public dh_gen dh_modulus error identity
        invalidate_handle mode ns op_endpoint openid realm reference
        response_nonce return_to server session_type sig signed trust_root);
    for my $case (@bad,
        [ 'one extension with two names', 'ns.sreg' => $SREG,
          'ns.ext1' => $SREG, 'sreg.email' => 'x' ],
        [ 'two names, one of them unsigned', 'ns.sreg' => $SREG,
          'ns.ext1' => $SREG, unsigned => ['ns.ext1'] ]) {
        my ($name, %field) = @$case;
        $op->log;
        refused($browser->get(answer($begun, %field)), 400, 'bad-message',
                $name);
        is_deeply [$op->log], [], "$name: the provider is not asked";
    }
    refused($browser->get(answer($begun, 'ns.sreg' => $SREG)
        . '&openid.ns.sreg=' . encode($SREG)), 400, 'bad-message',
        'one name twice');
    is $browser->get(answer($begun, 'ns.sreg' => $SREG,
                            'ns.ext1' => $SREG10))->status, 303,
        'control: two names for two';
}

sub types_of_attributes {
    my $mail = 'alice@example.com';
    my $tail = 'contact/email';
    my $ax = sub {
        my ($type, %more) = @_;
        return ('ns.ax' => $AX, 'ax.mode' => 'fetch_response',
                'ax.type.m' => $type, 'ax.value.m' => $mail, %more);
    };
    my @cases = (
        (map { [ $_, $mail, $ax->($_) ] } $MAIL,
            "http://schema.openid.net/$tail", "http://openid.net/schema/$tail",
            "https://axschema.org/$tail"),
        (map { [ $_, undef, $ax->($_) ] } "http://axschema.org.evil/$tail",
            "http://example.com/$tail", "$MAIL/", "$MAIL/home", uc $MAIL,
            "http://schema.openid.net/email", $tail, "http://axschema.org/"),
        [ 'the type that was asked for comes first', $mail,
          $ax->($MAIL, 'ax.type.a' => "http://schema.openid.net/$tail",
                'ax.value.a' => 'other@example.com') ],
        [ 'a type that is not signed', undef,
          $ax->($MAIL, unsigned => ['ax.type.m']) ],
        [ 'a value that is not signed', undef,
          $ax->($MAIL, unsigned => ['ax.value.m']) ],
        [ 'another mode', undef, $ax->($MAIL, 'ax.mode' => 'store_request') ],
        [ 'a count of one', $mail, $ax->($MAIL, 'ax.count.m' => 1,
          'ax.value.m' => undef, 'ax.value.m.1' => $mail,
          unsigned => ['ax.value.m']) ],
        [ 'a count of none', undef, $ax->($MAIL, 'ax.count.m' => 0,
          'ax.value.m' => undef, unsigned => ['ax.value.m']) ],
        [ 'a count of too many', undef, $ax->($MAIL, 'ax.count.m' => 2,
          'ax.value.m.1' => $mail, 'ax.value.m.2' => $mail) ],
        [ 'another name', $mail, 'ns.ext1' => $AX,
          'ext1.mode' => 'fetch_response', 'ext1.type.x' => $MAIL,
          'ext1.value.x' => $mail ],
        [ 'a name that something else has', undef,
          $ax->($MAIL, 'ns.ax' => $SREG) ],
    );
    for my $case (@cases) {
        my ($name, $value, %field) = @$case;
        my $env = signed_in($APP, $name, %field);
        is $env->{OPENID2RP_AX_EMAIL}, $value,
            "$name: " . ($value // 'nothing');
        is $env->{OPENID2RP_EMAIL}, $value, "$name: OPENID2RP_EMAIL";
    }
}

# --- OpenID 1.1 -------------------------------------------------------------

sub openid_1_1 {
    my $evil = $op->id('mallory');
    my @cases = (
        [ 'as 1.1 has it' ],
        [ 'with its namespace', ns => 'http://openid.net/signon/1.1' ],
        [ 'with that of 1.0', ns => 'http://openid.net/signon/1.0' ],
        [ 'another claimed_id', claimed_id => $evil ],
        [ 'another op_endpoint', op_endpoint => 'http://evil.example/' ],
        [ 'a nonce of long ago', response_nonce => '1999-01-01T00:00:00Zx' ],
        [ 'a nonce that is none', response_nonce => 'garbage' ],
        [ 'all of them', claimed_id => $evil, response_nonce => '',
          op_endpoint => 'http://evil.example/' ],
    );
    for my $case (@cases) {
        my ($name, %field) = @$case;
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $V1);
        is $browser->get(answer_1($begun, %field))->header('Location'), $APP,
            "1.1, $name: signed in";
        my $env = env_of($browser->get($APP));
        is $env->{REMOTE_USER}, $V1, "1.1, $name: as who it began with";
        is $env->{OPENID2RP_PROVIDER}, $op->endpoint, "1.1, $name: by whom";
    }
    is_deeply [refusals()], [], '1.1: nothing was refused';

    my $browser = browser();
    my $begun = begin_login($browser, $APP, $V1);
    is_deeply [ grep { /\Aopenid\.(?:ns|claimed_id|realm|op_endpoint)\z/ }
                keys %{ sent($begun) } ], [], '1.1: nothing of 2.0 is asked';
    for my $case (
        [ 400, 'version-mismatch', 'an answer of 2.0', answer($begun,
          claimed_id => $V1) ],
        [ 400, 'version-mismatch', 'a version that there is not',
          answer_1($begun, ns => 'http://openid.net/signon/3') ],
        [ 403, 'identity-mismatch', 'another identity',
          answer_1($begun, identity => $evil) ],
        [ 403, 'return-to-mismatch', 'another return_to',
          answer_1($begun, return_to => url('/protocol/immediate')) ],
        [ 400, 'unsigned-field', 'an identity that is not signed',
          answer_1($begun, signed => 'return_to') ],
        [ 400, 'unsigned-field', 'a return_to that is not signed',
          answer_1($begun, signed => 'identity') ],
        [ 400, 'bad-message', 'no identity',
          answer_1($begun, identity => undef, signed => 'return_to') ],
        [ 400, 'bad-message', 'no signature', answer_1($begun, sig => undef,
          signed => 'identity,return_to') ],
    ) {
        my ($status, $code, $name, $answer) = @$case;
        refused($browser->get($answer), $status, $code, "1.1, $name");
    }
    my $answer = answer_1($begun, 'sreg.email' => 'a@b.example');
    is $browser->get($answer)->status, 303, '1.1: and then the right answer';
    is env_of($browser->get($APP))->{OPENID2RP_EMAIL}, 'a@b.example',
        '1.1: where sreg need not be declared';
    $browser->forget;
    refused($browser->get($answer), 403, 'other-browser', '1.1: a copy of it');

    $begun = begin_login($browser = browser(), $APP, $ALICE);
    refused($browser->get(answer($begun, ns => undef, unsigned => ['ns'])), 400,
            'version-mismatch', 'an answer of 1.1 to a question of 2.0');
    is $browser->get(answer($begun))->status, 303, 'control: one of 2.0';
}

# --- discovery --------------------------------------------------------------

sub several_services {
    my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $dead = 'http://127.0.0.1:' . $closed->sockport . '/endpoint';
    close $closed;
    my $silent = web_server(sub { return });
    my $other = provider();
    my $good = $op->endpoint;
    for my $case (
        [ 'a closed port, and another', $good, $dead, $good ],
        [ 'one that hangs up, and another', $good, "$silent/e", $good ],
        [ 'two that are down, and another', $good, $dead, "$silent/e",
          $good ],
        [ 'two that work', $good, $good, $other->endpoint ],
        [ 'the other way round', $other->endpoint, $other->endpoint, $good ],
        [ 'of 1.1, one that is down, and another', $good, 1, $dead, $good ],
    ) {
        my ($name, $which, @all) = @$case;
        my $browser = browser();
        my $id = id_for($site, @all);
        my $begun = begin_login($browser, $APP, $id);
        like $begun->header('Location') // 'nowhere', qr/\A\Q$which\E\?/,
            "$name: which is taken";
        my $answer = $all[0] eq '1' ? answer_1($begun)
            : answer($begun, op_endpoint => $which);
        is $browser->get($answer)->header('Location'), $APP,
            "$name: and signs in";
        is env_of($browser->get($APP))->{OPENID2RP_PROVIDER}, $which,
            "$name: as the application is told";
    }
    is_deeply [refusals()], [], 'nothing was refused';
    isnt scalar(web_log($silent)), 0, 'control: the one that is down was asked';
    refused(begin_login(browser(), $APP, id_for($site, $dead, $dead)), 502,
            'unreachable', 'two that are both down');
    my $browser = browser();
    my $begun = begin_login($browser, $APP, id_for($site, $dead, $good));
    refused($browser->get(answer($begun, op_endpoint => $dead)), 403,
            'endpoint-mismatch', 'an answer of the one that was not asked');

    # the associations that it refuses are no reason to go to the next one
    $other->reply(associate => 500, 'oops');
    like begin_login(browser(), $APP, id_for($site, $other->endpoint, $good))
        ->header('Location'), qr/\A\Q@{[ $other->endpoint ]}\E\?/,
        'an endpoint that answers with an error is there';
}

# The resolver's document for a name.
sub resolver_has {
    my ($name, %has) = @_;
    my $dir = Apache::Test::basic_config()->{vars}{t_logs} . '/resolver';
    make_path($dir);
    $has{Status} //= '<Status code="100" cid="verified"/>';
    $has{ProviderID} //= 'xri://=';
    my $simple = join '', map { "<$_>$has{$_}</$_>" }
        grep { length $has{$_} } 'ProviderID', 'CanonicalID';
    open my $out, '>', "$dir/$name" or die "$dir/$name: $!";
    print $out <<"XML";
<xrds:XRDS xmlns:xrds="xri://\$xrds" xmlns="xri://\$xrd*(\$v*2.0)"><XRD>
<Query>*$name</Query>$has{Status}$simple<Service>
<Type>$OPENID2/signon</Type><URI>@{[ $op->endpoint ]}</URI>
</Service></XRD></xrds:XRDS>
XML
    close $out or die "$dir/$name: $!";
}

sub i_names {
    my $target = url('/protocol/app', 'protocol_xri');
    for my $case ([ '=alice', '=!1000.a1b2', '=alice' ],
                  [ 'xri://=alice', '=!1000.a1b2', '=alice' ],
                  [ '@example*alice', '@!72CD.A072!1', '@example*alice' ]) {
        my ($typed, $canonical, $name) = @$case;
        resolver_has($name, CanonicalID => $canonical);
        refused(begin_login(browser(), $APP, $typed), 400, 'xri-unsupported',
                "$typed, without a resolver");
        my $browser = browser();
        my $begun = begin_login($browser, $target, $typed);
        is $begun->status, 303, "$typed: the login begins"
            or diag $begun->alert // $begun->body;
        is sent($begun)->{'openid.claimed_id'}, $canonical,
            "$typed: the name that lasts is asked about";
        is $browser->get(answer($begun, claimed_id => '=!9999'))->status, 403,
            "$typed: an answer about somebody else";
        is_deeply [refusals()], ['identity-mismatch'], "$typed: is refused";
        is $browser->get(answer($begun))->header('Location'), $target,
            "$typed: control: an answer about them";
        my $env = env_of($browser->get($target));
        is $env->{REMOTE_USER}, $canonical, "$typed: is who they are";
        is $env->{OPENID2RP_DISPLAY}, $typed, "$typed: and how to call them";
    }
}

sub i_names_that_are_none {
    my $target = url('/protocol/app', 'protocol_xri');
    refused(begin_login(browser(), $target, '=nobody'), 502, 'http-error',
            'a name that the resolver does not know');
    my @bad = (
        [ 'no CanonicalID' ],
        [ 'an empty one', CanonicalID => ' ' ],
        [ 'one that is a web address', CanonicalID => $ALICE ],
        [ 'one of another root', CanonicalID => '@!1000.a1b2' ],
        [ 'one that is not verified', CanonicalID => '=!1000.a1b2',
          Status => '<Status code="100" cid="failed"/>' ],
        [ 'one that nobody looked at', CanonicalID => '=!1000.a1b2',
          Status => '<Status code="100" cid="off"/>' ],
        [ 'a failure', CanonicalID => '=!1000.a1b2',
          Status => '<Status code="222" cid="verified"/>' ],
        [ 'no ProviderID', CanonicalID => '=!1000.a1b2', ProviderID => '' ],
    );
    for my $case (@bad) {
        my ($name, %has) = @$case;
        resolver_has('=mallory', %has);
        refused(begin_login(browser(), $target, '=mallory'), 400,
                'xri-unsupported', $name);
    }
    resolver_has('=mallory', CanonicalID => '=!6666');
    is begin_login(browser(), $target, '=mallory')->status, 303,
        'control: with all that a name has';
}

sub hosts_in_other_scripts {
    my $target = url('/protocol/app', 'protocol_brief');
    my $tail = 'no-such-host.invalid';
    my $xn = "xn--bcher-kva.$tail";
    for my $case (
        [ 'http://b%C3%BCcher.TAIL/', $xn ], [ 'b%C3%BCcher.TAIL', $xn ],
        [ 'http://B%C3%9CCHER.TAIL/x', $xn ],
        [ 'http://bu%CC%88cher.TAIL/', $xn ],
        [ "http://$xn/", $xn ],
        [ 'http://%E4%BE%8B%E3%81%88.TAIL/', "xn--r8jz45g.$tail" ],
        [ 'http://b%C3%BCcher%E3%80%82TAIL/', $xn ],
        [ 'http://plain.TAIL/', "plain.$tail" ],
    ) {
        my ($typed, $host) = @$case;
        my $page = begin_login(browser(), $target,
                               decode($typed =~ s/TAIL/$tail/r));
        refused($page, 400, 'unknown-host', $typed);
        like $page->alert, qr/\bThere is no server called \Q$host\E\./,
            "$typed: it was looked for as $host";
    }
    for my $typed ('http://b%FCcher.TAIL/', 'http://b%C3%BCcher%20x.TAIL/',
                   'http://%E2%80%8Eb%C3%BC.TAIL/',
                   'http://xn--%C3%BC.TAIL/', 'http://%EF%BC%8F%C3%BC.TAIL/',
                   'http://' . '%C3%BC' x 64 . '.TAIL/') {
        refused(begin_login(browser(), $target,
                            decode($typed =~ s/TAIL/$tail/r)), 400,
                'bad-identifier', substr $typed, 0, 60);
    }
}

# --- browsers ---------------------------------------------------------------

sub the_back_button {
    my $target = url('/protocol/app?a=b');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    my $answer = answer($begun);
    $browser->get($answer);
    my $session = $browser->cookie('openid2rp');
    is $browser->get($target)->status, 200, 'signed in';
    is_deeply [refusals()], [], 'control: nothing is refused';
    for my $url ($answer, answer($begun), answer($begun, identity => 'x')) {
        my $page = $browser->get($url);
        is $page->status, 303, 'who comes back once more goes on';
        is $page->header('Location'), $target, 'to where the login led';
        is_deeply [ $page->headers('Set-Cookie') ], [],
            'with the session that there is';
        is_deeply [refusals()], ['nonce-replayed'], 'one line in the log';
    }
    is $browser->cookie('openid2rp'), $session, 'which is still the same';
    refused(browser()->get($answer), 403, 'other-browser',
            'another browser with the same address');
    my $other = browser();
    login($other, $APP, op_url('/user/bob'));
    $session = $other->cookie('openid2rp');
    $other->get($answer);
    is env_of($other->get($APP))->{REMOTE_USER}, op_url('/user/bob'),
        'or where somebody else is signed in: who they are';
    is $other->cookie('openid2rp'), $session, 'their session stays';
    refusals();

    # back as far as the provider's page, which answers a second time
    $browser = browser();
    $begun = begin_login($browser, $target, op_url('/user/alice'));
    my $twice = sub { $browser->get(scalar ask_op($browser, $begun)) };
    is $twice->()->header('Location'), $target, "the provider's page";
    is $twice->()->header('Location'), $target, "the provider's page again";
    is_deeply [refusals()], ['nonce-replayed'], 'is one login, and a replay';
    $browser->forget;
    refused($twice->(), 403, 'other-browser', 'and without a session, none');
}

sub late_answers {
    my $target = url('/protocol/app', 'protocol_brief');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    is $browser->get(answer($begun))->header('Location'), $target,
        'an answer in time';
    my %late = map { $_ => browser() } 'kept', 'gone';
    my %begun = map { $_ => begin_login($late{$_}, $target, $ALICE) }
        keys %late;
    like join(' ', $begun{kept}->headers('Set-Cookie')), qr/; Max-Age=2\b/,
        'the cookie of a login lives as long as the login';
    sleep 3;
    $late{gone}->forget;
    like join(' ', keys %{ $late{kept}->cookie }), qr/_login_/,
        'control: this browser keeps it longer';
    $op->log;
    for my $name (sort keys %late) {
        my $page = $late{$name}->get(answer($begun{$name}));
        refused($page, 403, 'no-login', "too late, the cookie $name");
        like $page->alert, qr/too long.*sign in again/i,
            "$name: the page says so";
        is $page->action, '/protocol/app', "$name: and lets one try again";
    }
    is_deeply [$op->log], [], 'the provider is not asked';
}
