#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Logins that succeed, from the first request to the application, with a real
# provider in between (conf/demo/op.cgi).

use v5.14;
use strict;
use warnings;
use JSON::PP ();
use OpenID2RP::Test;
use Test::More;

my $APP = url('/login/app');
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
my $OPENID2 = 'http://specs.openid.net/auth/2.0';
my $SELECT = "$OPENID2/identifier_select";
my $AX_EMAIL = 'http://axschema.org/contact/email';
my $ALICE_LAST = "S\xc3\xb8rensen-\xc5\x81ukasz";

op_reset();

every_identifier_with_every_association();
no_associations_where_never_is_configured();
an_association_serves_many_logins();
the_address_comes_back_as_it_was();
the_request_to_the_provider();
the_variables();
the_variables_in_detail();
a_second_login_in_the_same_browser();
two_logins_at_the_same_time();
an_answer_by_post();
done_testing;

# The environment of the application, after a login that must not fail.
sub user {
    my ($page, $name) = @_;
    is $page->status, 200, "$name: the application answers"
        or diag $page->alert // $page->body;
    return $page->status == 200 ? env_of($page) : {};
}

# What the provider was asked for, in short: "associate HMAC-SHA1 ok".
sub talk {
    return map { /\A\S+ associate assoc=(\S+) .*-> (.*)/ ? "associate $1 $2"
                     : /\A\S+ check_authentication .*-> (.*)/
                     ? "check_authentication $1" : () } op_log();
}

sub every_identifier_with_every_association {
    my %name = (all => 'HMAC-SHA256', sha1 => 'HMAC-SHA1 after a refusal',
                none => 'no association', stock => 'the stock provider');
    for my $assoc (qw(all sha1 none stock)) {
        for my $kind (qw(op user html html11)) {
            my $op = url("/login/op-$assoc-$kind");
            my $id = $kind eq 'op' ? "$op/" : "$op/$kind/alice";
            my $claimed = $kind eq 'op' ? "$op/user/alice" : $id;
            op_log();
            my $env = user(login(browser(), $APP, $id),
                           "$kind with $name{$assoc}");
            is $env->{REMOTE_USER}, $claimed,
                "$kind with $name{$assoc}: the user is who they are";
            my @talk = talk();
            my $checked = grep { /^check_authentication is_valid:true/ } @talk;
            my $made = grep { /^associate \S+ ok/ } @talk;
            is $checked, $assoc eq 'none' ? 1 : 0,
                "$kind with $name{$assoc}: asked about the signature only "
                . 'without an association' or diag explain \@talk;
            is_deeply [ map { / (\S+) ok/ } @talk ],
                $assoc eq 'none' ? []
                    : $assoc eq 'all' && $kind ne 'html11' ? ['HMAC-SHA256']
                    : ['HMAC-SHA1'],
                "$kind with $name{$assoc}: the association is of that type"
                or diag explain \@talk;
        }
    }
}

sub no_associations_where_never_is_configured {
    my $op = url('/login/op-all-never');
    op_log();
    my $env = user(login(browser(), url('/login/app', 'login_never'),
                         "$op/user/alice"), 'never');
    is $env->{REMOTE_USER}, "$op/user/alice", 'never: the user is signed in';
    is_deeply [talk()], ['check_authentication is_valid:true'],
        'OpenIDAssociate never: no association, one question';

    $env = user(login(browser(), url('/login/app', 'login_other'),
                      "$op/user/alice"), 'the other host');
    is_deeply [talk()], ['associate HMAC-SHA256 ok'],
        'the same provider on another host: an association, no question';
}

sub an_association_serves_many_logins {
    my $op = url('/login/op-all-reuse');
    op_log();
    user(login(browser(), $APP, "$op/user/alice"), 'first login');
    user(login(browser(), $APP, "$op/user/bob"), 'second login');
    user(login(browser(), url('/login/app', 'login_other'), "$op/"),
         'third login, on another host');
    is_deeply [talk()], ['associate HMAC-SHA256 ok'],
        'one association for three logins at one provider';
    user(login(browser(), $APP, url('/login/op-all-reuse2/user/alice')),
         'a login elsewhere');
    is_deeply [talk()], ['associate HMAC-SHA256 ok'],
        'another provider gets another association';
}

