#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDLinks: accounts in text files, dbm files and a database; what becomes of
# those who have none; and files that change, break and go while httpd runs.

use v5.14;
use strict;
use warnings;
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Named;
use OpenID2RP::Process qw(lines_of write_file);
use OpenID2RP::Test;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $site = OpenID2RP::Named->new;
my $dir = $site->dir;
my $rows = 0;

# Files, each for sections of its own.
my %file = map { $_ => "$dir/links.$_" } qw(txt busy htaccess bad db);
my $NO = qr{\Q${\ $site->op->url }\E/id/\w+ has no account here\.};
my $AWAY = qr/Accounts cannot be looked up at the moment\./;

make_files();
what_httpd_refuses();
$site->has(sections());
$site->start or die $site->httpd->says;
text();
missing();
registering();
handed_on();
before_an_application();
changes();
broken_lines();
away();
dbm();
few_connections();
database();
no_database();
htaccess();
while_it_is_replaced();
memory();
a_restart();
ok $site->httpd->stop, 'httpd stops';
is_deeply [ $site->httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

# ---------------------------------------------------------------------------
# Arrangement

# NAME ACCOUNT, ...: lines about users of the provider.
sub lines {
    my @lines;
    while (my ($name, $account) = splice @_, 0, 2) {
        push @lines, $site->id($name) . " $account\n";
    }
    return join '', @lines;
}

# In one step, as who edits files with care does.
sub replace {
    my ($file, $text) = @_;
    write_file("$file.new", $text);
    rename "$file.new", $file or die "$file: $!";
}

sub command {
    my (@words) = @_;
    system($ENV{COMMAND}, 'links', @words) == 0;
}

sub sql {
    my ($text) = @_;
    open my $sqlite, '|-', 'sqlite3', '-bail', $file{db} or die "sqlite3: $!";
    print $sqlite $text;
    close $sqlite or die "sqlite3: $?";
}

sub make_text {
    replace($file{txt}, "# who is who\n\n" . lines(alice => 'al',
        'alice2' => 'al', bob => 'Bob Miller', 'carol#1' => 'caro',
        url => 'http://other.example/'));
}

sub make_files {
    make_text();
    replace($file{$_}, lines(alice => 'old')) for qw(busy htaccess);
    replace($file{bad}, lines(alice => 'al') . "no account\x01\n"
        . "http:// x\n");
    command("dbm:$dir/links.dbm", 'add', $site->id('alice'), 'al') or die;
    write_file("$dir/odd", "http://a/\e[2J\x7f x\n");
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    system('httxt2dbm', '-i', "$dir/odd", '-o', "$dir/odd.dbm") == 0 or die;
    sql('CREATE TABLE links (identifier TEXT, account TEXT);');
    my $a = $site->id('');
    sql("INSERT INTO links VALUES ('${a}alice', 'al'), ('${a}two', 'x'), "
        . "('${a}two', 'y'), ('${a}twice', 'z'), ('${a}twice', 'z'), "
        . "('${a}null', NULL), ('${a}empty', ''), ('${a}some', NULL), "
        . "('${a}some', 's'), ('${a}blank', 'root '), ('%', 'root');");
}

sub links {
    my ($place, @missing) = @_;
    return [ 'OpenIDRemoteUser link', "OpenIDLinks \"$place\" @missing" ];
}

# In intercept mode.
sub before {
    my ($lines) = @_;
    return [ 'OpenIDIntercept On', 'AuthType None', 'Require all granted',
             @$lines ];
}

sub sections {
    my $query = 'dbd:SELECT account FROM links WHERE identifier = %s';
    return (
        -modules => [ 'dbd', 'cgid?' ],
        -server => [ '<IfModule cgid_module>', "ScriptSock $dir/cgid",
            '</IfModule>', 'DBDriver sqlite3', "DBDParams $file{db}",
            'DBDMax 1', 'DBDKeep 1', "<Directory \"$dir/site\">",
            'AllowOverride AuthConfig', '</Directory>' ],
        txt => links("txt:$file{txt}"),
        relative => links('txt:links.txt', 'missing=deny'),
        named => links("txt:$file{txt}", 'missing=identifier'),
        register => links("txt:$file{txt}", 'missing=/register.html'),
        upper => [ 'OpenIDRemoteUser link "(.*)" "ACME-$1"',
            "OpenIDLinks txt:$file{txt} missing=identifier" ],
        inlink => before(links("txt:$file{txt}")),
        inid => before(links("txt:$file{txt}", 'missing=identifier')),
        inreg => before(links("txt:$file{txt}", 'missing=/register.html')),
        insession => [ 'OpenIDSession store',
            @{ before(links("txt:$file{txt}")) } ],
        busy => links("txt:$file{busy}"),
        dbm => links("dbm:$dir/links.dbm"),
        dbmid => links("dbm:$dir/links.dbm", 'missing=identifier'),
        dbd => links($query),
        large => links($query),
        dbdid => links($query, 'missing=identifier'),
        dbdreg => links($query, 'missing=/dbdreg.html'),
        percent => links("$query AND identifier NOT LIKE '%%x'"),
    );
}

# ---------------------------------------------------------------------------
# At start

sub what_httpd_refuses {
    my $kinds = qr{OpenIDLinks: "[^"]*" is not txt:PATH, dbm:PATH or "dbd:QU};
    my $missing = qr{OpenIDLinks: "\S*" is not missing=deny, missing=identi};
    my $query = 'SELECT a FROM b WHERE c =';
    for ([ '', qr/OpenIDLinks takes 1-2/ ], [ 'x', $kinds ],
         [ $file{txt}, $kinds ], [ "TXT:$file{txt}", $kinds ],
         [ 'redis://localhost', $kinds ], [ "text:$file{txt}", $kinds ],
         [ 'txt:', qr/"txt:" has no path/ ], [ 'dbm:', qr/"dbm:" has no pa/ ],
         [ 'txt:none', qr{OpenIDLinks: $dir/none cannot be read: No such fi} ],
         [ "txt:$dir", qr/it is not a file/ ],
         [ "txt:$file{bad}", qr/$file{bad}, line 2: [^\n]*\(and 1 more\)/ ],
         [ 'dbm:none', qr{OpenIDLinks: $dir/none cannot be opened} ],
         [ 'dbm:odd.dbm', qr{OpenIDLinks: $dir/odd.dbm, the key "http://a/\?\[2J\?" is no} ],
         [ "dbm:$file{txt}", qr/OpenIDLinks: [^\n]*links\.txt/ ],
         [ "txt:$file{txt} deny", $missing ],
         [ "txt:$file{txt} missing=", $missing ],
         [ "txt:$file{txt} missing=Deny", $missing ],
         [ "txt:$file{txt} missing=register", $missing ],
         [ "txt:$file{txt} found=deny", $missing ],
         [ "txt:$file{txt} missing=/a?b", qr/"\/a\?b" has a query/ ],
         [ "txt:$file{txt} \"missing=/a b\"", qr/"\/a b" is not a path/ ],
         [ "txt:$file{txt} missing=/%72eg", qr/"\/%72eg" has a percent sign/ ],
         map({ [ "txt:$file{txt} missing=$_",
                 qr/"\Q$_\E" is not the path of a page as httpd sees it/ ] }
             '//x', '/a//b', '/./x', '/a/..', '/a/../b'),
         [ "txt:$file{txt} missing=deny more", qr/takes 1-2/ ],
         [ "\"dbd:$query %s\"", qr/dbd: needs mod_dbd, which is not loaded/ ],
         [ "\"dbd:$query x\"", qr/must have %s once, .* has it 0 times/ ],
         [ "\"dbd:$query %s OR d = %s\"", qr/has it 2 times/ ],
         map({ [ '"dbd:' . "$query $_" =~ s/"/\\"/gr . '"',
                 qr/%s stands between quotation marks or in a comment/ ] }
             "'%s'", '"%s"', '`%s`', "'openid:%s'", "'a''b %s'", '"a%%"||"%s"',
             "'a' OR d = 'b %s'", q('"' OR d = "'%s'"), '1 -- %s',
             '1 /* %s */', "1 /* ' */ OR d = '%s'", "5 %'%s'", "'%s"),
         [ "\"dbd:$query %d\"", qr/"%d" in the query is not %s/ ],
         [ "\"dbd:$query %s OR a LIKE '%al'\"", qr/"%al" in .* written %%/ ],
         [ "txt:$file{txt}" ], [ 'txt:links.txt missing=deny' ],
         [ "txt:$file{txt} missing=identifier" ], [ "dbm:$dir/links.dbm" ],
         [ "txt:$file{txt} missing=/register" ]) {
        my ($line, $sentence) = @$_;
        my $said = $site->objection(x => [ 'OpenIDRemoteUser link',
                                           "OpenIDLinks $line" ])
            =~ s/^BDB.*\n//mgr;        # that library complains, too
        if ($sentence) {
            like $said, qr/\AOpenIDLinks:? [^\n]+\n\z/,
                "\"$line\" stops httpd, with one sentence";
            like $said, $sentence, 'which says why';
            unlike $said, qr/[\x00-\x09\x0b-\x1f]/, 'without control characters';
        }
        else {
            is $said, '', "\"$line\" is taken";
        }
    }
    for ([ 'and is loaded', '%s' ], [ 'with a percent sign', "%s OR 'a' = '%%s'" ],
         [ 'behind a text', "'openid:' || %s" ], [ 'behind a mark', "'it''s'||%s" ],
         [ 'between texts', "'a'||%s||'b'" ], [ 'before one', "%s||'x %%s'" ],
         [ 'behind a comment', "1 OR /* it's */ c = %s" ],
         [ 'behind a name', '1 OR `a"` = 1 OR c = %s' ],
         [ 'behind operators', '8 / 2 - 1 * %s' ]) {
        my $text = $_->[1] =~ s/"/\\"/gr;
        is $site->objection(-modules => ['dbd'], x => links("dbd:$query $text")),
            '', "dbd: $_->[0]";
    }
    $site->has(x => [ "OpenIDLinks txt:$file{txt}" ]);
    my ($good, $text) = $site->httpd->command('-t');
    ok $good, 'links that nobody is named by are no mistake';
    like $text, qr/openid2rp:warn.*O2RP-263: OpenIDLinks \(line \d+ of \S+\) has no effect without/,
        'but a warning';
}

