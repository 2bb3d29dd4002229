#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# J. Processes, stores, exhaustion; and of D, what several processes and stores
# have to do with replays. On httpds, a redis and a memcached of its own.

use v5.14;
use strict;
use warnings;
use File::Path qw(remove_tree);
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Load;
use OpenID2RP::Process qw(free_port lines_of wait_for write_file);
use OpenID2RP::Server;
use OpenID2RP::Test;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

# Seconds.
use constant ANSWER => 2;       # no request may take longer while a store is
                                # away; its own timeout is far below
use constant BACK => 10;        # until all is as before
use constant LOGIN_TIMEOUT => 8;

# Whoever is asked about a signature confirms it, as often as he is asked: so
# only the store stands between an assertion and a second login.
my $op = provider();
my $ID = $op->id('alice');
my @STATUS = ('<Location "/status">', 'SetHandler openid2rp-status',
    'AuthType None', 'Require all granted', '</Location>');

# What somebody between httpd and its redis can say in its place.
my %ODD = (
    'random bytes' => sub { join '', map { chr rand 256 } 1 .. 4096 },
    'endless bytes' => sub {
        my ($socket) = @_;
        syswrite $socket, "\$2000000000\r\n";
        1 while syswrite $socket, 'x' x 65_536;
        return '';
    },
    'a byte a second' => sub {
        my ($socket) = @_;
        for my $byte (split //, "\$100\r\n" . 'x' x 100) {
            syswrite $socket, $byte or last;
            sleep 1;
        }
        return '';
    },
    'errors' => sub { "-ERR something went wrong\r\n" },
    'other types' => sub { "*1\r\n:7\r\n" },
    'nothing' => sub { sleep 20; return '' },
    'the end of the connection' => sub { undef },
);

op_reset();
my $full = a_store_is_filled();         # and recovers while the others run
a_flood_of_starts();
a_flood_of_keys_and_cookies();
bad_signatures_for_one_login();
many_posts_of_one_assertion();
an_assertion_for_another_host();
a_nonce_that_others_burn();
a_redis_that_says_odd_things();
a_redis_without_memory();
a_memcached_that_hangs();
a_disk_that_is_away();
crashes_in_mid_login();
the_parent_is_killed();
it_recovers($full);
done_testing;

# --- what they have in common -----------------------------------------------

# An httpd that says of every request what its status was.
sub httpd {
    my (@lines) = @_;
    my $option = ref $lines[0] ? shift @lines : {};
    my $httpd = OpenID2RP::Httpd->new($option);
    $httpd->configure('CustomLog access_log "%>s"', @STATUS, @lines);
    return $httpd;
}

sub started {
    my ($httpd, $name) = @_;
    ok $httpd->start, "$name: httpd starts" or die $httpd->says;
    return $httpd;
}

# At the end of each: it stops, no child has ended by itself, and whatever was
# asked, nothing but 503 was wrong with the server.
sub ended {
    my ($httpd, $name) = @_;
    ok $httpd->stop, "$name: httpd stops";
    is_deeply [ $httpd->crashes ], [], "$name: no child has crashed";
    is_deeply [ grep { /\A5/ && !/\A503/ } lines_of($httpd->dir
                                                    . '/access_log') ],
        [], "$name: no status above 500 but 503";
}

sub guest { OpenID2RP::Httpd::Browser->new->through($_[0]) }

# A browser that stands before its provider, and what it will bring back.
sub half_way {
    my ($httpd, %field) = @_;
    my $browser = guest($httpd);
    return ($browser, $op->assertion(
        begin_login($browser, $httpd->page, $ID), %field));
}

sub member {
    my ($httpd) = @_;
    my ($browser, $back) = half_way($httpd);
    $browser->get($back);
    return $browser;
}

sub page_of { $_[0]->get($_[0]{through}->page)->status }

sub begins_a_session {
    my ($response) = @_;
    return scalar grep { /\Aopenid2rp=[^;]/ }
        $response->headers('Set-Cookie');
}

sub refusals_of {
    my ($httpd, $code) = @_;
    return scalar grep { /login refused \(\Q$code\E\)/ } $httpd->log;
}

# What the status page counts of a kind of records: records, and how many found
# no room.
sub counts {
    my ($httpd, $kind) = @_;
    my $text = guest($httpd)->get($httpd->origin . '/status?auto')->body;
    return map { $text =~ /^openid2rp_store_$_\{kind="$kind"\} (\d+)$/m
                     ? $1 : 'unknown' } qw(records refused_total);
}

