#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Require openid-identifier, openid-provider, openid-attribute, openid-team.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Apache::Test ();
use MIME::Base64 qw(encode_base64);
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(write_file);
use OpenID2RP::Test;
use Test::More;

my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $AX = 'http://openid.net/srv/ax/1.0';
my $LP = 'http://ns.launchpad.net/2007/openid-teams';
my $MAIL = 'http://axschema.org/contact/email';

op_reset();
my $op = OpenID2RP::Evil->new;

identifiers();
providers();
attributes();
aliases();
teams();
together();
who_is_not_signed_in();
users_of_another_sort();
headers_of_a_client();
what_httpd_refuses();
done_testing;

# A browser of somebody who has signed in, with these in the answer.
sub member {
    my ($name, @how) = @_;
    my $browser = browser();
    my $app = url('/require/app');
    my $begun = begin_login($browser, $app, $op->id($name));
    is $browser->get($op->assertion($begun, @how))->header('Location'), $app,
        "$name is signed in";
    return $browser;
}

sub in_teams { return ('ns.lp' => $LP, 'lp.is_member' => $_[0]) }

sub mail {
    my $n = 0;
    return ('ns.ax' => $AX, 'ax.mode' => 'fetch_response',
        'ax.type.m' => $MAIL, 'ax.count.m' => scalar @_,
        map { ('ax.value.m.' . ++$n => $_) } @_);
}

sub may {
    my ($browser, $section, $what) = @_;
    is $browser->get(url("/require/$section/app"))->status, 200,
        "$section: $what is let in";
}

sub may_not {
    my ($browser, $section, $what) = @_;
    my $page = $browser->get(url("/require/$section/app"));
    is $page->status, 403, "$section: $what is not";
    unlike $page->body, qr/REMOTE_USER/, "$section: and sees nothing";
}

sub identifiers {
    may(member('alice'), 'identifier', 'who is named by a regular expression');
    may_not(member('bob'), 'identifier', 'somebody else');
    may_not(member('alicexx'), 'identifier', 'who only begins like that');
    my $at = '/id/alice#new';
    my $browser = browser();
    my $app = url('/require/app');
    my $begun = begin_login($browser, $app, $op->id('alice'));
    my $new = $op->url . $at;
    is $browser->get($op->assertion($begun, claimed_id => $new))
        ->header('Location'), $app, 'a claimed identifier with a fragment';
    may($browser, 'fragment', 'the new owner of an identifier');
    may_not($browser, 'identifier', 'the new owner, where the old one is');
    may_not(member('alice'), 'fragment', 'the old one');
}

sub providers {
    my $browser = member('alice');
    may($browser, 'provider', 'who comes from there');
    may_not($browser, 'other-provider', 'who comes from elsewhere');
}

sub attributes {
    my %who = (
        alice => member('alice', 'ns.sreg' => $SREG, 'sreg.nickname' =>
            'alice', 'sreg.email' => 'alice@example.com'),
        staff => member('staff', 'ns.sreg' => $SREG, 'sreg.nickname' =>
            'Two Words', mail('x@staff.example')),
        several => member('several', mail('other@example.com',
                                          'alice@example.com')),
        nobody => member('nobody'),
        unsigned => member('unsigned', 'ns.sreg' => $SREG,
            'sreg.nickname' => 'alice', 'sreg.email' => 'alice@example.com',
            mail('alice@example.com'), -unsigned =>
            ['sreg.nickname', 'sreg.email', 'ax.value.m.1']),
        likely => member('likely', 'ns.sreg' => $SREG,
            'sreg.nickname' => 'Alice', 'sreg.email' =>
            "x\@staff.example\@evil.example"),
    );
    may($who{alice}, 'email', 'an address that is named');
    may($who{staff}, 'email', 'an address that a regular expression names');
    may_not($who{several}, 'email', 'an address that is only the second');
    may_not($who{$_}, 'email', "whose address is $_") for qw(nobody likely);
    may_not($who{unsigned}, 'email', 'an address that is not signed');
    may($who{alice}, 'sreg', 'a nickname');
    may($who{staff}, 'sreg', 'a nickname of two words');
    may_not($who{$_}, 'sreg', $_) for qw(several nobody unsigned likely);
    may($who{several}, 'ax', 'one of several addresses');
    may_not($who{$_}, 'ax', $_) for qw(alice staff nobody unsigned likely);
    may($who{several}, 'ax-same', 'an alias for the same type');
    may_not($who{several}, "ax-$_", "an alias for $_ type")
        for qw(other none);
    may($who{several}, 'email-other', 'an address, whatever its alias is');
}

# An alias is a word of the section where the login began; types are the same
# everywhere.
sub aliases {
    my $browser = browser();
    my $begun = begin_login($browser, url('/require/free/app'),
                            $op->id('mallory'));
    is $browser->get($op->assertion($begun, 'ns.ax' => $AX,
        'ax.mode' => 'fetch_response', 'ax.type.m' =>
        'http://type.example/email', 'ax.value.m' => 'alice@example.com'))
        ->header('Location'), url('/require/free/app'), 'another sort of email';
    may($browser, 'ax-other', 'who has it');
    may_not($browser, $_, 'who has nothing else') for qw(ax email);
}

