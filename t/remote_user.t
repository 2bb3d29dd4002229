#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDRemoteUser: what people are called, where each source is, and who is
# nobody.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Named;
use OpenID2RP::Process qw(write_file);
use OpenID2RP::Test;
use Test::More;

my $MAIL = 'http://axschema.org/contact/email';

my $site = OpenID2RP::Named->new;
my $allow = 'OpenIDProviderAllow ' . $site->op->url;

what_httpd_refuses();
where_guards_may_stand();
$site->has(sections());
# In .htaccess, what is wrong is seen only when somebody comes.
htaccess(free => 'OpenIDRemoteUser sreg.nickname', 'OpenIDProviderAllow off');
htaccess(guarded => 'OpenIDRemoteUser sreg.nickname', $allow);
htaccess(linked => 'OpenIDRemoteUser link');
htaccess(broken => 'OpenIDRemoteUser sreg.shoe');
$site->start or die $site->httpd->says;
each_source();
aliases();
patterns();
what_is_no_name();
logins();
what_only_a_request_shows();
single_provider();
before_an_application();
ok $site->httpd->stop, 'httpd stops';
is_deeply [ $site->httpd->crashes ], [], 'and no child of it has crashed';
done_testing;

sub htaccess {
    my ($name, @lines) = @_;
    my $dir = $site->dir . "/site/$name";
    mkdir $dir or die "$dir: $!";
    write_file("$dir/in.html", "PROTECTED-BODY\n");
    write_file("$dir/.htaccess", join "\n", @lines, '');
}

sub sections {
    my $op = $site->op->url =~ s/([.])/\\$1/gr;
    return (
        -server => [
            'OpenIDSReg required nickname email', 'OpenIDAX required email#3 '
                . 'team=http://example.org/team',
            '<Directory "' . $site->dir . '/site">', 'AllowOverride AuthConfig',
            '</Directory>' ],
        identifier => [ 'OpenIDRemoteUser identifier' ],
        mail => [ 'OpenIDRemoteUser email', $allow ],
        nick => [ 'OpenIDRemoteUser sreg.nickname', $allow ],
        team => [ 'OpenIDRemoteUser ax.team', $allow ],
        free => [ 'OpenIDAX required name=http://type.example/free '
                      . 'team=http://type.example/free#2 only=urn:only' ],
        uid => [ 'OpenIDAX required name=http://type.example/uid',
                 'OpenIDRemoteUser ax.name', $allow ],
        same => [ 'OpenIDAX required name=http://openid.net/schema/contact/email',
                  'OpenIDRemoteUser ax.name', $allow ],
        axmail => [ 'OpenIDAX required name=http://axschema.org/contact/email' ],
        unasked => [ 'OpenIDRemoteUser ax.only', $allow ],
        nothing => [ 'OpenIDAX off', 'OpenIDRemoteUser ax.team', $allow ],
        short => [ qq(OpenIDRemoteUser identifier "$op/id/(\\w+)" "\$1") ],
        company => [ 'OpenIDRemoteUser email "([a-z]+)@(example\.com)" '
                         . '"$2\\\\\\\\$1 \$1 & $0"', $allow ],
        constant => [ 'OpenIDRemoteUser identifier ".*" guest' ],
        empty => [ 'OpenIDRemoteUser sreg.nickname "(x*).*" "$1"', $allow ],
        long => [ 'OpenIDRemoteUser sreg.nickname "(.*)" "$1$1"', $allow ],
        open => [ 'OpenIDRemoteUser sreg.nickname "(.*)" "$1"', $allow ],
        other => [ 'OpenIDRemoteUser sreg.nickname',
                   'OpenIDProviderAllow https://op.example' ],
        required => [ 'OpenIDRemoteUser sreg.nickname', $allow,
                      'AuthzSendForbiddenOnFailure On', 'Require user al' ],
        app => [ 'OpenIDRemoteUser sreg.nickname', $allow,
                 'OpenIDIntercept On', 'OpenIDSession store', 'AuthType None',
                 'Require all granted' ],
        single => [ 'OpenIDRemoteUser sreg.nickname',
                    'OpenIDSingleProvider ' . $site->op->op_identifier ],
    );
}

