#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Logins as people have them, in a real browser: the site is site.test, the
# provider another one, localhost.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Chromium;
use OpenID2RP::Test;
use Test::More;

my $SITE = url('/browser', 'browser_site') =~ s/localhost/site.test/r;
my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
my $chromium = OpenID2RP::Chromium->new;
my $someone = $chromium->browser;
my $scriptless = $chromium->browser(javascript => 0);

op_reset();
by_hand(\&by_the_field);
by_hand(\&by_a_button);
by_hand(\&a_cancelled_login);
by_hand(\&the_cookies);
by_a_button_that_names_a_user();
what_chromium_would_block();
what_a_provider_learns();
a_request_that_is_too_long($someone, 'with scripts');
a_request_that_is_too_long($scriptless, 'without scripts');
an_answer_by_post($someone, 'with scripts');
an_answer_by_post($scriptless, 'without scripts');
with_the_keyboard_alone();
what_a_screen_reader_has();
in_a_narrow_window();
what_without_scripts_means();
done_testing;

# Nobody is approved at once: people sign in at the provider, and agree.
sub by_hand {
    my ($test) = @_;
    op_mode(auto => undef);
    $test->();
    op_mode(auto => 'any');
}

# Somebody new opens a page.
sub visit {
    my ($browser, $page) = @_;
    $browser->forget;
    $browser->go($page);
    $browser->complaints;
}

sub is_member {
    my ($browser, $page, $user, $name) = @_;
    ok $browser->arrives($page, qr/Signed in/), "$name: back on the page";
    is $browser->text('#user'), $user, "$name: signed in";
    is_deeply [ unexpected($browser) ], [], "$name: the console is silent";
}

# What the console says, but for the status of the login page.
sub unexpected {
    my ($browser) = @_;
    return grep { !/\Anetwork: .* status of 40[01] / } $browser->complaints;
}

sub by_the_field {
    my $page = "$SITE/field?a=1&b=%41+";
    visit($someone, $page);
    is $someone->title, 'Sign in to site.test', 'the login page says where';
    $someone->sign_in($ALICE);
    $someone->agree('alice');
    is_member($someone, $page, $ALICE, 'by the field');
    is $someone->text('#address'), '/browser/field?a=1&b=%41+',
        'the application is asked for the address that was opened';

    $someone->go("$SITE/elsewhere");
    is $someone->text('#user'), $ALICE, 'and it lasts';
    $someone->click('#logout');
    ok $someone->arrives("$SITE/public/bye.html"), 'until the sign-out';
    $someone->go("$SITE/elsewhere");
    is $someone->title, 'Sign in to site.test', 'after which one is asked';
}

sub by_a_button {
    visit($someone, "$SITE/buttons");
    $someone->click('form:nth-of-type(1) button');
    $someone->agree('bob');
    is_member($someone, "$SITE/buttons", $BOB,
              'by a button, the user is who the provider says');
}

# Its label would like to be a script.
sub by_a_button_that_names_a_user {
    visit($someone, "$SITE/buttons");
    is $someone->text('form:nth-of-type(2) button'),
        '"><script>window.marker=1</script><img src=x onerror=alert(1)>',
        'a label is shown as it was configured';
    is $someone->run('return typeof window.marker'), 'undefined',
        'and is no script';
    $someone->click('form:nth-of-type(2) button');
    is_member($someone, "$SITE/buttons", $BOB, 'by a button with a user');
}

sub a_cancelled_login {
    visit($someone, "$SITE/cancel?a=1");
    $someone->sign_in($ALICE);
    ok $someone->wait_for(sub { $someone->count('button[value=cancel]') }),
        'the provider can be told no';
    $someone->click('button[value=cancel]');
    ok $someone->arrives(qr/openid_return=/), 'which leads back';
    like $someone->text('[role=alert]'), qr/\w/, 'and the page says so';
    $someone->sign_in($ALICE);
    $someone->agree('alice');
    is_member($someone, "$SITE/cancel?a=1", $ALICE, 'after a cancel');
}

