#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Hostile inputs, group D: answers that are meant for another site, page or
# login, and requests that want us to have another name. All of them are signed
# as well as they can be. Those that are late, or used before, are in nonce.t.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;

my $APP = url('/security/app');
my $STATELESS = url('/security/app', 'security_stateless');
my $FORM = 'application/x-www-form-urlencoded';
my $ELSEWHERE = [403, 'return-to-mismatch'];
my $REPLAYED = [403, 'nonce-replayed'];

op_reset();
my $OP = OpenID2RP::Evil->new;
my $ALICE = $OP->id('alice');

# How an answer is verified, as arguments of attacks().
my %WAY = (
    'with an association' => [ op => $OP ],
    'by asking' => [ op => $OP, target => $STATELESS ],
    'OpenID 1.1' => [ op => $OP, id => $OP->id1('alice'),
                      control => { -version => 1 } ],
);

assertion_for_another_rp();
return_to_component_mismatch();
return_to_in_other_spellings();
brought_to_another_page();
extra_unsigned_parameters();
cross_login_swap();
cross_vhost_replay();
host_poisoning();
host_poisoning_of_an_answer();
names_that_are_only_headers();
no_host_header();
done_testing;

# ---------------------------------------------------------------------------

# A login that waits for its answer: the browser, the redirect to the provider.
sub begun {
    my ($target, $id) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $target // $APP, $id // $ALICE);
    $OP->calls;
    return ($browser, $begun);
}

sub accepted {
    my ($page, $target, $name) = @_;
    is_deeply [ scalar $page->header('Location'), refusals() ], [ $target ],
        $name
        or diag $page->alert // $page->body;
}

# An attack of attacks(): an answer with these fields, signed.
sub signed {
    my ($what, $refusal, $change, @asked) = @_;
    return [ $what, $refusal, sub {
        my ($browser, undef, $begun) = @_;
        my $asked = OpenID2RP::Evil::asked($begun);
        my $v1 = !defined $asked->{ns};
        $browser->get($OP->assertion($begun, $v1 ? (-version => 1) : (),
            ref $change eq 'CODE' ? $change->($asked) : %$change));
    }, @asked ];
}

# The same, for another return_to: a function of the true one.
sub returning {
    my ($what, $refusal, $to) = @_;
    return signed($what, $refusal,
                  sub { (return_to => $to->($_[0]{return_to})) });
}

# ---------------------------------------------------------------------------
# Where it goes

