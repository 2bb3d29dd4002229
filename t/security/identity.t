#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The list of attacks, B. Identity, OP and key binding: providers that speak
# for whom they may not, and pages that say they may; and what stands beside
# these. H is honest, E is evil, V is the identifier of a victim at H.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use File::Path qw(make_path);
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Siege;
use OpenID2RP::Test;
use Test::More;

my $SELECT = $OpenID2RP::Evil::SELECT;
my $OPENID2 = $OpenID2RP::Evil::OPENID2;
my $SIGNON = "$OPENID2/signon";
my $SIGNON_1 = 'http://openid.net/signon/1.1';
my $HTML = 'Content-Type: text/html';
my $APP = url('/security/app');
my $DIRECT = url('/security/app', 'security_stateless');
my @ONE = (base => { -version => 1 });

my $WHO = [403, 'identity-mismatch'];
my $ENDPOINT = [403, 'endpoint-mismatch'];
my $VERSION = [400, 'version-mismatch'];
my $BAD = [403, 'bad-signature'];
my $MALFORMED = [400, 'bad-message'];

op_reset();
my ($h, $e) = map { OpenID2RP::Evil->new } 1, 2;
# Whoever asks E gets a yes.
$e->lies(check_authentication => is_valid => 'true');
my %BOTH = (watch => { E => $e, H => $h });
my $V = $h->id('victim');
my $V1 = $h->id1('victim');
my $MINE = $e->id('mallory');
my $MINE1 = $e->id1('mallory');
my @CHOSEN = (id => $e->op_identifier, control => both($MINE), who => $MINE);

identity_spoofing();
identity_spoofing_of_1_1();
documents_that_do_not_name_the_provider();
key_confusion();
the_same_handle_at_two_providers();
two_providers_on_one_host();
version_downgrade();
version_upgrade();
discovery_spoofing();
same_op_delegation();
same_op_delegation_of_1_1();
pairs_of_two_services();
op_identifier_as_claimed_id();
only_one_of_claimed_id_and_identity();
claimed_id_differs_from_the_one_requested();
who_is_signed_in_stays();
fields_that_look_alike();
http_and_https();
fragments();
fragments_of_local_identifiers();
fragments_that_differ();
path_case_percent_dots();
content_location();
redirected_identifier();
a_chosen_identifier_that_redirects();
allow_list_at_completion();
unsolicited_assertion();
nothing_is_fetched_before_the_signature();
canonical_ids_of_pages();
xri_tricks();
done_testing;

# --- helpers ----------------------------------------------------------------

sub both { my ($id) = @_; return { claimed_id => $id, identity => $id } }

sub pair {
    my ($claimed_id, $identity) = @_;
    return { claimed_id => $claimed_id, identity => $identity };
}

# The four ways that matter here: a name, and what siege() takes.
sub ways {
    return ([ '' ], [ ', by POST', by => 'post' ],
            [ ', direct', target => $DIRECT ]);
}

# For "direct", E is asked first about every signature that is looked at.
sub asked_of {
    my ($is, $op, @asked) = @_;
    return asked => [ $is->{target} ? ("$op check_authentication") : (),
                      @asked ];
}

# A page of a provider, and its URL.
my $pages = 0;

sub page {
    my ($op, $answer) = @_;
    my $path = '/page/' . ++$pages;
    $op->serves($path, $answer);
    return $op->url . $path;
}

