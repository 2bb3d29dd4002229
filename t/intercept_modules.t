#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept and sessions beside modules that change a request: variables
# of mod_setenvif, folders' names as mod_rewrite reads them, and cookies that
# mod_headers takes away from the application.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Cwd ();
use File::Copy qw(copy);
use File::Path qw(make_path);
use OpenID2RP::Echo;
use OpenID2RP::Httpd;
use OpenID2RP::Intercept;
use OpenID2RP::Process qw(free_port write_file);
use OpenID2RP::Test;
use OpenID2RP::Twins ();
use Test::More;

op_reset();
my $op = provider();
my $ALICE = $op->id('alice');
my $http = OpenID2RP::Echo->http;
my $EDITED = free_port();
my $httpd = server();
my $SITE = $httpd->origin;

what_others_have_set($_) for 'X-Front', 'X-Early';
a_folder_by_its_name();
parts_without_the_cookie();
logins_without_the_cookie($_) for '/app', '/members';
ok $httpd->stop, 'httpd stops';
is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

# --- the site ---------------------------------------------------------------

sub server {
    my $httpd = OpenID2RP::Httpd->new;
    my ($dir, $cgi) = ($httpd->dir, Cwd::getcwd() . '/t/cgi/env.cgi');
    my $to = 'http://127.0.0.1:' . $http->port . '/app';
    my $protect = "AuthType OpenID\nRequire valid-user";
    files("$dir/app", "$dir/links");
    $httpd->configure(OpenID2RP::Twins::loads(qw(alias dir headers include
        proxy proxy_http rewrite setenvif)), split /\n/, <<"END");
DocumentRoot "$dir/app"
OpenIDAssociate never
OpenIDSReg off
OpenIDAX off
<Directory "$dir/app">
    Options +Includes +ExecCGI +FollowSymLinks
    AddHandler cgi-script .cgi
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    DirectoryIndex index.cgi
</Directory>

# What other modules say
SetEnvIf X-Early "(.+)" REMOTE_USER=\$1
<LocationMatch "^/front-">
    SetEnvIf X-Front "(.+)" REMOTE_USER=\$1
    SetEnvIfExpr "true" AUTH_TYPE=Front
</LocationMatch>
ScriptAlias "/front-on" "$cgi"
ScriptAlias "/front-off" "$cgi"
<Location "/front-on">
    OpenIDIntercept On
</Location>

# A folder that is called by its name
<Directory "$dir/app/name">
    OpenIDIntercept On
    DirectorySlash Off
    RewriteEngine On
    RewriteOptions AllowNoSlash
    RewriteRule "^" index.cgi
</Directory>

# Cookies that are taken away
<Location "/bare">
    RequestHeader unset Cookie
</Location>
<LocationMatch "^/(?:bare|full)/page">
    $protect
</LocationMatch>
<LocationMatch "^/(?:bare|full)/part">
    $protect
    OpenIDRemoteUser link
    OpenIDLinks txt:$dir/links
</LocationMatch>

Listen 127.0.0.1:$EDITED
<VirtualHost *:$EDITED>
    ServerName http://localhost:$EDITED
    ProxyPass "/" "$to/"
    RequestHeader edit* Cookie "(^|; *)(__Host-)?openid2rp[^;]*" ""
    OpenIDLogout /out
    <Location "/app">
        OpenIDIntercept On
        OpenIDSession store
        OpenIDPassHeaders X-OpenID-
    </Location>
    <Location "/members">
        $protect
        OpenIDPassHeaders X-OpenID-
    </Location>
</VirtualHost>
END
    $httpd->start or die $httpd->says;
    return $httpd;
}

sub files {
    my ($app, $links) = @_;
    write_file($links, "$ALICE robert\n");
    for my $folder (qw(name bare/part full/part)) {
        make_path("$app/$folder");
        copy('t/cgi/env.cgi', "$app/$folder/index.cgi") or die $!;
        chmod 0755, "$app/$folder/index.cgi";
    }
    my $user = 'PAGE: <!--#echo var="REMOTE_USER" encoding="none" -->';
    for my $page ('bare/page', 'full/page') {
        write_file("$app/${page}1.shtml",
                   "$user\n<!--#include virtual=\"part/index.cgi\" -->");
        write_file("$app/${page}2.shtml",
                   "$user\n<!--#include virtual=\"part/\" -->");
    }
}

