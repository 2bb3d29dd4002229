#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# OpenIDIntercept: what is no login's reaches the application byte for byte, as
# it does without the module; of any size; and is not held in memory.
#
# OPENID2RP_SEED=N asks the random requests of another run again, and
# OPENID2RP_REQUESTS=N says how many.
#
# Bodies pass through the same filters with every MPM. Any other reason for a
# difference would be seen by intercept.t and intercept_backends.t.
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use OpenID2RP::RandomRequest;
use OpenID2RP::Test;
use OpenID2RP::Twins;
use OpenID2RP::Wire;
use Test::More;
use Time::HiRes qw(time);

use constant MB => 1024 * 1024;

my $FORM = 'application/x-www-form-urlencoded';

op_reset();
my $httpd = twins();
my ($ON, $OFF) = (port_on(), port_off());
my $ALICE = provider()->id('alice');

the_comparison_finds_differences();
what_is_ours_differs();
any_requests();
what_looks_like_ours();
a_hundred_megabytes();
nothing_went_wrong();
done_testing;

# Each way to change a request is seen.
sub the_comparison_finds_differences {
    my @headers = ('X-One: 1', "Content-Type: $FORM");
    for my $kind (kinds()) {
        my $line = "POST /$kind/a?b=c";
        my ($true) = views($OFF, 0, request($line, \@headers, 'd=efg'));
        is $true->{BODY_SIZE}, 5, "$kind: control: a request arrives";
        for my $case (
            [ 'method', request("PUT /$kind/a?b=c", \@headers, 'd=efg') ],
            [ 'path', request("POST /$kind/aa?b=c", \@headers, 'd=efg') ],
            [ 'query', request("POST /$kind/a?b=%63", \@headers, 'd=efg') ],
            [ 'header', request($line, [ 'X-One: 2', $headers[1] ], 'd=efg') ],
            [ 'missing header', request($line, [ $headers[1] ], 'd=efg') ],
            [ 'byte', request($line, \@headers, 'd=efh') ],
            [ 'order', request($line, \@headers, 'd=egf') ],
            [ 'length', request($line, \@headers, 'd=ef') ],
        ) {
            my ($what, $other) = @$case;
            my ($seen) = views($OFF, 0, $other);
            isnt scalar(differences($true, $seen)), 0,
                "$kind: another $what is a difference";
        }
        my ($same) = views($OFF, 0, request($line, \@headers, 'd=efg'));
        is_deeply [ differences($true, $same) ], [],
            "$kind: the same request is none";
    }
}

sub what_is_ours_differs {
    my $alice = encode($ALICE);
    for my $kind (kinds()) {
        my $ours = "openid_identifier=$alice";
        for my $case (
            [ 'a query', request("GET /$kind?$ours", []) ],
            [ 'a form', form("POST /$kind", "a=b&$ours") ],
            [ 'a form in chunks', form("POST /$kind", "a=b&$ours", 5) ],
            [ 'a form in parts', parts("POST /$kind", part('a', 'b')
                . part('openid_identifier', $ALICE) . '--xx--') ],
        ) {
            my ($what, $request) = @$case;
            my ($on, $off) = map { views($_, 0, $request) } $ON, $OFF;
            is $off->{BODY_MD5}, md5_hex($request->plain),
                "$kind: control: $what passes where we are off";
            is $on->{status}, 303, "$kind: control: and begins a login here";
        }
    }
}

# --- any requests -----------------------------------------------------------

