#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Logins at three providers that we did not write. The same cases for each; a
# case passes where all of its tests do. At the end the table of
# docs/interop.md is printed, and must be the one that is there.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use File::Path qw(make_path);
use MIME::Base64 qw(decode_base64);
use OpenID2RP::Test;
use Test::More;

my $OPENID2 = 'http://specs.openid.net/auth/2.0';
my $SIGNON11 = 'http://openid.net/signon/1.1';
my $LOGS = OpenID2RP::Test::var('t_logs');
my $APP = url('/interop/app');
my $FULLNAME = "Alice S\xc3\xb8rensen-\xc5\x81ukasz";

# extensions: what its library, or our page around it, can tell.
my @PROVIDERS = (
    { name => 'perl', library => 'Net::OpenID::Server', logs_session => 0,
      extensions => 0 },
    { name => 'python', library => 'python3-openid', logs_session => 1,
      extensions => 1 },
    { name => 'ruby', library => 'ruby-openid', logs_session => 1,
      extensions => 1 },
);

# A row of the table, and the test behind it. A test returns what the table is
# to say if all is as it should be: "yes", or why not. What happens then is
# tested nevertheless.
my @CASES = (
    ['OP Identifier (2.0)' => sub { identifier(@_, 'op') }],
    ["user's page, XRDS (2.0)" => sub { identifier(@_, 'user') }],
    ["user's page, HTML, delegated (2.0)" => sub { identifier(@_, 'html') }],
    ["another site's XRDS, delegated (2.0)"
        => sub { identifier(@_, 'site') }],
    ["another site's XRDS, delegated (1.1)"
        => sub { identifier(@_, 'site11') }],
    ["user's page, HTML, delegated (1.1)"
        => sub { identifier(@_, 'html11') }],
    ['association HMAC-SHA256, DH-SHA256 (2.0)'
        => sub { association(@_, 'all', 'user', 'SHA256') }],
    ['association HMAC-SHA1, DH-SHA1 (2.0)'
        => sub { association(@_, 'sha1', 'user', 'SHA1') }],
    ['association HMAC-SHA1, DH-SHA1 (1.1)'
        => sub { association(@_, 'sha1', 'html11', 'SHA1') }],
    ['no association (2.0)' => sub { stateless(@_, 'op') }],
    ['no association (1.1)' => sub { stateless(@_, 'html11') }],
    ['SREG' => \&sreg],
    ['AX, several values' => \&ax],
    ['teams' => \&teams],
    ['PAPE' => \&pape],
    ['request of more than 2 kB, by POST' => \&long_request],
    ['answer by POST, without cookies' => \&answer_by_post],
    ['checkid_immediate (2.0)' => sub { immediate(@_, 'user') }],
    ['checkid_immediate (1.1)' => sub { immediate(@_, 'html11') }],
    ['cancel (2.0)' => sub { cancelled(@_, 'user') }],
    ['cancel (1.1)' => sub { cancelled(@_, 'html11') }],
    ['return_to found by discovery (2.0, 13)' => \&return_to_discovery],
    ['a changed answer is refused' => \&changed_answer],
    ['an answer counts once' => \&repeated_answer],
);

my $SITE = web_server(\&user_site);
my %result;     # row => { provider => cell }

make_path("$LOGS/interop-$_->{name}") for @PROVIDERS;
for my $case (@CASES) {
    my ($row, $test) = @$case;
    for my $provider (@PROVIDERS) {
        op_lines($provider);
        my $cell;
        my $good = subtest "$provider->{library}: $row" => sub {
            $cell = $test->($provider);
            done_testing;
        };
        $result{$row}{ $provider->{name} } = $good ? $cell : 'FAILED';
    }
}
the_table();
done_testing;

# ---------------------------------------------------------------------------
# Providers and identifiers

sub op { my ($provider, $mount) = @_;
         return url("/interop/$provider->{name}-$mount") }

