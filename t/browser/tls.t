#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The same browser at a site with https: its cookies, and what other sites can
# do. The provider is at localhost still.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Chromium;
use OpenID2RP::Httpd;
use OpenID2RP::Test;
use Test::More;

my $ALICE = op_url('/user/alice');
my $BOB = op_url('/user/bob');
my $httpd = site();
my $SITE = 'https://site.test:' . $httpd->port;
my $PAGE = "$SITE/page.html";
# Pages of another site: a link or a form that leads where the query says.
my $EVIL = web_server(\&evil) =~ s/127\.0\.0\.1/evil.test/r;
my $SIBLING = $EVIL =~ s/evil\.test/evil.site.test/r;
my $seen = 0;                   # lines of the log
my $victim = OpenID2RP::Chromium->new->browser;

op_reset();
a_login_and_its_cookies();
a_link_needs_a_click();
a_form_needs_a_click();
pictures_and_frames_begin_and_end_nothing();
the_return_url_of_somebody_else();
cookies_of_a_sibling_without_https();
an_answer_by_post();
done_testing;

sub site {
    my $self = OpenID2RP::Httpd->new;
    my ($dir, $port) = ($self->dir, $self->port);
    my $made = join ' ', 'openssl req -x509 -newkey ec',
        '-pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=site.test',
        "-keyout $dir/key.pem -out $dir/cert.pem 2>&1";
    my $said = qx{$made};
    die "no certificate: $said" if $?;
    my ($ssl) = grep { /\ALoadModule ssl_module / }
        OpenID2RP::Process::lines_of('t/inherited.conf');
    chomp $ssl;
    $self->configure($ssl, "ServerName site.test:$port", 'SSLEngine on',
        "SSLCertificateFile $dir/cert.pem",
        "SSLCertificateKeyFile $dir/key.pem",
        'LogLevel info ssl:warn', 'AddType text/html html',
        'OpenIDLogout /out /');
    $self->start or die 'no httpd: ' . $self->says;
    return $self;
}

sub evil {
    my ($path) = @_;
    my ($what, $to, $id) = map { decode($_) }
        $path =~ m{\A/(\w+)\?([^&]*)&?(.*)} or return [404], '';
    my %body = (
        link => qq{<a href="$to">go</a>},
        form => qq{<form method=post action="$to"><input type=hidden
            name=openid_identifier value="$id"></form>
            <script>document.forms[0].submit()</script>},
        image => qq{<img src="$to"><iframe src="$to"></iframe>},
        toss => '<title>tossed</title>',
    );
    return ([ 200, 'Content-Type: text/html',
              $what eq 'toss' ? "Set-Cookie: $to" : () ], $body{$what});
}

sub sign_in {
    my ($user, $name) = @_;
    $victim->forget;
    $victim->go($PAGE);
    $victim->sign_in($user);
    is_member($name);
}

sub is_member {
    my ($name) = @_;
    ok $victim->arrives($PAGE, qr/PROTECTED-BODY/),
        "$name: on the page, signed in";
}

