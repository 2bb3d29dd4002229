#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# H. Outbound HTTP: what a stranger can make this server contact, and read. A
# login does not begin with what is hostile, and the same way begins one without
# that. Names that change their address (DNS rebinding), and all ranges and
# spellings of addresses, are in t/unit/test_fetch_guard.c and test_address.c,
# with a resolver of their own.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use IO::Select ();
use IO::Socket::IP ();
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Test;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant SENT_MAX => 16 << 20;      # the buffers of two sockets are in it

my $SIGNON = 'http://specs.openid.net/auth/2.0/signon';
my $LOGS = Apache::Test::basic_config()->{vars}{t_logs};
my $REFUSED = [400, 'address-refused'];

my $OP = OpenID2RP::Evil->new;
my ($OUTSIDE) = $OP->url =~ /:(\d+)\z/;
my @CANARIES;

op_reset();
internal_targets();
internal_targets_on_the_way();
internal_targets_chosen_by_a_provider();
local_schemes();
redirect_to_anything_else();
redirects_of_a_post();
redirect_loop_and_chain();
endless_answers();
slow_answers();
identifier_request_splitting();
tls();
done_testing;

# ---------------------------------------------------------------------------

# Sockets that nobody may connect to, all with one port; where the machine has
# no such address there is none.
sub listen_at {
    my (@addresses) = @_;
    my $port = 0;
    @CANARIES = ();
    for my $address (@addresses) {
        my $socket = IO::Socket::IP->new(LocalHost => $address,
            LocalPort => $port, Listen => 20, ReuseAddr => 1) or next;
        $port = $socket->sockport;
        push @CANARIES, $socket;
    }
    return $port;
}

# How many have connected since the last call.
sub visits {
    my $count = 0;
    for my $socket (@CANARIES) {
        while (IO::Select->new($socket)->can_read(0)) {
            $socket->accept or last;
            $count++;
        }
    }
    return $count;
}

# The same for one of them, while something is done for which it may be
# contacted: there a process hangs up on who comes, so that nobody waits.
sub visits_while {
    my ($socket, $do) = @_;
    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        alarm 60;
        while (my $peer = $socket->accept) {
            syswrite $out, '.';
            close $peer;
        }
        POSIX::_exit(0);
    }
    close $out;
    $do->();
    kill KILL => $pid;
    waitpid $pid, 0;
    return length join '', <$in>;
}