sub teams {
    may(member('alice', in_teams('one,two')), 'team', 'a member');
    may_not(member('bob', in_teams('one,two-more')), 'team',
            'a member of another one');
    may_not(member('carol', in_teams('')), 'team', 'a member of none');
    may_not(member('dave'), 'team', 'who has no answer');
    may_not(member('eve', in_teams('three')), 'team',
            'a member of one that was not asked for');
    may_not(member('mallory', in_teams('two'), -unsigned =>
                   ['lp.is_member']), 'team', 'who says so without signature');
}

sub together {
    my @bob = ('ns.sreg' => $SREG, 'sreg.nickname' => 'bob');
    my $bob = member('bob', @bob);
    my $alice = member('alice', in_teams('two'));
    my $both = member('both', @bob, in_teams('two'));
    may($bob, 'either', 'one of two is enough');
    may_not($alice, 'either', 'none of them');
    may($both, 'both', 'all of them');
    may_not($_, 'both', 'one of two') for $bob, $alice;
    may($bob, 'not', 'who is no member');
    may_not($alice, 'not', 'a member');
}

# Whoever is not signed in is asked to; and then Require judges.
sub who_is_not_signed_in {
    for my $section (qw(identifier provider email sreg ax team either both
                        not)) {
        my $url = url("/require/$section/app");
        my $page = browser()->get($url);
        is $page->status, 401, "$section: a guest is asked to sign in";
        is $page->action, "/require/$section/app",
            "$section: with the login page";
    }
    my $browser = browser();
    my $target = url('/require/team/app');
    my $begun = begin_login($browser, $target, $op->id('alice'));
    is $browser->get($op->assertion($begun, in_teams('two')))
        ->header('Location'), $target, 'a login that begins there';
    is $browser->get($target)->status, 200, 'ends there';
}

sub users_of_another_sort {
    write_file(Apache::Test::basic_config()->{vars}{t_logs}
        . '/require.users', 'bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' . "\n");
    my $url = url('/require/basic/app');
    my $basic = [ Authorization => 'Basic '
        . encode_base64('bob:password', '') ];
    is browser()->get($url)->status, 401, 'Basic: a guest is asked';
    is browser()->get($url, headers => [$basic])->status, 403,
        'Basic: a user is not somebody by OpenID';
    my $alice = member('alice', in_teams('two'));
    is $alice->get($url)->status, 401,
        'Basic: a session is nothing where AuthType is not OpenID';
}

# httpd asks the rules once before anybody is authenticated.
sub headers_of_a_client {
    my $url = url('/require/header/app');
    for ([ 'OpenID2RP-Email', 401 ], [ 'openid2rp.email', 401 ],
         [ 'Remote_User', 401 ], [ 'X-Open', 200 ]) {
        my ($name, $status) = @$_;
        is browser()->get($url, headers => [[ $name => 'x' ]])->status,
            $status, "a rule does " . ($status == 200 ? '' : 'not ')
            . "see the header $name";
    }
}

sub what_httpd_refuses {
    my $httpd = OpenID2RP::Httpd->new;
    for ([ 'openid-identifier', qr/nothing stands behind it/ ],
         [ 'openid-identifier ftp://x/', qr/"ftp:\/\/x\/" is not a web/ ],
         [ 'openid-identifier "~("', qr/"\(" is not a regular expression/ ],
         [ 'openid-provider', qr/nothing stands behind it/ ],
         [ 'openid-provider op.example', qr/"op.example" is neither/ ],
         [ 'openid-attribute', qr/"" is not "email", "sreg\.FIELD"/ ],
         [ 'openid-attribute email', qr/nothing stands behind it/ ],
         [ 'openid-attribute sreg.shoe 44', qr/"sreg.shoe" is not "email"/ ],
         [ 'openid-attribute ax.', qr/"ax\." is not "email"/ ],
         [ 'openid-attribute EMAIL x', qr/"EMAIL" is not "email"/ ],
         [ 'openid-attribute email "~["', qr/"\[" is not a regular/ ],
         [ 'openid-team', qr/nothing stands behind it/ ],
         [ 'openid-team one,two', qr/"one,two" is not the name of a team/ ],
         [ 'openid-group x', qr/Unknown Authz provider: openid-group/ ],
         [ 'openid-team one' ], [ 'openid-identifier =!91F2.8153' ],
         [ 'openid-provider https://op.example "~https://.*"' ]) {
        my ($line, $sentence) = @$_;
        $httpd->configure('<Location "/x">', "Require $line", '</Location>');
        my ($good, $text) = $httpd->command('-t');
        is !!$good, !$sentence, "Require $line: "
            . ($sentence ? 'stops httpd' : 'is taken') or diag $text;
        like $text, $sentence, "Require $line: with a sentence"
            if $sentence;
    }
}