sub records { (counts(@_))[0] }

# The most memory of its own that a child has, in kilobytes; or the most that
# it ever had, all counted. Under a sanitizer, which keeps what is freed, there
# is nothing to measure.
sub memory { most($_[0], 'RssAnon') }
sub peak { most($_[0], 'VmHWM') }

sub most {
    my ($httpd, $name) = @_;
    my @children = $httpd->children;
    return 0 if grep { /libasan/ } map { lines_of("/proc/$_/maps") } @children;
    my ($most) = sort { $b <=> $a } map {
        join('', lines_of("/proc/$_/status")) =~ /^$name:\s*(\d+)/m
            ? $1 : ()
    } @children;
    return $most;
}

# Requests over one connection, all sent before an answer is read: how often
# there was each status, as in "303x3 429x2".
sub pipelined {
    my ($httpd, @requests) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $httpd->port, Timeout => 10) or die "no connection: $!";
    my $host = $httpd->origin =~ s{.*/}{}r;
    my $text = '';
    for (@requests) {
        my ($line, $body, @headers) = @$_;
        push @headers, 'Content-Type: application/x-www-form-urlencoded',
            'Content-Length: ' . length $body if defined $body;
        push @headers, 'Connection: close' if $_ == $requests[-1];
        $text .= join "\r\n", "$line HTTP/1.1", "Host: $host", @headers, '',
            $body // '';
    }
    syswrite $socket, $text;
    my $answer = '';
    while (IO::Select->new($socket)->can_read(20)) {
        sysread $socket, $answer, 65_536, length $answer or last;
    }
    my %count;
    $count{$1}++ while $answer =~ m{^HTTP/1\.1 (\d+)}mg;
    return %count;
}

sub short {
    my (%count) = @_;
    return join ' ', map { "${_}x$count{$_}" } sort keys %count;
}

sub add {
    my ($sum, %count) = @_;
    $sum->{$_} += $count{$_} for keys %count;
}

sub random_key {
    my @char = ('a' .. 'z', 'A' .. 'Z', 0 .. 9);
    return join '', map { $char[rand @char] } 1 .. 22;
}

# The same assertion by POST, as often as there are ports.
sub posts {
    my ($browser, $back, @ports) = @_;
    my ($key, $rest) = $back =~ /\A([^&]*)&(.*)\z/;
    my $request = $browser->request('POST', $key, $rest, headers => [
        [ 'Content-Type', 'application/x-www-form-urlencoded' ] ]);
    return parallel(\@ports, [ ($request) x @ports ], $back);
}

# --- login-start flood ------------------------------------------------------

sub a_flood_of_starts {
    my $name = 'login-start flood';
    my ($remoteip) = grep { /\ALoadModule remoteip_module/ }
        lines_of('t/inherited.conf');
    my $httpd = started(httpd($remoteip, 'RemoteIPHeader X-Client',
        'RemoteIPInternalProxy 127.0.0.1', 'MaxKeepAliveRequests 0',
        'OpenIDRateLimit 20/1h', 'OpenIDRateLimit 40/1h per=server',
        'OpenIDAssociate login'), $name);
    my $member = member($httpd);
    is page_of($member), 200, "$name: control: somebody is signed in";
    my $client = 0;
    my $flood = sub { pipelined($httpd, map {
        [ 'POST /page.html', 'openid_identifier=' . encode($ID),
          sprintf 'X-Client: 10.%d.%d.%d', ++$client >> 16,
              $client >> 8 & 255, $client & 255 ] } 1 .. $_[0]) };

    my %seen = $flood->(300);
    my ($before, $logins, $lines) = (memory($httpd), records($httpd, 'login'),
                                     scalar(my @log = $httpd->log));
    cmp_ok $seen{303}, '>', 30, "$name: control: at first logins begin";
    $op->log;
    my @pages;
    for (1 .. 27) {
        add(\%seen, $flood->(100));
        push @pages, page_of($member);
    }
    is $seen{303} + $seen{429}, 3000, "$name: of 3000 each begins, or is one "
        . 'too many' or diag short(%seen);
    cmp_ok $seen{303}, '<=', 40, "$name: and as many begin as may";
    is_deeply [ grep { $_ != 200 } @pages ], [],
        "$name: who is signed in does not notice";
    is records($httpd, 'login'), $logins, "$name: the store does not grow";
    cmp_ok memory($httpd), '<', $before + 4096,
        "$name: nor do the processes" or diag "$before before";
    is join("\n", $op->log), '', "$name: the provider is not asked";
    cmp_ok scalar(@log = $httpd->log) - $lines, '<=', 3,
        "$name: nor is the log flooded";
    is page_of(guest($httpd)), 401, "$name: control: nobody else is in";
    ended($httpd, $name);
}

