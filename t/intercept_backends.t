#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept in front of every kind of application that httpd can have, and
# with the modules that stand between: proxies, FastCGI, pages with includes,
# rewriting, indexes, error documents, caches.

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
my $fcgi = OpenID2RP::Echo->fcgi;
my ($QUICK, $SLOW) = (free_port(), free_port());
my $httpd = server();
my $SITE = $httpd->origin;

programs();
backends();
pages_with_includes();
redirects_of_others();
a_folder_without_its_slash();
what_is_only_a_part();
error_documents();
caches($_) for [ 'quick handler', $QUICK ], [ 'normal handler', $SLOW ];
ok $httpd->stop, 'httpd stops';
is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

# --- the site ---------------------------------------------------------------

sub server {
    my $httpd = OpenID2RP::Httpd->new;
    my ($dir, $cgi) = ($httpd->dir, Cwd::getcwd() . '/t/cgi');
    my ($to, $fcgi_at) = map { '127.0.0.1:' . $_->port } $http, $fcgi;
    files("$dir/app");
    $httpd->configure(OpenID2RP::Twins::loads(qw(actions alias cache
        cache_disk dir headers include proxy proxy_fcgi proxy_http rewrite)),
        split /\n/, <<"END");
DocumentRoot "$dir/app"
OpenIDIntercept On
OpenIDAssociate never
OpenIDSReg off
OpenIDAX off
<Directory "$dir/app">
    AllowOverride All
    Options +Includes +ExecCGI +FollowSymLinks
    AddHandler cgi-script .cgi
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    AddHandler by-action .act
</Directory>
ScriptAlias "/cgi" "$cgi/env.cgi"
ScriptAlias "/away" "$cgi/away.cgi"
ProxyPass "/fcgi" "fcgi://$fcgi_at/app"
ProxyPass "/raw" "http://$to/app"
ProxyPass "/told" "http://$to/app"
<Location "/told">
    OpenIDPassHeaders X-Id-
</Location>
<Location "/cgi/denied">
    OpenIDProviderDeny "~.*"
</Location>
Action by-action "/cgi/action"
RewriteEngine On
RewriteRule "^/pt/(.*)" "/cgi/\$1" [PT]
RewriteRule "^/p/(.*)" "http://$to/app/\$1" [P]
RewriteRule "^/moved/(.*)" "/cgi/\$1" [R=302]
Redirect 302 "/older" "/cgi"
<Directory "$dir/app/fallback">
    FallbackResource /cgi/fallback
</Directory>
<Location "/errors">
    ErrorDocument 404 "/cgi/missing?openid_identifier=$ALICE"
</Location>
# Where the module is off, and what belongs to a page is where it is on.
<Location "/off">
    OpenIDIntercept Off
    ErrorDocument 404 "/cgi/missing?openid_identifier=$ALICE"
</Location>
<Location "/cached">
    RequestHeader set X-Echo "Cache-Control: public, max-age=60"
</Location>
ProxyPass "/cached" "http://$to/app"
CacheRoot "$dir"
CacheIgnoreNoLastMod On
Listen 127.0.0.1:$QUICK
<VirtualHost *:$QUICK>
    ServerName http://localhost:$QUICK
    CacheQuickHandler On
    CacheEnable disk "/cached"
    OpenIDPassHeaders X-Id-
    RewriteEngine On
    RewriteOptions Inherit
</VirtualHost>
Listen 127.0.0.1:$SLOW
<VirtualHost *:$SLOW>
    ServerName http://localhost:$SLOW
    CacheQuickHandler Off
    <Location "/cached">
        CacheEnable disk
    </Location>
    OpenIDPassHeaders X-Id-
</VirtualHost>
END
    $httpd->start or die $httpd->says;
    return $httpd;
}

