#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The handler openid2rp-status: what it tells, to whom, and in which form.

use v5.14;
use strict;
use warnings;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(free_port wait_for);
use OpenID2RP::Test;
use Test::More;

my @KINDS = qw(login nonce association session queue cache);
my $STATUS = url('/status/open');
my $ALICE = op_url('/user/alice');
my $KIND = qr/kind="(?:${\ join '|', @KINDS })"/;

# Family => [type, what may stand between { and }].
my %FAMILY = (
    openid2rp_info => [ 'gauge',
        qr/version="[^"\\]+",store="(?:shm|dbm|redis|memcache)"/ ],
    openid2rp_store_up => [ 'gauge', undef ],
    openid2rp_store_records => [ 'gauge', $KIND ],
    openid2rp_store_bytes => [ 'gauge', $KIND ],
    openid2rp_store_room_bytes => [ 'gauge', $KIND ],
    openid2rp_store_refused_total => [ 'counter', $KIND ],
);

op_reset();
for_people();
for_programs();
how_associations_are_made();
counts_follow_what_happens();
what_finds_no_room_is_counted();
a_store_in_files();
a_store_that_is_away();
who_may_see_it();
methods();
done_testing;

sub status_of { browser()->get($_[0] // $STATUS) }

# The numbers of a page in Prometheus' text format 0.0.4: name{labels} =>
# value. Dies where a line is not of that format, or not one of ours.
sub metrics {
    my ($text) = @_;
    die "no newline at the end\n" unless $text =~ /\n\z/;
    my (%value, %type, %help, $family);
    for my $line (split /\n/, $text) {
        if ($line =~ /\A# HELP ([a-z_][a-z0-9_]*) (\S.*)\z/) {
            die "$1 is helped with twice\n" if $help{$1}++;
            $family = $1;
        }
        elsif ($line =~ /\A# TYPE ([a-z_][a-z0-9_]*) (gauge|counter)\z/) {
            die "$line: not below its HELP\n" unless $1 eq $family;
            $type{$1} = $2;
        }
        elsif ($line =~ /\A([a-z_][a-z0-9_]*)(\{(.*)\})? (\d+)\z/) {
            my ($name, $all, $labels, $number) = ($1, $2 // '', $3, $4);
            my $known = $FAMILY{$name} or die "$line: nobody knows it\n";
            die "$line: not below its TYPE\n"
                unless $name eq $family && $type{$name};
            die "$line: of the type $type{$name}\n"
                unless $type{$name} eq $known->[0];
            die "$line: wrong labels\n" unless defined $known->[1]
                ? ($labels // '') =~ /\A$known->[1]\z/ : !defined $labels;
            die "$line: it is there twice\n" if exists $value{"$name$all"};
            $value{"$name$all"} = $number;
        }
        else {
            die "$line: not of the format\n";
        }
    }
    return \%value;
}

sub metrics_now { metrics(status_of(($_[0] // $STATUS) . '?auto')->body) }

# The rows of the table for people: kind => [live, used, room, full, refused].
sub table {
    my ($text) = @_;
    return map { my ($kind, @row) = split /\s{2,}|\s(?=\S+\z)/;
                 (grep { $_ eq $kind } @KINDS) ? ($kind => \@row) : () }
        split /\n/, $text;
}

sub for_people {
    my $page = status_of();
    is $page->status, 200, 'the status is shown';
    is $page->header('Content-Type'), 'text/plain; charset=utf-8',
        'as plain text';
    is $page->header('Cache-Control'), 'no-store', 'which nobody keeps';
    open my $in, '<', 'configure.ac' or die "configure.ac: $!";
    my ($version) = join('', <$in>) =~ /AC_INIT\(\[\w+\], \[([^\]]+)\]\)/;
    like $page->body, qr/\Amod_openid2rp \Q$version\E$/m,
        'with the version of the module';
    like $page->body, qr/^Store: shm$/m, 'where the store is';
    like $page->body, qr/^It answers\.$/m, 'that it answers';
    my %row = table($page->body);
    is_deeply [ sort keys %row ], [ sort @KINDS ],
        'and a line for each kind of record';
    my @odd = grep { "@$_" !~ /\A\d+ \d+ \d+ \d+\.\d% \d+\z/ } values %row;
    is_deeply \@odd, [], 'in which every number is known'
        or diag explain \@odd;
    unlike $page->body, qr/cannot tell/, 'so nothing is said of unknown ones';
}

sub for_programs {
    my $page = status_of("$STATUS?auto");
    is $page->status, 200, '?auto: the status is there';
    is $page->header('Content-Type'),
        'text/plain; version=0.0.4; charset=utf-8',
        'in the text format of Prometheus';
    is $page->header('Cache-Control'), 'no-store', 'which nobody keeps';
    my $value = eval { metrics($page->body) };
    is $@, '', 'every line is of that format';
    is $value->{openid2rp_store_up}, 1, 'the store is up';
    my ($info) = grep { /^openid2rp_info/ } keys %$value;
    like $info, qr/store="shm"/, 'it is shared memory';
    is_deeply [ sort keys %$value ], [ sort $info, 'openid2rp_store_up',
        map { my $family = $_; map { qq($family\{kind="$_"}) } @KINDS }
        qw(openid2rp_store_records openid2rp_store_bytes
           openid2rp_store_room_bytes openid2rp_store_refused_total) ],
        'and there is a number for each kind';

    # What the parser must not take.
    my ($help, $type) = ("# HELP openid2rp_store_up x\n",
                         "# TYPE openid2rp_store_up gauge\n");
    is_deeply metrics("$help${type}openid2rp_store_up 1\n"),
        { openid2rp_store_up => 1 }, 'control: a good page is taken';
    for my $bad ("${help}openid2rp_store_up 1\n",
                 "$help${type}openid2rp_store_up -\n",
                 "$help${type}openid2rp_store_up 1",
                 "$help${type}openid2rp_store_up{kind=\"login\"} 1\n",
                 "$help${type}openid2rp_store_up 1\nopenid2rp_store_up 1\n",
                 "$help${type}openid2rp_other 1\n", "Store: shm\n") {
        ok !eval { metrics($bad) }, 'control: a bad one is not';
    }

    for my $query ('?refresh=5', '?autos', '?', '') {
        like status_of("$STATUS$query")->body, qr/\Amod_openid2rp /,
            "\"$query\" is for people";
    }
}

sub how_associations_are_made {
    my %words = (status_background => qr/in the background, by mod_watchdog/,
                 status_never => qr/never/, '' => qr/while a user waits/);
    for my $vhost (sort keys %words) {
        like status_of(url('/status/open', $vhost || undef))->body,
            qr/^Associations are made: $words{$vhost}\.$/m,
            "how associations are made: $vhost";
    }
}

sub counts_follow_what_happens {
    my $count = sub {
        return metrics_now()->{qq(openid2rp_store_$_[0]\{kind="$_[1]"})};
    };
    my %before = map { ($_ => [ $count->(records => $_),
                                $count->(bytes => $_) ]) } @KINDS;
    is login(browser(), url('/status/app'), $ALICE)->status, 200,
        'somebody signs in';
    for my $kind (qw(login session)) {
        is $count->(records => $kind), $before{$kind}[0] + 1,
            "there is one $kind more";
        cmp_ok $count->(bytes => $kind), '>', $before{$kind}[1],
            'which takes room';
    }
    cmp_ok $count->(records => 'nonce'), '>', $before{nonce}[0],
        'and nonces are used up';
    is $count->(records => 'queue'), $before{queue}[0],
        'control: the others are as they were';
    my %row = table(status_of()->body);
    is $row{session}[0], $before{session}[0] + 1,
        'people see the same number';
}

# A small store of its own, filled by logins that nobody ends.
sub what_finds_no_room_is_counted {
    my $httpd = own_httpd('OpenIDStore shm:1M');
    my $url = $httpd->origin . '/status';
    my $refused = 'openid2rp_store_refused_total{kind="login"}';
    my $before = metrics_now($url);
    is $before->{$refused}, 0, 'a fresh store has refused nothing';
    my $last;
    for (1 .. 300) {
        $last = begin_login(browser(), $httpd->page, $ALICE);
        last unless $last->is_redirect;
    }
    is $last->status, 503, 'logins are refused when there is no room';
    my $after = metrics_now($url);
    cmp_ok $after->{$refused}, '>=', 1, 'it is counted';
    is $after->{'openid2rp_store_refused_total{kind="session"}'}, 0,
        'control: for that kind only';
    cmp_ok $after->{'openid2rp_store_bytes{kind="login"}'}, '>',
        0.9 * $after->{'openid2rp_store_room_bytes{kind="login"}'},
        'its room is full';
    my %row = table(status_of($url)->body);
    cmp_ok $row{login}[3] =~ s/%//r, '>', 90, 'and people see it';
    like status_of($url)->body, qr/^Store: shm:1M$/m, 'where the store is';
    ok $httpd->stop, 'httpd stops';
}

# The path begins at ServerRoot.
sub a_store_in_files {
    my $httpd = OpenID2RP::Httpd->new(status_lines(),
                                      'OpenIDStore dbm:state/store');
    ok !$httpd->start, 'httpd does not start without the folder of the store';
    like $httpd->says, qr/openid2rp:crit.* O2RP-204: store: .*state/,
        'and says so';
    my $dir = $httpd->dir;
    mkdir "$dir/state", 0700 or die "$dir/state: $!";
    ok $httpd->start, 'with it, it starts' or diag $httpd->says;
    my $url = $httpd->origin . '/status';
    like status_of($url)->body,
        qr{^Store: dbm:\Q$dir\E/state/store\nIt answers\.$}m,
        'the status says where the store is';
    my $sessions = 'openid2rp_store_records{kind="session"}';
    is metrics_now($url)->{$sessions}, 0, 'nobody is signed in';
    is login(browser(), $httpd->page, $ALICE)->status, 200,
        'somebody signs in';
    is metrics_now($url)->{$sessions}, 1, 'it is counted';
    ok $httpd->graceful, 'after a graceful restart';
    is metrics_now($url)->{$sessions}, 1, 'it still is';
    $httpd->configure(status_lines(), 'OpenIDStore shm');
    ok $httpd->graceful, 'after one with another store';
    is metrics_now($url)->{$sessions}, 0, 'it is not';
    like $httpd->says, qr{openid2rp:notice.*\ O2RP-209:\ store:\ shm\ takes
                          \ the\ place\ of\ dbm:\Q$dir\E/state/store;}x,
        'the log says so';
    ok $httpd->stop, 'httpd stops';
}

# Nobody listens there.
sub a_store_that_is_away {
    my $port = free_port();
    my $httpd = OpenID2RP::Httpd->new(status_lines(),
        "OpenIDStore redis://:not-to-be-seen\@127.0.0.1:$port/");
    if (!$httpd->start) {
        like $httpd->says, qr/O2RP-204: store: .*redis/,
            'a build without hiredis says so at start';
        return;
    }
    my $url = $httpd->origin . '/status';
    my $page = status_of($url);
    is $page->status, 200, 'the status of a store that is away is shown';
    like $page->body, qr/^It does not answer: /m, 'as that';
    like $page->body, qr/^-: not known while/m, 'nothing is known of it';
    unlike $page->body . $httpd->says, qr/not-to-be-seen/,
        'a password is not shown, nor logged';
    my $value = metrics_now($url);
    is $value->{openid2rp_store_up}, 0, 'programs see it too';
    is_deeply [ map { s/\{.*//r } sort keys %$value ],
        [ 'openid2rp_info', 'openid2rp_store_up' ],
        'and no number that is not known';
    is login(browser(), $httpd->page, $ALICE)->status, 503,
        'control: nobody can sign in';
    my $said = sub { scalar grep { /openid2rp:warn.* O2RP-208/ } $httpd->log };
    ok wait_for($said), 'the log says that no associations are made';
    sleep 5;
    is $said->(), 1, 'once, however often that is tried';
    ok $httpd->stop, 'httpd stops';
    is_deeply [ $httpd->crashes ], [], 'and nothing has crashed';
}

sub status_lines {
    return ('<Location "/status">', 'SetHandler openid2rp-status',
            'AuthType None', 'Require all granted', '</Location>');
}

sub own_httpd {
    my $httpd = OpenID2RP::Httpd->new(status_lines(), @_);
    ok $httpd->start, 'an httpd of its own starts' or diag $httpd->says;
    return $httpd;
}

sub who_may_see_it {
    is status_of(url('/status/elsewhere'))->status, 403,
        'who must not see it does not';
    my $browser = browser();
    my $url = url('/status/members');
    for my $query ('', '?auto') {
        my $page = $browser->get("$url$query");
        is $page->status, 401, 'under AuthType OpenID one has to sign in';
        unlike $page->body, qr/openid2rp_store|It answers/, 'to see it';
    }
    my $page = login($browser, $url, $ALICE);
    is $page->status, 200, 'who has signed in';
    like $page->body, qr/^It answers\.$/m, 'sees it';
    is status_of(url('/status/nothing'))->status, 404,
        'it is nowhere where it was not asked for';
}

sub methods {
    my $browser = browser();
    my $head = $browser->send('HEAD', $STATUS);
    is $head->status, 200, 'HEAD is answered';
    is $head->body, '', 'without a body';
    is $head->header('Cache-Control'), 'no-store', 'but with the headers';
    for my $method (qw(POST PUT DELETE)) {
        my $page = $browser->send($method, $STATUS, 'x=y');
        is $page->status, 405, "$method is not allowed";
        like $page->header('Allow') // '', qr/\bGET\b/, 'the answer says what';
        unlike $page->body, qr/It answers/, 'and not more';
    }
    is status_of()->status, 200, 'control: GET is';
}