# --- beside it: what costs nothing to make up -------------------------------

sub a_flood_of_keys_and_cookies {
    my $name = 'made-up keys';
    # not in the background, or a question of its own may come in between
    my $httpd = started(httpd('MaxKeepAliveRequests 0',
                              'OpenIDAssociate login'), $name);
    my $member = member($httpd);
    my ($waiting, $back) = half_way($httpd);
    my ($known) = $back =~ m{(/page.*)};
    my @returns = map { "GET $_" } map({
        $known =~ s/(openid_return=)[\w-]+/$1 . random_key()/er } 1 .. 99),
        $known;
    my @cookies = map { [ 'GET /page.html', undef,
        "Cookie: openid2rp=$_; openid2rp_login_x=$_",
        'Sec-Fetch-Mode: navigate' ] } map { random_key() } 1 .. 100;
    my @kinds = qw(login nonce association session queue cache);

    pipelined($httpd, map({ [$_] } @returns), @cookies);
    my $before = memory($httpd);
    my @records = map { records($httpd, $_) } @kinds;
    $op->log;
    my (%keys, %cookies);
    for (1 .. 5) {
        add(\%keys, pipelined($httpd, map { [$_] } @returns));
        add(\%cookies, pipelined($httpd, @cookies));
    }
    is short(%keys), '403x500', "$name: are refused, as is a key that "
        . 'another browser has';
    is refusals_of($httpd, 'no-login') + refusals_of($httpd, 'other-browser'),
        600, "$name: each with a line of the log";
    is short(%cookies), '401x500', "$name: made-up cookies sign nobody in";
    is_deeply [ map { records($httpd, $_) } @kinds ], \@records,
        "$name: nothing of it is stored";
    is join("\n", $op->log), '', "$name: nobody is asked";
    cmp_ok memory($httpd), '<', $before + 4096, "$name: memory stays"
        or diag "$before before";
    is page_of($member), 200, "$name: who is signed in stays so";
    is $waiting->get($back)->status, 303, "$name: control: the key's own "
        . 'browser signs in';
    ended($httpd, $name);
}

# Each bad answer costs the provider one question and no more, and stores
# nothing; the login is not lost by it.
sub bad_signatures_for_one_login {
    my $name = 'check_authentication flood';
    my $evil = OpenID2RP::Evil->new;
    my $httpd = started(httpd('OpenIDAssociate never'), $name);
    my $browser = guest($httpd);
    my $begun = begin_login($browser, $httpd->page, $evil->id('alice'));
    my $sessions = records($httpd, 'session');
    my $nonces = records($httpd, 'nonce');
    $evil->calls;
    my @statuses = map { $browser->get($evil->assertion($begun,
        sig => "bad$_"))->status } 1 .. 2;
    is "@statuses", '403 403', "$name: bad signatures are refused";
    my @calls = $evil->calls;
    cmp_ok scalar(@calls), '<=', 2, "$name: with one question each at most";
    is_deeply [ grep { $_ ne 'check_authentication' } @calls ], [],
        "$name: and no other";
    is records($httpd, 'session'), $sessions, "$name: there is no session";
    cmp_ok records($httpd, 'nonce') - $nonces, '<=', 2,
        "$name: and none of their nonces is used up";
    is $browser->get($evil->assertion($begun))->status, 303,
        "$name: control: the good one signs in";
    is page_of($browser), 200, "$name: control: with a session";
    $evil->calls;
    is $browser->twin->get($evil->assertion($begun, sig => "bad$_"))->status,
        303, "$name: once it is completed, all of that leads on"
        for 1 .. 3;
    is join(' ', $evil->calls), '', "$name: and nobody is asked";
    ended($httpd, $name);
}

# --- nonce eviction ---------------------------------------------------------

