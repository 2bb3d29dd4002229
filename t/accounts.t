#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# An application with accounts of its own (conf/demo/accounts.cgi), and each
# thing that docs/accounts.md says such an application must check.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use DB_File;
use Fcntl qw(O_RDONLY);
use Digest::SHA qw(sha256_hex);
use File::Path qw(remove_tree);
use OpenID2RP::Test;
use Test::More;

my $HOME = url('/accounts/');
my $REGISTER = url('/accounts/register');
my $STATE = OpenID2RP::Test::var('t_logs') . '/accounts';
my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $PASSWORD = 'long enough';

remove_tree($STATE);
op_reset();
my $op = provider();

an_unknown_openid_makes_an_account();
a_known_openid_signs_in();
a_user_adds_and_removes_openids();
an_account_that_was_there_before();
a_login_that_cannot_begin();
a_login_that_fails();
the_return_url_again();
the_openid_of_another_account();
two_who_register_the_same();
the_user_has_changed_meanwhile();
a_login_that_no_form_here_began();
forms_without_their_token();
variables_that_somebody_sends();
an_identifier_is_what_its_bytes_are();
a_mail_address_proves_nothing();
what_comes_is_only_text();
the_session();
sessions_that_have_ended();
many_at_the_same_time();
done_testing;

# --- what a browser does ----------------------------------------------------

sub follow {
    my ($browser, $page) = @_;
    for (1 .. 5) {
        my $to = $page->header('Location');
        last unless $page->is_redirect && ($to =~ m{\A/(?!/)}
            || index($to, url('/')) == 0);
        $page = $browser->get($to =~ m{\A/} ? url($to) : $to);
    }
    return $browser->{page} = $page;
}

sub home { return follow($_[0], $_[0]->get($HOME)) }

# Where the form for an OpenID leads to, by the first page or by another one.
sub openid_action {
    my ($page) = @_;
    my ($action) = $page->body
        =~ m{<form method=post action="([^"]*)">\s*<label for=openid>}
        or return diag 'no form for an OpenID: ', $page->body;
    return url(unescape_html($action));
}

# Send an OpenID by that form, of the page that was seen last: the answer.
sub begin {
    my ($browser, $openid) = @_;
    my $page = $browser->{page};
    $page = home($browser) unless $page && $page->body =~ /<label for=openid>/;
    return $browser->post(openid_action($page),
                          { openid_identifier => $openid });
}

# What the provider says then: signed, with fields of its own.
sub approval {
    my ($begun, %field) = @_;
    my %seen;
    return $op->assertion($begun,
        signed => join(',', grep { !$seen{$_}++ } qw(op_endpoint claimed_id
            identity return_to response_nonce assoc_handle), sort keys %field),
        %field);
}

sub sreg {
    my (%field) = @_;
    return ('ns.sreg' => $SREG, map { ("sreg.$_" => $field{$_}) } keys %field);
}

# All the way: the page after it.
sub openid {
    my ($browser, $openid, %field) = @_;
    my $begun = begin($browser, $openid);
    like $begun->header('Location') // '', qr/\A\Q@{[ $op->endpoint ]}\E\?/,
        "$openid: a login begins" or diag follow($browser, $begun)->body;
    return follow($browser, $browser->get(approval($begun, %field)));
}

# Send a form of a page, the one that does that, with these fields.
sub send_form {
    my ($browser, $page, $do, %field) = @_;
    my ($action) = form_of($page, $do);
    return follow($browser, $browser->post($action, {
        do => $do, token => token_of($page, $do), %field }));
}

sub form_of {
    my ($page, $do) = @_;
    my @forms = $page->body
        =~ m{<form method=post action="([^"]*)">(.*?)</form>}sg;
    while (my ($action, $inside) = splice @forms, 0, 2) {
        return (url(unescape_html($action)), $inside)
            if $inside =~ /name=do value=$do>/;
    }
    return;
}