# ---------------------------------------------------------------------------
# At start

sub what_httpd_refuses {
    for ([ '', qr/write SOURCE, or SOURCE REGEX SUBST/ ],
         [ '""', qr/"" is not "identifier", "email"|write SOURCE/ ],
         [ 'name', qr/"name" is not "identifier", "email", "sreg\.FIELD"/ ],
         [ 'Email', qr/"Email" is not/ ], [ 'sreg.shoe', qr/"sreg.shoe" is/ ],
         [ 'sreg.', qr/"sreg\." is not/ ], [ 'ax.', qr/"ax\." is not/ ],
         [ 'ax.a.b', qr/"ax\.a\.b" is not/ ], [ 'links', qr/"links" is not/ ],
         [ 'identifier .*', qr/behind the regular expression "\.\*" nothing/ ],
         [ 'identifier ( x', qr/"\(" is not a regular expression/ ],
         [ 'identifier (a) $2', qr/"\$2" names the group \$2, and the.*has 1/ ],
         [ 'identifier .* x$1', qr/"x\$1" names the group \$1, and.*has 0/ ],
         [ "identifier .* a\tb", qr/must be text in UTF-8/ ],
         [ 'identifier .* "a' . "\xff" . '"', qr/must be text in UTF-8/ ],
         [ 'identifier .* a b', qr/write SOURCE, or SOURCE REGEX SUBST/ ],
         [ 'identifier' ], [ 'identifier .* x' ], [ 'identifier .* $0' ],
         [ 'identifier .* \$9' ], [ 'identifier (a)(b)(c) "$3 $2$1 \\\\$0"' ]) {
        my ($line, $sentence) = @$_;
        $line =~ s/(\S*\t\S*)/"$1"/;
        my $said = $site->objection(x => [ "OpenIDRemoteUser $line" ]);
        if ($sentence) {
            like $said, qr/\AOpenIDRemoteUser:? /, "\"$line\" stops httpd";
            like $said, $sentence, 'which says why';
        }
        else {
            is $said, '', "\"$line\" is taken";
        }
    }
}