# A small store, full of logins that are as large as they can be.
sub a_store_is_filled {
    my $name = 'nonce eviction';
    # It runs while others look at what the provider is asked: so it may ask
    # nothing by itself.
    my $httpd = started(httpd('OpenIDStore shm:1M', 'OpenIDAssociate login',
                              'OpenIDLoginTimeout ' . LOGIN_TIMEOUT . 's'),
                        $name);
    my $member = member($httpd);
    my ($browser, $back) = half_way($httpd);
    my $twin = $browser->twin;
    is $browser->get($back)->status, 303, "$name: control: an assertion";
    my ($waiting, $answer) = half_way($httpd);
    my $nonces = records($httpd, 'nonce');
    my %seen;
    my $long = $httpd->page . '?' . 'a' x 7_500;
    until ($seen{503} || ($seen{303} // 0) > 200) {
        $seen{ begin_login(guest($httpd), $long, $ID)->status }++;
    }
    is join(' ', sort keys %seen), '303 503',
        "$name: logins begin until there is no room" or diag short(%seen);
    $seen{ begin_login(guest($httpd), $long, $ID)->status }++ for 1 .. 10;
    is $seen{503}, 11, "$name: and then no more";
    my (undef, $refused) = counts($httpd, 'login');
    is $refused, 11, "$name: which the status page counts";
    is refusals_of($httpd, 'store-full'), 11, "$name: and the log tells";
    is records($httpd, 'nonce'), $nonces, "$name: every nonce is there";
    is $twin->get($back)->status, 403, "$name: a replay is refused";
    is refusals_of($httpd, 'nonce-replayed'), 1, "$name: as one";
    is $waiting->get($answer)->status, 303,
        "$name: a login that had begun comes to its end";
    is page_of($_), 200, "$name: with sessions as ever"
        for $waiting, $member, $browser;
    return { httpd => $httpd, name => $name, twin => $twin, back => $back,
             members => [ $waiting, $member, $browser ], long => $long };
}

sub it_recovers {
    my ($full) = @_;
    my ($httpd, $name) = @$full{qw(httpd name)};
    ok wait_for(sub { begin_login(guest($httpd), $full->{long}, $ID)
                          ->is_redirect }, LOGIN_TIMEOUT + BACK),
        "$name: when logins have run out, others can begin";
    is page_of(member($httpd)), 200, "$name: and end in a session";
    is page_of($_), 200, "$name: older sessions are there"
        for @{ $full->{members} };
    is $full->{twin}->get($full->{back})->status, 403,
        "$name: what was used still is";
    ended($httpd, $name);
}

# A nonce that finds no room is no login either.
sub a_redis_without_memory {
    my $name = 'nonce eviction, redis';
    my $redis = OpenID2RP::Server->redis;
    my $httpd = started(httpd('OpenIDStore ' . $redis->place), $name);
    my $member = member($httpd);
    my ($browser, $back) = half_way($httpd);
    my $twin = $browser->twin;
    is $browser->get($back)->status, 303, "$name: control: an assertion";
    my ($waiting, $answer) = half_way($httpd);
    $redis->cli(qw(CONFIG SET maxmemory-policy noeviction));
    $redis->cli(qw(CONFIG SET maxmemory 1));
    is begin_login(guest($httpd), $httpd->page, $ID)->status, 503,
        "$name: no login begins";
    is $waiting->get($answer)->status, 503, "$name: and none ends";
    isnt page_of($waiting), 200, "$name: nobody is signed in by it";
    is $twin->get($back)->status, 403, "$name: by a replay neither";
    is page_of($member), 200, "$name: who was signed in stays so";
    $redis->cli(qw(CONFIG SET maxmemory 0));
    is $twin->get($back)->status, 403, "$name: with memory, a replay is one";
    is $waiting->get($answer)->status, 303, "$name: and the login ends well";
    is page_of($waiting), 200, "$name: with a session";
    ended($httpd, $name);
}

# --- replays ----------------------------------------------------------------

# Two httpds that are one site, and where their store is.
sub stores {
    my $redis = OpenID2RP::Server->redis;
    my $dir = $redis->dir . '/dbm';
    mkdir $dir or die "$dir: $!";
    return ([ redis => $redis->place, $redis ],
            [ dbm => "dbm:$dir/store", $redis ]);
}

sub many_posts_of_one_assertion {
    my $name = 'concurrent replay';
    my $alone = started(httpd(), "$name, shm");
    races("$name, shm", $alone, ($alone->port) x 50);
    ended($alone, "$name, shm");
    for (stores()) {
        my ($type, $place) = @$_;
        my $one = httpd("OpenIDStore $place");
        my $two = httpd({ twin_of => $one }, "OpenIDStore $place",
                        'OpenIDBaseURL ' . $one->origin);
        started($_, "$name, $type") for $one, $two;
        races("$name, $type", $one, ($one->port, $two->port) x 25);
        ended($_, "$name, $type") for $one, $two;
    }
}

sub races {
    my ($name, $httpd, @ports) = @_;
    my ($browser, $back) = half_way($httpd);
    my @responses = grep { $_ } posts($browser, $back, @ports);
    my %count;
    $count{ $_->status }++ for @responses;
    is short(%count), '303x1 403x' . $#ports,
        "$name: of " . @ports . ' at once, one signs in';
    is scalar(grep { begins_a_session($_) } @responses), 1,
        "$name: with one session";
    $browser->keep($_) for grep { begins_a_session($_) } @responses;
    is page_of($browser), 200, "$name: which is good";
}

# One store, two sites: what was said to one is nothing to the other.
sub an_assertion_for_another_host {
    my $name = 'cross-vhost replay';
    my $port = free_port();
    my $redis = OpenID2RP::Server->redis;
    my $place = 'OpenIDStore ' . $redis->place;
    my $httpd = httpd();
    my $site = $httpd->dir . '/site';
    $httpd->configure($place, 'OpenIDAssociate login',
        "Listen 127.0.0.1:$port",
        "<VirtualHost 127.0.0.1:$port>", "ServerName localhost:$port",
        "DocumentRoot $site", '</VirtualHost>');
    my $far = httpd($place, 'OpenIDAssociate login');
    started($_, $name) for $httpd, $far;
    for ([ 'another virtual host', $port ],
         [ 'another httpd', $far->port ]) {
        my ($where, $there) = @$_;
        my ($browser, $back) = half_way($httpd);
        my $origin = "http://localhost:$there";
        my $own = $httpd->origin;
        my $said = () = ($httpd->log, $far->log);
        $op->log;
        for my $to ($back =~ s{\Q$own\E}{$origin}r,
                    $back =~ s{\Q$own\E}{$origin}r
                        =~ s{\Q${\ encode($own)}\E}{encode($origin)}er) {
            is $browser->twin->through(undef)->get($to)->status, 403,
                "$name: $where refuses it";
        }
        is scalar(grep { /login refused \(no-login\)/ } $httpd->log,
                  $far->log), 2 * ($there == $port ? 1 : 2),
            "$name: $where knows no such login, says the log";
        is join("\n", $op->log), '', "$name: nobody is asked";
        is $browser->get($back)->status, 303,
            "$name: control: $where aside, it signs in";
        is page_of($browser), 200, "$name: where it was meant to";
        is $browser->twin->through(undef)->get("$origin/page.html")->status,
            401, "$name: and not at $where";
    }
    ended($_, $name) for $httpd, $far;
}

# Bad copies of an assertion with its nonce, then the assertion itself: where
# httpd has the key, and where it asks the provider.
sub a_nonce_that_others_burn {
    my $evil = OpenID2RP::Evil->new;
    my %store = map { $_->[0] => $_ } stores();
    for ([ redis => 'login' ], [ dbm => 'never' ]) {
        my ($type, $associate) = @$_;
        my $name = "nonce burning, $type, associate $associate";
        my $httpd = started(httpd("OpenIDAssociate $associate",
                                  "OpenIDStore $store{$type}[1]"), $name);
        my $browser = guest($httpd);
        my $begun = begin_login($browser, $httpd->page, $evil->id('alice'));
        my $nonce = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime) . 'victim';
        my $true = $evil->assertion($begun, response_nonce => $nonce);
        my $bad = $evil->assertion($begun, response_nonce => $nonce,
                                   sig => 'bad');
        my %count;
        # One after the other: of two at a time, one is not looked into.
        $count{ $_->status }++
            for map { posts($browser, $bad, $httpd->port) } 1 .. 2;
        is short(%count), '403x2', "$name: bad copies are refused";
        is refusals_of($httpd, 'bad-signature'), 2, "$name: each as that";
        is $browser->get($true)->status, 303, "$name: the true one is not";
        is page_of($browser), 200, "$name: it signs in";
        is refusals_of($httpd, 'nonce-replayed'), 0,
            "$name: it was not used before";
        ended($httpd, $name);
    }
}