# ---------------------------------------------------------------------------
# In requests

my %member;

# Each signs in once.
sub who { $member{ $_[0] } //= $site->member($_[0]) }

sub text {
    $site->is_named(who('alice'), 'txt', 'al', 'an account');
    $site->is_named(who('alice2'), 'txt', 'al', 'by another OpenID');
    $site->is_named(who('bob'), 'txt', 'Bob Miller', 'an account with a blank');
    $site->is_named(who('url'), 'txt', 'http://other.example/',
                    'an account that is a URL');
    $site->is_named(who('alice'), 'relative', 'al', 'a relative path');
    $site->is_named(who('alice'), 'page', $site->id('alice'),
                    'where there are no links');
    $site->is_nobody(who('dan'), $_, $NO, 'no account')
        for qw(txt relative);
    $site->is_nobody(who('carol'), 'txt', $NO,
                     'an OpenID that differs in its fragment');
    my $browser = browser();
    my $begun = begin_login($browser, $site->page('page'), $site->id('carol'));
    $browser->get($site->op->assertion($begun,
        claimed_id => $site->id('carol') . '#1'));
    $site->is_named($browser, 'txt', 'caro', 'and the one with the fragment');
    is who('dan')->get($site->page('txt'), headers => [
        [ 'Sec-Fetch-Mode' => 'cors' ] ])->status, 403, 'a program gets 403';
    $site->log;
    my ($page, $denied) = $site->arrive('txt', 'dan');
    $site->is_refused($page, 403, $NO, 'a login without an account');
    my @said = grep { /login refused/ } $site->log;
    is scalar(@said), 1, 'has one line of the log';
    like $said[0] // '', qr/login refused \(no-account\)/, 'with its code';
    is $denied->get($site->page('page'))->status, 401, 'and no session';
    ($page, my $let) = $site->arrive('txt', 'alice');
    is $page->header('Location'), $site->page('txt'), 'control: with one';
    $site->is_named($let, 'txt', 'al', 'it is a login');
}

sub missing {
    $site->is_named(who('alice'), 'named', 'al', 'an account');
    $site->is_named(who('dan'), 'named', $site->id('dan'),
                    'missing=identifier: no account');
    $site->is_named(who('alice'), 'upper', 'ACME-al', 'an account, changed');
    $site->is_named(who('dan'), 'upper', $site->id('dan'),
                    'an identifier is not, for nobody has it as a name');
    my ($page, $browser) = $site->arrive('named', 'eve');
    is $page->header('Location'), $site->page('named'), 'it is a login, too';
}

sub registering {
    $site->is_named(who('alice'), 'register', 'al', 'an account');
    $site->is_named(who('dan'), 'register', $site->id('dan'),
                    'the page itself, without one');
    $site->has(sections(), inner => links("txt:$file{txt}",
                                          'missing=/register.html'));
    ok $site->httpd->graceful, 'a graceful restart';
    my $page = who('dan')->get($site->page('inner') . '?a=b&c');
    is $page->status, 303, 'other pages send there';
    is $page->header('Location'), $site->page('register')
        . '?openid_target=%2Finner.html%3Fa%3Db%26c', 'and say from where';
    is_deeply [ map { $page->header($_) // '' } qw(X-Name X-Is) ], [ '', '' ],
        'without a name';
    is who('dan')->get($site->page('inner'), headers => [
        [ 'Sec-Fetch-Mode' => 'cors' ] ])->status, 403, 'a program gets 403';
    ($page, my $browser) = $site->arrive('inner', 'fay');
    my $to = $page->header('Location');
    is $to, $site->page('inner'), 'a login without an account is one';
    is $browser->get($to)->header('Location'), $site->page('register')
        . '?openid_target=%2Finner.html', 'and leads there';
    $site->is_named($browser, 'register', $site->id('fay'), 'with a session');
    ok command($file{txt}, 'add', $site->id('fay'), 'fay'),
        'an account is made';
    $site->is_named($browser, 'inner', 'fay', 'which is good at once');
}

# Folders whose page for those without an account is something else inside
# httpd, in a section of its own.
sub handing_on {
    my %page = (front => [ 'register', 'RewriteEngine On',
                           'RewriteRule "^(register|also)$" index.html [L]' ],
                early => [ 'register' ],
                index => [ '', 'DirectoryIndex index.html' ],
                program => [ 'go.cgi', 'Options +ExecCGI',
                             'AddHandler cgi-script .cgi' ]);
    my @lines = ('RewriteEngine On',
        'RewriteRule "^/early/register$" /early/index.html [PT]',
        'RewriteRule "^/signup$" /register.html [PT]');
    for my $folder (sort keys %page) {
        my ($page, @more) = @{ $page{$folder} };
        mkdir "$dir/site/$folder" or die $!;
        write_file("$dir/site/$folder/$_.html", "PROTECTED-BODY\n")
            for qw(index other);
        push @lines, "<Directory \"$dir/site/$folder\">",
            @{ links("txt:$file{txt}", "missing=/$folder/$page") },
            'Options FollowSymLinks', @more, '</Directory>';
    }
    write_file("$dir/site/program/go.cgi",
               "#!/bin/sh\necho Location: /program/index.html\necho\n");
    chmod 0755, "$dir/site/program/go.cgi" or die $!;
    return (@lines, '<Files index.html>', 'OpenIDUnauthAction login',
            '</Files>');
}

# What a browser asked for is what it is sent to; so that must not send it
# there again.
sub handed_on {
    my %section = sections();
    push @{ $section{-server} }, handing_on();
    push @{ $section{-modules} }, qw(rewrite dir);
    ok $site->has(%section)->httpd->graceful, 'pages that are handed on';
    my $get = sub { who($_[0])->get($site->httpd->origin . "/$_[1]") };
    for (qw(front/register early/register index/ signup)) {
        my $page = $get->('dan', $_);
        is_deeply [ $page->status, $page->header('X-Name'), $page->body ],
            [ 200, $site->id('dan'), "PROTECTED-BODY\n" ],
            "/$_ is the page where to get an account" or diag $page->body;
        is $get->('alice', $_)->header('X-Name'), 'al', 'for others, too';
    }
    for (qw(front/also front/index.html front/other.html front/register/x
            early/index.html early/other.html index/index.html
            index/other.html program/index.html program/go.cgi)) {
        my ($folder) = m{(\w+)/};
        my $to = $folder eq 'index' ? '' : $folder eq 'program' ? 'go.cgi'
            : 'register';
        my $page = $get->('dan', $_);
        is $page->status, 303, "/$_ is not";
        like $page->header('Location'), qr{/$folder/$to\?openid_target=},
            'and leads there';
        is_deeply [ map { $page->header($_) // '' } qw(X-Name X-Is) ],
            [ '', '' ], 'without a name';
    }
    my $page = $get->('alice', 'program/go.cgi');
    is_deeply [ $page->header('X-Name'), $page->body ],
        [ 'al', "PROTECTED-BODY\n" ], 'control: the program hands on';
    ok $site->has(sections())->httpd->graceful, 'as before';
}

# An application that has accounts of its own is let alone with those who have
# none here, unless they are to be refused.
sub before_an_application {
    for (['inlink', 'alice', 'al', 1, ''], ['inlink', 'dave', '', 0, 'no-account'],
         ['inid', 'alice', 'al', 1, ''],
         ['inid', 'dave', $site->id('dave'), 1, ''],
         ['inreg', 'alice', 'al', 1, ''], ['inreg', 'dave', '', 1, '']) {
        my ($section, $name, $user, $is_known, $code) = @$_;
        my $page = $site->arrive($section, $name);
        is_deeply [ $page->status, map { $page->header($_) // '' }
                    qw(X-Name X-Is X-Code) ],
            [ 200, $user, $is_known ? $site->id($name) : '', $code ],
            "$section: what an application learns of $name";
    }
    my (undef, $browser) = $site->arrive('insession', 'alice');
    $site->is_named($browser, 'insession', 'al', 'a session has the account');
    replace($file{txt}, join('', lines_of($file{txt}))
        =~ s/^\S+\/alice al\n//mr);
    my $page = $browser->get($site->page('insession'));
    is_deeply [ $page->status, map { $page->header($_) // '' }
                qw(X-Name X-Is) ],
        [ 200, '', '' ], 'insession: a link that is removed leaves nobody';
    make_text();
    $site->is_named($browser, 'insession', 'al', 'and is there again');
}

sub changes {
    $site->is_nobody(who('gus'), 'txt', $NO, 'no account yet');
    ok command("txt:$file{txt}", 'add', $site->id('gus'), 'gustav'),
        'an account is added';
    $site->is_named(who('gus'), 'txt', 'gustav', 'at the next request')
        for 1 .. 6;
    ok command($file{txt}, 'remove', $site->id('gus')), 'it is removed';
    $site->is_nobody(who('gus'), 'txt', $NO, 'from the next request on')
        for 1 .. 6;
    replace($file{txt}, join '', map { s/ al$/ alan/r } lines_of($file{txt}));
    $site->is_named(who('alice'), 'txt', 'alan', 'another account');
    write_file($file{txt}, join '', map { s/ alan$/ al/r }
               lines_of($file{txt}));
    $site->is_named(who('alice'), 'txt', 'al', 'a file written in place');
}

sub broken_lines {
    my @good = lines_of($file{txt});
    $site->log;
    replace($file{txt}, join '', "http:// x\n", $site->id('hal') . "\n",
            $site->id('bob') . " bob2\n", @good);
    for (1 .. 6) {
        $site->is_named(who('alice'), 'txt', 'al', 'lines that are right');
        $site->is_nobody(who($_), 'txt', $NO, 'lines that are not')
            for qw(hal bob);
    }
    my @said = grep { /O2RP-261/ } $site->log;
    cmp_ok scalar(@said), '>=', 1, 'the log says so';
    is scalar(keys %{ { map { /\[pid (\d+)/ ? ($1 => 1) : () } @said } }),
        scalar(@said), 'once for each process' or diag @said;
    replace($file{txt}, join '', lines_of($file{txt}));
    $site->is_named(who('alice'), 'txt', 'al', 'the same once more') for 1 .. 6;
    is scalar(grep { /O2RP-261/ } $site->log), 0, 'is nothing to tell';
    like $said[0], qr/openid2rp:warn.* O2RP-261: OpenIDLinks: $file{txt}, line 1: .*\(and \d more\)/,
        'with the line';
    replace($file{txt}, join '', @good);
    $site->is_named(who('bob'), 'txt', 'Bob Miller', 'right again');
}

sub away {
    rename $file{txt}, "$file{txt}.away" or die $!;
    $site->log;
    for my $section (qw(txt named register txt named)) {
        for my $user (qw(alice dan)) {
            my $page = who($user)->get($site->page($section));
            $site->is_refused($page, 503, undef, "$section: the file is gone");
        }
    }
    my @said = grep { /O2RP-262/ } $site->log;
    cmp_ok scalar(@said), '>=', 1, 'the log says so';
    is scalar(keys %{ { map { /\[pid (\d+)/ ? ($1 => 1) : () } @said } }),
        scalar(@said), 'once for each process' or diag @said;
    like $said[0], qr/openid2rp:error.* O2RP-262: OpenIDLinks: accounts cannot be looked up: $file{txt} cannot be read: No such file/,
        'and why';
    $site->log;
    my ($page, $browser) = $site->arrive('txt', 'alice');
    $site->is_refused($page, 503, $AWAY, 'a login meanwhile');
    is scalar(grep { /login refused \(links-failed\)/ } $site->log), 1,
        'has one line with its code';
    is $browser->get($site->page('page'))->status, 401, 'and no session';
    rename "$file{txt}.away", $file{txt} or die $!;
    $site->is_named(who('alice'), 'txt', 'al', 'the file is back') for 1 .. 6;
    $site->is_named(who('dan'), 'named', $site->id('dan'), 'for all');
    rename $file{txt}, "$file{txt}.away" or die $!;
    $site->log;
    is who('alice')->get($site->page('txt'))->status, 503, 'gone again'
        for 1 .. 3;
    cmp_ok scalar(grep { /O2RP-262/ } $site->log), '>=', 1, 'the log says so';
    rename "$file{txt}.away", $file{txt} or die $!;
    $site->is_named(who('alice'), 'txt', 'al', 'and back again');
}

sub dbm {
    $site->is_named(who('alice'), 'dbm', 'al', 'an account');
    $site->is_nobody(who('dan'), 'dbm', $NO, 'no account');
    $site->is_named(who('dan'), 'dbmid', $site->id('dan'), 'no account');
    command("dbm:$dir/links.dbm", 'add', $site->id('dan'), 'danny') or die;
    $site->is_named(who('dan'), 'dbm', 'danny', 'one that was added');
    command("dbm:$dir/links.dbm", 'remove', $site->id('dan')) or die;
    $site->is_nobody(who('dan'), 'dbm', $NO, 'and removed');
    my @files = grep { !/\.away\z/ } glob "$dir/links.dbm*";
    rename $_, "$_.away" or die $! for @files;
    $site->log;
    $site->is_refused(who('dan')->get($site->page($_)), 503, undef,
                      "$_: the files are gone") for ('dbm', 'dbmid') x 3;
    my @said = grep { /O2RP-262/ } $site->log;
    cmp_ok scalar(@said), '>=', 1, 'the log says so';
    is scalar(keys %{ { map { /\[pid (\d+)/ ? ($1 => 1) : () } @said } }),
        scalar(@said), 'once for each process' or diag @said;
    rename "$_.away", $_ or die $! for @files;
    $site->is_named(who('alice'), 'dbm', 'al', 'the files are back');
}

sub database {
    $site->is_named(who('alice'), 'dbd', 'al', 'an account');
    $site->is_named(who('alice'), 'percent', 'al', 'a percent sign');
    $site->is_named(who('twice'), 'dbd', 'z', 'twice the same one');
    $site->is_named(who('some'), 'dbd', 's', 'one, and a NULL');
    for my $name (qw(dan null empty)) {
        $site->is_nobody(who($name), 'dbd', $NO, "no account: $name");
        $site->is_named(who($name), 'dbdid', $site->id($name), $name);
    }
    $site->is_nobody(who('blank'), $_, qr/cannot be a user's name/,
                     'no name: "root "') for qw(dbd dbdid);
    $site->log;
    $site->is_nobody(who('two'), $_, qr/belongs to more than one account/,
                     'two accounts') for qw(dbd dbdid dbdreg);
    my @said = grep { /O2RP-264/ } $site->log;
    is scalar(@said), 3, 'each is a line of the log';
    like $said[0], qr/openid2rp:error.*more than one account for \S+two,/,
        'which says whose';
    my $quoted = "x' OR 'a'='a";
    my $browser = browser();
    my $begun = begin_login($browser, $site->page('page'),
                            $site->id("x'+OR+'a'='a"));
    $browser->get($site->op->assertion($begun));
    $site->is_nobody($browser, 'dbd', qr/has no account here/,
                     'an identifier with quotation marks');
    sql("UPDATE links SET account = 'alan' WHERE account = 'al';");
    $site->is_named(who('alice'), 'dbd', 'alan', 'another account');
    sql('CREATE TABLE other (x TEXT);');
    for my $section (qw(dbd percent)) {
        $site->is_named(who('alice'), $section, 'alan',
                        'another table has changed') for 1 .. 3;
        $site->is_nobody($browser, $section, qr/has no account here/,
                         'with quotation marks');
    }
    sql('ALTER TABLE links RENAME TO away;');
    $site->log;
    for my $section (qw(dbd dbdid dbdreg dbd dbdid dbdreg)) {
        $site->is_refused(who('alice')->get($site->page($section)), 503,
                          undef, "$section: the table is gone");
    }
    @said = grep { /O2RP-262/ } $site->log;
    cmp_ok scalar(@said), '>=', 1, 'the log says so';
    is scalar(keys %{ { map { /\[pid (\d+)/ ? ($1 => 1) : () } @said } }),
        scalar(@said), 'once for each process' or diag @said;
    like $said[0], qr/openid2rp:error.*O2RP-262: OpenIDLinks: accounts can.*no such table/,
        'and why';
    sql('ALTER TABLE away RENAME TO links;');
    $site->is_named(who('alice'), 'dbd', 'alan', 'the table is back')
        for 1 .. 6;
}

# Each process may have one connection: a request that takes long does not keep
# it.
sub few_connections {
    my $page = $site->page('large');
    open my $large, '>', "$dir/site/large.html" or die $!;
    truncate $large, 20_000_000 or die $!;
    close $large or die $!;
    my @slow = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $site->httpd->port) or die $!;
        syswrite $socket, who('alice')->request('GET', $page);
        $socket;
    } 1 .. 6;
    for my $socket (@slow) {
        IO::Select->new($socket)->can_read(20);
        sysread $socket, my $line, 12;
        is $line, 'HTTP/1.1 200', 'a request that takes long has begun';
    }
    $site->is_named(who('alice'), 'dbd', 'al', 'others go on meanwhile')
        for 1 .. 4;
}

# A connection for each request; and a database that is not there at first.
sub no_database {
    my %section = sections();
    push @{ $section{-server} }, 'DBDPersist Off';
    $site->has(%section);
    rename $file{db}, "$file{db}.away" or die $!;
    mkdir $file{db} or die $!;
    ok $site->httpd->graceful, 'httpd starts without the database';
    $site->log;
    $site->is_refused(who('alice')->get($site->page($_)), 503, undef,
                      "$_: it is away") for qw(dbd dbdid);
    like join('', $site->log), qr/O2RP-262: [^\n]* mod_dbd has no connection/,
        'the log says so';
    rmdir $file{db} or die $!;
    rename "$file{db}.away", $file{db} or die $!;
    $site->is_named(who('alice'), $_, 'alan', 'the database has come')
        for qw(dbd dbdid dbd);
    is scalar(grep { /conflicting SQL/ } $site->httpd->log), 0,
        'mod_dbd does not complain';
    $section{-server} = [ grep { !/^DBD/ } @{ $section{-server} } ];
    ok $site->has(%section)->httpd->graceful, 'and where no driver is named';
    $site->is_refused(who('alice')->get($site->page('dbd')), 503, undef,
                      'dbd: there is none');
    ok $site->has(sections())->httpd->graceful, 'as before';
}

sub htaccess {
    for ([ good => "OpenIDLinks txt:$file{htaccess}" ],
         [ none => 'OpenIDLinks txt:none' ],
         [ dbd => 'OpenIDLinks "dbd:SELECT a FROM b WHERE c = %s"' ]) {
        my ($name, $line) = @$_;
        mkdir "$dir/site/$name" or die $!;
        write_file("$dir/site/$name/in.html", "PROTECTED-BODY\n");
        write_file("$dir/site/$name/.htaccess",
                   "OpenIDRemoteUser link\n$line\n");
    }
    my $get = sub {
        who($_[0])->get($site->httpd->origin . "/$_[1]/in.html");
    };
    is $get->('alice', 'good')->header('X-Name'), 'old', '.htaccess: a file';
    $site->is_refused($get->('dan', 'good'), 403, $NO, '.htaccess: no account');
    replace($file{htaccess}, lines(alice => 'new'));
    is $get->('alice', 'good')->header('X-Name'), 'new',
        '.htaccess: it has changed';
    $site->log;
    $site->is_refused($get->('alice', 'none'), 503, undef,
                      '.htaccess: a file that is not there');
    is scalar(grep { /O2RP-262/ } $site->log), 1, 'is an error';
    is $get->('alice', 'dbd')->status, 500, '.htaccess: no database';
    like join('', $site->log), qr/OpenIDLinks: dbd: cannot stand in \.htacc/,
        'and the log says so';
}

# ---------------------------------------------------------------------------
# Many at the same time, many times

sub request {
    my ($section) = @_;
    return who('alice')->request('GET', $site->page($section));
}

# Eight times, while somebody asks.
sub replace_often {
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    for (1 .. 8) {
        replace($file{busy}, lines(map({ ("x$_" => 'y') } 1 .. 100),
                                   alice => $_ % 2 ? 'new' : 'old'));
        sleep 0.002;
    }
    POSIX::_exit(0);
}

sub while_it_is_replaced {
    my %seen;
    for (1 .. 25) {
        my $pid = replace_often();
        $seen{ $_ ? $_->status . ' ' . ($_->header('X-Name') // '') : 'none' }++
            for parallel($site->httpd->port, [ (request('busy')) x 8 ],
                         $site->page('busy'));
        waitpid $pid, 0;
        is $?, 0, 'control: the file was replaced' if $?;
    }
    is_deeply [ sort keys %seen ], [ '200 new', '200 old' ],
        'eight at a time, while the file is replaced 200 times'
        or diag explain \%seen;
}

# Of the processes of httpd, in KB. A sanitizer keeps what is freed.
sub resident {
    my $sum = 0;
    for my $pid ($site->httpd->children) {
        next if grep { /libasan/ } lines_of("/proc/$pid/maps");
        my ($kb) = join('', lines_of("/proc/$pid/status"))
            =~ /^VmRSS:\s+(\d+)/m;
        $sum += $kb // 0;
    }
    return $sum;
}

# A table of this file takes half a megabyte at least.
sub memory {
    my @many = map { ("user$_" => "account$_") } 1 .. 3000;
    my $reload = sub {
        replace($file{busy}, lines(@many, alice => "v$_[0]"));
        who('alice')->get($site->page('busy'))->header('X-Name');
    };
    $reload->($_) for 1 .. 20;
    my $before = resident();
    my @wrong = grep { $reload->($_) ne "v$_" } 1 .. 60;
    is_deeply \@wrong, [], 'a table of 3,000, read again 60 times';
    cmp_ok resident() - $before, '<', 12_000,
        'takes no memory that it does not give back'
        or diag "$before KB before";
}

# A file that somebody has broken must not end a server that runs.
sub a_restart {
    my @good = lines_of($file{txt});
    replace($file{txt}, join '', @good, "http:// x\n");
    rename $file{busy}, "$file{busy}.away" or die $!;
    $site->log;
    my ($good, $text) = $site->httpd->command('-t');
    ok !$good, 'httpd -t objects to a broken file';
    like $text, qr/OpenIDLinks: \Q$dir\E/, 'and says so';
    ok $site->httpd->graceful, 'a graceful restart goes on all the same';
    is scalar(grep { /openid2rp:warn.*O2RP-261: OpenIDLinks: \Q$dir\E/ }
              $site->log), 2, 'with a line of the log for each file';
    $site->is_named(who('alice'), 'txt', 'al', 'lines that are right');
    is who('alice')->get($site->page('busy'))->status, 503,
        'and without the other file';
    ok $site->httpd->stop, 'httpd stops';
    ok !$site->start, 'and does not start like that';
    replace($file{txt}, join '', @good);
    rename "$file{busy}.away", $file{busy} or die $!;
    ok $site->start, 'but with files that are right';
}
