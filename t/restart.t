#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What a restart keeps and what it loses, on an httpd of this test's own.

use v5.14;
use strict;
use warnings;
use Apache::Test ();
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use OpenID2RP::Test;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

use constant SECONDS => 15;     # for httpd to start, restart or stop

my $HTTPD = Apache::Test::basic_config()->{vars}{httpd};
my $ALICE = op_url('/user/alice');
my $dir = tempdir(CLEANUP => 1);
my $port = free_port();
my $SITE = "http://localhost:$port";
my $pid;
my $owner = $$;

# --- an httpd ---------------------------------------------------------------

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or BAIL_OUT("no port: $!");
    return $socket->sockport;
}

sub lines_of {
    my ($file) = @_;
    open my $in, '<', $file or return;
    return <$in>;
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or BAIL_OUT("$file: $!");
    print $out $text;
    close $out or BAIL_OUT("$file: $!");
}

# The configuration, with these lines more.
sub configure {
    my (@more) = @_;
    my $load = join '', grep { /\ALoadModule\ (?:mpm_\w+|unixd|
        log_config|authn_core|authz_core|authz_user|mime|openid2rp)_module/x }
        lines_of('t/inherited.conf');
    write_file("$dir/httpd.conf", $load . join "\n", <<"END", @more, '');
ServerRoot $dir
ServerName localhost:$port
Listen 127.0.0.1:$port
PidFile $dir/httpd.pid
DefaultRuntimeDir $dir
Mutex file:$dir default
ErrorLog $dir/error_log
LogLevel info
TypesConfig /dev/null
DocumentRoot $dir/site
OpenIDFetchAllow 127.0.0.0/8 ::1/128
<Directory "$dir/site">
    AuthType OpenID
    Require valid-user
</Directory>
<IfModule mpm_prefork_module>
    StartServers 3
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 2
    ServerLimit 4
    ThreadsPerChild 5
    MaxRequestWorkers 20
    MinSpareThreads 5
    MaxSpareThreads 20
</IfModule>
END
}

sub wait_for {
    my ($condition) = @_;
    my $until = time + SECONDS;
    while (time < $until) {
        return 1 if $condition->();
        sleep 0.05;
    }
    return 0;
}

sub runs { $pid && waitpid($pid, WNOHANG) == 0 }

sub answers {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
                                 Timeout => 1) ? 1 : 0;
}

sub start {
    $pid = fork // BAIL_OUT("fork: $!");
    if (!$pid) {
        # A group of its own, which can be ended as one.
        setpgrp;
        open STDOUT, '>>', "$dir/output";
        open STDERR, '>&', \*STDOUT;
        exec $HTTPD, '-f', "$dir/httpd.conf", '-DFOREGROUND'
            or POSIX::_exit(127);
    }
    wait_for(sub { !runs() || (answers() && generation() > 0) });
    return runs() && answers();
}

sub stop {
    return 1 if !$pid;
    kill TERM => $pid;
    my $gone = wait_for(sub { waitpid($pid, WNOHANG) != 0 });
    kill KILL => -$pid;
    waitpid $pid, 0 unless $gone;
    undef $pid;
    return $gone;
}

# How often httpd has come up.
sub generation {
    return scalar grep { /resuming normal operations/ }
        lines_of("$dir/error_log");
}

# Signal, and wait for the next generation.
sub graceful {
    my $before = generation();
    kill USR1 => $pid;
    return wait_for(sub { generation() > $before || !runs() }) && runs();
}

# What `httpd -k graceful` says, and whether it was content.
sub ask_graceful {
    my $child = open my $out, '-|' // BAIL_OUT("fork: $!");
    if (!$child) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', SECONDS, $HTTPD, '-f', "$dir/httpd.conf",
            '-k', 'graceful' or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? == 0, $text);
}

# The processes that httpd has started.
sub children {
    return grep { $_ && getpgrp $_ == $pid && $_ != $pid }
        map { /(\d+)/ } glob '/proc/[0-9]*';
}

END {
    if ($$ == $owner) {
        local $?;
        stop();
    }
}

# --- the tests --------------------------------------------------------------

op_reset();
mkdir "$dir/site" or BAIL_OUT("$dir/site: $!");
write_file("$dir/site/page.html", "PROTECTED-BODY\n");
my $PAGE = "$SITE/page.html";

sub member {
    my $browser = browser();
    is login($browser, $PAGE, $ALICE)->status, 200, 'somebody signs in';
    return $browser;
}

