#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What each store keeps: between two machines, over graceful restarts under
# load, over full restarts. On httpds, a redis and a memcached of its own.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Load;
use OpenID2RP::Process qw(wait_for write_file);
use OpenID2RP::Server;
use OpenID2RP::Test;
use POSIX qw(strftime);
use Test::More;

use constant ROUNDS => 50;
use constant RESTARTS => 5;

# Confirms every assertion, also twice: so only the store stands between an
# assertion and a second login.
my $op = provider();
my $ID = $op->id('alice');

op_reset();
two_machines();
graceful_restarts_under_load();
disk();
redis_with_a_password();
memcache();
done_testing;

# --- what they have in common -----------------------------------------------

sub started {
    my ($httpd, $name) = @_;
    ok $httpd->start, "$name: httpd starts" or die $httpd->says;
    return $httpd;
}

sub guest { OpenID2RP::Httpd::Browser->new->through($_[0]) }

# A browser that stands before its provider, and what it will bring back.
sub half_way {
    my ($httpd, %field) = @_;
    my $browser = guest($httpd);
    my $begun = begin_login($browser, $httpd->page, $ID);
    return ($browser, $op->assertion($begun, %field));
}

sub member {
    my ($httpd) = @_;
    my ($browser, $back) = half_way($httpd);
    $browser->get($back);
    return $browser;
}

sub signed_in {
    my ($browser, $name) = @_;
    my $page = $browser->get($browser->{through}->page);
    is $page->status, 200, $name;
    return $page;
}

sub signed_out {
    my ($browser, $name) = @_;
    is $browser->get($browser->{through}->page)->status, 401, $name;
}

# How many logins it has refused as replays.
sub replays {
    my ($httpd) = @_;
    return scalar grep { /login refused \(nonce-replayed\)/ } $httpd->log;
}

sub a_nonce { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime) . int rand 1e9 }

sub begins_a_session {
    my ($response) = @_;
    return scalar grep { /\Aopenid2rp=[^;]/ }
        $response->headers('Set-Cookie');
}

# All of this is there again after httpd has been stopped and started.
sub keeps_everything {
    my ($httpd, $name) = @_;
    my $member = member($httpd);
    my ($waiting, $back) = half_way($httpd);
    my $nonce = a_nonce();
    my ($done, $used) = half_way($httpd, response_nonce => $nonce);
    my $again = $done->twin;
    is $done->get($used)->status, 303, "$name: an assertion is used";

    ok $httpd->stop, "$name: httpd stops";
    started($httpd, $name);
    signed_in($member, "$name: a session is there again");
    is $waiting->get($back)->status, 303, "$name: so is a login in progress";
    signed_in($waiting, "$name: which ends in a session");
    my $replays = replays($httpd);
    is $again->get($used)->status, 403, "$name: what was used is used:";
    is replays($httpd), $replays + 1, "$name: as the log says";

    my $guest = guest($httpd);
    my $begun = begin_login($guest, $httpd->page, $ID);
    is $guest->get($op->assertion($begun, response_nonce => $nonce))->status,
        403, "$name: its nonce is, too";
    is replays($httpd), $replays + 2, "$name: as the log says";
    signed_out($guest, "$name: nobody is signed in by it");
    is $guest->get($op->assertion($begun))->status, 303,
        "$name: control: another nonce is good";
}

# --- two machines -----------------------------------------------------------

sub two_machines {
    my $redis = OpenID2RP::Server->redis(keep => 1);
    my @lines = ('OpenIDStore ' . $redis->place, 'OpenIDLogout /logout');
    my $one = OpenID2RP::Httpd->new(@lines);
    my $two = OpenID2RP::Httpd->new({ twin_of => $one }, @lines);
    my $alone = OpenID2RP::Httpd->new({ twin_of => $one },
        'OpenIDStore ' . $redis->place('prefix=alone:'));
    started($one, 'the first machine');
    started($two, 'the second machine');
    started($alone, 'one with another prefix');

    for ([$one, $two, 'from one to two'], [$two, $one, 'from two to one']) {
        my ($from, $to, $name) = @$_;
        my ($browser, $back) = half_way($from);
        $browser->through($alone);
        is $browser->get($back)->status, 403,
            "$name: control: another prefix does not know the login";
        $browser->through($to);
        is $browser->get($back)->status, 303,
            "$name: a login begun on one machine ends on the other";
        signed_in($browser, "$name: where the session is good");
        signed_in($browser->through($from), "$name: as where it began");
        signed_out($browser->through($alone),
                   "$name: control: but not with another prefix");

        my $copy = $browser->twin->through($from);
        my $other = member($to);
        $browser->through($to)->get($one->origin . '/logout');
        signed_out($copy, "$name: a logout on one counts on the other");
        signed_in($other->through($from), "$name: control: nobody else's");
    }
    races($one, $two);

    signed_in(my $member = member($one), 'somebody is signed in');
    ok $two->stop, 'both machines stop';
    keeps_everything($one, 'redis');
    started($two, 'the second machine');
    signed_in($member->through($two), 'who finds the session on the other');
    ok $_->stop, 'they stop at the end' for $one, $two, $alone;
    is_deeply [ map { $_->crashes } $one, $two, $alone ], [],
        'no child has crashed';
}

