#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What another site can do to somebody's browser: I. Browser side. The site is
# site.test, with scripts, cookies and frames as Chromium really handles them;
# localhost is a site as well, because Chromium says there where a request
# comes from (Sec-Fetch-Site), as it does to sites with https (tls.t).

use v5.14;
use strict;
use warnings;
use OpenID2RP::Chromium;
use OpenID2RP::Test;
use Test::More;

my $SITE = url('/browser', 'browser_site') =~ s/localhost/site.test/r;
my $HERE = url('/browser');
my $BYE = "$SITE/public/bye.html";
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
# Pages for any name: each does what its path says with what follows it.
my $WEB = web_server(\&page);
my $EVIL = $WEB =~ s/127\.0\.0\.1/evil.test/r;
my $SIBLING = $WEB =~ s/127\.0\.0\.1/evil.site.test/r;
my @SCRIPTS = ('"><script>window.marker=1</script>',
    q('"></title></style><img src=x onerror=window.marker=1>),
    '" autofocus onfocus="window.marker=1" x="',
    '"><svg/onload=alert(1)>');
my $MANY = provider();          # nothing is fast enough for thirty logins
my $victim = OpenID2RP::Chromium->new->browser;

op_reset();

scripts_in_what_a_request_says();
scripts_in_what_a_provider_says();
scripts_that_got_into_our_pages();
the_return_url_of_somebody_else();
a_link_that_begins_a_login();
a_form_that_begins_a_login();
a_form_that_begins_one_by_http();
a_picture_that_begins_a_login();
our_pages_in_a_frame();
cookies_of_a_sibling();
a_login_cookie_of_a_sibling();
many_begun_logins();
done_testing;

sub page {
    my ($path) = @_;
    my ($what, $rest) = $path =~ m{\A/(\w+)(?:\?(.*))?\z}s or return [404], '';
    my @more = split /&/, $rest // '';
    my $to = decode($more[0] // '') =~ s/"/&quot;/gr;
    my $id = decode($more[1] // '');
    my %body = (
        # as a careless site would
        echo => "<title>echo</title>" . decode($rest // ''),
        link => qq{<a href="$to">go</a>},
        form => qq{<form method=post action="$to"><input type=hidden
            name=openid_identifier value="$id"></form>
            <script>document.forms[0].submit()</script>},
        frame => qq{<iframe src="$to"></iframe>},
        toss => '<title>tossed</title>',
    );
    return ([ 200, 'Content-Type: text/html',
        $what eq 'toss' ? map({ 'Set-Cookie: ' . decode($_) } @more) : () ],
        $body{$what} // '');
}

# Somebody new opens a page.
sub visit {
    my ($page) = @_;
    $victim->forget;
    $victim->go($page);
    $victim->complaints;
    refusals();
}

sub signs_in {
    my ($page, $name, $user) = @_;
    $victim->go($page);
    $victim->sign_in($user // $ALICE);
    ok $victim->arrives($page, qr/Signed in/),
        "$name: a login ends on the page";
    is $victim->text('#user'), $user // $ALICE, "$name: signed in";
}

sub is_nobody {
    my ($name) = @_;
    is_deeply [ grep { $_->{name} !~ /login/ } $victim->cookies ], [],
        "$name: no session cookie";
    $victim->go("$SITE/who");
    is $victim->text('#user'), undef, "$name: not signed in";
    ok $victim->count('#openid'), "$name: but asked to";
}

# --- scripts -----------------------------------------------------------------

sub nothing_ran {
    my ($name) = @_;
    is $victim->alert, undef, "$name: no alert is open";
    is $victim->run('return typeof window.marker'), 'undefined',
        "$name: no script has run";
    is_deeply [ grep { !/\Anetwork: .* status of \d+ / }
                $victim->complaints ], [], "$name: nor was one stopped";
    ok $victim->count('main form, main'), "$name: it is one of our pages";
}

sub scripts_in_what_a_request_says {
    $victim->go("$WEB/echo?" . encode($SCRIPTS[0]));
    is $victim->run('return window.marker'), 1,
        'control: a script in a page that does not escape runs';
    $victim->go("$WEB/echo?" . encode($SCRIPTS[3]));
    is $victim->alert, '1', 'control: so would an alert be seen';
    $victim->must('POST', '/alert/dismiss');
    visit("$SITE/xss");
    my $raw = join '', @SCRIPTS;
    my $script = encode($raw);
    my %probe = (
        map({ ("an identifier, $_" => '?openid_identifier='
               . encode($SCRIPTS[$_])) } 0 .. $#SCRIPTS),
        'a parameter' => "?x=$script", 'a name' => "?$script=1",
        'a raw query' => '?' . $raw =~ s/ /+/gr,
        'a path' => '/' . $script =~ s/%2F/\//gr,
        'a key' => "?openid_return=$script",
        'an error' => '?openid_return=x&openid.mode=error&openid.error='
            . $script);
    for my $what (sort keys %probe) {
        $victim->go("$SITE/xss$probe{$what}");
        nothing_ran("scripts in $what");
    }
    $victim->go("$SITE/xss");
    $victim->sign_in($SCRIPTS[2]);
    ok $victim->wait_for(sub { $victim->count('[role=alert]') }),
        'a script that was typed is no OpenID';
    is $victim->property('#openid', 'value'), $SCRIPTS[2],
        'it can be mended';
    nothing_ran('a script that was typed');
}

sub scripts_in_what_a_provider_says {
    visit("$SITE/xss-provider");
    op_mode(auto => undef);
    $victim->sign_in($ALICE);
    ok $victim->arrives(qr{/op/endpoint}), 'a login is begun';
    my %asked = map { @$_ } pairs_of($victim->url);
    $victim->go("$asked{'openid.return_to'}&" . query_of(
        [ 'openid.ns', 'http://specs.openid.net/auth/2.0' ],
        [ 'openid.mode', 'error' ],
        [ 'openid.error', join ' ', 'words', @SCRIPTS ]));
    like $victim->text('[role=alert]'), qr/words.*<script>/,
        'what the provider says is shown as text';
    nothing_ran('an error of the provider');
    op_mode(auto => 'any');
}

# Were there a hole: the policy is what is left.
sub scripts_that_got_into_our_pages {
    my $insert = 'var s = document.createElement("script");
        s.textContent = "window.marker = 1"; document.body.append(s);
        var i = new Image(); i.src = "/favicon.ico"; document.body.append(i);
        i.setAttribute("onclick", "window.marker = 2"); i.click()';
    for my $page (["$SITE/policy", 'the login page'],
                  ["$SITE/policy?openid_return=x&openid.mode=cancel",
                   'the page of a refused login']) {
        visit($page->[0]);
        $victim->run($insert);
        is $victim->run('return typeof window.marker'), 'undefined',
            "no script that got into $page->[1] runs";
        like join("\n", $victim->complaints), qr/script-src|default-src/,
            "its policy stops it";
    }
    $victim->go($BYE);
    $victim->run($insert);
    is $victim->run('return window.marker'), 2,
        'control: in another page it runs';
}

# --- login CSRF --------------------------------------------------------------

sub the_return_url_of_somebody_else {
    my $mallory = browser();
    my $begun = begin_login($mallory, "$SITE/csrf", $BOB);
    my $url = ask_op($mallory, $begun);
    visit($BYE);
    $victim->go($url);
    like $victim->text('[role=alert]'), qr/\w/, 'csrf: a sentence says why not';
    is_deeply [refusals()], ['other-browser'],
        'csrf: the return URL of another browser is refused';
    is_nobody('csrf');

    $victim->go("$EVIL/link?" . encode($url));
    $victim->click('a');
    ok $victim->wait_for(sub { $victim->count('[role=alert]') }),
        'csrf: so it is by a link of another site';
    is_nobody('csrf, by a link');
    signs_in("$SITE/csrf", 'csrf, control: a login of their own');
    $victim->go($url);
    ok $victim->wait_for(sub { $victim->count('[role=alert]') }),
        'csrf: so it is for somebody who is signed in';
    $victim->go("$SITE/csrf");
    is $victim->text('#user'), $ALICE, 'csrf: who stays who they are';
    is $mallory->get($url)->status, 303,
        'control: in the browser that began it, the login completes';
}

# One click shows that it is wanted.
sub needs_a_click {
    my ($name) = @_;
    ok $victim->wait_for(sub { $victim->count('#openid') }),
        "$name leads to the login page";
    is $victim->property('#openid', 'value'), $BOB,
        "$name: the field is filled in";
    is_deeply [ grep { $_->{name} =~ /login/ } $victim->all_cookies ], [],
        "$name: no login has begun";
    $victim->go("$HERE/me");
    is $victim->text('#user'), $ALICE, "$name: nobody is signed out";
}

sub a_link_that_begins_a_login {
    visit("$HERE/me");
    signs_in("$HERE/me", 'a link');
    my $start = "$HERE/me?openid_identifier=" . encode($BOB);
    $victim->go("$EVIL/link?" . encode($start));
    $victim->click('a');
    needs_a_click('a link');

    $victim->go($start);
    ok $victim->arrives("$HERE/me", qr/Signed in/),
        'control: who types it means it, and a login begins';
    is $victim->text('#user'), $BOB, 'control: and signs in';
}

sub a_form_that_begins_a_login {
    visit("$HERE/me");
    signs_in("$HERE/me", 'a form');
    $victim->go("$EVIL/form?" . encode("$HERE/me") . '&' . encode($BOB));
    needs_a_click('a form that submits itself');

    $victim->go("$EVIL/form?" . encode("$HERE/me") . '&' . encode($BOB));
    ok $victim->wait_for(sub { $victim->count('#openid') }), 'and again';
    $victim->click('#openid ~ button');
    ok $victim->arrives("$HERE/me", qr/Signed in/),
        'control: a click there begins it';
    is $victim->text('#user'), $BOB, 'control: and signs in';
}

# Of http sites, Chromium says an origin of forms alone.
sub a_form_that_begins_one_by_http {
    for my $evil ($EVIL, $SIBLING) {
        my $name = $evil eq $EVIL ? 'by http' : 'by http, of a sibling';
        visit("$SITE/me");
        signs_in("$SITE/me", $name);
        $victim->go("$evil/form?" . encode("$SITE/me") . '&' . encode($BOB));
        ok $victim->wait_for(sub { $victim->count('#openid') }),
            "$name: a form that submits itself leads to the login page";
        is $victim->property('#openid', 'value'), $BOB,
            "$name: the field is filled in";
        is_deeply [ grep { $_->{name} =~ /login/ } $victim->all_cookies ], [],
            "$name: no login has begun";
        $victim->click('#openid ~ button');
        ok $victim->arrives("$SITE/me", qr/\Q$BOB/),
            "$name: control: a form of our own begins it";
    }
    # as an application's own page would
    for my $policy (undef, 'no-referrer') {
        visit("$SITE/me");
        $victim->go($BYE);
        $victim->run('if (arguments[2]) {
                let m = document.createElement("meta");
                m.name = "referrer"; m.content = arguments[2];
                document.head.append(m);
            }
            let f = document.createElement("form");
            f.method = "post"; f.action = arguments[0];
            let i = document.createElement("input");
            i.name = "openid_identifier"; i.value = arguments[1];
            f.append(i); document.body.append(f);
            setTimeout(() => f.submit(), 0)', "$SITE/me", $ALICE, $policy);
        if ($policy) {
            ok $victim->wait_for(sub { $victim->count('#openid') }),
                q(by http: a form of a page without referrers needs a click);
            is $victim->property('#openid', 'value'), $ALICE,
                'by http: and one is enough';
            $victim->click('#openid ~ button');
        }
        ok $victim->arrives("$SITE/me", qr/\Q$ALICE/),
            q(by http: control: the site's own form begins a login)
            . ($policy ? ' then' : '');
    }
}

# In a comment that the site itself shows.
sub a_picture_that_begins_a_login {
    visit("$HERE/me");
    signs_in("$HERE/me", 'a picture');
    my $start = "$HERE/me?openid_identifier=" . encode($BOB);
    is $victim->run('let image = new Image();
        let ended = new Promise(end => image.onload = image.onerror = end);
        image.src = arguments[0];
        return (await ended).type', $start), 'error', 'a picture is none';
    $victim->reload;
    is $victim->text('#user'), $ALICE, 'a picture: nobody else is signed in';
    $victim->go($start);
    ok $victim->arrives("$HERE/me", qr/\Q$BOB/),
        'control: who opens its address signs in';
}

# --- frames ------------------------------------------------------------------

sub our_pages_in_a_frame {
    visit($BYE);
    my %page = ('the login page' => "$SITE/framed",
        'a refused login' => "$SITE/framed?openid_return=x",
        'a page with buttons' => "$SITE/buttons");
    for my $what (sort keys %page) {
        $victim->go("$EVIL/frame?" . encode($page{$what}));
        like join("\n", $victim->complaints), qr/frame-ancestors/,
            "$what: Chromium does not put it into a frame";
        $victim->frame('iframe');
        is $victim->count('form, main'), 0, "$what: nothing of it shows";
        $victim->frame;
    }
    $victim->go("$EVIL/frame?" . encode($BYE));
    $victim->frame('iframe');
    like $victim->text, qr/You are signed out/,
        'control: a page of the site that lets itself be framed shows';
    $victim->frame;
}

# --- cookies -----------------------------------------------------------------

# Another host of the domain sets cookies for all of it. Chromium sends those
# with the longest path first.
sub toss {
    my (@cookies) = @_;
    $victim->go("$SIBLING/toss?" . join '&', map { encode($_) } @cookies);
    is $victim->title, 'tossed', 'a sibling sets cookies';
}

# So many cookies that look like sessions, each with a value and a path of its
# own: these make them different, and so does the host.
sub junk {
    my ($n) = @_;
    return map { sprintf 'openid2rp=%022d; Domain=site.test; Path=/browser/'
                     . 'toss%s', $_, '/a' x $_ } 0 .. $n - 1;
}

sub cookies_of_a_sibling {
    visit("$SITE/toss");
    toss(junk(7));
    $victim->go("$SITE/toss" . '/a' x 7);
    is scalar(grep { $_->{name} eq 'openid2rp' } $victim->cookies), 7,
        'control: the site gets them all';
    signs_in("$SITE/toss" . '/a' x 7, 'seven sessions that are none');
    $victim->go("$SITE/toss");
    is $victim->text('#user'), $ALICE, 'and elsewhere it holds too';

    my $mallory = browser();
    login($mallory, "$SITE/toss/own", $BOB);
    visit("$SITE/toss");
    toss('openid2rp=' . $mallory->cookie('openid2rp')
         . '; Domain=site.test; Path=/browser/toss');
    $victim->go("$SITE/toss");
    is $victim->text('#user'), $BOB,
        q(control: by http, nobody can tell a sibling's cookie from ours);
    $victim->go("$SITE/toss?openid_identifier=" . encode($ALICE));
    ok $victim->arrives("$SITE/toss", qr/Signed in/),
        'but who then signs in';
    is $victim->text('#user'), $ALICE, 'is who they are';
}

sub a_login_cookie_of_a_sibling {
    visit("$SITE/toss");
    op_mode(auto => undef);
    $victim->sign_in($ALICE);
    ok $victim->arrives(qr{/op/endpoint}), 'a login is begun';
    my ($login) = grep { $_->{name} =~ /login/ } $victim->all_cookies;
    my $provider = $victim->url;
    toss(map { "$login->{name}=" . 'x' x 22 . "; Domain=site.test; Path=$_" }
         '/browser/toss', '/browser', '/');
    $victim->go("$SITE/toss");
    is scalar(grep { $_->{name} eq $login->{name} } $victim->cookies), 4,
        'control: four cookies have the name of that login';
    $victim->go($provider);
    $victim->agree('alice');
    ok $victim->arrives("$SITE/toss", qr/Signed in/),
        'and the login completes';
    is $victim->text('#user'), $ALICE, 'and somebody is signed in';
    op_mode(auto => 'any');
}

sub many_begun_logins {
    visit($BYE);
    is $victim->run('let begun = 0;
        for (let i = 0; i < 30; i++) {
            let r = await fetch(arguments[0], { redirect: "manual" });
            begun += r.type == "opaqueredirect";
        }
        return begun', "$SITE/many?openid_identifier="
        . encode($MANY->id('somebody'))), 30, 'thirty logins are begun';
    my $n = grep { $_->{name} =~ /login/ } $victim->all_cookies;
    cmp_ok $n, '<=', 8, 'of which eight have a cookie at most';
    cmp_ok $n, '>', 0, 'control: and not none';
    signs_in("$SITE/many", 'the next one');
}
