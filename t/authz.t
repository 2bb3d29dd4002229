#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The module among others: who may pass, and that nothing of what they serve
# passes to anybody else.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Test;
use Test::More;

my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');

op_reset();

sub member {
    my ($who) = @_;
    my $browser = browser();
    my $page = login($browser, url('/site/as/page/plain.html'), $who);
    $page->status == 200 or BAIL_OUT('nobody can sign in: ' . $page->status);
    return $browser;
}

my $alice = member($ALICE);
my $bob = member($BOB);

# Nobody gets the login page there, and Alice what is behind it.
sub is_protected {
    my ($path, $what) = @_;
    my $url = url($path);
    my $page = browser()->get($url);
    is $page->status, 401, "$what: nobody is let in";
    is $page->action, $path, "$what: there is a login page in its place";
    unlike $page->body, qr/PROTECTED/, "$what: without what is protected";
    my $answer = $alice->get($url);
    is $answer->status, 200, "$what: Alice is let in";
    like $answer->body, qr/PROTECTED/, "$what: and finds it";
    my $browser = browser();
    my $end = login($browser, $url, $ALICE);
    like $end->body, qr/PROTECTED/, "$what: so does who signs in there";
    return $end;
}

sub is_known {
    my ($response, $what) = @_;
    my $env = env_of($response);
    is $env->{REMOTE_USER}, $ALICE, "$what: REMOTE_USER is Alice";
    is $env->{AUTH_TYPE}, 'OpenID', "$what: AUTH_TYPE is OpenID";
    is $env->{OPENID2RP_IDENTIFIER}, $ALICE, "$what: so is the identifier";
    is $env->{OPENID2RP_SREG_NICKNAME}, 'alice', "$what: with her name";
}

# --- Require ----------------------------------------------------------------

is $alice->get(url('/site/as/user/plain.html'))->status, 200,
    'Require user: the right one is let in';
{
    my $answer = $bob->get(url('/site/as/user/plain.html'));
    is $answer->status, 401, 'Require user: another one is not';
    unlike $answer->body, qr/PROTECTED/, 'nor sees what is protected';
    is $answer->header('WWW-Authenticate'), 'OpenID',
        'the 401 names a way to authenticate';
    is $bob->get(url('/site/as/user-403/plain.html'))->status, 403,
        'AuthzSendForbiddenOnFailure: another one is forbidden';
    is $alice->get(url('/site/as/user-403/plain.html'))->status, 200,
        'control: the right one is let in';
    is $bob->get(url('/site/as/page/plain.html'))->status, 200,
        'control: the other one is signed in';
    is browser()->get(url('/site/as/user/plain.html'))->action,
        '/site/as/user/plain.html', 'Require user: nobody gets the page';
    is login($bob, url('/site/app/user'), $ALICE)->status, 200,
        'the other one can sign in as the right one';
    $bob = member($BOB);
}
is browser()->get(url('/site/as/all-here/plain.html'))->status, 401,
    'RequireAll: the address alone is not enough';
is $alice->get(url('/site/as/all-here/plain.html'))->status, 200,
    'RequireAll: address and user are';
unlike $alice->get(url('/site/as/all-elsewhere/plain.html'))->body,
    qr/PROTECTED/, 'RequireAll: the user alone is not';
unlike browser()->get(url('/site/as/all-elsewhere/plain.html'))->body,
    qr/PROTECTED/, 'RequireAll: nothing is even less';
is browser()->get(url('/site/as/any-here/plain.html'))->status, 200,
    'RequireAny: the address is enough';
is browser()->get(url('/site/as/any-elsewhere/plain.html'))->status, 401,
    'RequireAny: neither address nor user is not';
is $alice->get(url('/site/as/any-elsewhere/plain.html'))->status, 200,
    'RequireAny: the user is';

# --- mod_dir, mod_negotiation -----------------------------------------------

is_known(is_protected('/site/dir/', 'a directory with an index'),
    'a directory with an index');
