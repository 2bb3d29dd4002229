#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What only applications under OpenIDIntercept have: variables, and headers for
# backends, on ways through httpd that lead from one section to another: parts,
# error documents, indexes, rewritten paths, caches.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use OpenID2RP::InterceptSiege;
use OpenID2RP::Process;
use OpenID2RP::Test;
use Test::More;

my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $DIR = OpenID2RP::Test::var('t_logs') . '/si';

my ($op) = scene();
my ($ALICE, $BOB) = map { $op->id($_) } 'alice', 'bob';
make_files();

spoofed_headers();
spoofed_headers_of_backends();
spoofed_trailers();
what_a_backend_is_told();

parts_are_no_requests();
parts_of_other_sections();
errors_are_no_requests();
redirects_within_httpd();
an_index_of_another_section();
users_of_another_kind();
what_is_cached();
remove_tree($DIR);
done_testing;

# --- I. Headers and variables -----------------------------------------------

my @SPOOFED;
BEGIN {
    @SPOOFED = ('OPENID2RP-IDENTIFIER', 'OPENID2RP_IDENTIFIER',
        'openid2rp.error', 'OpenID2RP-Notice', 'Openid2rp-Error-Code',
        'OPENID2RP', 'Openid2rp~x', 'Remote-User', 'REMOTE_USER',
        'remote.user', 'Auth-Type');
}
# Those that OpenIDPassHeaders X-OpenID- would set.
my @PASSED;
BEGIN {
    @PASSED = ('X-OpenID-Identifier', 'x_openid_identifier',
        'X.OpenID.Identifier', 'X-OPENID_IDENTIFIER', 'X-OpenID-Error',
        'X-OpenID-Error-Code', 'X-OpenID-Notice', 'X-OpenID-Email',
        'X-OpenID-SReg-Email', 'X-OpenID-AX-Email', 'X-OpenID-AX-Email-2',
        'X-OpenID-SREG', 'X-OpenID-AX', 'X-OpenID-Display',
        'X-OpenID-Provider', 'X-OpenID-Teams', 'X-OpenID-Auth-Time',
        'X-OpenID-AX-Anything');
}

sub spoofing {
    return (headers => [ map({ [ $_, 'spoofed' ] } @_),
                         [ 'X-Control', 'control' ] ]);
}

sub spoofed {
    my ($env) = @_;
    return [ map { "$_=$env->{$_}" } grep { $env->{$_} =~ /spoofed/ }
             sort keys %$env ];
}

sub spoofed_headers {
    for my $path ('/si/app', '/si/kept/app', '/si/passed/app', '/si/rewritten',
                  '/si/files/to-app', '/si/files/part.shtml') {
        for my $method ('GET', 'POST') {
            next if $path =~ /files/ && $method eq 'POST';
            my $page = browser()->send($method, url($path),
                $method eq 'POST' ? 'a=1' : undef,
                spoofing(@SPOOFED, $path =~ /passed/ ? @PASSED : ()));
            my $env = env_of($page);
            is_deeply spoofed($env), [], "I: spoofed headers: $path, $method";
            is $env->{HTTP_X_CONTROL}, 'control',
                "I: spoofed headers: $path, $method: control"
                or diag $page->status, $page->body;
            is_deeply told($page), {}, "I: spoofed headers: $path, $method: "
                . 'nobody is signed in';
        }
    }
    # An answer and a start with them.
    my $browser = browser();
    my $url = answered($browser, url('/si/passed/app'));
    my $page = $browser->get($url, spoofing(@SPOOFED, @PASSED));
    is_deeply spoofed(env_of($page)), [], 'I: spoofed headers: an answer';
    is env_of($page)->{HTTP_X_OPENID_IDENTIFIER}, $ALICE,
        'I: spoofed headers: an answer: control: what is true is there';
    $page = browser()->get(url('/si/passed/app?openid_identifier=x%20y'),
                           spoofing(@SPOOFED, @PASSED));
    is_deeply spoofed(env_of($page)), [], 'I: spoofed headers: a start';
    my $env = env_of(browser()->get(url('/si-off/app'), spoofing(@SPOOFED)));
    isnt scalar(@{ spoofed($env) }), 0, 'I: control: where it is off, they '
        . 'arrive';
    asked();
    refusals();
}