sub any_requests {
    my $seed = $ENV{OPENID2RP_SEED} // time % 1_000_000;
    my $count = $ENV{OPENID2RP_REQUESTS} // 1000;
    diag "random requests: OPENID2RP_SEED=$seed";
    srand $seed;
    my ($asked, $arrived, $largest, %kinds, @differ, @lost) = (0, 0, 0);
    while ($asked < $count) {
        my $pipelined = rand() < 0.3;
        my @requests = map {
            # a CGI program costs most
            my $kind = (kinds())[ (0, 1, 1, 1, 2, 2, 2)[rand 7] ];
            $kinds{$kind}++;
            OpenID2RP::RandomRequest->new("/$kind");
        } 1 .. 1 + rand 8;
        my @on = views($ON, $pipelined, @requests);
        my @off = views($OFF, $pipelined, @requests);
        for my $n (0 .. $#requests) {
            my $plain = $requests[$n]->plain;
            my @differences = differences($on[$n], $off[$n]);
            push @differ, join "\n", "request " . ($asked + $n) . ': '
                . $requests[$n]->says, @differences if @differences;
            if (($on[$n]{BODY_MD5} // '') eq md5_hex($plain)) {
                $arrived++;
            }
            else {
                push @lost, "status $on[$n]{status}: " . $requests[$n]->says;
            }
            $largest = length $plain if length $plain > $largest;
        }
        $asked += @requests;
    }
    is scalar(@differ), 0, "$asked random requests: the application sees the "
        . 'same with and without us' or diag join "\n\n", @differ[0 ..
        (@differ > 5 ? 4 : $#differ)], "seed $seed";
    is $arrived, $asked, 'each of them arrived, with its body'
        or diag join "\n\n", @lost[0 .. (@lost > 5 ? 4 : $#lost)];
    note join ', ', map { "$_: $kinds{$_}" } sort keys %kinds;
    cmp_ok $largest, '>', 200_000, 'control: some were large';
}

sub what_looks_like_ours {
    my $id = encode($ALICE);
    for my $kind (kinds()) {
        for my $query ("openid_identifierx=$id", "Openid_Identifier=$id",
                       'openid_identifier=', 'openid_identifier',
                       'openid_identifier=&openid_identifier',
                       "openid-identifier=$id", "a=openid_identifier%3D$id",
                       "openid.mode=id_res&openid.identity=$id",
                       'openid.mode=cancel', 'openid_returned=x',
                       'openid.return_to=http%3A%2F%2Fx%2F%3Fopenid_return%3D1',
                       "xopenid_identifier=$id&b=%zz",
                       'a=openid_return=1', 'xopenid_return=1&b=%zz') {
            passes("$kind: a query $query", request("GET /$kind?$query", []));
            passes("$kind: a form $query", form("POST /$kind", $query));
            passes("$kind: a form in chunks $query",
                   form("POST /$kind", $query, 3));
        }
        passes("$kind: $_ with such a form",
               form("$_ /$kind", "openid_identifier=$id"))
            for qw(GET PUT PATCH DELETE post);
        passes("$kind: HEAD-like FROB", request(
            "FROB /$kind?openid_identifier=$id", []));
        passes("$kind: of the type $_", request("POST /$kind",
               ["Content-Type: $_"], "openid_identifier=$id"))
            for 'text/plain', 'application/json', "x$FORM", "${FORM}x", '',
                'multipart/mixed; boundary=xx';
        passes("$kind: without a type",
               request("POST /$kind", [], "openid_identifier=$id"));
        passes("$kind: JSON", request("POST /$kind",
               ['Content-Type: application/json'],
               qq({"openid_identifier": "$ALICE"})));
        passes("$kind: compressed", request("POST /$kind",
               ["Content-Type: $FORM", 'Content-Encoding: gzip'],
               "openid_identifier=$id"));
        passes("$kind: a file of that name", parts("POST /$kind",
               part('a" ; filename="openid_identifier', $ALICE) . '--xx--'));
        passes("$kind: a file in a field of that name", parts("POST /$kind",
               part('openid_identifier"; filename="x.txt', $ALICE)
               . '--xx--'));
        passes("$kind: an empty part", parts("POST /$kind",
               part('openid_identifier', '') . '--xx--'));
        passes("$kind: a part in a part", parts("POST /$kind",
               part('a', part('openid_identifier', $ALICE) =~ s/^--xx/--yy/r)
               . '--xx--'));
    }
}

# --- 100 MB -----------------------------------------------------------------

# The most memory of its own that a child has, in kilobytes. Under a sanitizer,
# which keeps what is freed, there is nothing to measure.
sub memory {
    my %of;
    for my $child ($httpd->children) {
        open my $in, '<', "/proc/$child/smaps_rollup" or next;
        $of{$child} = join('', <$in>) =~ /^Anonymous:\s+(\d+)/m ? $1 : 0;
    }
    return \%of;
}

sub is_sanitized {
    my ($child) = $httpd->children;
    open my $in, '<', "/proc/$child/maps" or return 0;
    return scalar grep { /libasan/ } <$in>;
}

# A request whose body is made while it is sent; what it is, and how much a
# child has grown meanwhile.
sub stream {
    my ($line, $type, $chunked, $block, $blocks) = @_;
    my $md5 = Digest::MD5->new;
    my $size = $blocks * length $block;
    my $head = join "\r\n", "$line HTTP/1.1", 'Host: localhost',
        "Content-Type: $type", $chunked ? 'Transfer-Encoding: chunked'
            : "Content-Length: $size", '', '';
    my ($n, $most, $before) = (0, 0, memory());
    my $wire = OpenID2RP::Wire->new($ON, seconds => 60);
    $wire->say($head)->say(sub {
        return $n++ == $blocks && $chunked ? "0\r\n\r\n" : undef
            if $n >= $blocks;
        $md5->add($block);
        if (++$n % 400 == 0) {
            my $now = memory();
            for (keys %$now) {
                my $grown = $now->{$_} - ($before->{$_} // $now->{$_});
                $most = $grown if $grown > $most;
            }
        }
        return $chunked ? sprintf("%x\r\n%s\r\n", length $block, $block)
            : $block;
    });
    my $response = $wire->hear(1);
    return ($response ? env_of($response) : {}, $size, $md5->hexdigest, $most);
}

sub a_hundred_megabytes {
    my $block = join '&', map { "f$_=" . $_ * 7919 } 1 .. 5000;
    $block = substr "$block&", 0, MB / 16;
    my $part = 'multipart/form-data; boundary=xx';
    for my $case ([ 'bytes of a length', 'PUT /fcgi', 'image/png', 0 ],
                  [ 'a form in chunks', 'POST /raw', $FORM, 1 ],
                  [ 'a form of a length', 'POST /cgi', $FORM, 0 ],
                  [ 'parts in chunks', 'POST /fcgi', $part, 1 ]) {
        my ($name, @how) = @$case;
        my ($seen, $size, $md5, $grown) = stream(@how, $block, 1600);
        is $seen->{BODY_SIZE}, $size, "100 MB, $name: all of it arrives";
        is $seen->{BODY_MD5}, $md5, "100 MB, $name: byte for byte";
        cmp_ok is_sanitized() ? 0 : $grown, '<', 6 * 1024,
            "100 MB, $name: and no child has grown by much (KB)";
    }
}

sub nothing_went_wrong {
    my @lines = grep { /\[openid2rp:(?:warn|error|crit|alert|emerg)\]/ }
        $httpd->log;
    is_deeply \@lines, [], 'we have nothing to say about all that';
    ok $httpd->stop, 'httpd stops';
    is_deeply [ $httpd->crashes ], [], 'and no child of it has crashed';
}