# One assertion, several times at the same instant.
sub races {
    my ($one, $two) = @_;
    my (%winners, @odd);
    my $before = replays($one) + replays($two);
    for my $round (1 .. ROUNDS) {
        my $both = $round % 2;
        my ($browser, $back) = half_way($round % 4 < 2 ? $one : $two);
        my @ports = map { $_->port } $both ? ($one, $two) x 2 : ($one) x 2;
        my @responses = parallel(\@ports,
            [ ($browser->request('GET', $back)) x @ports ], $back);
        my $winners = grep { begins_a_session($_) } grep { $_ } @responses;
        my $statuses = join ' ', sort map { $_ ? $_->status : 0 } @responses;
        $winners{$winners}++;
        push @odd, "round $round: $statuses"
            unless $statuses eq join ' ', 303, (403) x $#ports;
    }
    is_deeply \%winners, { 1 => ROUNDS },
        'of assertions that come at once, one signs in, in every round';
    is_deeply \@odd, [], 'the others are refused';
    is replays($one) + replays($two) - $before, ROUNDS / 2 * (3 + 1),
        'each because it was used before';
}

# --- shm --------------------------------------------------------------------

sub graceful_restarts_under_load {
    my $httpd = started(OpenID2RP::Httpd->new, 'shm');
    my @members = map { member($httpd) } 1 .. 4;
    my @waiting = map { [ half_way($httpd) ] } 1 .. 6;
    my $generations = $httpd->generation;
    my $load = OpenID2RP::Load->start(
        (map { my $members = $_; sub {
            my ($ask) = @_;
            $ask->(page => sub { $_->get($httpd->page) }) for @$members;
        } } [ @members[0, 1] ], [ @members[2, 3] ]),
        (sub {
            my ($ask) = @_;
            my $browser = guest($httpd);
            my $begun = $ask->(begin => sub {
                begin_login($browser, $httpd->page, $ID) }) or return;
            my $to = eval { $op->assertion($begun) } or return;
            $ask->(return => sub { $browser->get($to) });
            $ask->(after => sub { $browser->get($httpd->page) });
        }) x 2);
    for (1 .. RESTARTS) {
        select undef, undef, undef, 0.3;
        $httpd->graceful;
    }
    select undef, undef, undef, 0.3;
    my @seen = $load->stop;
    is $httpd->generation, $generations + RESTARTS, 'shm: it has restarted '
        . RESTARTS . ' times under load';

    my %right = (page => 200, begin => 303, return => 303, after => 200);
    for my $what (sort keys %right) {
        my @of = grep { $_->{what} eq $what } @seen;
        cmp_ok scalar(@of), '>', RESTARTS, "shm: $what: often enough";
        is_deeply [ map { "$_->{status} $_->{error}" }
                    grep { $_->{status} != $right{$what} } @of ], [],
            "shm: $what: without a failure";
    }
    is_deeply [ map { $_->[0]->get($_->[1])->status } @waiting ],
        [ (303) x @waiting ], 'shm: logins half way come to their end';
    signed_in($_->[0], 'shm: each with a session') for $waiting[0];
    is_deeply [ map { $_->get($httpd->page)->status } @members ],
        [ (200) x @members ], 'shm: members are still members';
    signed_out(guest($httpd), 'shm: control: nobody else is');
    ok $httpd->stop, 'shm: httpd stops';
    is_deeply [ $httpd->crashes ], [], 'shm: no child has crashed';
}

