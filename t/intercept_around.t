#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept beside other things: sessions, other modules' users, sections
# of all kinds, protect mode, and a store that is away.

use v5.14;
use strict;
use warnings;
use Apache::Test ();
use Cwd ();
use File::Copy qw(copy);
use File::Path qw(make_path);
use MIME::Base64 qw(encode_base64);
use OpenID2RP::Httpd;
use OpenID2RP::Intercept;
use OpenID2RP::Process ();
use OpenID2RP::Server;
use OpenID2RP::Test;
use Test::More;

my $FORM = 'application/x-www-form-urlencoded';
my $LOGS = Apache::Test::basic_config()->{vars}{t_logs};

op_reset();
my $op = provider();
my $ALICE = $op->id('alice');
my $APP = url('/intercept/app');

nobody_is_remembered();
a_session();
a_session_and_rules();
beside_basic();
providers_that_are_allowed();
a_host_that_is_not_ours();
sections();
protect_mode_wins();
mistakes();
a_store_that_is_away();
done_testing;

# --- later ------------------------------------------------------------------

sub nobody_is_remembered {
    my ($browser, $page) = signed_in($op, $APP, $ALICE);
    is_deeply known($page, 'by default'), who($op, $ALICE), 'control: a login';
    is_deeply [ session_cookies($page) ], [], 'by default: no session begins';
    is_deeply ours(env_of($browser->get($APP))), {},
        'by default: later requests are nobody\'s';

    my ($member) = signed_in($op, url('/intercept/store'), $ALICE);
    is env_of($member->get(url('/intercept/store')))->{REMOTE_USER}, $ALICE,
        'control: a session of another section';
    is_deeply ours(env_of($member->get($APP))), {},
        'by default: means nothing either';
}

sub a_session {
    my $target = url('/intercept/store?a=b');
    my ($browser, $page) = signed_in($op, $target, $ALICE);
    is_deeply known($page, 'a session'), who($op, $ALICE),
        'a session: the return';
    is scalar(session_cookies($page)), 1, 'a session: begins';
    is_deeply known($browser->get($target), 'a session'), who($op, $ALICE),
        'a session: later requests have all of it';
    my $post = $browser->post($target, 'c=d');
    is env_of($post)->{BODY}, 'c=d', 'a session: a form arrives';
    is env_of($post)->{REMOTE_USER}, $ALICE, 'a session: with the user';
    is_deeply ours(env_of(browser()->get($target))), {},
        'a session: others are nobody';
    is_deeply ours(env_of(browser()->get($target, headers =>
        [ [ 'Cookie', 'openid2rp=' . 'A' x 43 ] ]))), {},
        'a session: a made-up cookie is nobody\'s';

    # while somebody is signed in
    my $begun = begin_login($browser, $target, $ALICE);
    refusals();
    told_error($browser->get(answer_of_mode($begun,
        'cancel')), 'cancelled', 'cancelled in a session');
    is env_of($browser->get($target))->{REMOTE_USER}, $ALICE,
        'a session: survives a login that was cancelled';
    my $notice = ours(env_of(begin_login($browser, $target, 'ftp://x/')));
    ok defined $notice->{OPENID2RP_NOTICE}, 'a session: a notice in it';
    is $notice->{OPENID2RP_IDENTIFIER}, $ALICE, 'a session: is for its user';

    my $out = $browser->get(url('/intercept/store/out'));
    is $out->status, 303, 'logout: by its path';
    is $out->header('Location'), url('/intercept/store/bye'),
        'logout: goes where it is to';
    is_deeply ours(env_of($browser->get($target))), {}, 'logout: nobody';
}

sub a_session_and_rules {
    my $target = url('/intercept/store-changing');
    my ($browser) = signed_in($op, $target, $ALICE);
    is env_of($browser->get($target))->{REMOTE_USER}, $ALICE,
        'control: a session';
    is_deeply ours(env_of($browser->get($target, headers =>
        [ [ 'X-Deny', 'yes' ] ]))), {},
        'a provider that is not allowed any more: nobody';
    is env_of($browser->get($target))->{REMOTE_USER}, $ALICE,
        'and again where it is';
}

# --- beside other things ----------------------------------------------------

