#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# All groups once more, on applications that ask users to sign in themselves
# (OpenIDIntercept). A refusal is told the application there: OPENID2RP_ERROR
# and its code, and nothing of a user; or OPENID2RP_NOTICE, where no login
# begins. And what only this mode has: variables, and headers for backends, on
# ways through httpd that lead from one section to another.

use v5.14;
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use OpenID2RP::Attack qw(canary parts);
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(lines_of);
use OpenID2RP::Test;
use POSIX qw(strftime);
use Test::More;

my $SREG = 'http://openid.net/extensions/sreg/1.1';
my $AX = 'http://openid.net/srv/ax/1.0';
my $MAIL = 'http://axschema.org/contact/email';

# What an application was asked with comes back byte for byte.
my $QUERY = 'a=1&a=&%61=%20b&&c';
my $APP = app('');
my $KEPT = app('kept/');
my $DIR = OpenID2RP::Test::var('t_logs') . '/si';

op_reset();
my $op = OpenID2RP::Evil->new;
my $evil = OpenID2RP::Evil->new;
my $canary = canary();
my ($ALICE, $BOB) = map { $op->id($_) } 'alice', 'bob';
make_files();

signatures();
identities();
versions();
an_assertion_that_nobody_asked_for();
messages();
queries_that_could_be_answers();
other_methods();
what_only_looks_like_ours();
cancelled_and_failed();
where_it_goes();
hosts();
replays();
nonces();
associations();
attributes();
discovery();
fetching();

login_csrf();
login_csrf_by_a_start();
answers_in_frames();
cookie_tossing();
fixation();
open_redirects();
line_ends();
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

too_many_starts();
a_store_that_is_away();
remove_tree($DIR);
done_testing;

# --- applications -----------------------------------------------------------

sub app { my ($of, $vhost) = @_; return url("/si/${of}app?$QUERY", $vhost) }

