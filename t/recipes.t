#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The recipes of conf/recipes: each loads with the modules that it names, and
# each is used, as it is there, in front of the application that it is for.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Digest::SHA qw(sha1_base64);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Internet;
use OpenID2RP::Process qw(lines_of wait_for write_file);
use OpenID2RP::Recipe;
use OpenID2RP::Server;
use OpenID2RP::Test;
use POSIX ();
use Test::More;

my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $TEAMS = 'http://ns.launchpad.net/2007/openid-teams';
my $ENV_CGI = OpenID2RP::Recipe::script('t/cgi/env.cgi');

# What is to be changed in each, and who uses it.
my %RECIPE = (
    'balancer.conf' => { test => \&cluster, values => sub { (
        BALANCER_ONE => 'http://127.0.0.1:1',
        BALANCER_TWO => 'http://127.0.0.1:2') } },
    'cgi.conf' => { test => \&cgi, values => sub { (
        CGI_FOLDER => "$_[0]/app") } },
    'cluster.conf' => { test => \&cluster, values => sub { (
        CLUSTER_SITE => 'http://localhost:1',
        CLUSTER_REDIS => 'redis://127.0.0.1:1',
        CLUSTER_BALANCER => '127.0.0.1') } },
    'php-accounts.conf' => { test => \&php_accounts, values => sub { (
        ACCOUNTS_FOLDER => "$_[0]/app",
        ACCOUNTS_SOCKET => "$_[0]/php.sock") } },
    'php-fpm.conf' => { test => \&php_fpm, values => sub { (
        PHP_FOLDER => "$_[0]/app", PHP_SOCKET => "$_[0]/php.sock") } },
    'proxy-app.conf' => { test => \&proxy_app, values => sub { (
        APP_BACKEND => 'http://127.0.0.1:1') } },
    'steam.conf' => { test => \&steam, values => sub { (
        STEAM_ADMINS => '76561198000000001|76561198000000002',
        STEAM_PLAYERS => '/players') } },
    'subversion.conf' => { test => \&subversion, values => sub { (
        SVN_REPOSITORY => "$_[0]/repository", SVN_TOKENS => "$_[0]/tokens") } },
    'ubuntu-teams.conf' => { test => \&ubuntu_teams, values => sub { (
        TEAM_MEMBERS => 'staff', TEAM_ADMINS => 'admins') } },
    'webdav.conf' => { test => \&webdav, values => sub { (
        DAV_FOLDER => "$_[0]/app", DAV_LOCKS => "$_[0]/locks",
        DAV_TOKENS => "$_[0]/tokens") } },
);

# What a client would like to be believed.
my @FORWARDS = ([ 'X-Forwarded-Host' => 'evil.example' ],
    [ 'X-Forwarded-Proto' => 'https' ], [ Forwarded => 'host=evil.example' ],
    [ 'X-Forwarded-For' => '192.0.2.1' ]);

my $op = OpenID2RP::Evil->new;
my $ALICE = $op->id('alice');
my $MAIL = 'alice@example.com';

none_is_forgotten();
each_loads($_) for OpenID2RP::Recipe::all();
my %used;
for my $name (sort keys %RECIPE) {
    my $test = $RECIPE{$name}{test};
    subtest $name => $test unless $used{$test}++;
}
done_testing;

# --- the files --------------------------------------------------------------

sub none_is_forgotten {
    my @recipes = OpenID2RP::Recipe::all();
    cmp_ok scalar(@recipes), '>', 0, 'there are recipes';
    is_deeply [ sort keys %RECIPE ], \@recipes, 'each has a test';
    my $page = join '', lines_of('docs/recipes.md');
    my @there = sort @recipes, map { m{recipes/(.*)} } glob
        OpenID2RP::Recipe::FOLDER . '/app/*';
    my %named = map { $_ => 1 } $page =~ m{conf/recipes/([\w./-]+\w)}g;
    is_deeply [ sort keys %named ], [ sort @there ],
        'docs/recipes.md names each file, and no others';
}

sub each_loads {
    my ($name) = @_;
    my $recipe = OpenID2RP::Recipe->new($name);
    for my $what ('For', 'Where', 'Modules') {
        like $recipe->head, qr/^# $what: \S/m, "$name says: $what";
    }
    like $recipe->where, qr/<VirtualHost> of|\bmain server/,
        "$name says where it belongs";
    like $recipe->text, qr/^# ----- change.*?^Define .*^# -----$/ms,
        "$name says what to change";
    my $httpd = eval { $recipe->httpd({ $RECIPE{$name}{values}->('/tmp') }) };
    ok $httpd, "$name: all that is to be changed is known here"
        or return diag $@;
    my ($good, $said) = $httpd->command('-t');
    ok $good, "$name loads, with the modules that it names" or diag $said;
    # The control: a line that is wrong does not go unnoticed.
    $recipe->{text} .= "OpenIDNonsense On\n";
    $recipe->configure($httpd, { $RECIPE{$name}{values}->('/tmp') });
    ok !($httpd->command('-t'))[0], "$name with a wrong line does not load";
}