sub html {
    my ($links, $more) = @_;
    return { headers => [$HTML], body => '<!DOCTYPE html><head>'
        . join('', map { qq{<link rel="$_" href="$links->{$_}">} }
               sort keys %$links) . ($more // '') . '</head>' };
}

sub path_of { $_[0] =~ s{\Ahttp://[^/]+}{}r }

sub with { my ($answer, %more) = @_; return { %$answer, %more } }

# Who is signed in with that identifier, by the true answer alone.
sub signed_in {
    my ($name, %is) = @_;
    siege($name, { op => $h, %BOTH, %is });
}

# --- E says who somebody is -------------------------------------------------

sub identity_spoofing {
    for my $way (ways()) {
        my ($name, %is) = @$way;
        my @asked = asked_of(\%is, 'E', 'H GET /id/victim');
        siege("spoofing$name", { op => $e, %BOTH, @CHOSEN, %is },
            [ 'V', $WHO, both($V), @asked ],
            [ 'V, who is told to be mallory', $WHO, pair($V, $MINE), @asked ],
            [ 'mallory, who is told to be V', $WHO, pair($MINE, $V),
              asked_of(\%is, 'E', 'E GET /id/mallory') ],
            [ 'V, of H', $ENDPOINT,
              { %{ both($V) }, op_endpoint => $h->endpoint } ],
            [ 'V, with a fragment', $WHO, both("$V#mallory"), @asked ],
            [ 'V, spelled otherwise', $WHO, both($V =~ s/victim/%76ictim/r),
              @asked ]);
        siege("spoofing, asked about mallory$name",
            { op => $e, %BOTH, id => $MINE, %is },
            [ 'V', $WHO, both($V) ],
            [ 'V, who is told to be mallory', $WHO, pair($V, $MINE) ],
            [ 'mallory, who is told to be V', $WHO, pair($MINE, $V) ],
            [ 'V, of H', $ENDPOINT,
              { %{ both($V) }, op_endpoint => $h->endpoint } ]);
    }
}

# There, claimed_id and op_endpoint mean nothing (1.1, 4.2.2.2).
sub identity_spoofing_of_1_1 {
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("1.1, spoofing$name",
            { op => $e, %BOTH, id => $MINE1, @ONE, %is,
              control => { claimed_id => $V1, op_endpoint => $h->endpoint } },
            [ 'V', $WHO, { identity => $V1 } ],
            [ 'V, by claimed_id too', $WHO,
              { identity => $V1, claimed_id => $V1,
                op_endpoint => $h->endpoint } ],
            [ 'V, of 2.0', $WHO, { identity => $V } ]);
    }
}

# V is at H still, but its document says something about E.
sub documents_that_do_not_name_the_provider {
    my $end = $e->endpoint;
    my $other = $h->endpoint;
    my @documents = (
        [ 'as what has OP Identifiers', { uri => $end,
            type => "$OPENID2/server" } ],
        [ 'for OpenID 1.1', { uri => $end, type => $SIGNON_1 } ],
        [ 'with a slash', { uri => "$end/" } ],
        [ 'with a query', { uri => "$end?x" } ],
        [ 'with a longer path', { uri => "${end}s" } ],
        [ 'with a shorter path', { uri => substr $end, 0, -1 } ],
        [ 'in capitals', { uri => $end =~ s/endpoint/Endpoint/r } ],
        [ 'in https', { uri => $end =~ s/http/https/r } ],
        [ 'on another host', { uri => $end =~ s/127.0.0.1/localhost/r } ],
        [ 'for somebody else', { uri => $end, local_id => $MINE } ],
        [ 'as another type', { uri => $other },
          { uri => $end, type => "${SIGNON}s" } ],
        [ 'in a comment', { uri => $other }, "<!--$SIGNON $end-->" ],
        [ 'outside of the last XRD', "<Service><Type>$SIGNON</Type><URI>"
          . "$end</URI></Service></XRD><XRD>", { uri => $other } ],
        [ 'in an XRD in it', { uri => $other }, "<XRD><Service><Type>$SIGNON"
          . "</Type><URI>$end</URI></Service></XRD>" ],
    );
    siege('a document', { op => $e, %BOTH, @CHOSEN },
        map { my ($what, @services) = @$_;
            my $id = page($h, $h->xrds(@services));
            [ "that names E $what", $WHO, both($id),
              asked => [ 'H GET ' . path_of($id) ] ] } @documents);

    my $id = page($h, $h->xrds({ uri => $other }, { uri => $end }));
    siege('control: a document that names both',
        { op => $e, %BOTH, @CHOSEN, control => both($id), who => $id });
}

# --- whose key it is --------------------------------------------------------

sub handle_of { OpenID2RP::Evil::asked($_[0])->{assoc_handle} }

# A live handle, and so an association, of a provider.
sub live_handle {
    my ($op) = @_;
    return handle_of(begin_login(browser(), $APP, $op->id('any')));
}

sub key_confusion {
    my ($of_e, $of_h) = map { live_handle($_) } $e, $h;
    isnt $of_e, $of_h, 'control: two associations';
    my @as_h = (op_endpoint => $h->endpoint, %{ both($V) });
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("begun at E$name", { op => $e, %BOTH, @CHOSEN, %is },
            [ 'with a key of E', $ENDPOINT,
              { @as_h, assoc_handle => $of_e } ],
            [ 'with a handle of H, and a key of E', $ENDPOINT,
              { @as_h, assoc_handle => $of_h, -of => $of_e } ],
            [ 'with an unknown handle', $ENDPOINT,
              { @as_h, assoc_handle => 'unknown' } ]);
        # E has a key with us, but H is who was asked: and H is asked.
        my @asked = (asked => ['H check_authentication']);
        siege("begun at H$name",
            { op => $h, %BOTH, id => $V, %is },
            [ 'with a key of E', $BAD, { assoc_handle => $of_e }, @asked ],
            [ 'with a handle of H, and a key of E', $BAD,
              { assoc_handle => $of_h, -of => $of_e } ],
            [ 'of E in all', $ENDPOINT, { assoc_handle => $of_e },
              from => $e ],
            [ 'of E in all, about mallory', $ENDPOINT,
              { assoc_handle => $of_e, %{ both($MINE) } }, from => $e ]);
    }
    my $one = handle_of(begin_login(browser(), $APP, $MINE1));
    siege('1.1, begun at H', { op => $h, %BOTH, id => $V1, @ONE },
        [ 'with a key of E', $BAD, { assoc_handle => $one },
          asked => ['H check_authentication'] ]);
}

# E makes an association under a handle that H has.
sub the_same_handle_at_two_providers {
    for my $first ('H', 'E') {
        my ($good, $evil) = map { OpenID2RP::Evil->new } 1, 2;
        my $key = 'k' x 32;
        my $handle;
        if ($first eq 'H') {
            $handle = live_handle($good);
            $evil->lies(associate => assoc_handle => $handle, -key => $key);
            is live_handle($evil), $handle, "$first first: E has it too";
        }
        else {
            $handle = OpenID2RP::Evil::new_handle('assoc');
            $evil->lies(associate => assoc_handle => $handle, -key => $key);
            is live_handle($evil), $handle, "$first first: E has it";
            $good->lies(associate => assoc_handle => $handle,
                        -key => OpenID2RP::Evil::key_of($handle));
            is live_handle($good), $handle, "$first first: H has it too";
        }
        my $v = $good->id('victim');
        my $mine = $evil->id('mallory');
        my @watch = (watch => { E => $evil, H => $good });
        siege("$first first: at H", { op => $good, @watch, id => $v },
            [ 'with the key of E', $BAD, { -key => $key } ],
            [ 'of E in all', $ENDPOINT, { -key => $key }, from => $evil ]);
        siege("$first first: at E", { op => $evil, @watch, id => $mine,
              control => { -key => $key } },
            [ 'with the key of H', $BAD, {} ],
            [ 'with the key of E, as H', $ENDPOINT,
              { -key => $key, op_endpoint => $good->endpoint,
                %{ both($v) } } ]);
    }
}

# Their keys are apart as well.
sub two_providers_on_one_host {
    my $host = OpenID2RP::Evil->new;
    my ($one, $two) = map { $host->url . "/$_" } 'a', 'ab';
    my ($id_one, $id_two) = map { page($host, $host->xrds({ uri => $_ })) }
        $one, $two;
    my $of_one = handle_of(begin_login(browser(), $APP, $id_one));
    isnt $of_one, handle_of(begin_login(browser(), $APP, $id_two)),
        'control: two associations';
    siege('two on one host', { op => $host, id => $id_two,
          control => { op_endpoint => $two } },
        [ 'the answer of the other', $ENDPOINT,
          { op_endpoint => $one, assoc_handle => $of_one } ],
        [ 'the key of the other', $BAD,
          { op_endpoint => $two, assoc_handle => $of_one },
          asked => ['OP check_authentication'] ],
        map { [ "the endpoint $_->[0]", $ENDPOINT,
                { op_endpoint => $_->[1] } ] }
            [ 'with a slash', "$two/" ], [ 'with a query', "$two?" ],
            [ 'with a parameter', "$two?a=b" ], [ 'shorter', $one ],
            [ 'in capitals', $host->url . '/AB' ],
            [ 'on another host', $two =~ s/127.0.0.1/localhost/r ],
            [ 'on another port', $two =~ s/:(\d+)/':' . ($1 ^ 1)/er ],
            [ 'in https', $two =~ s/http/https/r ],
            [ 'with a user', $two =~ s/127/a\@127/r ],
            [ 'that is none', 'nonsense' ]);
}

# --- versions ---------------------------------------------------------------

sub version_downgrade {
    my $both = page($h, $h->xrds({ uri => $h->endpoint,
                                   types => [ $SIGNON_1, $SIGNON ] }));
    my $two = page($h, $h->xrds({ uri => $h->endpoint, type => $SIGNON_1,
                                  priority => 0 },
                                { uri => $h->endpoint, priority => 9 }));
    my $html = page($h, html({ 'openid.server' => $h->endpoint,
                               'openid2.provider' => $h->endpoint }));
    for my $case ([ 'in the store', $V ], [ 'by POST', $V, by => 'post' ],
                  [ 'direct', $V, target => $DIRECT ],
                  [ 'by the OP Identifier', $h->op_identifier,
                    control => both($V), who => $V ],
                  [ 'a service of both versions', $both ],
                  [ 'services of both versions', $two ],
                  [ 'links of both versions', $html ]) {
        my ($name, $id, %is) = @$case;
        my $who = $is{who} // $id;
        siege("downgrade, $name", { op => $h, %BOTH, id => $id, %is },
            [ 'no ns', $VERSION, { ns => undef, %{ both($who) } } ],
            map({ [ "ns of \"$_\"", $VERSION,
                    { ns => $_, %{ both($who) } } ] }
                'http://openid.net/signon/1.0', $SIGNON_1, '', 'x',
                "$OPENID2/", "$OPENID2#", $OPENID2 =~ s/http/https/r,
                $OPENID2 =~ s/http/HTTP/r, " $OPENID2",
                "$OPENID2,$SIGNON_1"),
            [ 'a whole message of 1.1', $VERSION,
              { -version => 1, identity => $who } ],
            [ 'the same, with its ns', $VERSION,
              { -version => 1, identity => $who, ns => $SIGNON_1 } ],
            # 1.1's way to say that the user has to be asked
            [ 'no ns, but user_setup_url', [401, 'setup-needed'],
              { ns => undef, user_setup_url => 'http://x.example/' } ],
            [ 'an ns of another name', $VERSION,
              { ns => undef, -extra => [[ 'openid.NS', $OPENID2 ]] } ],
            [ 'an ns that is not of OpenID', $VERSION,
              { ns => undef, -extra => [[ 'ns', $OPENID2 ]] } ]);
    }
}

sub version_upgrade {
    for my $is ([ '1.1' ], [ '1.1, direct', target => $DIRECT ]) {
        my ($name, %is) = @$is;
        siege("$name: upgrade", { op => $h, %BOTH, id => $V1, @ONE, %is },
            [ 'a message of 2.0', $VERSION, { -version => 2, %{ both($V1) } } ],
            [ 'the ns of 2.0', $MALFORMED, { ns => $OPENID2 } ],
            [ 'an unknown ns', $VERSION, { ns => 'http://x.example/' } ]);
        signed_in("$name: control: with the ns of $_", id => $V1, @ONE, %is,
                  control => { ns => "http://openid.net/signon/$_" })
            for '1.0', '1.1';
    }
}

# --- pages that say who may speak for them ----------------------------------

# Those of E may call themselves what they like: they stay what they are.
sub discovery_spoofing {
    my $end = $e->endpoint;
    my @pages = (
        [ 'LocalID', 2, $e->xrds({ uri => $end, local_id => $V }) ],
        [ 'Delegate', 1, $e->xrds({ uri => $end, local_id => $V,
                                    type => $SIGNON_1 }) ],
        [ 'LocalID of 1.1', 1, $e->xrds("<Service><Type>$SIGNON_1</Type>"
          . "<URI>$end</URI><LocalID>$V</LocalID></Service>") ],
        [ 'openid2.local_id', 2, html({ 'openid2.provider' => $end,
                                        'openid2.local_id' => $V }) ],
        [ 'openid.delegate', 1, html({ 'openid.server' => $end,
                                       'openid.delegate' => $V }) ],
    );
    for my $case (@pages) {
        my ($name, $version, $answer) = @$case;
        my $id = page($e, $answer);
        my @base = $version == 1 ? @ONE : ();
        for my $is ([ $name ], [ "$name, direct", target => $DIRECT ]) {
            my ($called, %is) = @$is;
            my $begun = OpenID2RP::Evil::asked(
                begin_login(browser(), $is{target} // $APP, $id));
            is $begun->{identity}, $V, "$called: control: E is asked about V";
            siege("$called: E's own page", { op => $e, %BOTH, id => $id,
                  @base, %is },
                $version == 1 ? [ 'its own identity', $WHO,
                                  { identity => $id } ]
                : ([ 'V', $WHO, both($V) ],
                   [ 'V, who is told to be the page', $WHO, pair($V, $id) ],
                   [ 'the page', $WHO, both($id) ],
                   [ 'V, of H', $ENDPOINT,
                     { %{ both($V) }, op_endpoint => $h->endpoint } ]));
        }
    }
    my $id = page($e, $pages[0][2]);
    siege('LocalID: a chosen page of E', { op => $e, %BOTH, @CHOSEN,
          control => pair($id, $V), who => $id },
        [ 'V', $WHO, both($V), asked => ['H GET /id/victim'] ],
        [ 'the page', $WHO, both($id),
          asked => [ 'E GET ' . path_of($id) ] ]);
}

# The attacker has an account at H, and a page of their own that says so. H
# knows who is signed in there, but not whose claimed_id it is.
sub same_op_delegation {
    my $mallory = $h->id('mallory');
    my $page = page($e, $e->xrds({ uri => $h->endpoint,
                                   local_id => $mallory }));
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("delegation$name", { op => $h, %BOTH, id => $page, %is },
            [ 'claimed_id=V', $WHO, { claimed_id => $V } ],
            [ 'V', $WHO, both($V) ],
            [ 'identity=V', $WHO, { identity => $V } ],
            [ 'the name at H alone', $WHO, both($mallory) ],
            [ 'the page alone', $WHO, both($page) ]);
        siege("delegation, chosen$name", { op => $h, %BOTH,
              id => $h->op_identifier, control => pair($page, $mallory),
              who => $page, %is },
            [ 'claimed_id=V', $WHO, pair($V, $mallory),
              asked_of(\%is, 'H', 'H GET /id/victim') ],
            [ 'identity=V', $WHO, pair($page, $V), asked => [
                'E GET ' . path_of($page),
                $is{target} ? ('H check_authentication') : () ] ]);
        my $local = page($h, $h->xrds({ uri => $h->endpoint,
                                        local_id => $h->url . '/local' }));
        siege("V delegates too$name", { op => $h, %BOTH, id => $local, %is },
            [ 'identity=mallory', $WHO, { identity => $mallory } ],
            [ 'without its local name', $WHO, { identity => $local } ],
            [ 'another spelling of its local name', $WHO,
              { identity => $h->url . '/Local' } ],
            [ 'a longer one', $WHO, { identity => $h->url . '/local/' } ]);
    }
}

sub same_op_delegation_of_1_1 {
    my $mallory = $h->id1('mallory');
    for my $answer ($h->xrds({ uri => $h->endpoint, type => $SIGNON_1,
                               local_id => $h->url . '/local' }),
                    html({ 'openid.server' => $h->endpoint,
                           'openid.delegate' => $h->url . '/local' })) {
        my $id = page($h, $answer);
        for my $is ([ '' ], [ ', direct', target => $DIRECT ]) {
            my ($name, %is) = @$is;
            siege("1.1, delegation$name", { op => $h, %BOTH, id => $id, @ONE,
                  %is },
                [ 'identity=mallory', $WHO, { identity => $mallory } ],
                [ 'with a claimed_id', $WHO,
                  { identity => $mallory, claimed_id => $id } ],
                [ 'without its local name', $WHO, { identity => $id } ]);
        }
    }
}

# 11.2: endpoint and local identifier are of one service.
sub pairs_of_two_services {
    my ($mine, $yours) = ($h->id('mallory'), $h->url . '/local');
    my $id = page($h, $h->xrds(
        { uri => $h->endpoint, local_id => $yours, priority => 1 },
        { uri => $e->endpoint, local_id => $mine, priority => 2 },
        { uri => $h->endpoint, local_id => $mine, priority => 3,
          type => $SIGNON_1 }));
    siege('two services', { op => $h, %BOTH, id => $h->op_identifier,
          control => pair($id, $yours), who => $id },
        [ 'H, and the name at E', $WHO, pair($id, $mine),
          asked => [ 'H GET ' . path_of($id) ] ],
        [ 'H, and no name', $WHO, both($id),
          asked => [ 'H GET ' . path_of($id) ] ]);
    siege('two services, asked about the first', { op => $h, %BOTH,
          id => $id },
        [ 'the name at E', $WHO, { identity => $mine } ],
        [ 'E', $ENDPOINT, { identity => $mine }, from => $e ]);
}

# --- what no claimed identifier is ------------------------------------------

sub op_identifier_as_claimed_id {
    my $op = $h->op_identifier;
    my $server = page($h, $h->xrds({ uri => $h->endpoint,
                                     type => "$OPENID2/server" }));
    for my $way (ways()) {
        my ($name, %is) = @$way;
        my $asked = sub { asked_of(\%is, 'H', @_) };
        siege("select$name", { op => $h, %BOTH, id => $op,
              control => both($V), who => $V, %is },
            [ 'identifier_select', $WHO, {} ],
            [ 'identifier_select, V', $WHO, pair($SELECT, $V) ],
            [ 'V, identifier_select', $WHO, pair($V, $SELECT),
              $asked->('H GET /id/victim') ],
            [ 'the OP Identifier', $WHO, both($op), $asked->('H GET /op') ],
            [ 'the OP Identifier, V', $WHO, pair($op, $V),
              $asked->('H GET /op') ],
            [ 'another page of a server only', $WHO, both($server),
              $asked->('H GET ' . path_of($server)) ],
            [ 'the endpoint', $WHO, both($h->endpoint),
              $asked->('H GET /endpoint') ]);
        siege("a login about V$name", { op => $h, %BOTH, id => $V, %is },
            [ 'identifier_select', $WHO, both($SELECT) ],
            [ 'identifier_select, V', $WHO, pair($SELECT, $V) ],
            [ 'V, identifier_select', $WHO, pair($V, $SELECT) ],
            [ 'the OP Identifier', $WHO, both($op) ]);
    }
    siege('1.1: a login about V', { op => $h, %BOTH, id => $V1, @ONE },
        [ 'identifier_select', $WHO, { identity => $SELECT } ]);
}

sub only_one_of_claimed_id_and_identity {
    my @cases = map { my $nothing = $_;
        my $what = defined $nothing ? 'an empty' : 'no';
        ([ "$what claimed_id", $MALFORMED,
           { identity => $V, claimed_id => $nothing } ],
         [ "$what identity", $MALFORMED,
           { claimed_id => $V, identity => $nothing } ],
         [ "$what claimed_id, $what identity", $MALFORMED,
           both($nothing) ]) } undef, '';
    push @cases, [ 'no claimed_id, an empty identity', $MALFORMED,
                   pair(undef, '') ],
        [ 'an empty claimed_id, no identity', $MALFORMED, pair('', undef) ],
        [ 'no claimed_id, but one without "openid."', $MALFORMED,
          { %{ pair(undef, $V) }, -extra => [[ 'claimed_id', $V ]] } ];
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("only one$name", { op => $h, %BOTH, id => $V, %is }, @cases);
        siege("only one, chosen$name", { op => $h, %BOTH, %is,
              id => $h->op_identifier, control => both($V), who => $V },
            @cases);
    }
    siege('1.1: only one', { op => $h, %BOTH, id => $V1, @ONE },
        [ 'no identity', $MALFORMED, { identity => undef } ],
        [ 'an empty identity', $MALFORMED, { identity => '' } ],
        [ 'a claimed_id alone', $MALFORMED,
          { identity => undef, claimed_id => $V1 } ]);
}

sub claimed_id_differs_from_the_one_requested {
    my $other = $h->id('other');
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("somebody else$name", { op => $h, %BOTH, id => $V, %is },
            [ 'of the same provider', $WHO, both($other) ],
            [ 'claimed_id', $WHO, { claimed_id => $other } ],
            [ 'identity', $WHO, { identity => $other } ],
            [ 'of E', $WHO, both($MINE) ],
            [ 'of E, by E', $ENDPOINT, both($MINE), from => $e ]);
    }
    siege('1.1: somebody else', { op => $h, %BOTH, id => $V1, @ONE },
        [ 'identity', $WHO, { identity => $h->id1('other') } ],
        [ 'with the right claimed_id', $WHO,
          { identity => $h->id1('other'), claimed_id => $V1 } ]);
}

# A refused answer changes nothing for who is signed in already.
sub who_is_signed_in_stays {
    my $browser = browser();
    $browser->get($e->assertion(begin_login($browser, $APP, $MINE)));
    insider($browser, $APP, $MINE, 'mallory is signed in');
    my $begun = begin_login($browser, $APP, $e->op_identifier);
    refusals();
    refused($browser->get($e->assertion($begun, %{ both($V) })), @$WHO,
            'and would be V');
    insider($browser, $APP, $MINE, 'but is mallory still');
    $browser->get($e->assertion($begun, %{ both($e->id('other')) }));
    insider($browser, $APP, $e->id('other'), 'control: or another of E');
}

# Another spelling of a field's name is another field.
sub fields_that_look_alike {
    my $mallory = $h->id('mallory');
    my @alike = map({ [ $_, $V ] } 'openid.Claimed_id', 'openid.CLAIMED_ID',
        'openid_claimed_id', 'openid_identity', 'OpenID.identity',
        'openid.identity.', 'openid..identity', 'openid.identity[]',
        ' openid.identity', 'openid.identity ', 'claimed_id', 'identity',
        'openid.openid.identity');
    for my $is ([ '' ], [ ', by POST', by => 'post' ]) {
        my ($name, %is) = @$is;
        signed_in("alike$name", id => $mallory, %is,
                  control => { -extra => \@alike });
        signed_in("alike, chosen$name", id => $h->op_identifier, %is,
                  control => { %{ both($mallory) }, -extra => \@alike },
                  who => $mallory);
    }
    my $odd = sub { my ($what, $id, @asked) = @_;
        [ $what, $WHO, both($id), asked => \@asked ] };
    siege('no identifier', { op => $h, %BOTH, id => $h->op_identifier,
          control => both($V), who => $V },
        $odd->('no scheme', $V =~ s{http://}{}r),
        $odd->('a blank before it', " $V"),
        $odd->('a blank behind it', "$V "),
        $odd->('javascript', 'javascript:alert(1)'),
        $odd->('a file', 'file:///etc/passwd'),
        $odd->('ftp', $V =~ s/http/ftp/r),
        $odd->('a user', $V =~ s/127/mallory\@127/r),
        $odd->('a backslash', $V =~ s{/id}{\\\@evil.example/id}r),
        $odd->('no host', 'http:///id/victim'),
        $odd->('half an escape', "$V%4"),
        $odd->('3,000 characters', $V . 'x' x 3000),
        $odd->('words', 'the victim'),
        $odd->('two', "$V $V"));
}

# --- which spellings are one person -----------------------------------------

sub normal {
    my ($id) = @_;
    open my $out, '-|', $ENV{COMMAND}, 'normalize', $id
        or die "$ENV{COMMAND}: $!";
    return <$out> // '';
}

# Nobody can be found by https here; so the other scheme's owner stays
# unknown, and is refused.
sub http_and_https {
    my $twin = $MINE =~ s/http/https/r;
    siege('https', { op => $e, %BOTH, id => $MINE },
        [ 'both', $WHO, both($twin) ],
        [ 'claimed_id', $WHO, { claimed_id => $twin } ],
        [ 'identity', $WHO, { identity => $twin } ],
        [ 'with the port of https', $WHO,
          both($MINE =~ s/:\d+/:443/r) ]);
    siege('https, chosen', { op => $e, %BOTH, @CHOSEN },
        # the port of httpd: it does not speak TLS
        [ 'both', $WHO, both(url('/id/mallory') =~ s/http/https/r) ],
        [ 'identity', $WHO, pair($MINE, $twin),
          asked => ['E GET /id/mallory'] ]);
    isnt normal('http://v.example/'), normal('https://v.example/'),
        'the command: two identifiers';
    isnt normal('http://v.example:443/'), normal('https://v.example/'),
        'the command: whatever the port';
    isnt normal('https://v.example:80/'), normal('http://v.example/'),
        'the command: and the other way round';
    is normal('http://v.example:80/'), normal('http://v.example/'),
        'the command: control: one, with and without its port';
}

# 11.5.1: who has an identifier now is not who had it before.
sub fragments {
    my $page = url('/security/identity-first');
    for my $is ([ 'chosen', $h->op_identifier, 'GET /id/victim' ],
                [ 'given', $V ]) {
        my ($name, $id, @asked) = @$is;
        for my $fragment ('', '#first', '#second', '#', '#First') {
            my $who = "$V$fragment";
            my $browser = browser();
            my $begun = begin_login($browser, $page, $id);
            $h->calls;
            $browser->get($h->assertion($begun, %{ both($who) }));
            is_deeply [$h->calls], \@asked,
                "$name, $who: it has the document of all";
            is_deeply [refusals()], [], "$name, $who: and signs in";
            insider($browser, $APP, $who, "$name, $who");
            is $browser->get($page)->status, $fragment eq '#first' ? 200 : 401,
                "$name, $who: and sees the page of #first or not";
            refusals();
        }
    }
    signed_in('a fragment that was typed is not one that is known',
              id => "$V#first", who => $V, control => both($V));
    signed_in('1.1: nor there', id => "$V1#first", who => $V1, @ONE);
    siege('a fragment', { op => $h, %BOTH, id => $V },
        [ 'of another page', $WHO, both($h->id('other') . '#first') ],
        [ 'in an escape', $WHO, both("$V%23first") ]);
}

# Where a page's local identifier has a fragment, it is part of who may speak.
sub fragments_that_differ {
    for my $is ([ 'given', id => $V ], [ 'chosen', id => $h->op_identifier ]) {
        my ($name, @is) = @$is;
        siege("fragments that differ, $name", { op => $h, @is,
              control => pair("$V#first", $V), who => "$V#first" },
            [ 'another', $WHO, pair("$V#first", "$V#second") ],
            [ 'in the identity alone', $WHO, pair($V, "$V#second") ]);
    }
    siege('1.1: a fragment', { op => $h, id => $V1, @ONE },
        [ 'in the identity', $WHO, { identity => "$V1#second" } ]);
}

sub fragments_of_local_identifiers {
    for my $op ($h->op_identifier, undef) {
        my $local = $h->url . '/local#first';
        my $id = page($h, $h->xrds({ uri => $h->endpoint,
                                     local_id => $local }));
        my @asked = $op ? (asked => [ 'H GET ' . path_of($id) ]) : ();
        siege('a local fragment' . ($op ? ', chosen' : ''),
            { op => $h, %BOTH, id => $op // $id, who => $id,
              control => pair($id, $local) },
            [ 'another', $WHO, pair($id, $local =~ s/first/second/r), @asked ],
            [ 'none', $WHO, pair($id, $local =~ s/#.*//r), @asked ],
            [ 'an empty one', $WHO, pair($id, $local =~ s/#.*/#/r),
              @asked ]);
    }
}

# RFC 3986, 6.2.2: what is the same, and nothing else.
sub path_case_percent_dots {
    my $id = $h->url . '/id/User-1/b.c';
    my $host = $h->url;
    my %other = map { $_ => "$host$_" } '/id/user-1/b.c', '/ID/User-1/b.c',
        '/id/USER-1/b.c', '/id/User-1/b.c/', '/id/User-1//b.c',
        '//id/User-1/b.c', '/id/User-1/b.c.', '/id/User-1/b.c;',
        '/id/User-1/b.c;x=y', '/id/User-1/b.c?', '/id/User-1/b.c?x',
        '/id/User-1/b%2Ec%20', '/id/User-1%2Fb.c', '/id/User-1/b.c%00',
        '/id/User-1/b.c+', '/id/User-1/b.c%2F', '/id/User-1/b.c%23',
        '/id/User-1/b.c%3F', '/id/User_1/b.c', '/id/User-1/b%252Ec',
        '/id/User-1/b.c/..', '/id/User-1/..b.c', '/id/User-1/...', '/id/User-1',
        '/', '';
    $other{'another host'} = $id =~ s/127.0.0.1/localhost/r;
    $other{'the host with a dot'} = $id =~ s/127.0.0.1/127.0.0.1./r;
    $other{'the host in another form'} = $id =~ s/127.0.0.1/127.1/r;
    siege('another spelling', { op => $h, %BOTH, id => $id },
        map { [ $_, $WHO, both($other{$_}) ] } sort keys %other);
    my @same = map({ "$host$_" } '/id/%55ser%2D1/b%2ec', '/id/%55ser%2d1/b.c',
        '/id/./User-1/b.c', '/id/x/../User-1/b.c', '/id/%2E/User-1/b.c',
        '/../id/User-1/b.c');
    push @same, $id =~ s/http/HTTP/r, $id =~ s/:(\d+)/:0$1/r;
    for my $same (@same) {
        signed_in("the same: $same", id => $id, control => both($same));
    }
    # Those that differ are people of their own.
    for my $path ('/id/user-1/b.c', '/id/User-1/b.c/', '/id/User-1/b.c?') {
        signed_in("a user: $path", id => "$host$path");
        signed_in("a user, chosen: $path", id => $h->op_identifier,
                  control => both("$host$path"), who => "$host$path");
    }
    signed_in('a user, chosen, in its normal form', id => $h->op_identifier,
              control => both($same[0]), who => $id);
}

# --- what a page says of itself ---------------------------------------------

sub content_location {
    my $end = $e->endpoint;
    my $xrds = $e->xrds({ uri => $end });
    my $html = html({ 'openid2.provider' => $end });
    for my $case (
        [ 'Content-Location', with($xrds,
            headers => [ @{ $xrds->{headers} }, "Content-Location: $V" ]) ],
        [ 'Location with 200', with($xrds,
            headers => [ @{ $xrds->{headers} }, "Location: $V" ]) ],
        [ 'Refresh', with($xrds,
            headers => [ @{ $xrds->{headers} }, "Refresh: 0; url=$V" ]) ],
        [ 'Link', with($html, headers => [ $HTML,
            "Link: <$V>; rel=canonical",
            "Link: <$V>; rel=openid2.local_id" ]) ],
        [ 'Content-Location of a page', with($html,
            headers => [ $HTML, "Content-Location: $V" ]) ],
        [ 'base', html({ 'openid2.provider' => $end },
            qq{<base href="$V">}) ],
        [ 'canonical', html({ 'openid2.provider' => $end,
            canonical => $V, 'og:url' => $V }) ],
        [ 'refresh', html({ 'openid2.provider' => $end },
            qq{<meta http-equiv=refresh content="0; url=$V">}) ],
    ) {
        my ($name, $answer) = @$case;
        my $id = page($e, $answer);
        siege($name, { op => $e, %BOTH, id => $id },
            [ 'V', $WHO, both($V) ],
            [ 'V, who is told to be the page', $WHO, pair($V, $id) ],
            [ 'the page, who is told to be V', $WHO, pair($id, $V) ]);
        siege("$name, chosen", { op => $e, %BOTH, @CHOSEN,
              control => both($id), who => $id },
            [ 'V', $WHO, both($V), asked => ['H GET /id/victim'] ]);
    }
}

# 7.2, 4: it is the last URL that is claimed.
sub redirected_identifier {
    my $of_e = live_handle($e);
    for my $status (301, 302, 303, 307, 308) {
        my $id = page($e, { status => $status, headers => ["Location: $V"] });
        siege("$status to V", { op => $h, %BOTH, id => $id, who => $V },
            [ 'E says so', $ENDPOINT, {}, from => $e ],
            [ 'E says so of its own', $ENDPOINT, both($id), from => $e ],
            [ 'with a key of E', $BAD, { assoc_handle => $of_e },
              asked => ['H check_authentication'] ],
            [ 'H says so of E\'s own', $WHO, both($id) ],
            [ 'claimed_id', $WHO, { claimed_id => $id } ],
            [ 'identity', $WHO, { identity => $id } ]);
    }
    # X-XRDS-Location names services, and nobody.
    my $id = page($e, with(html({}), headers => [ $HTML,
        "X-XRDS-Location: $V" ]));
    siege('the document of V', { op => $h, %BOTH, id => $id },
        [ 'V', $WHO, both($V) ],
        [ 'V, who is told to be the page', $WHO, pair($V, $id) ],
        [ 'the page, who is told to be V', $WHO, pair($id, $V) ],
        [ 'of E', $ENDPOINT, {}, from => $e ]);
}

# E chooses an identifier, and that leads elsewhere.
sub a_chosen_identifier_that_redirects {
    my $to = sub {
        return page($e, { status => 302, headers => ["Location: $_[0]"] });
    };
    my ($to_v, $to_mine) = ($to->($V), $to->($MINE));
    my $doc = page($e, with(html({}), headers => [ $HTML,
        "X-XRDS-Location: $MINE" ]));
    siege('a chosen one', { op => $e, %BOTH, @CHOSEN, control => both($doc),
          who => $doc },
        [ 'that leads to V', $WHO, both($to_v), asked => [
            'E GET ' . path_of($to_v), 'H GET /id/victim' ] ],
        [ 'that leads to mallory', $WHO, both($to_mine), asked => [
            'E GET ' . path_of($to_mine), 'E GET /id/mallory' ] ],
        [ 'that leads to mallory, who is meant', $WHO,
          pair($to_mine, $MINE), asked => [
            'E GET ' . path_of($to_mine), 'E GET /id/mallory' ] ]);
}

# --- who is accepted --------------------------------------------------------

sub allow_list_at_completion {
    my $target = url('/security/identity-allow');
    my $allowed = $h->url . '/allowed';
    my $id = page($h, $h->xrds({ uri => $allowed }));
    my $second = page($h, $h->xrds({ uri => $e->endpoint, priority => 0 },
                                   { uri => $allowed, priority => 1 }));
    for my $start ($id, $second) {
        siege('only H is allowed', { op => $h, %BOTH, id => $start,
              target => $target, control => { op_endpoint => $allowed } },
            [ 'E about its own', $ENDPOINT, both($MINE), from => $e ],
            [ 'E about it', $ENDPOINT, {}, from => $e ],
            [ 'E about its own, in the name of H', $WHO,
              { %{ both($MINE) }, op_endpoint => $allowed }, from => $e ],
            [ 'H, by another endpoint', $ENDPOINT, {} ]);
    }
    my $op = page($h, $h->xrds({ uri => $allowed,
                                 type => "$OPENID2/server" }));
    siege('only H is allowed, chosen', { op => $h, %BOTH, id => $op,
          target => $target, who => $id,
          control => { %{ both($id) }, op_endpoint => $allowed } },
        [ 'what is of E only', $WHO,
          { %{ both($MINE) }, op_endpoint => $allowed },
          asked => ['E GET /id/mallory'] ]);

    my $browser = browser();
    refused(begin_login($browser, $target, $MINE), 403, 'provider-refused',
            'E is not asked there');
    is_deeply [$e->calls], ['GET /id/mallory'], 'nothing but discovery';
    # A login that was begun where E may be asked ends nowhere else.
    my $begun = begin_login($browser, $APP, $MINE);
    my $url = $e->assertion($begun);
    refused($browser->get($url =~ s/app/identity-allow/r), 403,
            'provider-refused', 'an answer of E on that page');
    outsider($browser, $target, 'an answer of E on that page');
    is $browser->get($url)->header('Location'), $APP, 'control: on its own';
    insider($browser, $APP, $MINE, 'control: on its own');
    outsider($browser, $target, 'who is signed in by E');
}

# --- nobody asked -----------------------------------------------------------

sub unsolicited_assertion {
    my $no = [403, 'no-login'];
    my $canary = canary();
    my $key = 'A' x 22;
    my $begun = begin_login(browser(), $APP, $V);
    my $handle = handle_of($begun);
    $_->calls for $h, $e;
    web_log($canary);
    my $perfect = sub {
        my ($key, %change) = @_;
        my $return_to = "$APP?openid_return=$key";
        return $return_to . '&' . query_of([ 'openid.return_to', $return_to ],
            grep { $_->[0] ne 'openid.return_to' }
            $h->pairs($begun, return_to => $return_to, %change));
    };
    my %answer = ('perfect' => {}, 'under an unknown handle'
        => { assoc_handle => 'unknown' },
        'about a canary' => both("$canary/id"),
        'of a canary' => { op_endpoint => "$canary/op" },
        'in 1.1' => { -version => 1, identity => $V1 });
    for my $name (sort keys %answer) {
        for my $by ('get', 'post') {
            my $browser = browser();
            refused(bring($browser, $perfect->($key, %{ $answer{$name} }),
                          $by), @$no, "unsolicited, $name, $by");
            outsider($browser, $APP, "unsolicited, $name, $by");
        }
    }
    for my $case ([ 'x', @$no ], [ $key . 'A', @$no ],
                  [ '../' . 'A' x 19, @$no ], [ '%00' x 22, @$MALFORMED ],
                  [ "$key%00", @$MALFORMED ], [ '', @$MALFORMED ]) {
        my ($odd, @refusal) = @$case;
        my $browser = browser();
        refused($browser->get($perfect->($odd)), @refusal,
                "unsolicited, KEY \"$odd\"");
        outsider($browser, $APP, "unsolicited, KEY \"$odd\"");
    }
    # Without our parameter it is no answer to anything, but a page is asked
    # for.
    my $browser = browser();
    my $url = $perfect->($key) =~ s/openid_return=\w+&//r;
    is $browser->get($url)->status, 401, 'unsolicited, without a KEY: a page';
    is $browser->post($url =~ s/\?.*//sr, [ pairs_of($url) ],
                      cross_site => 1)->status, 401, 'the same by POST';
    is_deeply [ map { $_->calls } $h, $e ], [], 'no provider was asked';
    is_deeply [ web_log($canary) ], [], 'nor was anybody else';
    is $browser->cookie('openid2rp'), undef, 'nobody has a session';
    refusals();

    siege('control: asked for', { op => $h, %BOTH, id => $V });
}

# An answer names whom it likes: until its signature is good, nobody is asked
# who that is.
sub nothing_is_fetched_before_the_signature {
    my $canary = canary();
    my $op = OpenID2RP::Evil->new;
    my $mine = $op->id('mallory');
    my @is = (op => $op, id => $op->op_identifier, control => both($mine),
              who => $mine);
    my $about = both("$canary/id");
    my @asked = (asked => ['OP check_authentication']);
    for my $way (ways()) {
        my ($name, %is) = @$way;
        siege("a canary$name", { @is, %is },
            [ 'as claimed_id', $BAD, { %$about, sig => 'xyz' },
              $is{target} ? @asked : () ],
            [ 'under a forged handle', $BAD,
              { %$about, assoc_handle => 'forged' }, @asked ],
            [ 'as op_endpoint', $ENDPOINT,
              { %$about, op_endpoint => "$canary/op" } ],
            [ 'as op_endpoint, under a forged handle', $ENDPOINT,
              { %{ both($mine) }, op_endpoint => "$canary/op",
                assoc_handle => 'forged' } ]);
    }
    is_deeply [ web_log($canary) ], [], 'the canary was not asked';
    siege('a canary, control', { @is },
        [ 'with a good signature', $WHO, $about ]);
    is_deeply [ map { /\A(\S+ \S+)/ } web_log($canary) ], ['GET /id'],
        'control: then it was';
}

# --- i-names ----------------------------------------------------------------

# What the resolver knows of a name.
sub resolver_has {
    my ($name, $endpoint, %has) = @_;
    my $dir = OpenID2RP::Test::var('t_logs') . '/identity-resolver';
    make_path($dir);
    my $status = $has{status} // 'code="100" cid="verified"';
    open my $out, '>', "$dir/$name" or die "$dir/$name: $!";
    print $out OpenID2RP::Evil::xrds_text("<Status $status/>"
        . '<ProviderID>xri://=</ProviderID>'
        . "<CanonicalID>$has{canonical}</CanonicalID>",
        { uri => $endpoint });
    close $out or die "$dir/$name: $!";
}

# In the document of a URL it means nothing.
sub canonical_ids_of_pages {
    for my $canonical ($V, '=!1000.a1b2', 'xri://=!1000.a1b2') {
        my $id = page($e, $e->xrds('<ProviderID>xri://=</ProviderID>'
            . "<CanonicalID>$canonical</CanonicalID>",
            { uri => $e->endpoint }));
        siege("a page's CanonicalID $canonical",
            { op => $e, %BOTH, id => $id },
            [ 'is not claimed', $WHO, both($canonical) ],
            [ 'is not claimed of it', $WHO, pair($canonical, $id) ],
            [ 'is not its local name', $WHO, pair($id, $canonical) ]);
    }
}

sub xri_tricks {
    my $target = url('/security/app', 'security_xri');
    my ($number, $mine) = ('=!1000.a1b2', '=!6666.6666');
    resolver_has($_, $h->endpoint, canonical => $number)
        for '=victim', $number;
    resolver_has($_, $e->endpoint, canonical => $mine) for '=mallory', $mine;

    # Its names are spoofed: by who answers for them, or by what they say.
    for my $case ([ 'the number of V, not verified', $number,
                    'code="100" cid="failed"' ],
                  [ 'the URL of V', $V ], [ 'a name of another root',
                    '@!1000.a1b2' ], [ 'none', '' ]) {
        my ($name, $canonical, $status) = @$case;
        resolver_has('=spoof', $e->endpoint, canonical => $canonical,
                     $status ? (status => $status) : ());
        my $browser = browser();
        refused(begin_login($browser, $target, '=spoof'), 400,
                'xri-unsupported', "a CanonicalID: $name");
        outsider($browser, $target, "a CanonicalID: $name");
        is_deeply [$e->calls], [], "a CanonicalID: $name: E is not asked";
    }

    my @is = (op => $e, %BOTH, target => $target);
    siege('=mallory', { @is, id => '=mallory', who => $mine },
        [ 'is not =victim', $WHO, both('=victim') ],
        [ 'nor their number', $WHO, both($number) ],
        [ 'nor that of their URL', $WHO, both($V) ],
        [ 'who is told to be another', $WHO, pair($number, $mine) ],
        [ 'the number, another person', $WHO, pair($mine, $number) ],
        [ 'is not even =mallory', $WHO, both('=mallory') ],
        [ 'nor in another case', $WHO, both('=!6666.6666x') ]);
    siege('an i-name is chosen', { @is, @CHOSEN },
        [ 'the number of V', $WHO, both($number) ],
        [ 'the name of V', $WHO, both('=victim') ],
        [ 'a name of E, that is not its number', $WHO, both('=mallory') ],
        [ 'one that nobody knows', $WHO, both('=nobody') ],
        [ 'one that leads out of the resolver', $WHO,
          both('=../../op') ]);
    siege('where there is no resolver', { op => $e, %BOTH, @CHOSEN },
        [ 'the number of V', $WHO, both($number) ],
        [ 'its own number', $WHO, both($mine) ]);
    siege('an i-name is chosen: control', { @is, @CHOSEN,
          control => both($mine), who => $mine });
    siege('=victim', { op => $h, %BOTH, target => $target, id => '=victim',
          who => $number },
        [ 'E says so', $ENDPOINT, {}, from => $e ],
        [ 'H says it is another', $WHO, both($mine) ]);
}
