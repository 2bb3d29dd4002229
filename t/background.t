#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Associations that no user waits for. Each scene has a provider of its own, so
# that one can wait while others play.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(wait_for);
use OpenID2RP::Server;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(sleep time);

# Seconds.
use constant SLOW => 4;         # what an association takes where it is slow
use constant SOON => 12;        # until httpd has made one: a run in three
                                # seconds, and a busy machine
use constant LIFETIME => 20;    # renewed when half of it is over
use constant PAUSE => 30;       # after the first failure

op_reset();
my $redis = OpenID2RP::Server->redis;
my $place = $redis->place;
# One says nothing, so it is the default that is seen here.
my $one = started(OpenID2RP::Httpd->new("OpenIDStore $place"));
my $two = started(OpenID2RP::Httpd->new({ twin_of => $one },
    "OpenIDStore $place", 'OpenIDAssociate background'));

my $resting = a_provider_that_is_away_begins();
my $cron = what_is_left_to_cron_begins();
my $renewed = a_renewal_begins();
my $stranger = a_login_that_does_not_come_back_begins();
the_first_login_does_not_wait();
my $refusing = a_provider_that_makes_none_is_asked();
my $stateless = never_begins();
while_the_user_waits();
a_renewal_comes($renewed);
who_stops_gives_the_lease_back();
a_renewal_was_in_time($renewed);
a_login_that_does_not_come_back_ends($stranger);
who_is_killed_loses_the_lease();
never_ends($stateless);
a_provider_that_is_away_ends($resting);
a_provider_that_makes_none_is_not_asked_again($refusing);
what_is_left_to_cron_ends($cron);
cron_leaves_it_to_httpd();
for ($one, $two) {
    ok $_->stop, 'httpd stops at the end';
    is_deeply [ $_->crashes ], [], 'no child has crashed';
}
done_testing;

# --- logins -----------------------------------------------------------------

