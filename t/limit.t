#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDRateLimit: how many logins may begin, for whom that counts, and who does
# not notice.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $ALICE = op_url('/user/alice');
my $OP = provider();    # keeps no worker of this httpd busy

op_reset();

over_the_limit();
what_a_refused_start_costs();
what_counts();
who_is_a_client();
who_does_not_notice();
it_comes_back();
all_clients_together();
whose_counters();
many_at_the_same_time();
a_single_provider();
a_flood();
no_limit_at_all();
the_log_is_not_flooded();
what_is_there_by_default();
a_restart_forgets_nothing();
done_testing;

# A browser at an address.
sub client { browser('X-Test-Client' => $_[0]) }

sub start {
    my ($browser, $vhost, $identifier, %option) = @_;
    return $browser->post(url('/limit/app', $vhost),
                          { openid_identifier => $identifier // $ALICE },
                          %option);
}

# The statuses of so many starts, in short: "303x3 429x2".
sub starts {
    my ($browser, $vhost, $n) = @_;
    my %count;
    $count{ start($browser, $vhost)->status }++ for 1 .. $n;
    return short(%count);
}

sub short {
    my (%count) = @_;
    return join ' ', map { "${_}x$count{$_}" } sort keys %count;
}

# Live records of logins, and how often one found no room.
sub logins {
    my $text = browser()->get(url('/limit/status?auto'))->body;
    return map { $text =~ /^openid2rp_store_$_\{kind="login"\} (\d+)$/m
                     or die "no $_ in $text\n"; $1 } qw(records refused_total);
}

sub over_the_limit {
    my $browser = client('192.0.2.1');
    my $began = time;
    is starts($browser, 'limit_client', 3), '303x3', '3/10s: three may begin';
    my $page = start($browser, 'limit_client', '<b>&"\'.example.org/');
    is $page->status, 429, 'the fourth is refused' or diag time - $began;
    like $page->header('Retry-After') // 'none', qr/\A(?:[1-9]|10)\z/,
        'Retry-After is a whole number of seconds';
    is $page->header('Cache-Control'), 'no-store', 'nobody keeps the page';
    is $page->header('X-Content-Type-Options'), 'nosniff', 'or guesses at it';
    like $page->header('Content-Security-Policy'), qr/\Adefault-src 'none';/,
        'and nothing runs in it';
    is $page->header('Content-Type'), 'text/html; charset=utf-8',
        'it is a page';
    is $page->header('Set-Cookie'), undef, 'without a cookie';
    my $seconds = $page->header('Retry-After');
    is $page->alert, 'Too many logins have begun from your network address. '
        . "Please try again in $seconds second" . ($seconds == 1 ? '' : 's')
        . '.', 'with one sentence';
    unlike $page->body, qr/<b>/, 'what was typed is not repeated as HTML';
    like $page->body, qr/value="&lt;b&gt;&amp;&quot;/, 'but escaped';
    is $page->action, '/limit/app', 'and can be tried again';
    is client('192.0.2.1')->get(url("/limit/app?openid_identifier=$ALICE",
                                    'limit_client'))->status, 429,
        'another browser at that address, by GET: the same';
}

# The last host's client is over its limit for some seconds yet, so this one is
# of another address.
sub what_a_refused_start_costs {
    my $browser = client('192.0.2.2');
    my $site = web_server(sub { [ 404, 'Content-Type: text/plain' ], 'x' });
    my ($before) = logins();
    is starts($browser, 'limit_many', 19), '303x19', 'control: some begin';
    is start($browser, 'limit_many', $site)->status, 502,
        'control: one fails, elsewhere';
    my ($between, $full) = logins();
    is $between - $before, 19, 'control: what began has a record';
    cmp_ok scalar(web_log($site)), '>', 0, 'control: who was named was asked';
    error_log();
    is start($browser, 'limit_many', $site)->status, 429, 'more do not begin'
        for 1 .. 20;
    is_deeply [logins()], [$between, $full], 'they have no record';
    is_deeply [ web_log($site) ], [], 'nobody is asked anything';
    is_deeply [refusals()], ['rate-limited'], 'one line of the log says so';
}

sub what_counts {
    my $browser = client('192.0.2.3');
    is $browser->get(url('/limit/app', 'limit_client'))->status, 401,
        'the login page' for 1 .. 5;
    is $browser->post(url('/limit/app', 'limit_client'), [
        map { [ openid_identifier => $_ ] } $ALICE, $ALICE ])->status, 400,
        'what names two OpenIDs' for 1 .. 5;
    is start($browser, 'limit_client', $ALICE, headers => [
        [ 'Sec-Fetch-Site' => 'cross-site' ],
        [ 'Sec-Fetch-Mode' => 'navigate' ] ])->status, 401,
        'a link from another site' for 1 .. 5;
    is starts($browser, 'limit_client', 4), '303x3 429x1',
        'count for nothing';
    $browser = client('192.0.2.4');
    my $site = url('/no/such/thing');
    is start($browser, 'limit_client', $site)->status, 502,
        'a start that fails' for 1 .. 3;
    is start($browser, 'limit_client', $site)->status, 429,
        'counts as any other';
}

sub who_is_a_client {
    my $vhost = 'limit_client';
    for my $case ([ '198.51.100.1' => '198.51.100.2', 'IPv4: one address' ],
                  [ '2001:db8:1:2::1' => '2001:db8:1:3::1', 'IPv6: one /64',
                    '2001:db8:1:2:ffff:ffff:ffff:ffff' ],
                  [ '::ffff:198.51.100.3' => '::ffff:198.51.100.4',
                    'IPv4 written as IPv6', '198.51.100.3' ]) {
        my ($one, $other, $name, $same) = @$case;
        is starts(client($one), $vhost, 4), '303x3 429x1',
            "$name is a client";
        is start(client($same // $one), $vhost)->status, 429,
            'and the same all over';
        is starts(client($other), $vhost, 3), '303x3', 'another one is not';
    }
}

sub who_does_not_notice {
    my $vhost = 'limit_many';
    my $browser = client('203.0.113.1');
    my $app = url('/limit/app', $vhost);
    is login($browser, $app, $ALICE)->status, 200, 'somebody signs in';
    my $waiting = client('203.0.113.1');
    my $back = ask_op($waiting, start($waiting, $vhost));
    is starts(client('203.0.113.1'), $vhost, 20), '303x18 429x2',
        'others at that address begin too many logins';
    is $browser->get($app)->status, 200, 'who is signed in goes on'
        for 1 .. 25;
    is $waiting->get($back)->status, 303, 'who comes back is let in';
    is $waiting->get($app)->status, 200, 'and goes on';
    is client('203.0.113.1')->get($app)->status, 401,
        'who is not signed in gets the login page';
    is client('203.0.113.1')->get(url('/status/nothing', $vhost))->status, 404,
        'and what is not protected is as it was';
    is start(client('203.0.113.1'), $vhost)->status, 429, 'control: still';
}

sub it_comes_back {
    my $browser = client('192.0.2.5');
    my $page;
    for (1 .. 50) {             # on a slow machine, some are back by then
        $page = start($browser, 'limit_fast');
        last if $page->status == 429;
    }
    is $page->status, 429, '2/2s: too many';
    is $page->header('Retry-After'), 1, 'one second is enough';
    sleep 1.01;
    is start($browser, 'limit_fast')->status, 303, 'and so it is';
}

sub all_clients_together {
    my $vhost = 'limit_total';
    is starts(client('192.0.2.10'), $vhost, 5), '303x3 429x2',
        'a client has its limit';
    is starts(client('192.0.2.11'), $vhost, 1), '303x1',
        'its refused starts are not in the total';
    error_log();
    my $page = start(client('192.0.2.12'), $vhost);
    is $page->status, 429, 'per=server: a third client is refused';
    like $page->alert, qr/\AToo many logins have begun on this site\. /,
        'and is told that it is not its fault';
    cmp_ok $page->header('Retry-After'), '>', 0, 'with a Retry-After';
    like join('', error_log()), qr/openid2rp:warn.*\ O2RP-251:\ login\ refused\ 
        \(rate-limited\):\ more\ logins\ begin\ than\ 4\ in\ 60m,/x,
        'the log says so';
}

sub whose_counters {
    my $browser = client('192.0.2.20');
    is starts($browser, 'limit_client', 4), '303x3 429x1',
        'a client is over the limit of one host';
    is starts($browser, 'limit_client_too', 3), '303x3',
        'but not over that of another';
    is starts($browser, undef, 5), '303x5', 'nor over the main server\'s';
}

# Requests of one client, sent at the same time, to all of httpd's processes.
sub many_at_the_same_time {
    my $vhost = 'limit_many';
    my @all = map { client('192.0.2.30')->request('POST',
        url('/limit/app', $vhost), query_of([ openid_identifier => $OP->id('who') ]),
        headers => [ [ 'Content-Type',
                       'application/x-www-form-urlencoded' ] ]) } 1 .. 40;
    my %count;
    while (my @some = splice @all, 0, 10) {
        $count{ $_->status }++ for parallel(port_of($vhost), \@some,
                                            url('/'));
    }
    # of the total, what came before this has used up a part
    is $count{303} + ($count{429} // 0), 40, 'all are answered'
        or diag explain \%count;
    my $left = 50 - 20 - 20;
    is $count{303}, $left, 'exactly so many begin as the total allows';
}

sub a_single_provider {
    my $browser = client('192.0.2.40');
    my $page = url('/single', 'limit_single');
    is $browser->get($page, headers => [ [ 'Sec-Fetch-Mode', 'no-cors' ] ])
        ->status, 401, 'a picture begins no login' for 1 .. 3;
    is $browser->get($page)->status, 303, 'a page that is opened does'
        for 1 .. 2;
    my $refused = $browser->get($page);
    is $refused->status, 429, 'and counts';
    like $refused->body, qr/<button name="openid_identifier"/,
        'there is a button to try again';
}

# Each start from an address of its own.
sub a_flood {
    my $vhost = 'limit_flood';
    my $member = client('203.0.113.50');
    my $app = url('/limit/app', $vhost);
    is login($member, $app, $ALICE)->status, 200, 'somebody signs in';
    my ($before, $full) = logins();
    op_log();
    error_log();
    my %count;
    for my $high (0 .. 29) {
        my @some = map { client("10.77.$high.$_")->request('POST', $app,
            query_of([ openid_identifier => $OP->id('who') ]),
            headers => [ [ 'Content-Type',
                           'application/x-www-form-urlencoded' ] ]) }
            1 .. 8;
        $count{ $_ ? $_->status : 'none' }++
            for parallel(port_of($vhost), \@some, url('/'));
        is $member->get($app)->status, 200, 'who is signed in goes on';
    }
    is short(%count), '303x29 429x211',
        'of 240 clients, as many begin as the total allows';
    my @now = logins();
    is_deeply \@now, [ $before + 29, $full ], 'the store has these only';
    my @lines = grep { /O2RP-25[01]/ } error_log();
    cmp_ok scalar(@lines), '<=', 2, 'and the log a line or two'
        or diag @lines;
}

sub no_limit_at_all {
    is starts(client('192.0.2.60'), 'limit_off', 30), '303x30',
        'off: all may begin';
}

sub the_log_is_not_flooded {
    my $browser = client('192.0.2.70');
    starts($browser, 'limit_single', 2);
    error_log();
    is starts($browser, 'limit_single', 15), '429x15', 'many are refused';
    my @lines = grep { /O2RP-250/ } error_log();
    is scalar(@lines), 1, 'the log has one line of them';
    like $lines[0] // '', qr/openid2rp:warn\b.*\ O2RP-250:\ login\ refused\ 
        \(rate-limited\):\ 192\.0\.2\.70\ begins\ more\ logins\ than\ 2\ in\ 
        60m;\ since\ the\ last\ such\ line,\ \d+\ other\ starts\ were\ 
        refused/x, 'which says who, and how many had none';
    $browser = client('192.0.2.71');
    is starts($browser, 'limit_single', 3), '303x2 429x1', 'another client';
    my ($line) = grep { /O2RP-250/ } error_log();
    like $line // '', qr/ 192\.0\.2\.71 .* 14 other starts/,
        'has a line of its own, with the rest';
}

# ---------------------------------------------------------------------------
# On an httpd of its own

sub what_is_there_by_default {
    my $httpd = OpenID2RP::Httpd->new;
    my $file = $httpd->dir . '/httpd.conf';
    open my $in, '<', $file or die "$file: $!";
    my $text = join '', grep { !/OpenIDRateLimit/ } <$in>;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
    ok $httpd->start, 'httpd without the directive starts'
        or return diag $httpd->says;
    my ($began, %count) = time;
    # an OpenID at an address that must not be asked: it fails at once
    for (1 .. 70) {
        my $status = browser()->post($httpd->page, {
            openid_identifier => 'http://10.0.0.1/' })->status;
        $count{$status}++;
    }
    my $over = int(time - $began) + 1;
    cmp_ok $count{400}, '>=', 60, '60/1m: 60 may begin';
    cmp_ok $count{400}, '<=', 60 + $over, 'and one more each second'
        or diag "$over seconds";
    is $count{400} + ($count{429} // 0), 70, 'the others may not';
    ok $httpd->stop, 'httpd stops';
}

sub a_restart_forgets_nothing {
    my $httpd = OpenID2RP::Httpd->new('OpenIDRateLimit 5/1h');
    ok $httpd->start, 'httpd starts' or return diag $httpd->says;
    my $try = sub { begin_login(browser(), $httpd->page, $ALICE)->status };
    is join(' ', map { $try->() } 1 .. 6), '303 303 303 303 303 429',
        'five may begin';
    ok $httpd->graceful, 'a graceful restart';
    is $try->(), 429, 'changes nothing';
    ok $httpd->restart, 'one that is not graceful';
    is $try->(), 429, 'neither';
    $httpd->configure('OpenIDRateLimit 6/1h');
    ok $httpd->graceful, 'one with another limit';
    is $try->(), 303, 'begins to count anew';
    $httpd->configure('OpenIDRateLimit 5/1h');
    ok $httpd->graceful, 'and the old limit again';
    is $try->(), 429, 'goes on as it was';
    ok $httpd->stop && $httpd->start, 'a stop and a start';
    is $try->(), 303, 'begin anew too';
    ok $httpd->stop, 'httpd stops';
    is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed'
        or diag $httpd->says;       # glibc says what it did not like
}