# --- what they have in common -----------------------------------------------

# An httpd with a recipe, which is not started yet, and its folder "app".
sub site {
    my ($name, $change, @lines) = @_;
    my $recipe = OpenID2RP::Recipe->new($name);
    my $httpd = OpenID2RP::Httpd->new;
    my %values = ($RECIPE{$name}{values}->($httpd->dir), %$change);
    mkdir $httpd->dir . '/app';
    $recipe->configure($httpd, \%values, @lines);
    return $httpd;
}

sub started {
    my ($httpd, $name) = @_;
    ok $httpd->start, "$name: httpd starts" or die $httpd->says;
    return $httpd;
}

# Has nothing gone wrong that no answer shows?
sub ends {
    my ($httpd) = @_;
    ok $httpd->stop, 'httpd stops';
    is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
}

# What the provider says besides.
sub mail { ('ns.sreg' => $SREG, 'sreg.email' => $MAIL) }

# Where a browser that the provider sends back ends up.
sub comes_back {
    my ($browser, $begun, %field) = @_;
    my $page = $browser->get($op->assertion($begun, %field));
    $page = $browser->get($page->header('Location')) while $page->is_redirect;
    return $page;
}

# Somebody who signs in, as typed; where they end up.
sub signs_in {
    my ($httpd, $path, %field) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $httpd->origin . $path, $ALICE);
    return ($browser, comes_back($browser, $begun, mail(), %field));
}

sub is_login_page {
    my ($page, $name) = @_;
    subtest $name => sub {
        is $page->status, 401, 'its status';
        like $page->body, qr/name="openid_identifier"/, 'it is the page';
        unlike $page->body, qr/You are|SECRET/, 'and nothing else';
    };
}

# Headers of somebody who would like to be somebody else.
sub forged {
    my ($who) = @_;
    return [ map { [ $_ => $who ] } qw(
        Remote-User Remote_User REMOTE_USER remote.user
        X-OpenID-Email X_OpenID_Email X-Openid_Identifier X-OpenID-Identifier
        OPENID2RP_IDENTIFIER OpenID2RP-Email) ];
}

sub refusals_of { map { /login refused \(([^)]*)\)/ } $_[0]->log }

# --- CGI and PHP ------------------------------------------------------------

sub cgi {
    my $httpd = site('cgi.conf', {});
    for my $script ('conf/recipes/app/whoami.cgi', 't/cgi/env.cgi') {
        my ($name) = $script =~ m{([^/]+)\z};
        copy($script, $httpd->dir . "/app/$name") or die "$script: $!";
        chmod 0755, $httpd->dir . "/app/$name";
    }
    started($httpd, 'CGI');
    an_application($httpd, '/cgi/whoami.cgi');
    my ($browser) = signs_in($httpd, '/cgi/env.cgi');
    my $env = env_of($browser->get($httpd->origin . '/cgi/env.cgi',
                                   headers => forged('mallory')));
    is $env->{REMOTE_USER}, $ALICE, 'a script has REMOTE_USER';
    is $env->{AUTH_TYPE}, 'OpenID', 'and AUTH_TYPE';
    no_name_of_a_client($env, 'and no name that a client sends');
    ends($httpd);
}

# What whoami says, by whatever it is run.
sub an_application {
    my ($httpd, $path) = @_;
    my $page = $httpd->origin . $path;
    my $forged = forged('mallory');
    is_login_page(browser()->get($page), 'a guest gets the login page');
    is_login_page(browser()->get($page, headers => $forged),
                  'also with forged headers');
    my ($browser, $seen) = signs_in($httpd, $path);
    my $said = "You are $ALICE.\nYour provider says that your mail address is "
        . "$MAIL.\n";
    is $seen->status, 200, 'a member gets the application';
    is $seen->body, $said, 'which knows who it is';
    is $browser->get($page, headers => $forged)->body, $said,
        'and listens to no headers';
    my ($other, $refused) = signs_in($httpd, $path, sig => 'd3Jvbmc=');
    is $refused->status, 403, 'a forged answer is refused';
    is_deeply [ refusals_of($httpd) ], ['bad-signature'], 'as the log says';
    is_login_page($other->get($page), 'and nobody is signed in');
    my $twin = $browser->twin;
    is $browser->get($httpd->origin . '/logout')->status, 303, 'the logout';
    is_login_page($browser->get($page), 'is the end');
    is_login_page($twin->get($page), 'of the session, not only of a cookie');
}

