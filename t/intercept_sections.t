#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# One request, several sections: what is said in one of them is not told in
# another, by no header and no variable; and who a protected section lets in is
# who it sees.
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
my ($ALICE, $BOB, $CAROL) = map { $op->id($_) } qw(alice bob carol);
my $http = OpenID2RP::Echo->http;
my $OTHER = free_port();
my $httpd = server();
my $SITE = $httpd->origin;

headers_of_other_sections();
an_index_that_refuses();
redirects_to_others($_) for 'refused', 'silent';
an_index_with_accounts($_) for 'intercept', 'protect';
an_index_and_another_login();
an_index_of_a_public_folder();
parts_and_error_documents();
ok $httpd->stop, 'httpd stops';
is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

# --- the site ---------------------------------------------------------------

sub server {
    my $httpd = OpenID2RP::Httpd->new;
    my ($dir, $cgi) = ($httpd->dir, Cwd::getcwd() . '/t/cgi/env.cgi');
    my $to = 'http://127.0.0.1:' . $http->port . '/app';
    my $accounts = "OpenIDRemoteUser link\nOpenIDLinks txt:$dir/links";
    my $protect = "AuthType OpenID\nRequire valid-user";
    my $kept = "OpenIDIntercept On\nOpenIDSession store";
    files("$dir/app", "$dir/links");
    $httpd->configure(OpenID2RP::Twins::loads(qw(alias dir include proxy
        proxy_http rewrite)), split /\n/, <<"END");
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

# Headers that some section passes
ProxyPass "/b" "$to"
<Location "/b">
    OpenIDIntercept On
    OpenIDPassHeaders X-OpenID-
</Location>
<Location "/b/static">
    OpenIDPassHeaders off
</Location>
<Location "/b/other">
    OpenIDPassHeaders X-Other-
</Location>
<Location "/b/off">
    OpenIDIntercept Off
</Location>
ProxyPass "/members" "$to"
<Location "/members">
    $protect
</Location>
ScriptAlias "/cgi" "$cgi"
<Location "/cgi">
    OpenIDIntercept On
</Location>

# What is told in one section, and redirects or indexes in others
<Directory "$dir/app/told">
    $kept
    OpenIDPassHeaders X-OpenID-
    RewriteEngine On
    RewriteRule "^to-(\\w+)\$" "/\$1/env" [PT]
    RewriteRule "^page\$" "/parts/silent.shtml" [PT]
</Directory>
<Directory "$dir/app/told/refused">
    <Files "index.cgi">
        OpenIDProviderAllow http://nobody.example/
    </Files>
</Directory>
<Directory "$dir/app/told/silent">
    <Files "index.cgi">
        OpenIDIntercept Off
    </Files>
</Directory>
ScriptAlias "/known" "$cgi"
ScriptAlias "/refused" "$cgi"
ScriptAlias "/silent" "$cgi"
<Location "/known">
    OpenIDIntercept On
    OpenIDPassHeaders X-OpenID-
</Location>
<Location "/refused">
    OpenIDIntercept On
    OpenIDPassHeaders off
    OpenIDProviderAllow http://nobody.example/
</Location>
<Location "/silent">
    OpenIDIntercept Off
</Location>

# Indexes that are protected
<Directory "$dir/app/intercept">
    $kept
    OpenIDPassHeaders X-OpenID-
    <Files "index.cgi">
        $protect
        $accounts
        OpenIDPassHeaders off
    </Files>
</Directory>
<Directory "$dir/app/protect">
    $protect
    <Files "index.cgi">
        $accounts
        OpenIDPassHeaders X-OpenID-
    </Files>
</Directory>
<Directory "$dir/app/brief">
    OpenIDIntercept On
    <Files "index.cgi">
        AuthType OpenID
        Require user robert
        $accounts
    </Files>
</Directory>
<Directory "$dir/app/public">
    AuthType None
    Require all granted
    <Files "index.cgi">
        $protect
    </Files>
</Directory>

# Parts and error documents
<Location "/parts">
    $kept
</Location>
<Location "/parts/404-silent">
    ErrorDocument 404 /silent/env
</Location>
<Location "/parts/404-known">
    ErrorDocument 404 /known/env
</Location>

Listen 127.0.0.1:$OTHER
<VirtualHost *:$OTHER>
    ServerName http://localhost:$OTHER
    ProxyPass "/" "$to/"
    <Location "/on">
        OpenIDIntercept On
        OpenIDPassHeaders X-Host-
    </Location>
    <Location "/members">
        $protect
    </Location>
</VirtualHost>
END
    $httpd->start or die $httpd->says;
    return $httpd;
}