# A backend that shows what it is sent.
sub backend {
    my $url = web_server(sub { ([ 200, 'Content-Type: text/plain' ], $_[1]) });
    my ($port) = $url =~ /:(\d+)/;
    return $port;
}

# All its headers, in lower case, with a "-" for what else there may be.
sub sent {
    my ($page) = @_;
    my ($head) = split /\r\n\r\n/, $page->body;
    my %sent;
    for (split /\r\n/, $head) {
        my ($name, $value) = /\A([^:\s]+): *(.*)\z/s or next;
        push @{ $sent{ lc $name =~ tr/A-Za-z0-9/-/cr } }, $value;
    }
    return \%sent;
}

sub passed {
    my ($page) = @_;
    my $sent = sent($page);
    return { map { /\Ax-openid-(.*)/ ? ($1, join '|', @{ $sent->{$_} }) : () }
             keys %$sent };
}

sub spoofed_headers_of_backends {
    my $port = backend();
    for my $case ([ "/si/raw/$port", @SPOOFED, @PASSED ],
                  [ "/si/plain/$port", @SPOOFED ]) {
        my ($path, @headers) = @$case;
        for my $method ('GET', 'POST', 'PUT') {
            my $page = browser()->send($method, url($path),
                $method eq 'GET' ? undef : 'a=1', spoofing(@headers));
            unlike $page->body, qr/spoofed/,
                "I: a backend: $path, $method: no spoofed header";
            like $page->body, qr/^X-Control: control\r$/m,
                "I: a backend: $path, $method: control: others arrive";
        }
    }
    my $page = browser()->get(url("/si-off/raw/$port"),
                              spoofing(@SPOOFED, @PASSED));
    like $page->body, qr/spoofed/, 'I: a backend: control: off';
}

# Behind a body, with MergeTrailers.
sub spoofed_trailers {
    my $port = port_of('si_trailers');
    for my $case ([ 'a form', 'application/x-www-form-urlencoded', 'a=1' ],
                  [ 'a text', 'text/plain', 'words' ]) {
        my ($what, $type, $body) = @$case;
        my $page = exchange($port, join("\r\n", 'POST /si/passed/app HTTP/1.1',
            "Host: localhost:$port", 'Connection: close',
            "Content-Type: $type", 'Transfer-Encoding: chunked', '',
            sprintf('%x', length $body), $body, 0,
            map({ "$_: spoofed" } @SPOOFED, @PASSED), 'X-Behind: control',
            '', ''), "http://localhost:$port/");
        is $page->status, 200, "I: trailers, $what: control: answered";
        is_deeply spoofed(env_of($page)), [], "I: trailers, $what"
            or diag explain spoofed(env_of($page));
        is $page->header('X-Seen'), 'control', "I: trailers, $what: control";
    }
}