sub php_fpm {
    my $httpd = site('php-fpm.conf', {});
    my $dir = $httpd->dir;
    copy('conf/recipes/app/whoami.php', "$dir/app/index.php") or die $!;
    php_env("$dir/app/env.php");
    mkdir "$dir/app/part";
    copy("$dir/app/env.php", "$dir/app/part/index.php") or die $!;
    my $fpm = php("$dir/php.sock");
    started($httpd, 'PHP');
    an_application($httpd, '/php/');
    my ($browser, $page) = signs_in($httpd, '/php/no/such/file?a=1');
    like $page->body, qr/\AYou are \Q$ALICE\E\.\n/,
        'index.php answers for what is no file';
    is env_of($browser->get("$httpd->{origin}/php/part/"))->{SCRIPT_NAME},
        '/php/part/index.php', 'and that of a folder for the folder';
    my $env = env_of($browser->get("$httpd->{origin}/php/env.php",
                                   headers => forged('mallory')));
    is $env->{REMOTE_USER}, $ALICE, '$_SERVER has REMOTE_USER';
    is $env->{AUTH_MAIL}, $MAIL, 'and what the recipe adds';
    no_name_of_a_client($env, 'and no name that a client sends');
    is env_of((signs_in($httpd, '/php/env.php', 'sreg.email' => undef,
        'ns.sreg' => undef))[1])->{AUTH_MAIL} // '', '',
        'who has no mail address gets none';
    ends($httpd);
    $fpm->stop;
}

# What a PHP script sees, as t/cgi/env.cgi has it.
sub php_env {
    my ($file) = @_;
    write_file($file, <<'PHP');
<?php foreach ($_SERVER as $name => $value) {
    if (is_string($value)) { echo "$name=", rawurlencode($value), "\n"; }
}
PHP
}

# Is there one that says "mallory", but for headers that nobody believes?
sub no_name_of_a_client {
    my ($env, $name) = @_;
    is_deeply [ grep { ($env->{$_} // '') eq 'mallory' && !/^HTTP_X_/ }
                sort keys %$env ], [], $name;
    is $env->{HTTP_X_OPENID_EMAIL}, 'mallory', 'control: headers do come';
}

sub php {
    my ($socket) = @_;
    my ($program) = (glob('/usr/sbin/php-fpm*'), glob '/usr/bin/php-fpm*');
    die "php-fpm is not installed: see conf/install-packages" unless $program;
    my $fpm = OpenID2RP::Process->prepare('php');
    my $conf = $fpm->dir . '/fpm.conf';
    write_file($conf, <<"END");
[global]
daemonize = no
error_log = @{[ $fpm->dir ]}/error_log
[www]
listen = $socket
listen.mode = 0600
pm = static
pm.max_children = 2
php_admin_value[session.save_path] = @{[ $fpm->dir ]}
END
    $fpm->spawn($program, '-n', '-F', '-y', $conf);
    ok wait_for(sub { -S $socket || !$fpm->runs }) && $fpm->runs,
        'PHP-FPM runs' or die $fpm->output, lines_of($fpm->dir . '/error_log');
    return $fpm;
}

# An application with accounts of its own.
sub php_accounts {
    my $httpd = site('php-accounts.conf', {});
    my $dir = $httpd->dir;
    copy('conf/recipes/app/accounts.php', "$dir/app/index.php") or die $!;
    php_env("$dir/app/env.php");
    my $fpm = php("$dir/php.sock");
    started($httpd, 'PHP with accounts');
    my $home = "$httpd->{origin}/accounts/";
    my $browser = browser();
    my $page = $browser->get($home, headers => forged('mallory'));
    is $page->status, 200, 'everybody gets the application';
    like $page->body, qr/name="openid_identifier"/, 'and its form';
    unlike $page->body, qr/You are/, 'and is nobody, whatever they send';
    my ($query) = $page->body =~ /action="([^"]*)"/;
    no_name_of_a_client(env_of($browser->get("${home}env.php",
        headers => forged('mallory'))), 'neither in a script');
    like begin_login($browser, $home, 'nothing.invalid')->body,
        qr{<p role="alert">[^<]+</p>.*name="openid_identifier"}s,
        'an identifier that is none: a sentence, and the form';
    is $browser->get($op->assertion(begin_login($browser, $home, $ALICE)))
        ->status, 303, 'a login that did not begin at the form';
    unlike $browser->get($home)->body, qr/You are/, 'counts for nothing';
    my $begun = begin_login($browser, "$home$query", $ALICE);
    my $answer = $op->assertion($begun);
    my $wrong = $browser->twin->get($op->assertion($begun,
                                                   sig => 'd3Jvbmc='));
    like $wrong->body, qr{<p role="alert">[^<]+</p>.*openid_identifier}s,
        'a forged answer: a sentence, and the form';
    is_deeply [ (refusals_of($httpd))[-1] ], ['bad-signature'],
        'as the log says';
    my $again = $browser->twin;
    my $back = $browser->get($answer);
    is $back->status, 303, 'a good one is taken';
    is $back->header('Location'), '/accounts/index.php', 'once';
    is $browser->cookie('openid2rp'), undef, 'the module has no session';
    like $browser->get($home)->body, qr/You are \Q$ALICE\E\./,
        'the application has one';
    unlike browser()->get($home)->body, qr/You are/, 'for this browser only';
    unlike $again->get($answer)->body, qr/You are/,
        'and the answer counts once';
    my ($token) = $browser->get($home)->body =~ /name="sign_out" value="(\w+)"/;
    $browser->post($home, { sign_out => 'wrong' });
    like $browser->get($home)->body, qr/You are/, 'a form of somebody else';
    $browser->post($home, { sign_out => $token });
    unlike $browser->get($home)->body, qr/You are/, 'the logout';
    ends($httpd);
    $fpm->stop;
}

