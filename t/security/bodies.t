#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Hostile inputs, group C: bodies that are no messages, or that end too early,
# or never. Messages are in messages.t.

use v5.14;
use strict;
use warnings;
use IO::Select ();
use IO::Socket::INET ();
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Process qw(lines_of);
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(time);

my $APP = url('/security/app');
my $FORM = 'application/x-www-form-urlencoded';
my $PARTS = 'multipart/form-data; boundary=xx';
my $FORM_MAX = 64 * 1024;       # OPENID2RP_FORM_MAX
my $PARAMS_MAX = 512;           # ORP_PARAMS_MAX
my $BAD = [400, 'bad-message'];
my $TOO_LARGE = [413, 'too-big'];

op_reset();
my $OP = OpenID2RP::Evil->new;
my $CANARY = canary();

no_content_type_on_post();
empty_post();
wrong_type();
broken_multipart();
truncated_body();
clients_that_stop_sending();
oversized_post();
oversized_start();
what_ends_here_is_not_read_to_its_end();
too_many_parameters();
long_fields();
memory_is_flat();
done_testing;

# ---------------------------------------------------------------------------

# A browser with a login, and the true answer to it: the URL, and its parts.
sub fresh {
    my ($vhost, $id) = @_;
    my $browser = browser();
    my $url = $OP->assertion(begin_login($browser,
        url('/security/app', $vhost), $id // $OP->id('alice')));
    $OP->calls;
    refusals();
    return ($browser, $url, parts($url));
}

# A request that must sign nobody in, nor begin a login, nor be an answer.
sub means_nothing {
    my ($page, $status, $name) = @_;
    my $is = $page ? $page->status : 'no answer';
    is_deeply { status => $is =~ $status ? 'good' : $is,
                refused => [refusals()], asked => [$OP->calls],
                cookies => [ $page ? $page->headers('Set-Cookie') : () ] },
        { status => 'good', refused => [], asked => [], cookies => [] },
        "$name: means nothing";
}

# Bytes to the main server, and what it says.
sub sent { exchange(port_of(), $_[0], $APP) }

sub chunked {
    return join '', map({ sprintf "%x\r\n%s\r\n", length $_, $_ } @_),
        "0\r\n\r\n";
}

# ---------------------------------------------------------------------------
# Bodies

# A type that is not that of a form: then there is no form.
sub types {
    return (
        'no type' => undef, 'an empty type' => '',
        'text' => 'text/plain', 'JSON' => 'application/json',
        'XML' => 'text/xml', 'nonsense' => ';;;=', 'a comma' => ',',
        'multipart' => 'multipart/form-data; boundary=xx',
        'multipart without a boundary' => 'multipart/form-data',
        'more than the type' => "${FORM}x", 'less' => 'application/x-www-form',
        'the type as a parameter' => "text/plain; $FORM",
        'a long one' => 'a' x 7000,
    );
}

sub no_content_type_on_post { form_of_another_type('no type', 'an empty type') }

sub wrong_type {
    my %all = types();
    form_of_another_type(grep { !/no type|empty/ } sort keys %all);
    attacks('wrong type', [ map {
        my ($what, $type, $body) = @$_;
        [ $what, $BAD, sub {
            my ($key, $message) = parts($_[1]);
            $_[0]->send('POST', $key, $body->($message), headers =>
                        [ [ 'Content-Type' => $type ] ]) } ] }
        [ 'multipart with all fields',
          'multipart/form-data; boundary=xx', sub { multipart('xx', $_[0]) } ],
        [ 'multipart that is called a form', $FORM,
          sub { multipart('xx', $_[0]) } ],
        [ 'JSON with all fields', 'application/json', \&json ],
        [ 'JSON that is called a form', $FORM, \&json ],
    ], op => $OP);
    my ($browser, $url, $key, $message) = fresh();
    is $browser->send('POST', $key, $message, headers => [ [ 'Content-Type'
        => uc($FORM) . '; charset=UTF-8' ] ])->header('Location'), $APP,
        'control: the type of a form, in other letters';
}

# As an answer it is refused; as anything else it is not ours.
sub form_of_another_type {
    my %type = types();
    my %header = map { ($_ => defined $type{$_}
        ? [ [ 'Content-Type' => $type{$_} ] ] : []) } @_;
    attacks('another type', [ map { my $what = $_;
        [ $what, $BAD, sub {
            my ($key, $message) = parts($_[1]);
            $_[0]->send('POST', $key, $message,
                        headers => $header{$what}) } ],
        [ "$what, without cookies", $BAD, sub {
            my ($key, $message) = parts($_[1]);
            $_[0]->send('POST', $key, $message, cross_site => 1,
                        headers => $header{$what}) } ],
        } @_ ], op => $OP);
    $OP->calls;
    for my $what (@_) {
        my $page = browser()->send('POST', $APP, 'openid_identifier='
            . encode($OP->id('alice')), headers => $header{$what});
        means_nothing($page, qr/\A401\z/, "a start with $what");
    }
}

sub multipart {
    my ($boundary, $message) = @_;
    return join "\r\n", map({ ("--$boundary",
        "Content-Disposition: form-data; name=\"$_->[0]\"", '', $_->[1]) }
        pairs_of("?$message")), "--$boundary--", '';
}

# A start as parts that cannot be read, or in two ways.
sub broken_multipart {
    my $good = multipart('xx', 'openid_identifier=' . encode("$CANARY/parts"));
    my $bad = [400, 'bad-identifier'];
    my %body = (
        'no end' => [ $bad, $good =~ s/--\r\n\z//r ],
        'no end at all' => [ $bad, $good =~ s/\r\n--xx--\r\n\z//r ],
        'no end of the headers' => [ $bad, $good =~ s/"\r\n\r\n/"\r\n/r ],
        'line feeds only' => [ $bad, $good =~ s/\r//gr ],
        'two names' => [ $bad, $good =~ s/(; name=".*?")/$1; name="x"/r ],
        'a name* beside it' => [ $bad, $good =~ s/(name=".*?")/$1; name*=x/r ],
        'two headers of one kind' => [ $bad,
            $good =~ s/^(Content-Disposition:.*\r\n)/$1$1/mr ],
        'a folded header' => [ $bad, $good =~ s/; name/;\r\n name/r ],
        'a NUL in the header' => [ $bad, $good =~ s/; name/;\0name/r ],
        'a NUL in the value' => [ $bad, $good =~ s/parts/\0parts/r ],
        'base64' => [ $bad, $good =~
            s/^(Content-D)/Content-Transfer-Encoding: base64\r\n$1/mr ],
        'a line that begins like a delimiter' => [ $bad,
            $good =~ s/\r\n(?=--xx--)/\r\n--xxy\r\n/r ],
        'the name twice' => [ $bad, $good =~ s/--xx--//r . $good ],
        'too many parts' => [ $TOO_LARGE, multipart('xx', join '&',
            'openid_identifier=x', map { "a$_=b" } 1 .. $PARAMS_MAX) ],
    );
    for my $what (sort keys %body) {
        my ($refusal, $body) = @{ $body{$what} };
        refused(browser()->send('POST', $APP, $body, headers =>
                [ [ 'Content-Type' => $PARTS ] ]), @$refusal,
                "broken multipart: $what");
    }
    for my $type ("$PARTS; boundary=yy", 'multipart/form-data',
                  'multipart/form-data; boundary="xx',
                  'multipart/form-data; boundary=' . 'x' x 71) {
        refused(browser()->send('POST', $APP, $good, headers =>
                [ [ 'Content-Type' => $type ] ]), @$bad,
                "broken multipart: $type");
    }
    is_deeply [web_log($CANARY)], [], 'broken multipart: nobody is asked';
    is browser()->send('POST', $APP, multipart('xx', 'openid_identifier='
        . encode($OP->id('alice'))), headers => [ [ 'Content-Type' => $PARTS ]
        ])->status, 303, 'control: multipart that is whole';
    $OP->calls;
    refusals();
}

sub json {
    return '{' . join(',', map { "\"$_->[0]\":\"$_->[1]\"" }
                      pairs_of("?$_[0]")) . '}';
}

sub empty_post {
    my $form = [ 'Content-Type' => $FORM ];
    my %empty = (
        'no length' => [ [ $form ], undef ],
        'length 0' => [ [ $form ], '' ],
        'length 0, no type' => [ [], '' ],
        'no length, no type' => [ [], undef ],
        'no chunk' => [ [ $form, [ 'Transfer-Encoding' => 'chunked' ] ],
                        undef, "0\r\n\r\n" ],
        'no chunk, no type' => [ [ [ 'Transfer-Encoding' => 'chunked' ] ],
                                 undef, "0\r\n\r\n" ],
        'text of length 0' => [ [ [ 'Content-Type' => 'text/plain' ] ], '' ],
    );
    my $send = sub {
        my ($browser, $url, $what) = @_;
        my ($headers, $body, $more) = @{ $empty{$what} };
        my $page = exchange(port_of(), $browser->request('POST', $url, $body,
            headers => $headers) . ($more // ''), $url);
        return $page;
    };
    attacks('empty POST', [ map { my $what = $_;
        [ $what, $BAD, sub { $send->($_[0], (parts($_[1]))[0], $what) } ],
        [ "$what, all in the query", $BAD,
          sub { $send->($_[0], $_[1], $what) } ] } sort keys %empty ],
        op => $OP);
    $OP->calls;
    for my $what (sort keys %empty) {
        means_nothing($send->(browser(), $APP, $what), qr/\A401\z/,
                      "empty POST to the application: $what");
        refused($send->(browser(), "$APP?openid_return", $what), @$BAD,
                "empty POST with a mark: $what");
    }
    my $browser = browser();
    my $begun = $send->($browser, "$APP?openid_identifier="
                        . encode($OP->id('alice')), 'length 0');
    is $begun->status, 303, 'control: an empty POST that begins by its query';
}

# Bytes of a request, and its end or none: what is said in return, and after
# how many seconds.
sub send_part {
    my ($port, $bytes, $end) = @_;
    my $since = time;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Timeout => 10) or return ('', 0);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $bytes;
    return ('', 0) if $end eq 'close';
    shutdown $socket, 1 if $end eq 'shut';
    my $text = '';
    while (IO::Select->new($socket)->can_read($since + 20 - time)) {
        sysread $socket, $text, 65_536, length $text or last;
    }
    return ($text, time - $since);
}

# Bodies that end too early, or nowhere: [what, header, what is sent of it].
sub broken_bodies {
    my ($message) = @_;
    my $size = length $message;
    my $chunk = 'Transfer-Encoding: chunked';
    return (
        [ 'shorter than announced', 'Content-Length: ' . ($size + 1),
          $message ],
        [ 'nothing of what is announced', "Content-Length: $size", '' ],
        [ 'half of it', "Content-Length: $size", substr $message, 0,
          $size / 2 ],
        [ 'no chunk', $chunk, '' ],
        [ 'a chunk without an end', $chunk,
          sprintf "%x\r\n%s", $size, $message ],
        [ 'a chunk and no last one', $chunk,
          sprintf "%x\r\n%s\r\n", $size, $message ],
        [ 'a last chunk that is cut off', $chunk,
          sprintf "%x\r\n%s\r\n0\r", $size, $message ],
        [ 'a chunk that is cut off', $chunk,
          sprintf "%x\r\n%s", $size + 100, $message ],
        [ 'the size of a chunk only', $chunk, sprintf "%x", $size ],
    );
}

# Such that nobody need wait for more: they are refused at once.
sub impossible_bodies {
    my ($message) = @_;
    my $size = length $message;
    my $chunk = 'Transfer-Encoding: chunked';
    return (
        [ 'a size that is no number', $chunk, "zz\r\n$message\r\n0\r\n\r\n" ],
        [ 'a negative size', $chunk, "-5\r\n$message\r\n0\r\n\r\n" ],
        [ 'a huge size', $chunk, "ffffffffffffffff1\r\n$message\r\n" ],
        [ 'a chunk without its newline', $chunk,
          sprintf "%x\r\n%sxx0\r\n\r\n", $size, $message ],
        [ 'a negative length', 'Content-Length: -1', $message ],
        [ 'a length that is no number', 'Content-Length: 1x', $message ],
        [ 'an unknown coding', 'Transfer-Encoding: x-evil', $message ],
    );
}

sub head_of {
    my ($browser, $url, $header, $type) = @_;
    return $browser->request('POST', $url, undef, headers => [
        [ 'Content-Type' => $type // $FORM ], [ split /: /, $header ] ]);
}

sub truncated_body {
    my ($browser, $url, $key, $message) = fresh();
    for my $case (broken_bodies($message), impossible_bodies($message)) {
        my ($what, $header, $body) = @$case;
        my ($text) = send_part(port_of(), head_of($browser, $key, $header)
                               . $body, 'shut');
        like $text =~ m{\AHTTP/1\.1 (\d+)} ? $1 : '',
            qr/\A(?:|400|41[13]|501)\z/,
            "truncated body: $what is refused";
        unlike $text, qr/^Set-Cookie: openid2rp=[^;]/mi,
            "truncated body: $what begins no session";
        outsider($browser, $APP, "truncated body: $what");
        send_part(port_of(), head_of($browser, $key, $header) . $body,
                  'close');
    }
    is_deeply [ grep { $_ ne 'bad-message' } refusals() ], [],
        'truncated body: what is said in the log is always the same';
    is_deeply [ $OP->calls ], [], 'truncated body: nobody is asked';
    my $start = 'openid_identifier=' . encode($OP->id('alice'));
    my %start = ($FORM => $start, $PARTS => multipart('xx', $start));
    for my $type ($FORM, $PARTS) {
        for my $case (broken_bodies($start{$type}),
                      impossible_bodies($start{$type})) {
            my ($what, $header, $body) = @$case;
            my ($text) = send_part(port_of(), head_of(browser(), $APP, $header,
                                                      $type) . $body, 'shut');
            like $text =~ m{\AHTTP/1\.1 (\d+)} ? $1 : '',
                qr/\A(?:|4\d\d|501)\z/,
                "truncated start: $what is refused: $type";
        }
    }
    is_deeply [ $OP->calls ], [], 'truncated start: nobody is asked';
    refusals();
    is $browser->get($url)->header('Location'), $APP,
        'control: the whole answer, in';
    my $page = sent(head_of(my $new = browser(), $APP,
        'Transfer-Encoding: chunked') . chunked(split /(?=e)/, $start));
    is $page->status, 303, 'control: the whole start, in many chunks';
}

# All at the same time: while they are waited for, others are served.
sub clients_that_stop_sending {
    my $port = port_of('security_brief');
    my ($browser, $url, $key, $message) = fresh('security_brief');
    my $start = 'openid_identifier=' . encode($OP->id('alice'));
    my $app = url('/security/app', 'security_brief');
    my @requests = map({ head_of($browser, $key, $_->[1]) . $_->[2] }
                       broken_bodies($message)),
        map({ head_of(browser(), $app, $_->[1]) . $_->[2] }
            broken_bodies($start)),
        map({ head_of(browser(), $app, $_->[1], $PARTS) . $_->[2] }
            broken_bodies(multipart('xx', $start)));
    my $since = time;
    my @sockets = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $port, Timeout => 10) or BAIL_OUT("no connection: $!");
        syswrite $socket, $_;
        $socket;
    } @requests;
    is browser()->get($APP)->status, 401,
        'clients that stop sending: others are served';
    my (%text, $closed);
    my $open = IO::Select->new(@sockets);
    while ($open->count && time < $since + 20) {
        for my $socket ($open->can_read($since + 20 - time)) {
            $open->remove($socket), $closed++
                unless sysread $socket, $text{$socket}, 65_536,
                    length($text{$socket} // '');
        }
    }
    is $closed, scalar @requests,
        'clients that stop sending: all are given up, in seconds';
    is scalar(grep { /^Set-Cookie: openid2rp/mi } values %text), 0,
        'clients that stop sending: none is signed in, or begins a login';
    is_deeply [ grep { ($_ =~ m{\AHTTP/1\.1 (\d+)})[0] !~ /\A4\d\d\z/ }
                grep { length } map { $_ // '' } values %text ], [],
        'clients that stop sending: all that is said is a refusal';
    is_deeply [ $OP->calls ], [], 'clients that stop sending: nobody is asked';
    refusals();
}

# ---------------------------------------------------------------------------
# Too much

# Send the head of a request, and then the piece again and again, until there
# is an answer: the answer, and how much was sent. Less than a gigabyte it is in
# any case: sockets hold some megabytes that nobody has read.
sub pour {
    my ($head, $piece, $times) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => port_of(), Timeout => 10) or return;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $head;
    my ($sent, $text) = (0, '');
    my $both = IO::Select->new($socket);
    $socket->blocking(0);
    my $until = time + 20;
    while ($times > 0 && time < $until) {
        my ($in, $out) = IO::Select->select($both, $both, undef, 1);
        last if $in && @$in;
        next unless $out && @$out;
        my $n = syswrite $socket, $piece or last;
        $sent += $n;
        $times--;
    }
    $socket->blocking(1);
    shutdown $socket, 1;
    while ($both->can_read($until - time)) {
        sysread $socket, $text, 65_536, length $text or last;
    }
    return (OpenID2RP::Test::Response->read($text, $APP), $sent);
}

sub oversized_post {
    my ($browser, $url, $key, $message) = fresh();
    my $many = 'a=' . 'x' x 65_533 . '&';
    my %head = (
        'chunked, in one chunk' => [ 'Transfer-Encoding: chunked',
                                     "40000000\r\n" ],
        'with its length' => [ 'Content-Length: 1073741824', '' ],
        'beginning like a good one' => [ 'Transfer-Encoding: chunked',
                                         "40000000\r\n$message&" ],
    );
    for my $what (sort keys %head) {
        my ($header, $begin) = @{ $head{$what} };
        my ($page, $sent) = pour(head_of($browser, $key, $header) . $begin,
                                 $many, 16_384);
        my $name = "a gigabyte as an answer, $what";
        refused($page, @$TOO_LARGE, $name);
        cmp_ok $sent, '<', 64 * 1024 * 1024, "$name: it is not all read";
        outsider($browser, $APP, $name);
    }
    $OP->calls;
    for my $type ('whole', 'chunked') {
        at_the_limit($type, $browser, $key, $message);
    }
    is $browser->get($url)->header('Location'), $APP,
        'control: an answer of a usual size, in';
    my $unknown = "$APP?openid_return=" . 'A' x 22;
    refused($browser->post($unknown, 'a=' . 'x' x $FORM_MAX), @$TOO_LARGE,
            'an answer that is too large, and nobody waits for');
    is $browser->post($unknown, 'a=x')->header('Location'), $APP,
        'control: a small one, of somebody who is signed in';
    refusals();
}

# How a gigabyte may come, and what stands at its beginning.
sub gigabytes {
    my ($begin) = @_;
    return ('chunked' => [ 'Transfer-Encoding: chunked',
                           "40000000\r\n$begin&" ],
            'with its length' => [ 'Content-Length: 1073741824',
                                   "$begin&" ]);
}

sub oversized_start {
    my $start = 'openid_identifier=' . encode("$CANARY/large");
    my %is = gigabytes($start);
    for my $what (sort keys %is) {
        my ($header, $begin) = @{ $is{$what} };
        my ($page, $sent) = pour(head_of(browser(), $APP, $header) . $begin,
                                 'a=' . 'x' x 65_533 . '&', 16_384);
        my $name = "a gigabyte as a start, $what";
        refused($page, @$TOO_LARGE, $name);
        is $page->action, '/security/app', "$name: one can begin again";
        cmp_ok $sent, '<', 64 * 1024 * 1024, "$name: it is not all read";
    }
    # Parts carry files: they are not searched for a start.
    $OP->calls;
    %is = gigabytes(multipart('xx', $start) =~ s/--xx--\r\n\z//r
        . "--xx\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n");
    for my $what (sort keys %is) {
        my ($header, $begin) = @{ $is{$what} };
        my ($page, $sent) = pour(head_of(browser(), $APP, $header, $PARTS)
                                 . $begin, 'x' x 65_536, 16_384);
        my $name = "a gigabyte of parts, $what";
        means_nothing($page, qr/\A401\z/, $name);
        cmp_ok $sent, '<', 64 * 1024 * 1024, "$name: it is not all read";
    }
    is_deeply [web_log($CANARY)], [], 'a gigabyte as a start: nobody is asked';
}

# Whatever is answered in the place of the application.
sub what_ends_here_is_not_read_to_its_end {
    my $query = "$APP?openid_identifier=" . encode($OP->id('alice'));
    my %end = ('the login page' => [ $APP, 401 ],
               'a login by the query' => [ $query, 303 ]);
    for my $what (sort keys %end) {
        my ($to, $status) = @{ $end{$what} };
        my %is = gigabytes('a=b');
        for my $how (sort keys %is) {
            my ($header, $begin) = @{ $is{$how} };
            my ($page, $sent) = pour(head_of(browser(), $to, $header) . $begin,
                                     'a=' . 'x' x 65_533 . '&', 16_384);
            is $page->status, $status, "$what, a gigabyte, $how: the status";
            cmp_ok $sent, '<', 64 * 1024 * 1024,
                "$what, a gigabyte, $how: it is not all read";
        }
    }
    refusals();
    $OP->calls;
}

# One byte decides.
sub at_the_limit {
    my ($type, $browser, $key, $message) = @_;
    my $send = sub {
        my ($browser, $url, $body) = @_;
        return $browser->post($url, $body) if $type eq 'whole';
        return sent(head_of($browser, $url, 'Transfer-Encoding: chunked')
                    . chunked($body =~ /.{1,7000}/gs));
    };
    my $size = $FORM_MAX - length "$message&x=";
    refused($send->($browser, $key, "$message&x=" . 'x' x ($size + 1)),
            @$TOO_LARGE, "an answer of a byte too much, $type");
    my ($other, undef, $there, $text) = fresh();
    $size = $FORM_MAX - length "$text&x=";
    is $send->($other, $there, "$text&x=" . 'x' x $size)->header('Location'),
        $APP, "control: an answer as large as it may be, $type";
    my $start = 'openid_identifier=' . encode($OP->id('alice')) . '&x=';
    $size = $FORM_MAX - length $start;
    $OP->calls;
    refused($send->(browser(), $APP, $start . 'x' x ($size + 1)),
            @$TOO_LARGE, "a start of a byte too much, $type");
    is_deeply [$OP->calls], [], "a start of a byte too much, $type: no call";
    is $send->(browser(), $APP, $start . 'x' x $size)->status, 303,
        "control: a start as large as it may be, $type";
}

sub too_many_parameters {
    my @cases = ([ '100,000', $TOO_LARGE, sub { $_[0] . '&a=b' x 100_000 } ],
        [ '100,000 fields', $TOO_LARGE,
          sub { join '&', $_[0], map { "openid.a$_=b" } 1 .. 100_000 } ],
        [ '30,000 in a small form', $TOO_LARGE,
          sub { $_[0] . '&a' x 30_000 } ]);
    attacks('too many parameters', [ map {
        [ "$_->[0], by POST", $_->[1], altered('POST', $_->[2]) ],
        [ "$_->[0], by POST from elsewhere", $_->[1],
          altered('POST from elsewhere', $_->[2]) ] } @cases ], op => $OP);
    for my $how (ways_to_send()) {
        # One of a GET is the login's key.
        my $room = $PARAMS_MAX - 10 - ($how eq 'GET');
        my $refusal = $how eq 'GET' ? $BAD : $TOO_LARGE;
        attacks("too many parameters, by $how", [
            [ 'one too many', $refusal,
              altered($how, sub { $_[0] . '&a' x ($room + 1) }) ],
            [ 'one field too many', $refusal, altered($how, sub {
                join '&', $_[0], map { "openid.$_" } 0 .. $room }) ],
        ], op => $OP);
        my ($browser, $url, $key, $message) = fresh();
        is scalar(my @pairs = split /&/, $message), 10,
            'control: the fields of an answer are ten';
        my $page = sent_by($how)->($browser, $key, join '&', $message,
            map { "openid.$_" } 1 .. $room);
        is $page->header('Location'), $APP,
            "control: as many as there may be, by $how"
            or diag $page->alert // $page->body;
    }
    my $start = 'openid_identifier=' . encode("$CANARY/many");
    my $browser = browser();
    refused($browser->post($APP, $start . '&a' x $PARAMS_MAX), @$TOO_LARGE,
            'a start with too many parameters');
    refused($browser->get("$APP?$start" . '&a' x $PARAMS_MAX), 400,
            'bad-identifier', 'a start with too many parameters, by GET');
    is_deeply [web_log($CANARY)], [],
        'too many parameters: nobody is asked';
}

# One field, and what is said of it, has limits of its own.
sub long_fields {
    my $long = 'x' x 60_000;
    my $short = substr $long, 0, 10_000;
    my %long = (
        'a value' => sub { "$_[0]&openid.x=$long" },
        'a name' => sub { "$_[0]&openid.$long=1" },
        'a name twice' => sub { "$_[0]&openid.$short=1&openid.$short=2" },
        'a name with a bad value' => sub { "$_[0]&openid.$short=%01" },
        'a name that is signed, and not there'
            => sub { $_[0] =~ s/(openid\.signed=)/$1$short,/r },
        'an alias' => sub { "$_[0]&openid.ns.$short=x&openid.ns.y=x" },
        'a list of names' => sub {
            $_[0] =~ s/(openid\.signed=)/$1 . 'openid,' x 7000/er },
        # A short message, of which the signature would be that of 60 MB.
        'a list of one name' => sub {
            ($_[0] =~ s/(openid\.signed=)/$1 . 'x,' x 6000/er)
            . "&openid.x=$short" },
        'no name' => sub { "$_[0]&openid.=x" },
    );
    my $limited = sub {
        my ($what, $how) = @_;
        my $send = altered($how, $long{$what});
        return [ "$what, by $how", $BAD, sub {
            my $page = $send->(@_);
            cmp_ok length $page->body, '<', 20_000,
                "long fields: $what, by $how: the page is no long one";
            return $page;
        } ];
    };
    attacks('long fields', [ map { $limited->($_, 'POST') } sort keys %long ],
            op => $OP);
    attacks('long fields, OpenID 1.1', [ map { $limited->($_, 'POST') }
            sort keys %long ], op => $OP, id => $OP->id1('alice'),
            control => { -version => 1 });
}

# The memory that each process of this httpd has in use, in kilobytes.
sub memory {
    open my $in, '<', OpenID2RP::Test::var('t_logs') . '/httpd.pid' or return;
    chomp(my $parent = <$in>);
    my %kb;
    for my $file (glob '/proc/[0-9]*/status') {
        open my $status, '<', $file or next;
        my $text = join '', <$status>;
        next unless $text =~ /^PPid:\s*$parent$/m;
        # A sanitizer keeps what is freed.
        next if grep { /libasan/ } lines_of($file =~ s/status\z/maps/r);
        $kb{$1} = $2 if $text =~ /^Pid:\s*(\d+)\n.*^VmRSS:\s*(\d+) kB/ms;
    }
    return \%kb;
}

# Each process is let to grow before it counts: what it needs once, it keeps.
sub memory_is_flat {
    my ($browser, $url, $key, $message) = fresh();
    my $large = "$message&openid.x=" . 'x' x ($FORM_MAX - 2000);
    my @kinds = (
        $browser->request('POST', $key, $large . 'x' x 100_000, headers => [
            [ 'Content-Type' => $FORM ] ]),
        $browser->request('POST', $key, "$message&openid.sig=x&openid.y="
            . 'x' x ($FORM_MAX - 2000), headers =>
            [ [ 'Content-Type' => $FORM ] ]),
        $browser->request('POST', $key, $message . '&a=b' x 15_000,
            headers => [ [ 'Content-Type' => $FORM ] ]),
        head_of($browser, $key, 'Transfer-Encoding: chunked')
            . chunked(('x' x 8000) x 40),
        $browser->request('POST', $APP, multipart('xx', 'openid_identifier=x'
            . '&a=' x 600), headers => [ [ 'Content-Type' => $PARTS ] ]),
        $browser->request('POST', $key, ($message =~ s/(openid\.signed=)/
            $1 . 'x,' x 8000/erx) . '&openid.x=' . 'x' x 16_000, headers => [
            [ 'Content-Type' => $FORM ] ]),
    );
    my $pour = sub { parallel(port_of(), [ map { ($_) x 20 } @kinds ], $APP) };
    $pour->() for 1 .. 2;
    my $before = memory();
    ok $before, 'memory is flat: httpd is found';
    my @pages = map { $pour->() } 1 .. 3;
    my $after = memory();
    is_deeply [ grep { !defined || $_->status !~ /\A4\d\d\z/ } @pages ], [],
        'memory is flat: 300 large answers are refused';
    my @grown = grep { defined $before->{$_}
                       && $after->{$_} - $before->{$_} > 16 * 1024 }
        keys %$after;
    is_deeply [ map { "$before->{$_} -> $after->{$_}" } @grown ], [],
        'memory is flat: no process has grown by 16 MB';
    refusals();
    $OP->calls;
    is $browser->get($url)->header('Location'), $APP,
        'memory is flat: the login is as it was';
}