# A login that must not begin.
sub stays_out {
    my ($name, $vhost, $identifier, $refusal, %option) = @_;
    my $app = $option{app} // url('/security/fetch', $vhost);
    my ($status, $code) = @$refusal;
    my $log = $option{log} // \&refusals;
    my $browser = browser();
    $log->();
    my $page = begin_login($browser, $app, $identifier);
    is_deeply { status => $page->status, refused => [$log->()],
                sentence => ($page->alert // '') =~ /\w.*[.]\z/s ? 1 : 0,
                to => scalar $page->header('Location'),
                sessions => [grep { /\A(?:__Host-)?openid2rp=[^;]/ }
                             $page->headers('Set-Cookie')],
                visits => visits() },
        { status => $status, refused => [$code], sentence => 1, to => undef,
          sessions => [], visits => 0 },
        "$name: no login begins, and nothing inside is contacted"
        or diag $page->alert // $page->body;
    outsider($browser, $app, $name);
}

# The control.
sub goes_to {
    my ($name, $vhost, $identifier, $endpoint, %option) = @_;
    my $app = $option{app} // url('/security/fetch', $vhost);
    my $page = begin_login(browser(), $app, $identifier);
    my $to = $page->header('Location') // $page->alert // $page->status;
    is $to =~ s/[?&]openid[.].*//sr, $endpoint // $OP->endpoint,
        "$name: the login begins";
    return $page;
}

my $pages = 0;

# An identifier at which the server says this.
sub page_with {
    my ($answer) = @_;
    my $path = '/page/' . ++$pages;
    $OP->serves($path, $answer);
    return $OP->url . $path;
}

sub redirect {
    my ($to, $status) = @_;
    return { status => $status // 302, headers => ["Location: $to"] };
}

# ---------------------------------------------------------------------------

sub internal_targets {
    my $port = listen_at('127.0.0.1', '::1');
    my @addresses = ('127.0.0.1', '127.1', '2130706433', '0x7f.1',
        '0x7f000001', '0177.0.0.1', '017700000001', '127.0.0.1.', 'localhost',
        'localhost.', 'a.localhost', '0.0.0.0', '0', '[::1]', '[::]',
        '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]',
        '[64:ff9b::7f00:1]', '[2002:7f00:1::1]', '10.0.0.1', '172.16.0.1',
        '192.168.0.1', '100.64.0.1', '169.254.169.254', '224.0.0.1',
        '255.255.255.255', '[fc00::1]', '[fe80::1]', '[ff02::1]');
    my $default = 'security_fetch_default';
    stays_out("internal target $_", $default, "http://$_:$port/", $REFUSED)
        for @addresses;
    stays_out("internal target $_, without a scheme", $default, "$_:$port",
              $REFUSED) for '127.0.0.1', 'localhost';
    stays_out("internal target $_, by https", $default, "https://$_:$port",
              $REFUSED) for '127.0.0.1', '[::1]';
    for my $host ('user@127.0.0.1', 'a.example:80@127.0.0.1',
                  '127.0.0.1\\@a.example', '127.0.0.1%00.a.example',
                  '127%2E0.0.1', '[::1%25lo]', '[::1%lo]', '127..0.1',
                  '127.0.0.1%0d%0a') {
        stays_out("internal target $host", $default, "http://$host:$port/",
                  [400, 'bad-identifier']);
    }
    for my $bad (0, 65_536, '080x', -1) {
        stays_out("internal target, port $bad", $default,
                  "http://127.0.0.1:$bad/", [400, 'bad-identifier']);
    }
    # other digits and dots: an address, or no host
    for my $host ("127\x{3002}0\x{3002}0\x{3002}1", "\x{FF11}27.0.0.1",
                  "\x{24DB}ocalhost") {
        utf8::encode(my $bytes = $host);
        my $page = begin_login(browser(), url('/security/fetch', $default),
                               "http://$bytes:$port/");
        is $page->status, 400, 'internal target in other letters: refused';
        is visits(), 0, 'internal target in other letters: not contacted';
    }
    is scalar(refusals()), 3, 'internal target in other letters: logged';
    goes_to('internal target: control', undef, $OP->id('alice'));
    stays_out('internal target: the same by default', $default,
              $OP->id('alice'), $REFUSED);
    is visits_while($CANARIES[0], sub {
        begin_login(browser(), url('/security/fetch'),
                    "http://127.0.0.1:$port/");
    }), 1, 'internal target: control: who may connect is seen';
}

# The identifier is outside; what it names, or where it leads, is not.
sub internal_targets_on_the_way {
    my $port = listen_at('127.0.0.2', '::1');
    my $outside = 'security_fetch_outside';
    goes_to('on the way: control', $outside, $OP->id('alice'));
    for my $host ('127.0.0.2', '2130706434', '0177.0.0.2', '[::1]',
                  '[::ffff:127.0.0.2]', '169.254.169.254') {
        my $to = "http://$host:$port/";
        stays_out("X-XRDS-Location to $host", $outside, page_with({
            headers => ["X-XRDS-Location: $to"], body => 'x' }),
            [400, 'not-openid']);
        stays_out("a meta element to $host", $outside, page_with({
            headers => ['Content-Type: text/html'], body => '<head><meta '
            . "http-equiv=\"X-XRDS-Location\" content=\"$to\"></head>" }),
            [400, 'not-openid']);
        stays_out("a redirect to $host", $outside, page_with(redirect($to)),
                  $REFUSED);
        stays_out("X-XRDS-Location to a redirect to $host", $outside,
            page_with({ headers => ['X-XRDS-Location: '
                        . page_with(redirect($to))], body => 'x' }),
            [400, 'not-openid']);
        my $id = page_with($OP->xrds({ uri => $to }));
        stays_out("an endpoint at $host", $outside, $id, $REFUSED);
        stays_out("an endpoint at $host, stateless",
                  'security_fetch_stateless', $id, $REFUSED);
        goes_to("an endpoint at $host beside a good one", $outside, page_with(
            $OP->xrds({ uri => $to }, { uri => $OP->endpoint })));
    }
    is visits(), 0, 'on the way: nothing was contacted';
    my $to = "http://127.0.0.2:$port/";
    for (redirect($to), $OP->xrds({ uri => $to }),
         { headers => ["X-XRDS-Location: $to"], body => 'x' }) {
        my $id = page_with($_);
        is visits_while($CANARIES[0], sub {
            begin_login(browser(), url('/security/fetch'), $id)
        }), 1, 'on the way: control: where it may be contacted, it is';
    }
    # a name for both: only the address that is allowed is contacted
    @CANARIES = ();
    push @CANARIES, IO::Socket::IP->new(LocalHost => '::1', Listen => 5,
        LocalPort => $OUTSIDE) || ();
    goes_to('a name with an inner address as well', $outside,
            $OP->id('alice') =~ s/127.0.0.1/localhost/r);
    is visits(), 0, 'a name with an inner address as well: not contacted';
}

# A provider that chooses the identifier makes us discover that.
sub internal_targets_chosen_by_a_provider {
    my $port = listen_at('127.0.0.2', '::1');
    for my $host ('127.0.0.2', '0x7f.2', '[::1]', '169.254.169.254') {
        my $id = "http://$host:$port/";
        attack("a chosen identifier at $host", [403, 'identity-mismatch'],
            op => $OP,
            id => $OP->op_identifier,
            target => url('/security/fetch', 'security_fetch_outside'),
            change => { claimed_id => $id, identity => $id },
            control => { claimed_id => $OP->id('alice'),
                         identity => $OP->id('alice') },
            who => $OP->id('alice'));
    }
    is visits(), 0, 'a chosen identifier: nothing was contacted';
    my ($browser, $to) = (browser(), "http://127.0.0.2:$port/");
    my $begun = begin_login($browser, url('/security/fetch'),
                            $OP->op_identifier);
    is visits_while($CANARIES[0], sub {
        $browser->get($OP->assertion($begun, claimed_id => $to,
                                     identity => $to));
    }), 1, 'a chosen identifier: control: where it may be contacted, it is';
}

sub local_schemes {
    my $port = listen_at('127.0.0.1', '::1');
    for my $scheme (qw(file gopher gophers dict ldap ldaps ftp ftps sftp scp
                       smb telnet tftp imap pop3 smtp rtsp mqtt ws wss unix
                       javascript data mailto about x-unheard-of)) {
        stays_out("local scheme $scheme", undef, "$scheme://127.0.0.1:$port/",
                  [400, 'bad-identifier']);
    }
    stays_out("local scheme: $_", undef, $_, [400, 'bad-identifier'])
        for 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x', 'dict:x',
            'FILE:///etc/passwd', 'file://localhost/x',
            'jar:http://127.0.0.1/!/', 'view-source:http://127.0.0.1/',
            'httpx://127.0.0.1/', 'http:file:///etc/passwd';
    goes_to('local scheme: control', undef, $OP->id('alice'));
    goes_to('local scheme: control: in capitals', undef,
            $OP->id('alice') =~ s/http/HTTP/r);
}

sub redirect_to_anything_else {
    my $port = listen_at('127.0.0.2', '::1');
    my $outside = 'security_fetch_outside';
    for my $to ('file:///etc/passwd', "gopher://127.0.0.1:$OUTSIDE/",
                "dict://127.0.0.1:$OUTSIDE/", "ftp://127.0.0.1:$OUTSIDE/",
                "ldap://127.0.0.1:$OUTSIDE/", "smb://127.0.0.1/x",
                "telnet://127.0.0.1:$OUTSIDE/", 'javascript:alert(1)',
                'data:text/html,x', "http://a:b\@127.0.0.1:$OUTSIDE/op",
                "http://a\@127.0.0.1:$OUTSIDE/op", 'http://', 'http:///op',
                "http://127.0.0.1:$OUTSIDE/\\..\\\x01", 'http://127.0.0.1:0/',
                'x-unheard-of:x') {
        stays_out('a redirect to ' . $to =~ s/[^ -~]/?/gr, $outside,
                  page_with(redirect($to)), [502, 'redirect-refused']);
    }
    # at each hop
    for my $hop (1 .. 5) {
        for ([ 'file:///etc/passwd', [502, 'redirect-refused'] ],
             [ "http://127.0.0.2:$port/", $REFUSED ]) {
            my ($to, $refusal) = @$_;
            $to = page_with(redirect($to)) for 1 .. $hop;
            stays_out("a redirect to $_->[0] at hop $hop", $outside, $to,
                      $refusal);
        }
    }
    for my $status (301, 302, 303, 307, 308) {
        goes_to("a redirect: control: $status", $outside,
                page_with(redirect($OP->id('alice'), $status)));
        stays_out("a redirect with status $status", $outside,
                  page_with(redirect("http://127.0.0.2:$port/", $status)),
                  $REFUSED);
    }
    goes_to('a redirect: control: relative', $outside,
            page_with(redirect('/id/alice')));
}

# The answer to a direct request is the endpoint's own.
sub redirects_of_a_post {
    my $canary = canary();
    for my $status (301, 302, 303, 307, 308) {
        my $op = OpenID2RP::Evil->new;
        $op->answers($_ => redirect("$canary/$_", $status))
            for qw(associate check_authentication);
        my $name = "a POST that is redirected ($status)";
        my $browser = browser();
        my $begun = begin_login($browser, url('/security/fetch'),
                                $op->id('alice'));
        refusals();
        my $page = $browser->get($op->assertion($begun));
        cmp_ok $page->status, '>=', 400, "$name: refused";
        is scalar(refusals()), 1, "$name: logged";
        outsider($browser, url('/security/fetch'), $name);
        is_deeply [web_log($canary)], [], "$name: not followed";
        $op->is_honest;
        $browser->get($op->assertion($begun));
        insider($browser, url('/security/fetch'), $op->id('alice'),
                "$name: control");
    }
}

sub redirect_loop_and_chain {
    my $loop = page_with(undef);
    $OP->serves($loop =~ s/\A\Q${\ $OP->url}\E//r, redirect($loop));
    $OP->calls;
    stays_out('a redirect to itself', undef, $loop,
              [502, 'redirect-refused']);
    is scalar(grep { /\AGET/ } $OP->calls), 6, 'a redirect to itself: five '
        . 'are followed';
    my ($one, $two) = map { page_with(undef) } 1 .. 2;
    $OP->serves(substr($one, length $OP->url), redirect($two));
    $OP->serves(substr($two, length $OP->url), redirect($one));
    stays_out('a loop of two', undef, $one, [502, 'redirect-refused']);
    my $to = $OP->id('alice');
    for my $hops (1 .. 6) {
        $to = page_with(redirect($to));
        goes_to("a chain of $hops", undef, $to) if $hops == 5;
        stays_out("a chain of $hops", undef, $to, [502, 'redirect-refused'])
            if $hops == 6;
    }
}

# ---------------------------------------------------------------------------
# How much, and how long

# A server that sends a beginning, and then this without end, or until it has
# sent 831 MB: its URL, and a function that tells how much that was.
sub endless {
    my ($begin, $piece) = @_;
    my $file = "$LOGS/fetch.sent";
    unlink $file;
    my $url = web_server(sub {
        my ($path, $request, $socket) = @_;
        local $SIG{PIPE} = 'IGNORE';
        my $count = syswrite $socket, $begin;
        while ($count < 831 << 20) {
            my $n = syswrite $socket, $piece or last;
            $count += $n;
        }
        open my $out, '>', "$file.new";
        print $out $count;
        close $out;
        rename "$file.new", $file;
        return;
    });
    return ($url, sub {
        my $until = time + 20;
        sleep 0.05 while !-e $file && time < $until;
        open my $in, '<', $file or return 'unknown';
        return <$in>;
    });
}

sub endless_answers {
    my $ok = "HTTP/1.1 200 OK\r\n";
    my $chunked = "${ok}Transfer-Encoding: chunked\r\n\r\n";
    my $piece = 'a' x 65_536;
    my %answer = (
        'endless body' => ["$ok\r\n", $piece],
        'endless XRDS' => ["${ok}Content-Type: application/xrds+xml\r\n\r\n",
                           '<X/>' x 16_384],
        'a body of 831 MB' => ["${ok}Content-Length: 871366656\r\n\r\n",
                               $piece],
        'endless chunks' => [$chunked, "1\r\na\r\n" x 8192],
        'one endless chunk' => ["${chunked}7FFFFFFF\r\n", $piece],
        'endless extension of a chunk' => ["${chunked}1;", $piece],
        'endless headers' => [$ok, "X-Header: abc\r\n" x 4096],
        'one endless header' => ["${ok}X-Header: ", $piece],
        'endless interim answers' => ['', "HTTP/1.1 100 Continue\r\n\r\n"
                                      x 1024],
    );
    for my $name (sort keys %answer) {
        my ($url, $sent) = endless(@{ $answer{$name} });
        my $browser = browser();
        refusals();
        my $page = begin_login($browser, url('/security/fetch'), $url);
        is $page->status, 502, "$name: the status is 502";
        is_deeply [map { /\A(?:too-big|fetch-failed)\z/ ? 1 : $_ }
                   refusals()], [1], "$name: one line in the log";
        cmp_ok $sent->(), '<', SENT_MAX, "$name: it is not read";
        outsider($browser, url('/security/fetch'), $name);
    }
    my $good = $OP->xrds({ uri => $OP->endpoint });
    $good->{body} =~ s/\n/"\n<!-- " . 'x' x 200_000 . " -->\n"/e;
    goes_to('endless answers: control: a large one', undef, page_with($good));
    $good->{headers} = [@{ $good->{headers} }, ('X-Header: abc') x 3000];
    goes_to('endless answers: control: many headers', undef,
            page_with($good));
}

# Send a start without waiting for its answer.
sub start_alone {
    my ($vhost, $identifier) = @_;
    my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1',
        PeerPort => port_of($vhost)) or die "connect: $!";
    my $url = url('/security/fetch', $vhost);
    print $socket raw_request('POST', $url, [
        [ 'Content-Type', 'application/x-www-form-urlencoded' ],
        [ Accept => 'text/html' ] ],
        query_of([ openid_identifier => $identifier ]));
    $socket->flush;
    return $socket;
}

sub slow_answers {
    my $ok = "HTTP/1.1 200 OK\r\n";
    my $impatient = 'security_fetch_impatient';
    my %answer = (
        'slow drip of a body' => { raw => "$ok\r\n", repeat => ['x', 9999],
                                   drip => 0.05 },
        'slow headers' => { raw => $ok, repeat => ["a: b\r\n", 9999],
                            drip => 0.05 },
        'slow interim answers' => { raw => '', drip => 0.05,
            repeat => ["HTTP/1.1 102 Processing\r\n\r\n", 9999] },
        'silence' => { raw => '', hold => 20 },
        'silence in the body' => { raw => "${ok}Content-Length: 9\r\n\r\nabc",
                                   hold => 20 },
    );
    refusals();
    my $begin = time;
    my %socket = map {
        ($_ => start_alone($impatient, page_with($answer{$_})))
    } sort keys %answer;
    goes_to('slow answers: others are served meanwhile', undef,
            $OP->id('alice'));
    my $done = IO::Select->new(values %socket)->can_read(0);
    ok !$done || time - $begin > 2, 'slow answers: and do not wait for them';
    my %page;
    for my $name (sort keys %socket) {
        my $text = '';
        while (IO::Select->new($socket{$name})->can_read(20)) {
            sysread $socket{$name}, $text, 65_536, length $text or last;
        }
        $page{$name} = OpenID2RP::Test::Response->read($text, 'x');
        is $page{$name} && $page{$name}->status, 504,
            "$name: the deadline holds: 504";
    }
    is_deeply [refusals()], [('timeout') x keys %socket],
        'slow answers: a line in the log for each';
    goes_to('slow answers: control: a little slow', $impatient, page_with({
        %{ $OP->xrds({ uri => $OP->endpoint }) }, delay => 0.2 }));
}

# ---------------------------------------------------------------------------

# What a server was asked, in full.
sub recorder {
    my $file = "$LOGS/fetch.requests";
    unlink $file;
    my $url = web_server(sub {
        open my $out, '>>', $file;
        syswrite $out, $_[1];
        return ([ 200, 'Content-Type: text/html' ], 'x');
    });
    return ($url, sub {
        open my $in, '<', $file or return '';
        my $text = join '', <$in>;
        unlink $file;
        return $text;
    });
}

sub identifier_request_splitting {
    my ($site, $requests) = recorder();
    my ($host) = $site =~ m{//(.*)};
    for my $path ('/%0d%0aX-Evil:y', '/%0D%0A%0D%0AGET%20/evil%20HTTP/1.1',
                  '/?a=%0d%0aX-Evil:y', '/%0aX-Evil:y', '/%00X-Evil:y',
                  '/#%0d%0aX-Evil:y', '/%C4%8D%C4%8AX-Evil:y',
                  "/\xC4\x8D\xC4\x8AX-Evil:y", '/%E5%98%8D%E5%98%8AX-Evil:y') {
        my $name = "request splitting: $path" =~ s/[^ -~]/?/gr;
        stays_out($name, undef, $site . $path, [400, 'not-openid']);
        my $text = $requests->();
        is scalar(() = $text =~ /^(?:GET|POST|HEAD) /mg), 1,
            "$name: one request";
        is_deeply [map { lc } sort $text =~ /^([\w-]+):/mg],
            [qw(accept host user-agent)], "$name: no extra header";
        like $text, qr/^Host: \Q$host\E\r$/m, "$name: the right host";
    }
    for my $tail ("/\r\nX-Evil: y", "/\nX-Evil: y", "/ HTTP/1.1\r\nX: y",
                  "/a b", "/\t", "/\0", "/?\r\n\r\nGET / HTTP/1.1", "/\x7F",
                  "\r\nX-Evil: y/", "%0d%0aX-Evil:y/") {
        my $name = 'request splitting: '
            . $tail =~ s/([^ -~])/sprintf '\\x%02X', ord $1/ger;
        stays_out($name, undef, "$site${tail}z", [400, 'bad-identifier']);
        is $requests->(), '', "$name: nothing is sent";
    }
    # what a redirect or a page says is read as strictly
    for my $tail ("/\x01X-Evil: y", '/ HTTP/1.1', "/\tx") {
        my $name = 'request splitting by a redirect: '
            . $tail =~ s/([^ -~])/sprintf '\\x%02X', ord $1/ger;
        stays_out($name, undef, page_with(redirect("$site${tail}z")),
                  [502, 'redirect-refused']);
        is $requests->(), '', "$name: nothing is sent";
    }
}

# ---------------------------------------------------------------------------
# TLS

my @made;               # pids of servers

sub openssl {
    my (@words) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$LOGS/fetch.openssl";
        open STDERR, '>&', \*STDOUT;
        exec 'openssl', @words or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return if !$?;
    open my $in, '<', "$LOGS/fetch.openssl";
    die "openssl @words: ", <$in>;
}

# DIR/NAME.pem and NAME.key for these names, signed by an authority or by
# itself, good for so many days from now.
sub certificate {
    my ($dir, $name, $names, $signer, $days) = @_;
    my $base = "$dir/$name";
    open my $out, '>', "$base.ext" or die "$base.ext: $!";
    print $out $names ? "subjectAltName=$names\n"
        : "basicConstraints=critical,CA:TRUE\n";
    close $out;
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:P-256', '-nodes', '-subj', "/CN=$name",
            '-keyout', "$base.key", '-out', "$base.csr");
    openssl('x509', '-req', '-in', "$base.csr", '-out', "$base.pem", '-days',
            $days // 2, '-extfile', "$base.ext", $signer
            ? ('-CA', "$dir/$signer.pem", '-CAkey', "$dir/$signer.key",
               '-set_serial', 1 + $$)
            : ('-signkey', "$base.key"));
}

sub free_port {
    my $socket = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1)
        or die "no port: $!";
    return $socket->sockport;
}

# A server with a certificate, which serves the files of the folder as they are,
# headers and all: its URL.
sub tls_server {
    my ($dir, $name, @options) = @_;
    my $port = free_port();
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        setpgrp;
        chdir $dir or POSIX::_exit(126);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$name.out";
        open STDERR, '>&', \*STDOUT;
        # the test may be killed: no server outlives it by much
        exec 'timeout', 100, 'openssl', 's_server', '-accept',
            "127.0.0.1:$port", '-cert', "$name.pem", '-key', "$name.key",
            '-HTTP', '-quiet', @options or POSIX::_exit(127);
    }
    push @made, $pid;
    my $until = time + 20;
    while (time < $until) {
        last if IO::Socket::IP->new(PeerHost => '127.0.0.1',
                                    PeerPort => $port);
        sleep 0.02;
    }
    return "https://127.0.0.1:$port";
}