# The users of the logins that were completed since it was asked last.
sub completed {
    my @lines = $httpd->log;
    my @new = @lines[$seen .. $#lines];
    $seen = @lines;
    return map { /login completed: (\S+) / ? $1 : () } @new;
}

sub a_login_and_its_cookies {
    op_mode(auto => undef);
    $victim->go("$PAGE?a=1");
    is $victim->title, 'Sign in to site.test', 'https: the login page';
    $victim->sign_in($ALICE);
    ok $victim->wait_for(sub { $victim->count('button[value=alice]') }),
        'https: a form may lead to a provider without';
    my ($login) = grep { $_->{name} =~ /login/ } $victim->all_cookies;
    like $login->{name}, qr/\A__Host-openid2rp_login_[\w-]{12}\z/,
        'https: the cookie of a login is of this host alone, by its name';
    is_deeply [ map { $_ ? 1 : 0 } @$login{qw(secure httpOnly)} ], [1, 1],
        'https: for no script, and no http';
    is_deeply [ @$login{qw(sameSite path domain)} ],
        ['Lax', '/', 'site.test'], 'https: with all that it needs';
    $victim->agree('alice');
    ok $victim->arrives("$PAGE?a=1", qr/PROTECTED-BODY/),
        'https: back on the page, signed in';
    is_deeply [ grep { !/status of 401|favicon/ } $victim->complaints ], [],
        'https: the console is silent';
    my @all = $victim->cookies;
    is @all, 1, 'https: one cookie is left';
    is_deeply [ map { $_ ? 1 : 0 } @{ $all[0] }{qw(secure httpOnly)} ],
        [1, 1], 'https: for no script, and no http';
    is $all[0]{sameSite}, 'Lax', 'https: and not for what other sites embed';
    is_deeply [completed()], [$ALICE], 'https: it is who it should be';
    op_mode(auto => 'any');
}

sub needs_a_click {
    my ($name) = @_;
    ok $victim->wait_for(sub { $victim->count('#openid') }),
        "$name leads to the login page";
    is $victim->property('#openid', 'value'), $BOB,
        "$name: the field is filled in";
    is_deeply [ map { $_->{name} } grep { $_->{name} =~ /login/ }
                $victim->all_cookies ], [], "$name: no login has begun";
    is_deeply [completed()], [], "$name: nobody is signed in by it";
}

sub a_link_needs_a_click {
    sign_in($ALICE, 'a link');
    my $start = "$PAGE?openid_identifier=" . encode($BOB);
    completed();
    $victim->go("$EVIL/link?" . encode($start));
    $victim->click('a');
    needs_a_click('a link of another site');
    $victim->click('#openid ~ button');
    is_member('a link and a click');
    is_deeply [completed()], [$BOB], 'control: after a click it is a login';
}

sub a_form_needs_a_click {
    sign_in($ALICE, 'a form');
    completed();
    $victim->go("$EVIL/form?" . encode($PAGE) . '&' . encode($BOB));
    needs_a_click('a form that submits itself');
    $victim->go($PAGE);
    is_member('a form: who was signed in stays so');
}

sub pictures_and_frames_begin_and_end_nothing {
    sign_in($ALICE, 'a picture');
    completed();
    for my $to ("$SITE/out", "$PAGE?openid_identifier=" . encode($BOB)) {
        $victim->go("$EVIL/image?" . encode($to));
        is_deeply [completed()], [], 'a picture begins no login';
        $victim->go($PAGE);
        is_member('a picture: who was signed in stays so');
    }
    $victim->go("$SITE/out");
    $victim->go($PAGE);
    ok $victim->count('#openid'), 'control: who opens it is signed out';
}

sub the_return_url_of_somebody_else {
    my $mallory = OpenID2RP::Chromium->new->browser;
    op_mode(auto => undef);
    $mallory->go($PAGE);
    $mallory->sign_in($BOB);
    $mallory->wait_for(sub { $mallory->count('button[value=bob]') });
    my $at = $mallory->url;
    op_mode(auto => 'any');
    my $answer = browser()->get($at)->header('Location');
    like $answer, qr/openid\.sig=/, 'mallory has a complete return URL';
    $victim->forget;
    completed();
    $victim->go($answer);
    like $victim->text('[role=alert]'), qr/\w/,
        'csrf: in another browser it is refused';
    is_deeply [ $victim->cookies ], [], 'csrf: there is no session';
    is_deeply [completed()], [], 'csrf: nobody has signed in';
    $mallory->go($answer);
    ok $mallory->arrives($PAGE, qr/PROTECTED-BODY/),
        'control: in the browser that began it';
    is_deeply [completed()], [$BOB], 'control: it completes';
}

# By http, a sibling can set cookies for the domain, but none that are Secure,
# or named __Host-.
sub cookies_of_a_sibling_without_https {
    $victim->forget;
    op_mode(auto => undef);
    $victim->go($PAGE);
    $victim->sign_in($ALICE);
    ok $victim->wait_for(sub { $victim->count('button[value=alice]') }),
        'a login is begun';
    my $provider = $victim->url;
    my ($login) = grep { $_->{name} =~ /login/ } $victim->all_cookies;
    for my $name ($login->{name}, $login->{name} =~ s/\A__Host-//r) {
        $victim->go("$SIBLING/toss?" . encode("$name=" . 'x' x 22
            . '; Domain=site.test; Path=/page.html'));
    }
    is_deeply [ sort map { $_->{name} } grep { $_->{name} =~ /login/ }
                $victim->all_cookies ],
        [ sort $login->{name}, $login->{name} =~ s/\A__Host-//r ],
        'Chromium takes those of a sibling that are not __Host-';
    $victim->go($provider);
    $victim->agree('alice');
    is_member('which change nothing');
    op_mode(auto => 'any');
}

sub an_answer_by_post {
    $victim->forget;
    op_mode(answer => 'post');
    completed();
    $victim->go($PAGE);
    $victim->sign_in($BOB);
    is_member('an answer by POST');
    is_deeply [completed()], [$BOB], 'an answer by POST: who it should be';
    op_mode(answer => undef);
}