is_known(is_protected('/site/dir/index.cgi', 'the index by its name'),
    'the index by its name');
{
    my $page = browser()->get(url('/site/dir'));
    is $page->status, 401, 'a directory without its slash: the login page';
    is $alice->get(url('/site/dir'))->header('Location'), url('/site/dir/'),
        'and the way to the slash when signed in';
    my $browser = browser();
    is login($browser, url('/site/dir'), $ALICE)->status, 200,
        'a login there leads to the index';
    is_known($alice->get(url('/site/dir/?a=1')), 'an index with a query');
    is env_of($alice->get(url('/site/dir/?a=1&b')))->{QUERY_STRING}, 'a=1&b',
        'which is as it was';
}
is_protected('/site/multi/page.html', 'a page in several languages');
is_protected('/site/multi/page', 'a page of several types');
like $alice->get(url('/site/multi/page'),
    headers => [[ 'Accept-Language', 'de' ]])->body, qr/auf Deutsch/,
    'control: they are negotiated';
is browser()->get(url('/site/multi/none'))->status, 401,
    'what there is none of is not told';
is $alice->get(url('/site/multi/none'))->status, 404,
    'control: but to Alice';

# --- ErrorDocument ----------------------------------------------------------

my $program = browser(Accept => 'application/json');
{
    my $answer = $program->get(url('/site/as/error-outside/plain.html'));
    is $answer->status, 401, 'ErrorDocument 401 outside: the status stays';
    like $answer->body, qr/ERROR-DOCUMENT outside/, 'its text is sent';
    $answer = $program->get(url('/site/as/error-inside/plain.html'));
    is $answer->status, 401, 'ErrorDocument 401 inside: the status stays';
    unlike $answer->body, qr/PROTECTED/,
        'and nothing protected but that text is sent';
    $answer = $program->get(url('/site/as/error-other/plain.html'));
    is $answer->status, 401, 'ErrorDocument 401 that is protected elsewhere:'
        . ' the status stays';
    unlike $answer->body, qr/PROTECTED|<form/, 'and neither it nor a page sent';
    is $alice->get(url("/site/as/$_/plain.html"))->status, 200,
        "control: $_ is there for Alice"
        for qw(error-outside error-inside error-other);
    is browser()->get(url('/site/as/error-outside/plain.html'))->action,
        '/site/as/error-outside/plain.html',
        'a browser gets the login page and no ErrorDocument';
}

{
    my $answer = browser()->get(url('/site/public/missing'));
    is $answer->status, 404, 'ErrorDocument 404 that is protected: the status'
        . ' stays';
    unlike $answer->body, qr/PROTECTED|<form/, 'and no login page is sent';
    $answer = $alice->get(url('/site/public/missing'));
    is $answer->status, 404, 'control: so it does for Alice';
    like $answer->body, qr/PROTECTED/, 'control: who gets that document';
}

# --- mod_rewrite ------------------------------------------------------------

for my $path ('/site/front/', '/site/front/some/page', '/site/front/a.html') {
    is_known(is_protected($path, "front controller, $path"),
        "front controller, $path");
}
is env_of($alice->get(url('/site/front/some/page?a=1')))->{REQUEST_URI},
    '/site/front/some/page?a=1', 'control: the front controller was asked';

# --- mod_include ------------------------------------------------------------

for my $page ('include.shtml', 'include-cgi.shtml') {
    my $url = url("/site/public/$page");
    my $answer = browser()->get($url);
    is $answer->status, 200, "$page: the public page is for all";
    like $answer->body, qr/BEFORE.*AFTER/s, "$page: it is whole";
    unlike $answer->body, qr/PROTECTED/,
        "$page: what is protected is not in it";
    unlike $answer->body, qr/<form/, "$page: nor is a login page";
    is $answer->header('Content-Security-Policy'), undef,
        "$page: nor its headers";
    like $alice->get($url)->body, qr/BEFORE.*PROTECTED.*AFTER/s,
        "$page: for Alice it is";
    my $odd = browser()->get("$url?openid_identifier=" . encode($ALICE));
    is $odd->status, 200, "$page: no login begins in the middle of it";
    unlike $odd->body, qr/PROTECTED/, "$page: nor is anything shown";
}
is env_of($alice->get(url('/site/public/include-cgi.shtml')))->{REMOTE_USER},
    $ALICE, 'an included program knows the user';