sub token_of {
    my ($page, $do) = @_;
    my (undef, $inside) = form_of($page, $do);
    return ($inside // '') =~ /name=token value=([0-9a-f]{64})>/ ? $1
        : diag("no form does $do: ", $page->body) && '';
}

# Somebody with an account of that name, and the OpenID of that name.
sub member {
    my ($name) = @_;
    my $browser = browser();
    my $page = openid($browser, $op->id($name));
    $page = send_form($browser, $page, 'register', name => $name);
    is account_of($page), $name, "control: $name has an account"
        or diag $page->body;
    return $browser;
}

sub sign_out {
    my ($browser) = @_;
    my $page = send_form($browser, home($browser), 'leave');
    is account_of($page), undef, 'signed out';
    return $page;
}

# --- what a page says -------------------------------------------------------

sub account_of { $_[0]->body =~ m{<b id=account>([^<]*)</b>} ? $1 : undef }

sub openids_of {
    return [ map { unescape_html($_) } $_[0]->body =~ m{<tr><td>(.*?)</td>}sg ];
}

# (alert or status, its text)
sub message_of {
    my ($page) = @_;
    my ($role, $text) = $page->body
        =~ m{<p role=(\w+) class=\w+>([^<]*)</p>} or return ('', '');
    return ($role, unescape_html($text));
}

sub says {
    my ($page, $role, $pattern, $name) = @_;
    my ($is, $text) = message_of($page);
    is $is, $role, "$name: there is a message ($role)" or diag $page->body;
    like $text, $pattern, "$name: it says what happened";
}

# What the field for an OpenID holds, or another field.
sub value_of {
    my ($page, $id) = @_;
    return $page->body =~ m{<input id=$id [^>]*?\bvalue="([^"]*)"}
        ? unescape_html($1) : undef;
}

# What the application has on its disk.
sub accounts {
    my $file = "$STATE/accounts.db";
    return {} unless -e $file;
    tie my %dbm, 'DB_File', $file, O_RDONLY, 0600, $DB_HASH
        or die "$file: $!";
    return { map { my $name = $_;
        ($name => { map { @$_ } pairs_of("?$dbm{$name}") }) } keys %dbm };
}