# Values on their way into headers: whole, in one line, or not at all.
sub what_a_backend_is_told {
    my $target = url('/si/raw/' . backend() . "?$QUERY");
    my $browser = browser();
    my $begun = begin_login($browser, $target, $ALICE);
    refusals();
    my @sreg = ('ns.sreg' => $SREG, 'sreg.email' => 'a@example.com',
                'sreg.nickname' => "a\xc2\x85\xc3\xa9: b");
    my $ns = 'openid.ns=' . encode($OpenID2RP::Evil::OPENID2);
    my $to = OpenID2RP::Evil::asked($begun)->{return_to};
    my $page = $browser->get("$to&$ns&openid.mode=error&openid.error="
                             . encode("no\tX-OpenID-Identifier: $BOB"));
    my $passed = passed($page);
    is $passed->{identifier}, undef, 'I: an error for a backend: no user';
    isnt $passed->{'error-code'}, undef, 'I: an error for a backend: a code';
    refusals();
    $page = $browser->get($op->assertion($begun, @sreg));
    $passed = passed($page);
    is $passed->{identifier}, $ALICE, 'I: a backend: is told who';
    is $passed->{error}, undef, 'I: a backend: and no error';
    is $passed->{'sreg-email'}, 'a@example.com',
        'I: a backend: control: and an attribute';
    unlike $page->body, qr/[\0-\x09\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/,
        'I: a backend: no control character arrives';
    like $page->body, qr{\AGET /\?\Q$QUERY\E HTTP}, 'I: a backend: the query';
    unlike $page->body, qr/openid[._](?:mode|return|sig)/,
        'I: a backend: nothing of the answer';
    is_deeply [ map { scalar @{ sent($page)->{$_} } } 'x-openid-identifier' ],
        [1], 'I: a backend: once';

    $page = browser()->post($target, 'openid_identifier='
        . encode("x\r\nX-OpenID-Identifier: $ALICE"));
    $passed = passed($page);
    is $passed->{identifier}, undef, 'I: a notice for a backend: no user';
    ok is_sentence($passed->{notice}), 'I: a notice for a backend: a sentence'
        or diag $page->body;
    # What came with one login is gone with the next request.
    is_deeply passed($browser->get($target)), {},
        'I: a backend: nothing is left for the next request';
    asked();
    refusals();
}

# --- beside it: ways through httpd ------------------------------------------

sub make_files {
    make_path("$DIR/index", "$DIR/narrow");
    my $write = sub {
        my ($name, $text) = @_;
        OpenID2RP::Process::write_file("$DIR/$name", $text);
    };
    my $shows = join '', map {
        "$_=<!--#echo encoding=\"url\" var=\"$_\" -->\n" } qw(
            OPENID2RP_IDENTIFIER OPENID2RP_ERROR_CODE OPENID2RP_NOTICE
            OPENID2RP_EMAIL REMOTE_USER);
    $write->('index.shtml', "INDEX=1\n$shows");
    $write->("$_/index.shtml", "INDEX=1\n$shows") for 'index', 'narrow';
    my $part = sub { "<!--#include virtual=\"$_[0]\" -->\n" };
    $write->('part.shtml', $part->('/si/app?$QUERY_STRING'));
    $write->('start.shtml', $part->('/si/app?openid_identifier='
                                    . encode($ALICE)));
    $write->('narrow.shtml', $part->('/si/narrow/app'));
    $write->('protected.shtml', $part->('/si-protected/open/app'));
    $write->('off.shtml', $part->('/si-off/app'));
    $write->('cached.txt', "words\n");
    # bob, by the password x
    $write->('passwords', "bob:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n");
}

# A subrequest is no request of the browser: whatever a page includes, it begins
# no login, and ends none.
sub parts_are_no_requests {
    my $browser = browser();
    my $url = answered($browser, url('/si/app'));
    my (undef, $query) = split /\?/, $url, 2;
    asked();
    refusals();
    for my $at ('/si-off/files', '/si/files') {
        my $page = browser()->get(url("$at/start.shtml"));
        nobody($page, "I: $at: a part that could be a start");
        is_deeply [asked(), refusals(), $page->headers('Set-Cookie')], [],
            "I: $at: a part that could be a start: begins nothing";
        is env_of($page)->{QUERY_STRING}, 'openid_identifier='
            . encode($ALICE), "I: $at: control: the part is there";
    }
    my $page = $browser->get(url("/si-off/files/part.shtml?$query"));
    nobody($page, 'I: a part that could be an answer');
    is_deeply [asked(), refusals()], [],
        'I: a part that could be an answer: ends nothing';
    accepted($browser->get($url), $ALICE, 'I: control: it is one', query => '');
    # What a login tells a page, it tells its parts.
    $browser = browser();
    $page = $browser->get(answered($browser, url('/si/files/part.shtml?b=c')));
    is told($page)->{IDENTIFIER}, $ALICE, 'I: control: a part of a page that '
        . 'somebody signs in at';
    is env_of($page)->{QUERY_STRING}, 'b=c', 'I: a part: the true query';
    asked();
    refusals();
}

# Where a section accepts other providers, or nobody, it is told of nobody.
sub parts_of_other_sections {
    for my $name ('narrow', 'protected') {
        my $browser = browser();
        my $page = $browser->get(answered($browser,
                                          url("/si/files/$name.shtml")));
        is env_of($page)->{REQUEST_METHOD}, 'GET',
            "I: a part of another section ($name): control: it is there"
            or diag $page->body;
        is_deeply told($page), {}, "I: a part of another section ($name): is "
            . 'told of nobody' or diag explain told($page);
    }
    # The same, of a page that is protected.
    my $browser = browser();
    my $url = answered($browser, url('/si-protected/app'));
    is $browser->get($url)->status, 303, 'I: control: in, where it is '
        . 'protected';
    for my $name ('narrow', 'part') {
        my $page = $browser->get(url("/si-protected/files/$name.shtml"));
        is env_of($page)->{REQUEST_METHOD}, 'GET',
            "I: a part of a protected page ($name): control: it is there"
            or diag $page->status . $page->body;
        is_deeply told($page), {},
            "I: a part of a protected page ($name): is told of nobody"
            or diag explain told($page);
    }
    is browser()->get(url('/si-protected/files/narrow.shtml'))->status, 401,
        'I: control: it is protected';
    asked();
    refusals();
}

# Nor is the document of an error.
sub errors_are_no_requests {
    my $browser = browser();
    my $url = answered($browser, url('/si/app'));
    my (undef, $query) = split /\?/, $url, 2;
    asked();
    refusals();
    for my $case ([ 'a start', 'openid_identifier=' . encode($ALICE) ],
                  [ 'an answer', $query ]) {
        my ($what, $with) = @$case;
        my $page = $browser->get(url("/si-off/files/missing?$with"));
        is $page->status, 404, "I: $what at an error document: is not found";
        is_deeply told($page), {}, "I: $what at an error document: of nobody";
        is env_of($page)->{REDIRECT_STATUS}, 404,
            "I: $what at an error document: control: it is there";
        is_deeply [asked(), refusals(), $page->headers('Set-Cookie')], [],
            "I: $what at an error document: is none";
    }
    accepted($browser->get($url), $ALICE, 'I: control: the answer is one',
             query => '');
    # A login may begin where nothing is; it ends there, and nowhere else.
    my $target = url('/si/files/missing?b=c');
    $browser = browser();
    $url = answered($browser, $target);
    my $page = $browser->get($url);
    is $page->status, 404, 'I: a login at nothing: is not found';
    is told($page)->{IDENTIFIER}, $ALICE,
        'I: a login at nothing: the document of the error knows';
    $page = $browser->get($url);
    is told($page)->{ERROR_CODE}, 'nonce-replayed',
        'I: a login at nothing: once';
    is told($page)->{IDENTIFIER}, undef, 'I: a login at nothing: no more';
    asked();
    refusals();
}

# From a section where somebody signs in to another one.
sub redirects_within_httpd {
    my $at = sub {
        my ($path) = @_;
        my $browser = browser();
        my $page = $browser->get(answered($browser, url($path)));
        asked();
        refusals();
        return ($page, $browser);
    };
    my ($page) = $at->('/si/files/to-app?b=c');
    is told($page)->{IDENTIFIER}, $ALICE, 'I: control: a rewritten path';
    is env_of($page)->{QUERY_STRING}, 'b=c', 'I: a rewritten path: the query';
    is_deeply [ grep { /openid_return|openid\./ } values %{ env_of($page) } ],
        [], 'I: a rewritten path: nothing of the answer';
    ($page) = $at->('/si/rewritten?b=c');
    is told($page)->{IDENTIFIER}, $ALICE, 'I: control: a path of another name';
    ($page) = $at->('/si/files/to-narrow');
    is $page->status, 200, 'I: to a section that accepts others: control';
    is_deeply told($page), {}, 'I: to a section that accepts others: nobody';
    ($page, my $browser) = $at->('/si/files/to-off');
    is $page->status, 200, 'I: to where it is off: control';
    is_deeply told($page), {}, 'I: to where it is off: nobody';
    ($page, $browser) = $at->('/si/files/to-protected');
    is $page->status, 401, 'I: to where it is protected: nobody is let in';
    is $browser->get(url('/si-protected/app'))->status, 401,
        'I: to where it is protected: nor is there a session';

    # From outside into one: what comes there, is looked at there.
    my $url = url('/si-off/rewritten?b=c');
    $browser = browser();
    my $begun = begin_login($browser, $url, $ALICE);
    is $begun->status, 303, 'I: into a section: control: a login begins';
    my $answer = $op->assertion($begun);
    asked();
    refusals();
    refused($browser->get($answer =~ s{/si-off/rewritten}{/si/kept/app}r),
            'return-to-mismatch', 'I: into a section: at its own address',
            query => '');
    is told($browser->get($answer))->{IDENTIFIER}, $ALICE,
        'I: into a section: control: at the one where it began';
    asked();
    refusals();
}

# The index of a folder: a login at the folder is one at the index.
sub an_index_of_another_section {
    for my $case ([ index => $ALICE ], [ narrow => undef ]) {
        my ($folder, $who) = @$case;
        my $browser = browser();
        my $page = $browser->get(answered($browser,
            url("/si/files/$folder/?b=c")));
        my $env = env_of($page);
        is $env->{INDEX}, 1, "I: an index ($folder): control: it is there"
            or diag $page->status . $page->body;
        is $env->{OPENID2RP_IDENTIFIER} =~ s/\A\(none\)\z//r, $who // '',
            "I: an index ($folder): is told of " . ($who // 'nobody');
        is $env->{REMOTE_USER} =~ s/\A\(none\)\z//r, $who // '',
            "I: an index ($folder): REMOTE_USER";
    }
    asked();
    refusals();
}

# Who is somebody by a password stays so; and nobody is by an OpenID alone.
sub users_of_another_kind {

    my @basic = (headers => [ [ Authorization => 'Basic Ym9iOng=' ] ]);
    my $target = url('/si/basic/app');
    my $browser = browser();
    my $form = 'openid_identifier=' . encode($ALICE);
    is $browser->post($target, $form)->status, 401,
        'I: a start without the password';
    is_deeply [asked()], [], 'I: a start without the password: nobody is asked';
    my $begun = $browser->post($target, $form, @basic);
    is $begun->status, 303, 'I: with the password: control: it begins';
    my $url = $op->assertion($begun);
    asked();
    is $browser->get($url)->status, 401, 'I: an answer without the password';
    is_deeply [asked(), refusals()], [],
        'I: an answer without the password: is not looked at';
    my $told = told($browser->get($url, @basic));
    is $told->{REMOTE_USER}, 'bob', 'I: REMOTE_USER is whose password it is';
    is $told->{AUTH_TYPE}, 'Basic', 'I: and AUTH_TYPE says so';
    is $told->{IDENTIFIER}, $ALICE, 'I: control: the application learns both';
    refusals();
}

# A page with a user in it is nobody else's.
sub what_is_cached {
    for my $vhost ('si_cache', 'si_quick_cache') {
        my $n = 0;
        my $target = sub { url('/si/files/cached.txt?' . ++$n, $vhost) };
        my $sees = sub { my ($browser, $url) = @_;
            my $page = $browser->get($url);
            my $who = $page->header('X-Who') // 'none';
            return $page->status . " $who"; };
        my $url = $target->();
        my $browser = browser();
        is $sees->($browser, answered($browser, $url)), "200 $ALICE",
            "I: $vhost: control: somebody signs in";
        is $sees->(browser(), $url), '200 (null)',
            "I: $vhost: who comes after her, is not told" for 1, 2;
        $url = $target->();
        $sees->(browser(), $url);
        isnt browser()->get($url)->header('Age'), undef,
            "I: $vhost: control: a page is cached";
        $browser = browser();
        my $answer = answered($browser, $url);
        $sees->($browser, $answer);
        is $sees->(browser(), $answer), '200 (null)',
            "I: $vhost: nobody else is told by the same answer";
        is $sees->(browser(), $url), '200 (null)', "I: $vhost: nor after it";
    }
    asked();
    refusals();
}