sub files {
    my ($app) = @_;
    make_path(map { "$app/$_" } qw(front index fallback ssi act off));
    for my $file ('front/index.cgi', 'index/index.cgi') {
        copy('t/cgi/env.cgi', "$app/$file") or die "$file: $!";
        chmod 0755, "$app/$file";
    }
    write_file("$app/front/.htaccess", <<'END');
RewriteEngine On
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^ index.cgi [L]
END
    write_file("$app/index/.htaccess", "DirectoryIndex index.cgi\n");
    write_file("$app/act/x.act", 'any');
    write_file("$app/ssi/page.shtml", <<'END');
<!--#set var="x" value="y" -->
ID=<!--#echo var="OPENID2RP_IDENTIFIER" encoding="none" -->
USER=<!--#echo var="REMOTE_USER" encoding="none" -->
CODE=<!--#echo var="OPENID2RP_ERROR_CODE" encoding="none" -->
NOTICE=<!--#echo var="OPENID2RP_NOTICE" encoding="none" -->
QUERY=<!--#echo var="QUERY_STRING" encoding="none" -->
<!--#include virtual="/cgi/sub?c=d" -->
END
    write_file("$app/ssi/denied.shtml", '<!--#echo var="REMOTE_USER" -->'
        . "\n" . '<!--#include virtual="/cgi/denied" -->');
    write_file("$app/$_/start.shtml", '<!--#include virtual="/cgi/sub?'
        . 'openid_identifier=' . encode($ALICE) . '" -->') for 'ssi', 'off';
}

# --- programs ---------------------------------------------------------------

# Each of these sees the environment of a CGI program.
sub programs {
    for my $path ('/cgi/x%20y', '/fcgi/x%20y', '/pt/x', '/front/some/page',
                  '/index/', '/fallback/x/y', '/act/x.act') {
        my $target = "$SITE$path?a=1&&b=%7e";
        for my $way (ways()) {
            my $browser = browser();
            my ($begun) = begin_by($way, $browser, $target, $ALICE);
            my $back = $browser->get($op->assertion($begun));
            my $name = "$path, $way";
            seen_at($back, "$path?a=1&&b=%7e", $name);
            is_deeply known($back, $name), who($op, $ALICE), "$name: who";
            my ($page, $body, $url) = begin_by($way, browser(), $target,
                                               'http://10.0.0.1/');
            my $env = env_of($page);
            like delete $env->{OPENID2RP_NOTICE} // '', qr/address/,
                "$name: a notice";
            is_deeply ours($env), {}, "$name: and nothing else";
            is $env->{BODY}, $body, "$name: with its body";
            is $env->{REQUEST_URI}, path_of($url), "$name: and its URL";
        }
        my $browser = browser();
        my $begun = begin_login($browser, $target, $ALICE);
        my $back = $browser->get(answer_of_mode($begun, 'cancel'));
        is ours(env_of($back))->{OPENID2RP_ERROR_CODE}, 'cancelled',
            "$path: an error";
        is env_of($back)->{OPENID2RP_IDENTIFIER}, undef, "$path: nobody";
        my $other = $browser->post($target, 'x=y');
        is env_of($other)->{BODY}, 'x=y', "$path: control: a form arrives";
        is_deeply ours(env_of($other)), {}, "$path: and is nobody's";
    }
}