sub files {
    my ($app, $links) = @_;
    write_file($links, "$ALICE robert\n");
    for my $folder (qw(told told/known told/refused told/silent intercept
                       protect brief public)) {
        make_path("$app/$folder");
        for my $file ('index.cgi', 'beside.cgi') {
            copy('t/cgi/env.cgi', "$app/$folder/$file") or die "$file: $!";
            chmod 0755, "$app/$folder/$file";
        }
    }
    make_path("$app/parts");
    write_file("$app/parts/$_.shtml", "PAGE: "
        . '<!--#echo var="REMOTE_USER" encoding="none" -->' . "\n"
        . "<!--#include virtual=\"/$_/env\" -->") for 'silent', 'known';
}

# --- who somebody is --------------------------------------------------------

# A browser that has a session.
sub member { (signed_in($op, @_))[0] }

# A CGI program has been called; these variables of its speak of a user.
sub traces {
    my ($page) = @_;
    my $env = env_of($page);
    return 'no program: ' . $page->status unless $env->{REQUEST_METHOD};
    return join ' ', grep {
        /OPENID2RP|REMOTE_USER|AUTH_TYPE|X_OPENID/
            || $env->{$_} =~ /\Q$ALICE\E|^robert\z/
    } sort keys %$env;
}

sub user_of { env_of($_[0])->{REMOTE_USER} }

sub status_and_ours {
    my ($page) = @_;
    my $env = env_of($page);
    return [ $page->status, ours($env),
             [ grep { /X_OPENID/ } sort keys %$env ] ];
}

sub forged {
    return join ' ', sort map { /\A([^:]+): forged/ ? $1 : () }
        split /\r\n/, env_of($_[0])->{HEAD} // '';
}

# A client's header that is another section's name for a user. Who has no use
# for it may have one behind the next proxy, or in a log.
sub headers_of_other_sections {
    my @ours = qw(X-OpenID-IDENTIFIER x_openid_identifier X-Other-Email
        X-OTHER.ERROR x-host-identifier X-Host-SReg-Email);
    my @honest = qw(X-Honest X-Openid-Any Y-Other-Email);
    my @headers = (headers => [ map { [ $_, 'forged' ] } @ours, @honest ]);
    my $others = "http://localhost:$OTHER";
    for my $url ("$SITE/b/x", "$SITE/b/static/x", "$SITE/b/other/x",
                 "$others/on/x") {
        is forged(browser()->get($url, @headers)), "@honest",
            "forged headers: $url";
        is forged(browser()->post($url, 'a=b', headers => $headers[1])),
            "@honest", "forged headers: $url, a form";
    }
    for my $url ("$SITE/members/x", "$others/members/x") {
        is forged(member($url, $ALICE)->get($url, @headers)), "@honest",
            "forged headers: $url, AuthType OpenID";
    }
    my $env = env_of(browser()->get("$SITE/cgi", @headers));
    is_deeply [ sort grep { $env->{$_} eq 'forged' } keys %$env ],
        [qw(HTTP_X_HONEST HTTP_X_OPENID_ANY HTTP_Y_OTHER_EMAIL)],
        'forged headers: no variables of a program';
    for my $url ("$SITE/b/off/x", "$others/off/x") {
        is forged(browser()->get($url, @headers)),
            join(' ', sort @ours, @honest), "control: off: $url";
    }
    my ($back) = (signed_in($op, "$SITE/b/x", $ALICE))[1];
    like env_of($back)->{HEAD}, qr/^X-OpenID-IDENTIFIER: \Q$ALICE\E\r/m,
        'control: what is true is passed';
}

sub is_told {
    my ($page, $name) = @_;
    my $env = env_of($page);
    is_deeply [ @$env{qw(REMOTE_USER OPENID2RP_IDENTIFIER
                         HTTP_X_OPENID_IDENTIFIER)} ], [ ($ALICE) x 3 ], $name
        or diag $page->status, ' ', $page->body;
}

sub an_index_that_refuses {
    my $browser = member("$SITE/told/known/", $ALICE);
    is_told($browser->get("$SITE/told/known/"), 'control: an index');
    for my $folder ('refused', 'silent') {
        my $at = "$SITE/told/$folder";
        is_told($browser->get("$at/beside.cgi"), "control: beside $folder");
        is traces($browser->get("$at/index.cgi")), '', "control: $folder";
        is traces($browser->get("$at/")), '', "an index: $folder";
        is traces($browser->post("$at/", 'a=b')), '',
            "an index: $folder, a form";
        my $begun = begin_login($browser, "$at/", $ALICE);
        is $begun->status, 303, "control: $folder: a login begins";
        is traces($browser->get($op->assertion($begun))), '',
            "an index: $folder, a return";
    }
}