# Write what a server says for a path.
sub file_of {
    my ($dir, $name, $type, $body, @headers) = @_;
    open my $out, '>', "$dir/$name" or die "$dir/$name: $!";
    print $out join "\r\n", @headers ? 'HTTP/1.0 302 X' : 'HTTP/1.0 200 OK',
        "Content-Type: $type", @headers, '', $body;
    close $out;
}

sub tls {
    my $dir = "$LOGS/fetch.tls";
    mkdir $dir;
    certificate($dir, 'ca', undef, undef);
    certificate($dir, 'other-ca', undef, undef);
    my $here = 'IP:127.0.0.1,DNS:localhost';
    certificate($dir, 'good', $here, 'ca');
    certificate($dir, 'expired', $here, 'ca', -1);
    certificate($dir, 'wrong-host', 'DNS:op.example,IP:127.0.0.3', 'ca');
    certificate($dir, 'wrong-name', 'DNS:127.0.0.1', 'ca');
    certificate($dir, 'wrong-authority', $here, 'other-ca');
    certificate($dir, 'self-signed', $here, undef);
    certificate($dir, 'not-an-authority', $here, 'good');

    my %url = map { ($_ => tls_server($dir, $_)) } qw(good expired wrong-host
        wrong-name wrong-authority self-signed not-an-authority);
    my $endpoint = "$url{good}/endpoint";
    file_of($dir, 'id', 'application/xrds+xml',
            OpenID2RP::Evil::xrds_text({ uri => $endpoint }));
    file_of($dir, 'plain', 'application/xrds+xml',
            OpenID2RP::Evil::xrds_text({ uri => $OP->endpoint }));
    file_of($dir, 'both', 'application/xrds+xml', OpenID2RP::Evil::xrds_text(
        { uri => $OP->endpoint, priority => 1 },
        { uri => $endpoint, priority => 2 }));
    file_of($dir, 'down', 'text/plain', '', 'Location: ' . $OP->id('alice'));
    file_of($dir, 'stay', 'text/plain', '', 'Location: /id');
    file_of($dir, 'named', 'text/html', '<head><meta http-equiv='
            . "'X-XRDS-Location' content='" . $OP->id('alice') . "'></head>");

    my @settings = ("OpenIDFetchCAFile $dir/ca.pem", 'OpenIDAssociate never');
    my $httpd = OpenID2RP::Httpd->new(@settings);
    my $seen = 0;
    my %way = (app => $httpd->page, log => sub {
        my @lines = $httpd->log;
        my @new = @lines[$seen .. $#lines];
        $seen = @lines;
        return map { /login refused \(([^)]*)\)/ ? $1 : () } @new;
    });
    $httpd->start or die $httpd->says;
    goes_to('TLS: control', undef, "$url{good}/id", $endpoint, %way);
    goes_to('TLS: control: by name', undef,
            "$url{good}/id" =~ s/127.0.0.1/localhost/r, $endpoint, %way);
    stays_out("TLS: $_", undef, "$url{$_}/id", [502, 'tls-failed'], %way)
        for grep { $_ ne 'good' } sort keys %url;
    stays_out('TLS: no TLS at all', undef,      # it is an httpd
              op_url('/user/alice') =~ s/http/https/r, [502, 'tls-failed'],
              %way);
    my $old = tls_server($dir, 'good', '-tls1_1', '-cipher',
                         'ALL:@SECLEVEL=0');
    stays_out('TLS: 1.1 only', undef, "$old/id", [502, 'tls-failed'], %way);
    my $two = tls_server($dir, 'good', '-tls1_2');
    goes_to('TLS: control: 1.2 only', undef, "$two/id", $endpoint, %way);
    # it would choose HTTP/2 where that is offered, and does not speak it
    my $h2 = tls_server($dir, 'good', '-alpn', 'h2,http/1.1');
    goes_to('TLS: HTTP/2 is not offered', undef, "$h2/id", $endpoint, %way);

    goes_to('https to https', undef, "$url{good}/stay", $endpoint, %way);
    stays_out('https to http', undef, "$url{good}/down",
              [502, 'redirect-refused'], %way);
    goes_to('http to https', undef, page_with(redirect("$url{good}/id")),
            $endpoint, %way);
    goes_to('https that names http, where that is accepted', undef,
            "$url{good}/plain", $OP->endpoint, %way);
    require_tls($httpd, $endpoint, \%url, \@settings, %way);
    $httpd->stop;
    is_deeply [$httpd->crashes], [], 'TLS: no process has crashed';
    kill KILL => -$_ for @made;
    waitpid $_, 0 for splice @made;
}