# 11.1: a provider, or whoever runs a site, brings us what was signed for
# another site.
sub assertion_for_another_rp {
    my $other = port_of('security_other');
    for my $way (sort keys %WAY) {
        attacks("assertion for another RP, $way", [
            map({ my $to = $_;
                  returning($to, $ELSEWHERE, sub { $to }) }
                'http://other.example/', 'http://other.example',
                'https://other.example/return?openid.x=1',
                'http://other.example/security/app', url('/'), url('/op/'),
                url('/security/app', 'security_other'), '*', 'http://*/',
                'http://*.localhost/', 'x'),
            returning('the key at another site', $ELSEWHERE,
                sub { $_[0] =~ s{http://[^/]+}{http://other.example}r }),
            returning('our address as a parameter', $ELSEWHERE,
                sub { 'http://other.example/?to=' . encode($_[0]) }),
            returning('our address in the path', $ELSEWHERE,
                sub { "http://other.example/$_[0]" }),
            returning('our address in the fragment', $ELSEWHERE,
                sub { "http://other.example/#$_[0]" }),
            returning('our other site', $ELSEWHERE,
                sub { $_[0] =~ s/:\d+/:$other/r }),
        ], @{ $WAY{$way} });
    }
}

# Each a function of http://localhost:PORT/security/app?openid_return=KEY.
sub return_to_component_mismatch {
    my %to = (
        'the scheme' => sub { s/http:/https:/r },
        'the scheme, which is none' => sub { s/http:/ftp:/r },
        'no scheme' => sub { s/http://r },
        'a scheme that does things' => sub { "javascript:$_" },
        'the port' => sub { s/:(\d+)/':' . ($1 + 1)/er },
        'no port' => sub { s/:\d+//r },
        'another port before it' => sub { s/:(\d+)/:80:$1/r },
        'a port with a digit more' => sub { s/:(\d+)/:${1}0/r },
        'a port that wraps' => sub { s/:(\d+)/':' . ($1 + 65_536)/er },
        'the host' => sub { s/localhost/127.0.0.1/r },
        'the host, in IPv6' => sub { s/localhost/[::1]/r },
        'the host with a dot' => sub { s/localhost/localhost./r },
        'a host that begins like it'
            => sub { s/localhost/localhost.evil.example/r },
        'a host that ends like it' => sub { s/localhost/evil.localhost/r },
        'a host that looks like it'
            => sub { s/localhost/l\xD0\xBEcalhost/r },
        'a user' => sub { s{//}{//evil\@}r },
        'a user that looks like it'
            => sub { s{(//[^/]+)}{$1\@evil.example}r },
        'a path with a slash more' => sub { s{app\?}{app/?}r },
        'a path with more' => sub { s/app\?/appx?/r },
        'a path with less' => sub { s/app\?/ap?/r },
        'a path in capitals' => sub { s/app\?/App?/r },
        'the folder' => sub { s{/app\?}{/?}r },
        'no path' => sub { s{/security/app}{}r },
        'a path that is doubled' => sub { s{/security/}{/security//}r },
        'two slashes before the path' => sub { s{/security}{//security}r },
        'a path with a parameter' => sub { s/app\?/app;x=1?/r },
        'an escaped slash' => sub { s{/app}{%2Fapp}r },
        'an escaped question mark' => sub { s/\?/%3F/r },
        'a path that leaves the folder' => sub { s{app\?}{../app?}r },
        'a backslash' => sub { s{/app}{\\app}r },
        'backslashes' => sub { tr{/}{\\}r },
        'no parameters' => sub { s/\?.*//r },
        'an empty query' => sub { s/\?.*/?/r },
        'the parameter without its value' => sub { s/=.*/=/r },
        'the parameter without a sign' => sub { s/=.*//r },
        'the value with more' => sub { "${_}x" },
        'the value with less' => sub { s/.\z//r },
        'the value in other letters'
            => sub { s/=(.*)/'=' . ($1 =~ tr{A-Za-z}{a-zA-Z}r)/er },
        'another value' => sub { s/=.*/'=' . 'A' x 22/er },
        'the name in capitals' => sub { s/openid_return/OPENID_RETURN/r },
        'a parameter added' => sub { "$_&x=1" },
        'a parameter added before' => sub { s/\?/?x=1&/r },
        'the parameter twice' => sub { s/\?(.*)/?$1&$1/r },
        'the parameter and an empty one' => sub { "$_&" },
        'a semicolon' => sub { "$_;x=1" },
        'a space behind' => sub { "$_ " },
        'a space before' => sub { " $_" },
        'the scheme alone' => sub { 'http:' },
        'one slash' => sub { s{//}{/}r },
        'three slashes' => sub { s{//}{///}r },
        'it twice' => sub { "$_$_" },
        'it twice, with a comma' => sub { "$_,$_" },
        'escaped' => sub { encode($_) },
        'a broken escape' => sub { "$_%" },
        'a path only' => sub { s{\Ahttp://[^/]+}{}r },
        'an XRI' => sub { '=alice' },
        'much too long' => sub { s/app\?/'app' . 'x' x 4000 . '?'/er },
    );
    for my $way (sort keys %WAY) {
        attacks("return_to component mismatch, $way", [
            map({ my $to = $to{$_};
                  returning($_, $ELSEWHERE,
                            sub { local $_ = $_[0]; $to->() }) }
                sort keys %to),
            map({ my ($what, $text) = @$_;
                  returning($what, [400, 'bad-message'], sub { $text }) }
                [ 'empty' => '' ], [ 'missing' => undef ],
                [ 'a newline' => "$APP\n" ], [ 'a NUL' => "$APP\0" ]),
        ], @{ $WAY{$way} });
    }
}

# RFC 3986, 6.2.2: these are the same address, and no attack.
sub return_to_in_other_spellings {
    my %to = (
        'a scheme in capitals' => sub { s/http:/HTTP:/r },
        'a host in capitals' => sub { s/localhost/LOCALHOST/r },
        'an escaped letter' => sub { s/app\?/%61pp?/r },
        'an escaped letter in the key' => sub {
            s/=([\w-])/'=' . sprintf '%%%02x', ord $1/er },
        'dots' => sub { s{/security/}{/x/.././security/}r },
    );
    for my $what (sort keys %to) {
        my ($browser, $begun) = begun();
        my $asked = OpenID2RP::Evil::asked($begun);
        local $_ = $asked->{return_to};
        accepted($browser->get($OP->assertion($begun,
            return_to => $to{$what}->())), $APP, "return_to with $what");
        insider($browser, $APP, $ALICE, "return_to with $what");
    }
}

# The address that it is brought to has to be the same as well (11.1).
sub brought_to_another_page {
    my %to = (
        'another page' => '/security/other', 'below it' => '/security/app/x',
        'above it' => '/security/', 'with a slash' => '/security/app/',
        'in capitals' => '/security/APP', 'with more' => '/security/appx',
        'doubled slashes' => '/security//app', 'with a parameter in it'
            => '/security/app;x', 'an escaped question mark'
            => '/security/app%3F',
        'another application' => '/security_logout/app',
    );
    for my $way (sort keys %WAY) {
        attacks("brought to another page, $way", [ map { my $to = $_; map {
            my $resigned = $_;
            [ "$to: $to{$to}" . ($resigned ? ', which is signed' : ''),
              $ELSEWHERE, sub {
                my ($browser, $url, $begun) = @_;
                my $asked = OpenID2RP::Evil::asked($begun);
                $url = $OP->assertion($begun, $way =~ /1\.1/
                    ? (-version => 1) : (), return_to =>
                    $asked->{return_to} =~ s{/security/app}{$to{$to}}r)
                    if $resigned;
                return $browser->get($url =~ s{/security/app\?}{$to{$to}?}r);
            } ] } 0, 1 } sort keys %to ], @{ $WAY{$way} });
    }
    my ($browser, $begun) = begun();
    accepted($browser->get($OP->assertion($begun)
                           =~ s{/security/app\?}{/security/%61pp?}r), $APP,
             'brought to the same page in another spelling');
}

# 11.1 wants the parameters of return_to in the address, not only them.
sub extra_unsigned_parameters {
    my $evil = 'http%3A%2F%2Fevil.example%2F';
    my @extra = (map({ "$_=$evil" } qw(target openid_target return_to
        openid_return_to redirect next url openid_identifier openid_url
        openid_error openid_login origin host realm Location logout
        openid-return Openid_Return openid_returns openid.target
        openid.redirect openid.origin openid.realm openid.trust_root
        openid.user_setup_url openid.login openid.display)),
        'openid_identifier=', 'a', 'a=b=c', "%2e%2e%2f=$evil",
        'openid.session_type=no-encryption&openid.assoc_type=HMAC-SHA1'
        . '&openid.mac_key=AAAA&openid.expires_in=1');
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        my @mine = $way =~ /1\.1/
            ? grep({ !/user_setup_url/ } @extra) : @extra;
        for my $place ('behind', 'before', 'POST') {
            my $name = "extra unsigned parameters, $way, $place";
            my $target = ($is{target} // $APP) . '?q=1&target=x&&=%20';
            my $id = $is{id} // $ALICE;
            my ($browser, $begun) = begun($target, $id);
            my ($key, $message)
                = parts($OP->assertion($begun, %{ $is{control} // {} }));
            my $more = join '&', @mine;
            my $page = $place eq 'POST'
                ? $browser->post($key, "$more&$message")
                : $browser->get($place eq 'behind' ? "$key&$message&$more"
                    : ($key =~ s/\?/?$more&/r) . "&$message");
            accepted($page, $target, "$name: they lead nowhere");
            unlike join("\n", map { "@$_" } @{ $page->{headers} }),
                qr/evil/, "$name: and stand in no header";
            insider($browser, $target, $id, $name);
            is_deeply [ $OP->calls ], $way eq 'by asking'
                ? ['check_authentication'] : [], "$name: nobody else is asked";
        }
    }
}

# ---------------------------------------------------------------------------
# Whose it is

# Two logins of one browser; the answer of one for the other.
sub cross_login_swap {
    for my $way (sort keys %WAY) {
        my %is = @{ $WAY{$way} };
        my $target = $is{target} // $APP;
        my $v1 = $way =~ /1\.1/;
        my ($alice, $bob) = map { $v1 ? $OP->id1($_) : $OP->id($_) }
            qw(alice bob);
        my @sign = %{ $is{control} // {} };
        my $asked = $way eq 'by asking' ? ['check_authentication'] : [];
        my $browser = browser();
        my ($one, $two, $three) = map { begin_login($browser, $target, $_) }
            $alice, $bob, $alice;
        my ($first, $second, $third)
            = map { $OP->assertion($_, @sign) } $one, $two, $three;
        my %key = map { $_ => (parts($_))[0] } $first, $second, $third;
        $OP->calls;
        my $swap = sub {
            my ($what, $refusal, $url, $calls) = @_;
            refused($browser->get($url), @$refusal,
                    "cross-login swap, $way: $what");
            is_deeply [$OP->calls], $calls // [],
                "cross-login swap, $way: $what: who is asked";
        };
        for my $case ([ 'another user', $first, $second ],
                      [ 'the same user', $first, $third ],
                      [ 'the other way round', $second, $first ]) {
            my ($what, $from, $into) = @$case;
            my $message = (parts($from))[1];
            my $to = encode($key{$into});
            $swap->($what, $ELSEWHERE, "$key{$into}&$message");
            my $same = $what eq 'the same user';
            $swap->("$what, with return_to made to fit",
                [403, $same ? 'bad-signature' : 'identity-mismatch'],
                "$key{$into}&" . ($message
                    =~ s/(openid\.return_to=)[^&]*/$1$to/r),
                $same ? $asked : []);
        }
        $swap->('signed again for the other', [403, 'identity-mismatch'],
                $OP->assertion($two, @sign, identity => $alice,
                               $v1 ? () : (claimed_id => $alice)));
        outsider($browser, $target, "cross-login swap, $way");
        accepted($browser->get($second), $target,
                 "cross-login swap, $way: control: each in its own");
        insider($browser, $target, $bob, "cross-login swap, $way: control");
        accepted($browser->get($third), $target,
                 "cross-login swap, $way: control: and the next one");
        insider($browser, $target, $alice, "cross-login swap, $way: control");
    }
}

# Two sites with one store, and browsers that send cookies to both. Two httpds
# on one store are in processes.t.
sub cross_vhost_replay {
    my $there = url('/security/app', 'security_other');
    my $move = sub { $_[0] =~ s/\Q$APP\E/$there/r };
    for my $way ('with an association', 'OpenID 1.1') {
        attacks("cross-vhost replay, $way", [
            [ 'as it is', [403, 'no-login'],
              sub { $_[0]->get($move->($_[1])) } ],
            [ 'by POST', [403, 'no-login'], sub {
                my ($key, $message) = parts($move->($_[1]));
                $_[0]->post($key, $message) } ],
            [ 'with return_to signed for it', [403, 'no-login'], sub {
                my $to = OpenID2RP::Evil::asked($_[2])->{return_to};
                $_[0]->get($move->($OP->assertion($_[2], $way =~ /1\.1/
                    ? (-version => 1) : (), return_to => $move->($to)))) } ],
        ], @{ $WAY{$way} });
    }
    # What is good at one site is no session at the other.
    my ($browser, $begun) = begun();
    my $url = $OP->assertion($begun);
    my $before = $browser->twin;
    accepted($browser->get($url), $APP, 'cross-vhost replay: here, in');
    outsider($browser, $there, 'cross-vhost replay: but not there');
    refused($before->get($move->($url)), 403, 'no-login',
            'cross-vhost replay: used here, brought there');
    # The store of both knows the nonce.
    my ($nonce) = $url =~ /openid\.response_nonce=([^&]*)/;
    attack('cross-vhost replay: a nonce of another site', $REPLAYED, op => $OP,
           target => $there, change => { response_nonce => decode($nonce) });
}

# ---------------------------------------------------------------------------
# What we are called

# A start, as bytes: with this in its first line, and these headers in place of
# Host.
sub start {
    my ($method, $path, $version, @headers) = @_;
    my $form = 'openid_identifier=' . encode($ALICE);
    return join("\r\n", $method eq 'GET' ? "GET $path?$form $version"
        : "POST $path $version", @headers, 'Connection: close',
        'Accept: text/html', $method eq 'POST' ? ("Content-Type: $FORM",
            'Content-Length: ' . length $form) : (), '', '')
        . ($method eq 'POST' ? $form : '');
}

# No name in here may reach a provider, or come back.
sub has_evil {
    my ($page) = @_;
    return scalar grep { /evil|attacker/i } map({ decode("@$_") }
        @{ $page->{headers} }), $page->body;
}

# Names that are not ours: as the headers of a request, and its path.
sub evil_hosts {
    my $port = port_of();
    my $other = port_of('security_other');
    return (map({ [ $_, '/security/app', "Host: $_" ] }
        'evil.example', "evil.example:$port", 'evil.example:80',
        'localhost:1', "localhost:$other", 'localhost:65535',
        "localhost.evil.example:$port", "evil.localhost:$port",
        "127.0.0.1:$port", "[::1]:$port", "localhost:$port.evil.example",
        "localhost:$port\@evil.example", "evil\@localhost:$port",
        "localhost:$port:evil", "localhost,evil.example", 'localhost evil',
        "localhost:$port, evil.example", "localhost:$port/evil",
        "localhost:$port?evil", "localhost:$port#evil", "evil.example#",
        'localhost:evil', "localhost:-1", "localhost:$port\tevil",
        'http://evil.example', '//evil.example', '*', '..', '.', ':', '[', ']',
        "evil.example\\localhost", "localhost\\.evil", "%6Cocalhost:$port",
        "evil%00localhost", "\"><script>evil</script>", '${evil}',
        "\xC3\xA9vil.example", 'evil' x 100 . '.example', 'x' x 4000),
        [ 'an absolute form', "http://evil.example/security/app",
          "Host: localhost:$port" ],
        [ 'an absolute form with a port',
          "http://evil.example:$port/security/app",
          "Host: localhost:$port" ],
        [ 'an absolute form with our name for a user',
          "http://localhost:$port\@evil.example/security/app",
          "Host: localhost:$port" ],
        [ 'an absolute form of another port',
          "http://localhost:$other/security/app", "Host: localhost:$port" ],
        [ 'two Host headers', '/security/app', "Host: localhost:$port",
          'Host: evil.example' ],
        [ 'two Host headers, the other way round', '/security/app',
          'Host: evil.example', "Host: localhost:$port" ],
        [ 'a Host header that is folded', '/security/app',
          "Host: localhost:$port\r\n evil.example" ],
        [ 'a space before the colon', '/security/app',
          'Host : evil.example' ],
    );
}

sub host_poisoning {
    for my $case (evil_hosts()) {
        my ($what, $path, @headers) = @$case;
        $what = "host poisoning: " . substr $what, 0, 60;
        for my $method ('GET', 'POST') {
            refusals();
            my $page = exchange(port_of(), start($method, $path, 'HTTP/1.1',
                                                 @headers), $APP);
            my $status = $page ? $page->status : 'no answer';
            is_deeply { status => $status =~ /\A4(?:00|21)\z/ ? 'refused'
                            : $status,
                        to => scalar($page && $page->header('Location')),
                        cookies => [ $page ? $page->headers('Set-Cookie')
                                     : () ],
                        asked => [ $OP->calls ],
                        evil => $status == 421 ? has_evil($page) : 0 },
                { status => 'refused', to => undef, cookies => [],
                  asked => [], evil => 0 }, "$what, by $method";
        }
        # The login page asks to send what is typed to the same address.
        my $page = exchange(port_of(), join("\r\n", "GET $path HTTP/1.1",
            @headers, 'Accept: text/html', 'Connection: close', '', ''), $APP);
        like $page ? $page->status : 'no answer', qr/\A4(?:00|21)\z/,
            "$what: no login page";
    }
    is exchange(port_of(), start('POST', '/security/app', 'HTTP/1.1',
        'Host: localhost:' . port_of()), $APP)->status, 303,
        'control: under its own name, a login begins';
    # With a public address of its own, the name plays no part.
    my $port = port_of('security_base');
    my $page = exchange($port, start('POST', '/security/app', 'HTTP/1.1',
                                     'Host: evil.example'), $APP);
    is return_to_of($page), $APP,
        'host poisoning: with OpenIDBaseURL, the name plays no part';
    is has_evil($page), 0, 'host poisoning: and is nowhere to be seen';
}

# Where the provider is to send the browser, without the key; and the realm has
# to be that of the same site.
sub return_to_of {
    my ($page) = @_;
    my $asked = OpenID2RP::Evil::asked($page);
    my ($site) = $asked->{return_to} =~ m{\A(http://[^/]+/)};
    my $realm = $asked->{realm} // $asked->{trust_root} // 'none';
    return $realm eq ($site // '') ? $asked->{return_to} =~ s/\?.*//r
        : "$asked->{return_to}, but $realm";
}

sub host_poisoning_of_an_answer {
    my ($browser, $begun) = begun();
    my $url = $OP->assertion($begun);
    my $cookies = $browser->cookies($url);
    for my $case (evil_hosts()) {
        my ($what, $path, @headers) = @$case;
        $what = 'host poisoning of an answer: ' . substr $what, 0, 60;
        my ($query) = $url =~ /(\?.*)/;
        refusals();
        my $page = exchange(port_of(), join("\r\n", "GET $path$query HTTP/1.1",
            @headers, "Cookie: $cookies", 'Accept: text/html',
            'Connection: close', '', ''), $APP);
        my $status = $page ? $page->status : 'no answer';
        is_deeply { status => $status =~ /\A4(?:00|21)\z/ ? 'refused'
                        : $status,
                    to => scalar($page && $page->header('Location')),
                    cookies => [ $page ? $page->headers('Set-Cookie') : () ] },
            { status => 'refused', to => undef, cookies => [] }, $what;
    }
    is_deeply [$OP->calls], [], 'host poisoning of an answer: nobody is asked';
    refusals();
    accepted($browser->get($url), $APP,
             'control: under its own name, the answer signs in');
}

# Nobody has said that these are to be believed.
sub names_that_are_only_headers {
    my @headers = ('X-Forwarded-Host: evil.example',
        'X-Forwarded-Host: localhost, evil.example',
        'X-Forwarded-Proto: https', 'X-Forwarded-Scheme: https',
        'X-Forwarded-Port: 666', 'X-Forwarded-Ssl: on',
        'X-Forwarded-Server: evil.example', 'X-Forwarded-Prefix: /evil',
        'X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Path: /evil',
        'Forwarded: host=evil.example;proto=https',
        'Forwarded: for=192.0.2.1;host="evil.example:666"',
        'Forwarded: for=x, host=evil.example', 'X-Host: evil.example',
        'X-Original-Host: evil.example', 'X-Original-URL: /evil',
        'X-Rewrite-URL: /evil', 'X-HTTP-Host-Override: evil.example',
        'Front-End-Https: on', 'Referer: http://evil.example/',
        'X-HTTP-Method-Override: PUT', 'X-Real-IP: evil',
        'Via: 1.1 evil.example', 'X-Script-Name: /evil', 'SERVER_NAME: evil',
        'Server-Name: evil.example', 'HTTP_HOST: evil.example');
    my $host = 'Host: localhost:' . port_of();
    for my $case (map({ [ $_ ] } @headers), [ grep { !/Method|_/ } @headers ]) {
        my $what = @$case > 1 ? 'all of them' : $case->[0];
        for my $order ([ @$case, $host ], [ $host, @$case ]) {
            my $page = exchange(port_of(), start('POST', '/security/app',
                'HTTP/1.1', @$order), $APP);
            is return_to_of($page), $APP, "a header only: $what";
            is has_evil($page), 0, "a header only: $what: it is nowhere";
        }
    }
    my $page = exchange(port_of(), start('POST',
        'http://localhost:' . port_of() . '/security/app', 'HTTP/1.1',
        'Host: evil.example'), $APP);
    # RFC 9112, 3.2.2: the absolute form counts, Host does not.
    ok $page->status =~ /\A4(?:00|21)\z/ || return_to_of($page) eq $APP
        && !has_evil($page), 'an absolute form is our name, Host is not';
    $page = exchange(port_of(), start('POST', '/security/app', 'HTTP/1.1',
                                      'Host: LocalHost:' . port_of()), $APP);
    is return_to_of($page), $APP, 'our name in other letters is our name';
    $page = exchange(port_of(), start('POST', '/security/app', 'HTTP/1.1',
                                      'Host: localhost'), $APP);
    is return_to_of($page), $APP, 'without its port as well';
    $OP->calls;
}

sub no_host_header {
    my $page = exchange(port_of(), start('POST', '/security/app', 'HTTP/1.0'),
                        $APP);
    is return_to_of($page), $APP, 'no Host header: ServerName stands for it';
    my $browser = browser();
    $browser->keep($page);
    my $url = $OP->assertion($page);
    my ($path) = $url =~ m{\Ahttp://[^/]+(.*)};
    my $cookies = $browser->cookies($url);
    $page = exchange(port_of(), "GET $path HTTP/1.0\r\nCookie: $cookies\r\n"
                     . "Accept: text/html\r\n\r\n", $url);
    is $page->header('Location'), $APP, 'no Host header: the answer, too'
        or diag $page->alert // $page->body;
    $browser->keep($page);
    insider($browser, $APP, $ALICE, 'no Host header');
    $page = exchange(port_of(), "GET /security/app HTTP/1.0\r\n"
                     . "Accept: text/html\r\n\r\n", $APP);
    is $page->status, 401, 'no Host header: there is a login page';
    for my $case ([ 'HTTP/1.1', 'none' ], [ 'HTTP/1.1', 'empty', 'Host:' ],
                  [ 'HTTP/1.0', 'empty', 'Host:' ],
                  [ 'HTTP/1.0', 'another', 'Host: evil.example' ],
                  [ 'HTTP/1.0', 'a space', 'Host:  ' ],
                  [ 'HTTP/1.0', 'two', 'Host: localhost', 'Host: evil' ],
                  [ 'HTTP/9.9', 'another', 'Host: evil.example' ],
                  [ 'HTTP/', 'another', 'Host: evil.example' ]) {
        my ($version, $what, @headers) = @$case;
        my $page = exchange(port_of(), start('POST', '/security/app', $version,
                                             @headers), $APP);
        my $good = !$page || $page->status =~ /\A(?:4\d\d|505)\z/
            || return_to_of($page) eq $APP;
        ok $good && !($page && $page->is_redirect && has_evil($page)),
            "$version, Host is $what: refused, or ServerName stands for it"
            or diag $page->status, ' ', $page->header('Location');
    }
    # HTTP/0.9 has no headers, nor a status that one could read.
    exchange(port_of(), "GET /security/app\r\n", $APP);
    $OP->calls;
    is exchange(port_of(), start('POST', '/security/app', 'HTTP/1.1',
        'Host: localhost:' . port_of()), $APP)->status, 303,
        'no Host header: and all is well afterwards';
}
