#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# A store that goes away under load: everybody gets an answer at once, nobody
# is signed in meanwhile, and all is as before when it is back.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Load;
use OpenID2RP::Process qw(wait_for);
use OpenID2RP::Server;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

# Seconds.
use constant ANSWER => 2;       # no request may take longer: the timeout of
                                # the store is 0.5, the rest is a busy machine
use constant OUTAGE => 3;
use constant BACK => 5;         # until all is as before

# By what an outage leads to, in the order of the requests of a login.
my %RIGHT = (page => 200, begin => 303, return => 303, after => 200,
             stranger => 401);
my %OUT = (page => 503, begin => 503, return => 503, after => 503,
           stranger => 401);
# Where the store can still be read, who is signed in stays so: a session that
# cannot be prolonged is good until its time is over.
my %OUT_FOR_WRITING = (%OUT, page => 200, after => 200);

my $op = provider();
my $ID = $op->id('alice');

op_reset();
redis_is_away();
the_disk_is_away();
done_testing;

sub guest { OpenID2RP::Httpd::Browser->new->through($_[0]) }

# A browser that stands before its provider, and what it will bring back.
sub half_way {
    my ($httpd) = @_;
    my $browser = guest($httpd);
    my $begun = begin_login($browser, $httpd->page, $ID);
    return ($browser, $op->assertion($begun));
}

sub member {
    my ($httpd) = @_;
    my ($browser, $back) = half_way($httpd);
    $browser->get($back);
    return $browser;
}

# --- redis ------------------------------------------------------------------

sub redis_is_away {
    my $redis = OpenID2RP::Server->redis(keep => 1);
    my $httpd = OpenID2RP::Httpd->new('OpenIDStore ' . $redis->place);
    ok $httpd->start, 'httpd starts' or die $httpd->says;
    outage('killed', \%OUT, $httpd,
           sub { $redis->crash }, sub { $redis->start });
    outage('paused', \%OUT, $httpd,
           sub { $redis->pause }, sub { $redis->resume });

    my $member = member($httpd);
    $redis->crash;
    ok $httpd->graceful, 'httpd restarts while redis is away';
    is $member->get($httpd->page)->status, 503, 'there are no sessions then';
    ok $httpd->stop, 'it stops';
    ok $httpd->start, 'and starts';
    is $member->get($httpd->page)->status, 503, 'there are none still';
    $redis->start;
    ok wait_for(sub { $member->get($httpd->page)->status == 200 }, BACK),
        'until redis is there';
    ok $httpd->stop, 'httpd stops at the end';
    is_deeply [ $httpd->crashes ], [], 'no child has crashed';
}

sub outage {
    my ($name, $expected, $httpd, $break, $mend) = @_;
    my @members = map { member($httpd) } 1 .. 3;
    my @waiting = map { [ half_way($httpd) ] } 1 .. 3;
    my $said = () = $httpd->log;
    my $load = users($httpd, @members);

    sleep 0.7;
    my $broken = $load->since;
    $break->();
    my $out = $load->since;
    my @returns;
    while ($load->since < $out + OUTAGE) {
        my ($browser, $back) = @{ $waiting[@returns % @waiting] };
        my $at = time;
        push @returns, [ $browser->get($back)->status, time - $at ];
        sleep 0.05;
    }
    my $mended = $load->since;
    $mend->();
    my $in = $load->since;
    sleep 0.1 while $load->since < $in + BACK + 0.7;
    my @seen = $load->stop;

    statuses("$name: before", \%RIGHT,
             grep { $_->{at} + $_->{took} < $broken } @seen);
    statuses("$name: meanwhile", $expected,
             grep { $_->{at} > $out && $_->{at} + $_->{took} < $mended }
             @seen);
    is_deeply [ grep { $_->[0] != 503 } @returns ], [],
        "$name: whoever comes back from the provider meanwhile gets a 503";
    statuses("$name: afterwards", \%RIGHT,
             grep { $_->{at} > $in + BACK } @seen);
    is_deeply [ grep { $_->{status} !~ /\A(?:200|303|401|503)\z/ } @seen ],
        [], "$name: there is no other answer at any time";
    my ($longest) = sort { $b <=> $a } map({ $_->{took} } @seen),
        map { $_->[1] } @returns;
    cmp_ok $longest, '<', ANSWER, "$name: every answer came at once";
    log_lines($name, $httpd, $said,
              scalar grep { $_->{status} == 503 } @seen);

    is_deeply [ map { $_->[0]->get($_->[1])->status } @waiting ],
        [ (303) x @waiting ], "$name: logins that waited end well";
    is_deeply [ map { $_->get($httpd->page)->status }
                map({ $_->[0] } @waiting), @members ],
        [ (200) x (@waiting + @members) ], "$name: sessions are there";
}