sub the_address_comes_back_as_it_was {
    my @queries = ('', '?', '?a=1', '?a=&b=1&b=2&b=1&c&&=x&', '?%41=%2f&+=%20;',
        '?x=%c3%a9%FF&y=%00', '?p=100%&q=%zz', '?url=http://e/?a=b?c',
        '?openid=1&openid_returned=2&my_openid_identifier=3',
        "?q='\"<>|^`{}\\", '?openid.mode=x');
    for my $query (@queries) {
        my $to = begin_login(my $browser = browser(), "$APP$query", $ALICE);
        my $back = $browser->get(scalar ask_op($browser, $to));
        is $back->header('Location'), "$APP$query",
            "POST to \"$query\": the login ends there";
        my $env = user($browser->get($back->header('Location')), "\"$query\"");
        is $env->{REQUEST_URI}, "/login/app$query",
            "POST to \"$query\": the application gets it byte for byte";
    }
    my $id = encode($ALICE);
    for my $case (['?openid_identifier=ID' => ''],
                  ['?a=1&openid_identifier=ID&a=2' => '?a=1&a=2'],
                  ['?a=%41&openid%5Fidentifier=ID&&b' => '?a=%41&&b']) {
        my ($query, $rest) = @$case;
        my $browser = browser();
        my $to = $browser->get($APP . $query =~ s/ID/$id/r);
        is $browser->get(scalar ask_op($browser, $to))->header('Location'),
            "$APP$rest", "GET of \"$query\": all but the identifier comes back";
    }
    my $long = 'x' x 7000;
    for my $path ("/a/b?$long", '/a%20b', '/%41%3Fb%23c%25d%5C', '/%c3%a9;x=y',
                  '/a:b@c!$&()*+,') {
        my $env = user(login(browser(), "$APP$path", $ALICE),
                       substr $path, 0, 20);
        is $env->{REQUEST_URI}, "/login/app$path",
            'a path behind the script: ' . substr $path, 0, 20;
    }
    for my $path ('/page', '//evil.example/', '/\\evil.example/',
                  '/%5Cevil.example/', '/%2F/evil.example/',
                  '///evil.example/', '/%2e/%5C/evil.example/') {
        my $page = browser()->get(url($path, 'login_whole'));
        next if $page->status == 404;   # httpd itself refuses %2F
        is $page->status, 401, "\"$path\": the login page";
        like $page->action, qr{\A/(?![/\\])},
            "\"$path\": its form leads to this site";
    }
}

sub the_request_to_the_provider {
    my $response = begin_login(browser(), "$APP?a=1&b=2", $ALICE);
    is $response->status, 303, 'the browser is sent on with 303';
    my ($to) = $response->header('Location') =~ /\A([^?]*)/;
    is $to, op_url('/endpoint'), 'to the endpoint';
    my %sent = map { @$_ } pairs_of($response->header('Location'));
    my $return_to = delete $sent{'openid.return_to'};
    like $return_to, qr{\A\Q$APP\E\?openid_return=[\w-]{22}\z},
        'return_to has the path and openid_return, and nothing else';
    like delete $sent{'openid.assoc_handle'}, qr/\S/, 'a handle is named';
    is_deeply \%sent, {
        'openid.ns' => $OPENID2, 'openid.mode' => 'checkid_setup',
        'openid.claimed_id' => $ALICE, 'openid.identity' => $ALICE,
        'openid.realm' => url('/'),
        'openid.ns.sreg' => 'http://openid.net/extensions/sreg/1.1',
        'openid.sreg.required' => 'nickname,email',
        'openid.ns.ax' => 'http://openid.net/srv/ax/1.0',
        'openid.ax.mode' => 'fetch_request',
        'openid.ax.required' => 'email,first,last',
        'openid.ax.type.email' => $AX_EMAIL,
        'openid.ax.type.first' => 'http://axschema.org/namePerson/first',
        'openid.ax.type.last' => 'http://axschema.org/namePerson/last',
    }, 'and the rest is as expected';

    %sent = map { @$_ } pairs_of(begin_login(browser(), $APP, op_url('/'))
        ->header('Location'));
    is_deeply [ @sent{qw(openid.claimed_id openid.identity)} ],
        [$SELECT, $SELECT], 'an OP Identifier: the provider is to select';

    %sent = map { @$_ } pairs_of(begin_login(browser(), url('/login/realm'),
        $ALICE)->header('Location'));
    is $sent{'openid.realm'}, url('/login/'), 'OpenIDRealm is the realm';

    %sent = map { @$_ } pairs_of(begin_login(browser(), $APP,
        op_url('/html11/alice'))->header('Location'));
    is_deeply [ @sent{qw(openid.ns openid.claimed_id openid.realm
                         openid.identity openid.trust_root)} ],
        [ undef, undef, undef, $ALICE, url('/') ],
        '1.1: the delegate, a trust_root, and nothing of 2.0';

    my %first = map { @$_ } pairs_of(begin_login(browser(), $APP, $ALICE)
        ->header('Location'));
    isnt $first{'openid.return_to'}, $return_to, 'every login has its own key';
}