# --- store outage -----------------------------------------------------------

# It passes everything on, or says what a file names, one of %ODD.
sub man_in_the_middle {
    my ($server, $file) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Listen => 50, LocalPort => 0) or die "no port: $!";
    my $parent = $$;
    my $pid = fork // die "fork: $!";
    return ($pid, $listener->sockport) if $pid;
    setpgrp;
    @SIG{qw(CHLD PIPE)} = ('IGNORE', 'IGNORE');
    $SIG{ALRM} = sub { getppid == $parent ? alarm 1 : kill KILL => -$$ };
    alarm 1;
    while (1) {
        my $socket = $listener->accept or next;
        next if fork;
        $SIG{ALRM} = 'DEFAULT';
        alarm 60;
        close $listener;
        relay($socket, $server->port, $file);
        POSIX::_exit(0);
    }
}

sub relay {
    my ($near, $port, $file) = @_;
    my $far = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                    PeerPort => $port) or return;
    my $all = IO::Select->new($near, $far);
    while (1) {
        for my $socket ($all->can_read) {
            sysread $socket, my $bytes, 65_536 or return;
            my $odd = $socket == $near ? $ODD{ (lines_of($file))[0] // '' }
                : undef;
            my $answer = $odd ? $odd->($near) : undef;
            return if $odd && !defined $answer;
            syswrite $odd || $socket == $far ? $near : $far,
                $odd ? $answer : $bytes;
        }
    }
}