# --- dbm --------------------------------------------------------------------

sub disk {
    my $httpd = OpenID2RP::Httpd->new;
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure("OpenIDStore dbm:$dir/logins");
    started($httpd, 'dbm');
    keeps_everything($httpd, 'dbm');

    my $member = member($httpd);
    ok $httpd->graceful, 'dbm: a graceful restart';
    signed_in($member, 'dbm: keeps sessions');
    my @files = glob "$dir/*";
    cmp_ok scalar(@files), '>', 0, 'dbm: there are files';
    is_deeply [ grep { (stat)[2] & 077 } @files ], [],
        'dbm: which nobody else may read or write';
    is_deeply [ grep { !m{/logins} } @files ], [],
        'dbm: all begin with the path of the directive';
    ok $httpd->stop, 'dbm: httpd stops';

    my ($biggest) = sort { -s $b <=> -s $a } @files;
    chmod 0644, $biggest or die "$biggest: $!";
    ok !$httpd->start, 'dbm: with loose permissions it does not start';
    my ($why) = grep { /\Q$biggest\E/ } split /\n/, $httpd->says;
    like $why // $httpd->says, qr/permission|mode|0?644|others/i,
        'dbm: and says of which file';
    chmod 0600, $biggest or die "$biggest: $!";
    started($httpd, 'dbm: control: with tight ones');
    signed_in($member, 'dbm: with all that was there');

    ok $httpd->stop, 'dbm: httpd stops';
    restarts($httpd, $member, $dir);
    damaged($httpd, $member, $dir);
    ok $httpd->stop, 'dbm: httpd stops at the end';
    is_deeply [ $httpd->crashes ], [], 'dbm: no child has crashed';
}