# Only what is ours, without what differs from login to login.
sub ours {
    my ($env) = @_;
    my %ours = map { ($_ => $env->{$_}) }
        grep { /\A(?:OPENID2RP_|REMOTE_USER|AUTH_TYPE)/ } keys %$env;
    my $time = delete $ours{OPENID2RP_AUTH_TIME} // 0;
    cmp_ok abs(time - $time), '<', 60, 'AUTH_TIME is a time just passed';
    for my $name (qw(OPENID2RP_SREG OPENID2RP_AX)) {
        $ours{$name} = JSON::PP->new->utf8->decode($ours{$name})
            if defined $ours{$name};
    }
    return \%ours;
}

# A string of bytes as what JSON makes of it.
sub text { my $text = $_[0]; utf8::decode($text); $text }

sub who {
    my ($id, %more) = @_;
    return { REMOTE_USER => $id, AUTH_TYPE => 'OpenID',
             OPENID2RP_IDENTIFIER => $id, OPENID2RP_DISPLAY => $id,
             OPENID2RP_PROVIDER => op_url('/endpoint'), %more };
}

sub the_variables {
    my $schema = 'http://axschema.org/namePerson';
    is_deeply ours(user(login(browser(), $APP, $ALICE), 'alice')), who($ALICE,
        OPENID2RP_EMAIL => 'alice@example.com',
        OPENID2RP_SREG_NICKNAME => 'alice',
        OPENID2RP_SREG_EMAIL => 'alice@example.com',
        OPENID2RP_SREG => { nickname => 'alice',
                            email => 'alice@example.com' },
        OPENID2RP_AX_EMAIL => 'alice@example.com',
        OPENID2RP_AX_FIRST => 'Alice', OPENID2RP_AX_LAST => $ALICE_LAST,
        OPENID2RP_AX => { $AX_EMAIL => ['alice@example.com'],
                          "$schema/first" => ['Alice'],
                          "$schema/last" => [ text($ALICE_LAST) ] },
    ), 'alice: these variables and no others';
    is_deeply ours(user(login(browser(), $APP, $BOB), 'bob')), who($BOB,
        OPENID2RP_EMAIL => 'bob@example.net',
        OPENID2RP_SREG_NICKNAME => 'bob',
        OPENID2RP_SREG_EMAIL => 'bob@example.net',
        OPENID2RP_SREG => { nickname => 'bob', email => 'bob@example.net' },
        OPENID2RP_AX_EMAIL => 'bob@example.net',
        OPENID2RP_AX_FIRST => 'Bob', OPENID2RP_AX_LAST => q(O'Neil),
        OPENID2RP_AX => { $AX_EMAIL => ['bob@example.net'],
                          "$schema/first" => ['Bob'],
                          "$schema/last" => [q(O'Neil)] },
    ), 'bob: these variables and no others';
}

sub the_variables_in_detail {
    is_deeply ours(user(login(browser(), url('/login/off'), $ALICE), 'off')),
        who($ALICE), 'SREG and AX off: who it is, and nothing else';

    my $browser = browser();
    my $begun = begin_login($browser, url('/login/optional'), $BOB);
    my %sent = map { @$_ } pairs_of($begun->header('Location'));
    is_deeply [ @sent{qw(openid.sreg.optional openid.sreg.required
                         openid.ax.if_available openid.ax.required)} ],
        ['fullname,dob', undef, 'nickname,country', undef],
        'optional fields are asked for as such';
    my $env = ours(user(login(browser(), url('/login/optional'), $BOB),
                        'bob, optional'));
    is_deeply $env, who($BOB,
        OPENID2RP_SREG_FULLNAME => q(Bob <b>O'Neil</b> & Sons),
        OPENID2RP_SREG => { fullname => q(Bob <b>O'Neil</b> & Sons) },
        OPENID2RP_AX_NICKNAME => 'bob', OPENID2RP_AX_COUNTRY => 'IE',
        OPENID2RP_AX => {
            'http://axschema.org/namePerson/friendly' => ['bob'],
            'http://axschema.org/contact/country/home' => ['IE'] },
    ), 'optional: what there is, markup as it stands; what is not, is not set';

    $env = ours(user(login(browser(), url('/login/optional'), $ALICE),
                     'alice, optional'));
    is $env->{OPENID2RP_SREG_FULLNAME}, "Alice $ALICE_LAST",
        'UTF-8 as it stands';
    is $env->{OPENID2RP_SREG_DOB}, '1985-04-12', 'a field that is there';

    $env = ours(user(login(browser(), url('/login/many'), $ALICE), 'many'));
    is_deeply $env, who($ALICE,
        OPENID2RP_EMAIL => 'alice@example.com',
        OPENID2RP_AX_MAIL => 'alice@example.com',
        OPENID2RP_AX_MAIL_2 => 'alice@example.org',
        OPENID2RP_AX_MAIL_COUNT => 2, OPENID2RP_AX_FIRST => 'Alice',
        OPENID2RP_AX => { $AX_EMAIL => [ map { "alice\@example.$_" }
                                         'com', 'org' ],
                          'http://axschema.org/namePerson/first'
                              => ['Alice'] },
    ), 'several values of one attribute under a name of our own';
    $env = ours(user(login(browser(), url('/login/many'), $BOB), 'one'));
    is $env->{OPENID2RP_AX_MAIL}, 'bob@example.net', 'one value of many';
    is_deeply [ grep { /MAIL_/ } keys %$env ], [], 'is not numbered';

    $env = user(login(browser(), $APP, op_url('/html/alice')), 'delegated');
    is $env->{OPENID2RP_DISPLAY}, op_url('/html/alice'),
        'DISPLAY is what was typed';
    (my $short = op_url('/user/../user/alice')) =~ s{\Ahttp://}{};
    $env = user(login(browser(), $APP, "  $short "), 'typed loosely');
    is_deeply [ @$env{qw(REMOTE_USER OPENID2RP_DISPLAY)} ],
        [ $ALICE, "  $short " ], 'IDENTIFIER is normalized, DISPLAY is not';
    $env = user(login(browser(), $APP, op_url('/')), 'selected');
    is $env->{OPENID2RP_DISPLAY}, $ALICE,
        'DISPLAY of an identifier that the provider selected';
}

sub a_second_login_in_the_same_browser {
    my $browser = browser();
    is user(login($browser, $APP, $ALICE), 'alice')->{REMOTE_USER}, $ALICE,
        'alice is signed in';
    my $old = $browser->cookie('openid2rp');
    my $begun = begin_login($browser, $APP, $BOB);
    is user($browser->get($APP), 'meanwhile')->{REMOTE_USER}, $ALICE,
        'alice stays so while bob goes to the provider';
    $browser->get(scalar ask_op($browser, $begun));
    is user($browser->get($APP), 'bob')->{REMOTE_USER}, $BOB,
        'bob has taken her place';
    isnt $browser->cookie('openid2rp'), $old, 'with a session of his own';
    is browser()->get($APP, headers => [ [ Cookie => "openid2rp=$old" ] ])
        ->status, 401, 'her session has ended';
    is browser()->get($APP, headers => [ [ Cookie => 'openid2rp='
        . $browser->cookie('openid2rp') ] ])->status, 200, 'his has not';
    is_deeply [ grep { /login_/ } keys %{ $browser->cookie } ], [],
        'no cookie of a login is left';
}

sub two_logins_at_the_same_time {
    my $browser = browser();
    my $one = begin_login($browser, "$APP?one", $ALICE);
    my $two = begin_login($browser, "$APP?two", $BOB);
    is scalar(grep { /login_/ } keys %{ $browser->cookie }), 2,
        'each login has a cookie';
    my @back = map { scalar ask_op($browser, $_) } $two, $one;
    is $browser->get($back[1])->header('Location'), "$APP?one",
        'the first one ends where it began';
    is user($browser->get($APP), 'one')->{REMOTE_USER}, $ALICE, 'as alice';
    is $browser->get($back[0])->header('Location'), "$APP?two",
        'the second one too';
    is user($browser->get($APP), 'two')->{REMOTE_USER}, $BOB, 'as bob';
}

sub an_answer_by_post {
    op_mode(answer => 'post');
    my $browser = browser();
    my ($url, $form) = ask_op($browser,
                              begin_login($browser, "$APP?a=b", $ALICE));
    my $back = $browser->post($url, $form);
    is $back->header('Location'), "$APP?a=b",
        'an answer by POST with the cookie of the login';
    is user($browser->get("$APP?a=b"), 'post')->{REMOTE_USER}, $ALICE,
        'signs in';
    is user(login(browser(), "$APP?a=b", $ALICE), 'cross-site post')
        ->{REMOTE_USER}, $ALICE,
        'an answer by a cross-site POST, without cookies, signs in too';
    op_mode(answer => undef);
}