# The control of all logins here: a policy that names its own site only stops
# the redirect that answers a form.
sub what_chromium_would_block {
    my $to = op_url('/');
    my $strict = web_server(sub {
        return ([ 303, "Location: $to" ], '') if $_[1] =~ /\APOST/;
        return ([ 200, 'Content-Type: text/html',
            "Content-Security-Policy: form-action 'self'" ],
            '<form method=post action=/><button>Go</button></form>');
    }) =~ s/127\.0\.0\.1/strict.test/r;
    $someone->go("$strict/");
    $someone->complaints;
    $someone->click('button');
    my $said = '';
    ok $someone->wait_for(sub { ($said .= join "\n", $someone->complaints)
                                    =~ /form-action/ }),
        q(control: Chromium stops a form's redirect that form-action does not)
        . ' name';
    is $someone->url, "$strict/", 'control: so one stays where one is';
}

# A provider that says which page it thinks that somebody comes from.
sub what_a_provider_learns {
    my $provider = web_server(sub {
        my (undef, $request) = @_;
        my ($referrer) = $request =~ /^Referer: (\S+)/mi;
        my ($origin) = $request =~ /^Origin: (\S+)/mi;
        return ([ 200, 'Content-Type: text/html' ], '<title>'
            . join(' ', map { $_ // 'none' } $referrer, $origin) . '</title>');
    }) =~ s/127\.0\.0\.1/localhost/r;
    my $id = id_for(id_site(), "$provider/endpoint");
    my ($site) = $SITE =~ m{\A(http://[^/]+)};
    for my $case ([ 'secret', 'none' ], [ 'long', $site ]) {
        my ($page, $origin) = @$case;
        visit($someone, "$SITE/$page?secret");
        $someone->sign_in($id);
        ok $someone->wait_for(sub { $someone->title =~ /\Ahttp|none/ }),
            "$page: at the provider";
        is $someone->title, "$site/ $origin",
            "$page: which learns the site, but no page of it";
    }
}

sub a_request_that_is_too_long {
    my ($browser, $how) = @_;
    visit($browser, "$SITE/long");
    $browser->sign_in($ALICE);
    if ($how eq 'without scripts') {
        ok $browser->wait_for(sub { $browser->title
                                        eq 'Going to your provider' }),
            "$how, a long request stops on its page";
        is $browser->text('button'), 'Continue to localhost',
            "$how, there is a button";
        $browser->width(320);
        is overflow($browser), 0, "$how, that page fits into 320 pixels";
        $browser->devtools('Emulation.clearDeviceMetricsOverride');
        $browser->click('button');
    }
    is_member($browser, "$SITE/long", $ALICE, "a long request, $how");
}

# The lines of the access log since it was asked last, with a POST that
# returns.
sub posts { grep { /"POST \S+\?openid_return=/ } OpenID2RP::Test::new_lines(
    OpenID2RP::Test::var('t_logs') . '/access_log') }

sub an_answer_by_post {
    my ($browser, $how) = @_;
    op_mode(answer => 'post');
    posts();
    visit($browser, "$SITE/post?x=1&y=");
    $browser->sign_in($BOB);
    if ($how eq 'without scripts') {
        ok $browser->wait_for(sub { $browser->count('#answer') }),
            "$how, the provider shows a form";
        $browser->click('#answer button');
    }
    is_member($browser, "$SITE/post?x=1&y=", $BOB, "an answer by POST, $how");
    my @posts = posts();
    is @posts, 1, "control: it came by POST, $how" or diag @posts;
    op_mode(answer => undef);
}

# --- what Chromium makes of our cookies --------------------------------------

# Of a cookie, what does not differ from login to login.
sub shape {
    my ($cookie) = @_;
    return { map { ($_ => ref $cookie->{$_} ? $cookie->{$_} ? 1 : 0
                         : $cookie->{$_}) }
             grep { !/\A(?:value|name|expiry)\z/ } keys %$cookie };
}

sub the_cookies {
    my %shape = (domain => 'site.test', path => '/', httpOnly => 1,
                 secure => 0, sameSite => 'Lax');
    visit($someone, "$SITE/cookies");
    is_deeply [ $someone->cookies ], [], 'a login page sets no cookie';
    $someone->sign_in($ALICE);
    ok $someone->arrives(qr{/op/endpoint}), 'on the way';
    my $begun = time;
    my @ours = grep { $_->{domain} eq 'site.test' } $someone->all_cookies;
    is @ours, 1, 'a login that has begun has one cookie';
    $someone->back;
    my ($login) = $someone->cookies;
    like $login->{name}, qr/\Aopenid2rp_login_[\w-]{12}\z/, 'of its own name';
    is_deeply shape($login), \%shape, 'for this host alone, and no script';
    cmp_ok abs($login->{expiry} - $begun - 600), '<', 60,
        'as long as a login may take';
    is $someone->run('return document.cookie'), '', 'scripts see nothing';
    $someone->run('document.cookie = "mine=1"');
    is $someone->run('return document.cookie'), 'mine=1',
        'control: but what they have set themselves';
    $someone->run('document.cookie = "mine=; max-age=0"');

    $someone->forward;
    $someone->agree('alice');
    is_member($someone, "$SITE/cookies", $ALICE, 'cookies');
    my @all = $someone->cookies;
    is_deeply [ map { $_->{name} } @all ], ['openid2rp'],
        'after it, there is the cookie of the session alone';
    is_deeply shape($all[0]), \%shape, 'for this host alone, and no script';
    is $all[0]{expiry}, undef, 'until the browser is closed';
    $someone->go("$SITE/logout");
    is_deeply [ $someone->cookies ], [], 'after the sign-out there is none';
}

# --- for everybody -----------------------------------------------------------

sub focus { $_[0]->run('return document.activeElement.id
    || document.activeElement.tagName') }

sub with_the_keyboard_alone {
    visit($someone, "$SITE/keys");
    is focus($someone), 'openid', 'the field has the focus';
    $someone->type('not an openid', 'Enter');
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        'Enter sends it';
    is focus($someone), 'openid', 'what is wrong can be mended at once';
    is $someone->property('#openid', 'value'), 'not an openid',
        'what was typed is still there';
    $someone->fill('#openid', '');
    $someone->type($ALICE, 'Tab');
    is focus($someone), 'BUTTON', 'the button comes next';
    $someone->type('Shift Tab');
    is focus($someone), 'openid', 'and the field before it';
    isnt $someone->run('return getComputedStyle(document.activeElement)
        .outlineStyle'), 'none', 'where the focus is can be seen';
    cmp_ok $someone->run('let e = document.activeElement,
            s = getComputedStyle(e);
        return e.getBoundingClientRect().top - parseFloat(s.outlineOffset)
            - parseFloat(s.outlineWidth)
            - document.querySelector("label").getBoundingClientRect().bottom'),
        '>=', -0.5, 'and does not touch the label';
    $someone->type('Tab', 'Enter');
    is_member($someone, "$SITE/keys", $ALICE, 'with the keyboard');

    visit($someone, "$SITE/buttons");
    is focus($someone), 'openid', 'with buttons, the field has the focus too';
    $someone->type('Shift Tab', 'Shift Tab');
    is $someone->run('return document.activeElement.textContent'),
        'Demo provider', 'the buttons come before it, in their order';
}

sub what_a_screen_reader_has {
    visit($someone, "$SITE/reader");
    is $someone->run('return document.documentElement.lang'), 'en',
        'the language of the page is said';
    is $someone->role('#openid'), 'textbox', 'the field is a field';
    is $someone->name('#openid'), 'Your OpenID', 'it has a name';
    is $someone->run('return document.getElementById(document
        .getElementById("openid").getAttribute("aria-describedby"))
        .textContent'), 'The web address of your OpenID, or of your '
        . 'provider.', 'and an explanation';
    is $someone->role('#openid ~ button'), 'button', 'the button is one';
    is $someone->name('#openid ~ button'), 'Sign in', 'and has a name';
    is $someone->count('[role=alert]'), 0, 'nothing is wrong yet';
    $someone->sign_in('http://');
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        'what is wrong is said';
    is $someone->role('[role=alert]'), 'alert', 'aloud';
    is $someone->run('let f = document.getElementById("openid");
        return f.getAttribute("aria-invalid") + " " + document.getElementById(
            f.getAttribute("aria-describedby").split(" ")[0]).textContent'),
        'true ' . $someone->text('[role=alert]'), 'and of the field';
    is $someone->count('h1'), 1, 'the page has one heading';
    is $someone->count('main'), 1, 'and one main part';
}

# How many pixels of the page stand beside the window.
sub overflow { $_[0]->run('var d = document.documentElement;
    return d.scrollWidth - d.clientWidth') }

sub in_a_narrow_window {
    my @pages = map { "$SITE/$_" } qw(narrow buttons wide-button);
    for my $width (400, 320) {
        $someone->width($width);
        for my $page (@pages) {
            $someone->go($page);
            is overflow($someone), 0,
                "$width pixels: " . $page =~ s{.*/}{}r . " fits";
            cmp_ok $someone->run('return document.querySelector("main")
                .getBoundingClientRect().left'), '>=', 8,
                "$width pixels: it does not touch the edge";
        }
    }
    $someone->go($pages[0]);
    $someone->sign_in('http://localhost:1/' . 'x' x 200);
    ok $someone->wait_for(sub { $someone->count('[role=alert]') }),
        '320 pixels: something is wrong';
    is overflow($someone), 0, '320 pixels: what is said of it fits';
    $someone->run('var h = document.querySelector("h1");
        h.textContent = "x".repeat(300); h.style.overflowWrap = "normal"');
    cmp_ok overflow($someone), '>', 0,
        'control: what does not fit would be seen';
    $someone->devtools('Emulation.clearDeviceMetricsOverride');
}

sub what_without_scripts_means {
    my $page = web_server(sub { [ 200, 'Content-Type: text/html' ],
        '<title>off</title><script>document.title = "on"</script>' });
    $someone->go($page);
    is $someone->title, 'on', 'control: a browser with scripts';
    $scriptless->go($page);
    is $scriptless->title, 'off', 'control: a browser without';
}