# What ends a start does not end an httpd that runs: with the place that it
# has run with.
sub restarts {
    my ($httpd, $member, $dir) = @_;
    mkdir $httpd->dir . '/site/open' or die $!;
    write_file($httpd->dir . '/site/open/page.html', "OPEN-BODY\n");
    my @lines = ("OpenIDStore dbm:$dir/logins", '<Location "/open">',
                 'AuthType None', 'Require all granted', '</Location>');
    my $open = $httpd->origin . '/open/page.html';
    my ($file) = glob "$dir/*.a.pag";
    $httpd->configure(@lines);
    started($httpd, 'dbm: restart');
    is guest($httpd)->get($open)->status, 200,
        'dbm: restart: there is a page for everybody';

    my @scenes = (
        [ 'loose permissions', qr/\Q$file\E is open to/, 200,
          sub { chmod 0644, $file }, sub { chmod 0600, $file } ],
        [ 'closed files', qr{\Q$dir\E/\S+ cannot be read and written}, 503,
          sub { chmod 0, glob "$dir/*" }, sub { chmod 0600, glob "$dir/*" } ],
    );
    for (@scenes) {
        my ($name, $sentence, $status, $break, $mend) = @$_;
        $name = "dbm: restart: $name";
        my $said = () = $httpd->log;
        $break->() or die $!;
        ok $httpd->graceful, "$name: httpd goes on";
        is guest($httpd)->get($open)->body, "OPEN-BODY\n",
            "$name: with all that it serves";
        my @log = $httpd->log;
        my $line = qr/openid2rp:crit\].*O2RP-204: store: $sentence/;
        is scalar(grep { /$line.*nobody can sign in while/ }
                  @log[$said .. $#log]), 1, "$name: the log says it";
        is $member->get($httpd->page)->status, $status,
            "$name: sessions: $status";
        signed_out(guest($httpd), "$name: nobody else is let in");
        ok $httpd->graceful, "$name: again";
        $mend->();
        ok wait_for(sub { $member->get($httpd->page)->status == 200 }, 5),
            "$name: when it works, without another restart, sessions do";
        $break->();
        ok $httpd->stop, "$name: control: httpd stops";
        ok !$httpd->start, "$name: control: and does not start";
        $mend->();
        started($httpd, $name);
    }

    my $other = "$dir.other";
    mkdir $other, 0777 or die "$other: $!";
    chmod 0777, $other;
    $httpd->configure("OpenIDStore dbm:$other/logins");
    ok !$httpd->graceful, 'dbm: restart: control: it ends with another place '
        . 'that cannot be used';
    like join('', $httpd->log), qr/O2RP-204: store: \Q$other\E can be written/,
        'dbm: restart: control: for that reason';
    $httpd->configure("OpenIDStore dbm:$dir/logins");
    started($httpd, 'dbm: after it');
}

# All is there twice, so one damaged file costs nothing.
sub damaged {
    my ($httpd, $member, $dir) = @_;
    for ([ 'one file', 303, glob "$dir/*.a.pag" ],
         [ 'both', 304, glob "$dir/*.pag" ]) {
        my ($name, $number, @files) = @$_;
        my $kept = $number == 303;
        ok $httpd->stop, "dbm: $name: httpd stops";
        for my $file (@files) {
            truncate $file, (-s $file) / 2 - 100 or die "$file: $!";
        }
        my $said = () = $httpd->log;
        started($httpd, "dbm: $name truncated");
        is $member->get($httpd->page)->status, $kept ? 200 : 401,
            "dbm: $name truncated: sessions are " . ($kept ? 'kept' : 'lost');
        signed_in(member($httpd), "dbm: $name truncated: one can sign in");
        my @log = $httpd->log;
        my ($aside) = map { m{O2RP-$number: .* (\Q$dir/logins.damaged-\E\S+)\*}
                            ? $1 : () } @log[$said .. $#log];
        ok $aside, "dbm: $name truncated: it is set aside, as the log says"
            or diag @log[$said .. $#log];
        my @aside = $aside ? glob "$aside*" : ();
        cmp_ok scalar(@aside), '>', 0, "dbm: $name truncated: and so it is";
        unlink @aside;
    }
}

# --- redis ------------------------------------------------------------------

sub redis_with_a_password {
    my $secret = 'correct-horse-battery';
    my $redis = OpenID2RP::Server->redis(password => $secret, socket => 1);
    my $httpd = OpenID2RP::Httpd->new;
    my $file = $httpd->dir . '/password';
    my $place = $redis->place("password-file=$file");
    write_file($file, "$secret\n");
    chmod 0600, $file;
    $httpd->configure("OpenIDStore $place");
    started($httpd, 'a redis with a password, at a socket');
    signed_in(member($httpd), 'with the password of a file one can sign in');
    ok $httpd->stop, 'httpd stops';

    write_file($file, "wrong-$secret\n");
    ok !$httpd->start, 'with a wrong one it does not start';
    like $httpd->says, qr/O2RP-204: store: redis:.*refuses user or password/,
        'and says why';
    unlike $httpd->says, qr/horse/, 'but not the password';

    write_file($file, "$secret\n");
    started($httpd, 'a redis with a password: again');
    my $member = member($httpd);
    my $said = () = $httpd->log;
    write_file($file, "wrong-$secret\n");
    ok $httpd->graceful, 'a restart with a wrong one ends nothing';
    my @log = $httpd->log;
    is scalar(grep { /O2RP-204: store: redis:.*refuses.*nobody can sign in/ }
              @log[$said .. $#log]), 1, 'but the log says why nobody signs in';
    is $member->get($httpd->page)->status, 503, 'as is true';
    write_file($file, "$secret\n");
    ok $httpd->graceful, 'a restart with the right one';
    signed_in($member, 'makes it good');
    ok $httpd->stop, 'httpd stops';
}

# --- memcache ---------------------------------------------------------------

sub memcache {
    my $server = OpenID2RP::Server->memcached;
    my $httpd = started(OpenID2RP::Httpd->new(
        'OpenIDStore ' . $server->place), 'memcache');
    like join('', $httpd->log), qr/openid2rp:warn\].*O2RP-315: store: memcache/,
        'memcache: a warning is in the log at start';
    my ($browser, $back) = half_way($httpd);
    my $twin = $browser->twin;
    is $browser->get($back)->status, 303, 'memcache: a login';
    signed_in($browser, 'memcache: ends in a session');
    is $twin->get($back)->status, 403, 'memcache: once';
    is replays($httpd), 1, 'memcache: as the log says';
    ok $httpd->stop, 'memcache: httpd stops';
    started($httpd, 'memcache: again');
    signed_in($browser, 'memcache: the session is there');
    $server->crash;
    is $browser->get($httpd->page)->status, 503,
        'memcache: without its server there are no sessions';
    is begin_login(guest($httpd), $httpd->page, $ID)->status, 503,
        'memcache: and no logins';
    ok $httpd->stop, 'memcache: httpd stops at the end';
}