# A browser that stands before its provider, and where that will send it.
sub half_way {
    my $browser = browser();
    my $begun = begin_login($browser, $PAGE, $ALICE);
    my $back = ask_op($browser, $begun);
    return ($browser, $back);
}

configure();
ok start(), 'httpd starts' or do {
    diag lines_of("$dir/output"), lines_of("$dir/error_log");
    done_testing;
    exit;
};

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my ($again, $back_again) = half_way();
    my %before = %{ $again->{jar} };
    $again->get($back_again);

    ok graceful(), 'a graceful restart comes to an end';
    is $browser->get($PAGE)->status, 200, 'it keeps sessions';
    is $waiting->get($back)->status, 303, 'and a login in progress';
    is $waiting->get($PAGE)->status, 200, 'which ends in a session';
    $again->{jar} = \%before;
    is $again->get($back_again)->status, 403, 'it keeps what is used up:';
    like((grep { /login refused/ } lines_of("$dir/error_log"))[-1] // '',
         qr/\(nonce-replayed\)/, 'the log says so');
    is browser()->get($PAGE)->status, 401, 'control: nobody else is let in';

    ok graceful() && graceful() && graceful(), 'so do some more of them';
    is $browser->get($PAGE)->status, 200, 'and keep sessions';
    is login(browser(), $PAGE, $ALICE)->status, 200, 'one can sign in';

    my $before = generation();
    kill HUP => $pid;
    ok wait_for(sub { generation() > $before }) && runs(),
        'so does a restart that is not graceful';
    is $browser->get($PAGE)->status, 200, 'and keeps sessions';
    is login(browser(), $PAGE, $ALICE)->status, 200, 'one can sign in';
}

{
    my $browser = member();
    configure('OpenIDSessionTimeout 10m', 'OpenIDProvider "New" '
              . 'https://new.example/');
    ok graceful(), 'a graceful restart with other settings comes to an end';
    is $browser->get($PAGE)->status, 200, 'and keeps sessions';
    like browser()->get($PAGE)->body, qr/>New</, 'control: they are in use';
    unlike join('', lines_of("$dir/error_log")), qr/O2RP-201/,
        'nothing is said to be lost';

    configure('OpenIDStore shm:2M');
    ok graceful(), 'one with a store of another size does so too';
    like join('', lines_of("$dir/error_log")),
        qr/openid2rp:notice.* O2RP-201: store: its size changed/,
        'the log says that sessions are lost';
    is $browser->get($PAGE)->status, 401, 'and so they are';
    is login($browser, $PAGE, $ALICE)->status, 200, 'one can sign in again';
    ok graceful(), 'the next one';
    is $browser->get($PAGE)->status, 200, 'keeps them';
}

{
    my $browser = member();
    configure('OpenIDSessionTimeout never');
    my ($content, $words) = ask_graceful();
    ok !$content, '`httpd -k graceful` with a mistake fails';
    like $words, qr/OpenIDSessionTimeout: "never" is not a time/,
        'and says what is wrong';
    ok runs(), 'httpd goes on';
    is $browser->get($PAGE)->status, 200, 'as before';
    configure();
    my $before = generation();
    ($content, $words) = ask_graceful();
    ok $content, 'control: without the mistake it succeeds' or diag $words;
    ok wait_for(sub { generation() > $before }), 'and restarts';
}

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my @children = children();
    cmp_ok scalar(@children), '>', 0, 'httpd has children';
    kill KILL => @children;
    ok wait_for(sub { my $page = eval { $browser->get($PAGE) };
                      $page && $page->status == 200 }),
        'when they are killed, sessions stay';
    is $waiting->get($back)->status, 303, 'and a login in progress';
}

{
    my $browser = member();
    my ($waiting, $back) = half_way();
    my $cookie = $browser->cookie('openid2rp');
    ok stop(), 'httpd stops';
    ok start(), 'and starts again';
    is $browser->get($PAGE)->status, 401, 'sessions are lost then';
    is $browser->cookie('openid2rp'), $cookie,
        'control: the browser has its cookie still';
    is $waiting->get($back)->status, 403, 'and so are logins in progress';
    is $waiting->get($PAGE)->status, 401, 'which end in no session';
    is login($browser, $PAGE, $ALICE)->status, 200, 'one can sign in again';
}

ok stop(), 'httpd stops at the end';
my @crashes = grep { /exit signal (?!Killed)/ } lines_of("$dir/error_log");
is_deeply \@crashes, [], 'and no child of it has crashed';
my @left = grep { !/httpd|site|conf|output|error_log/ } map { s{.*/}{}r }
    glob "$dir/*";
is_deeply \@left, [], 'nor has it left anything behind';

done_testing;
