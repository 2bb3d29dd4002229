#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept and bodies that are broken, too large, or never end: they are
# passed on, or refused with 4xx; the worker is free again, others are served,
# and no login begins by half a form.

use v5.14;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use OpenID2RP::Test;
use OpenID2RP::Twins;
use OpenID2RP::Wire;
use Test::More;
use Time::HiRes qw(sleep time);

use constant LIMIT => 64 * 1024;        # OPENID2RP_FORM_MAX

my $FORM = 'application/x-www-form-urlencoded';
my $PARTS = 'multipart/form-data; boundary=xx';

op_reset();
my $httpd = twins();
my ($ON, $OFF) = (port_on(), port_off());
my $op = provider();
my $ALICE = $op->id('alice');
my $OURS = 'openid_identifier=' . encode($ALICE);
my $OUR_PART = part('openid_identifier', $ALICE);

too_large_to_look_into();
broken_escapes();
broken_parts();
broken_parts_that_name_no_identifier();
broken_chunks();
broken_lengths();
half_a_form_begins_nothing();
clients_that_go();
clients_that_stop();
all_workers_held();
nothing_went_wrong();
done_testing;

# The status of a request where we are on.
sub status {
    my ($request, $port) = @_;
    return (views($port // $ON, 0, $request))[0]->{status};
}

# The application sees the same as without us, but maybe a notice.
sub passes_with_notice {
    my ($name, $request) = @_;
    my ($on, $off) = map { (views($_, 0, $request))[0] } $ON, $OFF;
    my $notice = delete $on->{OPENID2RP_NOTICE};
    is $on->{BODY_MD5} // $on->{status}, md5_hex($request->plain),
        "$name: the body arrives";
    is_deeply [ differences($on, $off) ], [],
        "$name: all else as without us";
    return $notice;
}

# --- forms ------------------------------------------------------------------

sub too_large_to_look_into {
    for my $kind ('raw', 'fcgi') {
        my $line = "POST /$kind/x?a=b";
        my $form = sub { "$OURS&a=" . 'x' x ($_[0] - length "$OURS&a=") };
        my $parts = sub {
            my ($size) = @_;
            my $begin = $OUR_PART . "--xx\r\nContent-Disposition: form-data; "
                . "name=\"a\"\r\n\r\n";
            my $end = "\r\n--xx--\r\n";
            return $begin . 'x' x ($size - length $begin . $end) . $end;
        };
        for my $case ([ 'a form', \&form, $form ],
                      [ 'a form in parts', \&parts, $parts ]) {
            my ($name, $make, $body) = @$case;
            for my $how ([], [ 1000, 1, 7919 ]) {
                my $what = "$kind: $name" . (@$how ? ' in chunks' : '');
                is status($make->($line, $body->(LIMIT), @$how)), 303,
                    "$what: control: of 64 KB begins a login";
                passes_with_notice("$what: one byte more",
                    $make->($line, $body->(LIMIT + 1), @$how));
                passes_with_notice("$what: a megabyte",
                    $make->($line, $body->(1024 * 1024), @$how));
            }
        }
    }
}

sub broken_escapes {
    is status(form('POST /fcgi', "a=%25&$OURS")), 303, 'control: escapes';
    for my $form ('openid_identifier=%zz', 'openid_identifier=%',
                  'openid_identifier=http%3A%2F%2Fx%2', "a=%&$OURS",
                  "$OURS&%zz=1", 'openid_identifier=%00', "$OURS%00",
                  'openid_identifier=%ff%fe', "openid_identifier=\0",
                  "$OURS&$OURS", 'openid_identifier=http%3A%2F%2F[',
                  'openid_identifier=' . 'x' x 60_000,
                  "$OURS&" . join '&', map { "p$_=" } 1 .. 5000) {
        my $name = 'a form ' . substr($form, 0, 40) =~ s/[^ -~]/./gr;
        passes_with_notice($name, form('POST /fcgi', $form));
        passes_with_notice("$name, in chunks", form('POST /raw', $form, 7777))
    }
}

sub broken_parts {
    my $end = "--xx--\r\n";
    is status(parts('POST /fcgi', $OUR_PART . $end)), 303, 'control: parts';
    my $header = 'Content-Disposition: form-data; name="openid_identifier"';
    for my $case (
        [ 'no end', $OUR_PART ],
        [ 'no end of the last part', "--xx\r\n$header\r\n\r\n$ALICE" ],
        [ 'half a boundary', $OUR_PART . '--x' ],
        [ 'no empty line', "--xx\r\n$header\r\n$ALICE\r\n$end" ],
        [ 'nothing but headers', "--xx\r\n$header" ],
        [ 'a header without a colon', "--xx\r\nnonsense\r\n$header\r\n\r\n"
            . "$ALICE\r\n$end" ],
        [ 'two names', "--xx\r\n$header; name=\"a\"\r\n\r\n$ALICE\r\n$end" ],
        [ 'two dispositions', "--xx\r\n$header\r\nContent-Disposition: "
            . "form-data; name=\"a\"\r\n\r\n$ALICE\r\n$end" ],
        [ 'an open quote', "--xx\r\n" . substr($header, 0, -1)
            . "\r\n\r\n$ALICE\r\n$end" ],
        [ 'a NUL', "--xx\r\n$header\0\r\n\r\n$ALICE\r\n$end" ],
        [ 'a NUL in the value', part('openid_identifier', "$ALICE\0x")
            . $end ],
        [ 'an encoding', "--xx\r\nContent-Transfer-Encoding: base64\r\n"
            . "$header\r\n\r\naHR0cDovL3gv\r\n$end" ],
        [ 'two identifiers', $OUR_PART . $OUR_PART . $end ],
        [ 'thousands of parts', $OUR_PART . part('', '') x 1000 . $end ],
        [ 'an odd name', part("openid_identifier\xff", $ALICE) . $end ],
    ) {
        my ($name, $body) = @$case;
        passes_with_notice("parts with $name", parts('POST /fcgi', $body));
        passes_with_notice("parts with $name, in chunks",
                           parts('POST /raw', $body, 1, 777));
    }
    for my $type ('multipart/form-data', 'multipart/form-data; boundary=',
                  'multipart/form-data; boundary=""',
                  'multipart/form-data; boundary=x', "$PARTS; boundary=yy",
                  'multipart/form-data; boundary="xx',
                  'multipart/form-data; boundary=' . 'x' x 5000,
                  'multipart/form-data boundary=xx') {
        my $request = request('POST /fcgi', ["Content-Type: $type"],
                              $OUR_PART . $end);
        passes_with_notice('parts of the type ' . substr($type, 0, 60),
                           $request);
    }
}

# Not even a notice then.
sub broken_parts_that_name_no_identifier {
    for my $body ('', "\r\n", '--', '--xx', '--xx--', "--xx\r\n", "--xx--\r\n",
                  "--xx\r\n\r\n--xx--", part('a', 'b'),
                  part('a', 'b') . "--xx\r\n--xx\r\n--xx--",
                  "preamble\r\n" . part('a', 'b') . "--xx--\r\nepilogue",
                  "--xx\n" . 'a' x 9000, "\0" x 10_000, "--xx" x 5000) {
        passes('parts ' . substr($body, 0, 20) =~ s/[^ -~]/./gr,
               parts('POST /fcgi', $body));
    }
}

# --- framing ----------------------------------------------------------------

# What is answered to bytes that no client should send.
sub answered {
    my ($port, $bytes) = @_;
    my $response = OpenID2RP::Wire->new($port, seconds => 10)->say($bytes)
        ->hear(1);
    return $response ? $response->status : 'no answer';
}

sub refused_as_without_us {
    my ($name, $bytes) = @_;
    $op->log;
    my ($on, $off) = map { answered($_, $bytes) } $ON, $OFF;
    like $on, qr/\A4\d\d\z/, "$name: refused" or diag "without us: $off";
    is_deeply [ $op->log ], [], "$name: and no login begins";
}

sub broken_chunks {
    my $size = sprintf '%x', length $OURS;
    my $head = sub { "POST /$_[0] HTTP/1.1\r\nHost: localhost\r\n"
        . "Transfer-Encoding: chunked\r\nContent-Type: $_[1]\r\n\r\n" };
    is answered($ON, $head->('raw', $FORM) . "$size\r\n$OURS\r\n0\r\n\r\n"),
        303, 'control: chunks';
    for my $case (
        [ 'no number', "zz\r\n$OURS\r\n0\r\n\r\n" ],
        [ 'no size', "\r\n$OURS\r\n0\r\n\r\n" ],
        [ 'a negative size', "-5\r\n$OURS\r\n0\r\n\r\n" ],
        [ 'a huge size', "ffffffffffffffff\r\n$OURS\r\n0\r\n\r\n" ],
        [ 'a prefix', "0x$size\r\n$OURS\r\n0\r\n\r\n" ],
        [ 'a missing line end', "$size\r\n${OURS}xx0\r\n\r\n" ],
        [ 'garbage behind a good one', "$size\r\n$OURS\r\nzz\r\n\r\n" ],
        [ 'a long extension', "$size;" . 'x' x 9000
            . "\r\n$OURS\r\n0\r\n\r\n" ],
    ) {
        my ($name, $bytes) = @$case;
        refused_as_without_us("chunks with $name, a form",
                              $head->('raw', $FORM) . $bytes);
        refused_as_without_us("chunks with $name, parts",
                              $head->('raw', $PARTS) . $bytes);
    }
}

sub broken_lengths {
    my $length = length $OURS;
    for my $lines ("Content-Length: -1", "Content-Length: 1x",
                   "Content-Length: $length\r\nContent-Length: 1",
                   "Content-Length: $length, $length",
                   "Content-Length: 99999999999999999999",
                   "Transfer-Encoding: gzip") {
        refused_as_without_us("a form with $lines" =~ s/\r\n/ /r,
            "POST /raw HTTP/1.1\r\nHost: localhost\r\nContent-Type: $FORM\r\n"
            . "$lines\r\nConnection: close\r\n\r\n$OURS");
    }
}

# --- clients ----------------------------------------------------------------

# The beginning of requests whose end never comes. Each has all that a login
# needs, but more was announced.
sub cut {
    my @heads = map { "Host: localhost\r\nContent-Type: $_->[0]\r\n" }
        [$FORM], [$PARTS], ['image/png'];
    my @bodies = ("$OURS&a=", "$OUR_PART--xx--\r\n", 'bytes');
    return map {
        my ($head, $body) = ($heads[$_], $bodies[$_]);
        my $size = sprintf '%x', length $body;
        ([ $_, "POST /raw HTTP/1.1\r\n${head}Content-Length: 60000\r\n\r\n"
               . $body ],
         [ $_, "POST /fcgi HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n"
               . "\r\n$size\r\n$body\r\n" ]);
    } 0 .. 2;
}

sub serves {
    my ($name) = @_;
    is_deeply [ map { status(form("POST /$_", 'a=b')) } qw(raw fcgi) x 4 ],
        [ (200) x 8 ], $name;
}

sub half_a_form_begins_nothing {
    $op->log;
    for my $cut (grep { $_->[0] < 2 } cut()) {
        my $wire = OpenID2RP::Wire->new($ON);
        $wire->say($cut->[1])->listen_for(0.1);
        $wire->shut;
    }
    sleep 0.2;
    is_deeply [ $op->log ], [], 'half a form, whoever named, begins no login';
    is status(form('POST /raw', $OURS)), 303, 'control: a whole one does';
    cmp_ok scalar($op->log), '>', 0, 'control: and the provider is asked';
}

sub clients_that_go {
    for my $round (1 .. 4) {
        for my $cut (cut()) {
            my $wire = OpenID2RP::Wire->new($ON);
            $wire->say(substr $cut->[1], 0, length($cut->[1]) - $round * 3);
            $wire->shut;
        }
    }
    serves('clients that go in the middle: others are served');
}

sub clients_that_stop {
    my @cut = grep { $_->[0] < 2 } cut();
    my @wires = map { OpenID2RP::Wire->new($ON)->say($_->[1]) } @cut;
    my $began = time;
    serves('clients that stop in the middle: others are served meanwhile');
    for my $n (0 .. $#wires) {
        my $response = $wires[$n]->hear(1);
        like $response ? $response->status : 'no answer', qr/\A(?:400|408)\z/,
            "a client that stops, $n: is told";
    }
    cmp_ok time - $began, '<', stall_seconds() + 15, 'within the timeout';
    is_deeply [ $op->log ], [], 'and no login has begun';
    serves('and others are served afterwards');
}

# More of them than there are workers (of 20, with threads).
sub all_workers_held {
    my @cut = map { cut() } 1 .. 4;
    my @wires = map { OpenID2RP::Wire->new($ON)->say($_->[1]) } @cut;
    sleep 0.1;
    serves('more clients that stop than there are workers: all are free again');
    my $closed = grep { $_->wait_for_end(10) } @wires;
    is $closed, scalar @wires, 'and each of these connections is closed';
}

sub nothing_went_wrong {
    my @lines = grep { /\[openid2rp:(?:warn|error|crit|alert|emerg)\]/ }
        $httpd->log;
    is_deeply \@lines, [], 'we have nothing to say about all that';
    ok $httpd->stop, 'httpd stops';
    is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
}