# OpenIDFetchRequireTLS: nothing goes out in the clear, nor do browsers.
sub require_tls {
    my ($httpd, $endpoint, $url, $settings, %way) = @_;
    $httpd->configure(@$settings, 'OpenIDFetchRequireTLS On');
    $httpd->graceful;
    goes_to('TLS required: control', undef, "$url->{good}/id", $endpoint,
            %way);
    goes_to('TLS required: an endpoint without it is left out', undef,
            "$url->{good}/both", $endpoint, %way);
    $OP->calls;
    my $refusal = [400, 'scheme-refused'];
    stays_out('TLS required: an http identifier', undef, $OP->id('alice'),
              $refusal, %way);
    stays_out('TLS required: without a scheme', undef,
              $OP->id('alice') =~ s{http://}{}r, $refusal, %way);
    stays_out('TLS required: http that would redirect to https', undef,
              page_with(redirect("$url->{good}/id")), $refusal, %way);
    stays_out('TLS required: an http endpoint', undef, "$url->{good}/plain",
              $refusal, %way);
    stays_out('TLS required: an http document', undef, "$url->{good}/named",
              [400, 'not-openid'], %way);
    stays_out('TLS required: a redirect to http', undef, "$url->{good}/down",
              [502, 'redirect-refused'], %way);
    is_deeply [$OP->calls], [], 'TLS required: nothing goes out without it';
}

END {
    local $?;
    kill KILL => -$_ for @made;
}