# The lines in a provider's log since the last call.
sub op_lines {
    my ($provider) = @_;
    return OpenID2RP::Test::new_lines(
        "$LOGS/interop-$provider->{name}/op.log");
}

# An identifier of Alice's, and what she is called after a login with it.
sub alice {
    my ($provider, $mount, $kind) = @_;
    my $op = op($provider, $mount);
    return ("$op/", "$op/user/alice") if $kind eq 'op';
    my $id = $kind =~ /^site/
        ? "$SITE/$kind/" . $op =~ s{^http://}{}r : "$op/$kind/alice";
    return ($id, $id);
}

# /site/HOST/interop/PERL-MOUNT: a page of Alice's own, which is the XRDS.
sub user_site {
    my ($path) = @_;
    my ($version, $op) = $path =~ m{\A/site(11|)/(.+)\z}
        or return ([ 404, 'Content-Type: text/plain' ], "Nothing.\n");
    my $type = $version ? $SIGNON11 : "$OPENID2/signon";
    my $local = $version
        ? "<openid:Delegate>http://$op/user/alice</openid:Delegate>"
        : "<LocalID>http://$op/user/alice</LocalID>";
    return ([ 200, 'Content-Type: application/xrds+xml' ], <<"XML");
<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://\$xrds" xmlns="xri://\$xrd*(\$v*2.0)"
  xmlns:openid="http://openid.net/xmlns/1.0"><XRD>
<Service><Type>$type</Type><URI>http://$op/endpoint</URI>$local</Service>
</XRD></xrds:XRDS>
XML
}

# ---------------------------------------------------------------------------
# A browser that goes wherever it is sent

sub is_ours { $_[0] =~ m{\A\Q$APP\E} }

# The forms of a page: { action, method, fields => [[name, value], ...],
# buttons => [the same] }.
sub forms {
    my ($page) = @_;
    my $body = $page->body;
    my @forms;
    while ($body =~ m{<form\b([^>]*)>(.*?)</form>}gs) {
        my ($form, $content) = (attributes($1), $2);
        my %form = (%$form, fields => [], buttons => []);
        while ($content =~ m{<(input|button)\b([^>]*)>}g) {
            my ($tag, $of) = ($1, attributes($2));
            next unless defined $of->{name};
            my $list = $tag eq 'button' || ($of->{type} // '') eq 'submit'
                ? 'buttons' : 'fields';
            push @{ $form{$list} }, [ $of->{name}, $of->{value} // '' ];
        }
        push @forms, \%form;
    }
    return @forms;
}

sub attributes {
    my ($text) = @_;
    my %of;
    while ($text =~ m{([\w-]+)=("[^"]*"|'[^']*'|[^\s"'>]+)}g) {
        my ($name, $value) = (lc $1, $2);
        $value =~ s/\A["']|["']\z//g;
        $of{$name} = unescape_html($value);
    }
    return \%of;
}

# Press a button of a provider's page: the form, and the pair of the button.
sub press {
    my ($page, $wish) = @_;
    for my $want ([ do => $wish ], [ user => 'alice' ]) {
        for my $form (forms($page)) {
            for my $button (@{ $form->{buttons} }) {
                return ($form, $button) if $button->[0] eq $want->[0]
                    && $button->[1] eq $want->[1];
            }
        }
    }
    return;
}

# Follow redirects, submit the forms that submit themselves, and approve or
# cancel where asked. A form that leads to another site goes as a cross-site
# POST. Returns the last page, and all that was asked for on the way:
# [method, url, form].
sub follow {
    my ($browser, $page, $wish, $until) = @_;
    my @trail;
    for (1 .. 15) {
        my $on_ours = is_ours($page->url);
        my @next;
        if ($page->is_redirect) {
            @next = ('GET', $page->header('Location'));
        }
        elsif ($page->status == 200 && !$until) {
            my ($form) = forms($page);
            my $action = $form ? $form->{action} // '' : '';
            if ($action =~ /\Ahttp/ && $on_ours != is_ours($action)) {
                @next = ('POST', $action, $form->{fields});
            }
            elsif (!$on_ours) {
                ($form, my $button) = press($page, $wish // 'approve');
                @next = ('POST', $form->{action},
                         [ @{ $form->{fields} }, $button ]) if $form;
            }
        }
        last unless @next;
        push @trail, \@next;
        last if $until && $next[1] =~ $until;
        $page = $next[0] eq 'GET' ? $browser->get($next[1])
            : $browser->post(@next[1, 2],
                             cross_site => $on_ours != is_ours($next[1]));
    }
    return ($page, @trail);
}

# A login: the last page, and the trail.
sub go {
    my ($browser, $target, $identifier, $wish) = @_;
    return follow($browser, begin_login($browser, $target, $identifier),
                  $wish);
}

# The steps of a trail that have such a field; as they are, or as hashes of
# their fields.
sub steps {
    my ($name, $value, @trail) = @_;
    return grep { ($_->{$name} // '') eq $value }
        map { my ($method, $url, $form) = @$_;
              +{ METHOD => $method, URL => $url,
                 map { @$_ } pairs_of($url), @{ $form // [] } } } @trail;
}

# The environment of the application, after a login that must not fail.
sub signed_in {
    my ($page, $claimed, $name) = @_;
    is $page->status, 200, "$name: the application answers"
        or diag $page->alert // $page->body;
    my $env = $page->status == 200 ? env_of($page) : {};
    is $env->{REMOTE_USER}, $claimed, "$name: REMOTE_USER";
    return $env;
}

# The way of most cases.
sub good_login {
    my ($provider, $mount, $kind, $path) = @_;
    my ($id, $claimed) = alice($provider, $mount, $kind);
    my ($page, @trail) = go(browser(), $APP . ($path // ''), $id);
    return (signed_in($page, $claimed, "$kind at $mount"), @trail);
}

sub refused {
    my ($page, $status, $name) = @_;
    is $page->status, $status, "$name: $status";
    is scalar(forms($page)), 1, "$name: the login page";
    like $page->alert // '', qr/\w.*\.\z/, "$name: with a sentence";
}

# ---------------------------------------------------------------------------
# The cases

sub identifier {
    my ($provider, $kind) = @_;
    my ($id) = alice($provider, 'all', $kind);
    my ($env, @trail) = good_login($provider, 'all', $kind);
    is $env->{OPENID2RP_PROVIDER}, op($provider, 'all') . '/endpoint',
        'the endpoint';
    is $env->{AUTH_TYPE}, 'OpenID', 'AUTH_TYPE';
    my ($asked) = steps('openid.mode', 'checkid_setup', @trail);
    my ($answered) = steps('openid.mode', 'id_res', @trail);
    my $is_v1 = $kind =~ /11$/;
    is $asked->{'openid.ns'}, $is_v1 ? undef : $OPENID2,
        'the request is of that version';
    is $answered->{'openid.ns'}, $is_v1 ? undef : $OPENID2,
        'the answer too';
    is $asked->{'openid.identity'},
        $kind eq 'op' ? "$OPENID2/identifier_select"
            : op($provider, 'all') . '/user/alice',
        'it is about the local identifier';
    is $answered->{'openid.assoc_handle'}, $asked->{'openid.assoc_handle'},
        'signed with the association of the request';
    return 'yes';
}

# A provider that nobody has signed in at before: it is asked for an
# association, and never about a signature.
sub association {
    my ($provider, $mount, $kind, $hash) = @_;
    my $type = "HMAC-$hash";
    my ($env, @trail) = good_login($provider, "${mount}_$kind", $kind);
    my @lines = op_lines($provider);
    my @made = grep { / associate .*-> ok/ } @lines;
    is scalar @made, 1, 'one association';
    like $made[0] // '', qr/ assoc=$type /, "it is $type";
    like $made[0] // '', qr/ session=DH-$hash /, "and came by DH-$hash"
        if $provider->{logs_session};
    my @refused = grep { / associate .*-> error/ } @lines;
    is scalar @refused, $mount eq 'sha1' && $kind eq 'user' ? 1 : 0,
        'after a refusal only where HMAC-SHA256 was asked for in vain';
    is scalar(grep { / check_authentication / } @lines), 0,
        'the provider was not asked about the signature';
    my ($asked) = steps('openid.mode', 'checkid_setup', @trail);
    ok length $asked->{'openid.assoc_handle'} // '', 'the request names it';
    my ($answered) = steps('openid.mode', 'id_res', @trail);
    is $answered->{'openid.assoc_handle'}, $asked->{'openid.assoc_handle'},
        'so does the answer';
    is length decode_base64($answered->{'openid.sig'}),
        { SHA1 => 20, SHA256 => 32 }->{$hash}, "signed with $type";
    return 'yes';
}

sub stateless {
    my ($provider, $kind) = @_;
    my ($env, @trail) = good_login($provider, "none_$kind", $kind);
    my @lines = op_lines($provider);
    is scalar(grep { / associate .*-> ok/ } @lines), 0, 'no association';
    my @refused = grep { / associate .*-> error/ } @lines;
    cmp_ok scalar @refused, '>', 0, 'but not for want of asking';
    is scalar(grep { / check_authentication .*-> is_valid:true/ } @lines), 1,
        'the provider was asked about its signature, and confirmed it';
    my ($asked) = steps('openid.mode', 'checkid_setup', @trail);
    is $asked->{'openid.assoc_handle'}, undef, 'the request names no handle';
    return 'yes';
}

sub sreg {
    my ($provider) = @_;
    for my $kind ('user', 'html11') {
        my ($env) = good_login($provider, 'all', $kind, '/fields');
        is $env->{OPENID2RP_SREG_NICKNAME}, 'alice', "$kind: nickname";
        is $env->{OPENID2RP_SREG_EMAIL}, 'alice@example.com', "$kind: email";
        is $env->{OPENID2RP_SREG_FULLNAME}, $FULLNAME, "$kind: fullname";
        is $env->{OPENID2RP_SREG_COUNTRY}, undef,
            "$kind: what was not asked for, is not there";
    }
    return 'yes';
}

sub ax {
    my ($provider) = @_;
    my ($env) = good_login($provider, 'all', 'user', '/fields');
    is $env->{OPENID2RP_AX_MAIL}, 'alice@example.com', 'the first value';
    is $env->{OPENID2RP_AX_MAIL_2}, 'alice@example.org', 'the second';
    is $env->{OPENID2RP_AX_MAIL_COUNT}, 2, 'there are two';
    is $env->{OPENID2RP_AX_FIRST}, 'Alice', 'one value';
    is $env->{OPENID2RP_AX_NICKNAME}, undef, 'not asked for';
    ($env) = good_login($provider, 'all', 'html11', '/fields');
    is $env->{OPENID2RP_AX_FIRST}, 'Alice', 'with 1.1, too';
    return 'yes';
}

sub teams {
    my ($provider) = @_;
    my ($env) = good_login($provider, 'all', 'user', '/teams');
    is $env->{OPENID2RP_TEAMS}, $provider->{extensions} ? 'staff crew' : undef,
        'the teams that she is in, in our order';
    ($env) = good_login($provider, 'all', 'user');
    is $env->{OPENID2RP_TEAMS}, undef, 'no teams where none are asked for';
    return $provider->{extensions} ? 'yes' : 'not offered';
}

sub pape {
    my ($provider) = @_;
    my ($id) = alice($provider, 'all', 'user');
    my ($page) = go(browser(), "$APP/physical", $id);
    refused($page, 403, 'a policy that is not met');
    if ($provider->{extensions}) {
        good_login($provider, 'all', 'user', '/factors');
        good_login($provider, 'all', 'html11', '/factors');
    }
    else {
        good_login($provider, 'all', 'user');
        ($page) = go(browser(), "$APP/factors", $id);
        refused($page, 403, 'a provider that knows no policies');
    }
    return $provider->{extensions} ? 'yes' : 'not offered';
}

sub long_request {
    my ($provider) = @_;
    for my $kind ('op', 'user') {
        my ($env, @trail) = good_login($provider, 'all', $kind, '/long');
        is $env->{OPENID2RP_AX_LAST}, $FULLNAME =~ s/.* //r,
            "$kind: an attribute of many";
        my ($asked) = steps('openid.mode', 'checkid_setup', @trail);
        is $asked->{METHOD}, 'POST', "$kind: the request goes by POST";
        is $asked->{URL}, op($provider, 'all') . '/endpoint',
            "$kind: to the endpoint";
        cmp_ok length query_of($asked), '>', 2048, "$kind: it is long";
        is $asked->{'openid.ax.type.odd'},
            q(http://example.com/?a=%26amp;%22'&lt;&b),
            "$kind: characters of HTML come through";
    }
    my (undef, @trail) = good_login($provider, 'all', 'user');
    my ($asked) = steps('openid.mode', 'checkid_setup', @trail);
    is $asked->{METHOD}, 'GET', 'a shorter one goes by GET';
    return 'yes';
}

sub answer_by_post {
    my ($provider) = @_;
    for my $kind ('user', 'html11') {
        my (undef, @trail) = good_login($provider, 'post', $kind, '/x?a=b');
        my @from = grep { is_ours($_->[1]) } @trail;
        is_deeply [ map { $_->[0] } @from ], [ 'POST', 'GET', 'GET' ],
            "$kind: a POST without cookies, a GET with them, and the target";
        is $from[0][1], $from[1][1], "$kind: both to return_to";
        is $from[2][1], "$APP/x?a=b", "$kind: the target is as it was";
    }

    # Only the browser that began the login can end it.
    my ($id, $claimed) = alice($provider, 'post', 'user');
    my $browser = browser();
    my ($page) = follow($browser, begin_login($browser, $APP, $id), undef,
                        qr{\A\Q$APP\E});
    my ($form) = forms($browser->get($page->url));
    my $kept = $browser->post($form->{action}, $form->{fields},
                              cross_site => 1);
    is $kept->status, 303, 'the answer is kept';
    refused(browser()->get($kept->header('Location')), 403,
            'another browser');
    ($page) = follow($browser, $kept);
    signed_in($page, $claimed, 'the right browser');

    # With the cookie, nothing needs to be kept.
    $browser = browser();
    ($page) = follow($browser, begin_login($browser, $APP, $id), undef,
                     qr{\A\Q$APP\E});
    ($form) = forms($browser->get($page->url));
    is $browser->post($form->{action}, $form->{fields})->header('Location'),
        $APP, 'a POST with cookies signs in at once';
    return 'yes';
}

sub immediate {
    my ($provider, $kind) = @_;
    my ($id, $claimed) = alice($provider, 'ask', $kind);
    my $browser = browser();
    my ($page, @trail) = go($browser, "$APP/immediate?q=1", $id);
    signed_in($page, $claimed, 'at first');
    is scalar(steps('openid.mode', 'checkid_immediate', @trail)), 1,
        'at first: tried without asking';
    ok scalar(steps('openid.mode', 'checkid_setup', @trail)),
        'at first: the provider has to ask';
    is env_of($page)->{QUERY_STRING}, 'q=1', 'at first: the target is right';

    delete $browser->{jar}{$_}
        for grep { /^openid2rp/ } keys %{ $browser->{jar} };
    is $browser->get($APP)->status, 401, 'the session is gone';
    ($page, @trail) = go($browser, "$APP/immediate", $id);
    signed_in($page, $claimed, 'later');
    is scalar(steps('openid.mode', 'checkid_immediate', @trail)), 1,
        'later: tried without asking';
    is scalar(steps('openid.mode', 'checkid_setup', @trail)), 0,
        'later: that was enough';

    $browser = browser();
    ($page) = go($browser, "$APP/immediate", $id, 'cancel');
    refused($page, 401, 'asked, and cancelled');
    return 'yes';
}

sub cancelled {
    my ($provider, $kind) = @_;
    my ($id, $claimed) = alice($provider, 'ask', $kind);
    my $browser = browser();
    my ($page, @trail) = go($browser, $APP, $id, 'cancel');
    refused($page, 401, 'cancel');
    is scalar(steps('openid.mode', 'cancel', @trail)), 1,
        'the provider said so';
    is $browser->cookie('openid2rp'), undef, 'no session';
    ($page) = go($browser, $APP, $id, 'approve');
    signed_in($page, $claimed, 'the same browser approves then');
    return 'yes';
}

# The URL that a provider sends a new browser back to, and that browser.
sub answer_of {
    my ($provider, $mount) = @_;
    my ($id) = alice($provider, $mount, 'user');
    my $browser = browser();
    my (undef, @trail) = follow($browser, begin_login($browser, $APP, $id),
                                undef, qr{\A\Q$APP\E});
    return ($trail[-1][1], $browser);
}

# Here the provider is the one that asks.
sub return_to_discovery {
    my ($provider) = @_;
    my %says = (perl => undef, python => 'True', ruby => 'NameError');
    good_login($provider, 'verify', 'user');
    my ($verified) = map { /-> return_to verified: (.*)/ } op_lines($provider);
    is $verified, $says{ $provider->{name} }, 'what the library says';
    return { perl => 'not offered', python => 'yes',
             ruby => 'broken in the library' }->{ $provider->{name} };
}

sub changed_answer {
    my ($provider) = @_;
    for my $mount ('all', 'none') {
        my ($url, $browser) = answer_of($provider, $mount);
        (my $changed = $url) =~ s/(openid\.sreg\.nickname=)alice/$1bob/
            or fail "$mount: there is a nickname";
        refused($browser->get($changed), 403, "$mount: a changed nickname");
        is $browser->get($APP)->status, 401, "$mount: nobody is signed in";

        ($url, $browser) = answer_of($provider, $mount);
        my ($page) = follow($browser, $browser->get($url));
        is $page->status, 200, "$mount: an answer as it is";
    }
    return 'yes';
}

sub repeated_answer {
    my ($provider) = @_;
    for my $mount ('all', 'none') {
        my ($url, $browser) = answer_of($provider, $mount);
        my %jar = %{ $browser->{jar} };
        my ($page) = follow($browser, $browser->get($url));
        is $page->status, 200, "$mount: once";
        $browser->{jar} = \%jar;
        refused($browser->get($url), 403, "$mount: twice");
    }
    return 'yes';
}

# ---------------------------------------------------------------------------
# The table

sub the_table {
    my @heads = ('', map { $_->{library} } @PROVIDERS);
    my @rows = map { my $row = $_->[0];
        [ $row, map { $result{$row}{ $_->{name} } } @PROVIDERS ] } @CASES;
    my $table = join '', map { '| ' . join(' | ', @$_) . " |\n" }
        \@heads, [ ('---') x @heads ], @rows;
    diag "the table of docs/interop.md:\n$table";
    open my $in, '<', 'docs/interop.md' or die "docs/interop.md: $!";
    my $doc = join '', <$in>;
    my ($there) = $doc =~ /^## The table\n\n((?:\|.*\n)+)/m;
    is $there, $table, 'docs/interop.md has this table';
}