# --- mod_proxy, other handlers ----------------------------------------------

{
    my $end = is_protected('/site/proxied/', 'a proxied place');
    is env_of($end)->{PATH_INFO}, '/', 'control: a backend answered';
    for my $method (qw(POST PUT DELETE OPTIONS HEAD)) {
        my $answer = browser()->send($method, url('/site/proxied/x'),
            $method =~ /P/ && $method ne 'OPTIONS' ? 'a' : undef);
        is $answer->status, 401, "nothing is proxied for nobody by $method";
        unlike $answer->body, qr/PROTECTED/, 'nor its body sent';
    }
    like browser()->get(url('/site/status'))->body, qr/<form/,
        'server-status: a login page for nobody';
    my $status = $alice->get(url('/site/status?auto'));
    like $status->body, qr/^Total Accesses/m, 'server-status: for Alice it is';
    like browser()->get(url('/site/status?auto'))->body, qr/<form/,
        'server-status: its query makes no difference';
    is_known(is_protected('/site/app/page/path/info?a=1', 'a program'),
        'a program');
}

# --- what a client says of itself -------------------------------------------

my @spoofed = ('OPENID2RP-IDENTIFIER', 'OPENID2RP_IDENTIFIER',
    'openid2rp-identifier', 'Openid2rp.Identifier', 'OpenID2RP-Email',
    'OPENID2RP', 'openid2rp_X', 'OPENID2RP--', 'OpenID2rp~x');
for my $case (
    [ 'a program', '/site/app/page' ], [ 'an index', '/site/dir/' ],
    [ 'a front controller', '/site/front/x' ],
    [ 'a backend', '/site/proxied/' ],
    [ 'an included program', '/site/public/include-cgi.shtml' ],
) {
    my ($what, $path) = @$case;
    my $env = env_of($alice->get(url($path),
        headers => [ map({ [ $_, 'spoofed-value' ] } @spoofed),
                     [ 'X-Control', 'control-value' ] ]));
    my @seen = grep { $env->{$_} =~ /spoofed/ } sort keys %$env;
    is_deeply \@seen, [], "$what: headers like our variables do not arrive";
    is $env->{HTTP_X_CONTROL}, 'control-value', 'control: another one does';
}
{
    my $env = env_of($alice->get(url('/site/app/page'), headers => [
        map { [ $_, 'mallory' ] } 'REMOTE_USER', 'Remote-User', 'AUTH_TYPE' ]));
    is $env->{REMOTE_USER}, $ALICE, 'REMOTE_USER is not what a client says';
    is $env->{AUTH_TYPE}, 'OpenID', 'nor is AUTH_TYPE';
    $env = env_of(browser()->get(url('/site/app/public'), headers => [
        [ 'Remote-User', 'mallory' ], [ 'OPENID2RP-IDENTIFIER', $ALICE ] ]));
    is $env->{REMOTE_USER}, undef, 'where all may pass there is no user';
    is_deeply [ grep { /\AOPENID2RP/ } keys %$env ], [], 'nor are variables';
    $env = env_of($alice->get(url('/site/app/any-app'), headers => [
        map { [ $_, 'spoofed-value' ] } @spoofed ]));
    is_deeply [ grep { $env->{$_} =~ /spoofed/ } sort keys %$env ], [],
        'they do not arrive either where an address is enough';
    is $env->{BODY_SIZE}, 0, 'control: it was asked';
}

# --- parameters that mean nothing -------------------------------------------