# While it is broken: 503 to all who need it, at once, and nobody is signed in.
# When it is mended, all is as before.
sub outage {
    my ($name, $httpd, $break, $mend) = @_;
    my $member = member($httpd);
    my ($waiting, $back) = half_way($httpd);
    is page_of($member), 200, "$name: control: before it, a session is good";
    $break->();
    my ($longest, @statuses) = 0;
    for (sub { page_of($member) },
         sub { begin_login(guest($httpd), $httpd->page, $ID)->status },
         sub { my $page = $waiting->get($back);
               begins_a_session($page) ? 'session' : $page->status },
         sub { page_of($member) }, sub { page_of(guest($httpd)) }) {
        my $at = time;
        push @statuses, $_->();
        $longest = time - $at if time - $at > $longest;
    }
    is "@statuses", '503 503 503 503 401',
        "$name: nothing works meanwhile, but what needs no store";
    cmp_ok $longest, '<', ANSWER, "$name: and says so at once";
    $mend->();
    ok wait_for(sub { page_of($member) == 200 && !pausing($httpd) }, BACK),
        "$name: afterwards sessions are there";
    my $status = 0;
    wait_for(sub { $status = $waiting->get($back)->status; $status != 503 },
             BACK);
    is $status, 303, "$name: the login that waited ends well";
    is page_of($waiting), 200, "$name: with a session";
}