# --- an application behind mod_proxy ----------------------------------------

sub proxy_app {
    what_it_gets();
    my $port = OpenID2RP::Process::free_port();
    subtest 'Django, on a port' => sub {
        python_app('whoami_django', $port, "http://127.0.0.1:$port");
    };
    subtest 'Flask, on a socket' => sub {
        my $dir = tempdir(CLEANUP => 1);
        python_app('whoami_flask', "$dir/sock",
                   "unix:$dir/sock|http://localhost");
    };
}

# A backend that repeats what it was sent.
sub what_it_gets {
    my $echo = web_server(sub { [ 200, 'Content-Type: text/plain',
                                  'Set-Cookie: theirs=1; path=/' ], $_[1] });
    my $httpd = started(site('proxy-app.conf', { APP_BACKEND => $echo },
        # As a mistake would: a path that the recipe does not cover.
        '<Location "/open">', 'AuthType None', 'Require all granted',
        "ProxyPass $echo/", '</Location>'), 'a proxy');
    my $forged = forged('mallory');
    my $port = $httpd->port;
    my ($browser, $page) = signs_in($httpd, '/path?a=1&b');
    my $sent = $browser->get("$httpd->{origin}/path?a=1&b",
                             headers => $forged)->body;
    like $sent, qr{\AGET /path\?a=1&b HTTP}, 'a backend gets the request';
    like $sent, qr/^Host: localhost:$port\r$/mi, 'with the name of the site';
    is_deeply [ $sent =~ /^Remote.User: (.*)\r$/mgi ], [$ALICE],
        'and one header that says who it is';
    is_deeply [ $sent =~ /^X-OpenID-Email: (.*)\r$/mgi ], [$MAIL],
        'and one for the mail address';
    unlike $sent, qr/mallory/, 'nothing of what a client says about that';
    like $sent, qr/^Cookie:.*\btheirs=1/mi, 'the cookies of the application';
    unlike $sent, qr/openid2rp/i, 'but not the session';
    for my $guest ([ browser(), 'a guest' ], [ $browser, 'a member' ]) {
        my $sent = $guest->[0]->get("$httpd->{origin}/public",
                                    headers => $forged)->body;
        like $sent, qr{\AGET /public }, "$guest->[1] gets what is for all";
        unlike $sent, qr/mallory|^Remote|^X.OpenID/mi, 'as nobody';
    }
    $sent = browser()->get("$httpd->{origin}/open", headers => $forged)->body;
    like $sent, qr/^X-OpenID-Email: mallory/mi,
        'control: what the recipe does not cover, the module does not either';
    unlike $sent, qr/^Remote[-_]User/mi, 'but the user\'s name is removed';
    ends($httpd);
}

sub python_app {
    my ($module, $place, $backend) = @_;
    my $app = OpenID2RP::Process->prepare('python');
    local $ENV{WHOAMI_DATABASE} = $app->dir . '/db';
    local $ENV{WHOAMI_KEY} = 'not secret at all';
    $app->spawn('/usr/bin/python3', '-W', 'ignore', 't/recipes/serve.py',
                $module, $place);
    my $httpd = started(site('proxy-app.conf', { APP_BACKEND => $backend }),
                        $module);
    my $public = "$httpd->{origin}/public";
    ok wait_for(sub { !$app->runs
                      || browser()->get($public)->status == 200 }),
        'the application runs' or diag $app->output;
    an_application($httpd, '/');
    my $forged = forged('mallory');
    is browser()->get($public, headers => $forged)->body,
        "Nobody is signed in.\n", 'where nobody has to be, nobody is';
    my ($browser) = signs_in($httpd, '/');
    my $bob = $op->id('bob');
    my $begun = begin_login($browser, "$httpd->{origin}/", $bob);
    is comes_back($browser, $begun)->body, "You are $bob.\n",
        'another user in the same browser is another user';
    ends($httpd);
    ok $app->runs, 'the application still runs' or diag $app->output;
    $app->stop;
}

# --- WebDAV and Subversion --------------------------------------------------

sub tokens {
    my ($httpd, %token) = @_;
    write_file($httpd->dir . '/tokens', join '', map {
        "$_:{SHA}" . sha1_base64($token{$_}) . "=\n" } sort keys %token);
}

sub basic { [ Authorization => 'Basic ' . encode_base64($_[0], '') ] }