# As called_at(), but what leads to a program may set its own QUERY_STRING.
sub seen_at {
    my ($page, $uri, $name) = @_;
    my $env = env_of($page);
    is $page->status, 200, "$name: the application answers";
    is_deeply [ @$env{qw(REQUEST_METHOD REQUEST_URI BODY QUERY_STRING)} ],
        [ 'GET', $uri, '', $uri =~ s/.*?\?//r ],
        "$name: it is called by GET there";
    is_deeply [ map { "$_=$env->{$_}" }
                grep { $env->{$_} =~ /openid_return|openid\.|openid_id/ }
                keys %$env ], [], "$name: nothing of the messages is left";
}

# --- backends ---------------------------------------------------------------

sub backends {
    for my $path ('/raw/x', '/told/x', '/p/x') {
        my $target = "$SITE$path?a=1&&b=%7e";
        for my $way (ways()) {
            my $name = "$path, $way";
            my $browser = browser();
            my ($begun) = begin_by($way, $browser, $target, $ALICE);
            $http->asked;
            my $back = $browser->get($op->assertion($begun));
            is env_of($back)->{LINE}, 'GET /app/x?a=1&&b=%7e HTTP/1.1',
                "$name: the backend is asked as when it began";
            is $http->asked, 1, "$name: once";
            is env_of($back)->{FRAMING}, 'none', "$name: without a body";
            is header_of($back, 'X-Id-Identifier'),
                $path =~ /told/ ? $ALICE : undef, "$name: who";
            unlike env_of($back)->{HEAD} =~ s/^Cookie:.*\n//gmr,
                qr/openid_|openid\./, "$name: nothing of the messages";
            my ($page, $body) = begin_by($way, browser(), $target,
                                         'http://10.0.0.1/');
            is env_of($page)->{BODY}, $body, "$name: a notice, with the body";
            is env_of($page)->{FRAMING}, length $body ? 'length' : 'none',
                "$name: of that length";
            like header_of($page, 'X-Id-Notice') // 'address of none',
                $path =~ /told/ ? qr/\A\S.*address/ : qr/of none/,
                "$name: and its sentence";
        }
    }
}

# --- modules between --------------------------------------------------------

sub pages_with_includes {
    my $target = "$SITE/ssi/page.shtml?a=b";
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    is $begun->status, 303, 'a page with includes: a login begins';
    my $page = $browser->get($op->assertion($begun));
    like $page->body, qr/^ID=\Q$ALICE\E$/m, 'a page with includes: who';
    like $page->body, qr/^USER=\Q$ALICE\E$/m, 'a page with includes: user';
    like $page->body, qr/^CODE=\(none\)$/m, 'a page with includes: no error';
    like $page->body, qr/^QUERY=a=b$/m, 'a page with includes: its query';
    my $env = env_of($page);
    is_deeply [ @$env{qw(OPENID2RP_IDENTIFIER REMOTE_USER QUERY_STRING)} ],
        [ $ALICE, $ALICE, 'c=d' ], 'what it includes knows as well';
    $begun = begin_login($browser, $target, $ALICE);
    $page = $browser->get(answer_of_mode($begun, 'cancel'));
    like $page->body, qr/^ID=\(none\)$/m, 'a page with includes: nobody';
    like $page->body, qr/^CODE=cancelled$/m, 'a page with includes: error';
    is env_of($page)->{OPENID2RP_ERROR_CODE}, 'cancelled',
        'what it includes knows as well';
    $page = begin_login($browser, $target, 'http://10.0.0.1/');
    like $page->body, qr/^NOTICE=.*address/m, 'a page with includes: notice';
    $page = $browser->get($target);
    unlike $page->body, qr/\Q$ALICE\E/, 'a page with includes: nobody later';
    ($browser, $page) = signed_in($op, "$SITE/ssi/denied.shtml", $ALICE);
    like $page->body, qr/\A\Q$ALICE\E$/m, 'control: a page knows who';
    my $env_there = env_of($page);
    like $env_there->{SCRIPT_NAME}, qr{\A/cgi}, 'control: includes another';
    is_deeply [ grep { /\AOPENID2RP_/ } keys %$env_there ], [],
        'that takes no word of this provider';
    is $env_there->{REMOTE_USER}, undef, 'nor has a user';
}

# Redirects before a request is ours: the login begins where they lead.
sub redirects_of_others {
    for my $path ('/moved/x', '/older/x') {
        my $browser = browser();
        my $page = $browser->get("$SITE$path?a=b&openid_identifier="
                                 . encode($ALICE));
        is $page->status, 302, "$path: redirects";
        my $begun = $browser->get($page->header('Location'));
        is $begun->status, 303, "$path: a login begins where that leads";
        is env_of($browser->get($op->assertion($begun)))->{REQUEST_URI},
            '/cgi/x?a=b', "$path: and ends there";
    }
}

# Nobody who has signed in is lost by mod_dir's redirect to the slash.
sub a_folder_without_its_slash {
    my $browser = browser();
    my $page = $browser->get("$SITE/index?a=b");
    is $page->status, 301, 'control: a folder without its slash';
    my ($begun) = begin_by('a query', $browser, "$SITE/index?a=b", $ALICE);
    $begun = $browser->get($begun->header('Location'))
        if $begun->status == 301;
    is $begun->status, 303, 'a folder without its slash: a login begins';
    my $back = $browser->get($op->assertion($begun));
    is $back->status, 200, 'a folder without its slash: and ends';
    is env_of($back)->{OPENID2RP_IDENTIFIER}, $ALICE,
        'a folder without its slash: with who it is';
}

# Only what a browser has sent begins a login.
sub what_is_only_a_part {
    my $query = 'openid_identifier=' . encode($ALICE);
    for my $path ('/ssi/start.shtml', '/off/start.shtml', '/off/nothing') {
        $op->log;
        my $page = browser()->get("$SITE$path");
        like env_of($page)->{QUERY_STRING}, qr/\Aopenid_identifier=/,
            "a part of $path: is called";
        is_deeply ours(env_of($page)), {}, "a part of $path: begins nothing";
        is_deeply [ $page->headers('Set-Cookie') ], [], 'nor has it a cookie';
        is_deeply [ $op->log ], [], 'nor is anybody asked';
    }
    my $page = browser()->get("$SITE/away/cgi/x?$query");
    is $page->status, 303, 'control: sent by a browser, it begins a login';

    $query = 'openid_identifier=10.0.0.1';
    $page = browser()->get("$SITE/cgi/x?$query");
    like env_of($page)->{OPENID2RP_NOTICE} // '', qr/address/,
        'control: sent by a browser, a notice';
    $page = browser()->get("$SITE/away/cgi/x%3F$query");
    is env_of($page)->{QUERY_STRING}, $query, 'an internal redirect: is made';
    is_deeply ours(env_of($page)), {}, 'an internal redirect: begins nothing';
}

sub error_documents {
    my $target = "$SITE/errors/nothing?a=b";
    my $page = browser()->get($target);
    is $page->status, 404, 'an error document: is shown';
    like env_of($page)->{QUERY_STRING}, qr/openid_identifier/,
        'an error document: with a query of its own';
    is_deeply ours(env_of($page)), {}, 'an error document: begins nothing';
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    is $begun->status, 303, 'where nothing is, a login begins';
    $page = $browser->get($op->assertion($begun));
    is $page->status, 404, 'and ends, where nothing is';
    is env_of($page)->{OPENID2RP_IDENTIFIER}, $ALICE,
        'the error document knows who';
    is env_of($page)->{REDIRECT_URL}, '/errors/nothing', 'and what is missing';
}

# --- caches -----------------------------------------------------------------

# An answer with a verified identity comes from the application, and is for
# nobody else.
sub caches {
    my ($name, $port) = @{ $_[0] };
    my $target = "http://localhost:$port/cached/x?" . ($name =~ s/ .*//r);
    my $get = sub {
        $http->asked;
        my $page = ($_[1] // browser())->get($_[0]);
        return ($page, $http->asked);
    };
    is +($get->($target))[1], 1, "$name: control: a page is made";
    is +($get->($target))[1], 0, "$name: control: and then is in the cache";
    my $browser = browser();
    my ($begun) = begin_by('a form', $browser, $target, $ALICE);
    is $begun->status, 303, "$name: a login begins at it";
    my $url = $op->assertion($begun);
    my ($back, $asked) = $get->($url, $browser);
    is $asked, 1, "$name: the return comes to the application";
    is header_of($back, 'X-Id-Identifier'), $ALICE, "$name: with who it is";
    my ($page) = $get->($target);
    is header_of($page, 'X-Id-Identifier'), undef,
        "$name: others do not get that from the cache";

    my $fresh = $target . '-fresh';
    ($begun) = begin_by('a query', $browser, $fresh, $ALICE);
    is $begun->status, 303, "$name: a login begins where nothing is cached";
    $url = $op->assertion($begun);
    ($back, $asked) = $get->($url, $browser);
    is header_of($back, 'X-Id-Identifier'), $ALICE, "$name: and ends";
    ($page, $asked) = $get->($fresh);
    is $asked, 1, "$name: the answer is not stored";
    is header_of($page, 'X-Id-Identifier'), undef, "$name: for others";
    is +($get->($fresh))[1], 0, "$name: control: theirs is";
    ($page) = $get->($url);
    is header_of($page, 'X-Id-Identifier'), undef,
        "$name: nor does the return's URL lead to it";

    ($begun) = begin_by('a form', $browser, $target, $ALICE);
    ($back, $asked) = $get->(answer_of_mode($begun, 'cancel'), $browser);
    is header_of($back, 'X-Id-Error-Code'), 'cancelled',
        "$name: an error comes to the application as well";
    ($page) = $get->($target);
    is header_of($page, 'X-Id-Error-Code'), undef, "$name: and to no other";
    my ($notice) = begin_by('a query', $browser, $fresh, 'http://10.0.0.1/');
    like header_of($notice, 'X-Id-Notice') // '', qr/address/,
        "$name: a notice does";
    ($notice) = begin_by('a form', $browser, $target, 'http://10.0.0.1/');
    like header_of($notice, 'X-Id-Notice') // '', qr/address/,
        "$name: of a form too";
    ($page) = $get->($target);
    is header_of($page, 'X-Id-Notice'), undef, "$name: and to no other";
}