# A browser that has a session.
sub member { (signed_in($op, @_))[0] }

# What others have set is for the application, as where the module is off.
sub what_others_have_set {
    my ($name) = @_;
    my $front = { REMOTE_USER => 'joe', AUTH_TYPE => 'Front' };
    my $browser = browser($name => 'joe');
    for my $path ('/front-off', '/front-on') {
        my $at = "$SITE$path";
        is_deeply ours(env_of($browser->get($at))), $front,
            "$name: $path: a page";
        is_deeply ours(env_of($browser->post($at, 'a=b'))), $front,
            "$name: $path: a form";
        is_deeply ours(env_of(browser()->get($at))), { AUTH_TYPE => 'Front' },
            "$name: $path: nobody is set";
    }
    my $ours = ours(env_of(begin_login($browser, "$SITE/front-on",
                                       '10.0.0.1')));
    ok defined delete $ours->{OPENID2RP_NOTICE}, "$name: a notice";
    is_deeply $ours, $front, "$name: a notice: beside what is set";
}

sub a_folder_by_its_name {
    my $at = "$SITE/name";
    my $page = browser()->post($at, 'a=b');
    is env_of($page)->{BODY}, 'a=b', 'control: the application is called';
    is_deeply ours(env_of($page)), {}, 'control: without a notice';
    for my $way (ways()) {
        my $name = "a folder by its name, $way";
        my ($page, $body) = begin_by($way, browser(), $at, $ALICE);
        told_notice($page, qr/./, $name);
        is env_of($page)->{BODY}, $body, "$name: and with its form";
    }
    my ($begun) = begin_by('a form', browser(), "$at/", $ALICE);
    is $begun->status, 303, 'control: with the slash, a login begins';
}

sub parts_without_the_cookie {
    for my $way ('full', 'bare') {
        for my $name ('page1', 'page2') {
            my $at = "$SITE/$way/$name.shtml";
            my $page = member($at, $ALICE)->get($at);
            my $env = env_of($page);
            like $page->body, qr/^PAGE: \Q$ALICE\E$/m, "$way/$name: the page";
            is_deeply [ @$env{qw(REMOTE_USER OPENID2RP_IDENTIFIER)} ],
                [ 'robert', $ALICE ], "$way/$name: its part"
                or diag $page->body;
            like $env->{HTTP_COOKIE} // '', $way eq 'bare' ? qr/\A\z/
                : qr/openid2rp=/, "$way/$name: the cookie";
        }
    }
}

sub logins_without_the_cookie {
    my ($path) = @_;
    my $at = "http://localhost:$EDITED$path";
    my $knows = sub {
        my $page = $_[0]->get($at);
        my ($who) = (env_of($page)->{HEAD} // '')
            =~ /^X-OpenID-IDENTIFIER: ([^\r]*)/m;
        return ($who, $page);
    };
    my $browser = member($at, $ALICE);
    $browser->{jar}{$_} = { name => $_, value => 1, host => 'localhost',
                            path => '/', samesite => '' }
        for 'mine', '__Host-openid2rp', 'yours';
    my ($who, $page) = $knows->($browser);
    is $who, $ALICE, "$path: a login, a session";
    unlike env_of($page)->{HEAD}, qr/openid2rp/, "$path: without a cookie";
    like env_of($page)->{HEAD}, qr/^Cookie: .*mine=1.*yours=1/m,
        "$path: control: its own arrive";
    my $twin = $browser->twin;
    is +($knows->($twin))[0], $ALICE, "$path: control: a twin";
    is $browser->get("http://localhost:$EDITED/out")->status, 303,
        "$path: a logout";
    is +($knows->($_))[0], undef, "$path: nobody is signed in"
        for $browser, $twin;
}