sub webdav {
    my $httpd = site('webdav.conf', {},
        # As a distribution has it for scripts: nothing of the folder runs.
        '<FilesMatch "\.cgi$">', 'SetHandler cgi-script', 'Options ExecCGI',
        '</FilesMatch>', 'LogFormat "%u %m %s" who',
        'CustomLog who_log who');
    tokens($httpd, laptop => 't0ken');
    started($httpd, 'WebDAV');
    my $files = "$httpd->{origin}/files";
    my $script = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nran\\n'\n";
    both_ways($httpd, "$files/", 'laptop:t0ken');
    is send_to('PUT', "$files/a.cgi", 'laptop:t0ken', $script)->status, 201,
        'a program writes a file';
    chmod 0755, $httpd->dir . '/app/a.cgi';
    my ($browser, $page) = signs_in($httpd, '/files/a.cgi');
    is $page->body, $script, 'a browser reads it, and it is not run';
    like $browser->get("$files/")->body, qr/href="a\.cgi"/, 'there is a list';
    is $browser->send('PUT', "$files/b", 'x')->status, 401,
        'a session alone writes nothing';
    is $browser->send('PUT', "$files/b", 'x', headers => [
        basic('laptop:wrong') ])->status, 401, 'nor with a wrong token';
    ok !-e $httpd->dir . '/app/b', 'as the folder shows';
    is curl('-T', 't/recipes.t', '-u', 'laptop:t0ken', "$files/c"), 201,
        'curl writes';
    is curl('-T', 't/recipes.t', '-u', 'laptop:wrong', "$files/d"), 401,
        'but not with a wrong token';
    is curl('-X', 'LOCK', '-u', 'laptop:t0ken', '-d', '<?xml version="1.0"?>'
        . '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/>'
        . '</D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>',
        "$files/c"), 200, 'and locks';
    is send_to('DELETE', "$files/a.cgi", 'laptop:t0ken')->status, 204,
        'a program deletes it';
    ends($httpd);
    my %who = map { $_ => 1 } grep { /\A\S+ \S+ 20/ }
        lines_of($httpd->dir . '/who_log');
    is_deeply [ sort map { s/\n//r } keys %who ], [ "$ALICE GET 200",
        'laptop DELETE 204', 'laptop GET 200', 'laptop LOCK 200',
        'laptop PROPFIND 207', 'laptop PUT 201' ],
        'the log says who it was each time';
}

sub send_to {
    my ($method, $url, $who, $body) = @_;
    return browser(Accept => '*/*')->send($method, $url, $body, headers =>
        [ defined $who ? basic($who) : (),
          $method eq 'PROPFIND' ? [ Depth => 1 ] : () ]);
}

# The status that curl gets.
sub curl {
    my (@words) = @_;
    open my $out, '-|', 'curl', '-s', '-m', 20, '-o', '/dev/null', '-w',
        '%{http_code}', @words or die "curl: $!";
    return join '', <$out>;
}

# What brings what, on a folder of both kinds of users.
sub both_ways {
    my ($httpd, $folder, $good) = @_;
    my ($name) = split /:/, $good;
    is_login_page(browser()->get($folder), 'a browser gets the login page');
    my $asked = send_to('PROPFIND', $folder);
    is $asked->status, 401, 'a program is asked';
    like $asked->header('WWW-Authenticate') // '', qr/\ABasic realm=/,
        'for a password';
    is send_to('PROPFIND', $folder, $good)->status, 207, 'that it has';
    is send_to('GET', $folder, $good)->status, 200, 'also to read';
    for my $wrong ("$name:wrong", "$name:", ":", "$ALICE:x", 'root:t0ken') {
        is send_to('PROPFIND', $folder, $wrong)->status, 401,
            "not with $wrong";
        is send_to('GET', $folder, $wrong)->status, 401, 'nor to read';
    }
    my ($browser, $page) = signs_in($httpd, $folder =~ s{\A\w+://[^/]+}{}r);
    is $page->status, 200, 'a member reads';
    for my $header ([ Authorization => 'Bearer x' ], basic("$name:wrong"),
                    [ Authorization => 'OpenID' ]) {
        my $page = $browser->get($folder, headers => [$header]);
        is $page->status, 401, 'what names a password must have one';
        like $page->header('WWW-Authenticate') // '', qr/\ABasic /,
            'also in a session';
    }
    is send_to('GET', "$folder?openid_identifier=$ALICE", "$name:wrong")
        ->status, 401, 'and nobody signs in beside it';
    is $browser->send('PROPFIND', $folder)->status, 401,
        'a session is no password';
    my $page2 = $browser->get("$httpd->{origin}/logout");
    is $page2->status, 303, 'the logout';
    is_login_page($browser->get($folder), 'is the end');
}

sub subversion {
    my $httpd = site('subversion.conf', {});
    my $repository = $httpd->dir . '/repository';
    is system('svnadmin', 'create', $repository), 0, 'there is a repository'
        or die 'see conf/install-packages';
    tokens($httpd, alice => 't0ken');
    started($httpd, 'Subversion');
    my $url = "$httpd->{origin}/svn";
    both_ways($httpd, "$url/", 'alice:t0ken');
    my $svn = sub { svn($httpd, @_) };
    ok !($svn->('wrong', 'ls', $url))[0],
        'svn does not read with a wrong token';
    ok !($svn->('wrong', 'mkdir', '-m', 'no', "$url/no"))[0], 'nor write';
    my ($good, $said) = $svn->('t0ken', 'import', '-m', 'first',
                               'conf/recipes/app', "$url/trunk");
    ok $good, 'svn imports with the right one' or diag $said;
    my $copy = $httpd->dir . '/copy';
    ($good, $said) = $svn->('t0ken', 'checkout', "$url/trunk", $copy);
    ok $good, 'and checks out' or diag $said;
    write_file("$copy/whoami.cgi", "changed\n");
    ($good, $said) = $svn->('t0ken', 'commit', '-m', 'second', $copy);
    ok $good, 'and commits' or diag $said;
    like +($svn->('t0ken', 'log', '--xml', $url))[1],
        qr{<author>alice</author>.*second.*<author>alice</author>.*first}s,
        'as the one whose token it is';
    my ($browser, $page) = signs_in($httpd, '/svn/trunk/whoami.cgi');
    is $page->body, "changed\n", 'a browser reads it';
    ends($httpd);
}

sub svn {
    my ($httpd, $token, @words) = @_;
    my $child = open(my $out, '-|') // die "fork: $!";
    if (!$child) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', 30, 'svn', '--non-interactive', '--no-auth-cache',
            '--config-dir', $httpd->dir . '/svn', '--username', 'alice',
            '--password', $token, @words or POSIX::_exit(127);
    }
    my $text = join '', <$out>;
    close $out;
    return ($? == 0, $text);
}
# --- Steam and Ubuntu, under their own names ---------------------------------

# A provider of ours in their place. What this leaves untested is what the real
# ones do today; t/unit/test_profile.c has messages as Steam sends them.
sub steam {
    my $steam = 'https://steamcommunity.com/openid';
    my $internet = OpenID2RP::Internet->new($op, 'steamcommunity.com');
    $op->serves('/openid', $op->xrds({ uri => "$steam/login",
        type => "$OpenID2RP::Evil::OPENID2/server" }));
    $op->serves("/openid/id/$_", $op->xrds({ uri => "$steam/login" }))
        for 76561198000000001, 76561198000000003, 'x';
    my $httpd = started(site('steam.conf', {}, $internet->lines,
        "ScriptAlias /players $ENV_CGI"), 'Steam');
    my %player = map { $_ => steam_player($httpd, $steam, $_) } 1, 3;
    my $admin = "$httpd->{origin}/players/admin";
    is $player{1}->get($admin)->status, 200, 'one in charge may do more';
    is $player{3}->get($admin)->status, 403, 'another player may not';
    my $guest = browser();
    steam_refuses($httpd, $guest, 'endpoint-mismatch',
                  steam_says($steam, 1), op_endpoint => $op->endpoint);
    steam_refuses($httpd, $guest, 'identity-mismatch', steam_says($steam, 'x'));
    steam_refuses($httpd, $guest, 'identity-mismatch', steam_says($steam, 1),
                  claimed_id => $ALICE, identity => $ALICE);
    $op->log;
    steam_refuses($httpd, $guest, 'bad-signature', steam_says($steam, 1),
                  sig => 'd3Jvbmc=');
    is $guest->get($admin)->status, 303, 'none of these is signed in';
    my $begun = begin_login($guest, "$httpd->{origin}/players", $ALICE);
    like $begun->header('Location') // $begun->body,
        qr{\A\Q$steam\E/login\?}, 'another OpenID is Steam all the same';
    ends($httpd);
    $op->is_honest;
}

# 2.0, 11: as Steam answers; "signed" names itself.
sub steam_says {
    my ($steam, $number) = @_;
    my $id = "$steam/id/" . ($number =~ /\d/ ? "7656119800000000$number"
                                             : $number);
    return (op_endpoint => "$steam/login", claimed_id => $id, identity => $id,
        signed => 'signed,op_endpoint,claimed_id,identity,return_to,'
            . 'response_nonce,assoc_handle');
}

sub steam_player {
    my ($httpd, $steam, $number) = @_;
    my $browser = browser();
    my $begun = $browser->get("$httpd->{origin}/players");
    is $begun->status, 303, 'a guest is sent away';
    my $to = $begun->header('Location') // '';
    like $to, qr{\A\Q$steam\E/login\?}, 'to Steam';
    unlike $to, qr/sreg|ax\./, 'which is asked for nothing';
    my $env = env_of(comes_back($browser, $begun,
                                steam_says($steam, $number)));
    is $env->{REMOTE_USER}, "7656119800000000$number", 'a player is a number';
    is $env->{OPENID2RP_IDENTIFIER}, "$steam/id/7656119800000000$number",
        'beside the identifier';
    return $browser;
}

sub steam_refuses {
    my ($httpd, $browser, $code, %field) = @_;
    my $begun = $browser->get("$httpd->{origin}/players");
    my $before = () = refusals_of($httpd);
    is $browser->get($op->assertion($begun, %field))->status, 403,
        'a false answer is refused';
    is_deeply [ (refusals_of($httpd))[$before, -1] ], [ $code, $code ],
        "as $code";
    is $browser->cookie('openid2rp'), undef, 'there is no session';
}

sub ubuntu_teams {
    my $ubuntu = 'https://login.ubuntu.com';
    my $internet = OpenID2RP::Internet->new($op, 'login.ubuntu.com');
    $op->serves('/', $op->xrds({ uri => "$ubuntu/+openid",
        type => "$OpenID2RP::Evil::OPENID2/server" }));
    $op->serves('/+id/abcdefg', $op->xrds({ uri => "$ubuntu/+openid" }));
    my $httpd = started(site('ubuntu-teams.conf', {}, $internet->lines,
        "ScriptAlias /app $ENV_CGI", "ScriptAlias /admin $ENV_CGI"), 'Ubuntu');
    write_file($httpd->dir . '/web/goodbye.html', "Goodbye.\n");
    my %says = (op_endpoint => "$ubuntu/+openid",
        claimed_id => "$ubuntu/+id/abcdefg", identity => "$ubuntu/+id/abcdefg",
        'ns.lp' => $TEAMS);
    # Teams that the provider confirms => what /app and /admin answer.
    for my $case ([ 'staff' => 200, 403 ], [ 'staff,admins' => 200, 200 ],
                  [ 'admins' => 403, 403 ], [ '' => 403, 403 ],
                  [ 'staffs,xadmins' => 403, 403 ],
                  [ 'staff,admins' => 403, 403,
                    -unsigned => ['lp.is_member'] ],
                  [ undef, 403, 403 ]) {
        my ($teams, $app, $admin, @besides) = @$case;
        my $browser = browser();
        my $begun = $browser->get("$httpd->{origin}/app");
        my %asked = map { @$_ } pairs_of($begun->header('Location') // '');
        is $asked{'openid.lp.query_membership'}, 'staff,admins',
            'Ubuntu is asked about two teams';
        my $page = comes_back($browser, $begun, %says,
                              'lp.is_member' => $teams, @besides);
        my $name = ($teams // 'none') . (@besides ? ', not signed' : '');
        is $page->status, $app, "teams $name: the site";
        is $browser->get("$httpd->{origin}/admin")->status, $admin,
            "teams $name: what those in charge see";
        is env_of($page)->{OPENID2RP_TEAMS}, $teams =~ tr/,/ /r,
            'the application knows them' if $app == 200;
    }
    my $browser = browser();
    my $begun = begin_login($browser, "$httpd->{origin}/app", $ALICE);
    like $begun->header('Location') // $begun->body,
        qr{\A\Q$ubuntu\E/\+openid\?}, 'another OpenID is Ubuntu all the same';
    is $browser->get($op->assertion($begun, 'ns.lp' => $TEAMS,
        claimed_id => $ALICE, identity => $ALICE,
        'lp.is_member' => 'staff'))->status, 403,
        'another provider\'s word is refused';
    is $browser->get("$httpd->{origin}/app")->status, 303,
        'and nobody is signed in';
    my $bye = $browser->get("$httpd->{origin}/logout");
    is $browser->get($bye->header('Location') // '')->body, "Goodbye.\n",
        'after the logout, everybody sees the last page';
    ends($httpd);
    $op->is_honest;
}

# --- several machines ---------------------------------------------------------

sub cluster {
    my $redis = OpenID2RP::Server->redis(password => 'secret');
    my $password = $redis->dir . '/password';
    write_file($password, "secret\n");
    chmod 0600, $password;
    my $balancer = OpenID2RP::Httpd->new;
    my @machines = map { OpenID2RP::Httpd->new } 1, 2;
    machines($balancer, $redis->place("password-file=$password"), @machines);
    my @port = map { $_->port } @machines;
    OpenID2RP::Recipe->new('balancer.conf')->configure($balancer,
        { BALANCER_ONE => "http://127.0.0.1:$port[0]",
          BALANCER_TWO => "http://127.0.0.1:$port[1]" });
    started($balancer, 'the balancer');
    either_machine($balancer, @machines);
    forged_forwards($balancer, $machines[0]);
    one_machine_is_enough($balancer, @machines);
    my ($member) = signs_in($balancer, '/private');
    $redis->crash;
    is $member->get("$balancer->{origin}/private")->status, 503,
        'without redis nobody is let in';
    is begin_login(browser(), "$balancer->{origin}/private", $ALICE)->status,
        503, 'or can sign in';
    several_names($balancer, $redis, $password, @machines);
    ends($_) for $balancer, grep { $_->runs } @machines;
}

sub machines {
    my ($balancer, $place, @machines) = @_;
    my $recipe = OpenID2RP::Recipe->new('cluster.conf');
    for my $machine (@machines) {
        $recipe->configure($machine, { CLUSTER_SITE => $balancer->origin,
            CLUSTER_REDIS => $place, CLUSTER_BALANCER => '127.0.0.1' },
            "ScriptAlias /private $ENV_CGI");
        started($machine, 'a machine');
    }
}

# Who of them has said that?
sub who_said {
    my ($what, @machines) = @_;
    return join ' ', grep { grep { /\b$what:/ } $machines[$_]->log }
        0 .. $#machines;
}

sub either_machine {
    my ($balancer, @machines) = @_;
    my ($browser, $page) = signs_in($balancer, '/private');
    my $env = env_of($page);
    is $env->{REMOTE_USER}, $ALICE, 'somebody signs in';
    my ($port) = $balancer->port;
    is $env->{HTTP_HOST}, "localhost:$port", 'at the site, not at a machine';
    signs_in($balancer, '/private') for 1 .. 3;
    is who_said($_, @machines), '0 1', "both machines have a share ($_)"
        for 'O2RP-111', 'O2RP-113';
    is $browser->get("$balancer->{origin}/private")->status, 200,
        'the session is good at each' for 1 .. 4;
    my $begun = begin_login(my $other = browser(),
                            "$balancer->{origin}/private", $ALICE);
    my $answer = $op->assertion($begun);
    is $other->twin->get($answer)->status, 303, 'an answer counts';
    is $other->twin->get($answer)->status, 403, 'once, at all of them'
        for 1 .. 2;
    my $old = $browser->twin;
    is $browser->get("$balancer->{origin}/logout")->status, 303,
        'the logout at one';
    is_login_page($old->get("$balancer->{origin}/private"),
                  'is the end at each') for 1 .. 2;
}

sub forged_forwards {
    my ($balancer, $machine) = @_;
    my $where = sub {
        my ($browser, @headers) = @_;
        my $begun = $browser->post("$balancer->{origin}/private",
            { openid_identifier => $ALICE }, headers => \@headers);
        return returns_to($begun);
    };
    is $where->(browser()), "$balancer->{origin}/private",
        'providers send users back to the site';
    is $where->(browser(), @FORWARDS), "$balancer->{origin}/private",
        'whatever a client says';
    my ($browser) = signs_in($balancer, '/private');
    my $env = env_of($browser->get("$balancer->{origin}/private",
                                   headers => \@FORWARDS));
    is $env->{REMOTE_ADDR}, '127.0.0.1', 'nor who it is';
    is $env->{HTTP_X_FORWARDED_PROTO}, 'http', 'the balancer says it';
    is $env->{HTTP_X_FORWARDED_HOST}, 'localhost:' . $balancer->port,
        'and which site it is';
    is $env->{HTTP_FORWARDED}, undef, 'and nobody else says anything';
    # What the balancer would send of a client at another address.
    my $page = "$balancer->{origin}/private";
    is env_of(exchange($machine->port, raw_request('GET', $page, [
        [ Cookie => $browser->cookies($page) ],
        [ 'X-Forwarded-For' => '192.0.2.1' ] ])))->{REMOTE_ADDR}, '192.0.2.1',
        'a machine believes the balancer who the client is';
}

sub one_machine_is_enough {
    my ($balancer, $one, $two) = @_;
    my ($browser) = signs_in($balancer, '/private');
    my $begun = begin_login(my $waiting = browser(),
                            "$balancer->{origin}/private", $ALICE);
    ok $one->stop, 'one machine stops';
    is $browser->get("$balancer->{origin}/private")->status, 200,
        'who is signed in is so at the other' for 1 .. 2;
    is comes_back($waiting, $begun)->status, 200,
        'who was at the provider comes back to the other';
}

# As the page has it for a site of several names.
sub several_names {
    my ($balancer, $redis, $password, $one, $two) = @_;
    my ($line) = join('', lines_of('docs/recipes.md'))
        =~ /^ +(OpenIDForwarded .*)$/m;
    ok $line, 'docs/recipes.md has a line for several names' or return;
    $redis->start;
    my $recipe = OpenID2RP::Recipe->new('cluster.conf');
    is $recipe->{text} =~ s/^OpenIDBaseURL .*/$line/m, 1, 'which takes a place';
    my $port = $balancer->port;
    ok $two->stop, 'the other machine stops';
    $recipe->configure($two, { CLUSTER_SITE => 'unused',
        CLUSTER_REDIS => $redis->place("password-file=$password"),
        CLUSTER_BALANCER => '127.0.0.1' }, '<VirtualHost *>',
        "ServerName localhost:$port", 'ServerAlias other.example',
        "ScriptAlias /private $ENV_CGI", '</VirtualHost>');
    started($two, 'it, with that line');
    for my $case ([ "localhost:$port" => "http://localhost:$port/private" ],
                  [ "other.example:$port"
                    => "http://other.example:$port/private" ],
                  [ 'evil.example' => 421 ]) {
        my ($host, $expected) = @$case;
        my $begun = exchange($port, raw_request('POST',
            "http://$host/private", [ [ 'Content-Type' =>
                'application/x-www-form-urlencoded' ], @FORWARDS ],
            "openid_identifier=$ALICE"));
        is returns_to($begun), $expected, "$host: $expected";
    }
}

# Where the provider is to send the browser, without a query; or the status.
sub returns_to {
    my ($begun) = @_;
    my %asked = map { @$_ } pairs_of($begun->header('Location') // '');
    return ($asked{'openid.return_to'} // $begun->status) =~ s/\?.*//r;
}