# What an application was told: all of these variables.
sub told {
    my ($page) = @_;
    my $env = env_of($page);
    return { map { /\A(?:REMOTE_USER|AUTH_TYPE|OPENID2RP_(.*))\z/
                     ? ($1 // $_ => $env->{$_}) : () } keys %$env };
}

# One sentence, as the contract has it.
sub is_sentence {
    my ($text) = @_;
    return 0 unless defined $text && length $text <= 1000
        && utf8::decode($text);
    return $text =~ /\A[^\s\p{Cc}](?:\P{Cc}*\S)?\z/ ? 1 : 0;
}

sub sessions {
    return scalar grep { /\A(?:__Host-)?openid2rp=[^;]/ }
        $_[0]->headers('Set-Cookie');
}

# The application was asked, and with what: the query, and whether there is
# anything of an answer anywhere.
sub asked_with {
    my ($page) = @_;
    my $env = env_of($page);
    return (status => $page->status, method => $env->{REQUEST_METHOD},
            query => $env->{QUERY_STRING},
            traces => [ grep { $_ ne 'HTTP_COOKIE' && $env->{$_}
                                   =~ /openid(?:_return|_ident|\.)/i }
                        grep { !/\AOPENID2RP_/ } sort keys %$env ]);
}

# An answer is refused: the application is told why, and nothing of a user, and
# so is the log. Of another login, or of none, the query is not known.
sub refused {
    my ($page, $code, $name, %is) = @_;
    my $told = told($page);
    my %other = %$told;
    my $sentence = delete $other{ERROR};
    delete $other{ERROR_CODE};
    is_deeply { asked_with($page), code => $told->{ERROR_CODE},
        sentence => is_sentence($sentence), log => [refusals()],
        users => \%other, sessions => sessions($page) },
        { status => 200, method => 'GET', query => $is{query} // $QUERY,
          traces => [], code => $code, sentence => 1, log => [$code],
          users => {}, sessions => 0 }, "$name: refused"
        or diag explain [ $page->status, $page->headers('Location'), $told ];
}

# Somebody is signed in: this one, and there is no error.
sub accepted {
    my ($page, $who, $name, %is) = @_;
    my $told = told($page);
    is_deeply { asked_with($page), log => [refusals()],
        map { ($_ => $told->{$_}) } qw(IDENTIFIER REMOTE_USER AUTH_TYPE
                                       ERROR ERROR_CODE NOTICE) },
        { status => 200, method => 'GET', query => $is{query} // $QUERY,
          traces => [], log => [], IDENTIFIER => $who, REMOTE_USER => $who,
          AUTH_TYPE => 'OpenID', map { ($_ => undef) } qw(ERROR ERROR_CODE
                                                          NOTICE) },
        "$name: signed in"
        or diag explain [ $page->status, $page->headers('Location'), $told ];
    return $told;
}

# Nobody is: the application is told nothing at all.
sub nobody {
    my ($page, $name) = @_;
    is_deeply { status => $page->status, told => told($page) },
        { status => 200, told => {} }, "$name: nobody is signed in";
}

# No login begins; the application gets the request itself, and knows why.
#   log    the reasons in the log
#   query, body  what it was sent with
sub noticed {
    my ($page, $name, %is) = @_;
    my $told = told($page);
    my $env = env_of($page);
    is_deeply { status => $page->status, names => [ sort keys %$told ],
        sentence => is_sentence($told->{NOTICE}), log => [refusals()],
        query => $env->{QUERY_STRING}, body => $env->{BODY},
        cookies => [ $page->headers('Set-Cookie') ] },
        { status => 200, names => ['NOTICE'], sentence => 1,
          log => $is{log} // [], query => $is{query} // $QUERY,
          body => $is{body} // '', cookies => [] },
        "$name: no login begins" or diag $page->body;
    return $told->{NOTICE};
}

# --- logins -----------------------------------------------------------------

# A browser brings an answer; what comes by POST comes again by GET.
sub bring {
    my ($browser, $url, $by) = @_;
    return $browser->get($url) if ($by // 'get') eq 'get';
    my ($to, $form) = $url =~ /\A([^&]*)&?(.*)\z/s;
    my $page = $browser->post($to, $form, cross_site => 1);
    is $page->header('Location'), $to, 'by POST: the browser comes again';
    return $browser->get($page->header('Location') // $to);
}

sub answered {
    my ($browser, $target, $id) = @_;
    return $op->assertion(begin_login($browser, $target // $APP,
                                      $id // $ALICE));
}

# Lies to one login, and then the truth, as siege() of Siege.pm: [WHAT, CODE,
# CHANGE, ...], where CHANGE is for assertion() of Evil.pm, or a function
# ($begun, %base) that returns the whole URL. Then
#   asked    because of it, who is asked what: ['OP check_authentication']
#   from     whose assertion it is (op)
#   query    what the application is called with, if it is not what it was
# and for all
#   op, id, target, by, base, control, who   as there
sub siege {
    my ($name, $is, @cases) = @_;
    for my $batch (OpenID2RP::Attack::batches(sub {
            my (undef, undef, undef, %more) = @{ $_[0] };
            scalar @{ $more{asked} // [] } }, @cases)) {
        siege_one_login($name, $is, @$batch);
    }
}

sub siege_one_login {
    my ($name, $is, @cases) = @_;
    my %is = (op => $op, target => $KEPT, base => {}, control => {}, %$is);
    my $id = $is{id} // $is{op}->id('alice');
    my $browser = browser();
    my $begun = begin_login($browser, $is{target}, $id);
    refusals();
    asked();
    for my $case (@cases) {
        my ($what, $code, $change, %more) = @$case;
        $what = "$name: $what";
        my $url = ref $change eq 'CODE' ? $change->($begun, %{ $is{base} })
            : ($more{from} // $is{op})->assertion($begun, %{ $is{base} },
                                                  %$change);
        refused(bring($browser, $url, $is{by}), $code, $what,
                exists $more{query} ? (query => $more{query}) : ());
        is join(', ', asked()), join(', ', @{ $more{asked} // [] }),
            "$what: nobody is asked anything more than that";
    }
    nobody($browser->get($is{target}), "$name: all these");
    my $url = $is{op}->assertion($begun, %{ $is{base} }, %{ $is{control} });
    accepted(bring($browser, $url, $is{by}), $is{who} // $id,
             "$name: control: the truth");
    is told($browser->get($is{target}))->{IDENTIFIER}, $is{who} // $id,
        "$name: control: and it is kept" if $is{target} =~ m{/kept/};
    asked();
}

# Who has been asked what since the last call.
sub asked {
    my %who = (OP => $op, E => $evil);
    return map({ my $name = $_; map { "$name $_" } $who{$name}->calls }
               sort keys %who),
        map { "canary $_" } web_log($canary);
}

# The same in every way that an answer can come and be verified; checked => 1:
# where there is no association, the provider is asked.
sub everywhere {
    my ($name, @cases) = @_;
    my $direct = app('kept/', 'security_stateless');
    for my $way ([ '2.0' ], [ '2.0, by POST', by => 'post' ],
                 [ '2.0, direct', target => $direct ],
                 [ '1.1', id => $op->id1('bob'), base => { -version => 1 } ],
                 [ '1.1, direct, by POST', id => $op->id1('bob'), by => 'post',
                   base => { -version => 1 }, target => $direct ]) {
        my ($what, %is) = @$way;
        siege("$name, $what", \%is, map {
            my ($called, $code, $change, %more) = @$_;
            $more{asked} = ['OP check_authentication']
                if delete $more{checked} && $is{target};
            delete $more{only} && $is{base} ? ()
                : [ $called, $code, $change, %more ] } @cases);
    }
}

# An answer that is true and well signed, and whose URL is then changed.
sub altered {
    my ($change) = @_;
    return sub {
        my ($begun, %base) = @_;
        my ($key, $message) = parts($op->assertion($begun, %base));
        local $_ = $message;
        return "$key&" . $change->();
    };
}

# --- A. Signature -----------------------------------------------------------

sub signatures {
    everywhere('A',
        [ 'garbage signature', 'bad-signature', { sig => 'xyz' },
          checked => 1 ],
        [ 'sig and signed absent', 'bad-message',
          { sig => undef, signed => undef } ],
        [ 'sig and signed empty', 'bad-message', { sig => '', signed => '' } ],
        map({ [ "$_ unsigned", 'unsigned-field', { -unsigned => [$_] },
                /\A(?:return_to|identity)\z/ ? () : (only => 2) ] }
            qw(op_endpoint return_to response_nonce assoc_handle claimed_id
               identity)),
        [ 'signed names a missing field', 'bad-message', sub {
            my ($begun, %base) = @_;
            my %field = $op->fields($begun, %base);
            return $op->assertion($begun, %base,
                signed => "$field{signed},absent") } ],
        [ 'newline re-split', 'bad-message',
          { evil => "v\nidentity:$BOB\nclaimed_id:$BOB" } ],
        [ 'wrong mode: checkid_setup', 'bad-mode',
          altered(sub { s/mode=id_res/mode=checkid_setup/r }) ],
        [ 'wrong mode: bogus', 'bad-mode',
          altered(sub { s/mode=id_res/mode=bogus/r }) ]);
}

# --- B. Identity ------------------------------------------------------------

sub both { (claimed_id => $_[0], identity => $_[0]) }

sub identities {
    my $mine = $evil->id('mallory');
    siege('B, begun at E', { op => $evil, id => $mine },
        [ 'identity spoofing', 'identity-mismatch', { both($ALICE) } ],
        [ 'key confusion', 'endpoint-mismatch',
          { both($ALICE), op_endpoint => $op->endpoint } ],
        [ 'as OP Identifier', 'identity-mismatch',
          { both($evil->op_identifier) } ],
        [ 'identifier_select', 'identity-mismatch',
          { both($OpenID2RP::Evil::SELECT) } ]);
    siege('B, chosen at E', { op => $evil, id => $evil->op_identifier,
          control => { both($mine) }, who => $mine },
        [ 'identity spoofing', 'identity-mismatch', { both($ALICE) },
          asked => ['OP GET /id/alice'] ],
        [ 'same-OP delegation', 'identity-mismatch',
          { claimed_id => $evil->id('victim'), identity => $mine },
          asked => ['E GET /id/victim'] ]);
    siege('B, begun at H', {},
        [ 'claimed_id missing', 'bad-message', { claimed_id => undef } ],
        [ 'identity missing', 'bad-message', { identity => undef } ],
        [ 'another one of H', 'identity-mismatch', { both($BOB) } ],
        [ 'with a fragment as local', 'identity-mismatch',
          { claimed_id => $ALICE, identity => "$ALICE#2" } ],
        [ 'capitals', 'identity-mismatch', { both($op->id('Alice')) } ],
        [ 'of E in all', 'endpoint-mismatch', { both($mine) },
          from => $evil ]);

    # A fragment is another user; the allow-list holds at the end, too.
    my $fragment = "$ALICE#2";
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    accepted($browser->get($op->assertion($begun, claimed_id => $fragment)),
             $fragment, 'B: a fragment');
    asked();
    my $notice = noticed($browser->get(url('/si/narrow/app?openid_identifier='
        . encode($ALICE))), 'B: a provider that is not allowed',
        log => ['provider-refused'],
        query => 'openid_identifier=' . encode($ALICE));
    like $notice, qr/provider/i, 'B: a provider that is not allowed: says so';
    is_deeply [asked()], ['OP GET /id/alice'],
        'B: a provider that is not allowed: only discovery asks it';
    begin_login($browser, $APP, $ALICE);
    is_deeply [grep { !/GET/ } asked()], [],
        'B: control: allowed, it has an association already';
}

sub versions {
    siege('B, version downgrade', {},
        [ 'no ns', 'version-mismatch', { ns => undef } ],
        [ 'ns of 1.1', 'version-mismatch',
          { ns => 'http://openid.net/signon/1.1' } ]);
    siege('B, version upgrade', { id => $op->id1('bob'),
          base => { -version => 1 } },
        [ 'ns of 2.0', 'version-mismatch',
          { -version => 2, both($op->id1('bob')) } ]);
}

sub an_assertion_that_nobody_asked_for {
    my $name = 'B: unsolicited assertion';
    my $browser = browser();
    my $begun = begin_login($browser, $KEPT, $ALICE);
    my (undef, $message) = parts($op->assertion($begun));
    asked();
    refusals();
    # Without openid_return it means nothing to us.
    my $page = browser()->get("$KEPT&$message");
    nobody($page, "$name, without a key");
    is env_of($page)->{QUERY_STRING}, "$QUERY&$message",
        "$name, without a key: the application gets it as it is";
    is_deeply [refusals(), $page->headers('Set-Cookie')], [],
        "$name, without a key: means nothing";
    for my $key ('A' x 22, 'x', '', '%00', '../../x', 'A' x 5000) {
        $page = browser()->get(url('/si/kept/app') . "?openid_return=$key"
                               . "&$message");
        refused($page, $key eq '' || $key eq '%00' ? 'bad-message'
                : 'no-login', "$name, of a login that never was: "
                . substr($key, 0, 22), query => '');
    }
    is_deeply [asked()], [], "$name: nobody is asked";
    accepted($browser->get($op->assertion($begun)), $ALICE,
             "$name: control: of one that is");
}

# --- C. Messages ------------------------------------------------------------

sub messages {
    my @names = qw(mode identity return_to assoc_handle signed sig claimed_id);
    for my $by ('get', 'post') {
        siege("C, by $by", { by => $by },
            map({ my $n = $_; my $more = "openid.$n=" . encode($BOB);
                  ([ "$n twice, good first", 'bad-message',
                     altered(sub { "$_&$more" }) ],
                   [ "$n twice, evil first", 'bad-message',
                     altered(sub { "$more&$_" }) ]) } @names),
            map({ my $text = $_;
                  # of a query that cannot be read, the key is not known
                  [ $text, 'bad-message',
                    altered(sub { s/(identity=)/$1$text/r }),
                    $by eq 'get' && $text =~ /\A%(?:zz|00|)\z/
                        ? (query => '') : () ] }
                '%', '%zz', '%C0%AE', '%ED%A0%80', '%00', '%0A', '%0D'),
            [ 'no message', 'bad-message', altered(sub { '' }) ],
            [ 'separators only', 'bad-message', altered(sub { '&&=&=' }) ]);
    }
    bodies();
}

# What comes by POST is read from its body, and only there.
sub bodies {
    my $form = 'application/x-www-form-urlencoded';
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my ($half, $rest) = $message =~ /\A(.*?&.*?)&(.*)\z/s;
    refusals();
    for my $case (
        [ 'all in the query', $url, '', $form ],
        [ 'half in each', "$key&$half", $rest, $form ],
        [ 'no Content-Type', $key, $message, undef ],
        [ 'empty POST', $key, '', $form ],
        [ 'JSON', $key, $message, 'application/json' ],
        [ 'multipart', $key, "--x\r\nContent-Disposition: form-data; "
          . "name=\"openid.mode\"\r\n\r\nid_res\r\n--x--\r\n",
          'multipart/form-data; boundary=x' ],
        [ 'broken multipart', $key, '--', 'multipart/form-data' ],
        [ 'oversized', $key, "$message&x=" . 'x' x 70_000, $form ],
    ) {
        my ($what, $to, $body, $type) = @$case;
        my $page = $browser->send('POST', $to, $body,
            headers => [ $type ? [ 'Content-Type' => $type ] : () ]);
        my $back = $page->header('Location') // '';
        ok $page->status == 303 && $back =~ /\A\Q$key\E\z/,
            "C, body: $what: the browser comes again"
            or diag $page->status . " $back";
        refused($browser->get($key), 'bad-message', "C, body: $what");
    }
    is_deeply [ grep { !/GET/ } asked() ], [], 'C, body: nobody is asked';
    accepted(bring($browser, $url, 'post'), $ALICE, 'C, body: control');
}

# openid_return twice, broken, or beside a start: none begins or ends a login.
sub queries_that_could_be_answers {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my ($value) = $key =~ /=(.*)/;
    my $page = url('/si/kept/app');
    asked();
    refusals();
    for my $case (
        [ 'twice', "openid_return=$value&openid_return=$value&$message" ],
        [ 'twice, apart', "openid_return=$value&$message&openid_return=x" ],
        [ 'twice, one escaped',
          "openid_return=$value&$message&openid%5Freturn=$value" ],
        [ 'broken', "openid_return=%zz&$message" ],
        [ 'a broken field beside it', "openid_return=$value&$message&x=%" ],
        [ 'without a value', "openid_return&$message" ],
        [ 'with an empty one', "openid_return=&$message" ],
        [ 'two thousand fields', "openid_return=$value&$message"
          . '&a=b' x 1000 ],
    ) {
        my ($what, $query) = @$case;
        refused($browser->get("$page?$query"), 'bad-message',
                "C: openid_return $what", query => '');
    }
    refused($browser->get("$page?openid_identifier=" . encode($ALICE)
                          . "&openid_return=$value&openid.mode=id_res"),
            'bad-message', 'C: both a start and an answer: is an answer');
    refused(browser()->get("$key&$message&openid_identifier="
                           . encode($ALICE)),
            'other-browser', 'C: both, with the whole answer, elsewhere');
    is_deeply [asked()], [], 'C: nobody is asked';
    accepted($browser->get("$key&$message&openid_identifier="
                           . encode($BOB)), $ALICE,
             'C: control: an answer with a start behind it');
}

# A login begins and ends by GET and POST only.
sub other_methods {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    my ($key, $message) = parts($url);
    my $start = "$KEPT&openid_identifier=" . encode($BOB);
    asked();
    refusals();
    for my $method (qw(HEAD PUT DELETE OPTIONS PATCH)) {
        for my $case ([ 'an answer', $url ], [ 'a start', $start ]) {
            my ($what, $to) = @$case;
            my $page = $browser->send($method, $to,
                                      $method =~ /\AP/ ? 'x=y' : undef);
            is_deeply { status => $page->status,
                cookies => [ $page->headers('Set-Cookie') ],
                asked => [asked()], log => [refusals()],
                told => told($page) },
                { status => 200, cookies => [], asked => [], log => [],
                  told => {} }, "C: $what by $method means nothing";
            is env_of($page)->{QUERY_STRING}, $to =~ s/\A[^?]*\?//r,
                "C: $what by $method: the application gets it"
                if $method ne 'HEAD';
        }
    }
    nobody($browser->get($KEPT), 'C: other methods');
    accepted($browser->get($url), $ALICE, 'C: control: by GET it is one');
}

# Requests that only look like ours are the application's, byte for byte.
sub what_only_looks_like_ours {
    my $browser = browser();
    begin_login($browser, $KEPT, $ALICE);
    asked();
    refusals();
    for my $query ('openid_Return=x', 'OPENID_RETURN=x', 'openid-return=x',
                   'openid_returns=x', 'x=openid_return', 'openid_identifiers='
                   . encode($BOB), 'a=%zz&xopenid_return=1',
                   'a=%zz&openid_return2=1', 'x=a=openid_identifier%3Db',
                   '&', '=', '&&=', '%', 'openid.mode=id_res') {
        my $page = $browser->get(url('/si/kept/app') . "?$query");
        is_deeply { status => $page->status, told => told($page),
                    query => env_of($page)->{QUERY_STRING}, log => [refusals()],
                    asked => [asked()] },
            { status => 200, told => {}, query => $query, log => [],
              asked => [] }, "C: \"$query\" is the application's";
    }
}

sub cancelled_and_failed {
    my $ns = 'openid.ns=' . encode($OpenID2RP::Evil::OPENID2);
    siege('C', {},
        [ 'cancel, signed by all means', 'cancelled', { mode => 'cancel' } ],
        [ 'cancel without ns', 'cancelled',
          altered(sub { 'openid.mode=cancel' }) ],
        [ 'setup_needed', 'setup-needed',
          altered(sub { "$ns&openid.mode=setup_needed" }) ],
        [ 'error', 'provider-error',
          altered(sub { "$ns&openid.mode=error&openid.error=no" }) ],
        [ 'a long error', 'provider-error', altered(sub {
            "$ns&openid.mode=error&openid.error=" . '%E2%82%AC' x 700 }) ],
        [ 'an error of two lines', 'bad-message', altered(sub {
            "$ns&openid.mode=error&openid.error=a%0d%0aX-Evil:%20b" }) ]);
    my $browser = browser();
    my $begun = begin_login($browser, $APP, $ALICE);
    my $to = OpenID2RP::Evil::asked($begun)->{return_to};
    refusals();
    for my $case ([ 'markup', '<script>alert(1)</script>' ],
                  [ 'a tab and a bell', "a\tb\ac" ],
                  [ 'C1 controls', "a\xc2\x85b\xc2\x9bc" ],
                  [ 'a forged line', 'x) [x] login refused (forged): y' ]) {
        my ($what, $error) = @$case;
        my $page = $browser->get("$to&$ns&openid.mode=error&openid.error="
                                 . encode($error));
        my $told = told($page);
        like $told->{ERROR_CODE}, qr/\A(?:provider-error|bad-message)\z/,
            "C: an error with $what";
        ok is_sentence($told->{ERROR}), "C: an error with $what: is text"
            or diag $told->{ERROR};
        is_deeply [ grep { $_ eq 'forged' } refusals() ], [],
            "C: an error with $what: one line of the log";
    }
    accepted($browser->get($op->assertion($begun)), $ALICE, 'C: control');
}

# --- D. return_to, replay, time ---------------------------------------------

sub returning {
    my ($what, $change) = @_;
    return [ $what, 'return-to-mismatch', sub {
        my ($begun, %base) = @_;
        local $_ = OpenID2RP::Evil::asked($begun)->{return_to};
        return $op->assertion($begun, %base, return_to => $change->())
            =~ s/\A[^&]*/$_/r;
    } ];
}

sub where_it_goes {
    my $port = port_of('si_other');
    siege('D', {},
        returning('another RP', sub { 'http://other.example/' }),
        returning('the scheme', sub { s/http:/https:/r }),
        returning('the port', sub { s/:\d+/:$port/r }),
        returning('the host', sub { s/localhost/127.0.0.1/r }),
        returning('the path', sub { s{/app}{/ap}r }),
        returning('no parameter', sub { s/\?.*//r }),
        returning('another value', sub { s/=.*/'=' . 'A' x 22/er }),
        returning('one more parameter', sub { "$_&$QUERY" }));

    # Brought to another page, another application, another site.
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    asked();
    refusals();
    for my $path ('/si/kept/application', '/si/kept/app/', '/si/kept/app/x',
                  '/si/app', '/si/narrow/app', '/si/kept/appx',
                  '/si/kept//app', '/si/kept/app%3Fa', '/si/kepx/app') {
        refused($browser->get($url =~ s{/si/kept/app\?}{$path?}r),
                $path =~ /narrow/ ? 'provider-refused'
                : 'return-to-mismatch', "D: brought to $path", query => '');
    }
    my $page = $browser->get($url =~ s{/si/kept/app}{/si-off/app}r);
    nobody($page, 'D: brought to where the module is off');
    is_deeply [refusals()], [], 'D: brought to where the module is off: '
        . 'nothing happens';
    for my $to ("http://localhost:$port", 'http://127.0.0.1:' . port_of()) {
        $page = $browser->get($url =~ s{\Ahttp://[^/]+}{$to}r);
        my $told = told($page);
        ok !$told->{IDENTIFIER} && !$told->{REMOTE_USER}
            && sessions($page) == 0, "D: cross-vhost replay at $to";
        like join(' ', refusals()), qr/\A(?:no-login|other-browser|
            return-to-mismatch|)\z/x, "D: cross-vhost replay at $to: log";
    }
    is_deeply [asked()], [], 'D: nobody is asked';
    my $at = 'D: brought with more parameters';
    accepted($browser->get("$url&target=http%3A%2F%2Fevil.example%2F"
                           . "&openid_target=//evil.example"), $ALICE, $at);

    # Two logins of one browser.
    my ($one, $two) = map { begin_login($browser, "$APP&$_", $ALICE) } 1, 2;
    my ($first, $second) = map { $op->assertion($_) } $one, $two;
    my ($key) = parts($second);
    refused($browser->get("$key&" . (parts($first))[1]), 'return-to-mismatch',
            'D: cross-login swap', query => "$QUERY&2");
    accepted($browser->get($second), $ALICE, 'D: cross-login swap: control',
             query => "$QUERY&2");
}

sub hosts {
    asked();
    refusals();
    my $form = 'openid_identifier=' . encode($ALICE);
    for my $case ([ 'Host', 'evil.example' ],
                  [ 'X-Forwarded-Host', 'evil.example', 1 ],
                  [ 'Forwarded', 'host=evil.example;proto=https', 1 ]) {
        my ($name, $value, $goes) = @$case;
        my @host = $name eq 'Host' ? () : ([ Host => 'localhost:'
                                             . port_of() ]);
        my $text = join "\r\n", "POST /si/app?$QUERY HTTP/1.1",
            map({ "$_->[0]: $_->[1]" } @host, [ $name => $value ],
                [ Connection => 'close' ], [ 'Content-Length' => length $form ],
                [ 'Content-Type' => 'application/x-www-form-urlencoded' ]),
            '', $form;
        my $page = exchange(port_of(), $text, $APP);
        unlike join("\n", map { $_->[1] } @{ $page->{headers} }), qr/evil/,
            "D: Host poisoning by $name: does not reach return_to";
        if ($goes) {
            is $page->status, 303, "D: Host poisoning by $name: control: it "
                . 'begins';
        }
        else {
            noticed($page, "D: Host poisoning by $name", body => $form);
            is_deeply [asked()], [], "D: Host poisoning by $name: nobody is "
                . 'asked';
        }
    }
    my $page = exchange(port_of(), "GET /si/app?$QUERY&$form HTTP/1.0\r\n\r\n",
                        $APP);
    is $page->status, 303, 'D: no Host header: no crash';
    like $page->header('Location'), qr/return_to=http%3A%2F%2Flocalhost/,
        'D: no Host header: the name of the server';
    asked();
    refusals();
}

sub replays {
    for my $of ('', 'kept/') {
        for my $v (2, 1) {
            my $name = "D: $v.x, /si/${of}app";
            my $id = $v == 1 ? $op->id1('alice') : $ALICE;
            my $browser = browser();
            my $begun = begin_login($browser, app($of), $id);
            my $url = $op->assertion($begun, -version => $v);
            my $thief = $browser->twin;
            accepted($browser->get($url), $id, "$name: control: once");
            asked();
            refused($thief->get($url), 'nonce-replayed',
                    "$name: sequential replay, with stolen cookies");
            refused(bring($thief, $url, 'post'), 'nonce-replayed',
                    "$name: sequential replay by POST");
            nobody($thief->get(app($of)), "$name: sequential replay");
            my $again = $browser->get($url);
            if ($of) {          # with a session, it goes on
                is $again->header('Location'), app($of), "$name: a reload "
                    . 'leads to where the login began';
                is_deeply [refusals(), $again->headers('Set-Cookie')],
                    ['nonce-replayed'], "$name: a reload is no login";
            }
            else {
                refused($again, 'nonce-replayed', "$name: a reload");
            }
            is_deeply [asked()], [], "$name: nobody is asked again";
        }
    }
    my $browser = browser();
    my $url = answered($browser);
    my @pages = parallel(port_of(), [ ($browser->request('GET', $url)) x 12 ],
                         $url);
    is scalar(grep { told($_)->{IDENTIFIER} } @pages), 1,
        'D: concurrent replay: one signs in';
    is scalar(grep { (told($_)->{ERROR_CODE} // '') eq 'nonce-replayed' }
              @pages), 11, 'D: concurrent replay: the others do not'
        or diag explain [ map { told($_) } @pages ];
    is_deeply [ grep { my $told = told($_); $told->{ERROR}
                           && ($told->{IDENTIFIER} || $told->{REMOTE_USER}) }
                @pages ], [], 'D: concurrent replay: never both';
    is_deeply [refusals()], [ ('nonce-replayed') x 11 ],
        'D: concurrent replay: a line for each';
}

sub nonces {
    my $nonce = sub { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime time + $_[0])
                          . 'x' . int rand 1e9 };
    siege('D', {},
        map({ [ "a nonce of $_->[0]", 'nonce-expired',
                { response_nonce => $nonce->($_->[1]) } ] }
            [ 'an hour ago' => -3_600 ], [ 'yesterday' => -86_400 ],
            [ 'ten years ago' => -315_360_000 ], [ 'an hour ahead' => 3_600 ]),
        map({ [ "a malformed nonce: $_->[0]", $_->[2] // 'bad-nonce',
                { response_nonce => $_->[1] } ] }
            [ 'month 13', '2026-13-01T00:00:00Zx' ],
            [ 'a small z', strftime('%Y-%m-%dT%H:%M:%Sz', gmtime) ],
            [ 'a zone', strftime('%Y-%m-%dT%H:%M:%S+1:00', gmtime) ],
            [ '256 characters', $nonce->(0) . 'x' x 256 ]));
}

# --- E. Associations --------------------------------------------------------

sub associations {
    my $target = app('kept/', 'security_stateless');
    # A forged one costs no question to whom it names.
    siege('E', {},
        [ 'SSRF before verification', 'endpoint-mismatch',
          { op_endpoint => "$canary/op", assoc_handle => 'x' } ],
        [ 'unknown handle, bad signature', 'bad-signature',
          { assoc_handle => 'unknown', sig => 'xyz' },
          asked => ['OP check_authentication'] ],
        [ 'invalidate_handle, unconfirmed', 'bad-signature',
          { invalidate_handle => 'x', sig => 'xyz' } ]);
    for my $case ([ 'is_valid:false, is_valid:true',
                    "is_valid:false\nis_valid:true\n" ],
                  [ 'a blank', "is_valid: true\n" ],
                  [ 'capitals', "is_valid:TRUE\n" ],
                  [ 'a carriage return', "is_valid:true\r\n" ],
                  [ 'HTML', '<p>is_valid:true</p>' ],
                  [ 'status 500', "is_valid:true\n", 500 ],
                  [ 'status 302', "is_valid:true\n", 302 ]) {
        my ($what, $body, $status) = @$case;
        my $browser = browser();
        my $begun = begin_login($browser, $target, $ALICE);
        asked();
        refusals();
        $op->answers(check_authentication => { status => $status // 200,
            headers => ["Location: $canary/"],
            body => "ns:$OpenID2RP::Evil::OPENID2\n$body" });
        my $page = $browser->get($op->assertion($begun));
        my $told = told($page);
        my @log = refusals();
        is_deeply { code => $told->{ERROR_CODE}, who => $told->{IDENTIFIER},
                    user => $told->{REMOTE_USER}, asked => [asked()],
                    lines => scalar(@log), sessions => sessions($page) },
            { code => $log[0], who => undef, user => undef, lines => 1,
              asked => ['OP check_authentication'], sessions => 0 },
            "E: key-value injection: $what" or diag explain $told;
        $op->is_honest;
        accepted($browser->get($op->assertion($begun)), $ALICE,
                 "E: $what: control");
    }
    # An association that is refused is none: the provider is asked then.
    for my $lie ([ 'MAC length',
                        enc_mac_key => 'eHh4eHh4eHh4eHh4eHh4eHh4eA==' ],
                 [ 'expires_in', expires_in => -1 ],
                 [ 'type mismatch', session_type => 'DH-SHA1' ]) {
        my ($what, @lie) = @$lie;
        my $liar = OpenID2RP::Evil->new;
        $liar->lies(associate => @lie);
        my $browser = browser();
        my $begun = begin_login($browser, $APP, $liar->id('x'));
        is $begun->status, 303, "E: $what: the login begins without it";
        is OpenID2RP::Evil::asked($begun)->{assoc_handle}, undef,
            "E: $what: without it";
        accepted($browser->get($liar->assertion($begun)), $liar->id('x'),
                 "E: $what: control: who is asked, confirms");
    }
    asked();
}

# --- F. Attributes ----------------------------------------------------------

sub attributes {
    my $target = app('attributes/');
    my @ax = ('ns.ax' => $AX, 'ax.mode' => 'fetch_response',
              'ax.type.m' => $MAIL, 'ax.value.m' => 'v@example.com');
    my @sreg = ('ns.sreg' => $SREG, 'sreg.email' => 'v@example.com',
                'sreg.nickname' => 'v');
    my $with = sub {
        my ($name, @how) = @_;
        my $browser = browser();
        my $told = accepted($browser->get($op->assertion(
            begin_login($browser, $target, $ALICE), @how)), $ALICE,
            "F: $name");
        return { map { /\A(?:AX|SREG|EMAIL)/ ? ($_, $told->{$_}) : () }
                 keys %$told };
    };
    is $with->('control: AX', @ax)->{EMAIL}, 'v@example.com', 'F: control: AX';
    is $with->('control: SREG', @sreg)->{SREG_NICKNAME}, 'v',
        'F: control: SREG';
    for my $case ([ 'unsigned AX email', @ax, -unsigned => ['ax.value.m'] ],
                  [ 'type unsigned', @ax, -unsigned => ['ax.type.m'] ],
                  [ 'alias rebinding', @ax, -unsigned => ['ns.ax'] ],
                  [ 'unsigned SREG', @sreg,
                    -unsigned => [ 'sreg.email', 'sreg.nickname' ] ],
                  [ 'a count of 2147483647', @ax, 'ax.value.m' => undef,
                    'ax.count.m' => 2_147_483_647, 'ax.value.m.1' => 'x' ],
                  [ 'what nobody asked for', @sreg, 'sreg.email' => undef,
                    'sreg.nickname' => undef, 'sreg.gender' => 'F' ],
                  [ 'over-long AX', @ax, 'ax.value.m' => 'x' x 1_025 ]) {
        my ($what, @how) = @$case;
        my $seen = $with->($what, @how);
        is_deeply [ grep { !/\A(?:AX|SREG)\z/ } keys %$seen ], [],
            "F: $what: is no attribute" or diag explain $seen;
    }
    is $with->('over-long SREG', @sreg, 'sreg.email' => 'x' x 513)->{EMAIL},
        undef, 'F: over-long SREG: is no attribute';
    siege('F', { target => $target },
        map({ [ "a value with $_->[0]", 'bad-message',
                { @ax, 'ax.value.m' => $_->[1] } ] }
            [ 'a line end', "a\nX-Evil: b" ], [ 'a carriage return', "a\rb" ],
            [ 'a control character', "a\x01b" ], [ 'DEL', "a\x7fb" ],
            [ 'no UTF-8', "\xff" ]),
        [ 'two aliases for one URI', 'bad-message',
          { @ax, 'ns.ax2' => $AX } ]);
    # REMOTE_USER is the identifier, whatever the mail address.
    my $browser = browser();
    accepted($browser->get($evil->assertion(begin_login($browser, $target,
        $evil->id('mallory')), @sreg)), $evil->id('mallory'),
        'F: evil OP asserts V\'s email');
    asked();
}

# --- G and H. Discovery, fetching -------------------------------------------

sub discovery {
    my $document = $op->xrds({ uri => $op->endpoint })->{body};
    my @headers = (headers => ['Content-Type: application/xrds+xml']);
    my $n = 0;
    my $page = sub {
        my (%answer) = @_;
        my $path = '/g/' . ++$n;
        $evil->serves($path, { @headers, %answer });
        return $evil->url . $path;
    };
    my $with = sub { my ($dtd) = @_;
        return $document =~ s/(\?>\n)/$1$dtd\n/r };
    for my $case (
        [ 'external entity', body => $with->("<!DOCTYPE x [<!ENTITY e SYSTEM "
            . "\"$canary/e\">]>") =~ s{<URI>}{<URI>&e;}r ],
        [ 'external DTD',
          body => $with->("<!DOCTYPE x SYSTEM \"$canary/d\">") ],
        [ 'internal entity', body => $with->('<!DOCTYPE x [<!ENTITY e "'
            . $op->endpoint . '">]>') =~ s{<URI>.*?</URI>}{<URI>&e;</URI>}r ],
        [ 'billion laughs', body => $with->('<!DOCTYPE x [<!ENTITY a "ha">'
            . join('', map { my $l = chr($_); my $p = chr($_ - 1);
                "<!ENTITY $l \"" . "&$p;" x 10 . '">' } 98 .. 106) . ']>')
            =~ s{<URI>}{<URI>&j;}r ],
        [ 'truncated', body => substr $document, 0, -30 ],
        [ 'status 404', status => 404, body => $document ],
        [ 'wrong namespace', body => $document =~ s/xri:\/\/\$xrd/xri:\/\/x/r ],
        [ 'endpoint javascript:', body => $document =~
            s{<URI>.*?</URI>}{<URI>javascript:alert(1)</URI>}r ],
        [ 'endpoint with a line end', body => $document =~
            s{<URI>.*?</URI>}{<URI>$canary/&#13;&#10;Set-Cookie: a=b</URI>}r ],
    ) {
        my ($what, %answer) = @$case;
        my $id = $page->(%answer);
        asked();
        refusals();
        my $answer = browser()->post($APP, { openid_identifier => $id });
        my @log = refusals();
        is_deeply { names => [ sort keys %{ told($answer) } ],
                    sentence => is_sentence(told($answer)->{NOTICE}),
                    lines => scalar(@log), status => $answer->status,
                    others => [ grep { !/\AE GET/ } asked() ],
                    cookies => [ $answer->headers('Set-Cookie') ] },
            { names => ['NOTICE'], sentence => 1, lines => 1, status => 200,
              others => [], cookies => [] }, "G: $what: no login begins"
            or diag $answer->body;
    }
    is browser()->post($APP, { openid_identifier => $page->(
        body => $document) })->status, 303, 'G: control: without all that';
    asked();
}

sub fetching {
    my $form = sub { 'openid_identifier=' . encode($_[0]) };
    my ($port) = $canary =~ /:(\d+)/;
    my $redirects = sub {
        my ($path, $to) = @_;
        $evil->serves($path, { status => 302, headers => ["Location: $to"] });
        return $evil->url . $path;
    };
    for my $case (
        map({ [ "internal target $_", "http://$_:$port/", 'si_closed' ] }
            '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', 'localhost',
            '2130706433', '0x7f.1', '0177.1', 'localhost.'),
        map({ [ "internal target $_", "http://$_/" ] }
            '169.254.169.254', '10.0.0.1', '[fc00::1]', '192.168.0.1'),
        map({ [ "local scheme $_", "$_/etc/passwd" ] }
            'file://', 'gopher://127.0.0.1', 'dict://127.0.0.1',
            'ldap://127.0.0.1', 'ftp://127.0.0.1'),
        [ 'redirect to file:', $redirects->('/h/file', 'file:///etc/passwd') ],
        [ 'redirect to an internal target',
          $redirects->('/h/in', 'http://10.0.0.1/') ],
        [ 'redirect loop', $redirects->('/h/loop', $evil->url . '/h/loop') ],
        [ 'identifier request splitting', "http://127.0.0.1:$port/\r\nX: y" ],
    ) {
        my ($what, $id, $vhost) = @$case;
        asked();
        refusals();
        my $page = browser()->post(app('', $vhost), $form->($id));
        my @log = refusals();
        is scalar(@log), 1, "H: $what: one line of the log";
        noticed($page, "H: $what", body => $form->($id));
        is_deeply [ grep { /canary/ } asked() ], [],
            "H: $what: the canary is untouched";
    }
    is browser()->post(app('', 'si_closed'), $form->($canary))->status, 200,
        'H: control: not there';
    is scalar(asked()), 0, 'H: control: not there';
    browser()->post($APP, $form->($canary));
    isnt scalar(asked()), 0, 'H: control: where it may be asked, it is';
    refusals();
}

# --- I. The browser's side --------------------------------------------------

sub fetched {
    my ($site, $mode, $dest) = @_;
    return (headers => [ [ 'Sec-Fetch-Site', $site ],
                         [ 'Sec-Fetch-Mode', $mode // 'navigate' ],
                         [ 'Sec-Fetch-Dest', $dest // 'document' ] ]);
}

# An attacker's complete answer, in the browser of a victim: who has logins of
# her own, or none, or is signed in.
sub login_csrf {
    for my $target ($APP, $KEPT) {
        my $url = answered(my $mallory = browser(), $target, $BOB);
        my $waiting = browser();
        begin_login($waiting, $target, $ALICE);
        asked();
        refusals();
        for my $victim ([ 'a fresh browser', browser() ],
                        [ 'one with a login', $waiting ]) {
            my ($what, $browser) = @$victim;
            $what = "I: login CSRF, $target, $what";
            refused($browser->get($url), 'other-browser', $what);
            refused($browser->get($url, fetched('cross-site')),
                    'other-browser', "$what, by a link elsewhere");
            refused(bring($browser, $url, 'post'), 'other-browser',
                    "$what, by POST");
            nobody($browser->get($target), $what);
        }
        is_deeply [asked()], [], 'I: login CSRF: nobody is asked';
        accepted($mallory->get($url, fetched('cross-site')), $BOB,
                 'I: login CSRF: control: in its own browser');
    }
    # Who is signed in stays who she is.
    my $alice = browser();
    accepted($alice->get(answered($alice, $KEPT)), $ALICE, 'I: alice');
    my $url = answered(browser(), $KEPT, $BOB);
    refused($alice->get($url), 'other-browser', 'I: login CSRF, alice');
    is told($alice->get($KEPT))->{IDENTIFIER}, $ALICE,
        'I: login CSRF: alice stays alice';
    asked();
}

# A start from elsewhere: the application is told, and can ask for a click.
sub login_csrf_by_a_start {
    my $query = "$QUERY&openid_identifier=" . encode($BOB);
    my $get = url("/si/app?$query");
    my $form = 'openid_identifier=' . encode($BOB);
    asked();
    refusals();
    for my $site ('cross-site', 'same-site') {
        noticed(browser()->get($get, fetched($site)),
                "I: a link, $site", query => $query);
        noticed(browser()->post($APP, $form, fetched($site)),
                "I: a form, $site", body => $form);
    }
    for my $origin ('http://evil.example', 'null', '', 'http://localhost') {
        noticed(browser()->post($APP, $form, headers => [
            [ Origin => $origin ] ]), "I: a form of \"$origin\"",
            body => $form);
    }
    for my $dest (qw(iframe frame object embed)) {
        noticed(browser()->get($get, fetched('same-origin', 'navigate',
            $dest)), "I: in $dest", query => $query);
    }
    # A picture or a script is no start at all.
    for my $as ([ 'no-cors', 'image' ], [ 'cors', 'empty' ],
                [ 'no-cors', 'script' ]) {
        for my $by ('GET', 'POST') {
            my $page = $by eq 'GET' ? browser()->get($get,
                fetched('cross-site', @$as))
                : browser()->post($APP, $form, fetched('cross-site', @$as));
            nobody($page, "I: @$as, by $by");
            is_deeply [refusals(), $page->headers('Set-Cookie')], [],
                "I: @$as, by $by: is no start";
        }
    }
    is_deeply [asked()], [], 'I: starts from elsewhere: nobody is asked';
    is browser()->get($get, fetched('same-origin'))->status, 303,
        'I: control: a link of this site';
    is browser()->get($get, fetched('none'))->status, 303,
        'I: control: a bookmark';
    is browser()->post($APP, $form, headers => [
        [ Origin => $APP =~ m{\A(http://[^/]+)} ] ])->status, 303,
        'I: control: a form of this site';
    asked();
}

# A page that embeds an answer, and has given the browser the login's cookies.
sub answers_in_frames {
    my $browser = browser();
    my $url = answered($browser, $KEPT);
    asked();
    refusals();
    for my $site ('cross-site', 'same-site', 'same-origin') {
        for my $as ([ 'navigate', 'iframe' ], [ 'navigate', 'object' ],
                    [ 'no-cors', 'image' ], [ 'cors', 'empty' ]) {
            my $page = $browser->get($url, fetched($site, @$as));
            my $told = told($page);
            is_deeply { code => $told->{ERROR_CODE}, log => [refusals()],
                        who => $told->{IDENTIFIER}, sessions =>
                        sessions($page), traces => {asked_with($page)}
                            ->{traces} },
                { code => 'other-browser', log => ['other-browser'],
                  who => undef, sessions => 0, traces => [] },
                "I: an answer as @$as, $site" or diag explain $told;
            my ($key, $message) = parts($url);
            $page = $browser->post($key, $message, fetched($site, @$as));
            is $page->status, 303, "I: by POST as @$as, $site: comes again";
            $page = $browser->get($key, fetched($site, @$as));
            is told($page)->{ERROR_CODE}, 'other-browser',
                "I: by POST as @$as, $site: refused";
            refusals();
        }
    }
    is_deeply [asked()], [], 'I: an answer in frames: nobody is asked';
    nobody($browser->get($KEPT), 'I: an answer in frames');
    accepted($browser->get($url, fetched('cross-site')), $ALICE,
             'I: an answer in frames: control: as a page');
}

sub cookie_tossing {
    for my $case ([ 'a token', 'D' x 22 ], [ 'no token', 'x' ],
                  [ 'a hundred', map { sprintf 'D%021d', $_ } 1 .. 100 ]) {
        my ($what, @bogus) = @$case;
        my $browser = browser();
        my $url = answered($browser);
        my ($own) = values %{ $browser->{jar} };
        my $cookies = join '; ', map { "$own->{name}=$_" } @bogus;
        asked();
        refusals();
        refused(browser()->get($url, headers => [ [ Cookie => $cookies ] ]),
                'other-browser', "I: cookie tossing: $what alone");
        accepted(browser()->get($url, headers => [ [ Cookie =>
            "$cookies; $own->{name}=$own->{value}" ] ]), $ALICE,
            "I: cookie tossing: $what before the login's");
    }
    # The login of one, the cookie of another.
    my ($one, $two) = map { browser() } 1, 2;
    my ($first, $second) = map { answered($_) } $one, $two;
    my ($mine) = values %{ $two->{jar} };
    my ($name) = map { $_->{name} } values %{ $one->{jar} };
    refusals();
    refused(browser()->get($first, headers => [ [ Cookie =>
        "$name=$mine->{value}" ] ]), 'other-browser',
        "I: another browser's KEY, with a cookie of its own");
    accepted($one->get($first), $ALICE, "I: another browser's KEY: control");
    asked();
}

# Whoever sets a cookie before a login knows nothing afterwards.
sub fixation {
    my $known = 'F' x 22;
    my $browser = browser();
    $browser->{jar}{fixed} = { name => 'openid2rp', value => $known,
        host => 'localhost', path => '/', secure => 0, samesite => '' };
    my $page = $browser->get(answered($browser, $KEPT));
    accepted($page, $ALICE, 'I: fixation: control');
    my ($line) = grep { /\Aopenid2rp=/ } $page->headers('Set-Cookie');
    my ($fresh) = $line =~ /\Aopenid2rp=([^;]*)/;
    like $fresh, qr/\A[\w-]{22}\z/, 'I: fixation: 128 bits';
    isnt $fresh, $known, 'I: fixation: a fresh session';
    like $line, qr/; *HttpOnly/i, 'I: its cookie: HttpOnly';
    like $line, qr/; *SameSite=Lax/i, 'I: its cookie: SameSite';
    like $line, qr{; *Path=/(?:;|\z)}i, 'I: its cookie: Path';
    my $of = sub { browser()->get($KEPT, headers => [ [ Cookie =>
        "openid2rp=$_[0]" ] ]) };
    nobody($of->($known), 'I: fixation: the known one');
    is told($of->($fresh))->{IDENTIFIER}, $ALICE, 'I: control: the fresh one';
    is $browser->get(url('/si/kept/out'))->status, 303, 'I: logout';
    nobody($of->($fresh), 'I: logout: on the server');
    # Where sessions are off, none begins, and none is read.
    my $other = browser();
    $page = $other->get(answered($other, $APP));
    is sessions($page), 0, 'I: OpenIDSession off: no session';
    my $kept = browser();
    $kept->get(answered($kept, $KEPT));
    is told($kept->get($KEPT))->{IDENTIFIER}, $ALICE, 'I: control: kept';
    nobody($kept->get($APP), 'I: OpenIDSession off: not that of a neighbour');
    asked();
    refusals();
}

# Every redirect is to this site, but for the one to the provider.
sub open_redirects {
    my $port = port_of();
    my ($origin) = $APP =~ m{\A(http://[^/]+)};
    my $identifier = 'openid_identifier=' . encode($ALICE);
    for my $path ('//evil.example/si/app', '///evil.example/si/app',
                  '/\\evil.example/si/app', '//evil.example/%2e%2e/si/app',
                  '/%09/evil.example/../../si/app', '/si/app//evil.example',
                  '/si/app/\\evil.example', '/si/app;@evil.example') {
        my $browser = browser();
        my $at = sub { exchange($port, $browser->request($_[0],
            "$origin/", $_[1], headers => [ $_[1] ? [ 'Content-Type' =>
                'application/x-www-form-urlencoded' ] : () ])
            =~ s{\A(\w+) / }{$1 $path$_[2] }r, "$origin/") };
        for my $page ($at->('GET', undef, "?$identifier"),
                      $at->('POST', $identifier, ''),
                      $at->('GET', undef, '?openid_return=' . 'A' x 22),
                      $at->('POST', 'openid.mode=cancel',
                            '?openid_return=' . 'A' x 22)) {
            my $to = $page->header('Location');
            next if !defined $to;
            my $good = index($to, "$origin/") == 0
                && $to !~ m{\A\Q$origin\E/[/\\]};
            $good = (OpenID2RP::Evil::asked($page)->{return_to} // '')
                =~ m{\A\Q$origin\E/(?![/\\])}
                if index($to, $op->endpoint) == 0;
            ok $good, "I: open redirect: $path: stays here" or diag $to;
        }
    }
    # Where the login leads to is the path, not what a parameter says.
    asked();
    refusals();
    my $browser = browser();
    my $url = answered($browser, "$APP&target=//evil.example/&openid_target="
                       . '//evil.example/');
    my $page = $browser->get($url);
    accepted($page, $ALICE, 'I: open redirect: parameters', query => "$QUERY&"
             . 'target=//evil.example/&openid_target=//evil.example/');
    is $page->header('Location'), undef, 'I: open redirect: none at all';
    asked();
    refusals();
}

# Line ends and markup, on the way to variables, headers and the log.
sub line_ends {
    OpenID2RP::Test::error_log();
    for my $case ([ 'CR LF', "http://x.example/\r\nSet-Cookie: a=b" ],
                  [ 'LF', "x\n[error] forged line" ],
                  [ 'markup', '"><script>alert(1)</script>' ],
                  [ 'a host with controls', "http://a\x01\x7fb.example/" ],
                  [ 'C1', "http://x\xc2\x85y.example/" ],
                  [ 'long', 'x' x 3000 ], [ 'longer', 'y' x 30_000 ],
                  [ 'wide', "\xe2\x82\xac" x 900 ]) {
        my ($what, $id) = @$case;
        my $form = 'openid_identifier=' . encode($id);
        my $page = browser()->post($APP, $form);
        my @log = error_log();
        my $told = told($page);
        is_deeply [ $page->status, keys %$told ], [ 200, 'NOTICE' ],
            "I: an identifier with $what: a notice";
        ok is_sentence($told->{NOTICE}), "I: an identifier with $what: text"
            or diag $told->{NOTICE};
        is env_of($page)->{BODY}, $form, "I: an identifier with $what: the "
            . 'form arrives';
        is_deeply [ grep { !/\A\[\w\w\w \w\w\w/ } @log ], [],
            "I: an identifier with $what: no forged line";
        is scalar(grep { /login refused/ } @log), 1,
            "I: an identifier with $what: one line";
        is_deeply [ $page->headers('Set-Cookie') ], [],
            "I: an identifier with $what: no header";
    }
    # Of more than one identifier none is taken; what cannot be read, is none.
    my ($one, $two) = map { 'openid_identifier=' . encode($_) } $ALICE, $BOB;
    noticed(browser()->post($APP, "$one&$two"), 'I: two identifiers',
            body => "$one&$two", log => ['bad-identifier']);
    noticed(browser()->post("$APP&$two", $one), 'I: one here, one there',
            body => $one, query => "$QUERY&$two", log => ['bad-identifier']);
    for my $broken ("$one%00", "$one%", "$one&a=%zz") {
        my $page = browser()->post($APP, $broken);
        nobody($page, "I: an identifier that cannot be read: $broken");
        is_deeply [ env_of($page)->{BODY}, refusals(), asked(),
                    $page->headers('Set-Cookie') ], [$broken],
            "I: an identifier that cannot be read: $broken: passes";
    }
    # A path with line ends is no target.
    my $page = browser()->get(url('/si/app/%0d%0aSet-Cookie:%20a=b')
                              . '?openid_identifier=' . encode($ALICE));
    isnt $page->status, 303, 'I: a path with line ends begins no login';
    is_deeply [ $page->headers('Set-Cookie') ], [],
        'I: a path with line ends: no header';
    asked();
    refusals();
}

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

# --- J. Exhaustion ----------------------------------------------------------

sub too_many_starts {
    my $target = app('', 'si_limit');
    my $browser = browser();
    asked();
    refusals();
    is_deeply [ map { begin_login(browser(), $target, $ALICE)->status }
                1 .. 2 ], [ 303, 303 ], 'J: as many starts as may';
    asked();
    for my $send (sub { begin_login($browser, $target, $ALICE) },
                  sub { $browser->get("$target&openid_identifier="
                                      . encode($ALICE)) }) {
        my $page = $send->();
        is $page->status, 429, 'J: one more does not reach the application';
        like $page->header('Retry-After') // '', qr/\A[1-9]\d*\z/,
            'J: one more: Retry-After';
        unlike $page->body, qr/^QUERY_STRING=/m, 'J: nothing of it';
        is_deeply [asked(), $page->headers('Set-Cookie')], [],
            'J: one more: nobody is asked';
    }
    like join(' ', refusals()), qr/\Arate-limited\b/, 'J: the log says so';
    nobody($browser->get($target), 'J: other requests pass');
}

# Without a store nobody signs in, and the application works.
sub a_store_that_is_away {
    my $headers = join ' ', grep { /\ALoadModule headers_module/ }
        lines_of('t/inherited.conf');
    my $httpd = OpenID2RP::Httpd->new;
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure($headers, "OpenIDStore dbm:$dir/logins",
        'OpenIDAssociate never', '<Location "/">', 'AuthType None',
        'Require all granted', 'OpenIDIntercept On', 'OpenIDSession store',
        map({ "Header always set X-$_ \"%{OPENID2RP_$_}e\"" }
            qw(IDENTIFIER ERROR_CODE NOTICE)), '</Location>');
    ok $httpd->start, 'J: httpd starts' or die $httpd->says;
    my $told = sub {
        my ($page) = @_;
        return { status => $page->status, map { my $v = $page->header("X-$_");
            defined $v && $v ne '(null)' ? ($_ => $v) : () }
            qw(IDENTIFIER ERROR_CODE) };
    };
    my $browser = browser();
    my $member = browser();
    my $in = $told->($member->get($op->assertion(begin_login($member,
        $httpd->page, $ALICE))));
    is_deeply $in, { status => 200, IDENTIFIER => $ALICE },
        'J: control: somebody signs in';
    my $url = $op->assertion(begin_login($browser, $httpd->page, $ALICE));
    chmod 0, glob "$dir/*";
    my $page = begin_login(browser(), $httpd->page, $ALICE);
    is_deeply $told->($page), { status => 200 },
        'J: store outage: a start reaches the application';
    like $page->header('X-NOTICE'), qr/\A[A-Z].*\.\z/,
        'J: store outage: with a notice';
    is_deeply $told->($browser->get($url)),
        { status => 200, ERROR_CODE => 'store-failed' },
        'J: store outage: an answer is refused';
    is_deeply $told->($member->get($httpd->page)), { status => 200 },
        'J: store outage: a session is none meanwhile';
    chmod 0600, glob "$dir/*";
    ok OpenID2RP::Process::wait_for(sub { ($told->($browser->get($url))
        ->{IDENTIFIER} // '') eq $ALICE }), 'J: control: afterwards it is one';
    ok $httpd->stop, 'J: httpd stops';
    is_deeply [ $httpd->crashes ], [], 'J: no child has crashed';
    asked();
}