# The children that have not seen yet that the store is back.
sub pausing {
    my ($httpd) = @_;
    my %pausing;
    for ($httpd->log) {
        my ($pid, $number) = /\[pid (\d+).* O2RP-(30[12]): store: / or next;
        $number == 301 ? $pausing{$pid} = 1 : delete $pausing{$pid};
    }
    return grep { $pausing{$_} } $httpd->children;
}

sub a_redis_that_says_odd_things {
    my $redis = OpenID2RP::Server->redis;
    my $file = $redis->dir . '/odd';
    write_file($file, '');
    my ($pid, $port) = man_in_the_middle($redis, $file);
    my $httpd = started(httpd(
        "OpenIDStore redis://127.0.0.1:$port?timeout=300ms"), 'store outage');
    for my $odd (sort keys %ODD) {
        my $before = peak($httpd);
        outage("store outage: redis says $odd", $httpd,
               sub { write_file($file, $odd) },
               sub { write_file($file, '') });
        cmp_ok peak($httpd), '<', $before + 65_536,
            "store outage: redis says $odd: and memory is bounded";
    }
    one_spoiled_record($httpd, $redis);
    kill KILL => -$pid;
    waitpid $pid, 0;
    ended($httpd, 'store outage');
}

# A session whose key has another type: nobody else has anything to do with it.
sub one_spoiled_record {
    my ($httpd, $redis) = @_;
    my $name = 'store outage: a spoiled record';
    my ($one, $other) = (member($httpd), undef);
    my %old = map { $_ => 1 } $redis->cli('KEYS', 'openid2rp:session:*');
    $other = member($httpd);
    my ($key) = grep { !$old{$_} } $redis->cli('KEYS', 'openid2rp:session:*');
    $redis->cli('DEL', $key);
    $redis->cli('RPUSH', $key, 'x');
    is_deeply [ map { page_of($other), page_of($one), page_of($one) }
                1 .. 5 ], [ (503, 200, 200) x 5 ],
        "$name: harms who it belongs to only";
    is page_of(member($httpd)), 200, "$name: others sign in";
    my %told;
    /\[pid (\d+).* O2RP-317: store: / and $told{$1}++ for $httpd->log;
    cmp_ok scalar(keys %told), '>', 0, "$name: the log tells it";
    is_deeply [ grep { $_ > 1 } values %told ], [],
        "$name: once in each process";
}

# Frozen while it is in use: within a second of its last answer.
sub a_memcached_that_hangs {
    my $server = OpenID2RP::Server->memcached;
    my $httpd = started(httpd('OpenIDStore ' . $server->place), 'memcached');
    outage('store outage: memcached hangs', $httpd,
           sub { $server->pause }, sub { $server->resume });
    my $member = member($httpd);
    $server->crash;
    is page_of($member), 503, 'store outage: memcached killed: 503';
    $server->start;
    ok wait_for(sub { page_of($member) == 401 && !pausing($httpd) }, BACK),
        'store outage: memcached killed: when it is back, it knows nothing';
    is page_of(member($httpd)), 200,
        'store outage: memcached killed: but one can sign in';
    ended($httpd, 'memcached');
}

sub a_disk_that_is_away {
    my $name = 'store outage: dbm';
    my $httpd = httpd();
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure('CustomLog access_log "%>s"',
                      "OpenIDStore dbm:$dir/logins");
    started($httpd, $name);
    outage("$name, files that cannot be read", $httpd,
           sub { chmod 0, glob "$dir/*" }, sub { chmod 0600, glob "$dir/*" });
    outage("$name, a folder that is elsewhere", $httpd,
           sub { rename $dir, "$dir.away" or die $! },
           sub { rename "$dir.away", $dir or die $! });
    no_more_bytes("$name, a full disk", $httpd, $dir);

    my $member = member($httpd);
    remove_tree($dir);
    is page_of($member), 503, "$name, a folder that is removed: 503";
    mkdir $dir, 0700 or die "$dir: $!";
    ok wait_for(sub { page_of($member) == 401 && !pausing($httpd) }, BACK),
        "$name, a folder that is removed: one that is made is used";
    is page_of(member($httpd)), 200,
        "$name, a folder that is removed: and one can sign in";
    ended($httpd, $name);
}

# As a disk that is full: no file may grow beyond a size, the log neither.
# Whoever is signed in stays so, since reading writes nothing.
sub no_more_bytes {
    my ($name, $httpd, $dir) = @_;
    my $limit = sub {
        system('prlimit', '--pid', $_, "--fsize=$_[0]:") == 0 or die 'prlimit'
            for grep { -d "/proc/$_" } $httpd->children;
    };
    my $member = member($httpd);
    my ($waiting, $back) = half_way($httpd);
    $limit->(512);
    is begin_login(guest($httpd), $httpd->page, $ID)->status, 503,
        "$name: no login begins";
    my $page = $waiting->get($back);
    is $page->status, 503, "$name: none ends";
    ok !begins_a_session($page), "$name: nobody is signed in";
    is page_of($member), 200, "$name: who is signed in stays so";
    $limit->('unlimited');
    my $status = 0;
    wait_for(sub { $status = $waiting->get($back)->status; $status != 503 },
             BACK);
    is $status, 303, "$name: with room, the login that waited ends well";
    ok wait_for(sub { begin_login(guest($httpd), $httpd->page, $ID)
                          ->is_redirect }, BACK), "$name: and others begin";
    # The log cannot tell which of the children know of it: it was full too.
    ok $httpd->graceful, "$name: a graceful restart for all the others";
}

# --- crash in mid-login -----------------------------------------------------

# People who bring each assertion three times at once, and go on until each was
# either accepted or refused; what is written down is how many sessions it
# began: "0", "1", ….
sub impatient {
    my ($httpd) = @_;
    return sub {
        my ($ask) = @_;
        my ($browser, $back) = eval { half_way($httpd) } or return;
        my ($sessions, $last) = 0;
        for (1 .. 40) {
            my @responses = eval { posts($browser, $back,
                                         ($httpd->port) x 3) };
            $sessions += grep { $_ && begins_a_session($_) } @responses;
            ($last) = grep { $_ && $_->status =~ /\A(?:303|403)\z/ }
                @responses;
            last if $last;
            sleep 0.1;
        }
        $ask->($sessions => sub { $last });
    };
}

sub crashes_in_mid_login {
    my $name = 'crash in mid-login';
    my $httpd = started(httpd(), $name);
    my $member = member($httpd);
    my @files = files_of($httpd);
    my $load = OpenID2RP::Load->start((impatient($httpd)) x 3);
    my $killed = 0;
    for my $round (1 .. 16) {
        sleep 0.12;
        my @children = $httpd->children;
        $killed += kill KILL => $children[rand @children] if @children;
        $httpd->graceful if $round % 6 == 0;
    }
    my @seen = $load->stop;
    my %sessions;
    $sessions{ $_->{what} }++ for @seen;
    cmp_ok $sessions{1} // 0, '>', 10, "$name: control: people sign in"
        or diag short(%sessions);
    is_deeply [ grep { $_ > 1 } keys %sessions ], [],
        "$name: no assertion begins two sessions" or diag short(%sessions);
    is_deeply [ grep { $_->{status} !~ /\A(?:303|403)\z/ } @seen ], [],
        "$name: each gets its answer in the end";
    cmp_ok $killed, '>', 5, "$name: control: children were killed";
    my $at = time;
    is page_of(member($httpd)), 200, "$name: no lock is stuck";
    cmp_ok time - $at, '<', ANSWER, "$name: nor slow";
    is page_of($member), 200, "$name: older sessions are there";
    is_deeply [ files_of($httpd) ], \@files, "$name: no files are left";
    is_deeply [ shared_by($httpd) ], [],
        "$name: nor is there memory that could stay";
    ended($httpd, $name);
    is_deeply [ files_of($httpd) ], [], "$name: nothing is left at the end";
}

# What httpd made in its folder while it ran.
sub files_of {
    my ($httpd) = @_;
    return sort grep { !/\A(?:httpd\.conf|site|output|store|\w+_log)\z/ }
        map { s{.*/}{}r } glob $httpd->dir . '/*';
}

# What its processes share by name, so that it would outlive them; and sets of
# semaphores of System V, which belong to nobody.
sub shared_by {
    my ($httpd) = @_;
    my $cpid = join '|', $httpd->pid, $httpd->children;
    return (map { join('', lines_of("/proc/$_/maps"))
                      =~ m{(/SYSV\S*|/dev/shm/\S*)} ? $1 : () }
            $httpd->pid, $httpd->children),
        grep { /\A\s*\S+\s+\S+\s+\S+\s+\S+\s+(?:$cpid)\s/ }
        lines_of('/proc/sysvipc/shm');
}

# With a store that stays: httpd's parent is killed under load, and httpd
# is started again.
sub the_parent_is_killed {
    my $name = 'a parent that is killed';
    my $httpd = httpd();
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure('CustomLog access_log "%>s"',
                      "OpenIDStore dbm:$dir/logins");
    started($httpd, $name);
    my $member = member($httpd);
    my ($browser, $back) = half_way($httpd);
    my $twin = $browser->twin;
    is $browser->get($back)->status, 303, "$name: control: an assertion";
    my @before = sets();
    my $load = OpenID2RP::Load->start((impatient($httpd)) x 2);
    sleep 0.5;
    my $pid = $httpd->pid;
    kill KILL => $pid;
    sleep 0.05;
    kill KILL => -$pid;                 # what it left behind, at any point
    ok wait_for(sub { !$httpd->runs && !kill 0 => -$pid }),
        "$name: all of them are gone";
    started($httpd, $name);
    sleep 0.3;
    my %sessions;
    $sessions{ $_->{what} }++ for $load->stop;
    cmp_ok $sessions{1} // 0, '>', 3, "$name: control: people sign in"
        or diag short(%sessions);
    is_deeply [ grep { $_ > 1 } keys %sessions ], [],
        "$name: no assertion begins two sessions";
    my $at = time;
    is page_of(member($httpd)), 200, "$name: no lock is stuck";
    cmp_ok time - $at, '<', ANSWER, "$name: nor slow";
    is page_of($member), 200, "$name: older sessions are there";
    is $twin->get($back)->status, 403, "$name: what was used is used";
    cmp_ok refusals_of($httpd, 'nonce-replayed'), '>', 0,
        "$name: says the log";
    ended($httpd, $name);
    is_deeply [ files_of($httpd) ], [], "$name: no files are left";
    is_deeply [ sets() ], \@before, "$name: nor sets of semaphores";
}

# Sets of semaphores of this user.
sub sets {
    return sort map { (split)[1] } grep { (split)[4] eq $> }
        lines_of('/proc/sysvipc/sem');
}