for my $query ('openid.mode=id_res', 'openid.mode=cancel',
    'openid.mode=id_res&openid.claimed_id=' . encode($ALICE)
        . '&openid.identity=' . encode($ALICE) . '&openid.sig=x',
    'openid_error=x', 'openid_target=//evil.example/',
    'openid_returned=x', 'xopenid_return=x', 'openid_identifiers=x') {
    my $env = env_of($alice->get(url("/site/app/page?$query")));
    is $env->{QUERY_STRING}, $query, "$query is the application's";
    is $env->{REMOTE_USER}, $ALICE, 'and the user stays signed in';
    my $page = browser()->get(url("/site/app/page?$query"));
    is $page->status, 401, "$query signs nobody in";
    is $page->alert, undef, 'and is no failed login';
}
is $alice->get(url('/site/app/page?openid_return=x&openid.mode=id_res'))
    ->status, 303, 'control: openid_return makes an answer of it';
is env_of($alice->get(url('/site/app/page')))->{REMOTE_USER}, $ALICE,
    'and the user stays signed in';

# --- sections in sections ---------------------------------------------------

{
    my $outer = $program->get(url('/site/as/outer/plain.html'));
    unlike $outer->body, qr/<form/, 'the outer section: 401';
    my $inner = $program->get(url('/site/as/inner/plain.html'));
    like $inner->body, qr/<form/, 'the inner section has its own action';
    like $inner->body, qr/>Inner</, 'and its own buttons';
    unlike $inner->body, qr/>Outer</, 'and not those of the outer one';
    my $restored = browser()->get(url('/site/as/restored/plain.html'));
    like $restored->body, qr/<form/, 'an inner section can restore a default';
    unlike $program->get(url('/site/as/restored/plain.html'))->body,
        qr/<form/, 'control: it is the default';
    like $restored->body, qr/>Outer</, 'and inherits what it says nothing of';
    my %jar;
    for my $where ('outer', 'inner', 'restored') {
        my $browser = browser();
        is login($browser, url("/site/as/$where/plain.html"), $ALICE)->status,
            200, "one can sign in at $where";
        $jar{$where} = join ' ', sort keys %{ $browser->cookie };
    }
    is_deeply \%jar, { outer => 'outer', inner => 'inner',
        restored => 'openid2rp' }, 'the cookies have the names of the sections';
    is browser()->get(url('/site/as/public/plain.html'))->status, 200,
        'AuthType None in an inner section: all may pass';
}

# --- .htaccess --------------------------------------------------------------

{
    my $page = $program->get(url('/site/htaccess/'));
    is $page->status, 401, '.htaccess: nobody is let in';
    like $page->body, qr/>From \.htaccess</, 'its settings are used';
    is_known(is_protected('/site/htaccess/', '.htaccess'), '.htaccess');
}

# --- another AuthType beside it ---------------------------------------------

{
    my $file = Apache::Test::basic_config()->{vars}{t_logs} . '/site.passwd';
    open my $out, '>', $file or BAIL_OUT("$file: $!");
    # The user is "carol", and so is the password.
    print $out 'carol:', crypt('carol', '$1$saltsalt$'), "\n";
    close $out;
    my $basic = url('/site/app/basic');
    my $answer = $alice->get($basic);
    is $answer->status, 401, 'AuthType Basic: a session is of no use';
    like $answer->header('WWW-Authenticate'), qr/\ABasic /, 'it asks itself';
    unlike $answer->body, qr/<form/, 'there is no login page';
    my @carol = ([ Authorization => 'Basic Y2Fyb2w6Y2Fyb2w=' ]);
    my $env = env_of($alice->get($basic, headers => \@carol));
    is $env->{REMOTE_USER}, 'carol', 'and it has its own users';
    is_deeply [ grep { /\AOPENID2RP/ } keys %$env ], [],
        'without variables of ours';
    is $alice->get("$basic?openid_identifier=x", headers => \@carol)->status,
        200, 'a login does not begin there';
    is browser()->get(url('/site/app/page'), headers => \@carol)->status, 401,
        'nor does a password help with us';
    is env_of($alice->get(url('/site/app/page'), headers => \@carol))
        ->{REMOTE_USER}, $ALICE, 'nor does it change who is signed in';
}

unlike browser()->get(url('/site/app/page'))->header('Set-Cookie') // '',
    qr/./, 'the login page sets no cookie';

done_testing;