# Members, people who sign in, and one who does not.
sub users {
    my ($httpd, @members) = @_;
    my $stranger = guest($httpd);
    return OpenID2RP::Load->start(
        sub {
            my ($ask) = @_;
            $ask->(page => sub { $_->get($httpd->page) }) for @members;
        },
        sub {
            my ($ask) = @_;
            $ask->(stranger => sub { $stranger->get($httpd->page) });
            sleep 0.1;
        },
        (sub {
            my ($ask) = @_;
            my $browser = guest($httpd);
            my $begun = $ask->(begin => sub {
                begin_login($browser, $httpd->page, $ID) }) or return;
            my $to = eval { $op->assertion($begun) } or return;
            $ask->(return => sub { $browser->get($to) });
            $ask->(after => sub { $browser->get($httpd->page) })
                if $browser->cookie('openid2rp');
        }) x 2);
}

# There are requests, and each has the status that is right for it.
sub statuses {
    my ($name, $right, @seen) = @_;
    my %had;
    $had{ $_->{what} }++ for @seen;
    is_deeply [ grep { !$had{$_} } qw(page begin stranger) ], [],
        "$name: there are requests";
    my @odd = map { "$_->{what} at $_->{at}: $_->{status} $_->{error}" }
        grep { $_->{status} != $right->{ $_->{what} } } @seen;
    is scalar(@odd), 0, "$name: all answers are right"
        or diag map { "$_\n" } grep { defined } @odd[0 .. 9];
}

# One line when it goes and one when it comes, in each process.
sub log_lines {
    my ($name, $httpd, $said, $refused) = @_;
    my @log = $httpd->log;
    my %count;
    for (@log[$said .. $#log]) {
        $count{$2}{$1}++ if /\[pid (\d+).* O2RP-(301|302): store: /;
    }
    my ($gone, $back) = @count{301, 302};
    cmp_ok scalar(keys %$gone), '>', 0, "$name: the log says that it is away";
    is_deeply [ grep { $_ > 1 } values %$gone ], [],
        "$name: once for each process";
    cmp_ok scalar(keys %$gone), '<', $refused,
        "$name: not once for each request";
    cmp_ok scalar(keys %$back), '>', 0, "$name: and that it is back";
    is scalar(grep { /O2RP-230/ } @log[$said .. $#log]), 0,
        "$name: nor a line for each page";
    is_deeply [ grep { $back->{$_} > 1 || !$gone->{$_} } keys %$back ], [],
        "$name: once where it had been away";
}

# --- dbm --------------------------------------------------------------------

# Files that httpd may not write any more, as on a disk that has become
# read-only.
sub the_disk_is_away {
    my $httpd = OpenID2RP::Httpd->new;
    my $dir = $httpd->dir . '/store';
    mkdir $dir or die "$dir: $!";
    $httpd->configure("OpenIDStore dbm:$dir/logins");
    ok $httpd->start, 'httpd starts' or die $httpd->says;
    outage('closed', \%OUT, $httpd, sub {
        chmod 0, glob "$dir/*";
        chmod 0500, $dir;
    }, sub {
        chmod 0700, $dir;
        chmod 0600, glob "$dir/*";
    });
    # These are opened for writing only by who writes a record.
    outage('read-only', \%OUT_FOR_WRITING, $httpd, sub {
        chmod 0400, glob "$dir/*.dir";
    }, sub {
        chmod 0600, glob "$dir/*.dir";
    });
    like join('', $httpd->log), qr/O2RP-301: .*\Q$dir\E/,
        'read-only: the log names the file';
    ok $httpd->stop, 'httpd stops at the end';
    is_deeply [ $httpd->crashes ], [], 'no child has crashed';
}