sub where_guards_may_stand {
    my $needs = qr/O2RP-260: OpenIDRemoteUser: "(?:sreg\.nickname|email)" \((?:line \d+ of|for the \w+)[^\n]* needs OpenIDSingleProvider or OpenIDProviderAllow in the same section/;
    my @nick = ('OpenIDRemoteUser sreg.nickname');
    my $single = 'OpenIDSingleProvider https://op.example/';
    my @host = ('<VirtualHost 127.0.0.1:1>', '</VirtualHost>');
    my $in = sub { return ($host[0], @_, $host[1]) };
    for ([ 'an attribute alone', x => [@nick] ],
         [ 'for the server', -server => [@nick] ],
         [ 'an address', x => [ 'OpenIDRemoteUser email' ] ],
         [ 'taken back', x => [ @nick, 'OpenIDProviderAllow off' ],
           -server => [$allow] ],
         [ 'a single provider taken back', x => [ @nick,
           'OpenIDSingleProvider off' ], -server => [$single] ],
         [ 'taken back by a virtual host', -server => [ $allow, @nick,
           $in->('OpenIDProviderAllow off') ] ],
         [ 'in another virtual host', -server => [ $in->(@nick),
           '<VirtualHost 127.0.0.1:2>', $allow, '</VirtualHost>' ] ],
         [ 'in a virtual host, for the main server', -server => [ @nick,
           $in->($allow) ] ],
         [ 'a rule against some', x => [ @nick,
           'OpenIDProviderDeny https://evil.example' ] ],
         [ 'in another section', x => [@nick], xx => [$allow] ],
         [ 'around <If>', x => [ $allow, '<If "true">', @nick, '</If>' ] ],
         [ 'in <Directory>', x => [@nick], -server => [ '<Directory "/">',
           $allow, '</Directory>' ] ]) {
        my ($what, %section) = @$_;
        like $site->objection(%section), $needs, "$what: stops httpd";
    }
    for ([ 'in the section', x => [ @nick, $allow ] ],
         [ 'a single provider', x => [ $single, @nick ] ],
         [ 'around it, before', -server => [$allow], x => [@nick] ],
         [ 'around it, behind', -server => [ '<Location "/y">', @nick,
           '</Location>', $single ] ],
         [ 'in its virtual host', -server => [ $in->('<Location "/y">', @nick,
           '</Location>', $allow) ] ],
         [ 'around its virtual host', -server => [ $in->('<Location "/y">',
           @nick, '</Location>'), $allow ] ],
         [ 'everywhere', -server => [ $allow, @nick ] ],
         [ 'not needed any more', -server => [ $allow, @nick,
           $in->('OpenIDProviderAllow off', 'OpenIDRemoteUser identifier') ] ],
         [ 'in <If>', x => [ '<If "true">', @nick, $allow, '</If>' ] ]) {
        my ($what, %section) = @$_;
        is $site->objection(%section), '', "$what: is taken";
    }
    like $site->objection(x => [ 'OpenIDRemoteUser link' ]),
        qr/O2RP-260: OpenIDRemoteUser: "link" \(line \d+ of [^\n]*needs OpenIDLinks in the same section/,
        'link needs OpenIDLinks';
}

# ---------------------------------------------------------------------------
# Names

sub each_source {
    my $alice = $site->member('alice', sreg(nickname => 'al',
        email => 'alice@example.com'), ax('http://example.org/team', 'red',
        'blue'));
    $site->is_named($alice, 'identifier', $site->id('alice'),
                    'the claimed identifier');
    $site->is_named($alice, 'page', $site->id('alice'), 'and by default');
    $site->is_named($alice, 'mail', 'alice@example.com', 'the mail address');
    $site->is_named($alice, 'nick', 'al', 'a field of SREG');
    $site->is_named($alice, 'required', 'al', 'Require user');
    is $site->member('bob', sreg(nickname => 'bob'))
        ->get($site->page('required'))->status, 403,
        'required: Require user, for another one';
    $site->is_named($site->member('bea', ax('http://example.org/team',
        'red')), 'team', 'red', 'an attribute of AX');
    my $carol = $site->member('carol', ax($MAIL, 'c@example.com',
                                          'd@example.com'));
    $site->is_named($carol, 'mail', 'c@example.com', 'the address by AX');
    $site->is_nobody($carol, 'nick', qr/did not tell this site your "sreg.nick/,
                     'who has no nickname');
    $site->is_nobody($carol, 'team', qr/did not tell this site your "ax.team"/,
                     'who has no team');
    $site->is_nobody($site->member('dan'), 'mail', qr/your "email"/,
                     'who has no address');
    my $utf8 = $site->member('zoe', sreg(nickname => "Zo\xc3\xab Fran\xc3\xa7"));
    $site->is_named($utf8, 'nick', "Zo\xc3\xab Fran\xc3\xa7",
                    'letters and blanks of any sort');
}

# An alias is a word of the section that asks for it.
sub aliases {
    my $free = sub {
        my ($section, $type) = @_;
        my ($page, $browser) = $site->arrive($section, 'mallory',
                                             ax($type, 'root'));
        is $page->header('Location'), $site->page($section),
            "a session that begins in $section";
        return $browser;
    };
    my $root = $free->('free', 'http://type.example/free');
    for (qw(uid team)) {
        $site->is_nobody($root, $_, qr/did not tell this site your "ax\.\w+"/,
                         'the same alias for another type');
    }
    $site->is_nobody($free->('free', 'urn:only'), 'unasked', qr/"ax\.only"/,
                     'an alias of another section');
    my $red = $free->('page', 'http://example.org/team');
    $site->is_named($red, 'team', 'root', 'control: the alias of all');
    my $both = $site->member('bea', ax($MAIL, 'b@example.com'),
        'ax.type.t' => 'http://example.org/team', 'ax.value.t' => 'red');
    $site->is_named($both, 'team', 'red', 'control: one of two');
    $site->is_nobody($red, 'nothing', qr/"ax\.team"/, 'an alias of no use');
    $site->is_named($free->('uid', 'http://type.example/uid'), 'uid', 'root',
                    'control: its own alias');
    $site->is_named($free->('axmail', $MAIL), 'same', 'root',
                    'the same type in another schema');
}

sub patterns {
    my $alice = $site->member('alice', sreg(nickname => 'xxy',
        email => 'alice@example.com'));
    $site->is_named($alice, 'short', 'alice', 'a part of the identifier');
    $site->is_named($alice, 'company', 'example.com\\alice $1 & '
        . 'alice@example.com', 'groups in their order, escapes, and all of it');
    $site->is_named($alice, 'constant', 'guest', 'a name for all');
    $site->is_named($alice, 'empty', 'xx', 'a group that matches');
    my $none = qr/No user's name follows from your "(?:email|identifier)"/;
    for my $mail ('Alice@example.com', 'x alice@example.com',
                  'alice@example.com.evil.example', 'alice@exampleXcom',
                  'alice@example.com x') {
        $site->is_nobody($site->member('mallory', sreg(email => $mail)),
                         'company', $none, "\"$mail\" does not match");
    }
    $site->is_nobody($site->member('al-ice'), 'short', $none,
                     'an identifier that does not match');
    my $lies = sub {
        my ($browser, $page) = (browser(), $site->page('page'));
        my $begun = begin_login($browser, $page, $site->id('alice'));
        $browser->get($site->op->assertion($begun,
            claimed_id => $site->id('alice') . $_[0]));
        return $browser;
    };
    $site->is_nobody($lies->('#new'), 'short', $none,
                     'another owner of an identifier does not match');
}

sub what_is_no_name {
    my $bad = qr/What this site would name you by cannot be/;
    $site->is_nobody($site->member('e', sreg(nickname => 'yyy')), 'empty',
                     $bad, 'nothing');
    my $fits = 'a' x 127;
    $site->is_named($site->member('f', sreg(nickname => $fits)), 'long',
                    $fits x 2, '254 bytes');
    $site->is_nobody($site->member('g', sreg(nickname => 'a' x 128)), 'long',
                     qr/./, '256 bytes');
    $site->is_named($site->member('g', sreg(nickname => 'a' x 255)), 'nick',
                    'a' x 255, '255 bytes, as they are');
    $site->is_nobody($site->member('h', sreg(nickname => 'a' x 256)), 'nick',
                     $bad, '256 bytes, as they are');
    for ([ 'a blank behind it' => 'root ' ], [ 'a blank before it' => ' root' ],
         [ 'a control character' => "ro\xc2\x85ot" ]) {
        my ($what, $name) = @$_;
        my $browser = $site->member('i', sreg(nickname => $name));
        $site->is_nobody($browser, $_, $bad, $what) for qw(nick open);
    }
    for my $name ($site->id('alice'), 'HTTPS://op.example/', 'http://x',
                  'xri://=alice', '=!91F2.8153', '@!1', '!!1', '(x)') {
        my $browser = $site->member('j', sreg(nickname => $name));
        $site->is_nobody($browser, 'nick', qr/looks like an OpenID/,
                         "\"$name\", which is somebody's identifier");
        $site->is_named($browser, 'open', $name, 'but where a pattern '
                        . "takes it, \"$name\" is a name");
    }
}

# Whoever has no name where the login begins is not signed in there.
sub logins {
    my ($page, $browser) = $site->arrive('nick', 'alice',
                                         sreg(nickname => 'al'));
    is $page->header('Location'), $site->page('nick'), 'a login in a section';
    $site->is_named($browser, 'nick', 'al', 'names there');
    $site->is_named($browser, 'identifier', $site->id('alice'),
                    'and is a session elsewhere');
    $site->log;
    ($page, $browser) = $site->arrive('nick', 'bob');
    $site->is_refused($page, 403, qr/did not tell this site/,
                      'a login without the attribute');
    my @said = grep { /login refused/ } $site->log;
    is scalar(@said), 1, 'one line of the log says so';
    like $said[0] // '', qr/O2RP-\d+: login refused \(no-account\)/,
        'with the code';
    is $browser->get($site->page('identifier'))->status, 401,
        'and nobody is signed in elsewhere';
    ($page, $browser) = $site->arrive('nick', 'eve', sreg(nickname => 'root'),
        -unsigned => ['sreg.nickname']);
    $site->is_refused($page, 403, qr/did not tell this site/,
                      'a login with an attribute that is not signed');
    my $eve = OpenID2RP::Evil->new;
    $browser = browser();
    $page = begin_login($browser, $site->page('nick'), $eve->id('eve'));
    $site->is_refused($page, 403, qr/./,
                      'a provider that is not allowed, though it says root');
    is $browser->get($eve->assertion(begin_login($browser,
        $site->page('page'), $eve->id('eve')), sreg(nickname => 'root')))
        ->status, 303, 'control: it signs in where it may';
    is $browser->get($site->page('nick'))->status, 401,
        'but is nobody where it may not';
}

# ---------------------------------------------------------------------------
# In requests

sub what_only_a_request_shows {
    my $alice = $site->member('alice', sreg(nickname => 'al'));
    my $origin = $site->httpd->origin;
    $site->log;
    my $get = sub { $alice->get("$origin/$_[0]/in.html") };
    is $get->('guarded')->header('X-Name'), 'al', '.htaccess with a guard';
    for ([ free => qr/O2RP-260: OpenIDRemoteUser: "sreg\.nickname" is what a/ ],
         [ linked => qr/O2RP-260: OpenIDRemoteUser: "link" needs OpenIDLi/ ]) {
        my ($where, $line) = @$_;
        $site->is_refused($get->($where), 403, qr/not set up to name its users/,
                          ".htaccess, $where");
        my @said = grep { /O2RP-260/ } $site->log;
        is scalar(@said), 1, 'one line of the log';
        like $said[0], qr/openid2rp:error/, 'is an error';
        like $said[0], $line, 'and says what to mend';
    }
    is $get->('broken')->status, 500, '.htaccess with a mistake';
}

sub single_provider {
    my $browser = browser();
    my $begun = $browser->get($site->page('single'));
    is $begun->status, 303, 'OpenIDSingleProvider: there is one only';
    my $id = $site->id('zoe');
    $browser->get($site->op->assertion($begun, claimed_id => $id,
        identity => $id, sreg(nickname => 'zo')));
    $site->is_named($browser, 'single', 'zo', 'which names its users');
    my $alice = $site->member('alice', sreg(nickname => 'al'));
    isnt $alice->get($site->page('single'))->status, 200,
        'a session that began elsewhere is nobody there';
    is $alice->get($site->page('other'))->status, 401,
        'nor is that of a provider that is not allowed';
}

# OpenIDIntercept: everybody is let in; it is told who they are.
sub before_an_application {
    my ($page, $browser) = $site->arrive('app', 'alice',
                                         sreg(nickname => 'al'));
    my $id = $site->id('alice');
    is_deeply [ map { $page->header("X-$_") } qw(Name Is Code) ],
        [ 'al', $id, '' ], 'an application: a name';
    $page = $browser->get($site->page('app'));
    is_deeply [ map { $page->header("X-$_") } qw(Name Is Code) ],
        [ 'al', $id, '' ], 'an application: in the session, too';
    ($page, $browser) = $site->arrive('app', 'bob');
    is_deeply [ map { $page->header("X-$_") } qw(Name Is Code) ],
        [ '', '', 'no-account' ], 'an application: no name';
    $page = $browser->get($site->page('app'));
    is_deeply [ map { $page->header("X-$_") } qw(Name Is Code) ],
        [ '', '', '' ], 'an application: nor a session';
    is $browser->get($site->page('page'))->status, 401,
        'an application: nor one elsewhere';
    $page = $site->member('carol')->get($site->page('app'));
    is_deeply [ $page->status, map { $page->header("X-$_") } qw(Name Is) ],
        [ 200, '', '' ], 'an application: a session without a name here';
}