sub started {
    my ($httpd, $name) = @_;
    ok $httpd->start, join(': ', $name // (), 'httpd starts')
        or die $httpd->says;
    return $httpd;
}

# A login as far as the redirect.
sub begun {
    my ($httpd, $op) = @_;
    my $browser = OpenID2RP::Httpd::Browser->new->through($httpd);
    my $begun = begin_login($browser, $httpd->page, $op->id);
    $begun->is_redirect or die 'no redirect: ' . $begun->status;
    return ($browser, $begun);
}

# Does this redirect to a provider name an association?
sub has_handle {
    my ($begun) = @_;
    return scalar grep { $_->[0] eq 'openid.assoc_handle' }
        pairs_of($begun->header('Location'));
}

# A login; how its answer was checked, or what became of it. A reference to a
# browser and its redirect goes on with these.
sub way_of {
    my ($httpd, $op, @begun) = @_;
    my ($browser, $begun) = @begun ? @begun : begun($httpd, $op);
    my $back = ask_op($browser, $begun);
    my $before = $op->asked('check_authentication');
    my $status = $browser->get($back)->status;
    return "refused with $status" if $status != 303
        || $browser->get($httpd->page)->status != 200;
    return $op->asked('check_authentication') > $before
        ? 'by asking' : 'by association';
}

sub associated {
    my ($op, $times) = @_;
    return wait_for(sub { $op->asked('associate') >= ($times // 1) }, SOON);
}

# The provider knows before httpd does, so the first login may be too early.
sub uses_it {
    my ($httpd, $op, $name) = @_;
    ok wait_for(sub { has_handle((begun($httpd, $op))[1]) }, SOON),
        "$name: there is an association";
    is way_of($httpd, $op), 'by association', "$name: a login uses it";
}

sub log_of { return join '', $_[0]->log }

# --- scenes -----------------------------------------------------------------

sub the_first_login_does_not_wait {
    my $op = OwnProvider->new;
    $op->set(slow => SLOW);
    my ($browser, $begun) = begun($one, $op);
    is $op->asked('associate'), 0, 'first login: at the redirect, there has '
        . 'been no association';
    ok !has_handle($begun), 'first login: it names none';
    is way_of($one, $op, $browser, $begun), 'by asking',
        'first login: its answer is checked by asking';
    ok associated($op), 'first login: then the association is made';
    uses_it($one, $op, 'next login');
    is way_of($two, $op), 'by association', 'next login: on another machine';
    is $op->asked('associate'), 1, 'for both there is one association';
    my $endpoint = $op->endpoint;
    my @lines = grep { /O2RP-120: .*\Q$endpoint\E/ } $one->log, $two->log;
    is scalar(@lines), 1, 'which is in the log';
    my ($waited) = ($lines[0] // '') =~ /waited (\d+) ms/;
    cmp_ok $waited // 0, '>=', SLOW * 1000, 'with what a user has not waited';
}

sub never_begins {
    my $httpd = started(OpenID2RP::Httpd->new('OpenIDAssociate never'),
                        'never');
    my $op = OwnProvider->new;
    is way_of($httpd, $op), 'by asking', 'never: stateless';
    return { httpd => $httpd, op => $op };
}

sub never_ends {
    my ($httpd, $op) = @{ $_[0] }{qw(httpd op)};
    is way_of($httpd, $op), 'by asking', 'never: and so it stays';
    is $op->asked('associate'), 0, 'never: nobody was asked for one';
    ok $httpd->stop, 'never: httpd stops';
}

sub while_the_user_waits {
    my $httpd = started(OpenID2RP::Httpd->new('OpenIDAssociate login'),
                        'login');
    my $op = OwnProvider->new;
    my ($browser, $begun) = begun($httpd, $op);
    is $op->asked('associate'), 1, 'login: at the redirect, there has been an '
        . 'association';
    ok has_handle($begun), 'login: it names it';
    is way_of($httpd, $op, $browser, $begun), 'by association',
        'login: its answer is checked by it';
    is way_of($httpd, $op), 'by association', 'login: so is the next one';
    is $op->asked('associate'), 1, 'login: without another one';
    ok $httpd->stop, 'login: httpd stops';
}

# Renewal takes a while: other scenes play meanwhile.
sub a_renewal_begins {
    my $op = OwnProvider->new;
    $op->set(lifetime => LIFETIME);
    way_of($one, $op);
    ok associated($op), 'renewal: there is an association';
    my $until = time + LIFETIME;
    uses_it($one, $op, 'renewal: at first');
    return { op => $op, until => $until, waiting => [ begun($two, $op) ] };
}

sub a_renewal_comes {
    my ($scene) = @_;
    my $op = $scene->{op};
    ok wait_for(sub { $op->asked('associate') >= 2 }, SOON + LIFETIME),
        'renewal: it comes';
    my ($first, $second) = $op->moments('associate');
    cmp_ok $second - $first, '<', LIFETIME, 'renewal: before the first ends';
    cmp_ok $second - $first, '>=', LIFETIME / 2 - 1,
        'renewal: not before half of its time is over';
    is way_of($two, $op, @{ $scene->{waiting} }), 'by association',
        'renewal: who began before it ends well after it'
        if time < $scene->{until} - 2;
}

sub a_renewal_was_in_time {
    my ($scene) = @_;
    my $op = $scene->{op};
    sleep $scene->{until} - time if time < $scene->{until};
    is way_of($one, $op), 'by association',
        'renewal: there is one when the first has expired';
    my $endpoint = $op->endpoint;
    like log_of($one) . log_of($two),
        qr/O2RP-120: association renewed .*\Q$endpoint\E/,
        'renewal: the log says so';
}

# Nobody has signed in by this provider: it may be made up.
sub a_login_that_does_not_come_back_begins {
    my $op = OwnProvider->new;
    $op->set(lifetime => LIFETIME);
    begun($one, $op);
    ok associated($op), 'begun only: there is an association';
    return { op => $op, until => time + LIFETIME };
}

# The control is a_renewal_comes().
sub a_login_that_does_not_come_back_ends {
    my ($scene) = @_;
    my $op = $scene->{op};
    sleep $scene->{until} - time if time < $scene->{until};
    is $op->asked('associate'), 1, 'begun only: it is not renewed';
    is way_of($one, $op), 'by asking', 'begun only: when it is over, stateless';
    ok associated($op, 2), 'begun only: a login that came back makes another';
}

# Only its associations fail: it is there for users.
sub a_provider_that_is_away_begins {
    my $op = OwnProvider->new;
    $op->set(down => 1);
    is way_of($one, $op), 'by asking', 'away: logins go on';
    my $endpoint = $op->endpoint;
    ok wait_for(sub { (log_of($one) . log_of($two))
                      =~ /O2RP-121: .*\Q$endpoint\E/ }, SOON),
        'away: the log says that there is no association';
    is way_of($two, $op), 'by asking', 'away: logins go on after that';
    $op->set(down => undef);
    return { op => $op, since => time };
}

sub a_provider_that_is_away_ends {
    my ($scene) = @_;
    my $op = $scene->{op};
    ok wait_for(sub { $op->asked('associate') },
                $scene->{since} + PAUSE + SOON - time),
        'away: when it is back, there is one';
    uses_it($two, $op, 'away: back');
}

sub a_provider_that_makes_none_is_asked {
    my $op = OwnProvider->new;
    $op->set(assoc => 'none');
    is way_of($one, $op), 'by asking', 'one that makes none: stateless';
    my $endpoint = $op->endpoint;
    ok wait_for(sub { (log_of($one) . log_of($two))
                      =~ /O2RP-122: .*\Q$endpoint\E/ }, SOON),
        'one that makes none: the log says so';
    my $asked = $op->asked('associate');
    cmp_ok $asked, '>', 0, 'one that makes none: for it was asked';
    is way_of($one, $op), 'by asking', 'one that makes none: still stateless';
    is way_of($two, $op), 'by asking', 'one that makes none: everywhere';
    return { op => $op, asked => $asked };
}

sub a_provider_that_makes_none_is_not_asked_again {
    my ($scene) = @_;
    my $op = $scene->{op};
    is way_of($one, $op), 'by asking', 'one that makes none: to the end';
    is $op->asked('associate'), $scene->{asked},
        'one that makes none: is not asked again';
}

# --- the lease --------------------------------------------------------------

# The key of the lease in redis, and the one of both that has it.
sub lease {
    my ($key, $holder);
    wait_for(sub {
        ($key) = $redis->cli('KEYS', '*lease*');
        my $name = $key ? $redis->cli('GET', $key) // '' : '';
        ($holder) = grep {
            grep { $name =~ /\b$_\b/ } $_->children } $one, $two;
        $holder;
    }, SOON) or die 'nobody has the lease: ' . ($key // 'no key');
    return ($key, $holder, $holder == $one ? $two : $one);
}

sub who_stops_gives_the_lease_back {
    my ($key, $holder, $other) = lease();
    ok $holder->stop, 'lease: who has it stops';
    my $op = OwnProvider->new;
    is way_of($other, $op), 'by asking', 'lease: a login on the other machine';
    ok associated($op), 'lease: which makes the association now';
    is((lease())[1], $other, 'lease: for it has the lease');
    started($holder, 'lease: again');

    $op = OwnProvider->new;
    ok $other->graceful, 'lease: who has it restarts';
    is way_of($other, $op), 'by asking', 'lease: a login there';
    ok associated($op), 'lease: one of them makes the association';
    is $op->asked('associate'), 1, 'lease: one, and once';
}

sub who_is_killed_loses_the_lease {
    my ($key, $holder, $other) = lease();
    $holder->crash;
    my $op = OwnProvider->new;
    is way_of($other, $op), 'by asking', 'killed: a login on the other';
    sleep 4;
    is $op->asked('associate'), 0,
        'killed: control: the dead one still has the lease';
    cmp_ok $redis->cli('PTTL', $key), '>', 0, 'killed: for some time';
    cmp_ok $redis->cli('PTTL', $key), '<=', 60_000, 'killed: a minute';
    # As if that was over.
    $redis->cli('PEXPIRE', $key, 1);
    ok associated($op), 'killed: then the other one makes the association';
    started($holder, 'killed: again');
}

# --- openid2rp refresh ------------------------------------------------------

# A login that httpd can do nothing for, and then there is no httpd.
sub what_is_left_to_cron_begins {
    my $httpd = OpenID2RP::Httpd->new;
    my $place = 'dbm:' . $httpd->dir . '/store';
    $httpd->configure("OpenIDStore $place");
    started($httpd, 'cron');
    my $op = OwnProvider->new;
    $op->set(down => 1);
    is way_of($httpd, $op), 'by asking', 'cron: a login';
    my $endpoint = $op->endpoint;
    ok wait_for(sub { log_of($httpd) =~ /O2RP-121: .*\Q$endpoint\E/ }, SOON),
        'cron: for which httpd can make no association';
    ok $httpd->stop, 'cron: then httpd stops';
    $op->set(down => undef);
    return { httpd => $httpd, op => $op, place => $place, since => time };
}

sub refresh {
    my @words = map { "'$_'" } 'refresh', '--allow', '127.0.0.0/8', @_;
    my $out = qx{"$ENV{COMMAND}" @words 2>&1};
    return ($? >> 8, $out);
}

sub what_is_left_to_cron_ends {
    my ($scene) = @_;
    my ($httpd, $op, $place) = @$scene{qw(httpd op place)};
    my $wait = $scene->{since} + PAUSE + 1 - time;
    sleep $wait if $wait > 0;
    my ($exit, $out) = refresh('--verbose', '--store', $place);
    is $exit, 0, 'cron: `openid2rp refresh` is content' or diag $out;
    is $op->asked('associate'), 1, 'cron: it has made the association';
    my $endpoint = $op->endpoint;
    like $out, qr/^made \Q$endpoint\E \d+ ms$/m, 'cron: and says so';
    ($exit, $out) = refresh('--store', $place);
    is $exit, 0, 'cron: it is content to do it again' or diag $out;
    is $out, '', 'cron: and silent, as is usual there';
    is $op->asked('associate'), 1, 'cron: there is nothing to be done';
    started($httpd, 'cron: again');
    is way_of($httpd, $op), 'by association', 'cron: a login uses it';
    is $op->asked('associate'), 1, 'cron: that of the command';
    ok $httpd->stop, 'cron: httpd stops';
}

# While httpd has the lease, the command has nothing to do.
sub cron_leaves_it_to_httpd {
    lease();
    my ($exit, $out) = refresh('--json', '--store', $place);
    is $exit, 0, 'cron beside httpd: content' or diag $out;
    like $out, qr/"elsewhere": ?true/, 'cron beside httpd: does nothing';
    my $other = $redis->place('prefix=nobody:');
    ($exit, $out) = refresh('--json', '--store', $other);
    like $out, qr/"elsewhere": ?false/, 'cron: control: does what it can'
        or diag $out;
}

# ---------------------------------------------------------------------------
package OwnProvider;

# conf/demo/op.cgi behind a web server of this test: with settings and a log of
# its own, and two more: "down", associations fail; "slow", they take so many
# seconds.

use strict;
use warnings;
use File::Temp qw(tempdir);
use OpenID2RP::Process qw(lines_of write_file);
use OpenID2RP::Test ();
use Time::Local qw(timegm);

sub new {
    my ($class) = @_;
    my $dir = tempdir(CLEANUP => 1);
    my $self = bless { dir => $dir }, $class;
    $self->set(auto => 'any');
    $self->{url} = OpenID2RP::Test::web_server(sub { answer($dir, @_) });
    return $self;
}

sub id { "$_[0]{url}/user/alice" }
sub endpoint { "$_[0]{url}/endpoint" }

sub set {
    my ($self, $name, $value) = @_;
    return unlink "$self->{dir}/$name" unless defined $value;
    write_file("$self->{dir}/$name.new", "$value\n");
    rename "$self->{dir}/$name.new", "$self->{dir}/$name" or die $!;
}

# When it was asked that, as it says itself; and how often.
sub moments {
    my ($self, $mode) = @_;
    return map {
        /\A(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z \Q$mode\E /
            ? timegm($6, $5, $4, $3, $2 - 1, $1) : ()
    } lines_of("$self->{dir}/op.log");
}

sub asked { return scalar(my @moments = moments(@_)) }

sub answer {
    my ($dir, $target, $request, $socket, $url) = @_;
    my ($head, $body) = split /\r\n\r\n/, $request, 2;
    if ($body =~ /openid\.mode=associate(?:&|\z)/) {
        return if -e "$dir/down";
        sleep +(lines_of("$dir/slow"))[0] if -e "$dir/slow";
    }
    my ($path, $query) = split /\?/, $target, 2;
    write_file("$dir/body.$$", $body);
    local %ENV = (PATH => $ENV{PATH}, OP_BASE => $url, OP_STATE => $dir,
        OP_SECRET => 'not secret at all', PATH_INFO => $path,
        QUERY_STRING => $query // '', CONTENT_LENGTH => length $body,
        REQUEST_METHOD => $head =~ /\A(\w+)/);
    ($ENV{HTTP_ACCEPT}) = $head =~ /^Accept: *(.*?)\r?$/im;
    $ENV{HTTP_ACCEPT} //= '';
    my $out = qx{"$^X" conf/demo/op.cgi < "$dir/body.$$"};
    unlink "$dir/body.$$";
    my ($lines, $text) = split /\r\n\r\n/, $out, 2;
    my ($status, @headers) = split /\r\n/, $lines;
    return ([ $status =~ /(\d+)/, @headers ], $text);
}