sub beside_basic {
    my $file = "$LOGS/intercept.passwd";
    open my $out, '>', $file or die "$file: $!";
    print $out 'bob:', crypt('secret', '$1$saltsalt$'), "\n";
    close $out or die "$file: $!";
    my @bob = (headers => [ [ 'Authorization',
        'Basic ' . encode_base64('bob:secret', '') ] ]);
    my $target = url('/intercept/basic-only');
    is browser()->get($target)->status, 401, 'control: Basic is asked for';
    $op->log;
    is begin_login(browser(), $target, $ALICE)->status, 401,
        'Basic: nobody begins a login without it';
    is_deeply [ $op->log ], [], 'Basic: nor is a provider asked';
    my $browser = browser();
    my $begun = $browser->post($target, { openid_identifier => $ALICE }, @bob);
    is $begun->status, 303, 'Basic: its users can begin one';
    my $back = $browser->get($op->assertion($begun), @bob);
    is_deeply known($back, 'Basic'),
        { %{ who($op, $ALICE) }, REMOTE_USER => 'bob', AUTH_TYPE => 'Basic' },
        'Basic: and stay who they are, with an OpenID';
    $target = url('/intercept/basic');
    ($browser, $back) = signed_in($op, $target, $ALICE);
    is_deeply known($back, 'Basic, not required'), who($op, $ALICE),
        'Basic, where it is not required: the OpenID is the user';
}

sub providers_that_are_allowed {
    my $target = url('/intercept/allow?a=b');
    $op->log;
    refusals();
    my $page = begin_login(browser(), $target, $ALICE);
    told_notice($page, qr/provider/, 'a provider that is not allowed');
    is_deeply [refusals()], ['provider-refused'], 'with its line in the log';
    is_deeply [ grep { /POST/ } $op->log ], [], 'it is asked nothing';
    my $user = op_url('/user/alice');
    $page = login(browser(), $target, $user);
    is env_of($page)->{REMOTE_USER}, $user, 'control: one that is allowed';
}

sub a_host_that_is_not_ours {
    for my $host ('evil.example', 'localhost.evil.example', "127.0.0.1") {
        my $bytes = browser()->request('POST', $APP, query_of(
            [ openid_identifier => $ALICE ]), headers =>
            [ [ 'Content-Type', $FORM ] ]);
        is exchange(port_of(), $bytes)->status, 303, 'control: our own host';
        $bytes =~ s/^Host: [^\r]*/Host: $host/m;
        told_notice(exchange(port_of(), $bytes), qr/not known/,
                    "the host $host");
    }
}

sub sections {
    my $begins = sub {
        my ($page) = begin_by('a form', browser(), $_[0], $ALICE);
        return $page->status == 303 ? 'on'
            : $page->status == 200 && !%{ ours(env_of($page)) } ? 'off'
            : $page->status;
    };
    for my $dir ('', '/on', '/may/on', '/may/off', '/may-not', '/on/below') {
        make_path("$LOGS/intercept$dir");
        copy("t/cgi/env.cgi", "$LOGS/intercept$dir/app.cgi") or die $!;
        chmod 0755, "$LOGS/intercept$dir/app.cgi";
    }
    for my $file ([ '/may/on', 'On' ], [ '/may/off', 'Off' ],
                  [ '/may-not', 'On' ]) {
        open my $out, '>', "$LOGS/intercept$file->[0]/.htaccess" or die $!;
        print $out "OpenIDIntercept $file->[1]\n";
        close $out;
    }
    my %expected = ('/app' => 'on', '/off' => 'off', '/off/x' => 'off',
                    '/off/on' => 'on');
    is $begins->(url("/intercept$_")), $expected{$_}, "<Location> at $_"
        for sort keys %expected;
    # inside <Location /intercept>, which is merged last: a place of its own
    my %dir = ('/app.cgi' => 'off', '/on/app.cgi' => 'on',
               '/on/below/app.cgi' => 'on', '/may/on/app.cgi' => 'on',
               '/may/off/app.cgi' => 'off', '/may-not/app.cgi' => 500);
    is $begins->(url("/intercept-dir$_")), $dir{$_}, "<Directory> at $_"
        for sort keys %dir;
    my %vhost = ('/whole' => 'on', '/whole/x' => 'on', '/whole/not' => 'off',
                 '/whole/not/x' => 'off', '/intercept/off' => 'off');
    is $begins->(url($_, 'intercept_whole')), $vhost{$_},
        "<VirtualHost> at $_" for sort keys %vhost;
    my ($browser, $back) = signed_in($op,
        url('/intercept-dir/on/app.cgi/x?a=b'), $ALICE);
    is_deeply known($back, '<Directory>'), who($op, $ALICE),
        '<Directory>: a login ends well';
    called_at($back, '/intercept-dir/on/app.cgi/x?a=b', '<Directory>');
    ($browser, $back) = signed_in($op, url('/intercept-dir/may/on/app.cgi'),
                                  $ALICE);
    is_deeply known($back, '.htaccess'), who($op, $ALICE),
        '.htaccess: a login ends well';
}