sub owner_of { (accounts()->{"openid $_[0]"} // {})->{account} }

# Its files: a record a line, name and fields.
sub read_records {
    my ($file) = @_;
    open my $in, '<', $file or return {};
    return { map { my ($name, $fields) = /\A(\S+) (\S*)\n\z/;
        (decode($name) => { map { @$_ } pairs_of("?$fields") }) } <$in> };
}

# Nothing that is asked for changes anything.
sub changes_nothing {
    my ($name, $test) = @_;
    my $before = accounts();
    my @result = $test->();
    is_deeply accounts(), $before, "$name: no account has changed";
    return @result;
}

# --- the three scenarios ----------------------------------------------------

sub an_unknown_openid_makes_an_account {
    my ($browser, $openid) = (browser(), $op->id('anna'));
    my $begun = begin($browser, $openid);
    my $return = approval($begun,
                          sreg(nickname => 'Anna', email => 'a@b.example'));
    my $answer = $browser->get($return);
    is $answer->status, 303, 'the return is answered by a redirect';
    is $answer->header('Location'), '/accounts/register',
        'to the form for a new account';
    unlike $answer->header('Location') . $answer->body, qr/\Q$openid/,
        'which does not carry the OpenID';
    my $page = follow($browser, $answer);
    is $page->status, 200, 'there it is';
    is value_of($page, 'name'), 'anna', 'a name is proposed';
    is value_of($page, 'email'), 'a@b.example', 'and the mail address';
    unlike $page->body, qr/<input[^>]*\Q$openid/, 'no field has the OpenID';
    is account_of($page), undef, 'nobody is signed in yet';
    is owner_of($openid), undef, 'and there is no account yet';

    for my $bad ('', 'a', 'An', '1a', 'a b', 'x' x 31, 'a<b', "a\xc3\xa4") {
        is account_of(send_form($browser, $page, 'register', name => $bad)),
            undef, "\"$bad\" is no name";
    }
    my $wrong = send_form($browser, $page, 'register', name => 'x');
    says($wrong, 'alert', qr/name has/, 'a wrong name');
    is value_of($wrong, 'name'), 'x', 'a wrong name is still in the form';

    # The form has no say in which OpenID it is.
    $page = send_form($browser, $page, 'register', name => 'anna',
        identifier => $op->id('victim'), pending => $op->id('victim'),
        openid_identifier_ => $op->id('victim'));
    is account_of($page), 'anna', 'with a name, the account is made';
    is_deeply openids_of($page), [$openid], 'with the OpenID of the login';
    is owner_of($op->id('victim')), undef, 'and no other one';
    is account_of(home($browser)), 'anna', 'and it lasts';
}

sub a_known_openid_signs_in {
    my $browser = browser();
    my $page = openid($browser, $op->id('anna'));
    is account_of($page), 'anna', 'a known OpenID signs in';
    says($page, 'status', qr/by OpenID/, 'signed in');
    is((message_of(home($browser)))[0], '', 'which is said once');
    sign_out($browser);
    is account_of(home($browser)), undef, 'until the sign-out';
}

sub a_user_adds_and_removes_openids {
    my ($one, $two) = map { $op->id($_) } qw(bela bela2);
    my $browser = member('bela');
    my $page = send_form($browser, home($browser), 'remove',
                         identifier => $one);
    says($page, 'alert', qr/last way in/, 'the last way in');
    is_deeply openids_of($page), [$one], 'the last way in stays';

    $page = openid($browser, $two);
    says($page, 'status', qr/was added/, 'an OpenID is added');
    is_deeply openids_of($page), [ $one, $two ], 'the account has two now';
    says(openid($browser, $two), 'status', qr/yours already/, 'once more');
    is account_of(openid(browser(), $two)), 'bela', 'the new one signs in';
    is account_of(openid(browser(), $one)), 'bela', 'and so does the old one';

    $page = send_form($browser, home($browser), 'remove',
                      identifier => $op->id('anna'));
    says($page, 'alert', qr/no such/, q(somebody else's));
    is owner_of($op->id('anna')), 'anna', q(somebody else's stays theirs);
    $page = send_form($browser, home($browser), 'remove', identifier => $one);
    says($page, 'status', qr/was removed/, 'one of two can be removed');
    is_deeply openids_of($page), [$two], 'which leaves the other';
    my $other = browser();
    $page = openid($other, $one);
    is account_of($page), undef, 'the removed one signs in no more';
    like $page->body, qr/is new here/, 'it is unknown again';
}

# It has a password, and no OpenID.
sub an_account_that_was_there_before {
    my $browser = browser();
    my $page = $browser->get($REGISTER);
    for my $bad ('', 'short', "\0" x 9) {
        is account_of(send_form($browser, $page, 'register', name => 'carl',
            password => $bad)), undef, 'a bad password makes no account';
    }
    $page = send_form($browser, $page, 'register', name => 'carl',
                      password => $PASSWORD);
    is account_of($page), 'carl', 'an account with a password';
    like accounts()->{'account carl'}{password}, qr/\A\$6\$/, 'which is hashed';
    sign_out($browser);
    for my $try ([ 'carl', 'wrong' ], [ 'carl', '' ], [ 'nobody', $PASSWORD ],
                 [ 'anna', '' ], [ 'anna', 'x' ]) {
        $page = send_form($browser, home($browser), 'password',
                          name => $try->[0], password => $try->[1]);
        says($page, 'alert', qr/is wrong/, "@$try");
        is account_of($page), undef, "@$try: nobody is signed in";
    }
    $page = send_form($browser, home($browser), 'password', name => 'carl',
                      password => $PASSWORD);
    is account_of($page), 'carl', 'the right password signs in';
    $page = openid($browser, $op->id('carl'));
    is_deeply openids_of($page), [ $op->id('carl') ], 'an OpenID can be added';
    is account_of(openid(browser(), $op->id('carl'))), 'carl', 'and signs in';
    $page = send_form($browser, home($browser), 'remove',
                      identifier => $op->id('carl'));
    is_deeply openids_of($page), [], 'and be removed, for there is a password';
}

# --- what can go wrong ------------------------------------------------------

sub a_login_that_cannot_begin {
    my ($browser, $typed) = (browser(), '"><b>&amp; ' . url('/'));
    for my $way ('post', 'get') {
        my $answer = $way eq 'post' ? begin($browser, $typed)
            : $browser->get("$HOME?"
                            . query_of([ openid_identifier => $typed ]));
        is $answer->status, 303, "$way: the answer is a redirect";
        my $page = follow($browser, $answer);
        says($page, 'alert', qr/\w/, "$way: no OpenID");
        is value_of($page, 'openid'), $typed,
            "$way: what was typed is still in the field";
    }
    my $page = follow($browser, begin($browser, url('/accounts/register')));
    says($page, 'alert', qr/no OpenID at/, 'a page that is no OpenID');
    is value_of(home($browser), 'openid'), '', 'all this is shown once';
    says(follow($browser, begin($browser, '')), 'alert', qr/enter your OpenID/,
         'an empty field');
    is account_of(openid($browser, $op->id('anna'))), 'anna',
        'and a login works then';

    # A form of another site comes without cookies. Who is signed in stays so.
    for my $field ('openid_identifier', 'do') {
        my $answer = $browser->post($HOME, { $field => $typed },
                                    cross_site => 1);
        is $answer->status, 303, "$field without cookies: a redirect";
        is_deeply [ $answer->headers('Set-Cookie') ], [],
            "$field without cookies: sets none";
        $page = follow($browser, $answer);
        says($page, 'alert', qr/from here/, "$field without cookies");
        is value_of($page, 'openid'), $field eq 'do' ? '' : $typed,
            "$field without cookies: what was typed is still there";
        is account_of($page), 'anna', "$field without cookies: signed in";
    }
    $page = browser()->get("$HOME?openid_identifier=x");
    is $page->status, 200, 'a GET without cookies: told at once';
    is value_of($page, 'openid'), 'x', 'a GET without cookies: it is there';
}

sub a_login_that_fails {
    my $browser = browser();
    my $no = sub {
        my ($begun, %field) = @_;
        my %sent = map { @$_ } pairs_of($begun->header('Location'));
        return $sent{'openid.return_to'} . '&' . query_of({
            'openid.ns' => 'http://specs.openid.net/auth/2.0', %field });
    };
    for my $case ([ cancel => sub { $no->($_[0], 'openid.mode' => 'cancel') },
                    qr/cancelled/ ],
                  [ 'an error' => sub { $no->($_[0], 'openid.mode' => 'error',
                        'openid.error' => 'no <b>"realm"</b> &amp;') },
                    qr/no <b>"realm"<\/b> &amp;/ ],
                  [ 'not signed' => sub { approval($_[0], signed => 'mode') },
                    qr/\w/ ],
                  [ 'for another' => sub { approval($_[0],
                        claimed_id => $op->id('anna'),
                        identity => url('/op/user/bob')) }, qr/\w/ ]) {
        my ($name, $answer, $says) = @$case;
        refusals();
        my $back = $browser->get($answer->(begin($browser, $op->id('bela2'))));
        is $back->status, 303, "$name: the return is answered by a redirect";
        is $back->header('Location'), '/accounts/', "$name: to the first page";
        my $page = follow($browser, $back);
        says($page, 'alert', $says, $name);
        is account_of($page), undef, "$name: nobody is signed in";
        is scalar(refusals()), 1, "$name: the module has refused it";
    }
    my $page = browser()->get("$HOME?openid_return=nothing&openid.mode=cancel");
    is $page->status, 200, 'without cookies: told at once';
    says($page, 'alert', qr/\w/, 'without cookies');
    is account_of(openid($browser, $op->id('bela2'))), 'bela',
        'control: the next login works';
}

sub the_return_url_again {
    my $browser = browser();
    my $return = approval(begin($browser, $op->id('anna')));
    my $page = follow($browser, $browser->get($return));
    is account_of($page), 'anna', 'control: it signs in once';
    changes_nothing('the return URL again', sub {
        $page = follow($browser, $browser->get($return));
    });
    says($page, 'alert', qr/\w/, 'the return URL again');
    is account_of($page), 'anna', 'the return URL again: still signed in';
    sign_out($browser);
    $page = follow($browser, $browser->get($return));
    is account_of($page), undef, 'but it does not sign in again';

    $browser = member('dora');
    $return = approval(begin($browser, $op->id('dora2')));
    follow($browser, $browser->get($return));
    is owner_of($op->id('dora2')), 'dora', 'control: it adds once';
    send_form($browser, home($browser), 'remove',
              identifier => $op->id('dora2'));
    follow($browser, $browser->get($return));
    is owner_of($op->id('dora2')), undef, 'but not again';
}

# --- what must be checked ---------------------------------------------------

sub the_openid_of_another_account {
    my $emil = member('emil');
    changes_nothing(q(another account's OpenID), sub {
        my $page = openid($emil, $op->id('anna'));
        says($page, 'alert', qr/another account/, q(another account's OpenID));
        is account_of($page), 'emil', q(another account's OpenID: nothing new);
    });
    is owner_of($op->id('anna')), 'anna', 'it is still theirs';
    is account_of(openid(browser(), $op->id('anna'))), 'anna',
        'and leads to them';
    openid($emil, $op->id('emil2'));
    is owner_of($op->id('emil2')), 'emil', 'control: a free one is added';
}

sub two_who_register_the_same {
    my ($one, $two) = (browser(), browser());
    my @pages = map { openid($_, $op->id('fritz')) } $one, $two;
    is account_of(send_form($one, $pages[0], 'register', name => 'fritz')),
        'fritz', 'the first one has the account';
    changes_nothing('the second one', sub {
        for my $case ([ 'fritz', qr/taken/ ], [ 'fritz2', qr/by now/ ]) {
            my ($name, $says) = @$case;
            my $page = send_form($two, $pages[1], 'register', name => $name);
            is account_of($page), undef, "the second one, as $name: none";
            says($page, 'alert', $says, "the second one, as $name");
        }
    });
    is account_of(openid($two, $op->id('fritz'))), 'fritz',
        'who is the same person, and can sign in';

    my $other = browser();
    my $page = openid($other, $op->id('fritz_other'));
    changes_nothing('a name that is taken', sub {
        says(send_form($other, $page, 'register', name => 'fritz'), 'alert',
             qr/taken/, 'a name that is taken');
    });
    is account_of(send_form($other, $page, 'register', name => 'fritzi')),
        'fritzi', 'control: a free one is not';
}

# Between the form and the return: somebody else, nobody, or the same again.
sub the_user_has_changed_meanwhile {
    member($_) for qw(gerd hanna);
    for my $case ([ 'somebody else', 'hanna' ], [ 'nobody', undef ],
                  [ 'the same again', 'gerd' ]) {
        my ($name, $next) = @$case;
        my $browser = browser();
        openid($browser, $op->id('gerd'));
        my $return = approval(begin($browser, $op->id('new')));
        sign_out($browser);
        openid($browser, $op->id($next)) if $next;
        changes_nothing("an addition, then $name", sub {
            my $page = follow($browser, $browser->get($return));
            says($page, 'alert', qr/Nothing was changed/,
                 "an addition, then $name");
            is account_of($page), $next, "an addition, then $name: who it was";
        });
    }
    my $browser = browser();
    my $return = approval(begin($browser, $op->id('hanna')));
    openid($browser, $op->id('gerd'));
    my $page = follow($browser, $browser->get($return));
    says($page, 'alert', qr/Nothing was changed/, 'a login in another tab');
    is account_of($page), 'gerd', 'a login in another tab: who it was';

    $browser = browser();
    $return = approval(begin($browser, $op->id('gerd')));
    openid($browser, $op->id('gerd'));
    $page = follow($browser, $browser->get($return));
    is account_of($page), 'gerd', 'the same login in two tabs';
    is((message_of($page))[0], '', 'is no reason to complain');

    $browser = browser();
    openid($browser, $op->id('gerd'));
    $return = approval(begin($browser, $op->id('new')));
    $page = follow($browser, $browser->get($return));
    says($page, 'status', qr/was added/, 'control: nothing between');
    send_form($browser, $page, 'remove', identifier => $op->id('new'));
}

# By hand, by a link, with a token of somebody else: the attacker has a session,
# and forms, as well.
sub a_login_that_no_form_here_began {
    my ($ivan, $mallory) = (member('ivan'), member('mallory'));
    my ($his) = openid_action(home($mallory)) =~ /token=(\w+)/;
    my ($login) = openid_action(home(browser())) =~ /token=(\w+)/;
    my ($own) = openid_action(home($ivan)) =~ /token=(\w+)/;
    my $leave = token_of(home($ivan), 'leave');
    my %query = (
        'no query' => '', 'no token' => '?do=add', 'an empty one' =>
        '?do=add&token=', 'one of somebody else' => "?do=add&token=$his",
        'one of a visitor' => "?do=login&token=$login",
        'one that does something else' => "?do=add&token=$leave",
        'it twice' => "?do=add&token=$own&token=$own",
        'one for an addition' => "?do=login&token=$own",
        'a longer one' => "?do=add&token=${own}0",
    );
    for my $name (sort keys %query) {
        my $begun = $ivan->post($HOME . $query{$name},
            { openid_identifier => $op->id('evil') });
        is $begun->status, 303, "$name: the module does not mind";
        changes_nothing($name, sub {
            my $page = follow($ivan, $ivan->get(approval($begun)));
            is account_of($page), 'ivan', "$name: nobody else is signed in";
        });
    }
    my $begun = $ivan->post("$HOME?do=add&token=$own",
                            { openid_identifier => $op->id('ivan2') });
    follow($ivan, $ivan->get(approval($begun)));
    is owner_of($op->id('ivan2')), 'ivan', 'control: with the right one';

    # A login that mallory began, in the browser of ivan.
    my $return = approval(begin($mallory, $op->id('evil')));
    refusals();
    changes_nothing('a return of another browser', sub {
        is account_of(follow($ivan, $ivan->get($return))), 'ivan',
            'a return of another browser: nobody else is signed in';
    });
    is_deeply [refusals()], ['other-browser'], 'the module has refused it';
}

sub forms_without_their_token {
    my ($browser, $other) = (member('jana'), member('karl'));
    openid($browser, $op->id('jana2'));
    my $visitor = browser();
    my $new = browser();
    openid($new, $op->id('lena'));
    my %form = (
        remove => [ $browser, $HOME, { identifier => $op->id('jana2') } ],
        leave => [ $browser, $HOME, {} ],
        password => [ $visitor, $HOME, { name => 'carl',
                                         password => $PASSWORD } ],
        register => [ $new, $REGISTER, { name => 'lena' } ],
    );
    for my $do (qw(remove leave password register)) {
        my ($who, $url, $field) = @{ $form{$do} };
        my $page = follow($who, $who->get($url));
        my $token = token_of($page, $do);
        my $was = account_of($page);
        my $theirs = home($do =~ /remove|leave/ ? $other : browser());
        my ($elsewhere) = openid_action(home($who)) =~ /token=(\w+)/;
        for my $bad ([ 'no token' ], [ 'an empty one', '' ],
                     [ 'one of another form', $elsewhere ],
                     [ 'a wrong one', $token =~ tr/0-9a-f/1-9a-f0/r ],
                     $do eq 'register' ? () :
                     [ 'one of somebody else', token_of($theirs, $do) ]) {
            my ($name, $sent) = @$bad;
            changes_nothing("$do, $name", sub {
                my $answer = $who->post($url, { %$field, do => $do,
                    defined $sent ? (token => $sent) : () });
                is $answer->status, 403, "$do, $name: refused";
                is account_of(home($who)), $was, "$do, $name: who it was";
            });
        }
        $page = send_form($who, follow($who, $who->get($url)), $do, %$field);
        unlike +(message_of($page))[0], qr/alert/, "control: $do with its own";
    }
    is owner_of($op->id('jana2')), undef, 'control: removed';
    is account_of(home($browser)), undef, 'control: signed out';
    is account_of(home($visitor)), 'carl', 'control: signed in';
    is owner_of($op->id('lena')), 'lena', 'control: registered';
}

sub variables_that_somebody_sends {
    my $openid = $op->id('anna');
    my @names = qw(OPENID2RP-IDENTIFIER OPENID2RP_IDENTIFIER
        openid2rp-identifier OpenID2RP.Identifier Remote-User REMOTE_USER);
    my $browser = browser();
    my ($query) = openid_action(home($browser)) =~ /\?(.*)/;
    my @all = map { [ $_, $openid ] } @names;
    for my $case (
        [ 'headers', sub { $_[0]->get("$HOME?$query", headers => \@all) } ],
        [ 'a query', sub { $_[0]->get("$HOME?$query&" . query_of(@all)) } ],
        [ 'a form', sub { $_[0]->post("$HOME?$query", \@all) } ],
        [ 'all of it', sub { $_[0]->post("$HOME?$query&" . query_of(@all),
                                         \@all, headers => [@all]) } ]) {
        my ($name, $send) = @$case;
        $send->($browser);
        is account_of(home($browser)), undef, "$name: nobody is signed in";
    }
    my $begun = $browser->post("$HOME?$query",
                               { openid_identifier => $op->id('bela2') });
    my $page = follow($browser, $browser->get(approval($begun),
                                              headers => \@all));
    is account_of($page), 'bela', 'control: who has come back is signed in';
    my $notice = browser()->get($HOME, headers => [
        map { [ "OPENID2RP-$_", 'forged' ] } qw(NOTICE ERROR) ]);
    unlike $notice->body, qr/forged/, 'nor is a message believed';
}

sub an_identifier_is_what_its_bytes_are {
    my $openid = $op->id('nora');
    my $browser = browser();
    my $page = openid($browser, $openid, claimed_id => "$openid#1",
                      identity => $openid);
    unlike $page->body, qr/\Q$openid\E#/, 'people see no fragment';
    $page = send_form($browser, $page, 'register', name => 'nora');
    is account_of($page), 'nora', 'an account with a fragment';
    is_deeply openids_of($page), [$openid], 'people see no fragment here';
    is owner_of("$openid#1"), 'nora', 'though it is kept';

    my $upper = $op->id('NORA');
    for my $case ([ 'another fragment', $openid, "$openid#2" ],
                  [ 'no fragment', $openid, $openid ],
                  [ 'another letter', $upper, "$upper#1" ]) {
        my ($name, $begin, $claimed) = @$case;
        my $page = openid(browser(), $begin, claimed_id => $claimed,
                          identity => $begin);
        is account_of($page), undef, "$name: another person";
        like $page->body, qr/is new here/, "$name: who is new";
    }
    $page = openid(browser(), $openid, claimed_id => "$openid#1",
                   identity => $openid);
    is account_of($page), 'nora', 'control: the same bytes';
}

sub a_mail_address_proves_nothing {
    my $browser = browser();
    my $page = openid($browser, $op->id('otto'), sreg(email => 'o@b.example'));
    is account_of(send_form($browser, $page, 'register', name => 'otto',
        email => 'o@b.example')), 'otto', 'control: somebody has this address';
    changes_nothing('the address of another', sub {
        my $page = openid(browser(), $op->id('otto_not'),
                          sreg(email => 'o@b.example', nickname => 'otto'));
        is account_of($page), undef, 'the same address signs nobody in';
        is value_of($page, 'email'), 'o@b.example', 'control: it has come';
    });
}

sub what_comes_is_only_text {
    my $evil = q("'><script>alert(1)</script>&amp;);
    my $browser = browser();
    my $page = openid($browser, $op->id('petra'), sreg(
        email => "p${evil}\@b.example", nickname => "petra$evil"));
    is value_of($page, 'email'), "p${evil}\@b.example",
        'what came is in its field as it was';
    unlike $page->body, qr/<script/, 'and is no script';
    like value_of($page, 'name'), qr/\Apetra[a-z0-9]*\z/, 'a name is proposed';
    $page = send_form($browser, $page, 'register', name => $evil,
                      email => "$evil\xff\x01");
    is value_of($page, 'name'), $evil, 'so is what was typed';
    unlike $page->body, qr/<script|\xff|\x01/, 'and is only text';
    for my $url ($HOME, $REGISTER) {
        my $policy = $browser->get($url)->header('Content-Security-Policy');
        like $policy, qr/default-src 'none'/, "$url: a policy";
        unlike $policy, qr/script-src|unsafe/, "$url: that allows no script";
        like $policy, qr/frame-ancestors 'none'/, "$url: and no frame";
    }
    for my $path ('/accounts/none', '/accounts/register/x') {
        is browser()->get(url($path))->status, 404, "$path: not there";
    }
    is browser()->get(url('/accounts'))->header('Location'), '/accounts/',
        'without the slash: redirected';
}

# --- sessions ---------------------------------------------------------------

sub the_session {
    my $browser = browser();
    my $page = $browser->get($HOME);
    my ($set) = $page->headers('Set-Cookie');
    like $set, qr/\Aaccounts=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax\z/,
        'the cookie is random, and for this site alone';
    my ($tls) = browser()->get(url('/accounts/', 'accounts_https'))
        ->headers('Set-Cookie');
    like $tls, qr/\A__Host-accounts=[0-9a-f]{32}; Path=\/; .*; Secure\z/,
        'and with https for https alone';
    my $planted = $browser->twin;
    my $old = $browser->cookie('accounts');
    openid($browser, $op->id('anna'));
    my $new = $browser->cookie('accounts');
    isnt $new, $old, 'who signs in gets a new one';
    is account_of(home($browser)), 'anna', 'which is theirs';
    is account_of(home($planted)), undef, 'and the old one is worth nothing';
    ok -e file_of($new), 'control: the server has a record of it';
    my $thief = $browser->twin;
    is account_of(home($thief)), 'anna', 'control: a copy is as good';
    sign_out($browser);
    ok !-e file_of($new), 'after the sign-out it has none';
    is account_of(home($thief)), undef, 'and a copy is worth nothing';

    # The same for an OpenID that has no account yet.
    $browser = browser();
    home($browser);
    $planted = $browser->twin;
    my $form = openid($browser, $op->id('quirin'));
    like $form->body, qr/is new here/, 'control: somebody new';
    unlike $planted->get($REGISTER)->body, qr/is new here/,
        'a planted cookie has no part in it';
}

sub file_of { "$STATE/sessions/" . sha256_hex($_[0]) }

# As if hours had passed.
sub change_session {
    my ($browser, $change) = @_;
    my $file = file_of($browser->cookie('accounts'));
    my $record = read_records($file);
    $change->($record);
    open my $out, '>', $file or die "$file: $!";
    print $out "$_ ", query_of($record->{$_}), "\n" for sort keys %$record;
    close $out or die "$file: $!";
}

sub sessions_that_have_ended {
    for my $case (
                  [ 'unused too long', sub { $_[0]{life}{until} = time - 1 } ],
                  [ 'too old', sub { $_[0]{user}{made} -= 13 * 3600 } ],
                  [ 'of no account', sub { $_[0]{user}{account} = 'gone' } ],
                  [ undef, sub { $_[0]{user}{made} -= 3600 } ]) {
        my ($name, $change) = @$case;
        my $browser = browser();
        openid($browser, $op->id('anna'));
        my $return = approval(begin($browser, $op->id('late')));
        change_session($browser, $change);
        my $page = follow($browser, $browser->get($return));
        if (defined $name) {
            is account_of($page), undef, "$name: nobody is signed in";
            is owner_of($op->id('late')), undef, "$name: nothing is added";
        }
        else {
            is owner_of($op->id('late')), 'anna', 'control: a good one';
        }
    }
    for my $past (1, 0) {
        my $browser = browser();
        my $page = openid($browser, $op->id('rosa'));
        change_session($browser, sub { $_[0]{pending}{until} = time - 1 })
            if $past;
        is account_of(send_form($browser, $page, 'register', name => 'rosa')),
            $past ? undef : 'rosa', $past ? 'an OpenID that waited too long'
                                          : 'control: one that did not';
        is owner_of($op->id('rosa')), $past ? undef : 'rosa',
            $past ? 'has no account' : 'control: has one';
    }
}

# Nothing is lost: whoever was told that they have an account has one.
sub many_at_the_same_time {
    my @browsers = map { browser() } 1 .. 8;
    my @pages = map { openid($browsers[$_], $op->id("many$_")) } 0 .. 7;
    my @names = map { 'many' . int $_ / 2 } 0 .. 7;     # two want each
    my @answers = OpenID2RP::Test::parallel(port_of(), [ map {
        $browsers[$_]->request('POST', $REGISTER, query_of({
            do => 'register', token => token_of($pages[$_], 'register'),
            name => $names[$_] }), headers => [
            [ 'Content-Type', 'application/x-www-form-urlencoded' ] ])
    } 0 .. 7 ], $REGISTER);
    is scalar(grep { $_->status == 303 } @answers), 4,
        'at the same time: each name is taken once';
    $browsers[$_]->keep($answers[$_]) for 0 .. 7;
    for (grep { $answers[$_]->status == 303 } 0 .. 7) {
        is account_of(home($browsers[$_])), $names[$_],
            "$names[$_]: who was told so has it";
        is owner_of($op->id("many$_")), $names[$_], "$names[$_]: kept";
    }
}