sub redirects_to_others {
    my ($section) = @_;
    my $browser = member("$SITE/told/index.cgi", $ALICE);
    is_told($browser->get("$SITE/told/to-known"), 'control: a redirect');
    my $at = "$SITE/told/to-$section";
    is traces($browser->get($at)), '', "a redirect to $section";
    is traces($browser->post($at, 'a=b')), '',
        "a redirect to $section, a form";
    my $begun = begin_login($browser, $at, $ALICE);
    is $begun->status, 303, "control: $section: a login begins";
    is traces($browser->get($op->assertion($begun))), '',
        "a redirect to $section, a return";
}

sub an_index_with_accounts {
    my ($folder) = @_;
    my $at = "$SITE/$folder";
    my $browser = member("$at/beside.cgi", $ALICE);
    is user_of($browser->get("$at/beside.cgi")), $ALICE,
        "control: $folder: a session";
    my $page = $browser->get("$at/index.cgi");
    is user_of($page), 'robert', "control: $folder: an account, by name";
    is env_of($page)->{HTTP_X_OPENID_IDENTIFIER},
        $folder eq 'protect' ? $ALICE : undef, "control: $folder: its header";
    is_deeply status_and_ours($browser->get("$at/")), status_and_ours($page),
        "$folder: the index is told the same";
    $browser = member("$at/beside.cgi", $BOB);
    is $browser->get("$at/beside.cgi")->status, 200,
        "control: $folder: somebody without an account";
    is $browser->get("$at/$_")->status, 403, "$folder: may not see /$_"
        for 'index.cgi', '';
}

# Who signs in at the folder is not who the session is, that opened its index.
sub an_index_and_another_login {
    my $at = "$SITE/brief";
    my $browser = member("$SITE/intercept/beside.cgi", $ALICE);
    my $seen = status_and_ours($browser->get("$at/index.cgi"));
    is $seen->[1]{REMOTE_USER}, 'robert', 'control: who may see an index';
    is_deeply status_and_ours($browser->get("$at/")), $seen,
        'and sees it as the folder';
    for my $path ('beside.cgi', '') {
        my $begun = begin_login($browser, "$at/$path", $CAROL);
        is $begun->status, 303, "control: another login begins at /$path";
        my $back = $browser->get($op->assertion($begun));
        if ($path) {
            is user_of($back), $CAROL, 'control: is told where it began';
            next;
        }
        unlike $back->body, qr/\Q${\ encode($CAROL) }\E|carol/,
            'another login: an index is not told';
        is_deeply status_and_ours($back), $seen, 'but who opened it'
            if $back->status == 200;
    }
    my $begun = begin_login(browser(), "$at/", $CAROL);
    isnt $begun->status, 200, 'nobody: does not see it';
    isnt browser()->get("$at/")->status, 200, 'nobody: nor without a login';
}

sub an_index_of_a_public_folder {
    my $at = "$SITE/public";
    my $browser = member("$SITE/intercept/beside.cgi", $ALICE);
    is traces($browser->get("$at/beside.cgi")), '',
        'control: a public folder knows nobody';
    my $page = $browser->get("$at/index.cgi");
    is user_of($page), $ALICE, 'control: its index does, by name';
    is env_of($page)->{OPENID2RP_IDENTIFIER}, $ALICE, 'and who it is';
    is_deeply status_and_ours($browser->get("$at/")), status_and_ours($page),
        'a public folder: the index is told the same';
    is browser()->get("$at/$_")->status, 401, "nobody: /$_"
        for 'index.cgi', '';
}

sub parts_and_error_documents {
    for my $path ('%s.shtml', '404-%s') {
        my %at = map { $_ => sprintf "$SITE/parts/$path", $_ } qw(known silent);
        my ($browser, $back) = signed_in($op, $at{known}, $ALICE);
        for my $page ($back, $browser->get($at{known})) {
            is env_of($page)->{OPENID2RP_IDENTIFIER}, $ALICE,
                "control: $path: where it is on";
            is user_of($page), $ALICE, "control: $path: the user, too";
        }
        ($browser, $back) = signed_in($op, $at{silent}, $ALICE);
        for my $page ($back, $browser->get($at{silent})) {
            is traces($page), '', "$path: where it is off";
            like $page->body, qr/^PAGE: \Q$ALICE\E$/m, 'control: the page'
                if $path =~ /shtml/;
        }
    }
    my $page = member("$SITE/told/", $ALICE)->get("$SITE/told/page");
    like $page->body, qr/^PAGE: \Q$ALICE\E$/m, 'control: a redirected page';
    is traces($page), '', 'a part of a redirected page, where it is off';
}