sub protect_mode_wins {
    for my $target (url('/intercept/protect'),
                    url('/whole/members', 'intercept_whole')) {
        is browser()->get($target)->status, 401,
            'AuthType OpenID inside: a login page';
        my $page = begin_login(browser(), $target, 'ftp://x/');
        is $page->status, 400, 'AuthType OpenID inside: with its errors';
        my ($browser, $back) = signed_in($op, $target, $ALICE);
        is $back->status, 303, 'AuthType OpenID inside: and a session';
        is env_of($browser->get($target))->{REMOTE_USER}, $ALICE,
            'AuthType OpenID inside: for who signs in';
    }
}

sub mistakes {
    for my $case ([ 'OpenIDIntercept maybe', qr/OpenIDIntercept/ ],
                  [ 'OpenIDIntercept', qr/OpenIDIntercept/ ],
                  [ 'OpenIDSession sometimes', qr/"sometimes" is not/ ],
                  [ 'OpenIDPassHeaders "X Y"', qr/cannot begin the name/ ],
                  [ 'OpenIDPassHeaders X_', qr/cannot begin the name/ ],
                  [ 'OpenIDPassHeaders ""', qr/OpenIDPassHeaders takes/ ]) {
        my ($line, $like) = @$case;
        my ($good, $says) = OpenID2RP::Httpd->new($line)->command('-t');
        ok !$good, "$line: httpd does not start";
        like $says, $like, "$line: and says why";
    }
    my ($good, $says) = OpenID2RP::Httpd->new('OpenIDIntercept On',
        'OpenIDSession store', 'OpenIDPassHeaders X-')->command('-t');
    ok $good, 'control: right ones' or diag $says;
}

# --- a store that is away ---------------------------------------------------

sub a_store_that_is_away {
    my $redis = OpenID2RP::Server->redis(keep => 1);
    my $inherited = join '', OpenID2RP::Process::lines_of('t/inherited.conf');
    my @cgi = $inherited =~ /^(LoadModule (?:cgid?|alias)_module .*)$/mg;
    my $httpd = OpenID2RP::Httpd->new(@cgi, 'OpenIDStore ' . $redis->place,
        'OpenIDAssociate never',
        'ScriptAlias "/app" "' . Cwd::getcwd() . '/t/cgi/env.cgi"',
        '<Location "/app">', 'OpenIDIntercept On', '</Location>',
        '<Location "/app/store">', 'OpenIDSession store', '</Location>');
    ok $httpd->start, 'an httpd with redis starts' or die $httpd->says;
    my $target = $httpd->origin . '/app?a=b';
    my ($browser, $back) = signed_in($op, $target, $ALICE);
    is env_of($back)->{REMOTE_USER}, $ALICE, 'control: one can sign in';
    my ($member) = signed_in($op, $httpd->origin . '/app/store', $ALICE);
    my $waiting = begin_login($browser, $target, $ALICE);

    $redis->pause;
    for my $way (ways()) {
        my ($page, $body) = begin_by($way, browser(), $target, $ALICE);
        told_notice($page, qr/./, "away, $way");
        is env_of($page)->{BODY}, $body, "away, $way: with its body";
    }
    my $page = $browser->get($op->assertion($waiting));
    my $ours = ours(env_of($page));
    is $ours->{OPENID2RP_ERROR_CODE}, 'store-failed', 'away, a return: error';
    is_deeply [ sort keys %$ours ],
        [ 'OPENID2RP_ERROR', 'OPENID2RP_ERROR_CODE' ], 'and nobody';
    $page = $member->get($httpd->origin . '/app/store');
    is $page->status, 200, 'away, a member: the application answers';
    is_deeply ours(env_of($page)), {}, 'away, a member: nobody';
    $page = $browser->post($target, 'x=y');
    is env_of($page)->{BODY}, 'x=y', 'away: what is not ours passes';

    $redis->resume;
    # each process notices by itself
    my $until = sub {
        my ($name, $what) = @_;
        ok OpenID2RP::Process::wait_for($what, 6), "back: $name";
    };
    $until->('logins begin', sub {
        begin_login(browser(), $target, $ALICE)->status == 303 });
    $until->('the one that waited ends well', sub {
        my $back = $browser->get($op->assertion($waiting));
        return (env_of($back)->{REMOTE_USER} // '') eq $ALICE });
    $until->('the member is there', sub {
        my $page = $member->get($httpd->origin . '/app/store');
        return (env_of($page)->{REMOTE_USER} // '') eq $ALICE });
    ok $httpd->stop, 'it stops';
    is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
}
